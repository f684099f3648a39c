import Auth
import HTTP
import Mail
import Store
import Units
import Web
import Wire

/// Invitations: how they are made, and how they are accepted.
struct InvitationRoutes: Sendable {
    private let parts: Gateway.Parts
    private let door: AuthRoutes

    /// Where nobody says how long: a week, which has a weekend and a holiday in it.
    static let lifetimeSeconds = 604_800

    init(_ parts: Gateway.Parts) {
        self.parts = parts
        door = AuthRoutes(parts)
    }

    var routes: [Route] { adminRoutes + guestRoutes }

    private var adminRoutes: [Route] {
        [
            Route(
                method: .get, path: "/api/v1/invitations", access: .user(.manageUsers),
                summary: "List the invitations nobody has accepted yet", success: .page("Invitation"),
                run: { call in .list(try await parts.store.invitations(in: call.scope()).all().map { view($0) }) }),
            Route(
                method: .post, path: "/api/v1/invitations", access: .user(.manageUsers),
                summary: "Invite somebody to become a user of a lower role; where the server sends no mail, the link is in the answer",
                body: "InviteRequest", success: .one("Invitation", .created), problems: [.conflict, .quota], run: invite),
            Route(
                method: .post, path: "/api/v1/invitations/csv", access: .user(.manageUsers),
                summary: "Invite up to 200 people by lines of CSV, email or email,role; none of them where a line cannot be taken",
                body: "InviteManyRequest", success: .one("Invitations", .created), run: inviteMany),
            Route(
                method: .post, path: "/api/v1/invitations/{id}/resend", access: .user(.manageUsers),
                summary: "Send an invitation again, with a new link and another week; the link before opens nothing any more",
                success: .one("Invitation"), problems: [.quota], run: resend),
            Route(
                method: .delete, path: "/api/v1/invitations/{id}", access: .user(.manageUsers), summary: "Take an invitation back",
                success: .empty,
                run: { call in
                    try await parts.gate.withdraw(call.id() as InvitationID, by: call.caller(), from: call.origin)
                    return .empty
                }),
        ]
    }

    private var guestRoutes: [Route] {
        [
            Route(
                method: .post, path: "/api/v1/auth/invitation", access: .open, summary: "What a link invites to", body: "OfferRequest",
                success: .one("Offer"), problems: [.gone], run: offer),
            Route(
                method: .post, path: "/api/v1/auth/invitation/accept", access: .open,
                summary: "Accept an invitation: become a user, and sign in", body: "AcceptRequest", success: .one("Session", .created),
                problems: [.gone, .conflict, .quota, .busy], run: accept),
        ]
    }

    @Sendable private func invite(_ call: Call) async throws -> Response {
        let request = try call.body(InviteRequest.self)
        let invite = Invite(email: request.email, role: request.role, message: request.message)
        do {
            let made = try await make([invite], request.expiresInSeconds, call)
            guard let one = made.first else { throw Problem(.internalError) }
            return .secret(shown(one), .created)
        } catch let faults as EntryFaults {
            throw faults.faults.first?.reason ?? faults
        }
    }

    @Sendable private func inviteMany(_ call: Call) async throws -> Response {
        let request = try call.body(InviteManyRequest.self)
        let list = InvitationList(request.csv)
        let invites = list.entries.map { Invite(email: $0.email, role: $0.role ?? request.role, message: request.message) }
        var faults = list.faults.map { ($0.line, $0.expected) }
        faults += try parts.gate.refusals(of: invites, by: call.caller()).map { (list.entries[$0.index].line, Self.expected($0.reason)) }
        guard faults.isEmpty else { throw Self.problem(faults) }
        guard !invites.isEmpty else {
            throw Problem(.invalid, faults: [.init(field: "csv", expected: "at least one line with a mail address")])
        }
        do {
            let made = try await make(invites, request.expiresInSeconds, call)
            return .secret(ListView(items: made.map(shown)), .created)
        } catch let wrong as EntryFaults {
            throw Self.problem(wrong.faults.map { (list.entries[$0.index].line, Self.expected($0.reason)) })
        }
    }

    private func make(_ invites: [Invite], _ seconds: Int?, _ call: Call) async throws -> [MadeInvitation] {
        try await parts.gate.invite(
            invites, lifetime: .seconds(seconds ?? Self.lifetimeSeconds), by: call.caller(), from: call.origin)
    }

    private static func problem(_ lines: [(number: Int, expected: String)]) -> Problem {
        let faults = lines.sorted { $0.number < $1.number }.map { Problem.Fault(field: "csv[\($0.number)]", expected: $0.expected) }
        return Problem(.invalid, "nobody was invited", faults: faults)
    }

    /// What is wrong with a line.
    private static func expected(_ reason: any Error) -> String {
        switch reason {
        case StoreError.invalid(_, let expected): expected
        case StoreError.taken("invitation"): "somebody who is not invited already"
        case StoreError.taken: "somebody who is not a user already"
        case AuthError.notAllowed: "a role below your own"
        default: "\(reason)"
        }
    }

    @Sendable private func resend(_ call: Call) async throws -> Response {
        .secret(
            shown(
                try await parts.gate.renew(
                    call.id(), lifetime: .seconds(Self.lifetimeSeconds), by: call.caller(), from: call.origin)))
    }

    @Sendable private func offer(_ call: Call) async throws -> Response {
        let (invitation, organization) = try await parts.gate.offer(try call.body(OfferRequest.self).token.secret)
        return .value(
            OfferView(
                organization: organization, email: invitation.email, role: invitation.role, expiresAt: invitation.expiresAt.text))
    }

    @Sendable private func accept(_ call: Call) async throws -> Response {
        let request = try call.body(AcceptRequest.self)
        let grant = try await parts.gate.accept(
            request.token.secret, displayName: request.displayName, password: request.password.secret, from: call.origin)
        return try await door.entered(grant, call, .created)
    }

    private func shown(_ made: MadeInvitation) -> InvitationView {
        view(made.invitation, link: made.token.map { SecretOnWire(parts.links.invitation($0)) })
    }

    private func view(_ invitation: Invitation, link: SecretOnWire? = nil) -> InvitationView {
        InvitationView(
            id: invitation.id, email: invitation.email, role: invitation.role,
            state: parts.store.now < invitation.expiresAt ? .open : .expired, createdAt: invitation.createdAt.text,
            expiresAt: invitation.expiresAt.text, invitedBy: invitation.createdBy, byCode: invitation.byCode,
            message: invitation.message, link: link)
    }
}
