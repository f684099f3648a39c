import Auth
import HTTP
import Mail
import Reporting
import Store
import Units
import Web
import Wire

/// What an organisation decides for itself, and how people register with it by its code.
struct SettingsRoutes: Sendable {
    private let parts: Gateway.Parts

    init(_ parts: Gateway.Parts) { self.parts = parts }

    var routes: [Route] {
        [
            Route(
                method: .get, path: "/api/v1/organization/settings", access: .user(.changeOrganization),
                summary: "The organisation's settings, with the code by which people register", success: .one("Settings"),
                run: { call in try await shown(parts.store.settings(in: call.scope()).find(), call) }),
            Route(
                method: .patch, path: "/api/v1/organization/settings", access: .user(.changeOrganization),
                summary: "Change the settings that are given; an open registration has a code of the server's making",
                body: "ChangeSettingsRequest", success: .one("Settings"), run: change),
            Route(
                method: .delete, path: "/api/v1/organization", access: .user(.deleteOrganization),
                summary: "Delete the organisation with everything in it, by its short name and one's password; not while a broadcast runs",
                body: "DeleteOrganizationRequest", success: .empty, problems: [.conflict, .busy], run: delete),
            Route(
                method: .post, path: "/api/v1/auth/registration", access: .open,
                summary: "What an organisation's code lets people register with",
                body: "RegistrationCodeRequest", success: .one("Registration"), problems: [.gone], run: registration),
            Route(
                method: .post, path: "/api/v1/auth/registration/request", access: .open,
                summary: "Ask for an account by an organisation's code: a mail has the link that goes on; where none is sent, the answer",
                body: "JoinRequest", success: .one("Join"), problems: [.gone, .conflict, .quota], run: register),
        ]
    }

    @Sendable private func change(_ call: Call) async throws -> Response {
        let request = try call.body(ChangeSettingsRequest.self)
        var change = SettingsChange()
        (change.name, change.locale, change.registration) = (request.name, request.locale, request.registration)
        (change.terms, change.termsURL) = (request.terms, request.termsURL)
        change.hasNewCode = request.newCode ?? false
        return try await shown(parts.store.settings(in: call.scope()).change(change, freshCode: RegistrationCode.fresh()), call)
    }

    @Sendable private func delete(_ call: Call) async throws -> Response {
        let request = try call.body(DeleteOrganizationRequest.self)
        let rooms = try await parts.store.rooms(in: call.scope()).ids()
        let senders = try await parts.gate.deleteOrganization(
            typed: request.organization, password: request.password.secret, by: call.caller(), from: call.origin)
        // Guests have no session that would end.
        for room in rooms { await parts.sessions.close(room) }
        // At once, as each may take its second.
        await withTaskGroup(of: Void.self) { group in
            for sender in senders { group.addTask { await parts.fleet.revoke(sender) } }
        }
        // It goes with the organisation that the server was set up with.
        parts.reporter.direct(to: try await parts.store.errorTracking.find().flatMap { DSN($0.revealed) })
        return try AuthRoutes.left()
    }

    private func shown(_ settings: OrganizationSettings, _ call: Call) async throws -> Response {
        let own = try call.caller().user.organization
        guard let organization = try await parts.store.organizations.find(own) else { throw Problem(.notFound) }
        let link = settings.code.map { parts.links.registration(organization.slug, $0) }
        return .secret(
            SettingsView(
                name: organization.name, locale: settings.locale, registration: settings.registration,
                code: settings.code.map(SecretOnWire.init), link: link.map(SecretOnWire.init), terms: settings.terms,
                termsURL: settings.termsURL))
    }

    @Sendable private func registration(_ call: Call) async throws -> Response {
        let request = try call.body(RegistrationCodeRequest.self)
        let (organization, settings) = try await parts.gate.registration(
            slug: request.organization, code: request.code.secret, from: call.origin)
        return .value(RegistrationView(organization: organization.name, terms: settings.terms, termsURL: settings.termsURL))
    }

    @Sendable private func register(_ call: Call) async throws -> Response {
        let request = try call.body(JoinRequest.self)
        let token = try await parts.gate.register(
            slug: request.organization, code: request.code.secret, email: request.email, agrees: request.agrees ?? false, from: call.origin)
        guard let token else { return .value(JoinView(sent: true)) }
        return .secret(JoinView(sent: false, link: SecretOnWire(parts.links.invitation(token))))
    }
}
