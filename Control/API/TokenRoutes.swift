import Auth
import HTTP
import Store
import Units
import Web
import Wire

/// API tokens: what a user's programs show in the user's place.
struct TokenRoutes: Sendable {
    private let parts: Gateway.Parts

    /// Where nobody says how long.
    static let lifetimeSeconds = 90 * 86_400

    init(_ parts: Gateway.Parts) { self.parts = parts }

    var routes: [Route] {
        [
            Route(
                method: .get, path: "/api/v1/api-tokens", access: .user(.manageOwnAccount),
                summary: "List one's API tokens; for admins, those of all users", success: .page("APIToken"),
                run: { call in .list(try await parts.gate.tokens(for: call.caller()).map { APITokenView($0) }) }),
            Route(
                method: .post, path: "/api/v1/api-tokens", access: .user(.manageOwnAccount),
                summary: "Make an API token, which is shown this once; for 90 days, or up to a year", body: "CreateAPITokenRequest",
                success: .one("APIToken", .created), problems: [.quota, .busy], run: create),
            Route(
                method: .delete, path: "/api/v1/api-tokens/{id}", access: .user(.manageOwnAccount),
                summary: "End one of one's API tokens; an admin ends anybody's", success: .empty,
                run: { call in
                    try await parts.gate.endToken(call.id(), by: call.caller(), from: call.origin)
                    return .empty
                }),
        ]
    }

    @Sendable private func create(_ call: Call) async throws -> Response {
        let request = try call.body(CreateAPITokenRequest.self)
        let (token, secret) = try await parts.gate.createToken(
            name: request.name, scopes: Set(request.scopes), lifetime: .seconds(request.expiresInSeconds ?? Self.lifetimeSeconds),
            password: request.password.secret, by: call.caller(), from: call.origin)
        return .secret(APITokenView(token, secret: secret), .created)
    }
}

extension APITokenView {
    /// - Parameter secret: for whoever has just made it.
    init(_ token: APIToken, secret: Secret? = nil) {
        self.init(
            id: token.id, name: token.name, scopes: APITokenScope.allCases.filter(token.scopes.contains), user: token.user,
            createdAt: token.createdAt.text, expiresAt: token.expiresAt.text, lastUsedAt: token.lastUsedAt?.text,
            lastAddress: token.lastAddress, token: secret.map(SecretOnWire.init))
    }
}
