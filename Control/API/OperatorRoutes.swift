import Auth
import HTTP
import Identity
import Store
import Units
import Web
import Wire

/// What belongs to whoever runs the server: organisations, tokens of pool hosts and figures. Opened by the token in the state folder.
struct OperatorRoutes: Sendable {
    private let parts: Gateway.Parts

    init(_ parts: Gateway.Parts) { self.parts = parts }

    var routes: [Route] {
        [
            Route(
                method: .post, path: "/api/v1/operator/organizations", access: .operator, summary: "Make an organisation with its owner",
                body: "CreateOrganizationRequest", success: .one("Organization", .created), problems: [.conflict, .busy],
                run: createOrganization),
            Route(
                method: .post, path: "/api/v1/operator/enrollment-tokens", access: .operator, summary: "Make a token for one new pool host",
                body: "CreateTokenRequest", success: .one("Token", .created), run: createToken),
            Route(
                method: .get, path: "/api/v1/operator/audit", access: .operator,
                summary: "The last 100 entries of the operator's audit log: pool hosts, their tokens, organisations",
                success: .page("AuditEntry"),
                run: { _ in .list(try await parts.store.operations.audit().map(AuditView.init)) }),
            Route(
                method: .get, path: "/metrics", access: .operator, summary: "Figures for Prometheus",
                success: .text("text/plain; version=0.0.4"), run: { _ in await metrics() }),
        ]
    }

    @Sendable private func createOrganization(_ call: Call) async throws -> Response {
        let request = try call.body(CreateOrganizationRequest.self)
        let hash = try await parts.hasher.hash(request.ownerPassword.secret)
        let owner = try NewUser(email: request.ownerEmail, displayName: request.ownerDisplayName, passwordHash: hash)
        let (made, _) = try await parts.store.organizations.create(name: request.name, slug: request.slug, owner: owner, by: .operator)
        return .value(OrganizationView(id: made.id, name: made.name, slug: made.slug), .created)
    }

    @Sendable private func createToken(_ call: Call) async throws -> Response {
        let request = try call.body(CreateTokenRequest.self)
        guard request.kind == .pool else {
            throw Problem(.invalid, "tokens for senders are an organisation's: POST /api/v1/enrollment-tokens")
        }
        guard request.configuration == nil, request.sender == nil else {
            throw Problem(.invalid, "a pool host's token has no configuration, and renews no sender")
        }
        let token = EnrollmentToken.fresh(authority: parts.authority)
        let made = try await parts.store.pools.createToken(
            token.text, label: request.name ?? "pool", lifetime: .seconds(request.expiresInSeconds ?? 86_400))
        return .secret(TokenView(made, text: token.text), .created)
    }

    private func metrics() async -> Response {
        var response = Response.text(await Figures.text(of: parts))
        response.headers["Content-Type"] = "text/plain; version=0.0.4"
        return response
    }
}
