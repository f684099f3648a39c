import Auth
import Crypto
import HTTP
import Meetings
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

    var routes: [Route] {
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
            Route(
                method: .post, path: "/api/v1/join/lookup", access: .open,
                summary: "What stands behind a meeting's address, for a guest; what guests do not come to is answered as what is not there",
                body: "MeetingLookupRequest", success: .one("MeetingDoor"), problems: [.notFound, .gone], run: lookup),
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

    /// Whoever asks has not signed in: the address is what they know, and they learn no more than whether a guest comes in there.
    @Sendable private func lookup(_ call: Call) async throws -> Response {
        try parts.meetingLookups.take(call.origin.subscriber, at: parts.store.now)
        let request = try call.body(MeetingLookupRequest.self)
        guard let slug = MeetingSlug(typed: request.slug), let found = try await parts.store.identities.meeting(slug.text),
            request.organization == nil || request.organization == found.organization.slug, let first = Self.seat(in: found, preset: nil)
        else { throw Problem(.notFound, "there is no such meeting, or none that guests come to") }
        var answer = first
        if let token = request.token {
            guard let link = try await parts.store.identities.guestLink(token.secret, of: found.meeting.id),
                let seat = Self.seat(in: found, preset: link.preset)
            else { throw StoreError.linkRefused }
            answer = seat
        }
        let meeting = found.meeting
        return .value(
            MeetingDoorView(
                title: meeting.title, type: meeting.type, state: meeting.state, organization: found.organization.name, slug: meeting.slug,
                scheduledStart: meeting.scheduledStart?.text, waits: answer.waits, preset: answer.seat.preset))
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
