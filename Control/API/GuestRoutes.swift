import Auth
import Crypto
import HTTP
import Meetings
import Posix
import Store
import Units
import Web
import Wire

/// How people without an account come to a meeting: the links that are made for them, and what they are told before they come in.
struct GuestRoutes: Sendable {
    private let parts: Gateway.Parts

    /// Where nobody says how long. Source: decisions 4.
    static let lifetimeSeconds = 14_400

    init(_ parts: Gateway.Parts) { self.parts = parts }

    var routes: [Route] { linkRoutes + waitingRoutes + doorRoutes }

    private var linkRoutes: [Route] {
        [
            Route(
                method: .get, path: "/api/v1/meetings/{id}/guest-links", access: .user(.runMeetings),
                summary: "The guest links of a meeting of one's own that are still good, the newest first; admins, of any",
                success: .page("GuestLink"),
                run: { call in
                    let id = try await parts.runMeeting(call).id
                    return .list(try await parts.store.guestLinks(in: call.scope()).all(of: id).map { GuestLinkView($0) })
                }),
            Route(
                method: .post, path: "/api/v1/meetings/{id}/guest-links", access: .user(.runMeetings),
                summary:
                    "Make a link by which one guest comes, or some, for four hours or as long as is said; it is in this answer and in no other",
                body: "GuestLinkRequest", success: .one("GuestLink", .created), problems: [.conflict, .quota], run: create),
            Route(
                method: .delete, path: "/api/v1/meetings/{id}/guest-links/{link}", access: .user(.runMeetings),
                summary: "Withdraw such a link: nobody comes by it any more", success: .empty, run: withdraw),
        ]
    }

    private var waitingRoutes: [Route] {
        [
            Route(
                method: .get, path: "/api/v1/meetings/{id}/waiting", access: .user(.runMeetings),
                summary: "The guests who wait to be let into a meeting of which one is a host, in the order in which they came",
                success: .page("WaitingGuest"),
                run: { call in
                    let meeting = try await parts.meetingOfHost(call).id
                    let guests = parts.waiting.withLock { $0.waiting(at: meeting, at: parts.store.now) }
                    return .list(guests.map(WaitingGuestView.init))
                }),
            Route(
                method: .post, path: "/api/v1/meetings/{id}/waiting/admit", access: .user(.runMeetings),
                summary: "Let all of them in, once the meeting is active", success: .empty, run: admitAll),
            Route(
                method: .post, path: "/api/v1/meetings/{id}/waiting/{guest}/admit", access: .user(.runMeetings),
                summary: "Let one of them in, once the meeting is active", success: .empty,
                run: { call in try await decide(.admitted, call) }),
            Route(
                method: .delete, path: "/api/v1/meetings/{id}/waiting/{guest}", access: .user(.runMeetings),
                summary: "Send one of them away", success: .empty, run: { call in try await decide(.refused, call) }),
        ]
    }

    private var doorRoutes: [Route] {
        [
            Route(
                method: .post, path: "/api/v1/join/lookup", access: .open,
                summary: "What stands behind a meeting's address, for a guest; what guests do not come to is answered as what is not there",
                body: "MeetingLookupRequest", success: .one("MeetingDoor"), problems: [.notFound, .gone], run: lookup),
            Route(
                method: .post, path: "/api/v1/join/guest", access: .open,
                summary: "Come to a meeting as a guest, by its address or a guest link: a pass for its room, or what one waits by",
                body: "GuestJoinRequest", success: .one("MeetingEntry"), problems: [.notFound, .gone, .conflict], run: knock),
            Route(
                method: .post, path: "/api/v1/join/waiting", access: .open,
                summary: "Whether one is let in by now: asked each 5 s; after 90 s of silence, or ten minutes, one waits no more",
                body: "WaitingRequest", success: .one("MeetingEntry"), problems: [.notFound, .gone, .conflict], run: askAgain),
        ]
    }

    @Sendable private func create(_ call: Call) async throws -> Response {
        let request = try call.body(GuestLinkRequest.self)
        let (meeting, scope) = (try await parts.runMeeting(call), try call.scope())
        let secret = Secret(Base64URL.encode(randomBytes(32)))
        let link = try await parts.store.guestLinks(in: scope).create(
            secret, for: meeting.id, label: request.label, preset: request.preset, uses: request.uses ?? 1,
            lifetime: .seconds(request.expiresInSeconds ?? Self.lifetimeSeconds))
        guard let organization = try await parts.store.organizations.find(scope.organization) else { throw Problem(.notFound) }
        return .secret(GuestLinkView(link, url: parts.links.guest(organization.slug, meeting.slug, secret)), .created)
    }

    @Sendable private func withdraw(_ call: Call) async throws -> Response {
        let id = try await parts.runMeeting(call).id
        try await parts.store.guestLinks(in: call.scope()).withdraw(call.id("link"), of: id)
        return .empty
    }

    // MARK: Before a meeting

    /// What is told of whatever is not for guests.
    private static let notThere = Problem(.notFound, "there is no such meeting, or none that guests come to")

    /// Whoever asks has not signed in: the address is what they know, and they learn no more than whether a guest comes in there.
    @Sendable private func lookup(_ call: Call) async throws -> Response {
        try parts.meetingLookups.take(call.origin.subscriber, at: parts.store.now)
        let request = try call.body(MeetingLookupRequest.self)
        let (found, link) = try await door(request.slug, request.organization, request.token)
        guard let (seat, waits) = Self.seat(in: found, preset: link?.preset) else { throw StoreError.linkRefused }
        let meeting = found.meeting
        return .value(
            MeetingDoorView(
                title: meeting.title, type: meeting.type, state: meeting.state, organization: found.organization.name, slug: meeting.slug,
                scheduledStart: meeting.scheduledStart?.text, waits: waits, preset: seat.preset))
    }

    /// The meeting of an address, where guests come to it, and the link that somebody has come by.
    ///
    /// - Throws: the same for whatever is not for guests; `.linkRefused`.
    private func door(
        _ typed: String, _ organization: String?, _ token: SecretOnWire?
    ) async throws -> (found: FoundMeeting, link: GuestLink?) {
        guard let slug = MeetingSlug(typed: typed), let found = try await parts.store.identities.meeting(slug.text),
            organization == nil || organization == found.organization.slug, Self.seat(in: found, preset: nil) != nil
        else { throw Self.notThere }
        guard let token else { return (found, nil) }
        let link = try await parts.store.identities.guestLink(token.secret, of: found.meeting.id)
        if link == nil { throw StoreError.linkRefused }
        return (found, link)
    }

    // MARK: Coming in

    @Sendable private func knock(_ call: Call) async throws -> Response {
        let place = call.origin.subscriber
        try parts.guestKnocks.take(place, at: parts.store.now)
        let request = try call.body(GuestJoinRequest.self)
        let (found, link) = try await door(request.slug, request.organization, request.token)
        try parts.guestsOfPlace.take("\(found.meeting.id.text) \(place)", at: parts.store.now)
        let entrance = MeetingEntrance(parts)
        let (meeting, options) = (found.meeting, found.levels.effective)
        switch await entrance.answer(to: .guest(preset: link?.preset), of: meeting, options) {
        case .refused(let refusal): throw entrance.problem(refusal)
        case .enters(let seat), .opens(let seat):
            guard let room = meeting.room else { throw Self.notThere }
            try entrance.countGuest(meeting)
            try await use(request.token?.secret, of: meeting, call)
            let pass = try entrance.pass(into: room, of: meeting, options, seat, as: request.name)
            return .secret(MeetingEntryView(state: .enters, preset: seat.preset, pass: pass))
        case .waits(let seat, _):
            let secret = Secret(Base64URL.encode(randomBytes(32)))
            let guest = WaitingList.Guest(
                id: Self.freshID(at: parts.store.now), organization: meeting.organization, meeting: meeting.id, slug: meeting.slug,
                name: request.name, preset: seat.preset, linkPreset: link?.preset, link: request.token?.secret, place: place,
                since: parts.store.now)
            guard parts.waiting.withLock({ $0.knock(guest, as: SHA256.hash(secret.revealed)) }) else {
                throw Problem(.conflict, "too many wait to be let in already: come back later")
            }
            return .secret(MeetingEntryView(state: .waits, preset: seat.preset, waiting: SecretOnWire(secret)))
        }
    }

    @Sendable private func askAgain(_ call: Call) async throws -> Response {
        let key = SHA256.hash(try call.body(WaitingRequest.self).token.secret.revealed)
        guard let standing = parts.waiting.withLock({ $0.ask(key, at: parts.store.now) }) else {
            throw Problem(.gone, "nobody waits by this any more: knock again")
        }
        let guest = standing.guest
        try parts.waitingQuestions.take(guest.id.text, at: parts.store.now)
        if standing.decision == .refused { return .value(MeetingEntryView(state: .refused, preset: guest.preset)) }
        if let pass = standing.pass { return .secret(MeetingEntryView(state: .enters, preset: guest.preset, pass: pass)) }
        guard let found = try await parts.store.identities.meeting(guest.slug), found.meeting.id == guest.meeting,
            Self.seat(in: found, preset: guest.linkPreset) != nil
        else { throw Self.notThere }
        let (entrance, comer, options) = (MeetingEntrance(parts), Comer.guest(preset: guest.linkPreset), found.levels.effective)
        let waits = Response.value(MeetingEntryView(state: .waits, preset: guest.preset))
        switch await entrance.answer(to: comer, of: found.meeting, options) {
        // They are one of the crowd.
        case .refused(.crowded), .waits: guard standing.decision == .admitted else { return waits }
        case .refused(let refusal): throw entrance.problem(refusal)
        case .enters, .opens: break
        }
        let seat = Seat(of: comer, in: found.meeting.type, hostsRunAll: options.hostsRunAll)
        return try await enter(guest, key, found, seat, call) ?? waits
    }

    /// - Returns: nil where the meeting has no room yet, or another request of theirs is at it.
    private func enter(
        _ guest: WaitingList.Guest, _ key: [UInt8], _ found: FoundMeeting, _ seat: Seat, _ call: Call
    ) async throws -> Response? {
        guard let room = found.meeting.room, parts.waiting.withLock({ $0.begin(key) }) else { return nil }
        do {
            let entrance = MeetingEntrance(parts)
            try entrance.countGuest(found.meeting)
            try await use(guest.link, of: found.meeting, call)
            let pass = try entrance.pass(into: room, of: found.meeting, found.levels.effective, seat, as: guest.name)
            parts.waiting.withLock { $0.end(key, pass) }
            return .secret(MeetingEntryView(state: .enters, preset: seat.preset, pass: pass))
        } catch {
            parts.waiting.withLock { $0.end(key, nil) }
            throw error
        }
    }

    /// Counts whoever comes by a link.
    private func use(_ link: Secret?, of meeting: Meeting, _ call: Call) async throws {
        guard let link else { return }
        _ = try await parts.store.identities.useGuestLink(link, of: meeting.id, from: call.request.remote.host)
    }

    private func decide(_ decision: WaitingList.Decision, _ call: Call) async throws -> Response {
        let meeting = try await parts.meetingOfHost(call).id
        let guest: WaitingGuestID = try call.id("guest")
        let waiting = parts.waiting.withLock { $0.waiting(at: meeting, at: parts.store.now) }
        guard let found = waiting.first(where: { $0.id == guest }),
            parts.waiting.withLock({ $0.decide(guest, at: meeting, decision, at: parts.store.now) })
        else { throw Problem(.notFound, "nobody waits there under this id") }
        if decision == .admitted { try await noteAdmission(of: found, call) }
        return .empty
    }

    /// Whoever came meanwhile waits on.
    @Sendable private func admitAll(_ call: Call) async throws -> Response {
        let meeting = try await parts.meetingOfHost(call).id
        for guest in parts.waiting.withLock({ $0.waiting(at: meeting, at: parts.store.now) }) {
            // Another host may have decided about them.
            guard parts.waiting.withLock({ $0.decide(guest.id, at: meeting, .admitted, at: parts.store.now) }) else { continue }
            try await noteAdmission(of: guest, call)
        }
        return .empty
    }

    /// They have no seat yet: what stands for it is the id under which they have waited.
    private func noteAdmission(of guest: WaitingList.Guest, _ call: Call) async throws {
        let host = try call.caller().user
        try await parts.store.meetingEvents(in: call.scope()).add(
            .admitted, of: MeetingEvents.Person(participant: ParticipantID(guest.id.ulid), identity: guest.id.text, name: guest.name),
            from: nil, to: guest.preset,
            by: MeetingEvents.Person(participant: ParticipantID(host.id.ulid), identity: host.id.text, name: host.displayName),
            in: guest.meeting)
    }

    private static func freshID(at now: Timestamp) -> WaitingGuestID {
        var random = SystemRandomNumberGenerator()
        return WaitingGuestID(ULID(unixMs: now.unixMs, random: &random))
    }

    /// What a guest would be in a meeting in which nobody is yet; nil where none comes in.
    private static func seat(in found: FoundMeeting, preset: PresetName?) -> (seat: Seat, waits: Bool)? {
        let admission = Admission(type: found.meeting.type, state: found.meeting.state, options: found.levels.effective)
        switch admission.answer(to: .guest(preset: preset)) {
        case .enters(let seat), .opens(let seat): return (seat, false)
        case .waits(let seat, _): return (seat, true)
        case .refused: return nil
        }
    }
}

extension GuestLinkView {
    /// - Parameter url: for whoever has just made it.
    init(_ link: GuestLink, url: Secret? = nil) {
        self.init(
            id: link.id, label: link.label, createdBy: link.createdBy, createdAt: link.createdAt.text, expiresAt: link.expiresAt.text,
            uses: link.uses, mostUses: link.mostUses, lastUsedAt: link.lastUsedAt?.text, preset: link.preset,
            url: url.map(SecretOnWire.init))
    }
}

extension WaitingGuestView {
    init(_ guest: WaitingList.Guest) {
        self.init(id: guest.id, name: guest.name, preset: guest.preset, since: guest.since.text)
    }
}
