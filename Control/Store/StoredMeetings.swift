package import Meetings
import SQLite
package import Units
package import Wire

/// An organisation's meetings. Each has a room while it is active, made with its start and gone with its end.
package struct StoredMeetings: Sendable {
    let store: ControlStore
    let scope: OrganizationScope

    /// Makes the mail by which a user is told that a meeting is over; nil where none can be sent.
    package typealias Farewell = @Sendable (User, Meeting, _ organization: String) -> NewMail?

    /// The newest first; the next after `last`.
    ///
    /// - Parameter slug: of one alone.
    package func page(
        state: MeetingState? = nil, slug: String? = nil, after last: MeetingID? = nil, limit: Int = 100
    ) async throws -> [Meeting] {
        let condition: SQL = """
            (\(state) IS NULL OR state = \(state)) AND (\(slug) IS NULL OR slug = \(slug)) AND (\(last) IS NULL OR id < \(last))
            """
        return try await store.read { try $0.rows(Meeting.self, in: scope, where: condition, order: "id DESC", limit: limit) }
    }

    /// - Throws: `.missing`.
    package func find(_ id: MeetingID) async throws -> Meeting { try await store.read { try $0.meeting(id, in: scope) } }

    /// The one whose room it is; nil where it is none's.
    package func find(in room: RoomID) async throws -> Meeting? {
        try await store.read { try $0.row(Meeting.self, in: scope, where: "room = \(room)") }
    }

    /// What holds in them, with what their organisation has decided.
    package func levels(of meeting: MeetingSettings) async throws -> SettingLevels {
        try await store.read { try $0.levels(of: meeting, in: scope) }
    }

    /// Makes a meeting of the user who acts: a draft, one for later, or one that is active at once.
    ///
    /// - Throws: `.invalid`, `.quota`.
    package func create(_ request: CreateMeetingRequest) async throws -> Meeting {
        guard let creator = scope.author.user else { throw StoreError.missing("user") }
        let title = try MeetingText.title(request.title)
        let description = try request.description.flatMap { try MeetingText.description($0) }
        let plan = MeetingPlan(
            start: try request.scheduledStart.map { try MeetingPlan.start($0) },
            end: try request.scheduledEnd.map { try MeetingPlan.end($0) })
        let (type, settings, isDraft) = (request.type ?? .video, request.settings ?? MeetingSettings(), request.draft ?? false)
        return try await store.write(.durable) { transaction in
            let now = transaction.now
            try plan.checkStart(at: now)
            try plan.checkEnd()
            try transaction.check(settings, over: MeetingSettings(), in: scope)
            let state: MeetingState = isDraft ? .draft : plan.start == nil ? .active : .scheduled
            let room = try state == .active ? transaction.openRoom(named: title, in: scope) : nil
            let startedAt = state == .active ? now : Timestamp?.none
            if state.isAhead { try transaction.admitPlanned(in: scope) }
            let id: MeetingID = transaction.newID()
            try transaction.insert(
                into: .meetings, in: scope,
                [
                    "id": id, "slug": try transaction.freshSlug(), "title": title, "description": description,
                    "type": type, "state": state, "settings": try JSONColumn(settings), "created_by": creator,
                    "created_at": now, "scheduled_start": plan.start, "scheduled_end": plan.end,
                    "started_at": startedAt, "room": room,
                ])
            try transaction.note(.meetingCreated, id.text, detail: "\(title): \(state.rawValue)", in: scope)
            if state == .active { try transaction.note(.meetingStarted, id.text, in: scope) }
            return try transaction.meeting(id, in: scope)
        }
    }

    /// Changes what is given, all of it or nothing.
    ///
    /// - Throws: `.missing`; `.meetingIs` for what is over, and where its type or time would change once it runs; `.invalid`.
    package func change(_ id: MeetingID, _ request: ChangeMeetingRequest) async throws -> Meeting {
        let title = try request.title.map { try MeetingText.title($0) }
        let description = try request.description.map { try MeetingText.description($0) }
        let start = try request.scheduledStart.map { try MeetingPlan.start($0) }
        let end = try request.scheduledEnd.map { try $0.isEmpty ? nil : MeetingPlan.end($0) }
        return try await store.write(.durable) { transaction in
            let old = try transaction.meeting(id, in: scope)
            let isPlan = request.type != nil || start != nil || end != nil
            guard !old.state.isOver, old.state.isAhead || !isPlan else { throw StoreError.meetingIs(old.state) }
            let state = start == nil ? old.state : old.state.after(.schedule) ?? old.state
            let plan = MeetingPlan(start: start ?? old.scheduledStart, end: end ?? old.scheduledEnd)
            // What lies behind by now may stay as it is.
            if start != nil { try plan.checkStart(at: transaction.now) }
            if start != nil || end != nil { try plan.checkEnd() }
            if let settings = request.settings { try transaction.check(settings, over: old.settings, in: scope) }
            let (newTitle, newType): (String, MeetingType) = (title ?? old.title, request.type ?? old.type)
            let newDescription: String? = description ?? old.description
            try transaction.updateOne(
                .meetings, in: scope,
                set: [
                    "title": newTitle, "description": newDescription, "type": newType, "state": state,
                    "settings": try JSONColumn(request.settings ?? old.settings), "scheduled_start": plan.start, "scheduled_end": plan.end,
                ], where: "id = \(id)", or: "meeting")
            let new = try transaction.meeting(id, in: scope)
            if new != old { try transaction.note(.meetingChanged, id.text, detail: new.difference(from: old), in: scope) }
            return new
        }
    }

    /// Begins a meeting, and makes its room.
    ///
    /// - Throws: `.missing`, `.meetingIs`, `.quota`.
    package func start(_ id: MeetingID) async throws -> Meeting {
        try await store.write(.durable) { transaction in
            let old = try transaction.meeting(id, in: scope)
            guard let state = old.state.after(.start) else { throw StoreError.meetingIs(old.state) }
            let room = try transaction.openRoom(named: old.title, in: scope)
            try transaction.updateOne(
                .meetings, in: scope, set: ["state": state, "room": room, "started_at": transaction.now], where: "id = \(id)",
                or: "meeting")
            try transaction.note(.meetingStarted, id.text, in: scope)
            return try transaction.meeting(id, in: scope)
        }
    }

    /// Ends a meeting that runs. Whoever made it is told by mail, and so are the users who are in it.
    ///
    /// - Parameter present: the users who are in it.
    /// - Returns: it, and its room, which is no more.
    /// - Throws: `.missing`, `.meetingIs`.
    package func end(
        _ id: MeetingID, telling present: Set<UserID> = [], by mail: Farewell = { _, _, _ in nil }
    ) async throws -> (meeting: Meeting, room: RoomID?) {
        try await store.write(.durable) { transaction in
            let left = try transaction.leave(id, by: .end, noting: .meetingEnded, in: scope)
            try transaction.tellEnd(of: left.meeting, to: present, by: mail, in: scope, of: store)
            return left
        }
    }

    /// Calls a meeting off, whatever it is; one that runs ends.
    ///
    /// - Returns: as above.
    /// - Throws: as above.
    package func cancel(_ id: MeetingID) async throws -> (meeting: Meeting, room: RoomID?) {
        try await store.write(.durable) { try $0.leave(id, by: .cancel, noting: .meetingCancelled, in: scope) }
    }
}

/// A meeting that somebody has the address of.
package struct FoundMeeting: Sendable {
    package let meeting: Meeting
    package let organization: Organization
    package let levels: SettingLevels
}

extension Identities {
    /// The meeting of an address, whosever it is; nil where there is none.
    package func meeting(_ slug: String) async throws -> FoundMeeting? {
        try await store.read { transaction in
            let found = try transaction.across(.identification).first("SELECT * FROM meetings WHERE slug = \(slug)", Meeting.init)
            guard let meeting = found else { return nil }
            let owner = try transaction.shared.first(
                "SELECT * FROM organizations WHERE id = \(meeting.organization)", Organization.init)
            guard let organization = owner else { return nil }
            let levels = try transaction.levels(of: meeting.settings, in: OrganizationScope(meeting.organization, by: .system))
            return FoundMeeting(meeting: meeting, organization: organization, levels: levels)
        }
    }
}

extension ControlStore {
    package func meetings(in scope: OrganizationScope) -> StoredMeetings { StoredMeetings(store: self, scope: scope) }

    /// The meetings that run and that somebody has come to, of all organisations.
    package func attendedMeetings() async throws -> [Meeting] {
        try await read { transaction in
            try transaction.across(.operation).all(
                """
                SELECT * FROM meetings WHERE state = 'active' AND EXISTS (
                    SELECT 1 FROM meeting_events WHERE meeting_events.organization = meetings.organization
                        AND meeting_events.meeting = meetings.id AND meeting_events.kind = 'joined')
                """, Meeting.init)
        }
    }

    /// Ends the meetings that have lasted as long as their organisations let one, because nobody did (MTG-49).
    ///
    /// - Parameters:
    ///   - present: the users who are in a room.
    ///   - mail: as of `StoredMeetings.end`.
    /// - Returns: their rooms, which are no more. One that could not be ended keeps none of the others' from being closed: it is tried again
    ///   with the next look.
    /// - Throws: where nothing else came of it.
    package func endForgottenMeetings(
        telling present: @Sendable (RoomID?) async -> Set<UserID> = { _ in [] }, by mail: StoredMeetings.Farewell = { _, _, _ in nil }
    ) async throws -> [RoomID] {
        let active = try await read { try $0.across(.operation).all("SELECT * FROM meetings WHERE state = 'active'", Meeting.init) }
        var rooms: [RoomID] = []
        var failure: (any Error)?
        for meeting in active {
            let theirs = meetings(in: OrganizationScope(meeting.organization, by: .system))
            do {
                let limit = try await theirs.levels(of: meeting.settings).effective.maxDurationMinutes
                guard let began = meeting.startedAt, MeetingTerm(after: now - began, limit: limit) == .over else { continue }
                let there = await present(meeting.room)
                if let room = try await theirs.end(meeting.id, telling: there, by: mail).room { rooms.append(room) }
            } catch StoreError.meetingIs, StoreError.missing {
                // Somebody was quicker.
                continue
            } catch {
                failure = error
            }
        }
        if rooms.isEmpty, let failure { throw failure }
        return rooms
    }
}

extension Meeting {
    /// What has another value, for the audit log.
    fileprivate func difference(from old: Meeting) -> String {
        var parts: [String] = []
        if title != old.title { parts.append("title \(title)") }
        if description != old.description { parts.append("description") }
        if type != old.type { parts.append("type \(type.rawValue)") }
        if scheduledStart != old.scheduledStart || scheduledEnd != old.scheduledEnd {
            parts.append("time \(scheduledStart?.text ?? "none")")
        }
        parts += MeetingSetting.allCases.filter { settings.differs(in: $0, from: old.settings) }.map(\.rawValue)
        return parts.joined(separator: ", ")
    }
}

extension Transaction {
    fileprivate func meeting(_ id: MeetingID, in scope: OrganizationScope) throws -> Meeting {
        try row(Meeting.self, in: scope, where: "id = \(id)", or: "meeting")
    }

    fileprivate func levels(of meeting: MeetingSettings, in scope: OrganizationScope) throws -> SettingLevels {
        let defaults = try meetingDefaults(in: scope)
        return SettingLevels(
            organization: defaults.settings, locked: defaults.locked, meeting: meeting, mostParticipants: quotas[.participants])
    }

    /// - Throws: `.invalid` for a number out of its bounds, and for what a meeting does not decide.
    fileprivate func check(_ new: MeetingSettings, over old: MeetingSettings, in scope: OrganizationScope) throws {
        try new.checkBounds()
        switch try levels(of: old, in: scope).refusals(of: new, at: .meeting).first {
        case .locked(let setting)?: throw StoreError.setting(setting, "nothing: your organisation has decided it for all meetings")
        case .level(let setting)?: throw StoreError.setting(setting, "nothing: it is decided for the whole organisation")
        case nil: break
        }
    }

    /// Fifty random bits: that they are another meeting's already happens to nobody twice.
    fileprivate func freshSlug() throws -> String {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<4 {
            let slug = MeetingSlug(random: &random).text
            let taken: MeetingID? = try across(.identification).first("SELECT id FROM meetings WHERE slug = \(slug)") { try $0["id"] }
            if taken == nil { return slug }
        }
        throw StoreError.taken("slug")
    }

    fileprivate func admitPlanned(in scope: OrganizationScope) throws {
        try admit(.plannedMeetings, of: .meetings, where: "state IN ('draft', 'scheduled')", by: quotas, in: scope)
    }

    /// The room of a meeting that begins: counted as one that runs, not as one of those that somebody has made.
    fileprivate func openRoom(named title: String, in scope: OrganizationScope) throws -> RoomID {
        try admit(.meetings, of: .meetings, where: "state = 'active'", by: quotas, in: scope)
        let room: RoomID = newID()
        try insert(into: .rooms, in: scope, ["id": room, "name": title, "created_at": now])
        return room
    }

    /// Each user once, and nobody who is shut out by now.
    fileprivate func tellEnd(
        of meeting: Meeting, to present: Set<UserID>, by mail: StoredMeetings.Farewell, in scope: OrganizationScope, of store: ControlStore
    ) throws {
        let name: String? = try shared.first("SELECT name FROM organizations WHERE id = \(scope.organization)") { try $0["name"] }
        for id in present.union([meeting.createdBy]).sorted() {
            guard let user = try row(User.self, in: scope, where: "id = \(id) AND is_active = 1"),
                let letter = mail(user, meeting, name ?? "")
            else { continue }
            try postNotice(letter, about: meeting.id.text, in: scope, of: store)
        }
    }

    fileprivate func leave(
        _ id: MeetingID, by move: MeetingMove, noting action: AuditAction, in scope: OrganizationScope
    ) throws -> (meeting: Meeting, room: RoomID?) {
        let old = try meeting(id, in: scope)
        guard let state = old.state.after(move) else { throw StoreError.meetingIs(old.state) }
        let end: Timestamp? = old.state == .active ? now : old.endedAt
        try updateOne(
            .meetings, in: scope, set: ["state": state, "room": RoomID?.none, "ended_at": end], where: "id = \(id)", or: "meeting")
        if let room = old.room { try delete(from: .rooms, in: scope, where: "id = \(room)") }
        try withdrawGuestLinks(of: id, in: scope)
        try note(action, id.text, in: scope)
        return (try meeting(id, in: scope), old.room)
    }
}
