import Auth
import HTTP
import Mail
import Meetings
import Rooms
import Store
import Units
import Web
import Wire

/// Meetings as their organisation has them: what is planned, what runs, and what holds in them.
struct MeetingRoutes: Sendable {
    private let parts: Gateway.Parts

    init(_ parts: Gateway.Parts) { self.parts = parts }

    static let pageLimit = 200
    private static let standardPage = 100

    var routes: [Route] { readingRoutes + runningRoutes + joiningRoutes + keptRoutes + settingsRoutes }

    private var readingRoutes: [Route] {
        [
            Route(
                method: .get, path: "/api/v1/meetings", access: .user(.viewMeetings),
                summary: "The organisation's meetings, the newest first, a part of them; by their state, or the one of an address",
                query: [
                    .optional("state", Schemas.choice(MeetingState.self)), .optional("slug", Schemas.typedSlug),
                    .optional("after", Schemas.id), .optional("limit", .integer(1...Self.pageLimit)),
                ], success: .one("Meetings"), run: list),
            Route(
                method: .get, path: "/api/v1/meetings/{id}", access: .user(.viewMeetings),
                summary: "One meeting, with what holds in it and what one is in it", success: .one("Meeting"),
                run: { call in try await shown(parts.store.meetings(in: call.scope()).find(call.id()), call) }),
            Route(
                method: .get, path: "/api/v1/meeting-presets", access: .user(.viewMeetings),
                summary: "What somebody may do in a meeting, by its type and their role", success: .page("MeetingPreset"),
                run: { _ in .list(Preset.all) }),
        ]
    }

    private var runningRoutes: [Route] {
        [
            Route(
                method: .post, path: "/api/v1/meetings", access: .user(.runMeetings),
                summary: "Make a meeting: active at once, for later, or a draft", body: "CreateMeetingRequest",
                success: .one("Meeting", .created), problems: [.quota], run: create),
            Route(
                method: .patch, path: "/api/v1/meetings/{id}", access: .user(.runMeetings),
                summary: "Change what is given of a meeting of one's own that is not over; admins, of any", body: "ChangeMeetingRequest",
                success: .one("Meeting"), problems: [.conflict], run: change),
            Route(
                method: .post, path: "/api/v1/meetings/{id}/start", access: .user(.runMeetings),
                summary: "Begin a meeting of one's own now, and make its room; admins, any", success: .one("Meeting"),
                problems: [.conflict, .quota], run: start),
            Route(
                method: .post, path: "/api/v1/meetings/{id}/end", access: .user(.runMeetings),
                summary: "End a meeting of one's own: whoever is in it is sent away, and its guest links are good no more; admins, any",
                success: .one("Meeting"), problems: [.conflict],
                run: { call in
                    try await leave(call) { meetings, meeting in
                        try await meetings.end(meeting.id, telling: await parts.users(in: meeting.room), by: parts.farewell)
                    }
                }),
            Route(
                method: .post, path: "/api/v1/meetings/{id}/cancel", access: .user(.runMeetings),
                summary: "Call a meeting of one's own off, whatever it is; one that runs ends; admins, any", success: .one("Meeting"),
                problems: [.conflict], run: { call in try await leave(call) { try await $0.cancel($1.id) } }),
        ]
    }

    private var joiningRoutes: [Route] {
        [
            Route(
                method: .post, path: "/api/v1/meetings/{id}/join", access: .user(.joinRooms),
                summary: "Come to a meeting: a pass for its room, good for five minutes, or that one waits for a host; its hosts begin it",
                success: .one("MeetingEntry"), problems: [.conflict, .quota], run: join)
        ]
    }

    private var keptRoutes: [Route] {
        let query: [Schema.Field] = [.optional("after", Schemas.id), .optional("limit", .integer(1...Self.pageLimit))]
        return [
            Route(
                method: .get, path: "/api/v1/meetings/{id}/events", access: .user(.runMeetings),
                summary:
                    "Who came and went in a meeting of one's own, and who did what to whom, the oldest first, a part of it; admins, of any",
                query: query, success: .one("MeetingEvents"), run: events),
            Route(
                method: .get, path: "/api/v1/meetings/{id}/chat", access: .user(.runMeetings),
                summary: "What all could read in a meeting of one's own, the oldest first, a part of it; admins, of any", query: query,
                success: .one("MeetingChat"), run: chat),
        ]
    }

    @Sendable private func events(_ call: Call) async throws -> Response {
        let (meeting, limit) = (try await parts.runMeeting(call).id, Self.limit(of: call))
        let found = try await parts.store.meetingEvents(in: call.scope()).page(
            of: meeting, after: call.query("after").flatMap { MeetingEventID($0) }, limit: limit)
        let items = found.map { event in
            MeetingEventView(
                id: event.id, at: event.at.text, kind: event.kind, participant: event.participant, person: event.person, name: event.name,
                fromPreset: event.from, toPreset: event.to, actor: event.actorName)
        }
        return .value(MeetingEventsView(items: items, next: found.count < limit ? nil : found.last?.id))
    }

    /// What was written to one alone is in nobody's export (CHT-03).
    @Sendable private func chat(_ call: Call) async throws -> Response {
        let (meeting, limit) = (try await parts.runMeeting(call).id, Self.limit(of: call))
        let found = try await parts.store.chat(in: call.scope()).page(
            of: meeting, after: call.query("after").flatMap { ChatMessageID($0) }, limit: limit)
        let items = found.map { message in
            ChatMessageView(
                id: message.id, at: Timestamp(unixMs: message.atMs).text, participant: message.from, name: message.name, text: message.text,
                isPinned: message.isPinned)
        }
        return .value(MeetingChatView(items: items, next: found.count < limit ? nil : found.last?.id))
    }

    private static func limit(of call: Call) -> Int { call.query("limit").flatMap { Int($0) } ?? standardPage }

    private var settingsRoutes: [Route] {
        [
            Route(
                method: .get, path: "/api/v1/organization/meeting-settings", access: .user(.viewMeetings),
                summary: "What the organisation has decided for its meetings", success: .one("MeetingDefaults"),
                run: { call in .value(view(try await parts.store.meetingDefaults(in: call.scope()).find())) }),
            Route(
                method: .put, path: "/api/v1/organization/meeting-settings", access: .user(.changeOrganization),
                summary: "Decide it anew, all of it, and what of it no meeting decides for itself", body: "ChangeMeetingSettingsRequest",
                success: .one("MeetingDefaults"), run: changeDefaults),
        ]
    }

    @Sendable private func list(_ call: Call) async throws -> Response {
        let limit = Self.limit(of: call)
        var slug: String?
        if let typed = call.query("slug") {
            guard let read = MeetingSlug(typed: typed) else { return .value(MeetingsView(items: [], next: nil)) }
            slug = read.text
        }
        let found = try await parts.store.meetings(in: call.scope()).page(
            state: call.query("state").flatMap { MeetingState(rawValue: $0) }, slug: slug,
            after: call.query("after").flatMap { MeetingID($0) }, limit: limit)
        let sight = try await MeetingSight(of: call, parts)
        return .value(MeetingsView(items: found.map(sight.view), next: found.count < limit ? nil : found.last?.id))
    }

    @Sendable private func create(_ call: Call) async throws -> Response {
        let request = try call.body(CreateMeetingRequest.self)
        let scope = try call.scope()
        try parts.meetingCreations.take(scope.organization.text, at: parts.store.now)
        return try await shown(parts.store.meetings(in: scope).create(request), call, .created)
    }

    @Sendable private func change(_ call: Call) async throws -> Response {
        let request = try call.body(ChangeMeetingRequest.self)
        let id = try await parts.runMeeting(call).id
        let meeting = try await parts.store.meetings(in: call.scope()).change(id, request)
        await parts.sessions.renew(of: meeting.organization)
        return try await shown(meeting, call)
    }

    @Sendable private func start(_ call: Call) async throws -> Response {
        let id = try await parts.runMeeting(call).id
        return try await shown(parts.store.meetings(in: call.scope()).start(id), call)
    }

    private func leave(
        _ call: Call, _ body: (StoredMeetings, Meeting) async throws -> (meeting: Meeting, room: RoomID?)
    ) async throws -> Response {
        let running = try await parts.runMeeting(call)
        let (meeting, room) = try await body(parts.store.meetings(in: call.scope()), running)
        if let room { await parts.sessions.close(room) }
        return try await shown(meeting, call)
    }

    @Sendable private func join(_ call: Call) async throws -> Response {
        let (principal, meetings) = (try call.caller(), parts.store.meetings(in: try call.scope()))
        var meeting = try await meetings.find(call.id())
        let account = RoomPass.Account(user: principal.user.id, session: try principal.session.id)
        let options = try await meetings.levels(of: meeting.settings).effective
        let entrance = MeetingEntrance(parts)
        let comer = Comer.user(principal.role, isCreator: meeting.createdBy == principal.user.id)
        let seat: Seat
        switch await entrance.answer(to: comer, of: meeting, options) {
        case .refused(let refusal): throw entrance.problem(refusal)
        case .waits(let one, _): return .value(MeetingEntryView(state: .waits, preset: one.preset))
        case .enters(let one): seat = one
        case .opens(let one):
            seat = one
            meeting = try await begin(meeting.id, meetings)
        }
        guard let room = meeting.room else { throw StoreError.meetingIs(meeting.state) }
        try entrance.count(meeting)
        let pass = try entrance.pass(into: room, of: meeting, options, seat, as: principal.user.displayName, of: account)
        return .secret(MeetingEntryView(state: .enters, preset: seat.preset, pass: pass))
    }

    /// Two hosts may come first.
    private func begin(_ id: MeetingID, _ meetings: StoredMeetings) async throws -> Meeting {
        do {
            return try await meetings.start(id)
        } catch StoreError.meetingIs(.active) {
            return try await meetings.find(id)
        }
    }

    @Sendable private func changeDefaults(_ call: Call) async throws -> Response {
        let request = try call.body(ChangeMeetingSettingsRequest.self)
        let defaults = MeetingDefaults(settings: request.settings, locked: Set(request.locked))
        let scope = try call.scope()
        try await parts.store.meetingDefaults(in: scope).save(defaults)
        await parts.sessions.renew(of: scope.organization)
        return .value(view(defaults))
    }

    private func shown(_ meeting: Meeting, _ call: Call, _ status: Status = .ok) async throws -> Response {
        .value(try await MeetingSight(of: call, parts).view(meeting), status)
    }

    private func view(_ defaults: MeetingDefaults) -> MeetingDefaultsView {
        let levels = SettingLevels(
            organization: defaults.settings, locked: defaults.locked, mostParticipants: parts.store.quotas[.participants])
        return MeetingDefaultsView(
            settings: defaults.settings, locked: MeetingSetting.allCases.filter(defaults.locked.contains), effective: levels.effective)
    }
}

extension Gateway.Parts {
    /// The meeting of the path, where the caller runs it: its creator does, and the organisation's admins (SEC-07).
    func runMeeting(_ call: Call) async throws -> Meeting {
        let meeting = try await store.meetings(in: call.scope()).find(call.id())
        let principal = try call.caller()
        guard MeetingOwnership.runs(principal.role, isCreator: meeting.createdBy == principal.user.id) else {
            throw Problem(.forbidden, "it is another user's meeting: they run it, and the organisation's admins")
        }
        return meeting
    }
}

extension Gateway.Parts {
    /// The users who are in a meeting's room; guests are nobody's to write to.
    func users(in room: RoomID?) async -> Set<UserID> {
        guard let room else { return [] }
        return Set(await sessions.people(in: room).compactMap(\.user))
    }

    /// What is mailed when a meeting is over: nothing where the server sends no mail.
    var farewell: StoredMeetings.Farewell { Self.farewell(postman, links) }

    static func farewell(_ postman: Postman?, _ links: AccountLinks) -> StoredMeetings.Farewell {
        let letters = postman.map { _ in Letters(links) }
        return { user, meeting, organization in letters?.meetingEnded(to: user, meeting, in: organization) }
    }

    /// The meeting of the path, where the caller is one of its hosts, by right or by the organisation's rule: whoever lets guests in.
    func meetingOfHost(_ call: Call) async throws -> Meeting {
        let (principal, meetings) = (try call.caller(), store.meetings(in: try call.scope()))
        let meeting = try await meetings.find(call.id())
        let options = try await meetings.levels(of: meeting.settings).effective
        let comer = Comer.user(principal.role, isCreator: meeting.createdBy == principal.user.id)
        let seat = Seat(of: comer, in: meeting.type, hostsRunAll: options.hostsRunAll)
        guard MeetingRules(options).ruling(on: .admit, by: Attendee(seat), to: .all) == .allowed else {
            throw Problem(.forbidden, "it is another user's meeting: its hosts let guests in")
        }
        return meeting
    }
}

/// How a caller sees the meetings of their organisation.
private struct MeetingSight {
    private let principal: Principal
    private let organization: Organization
    private let defaults: MeetingDefaults
    private let parts: Gateway.Parts

    init(of call: Call, _ parts: Gateway.Parts) async throws {
        principal = try call.caller()
        guard let organization = try await parts.store.organizations.find(principal.user.organization) else { throw Problem(.notFound) }
        self.organization = organization
        defaults = try await parts.store.meetingDefaults(in: call.scope()).find()
        self.parts = parts
    }

    func view(_ meeting: Meeting) -> MeetingView {
        let isCreator = meeting.createdBy == principal.user.id
        let options = SettingLevels(
            organization: defaults.settings, locked: defaults.locked, meeting: meeting.settings,
            mostParticipants: parts.store.quotas[.participants]
        ).effective
        let seat = Seat(of: .user(principal.role, isCreator: isCreator), in: meeting.type, hostsRunAll: options.hostsRunAll)
        return MeetingView(
            id: meeting.id, title: meeting.title, description: meeting.description, type: meeting.type, state: meeting.state,
            slug: meeting.slug, joinURL: parts.links.meeting(organization.slug, meeting.slug), createdBy: meeting.createdBy,
            createdAt: meeting.createdAt.text, scheduledStart: meeting.scheduledStart?.text, scheduledEnd: meeting.scheduledEnd?.text,
            startedAt: meeting.startedAt?.text, endedAt: meeting.endedAt?.text, room: meeting.room, settings: meeting.settings,
            effective: options, locked: MeetingSetting.allCases.filter(defaults.locked.contains), role: seat.role, preset: seat.preset,
            mayRun: MeetingOwnership.runs(principal.role, isCreator: isCreator))
    }
}
