import Auth
import HTTP
import Mail
import Store
import Units
import Web
import Wire

/// Passwords that were forgotten.
struct PasswordResetRoutes: Sendable {
    private let parts: Gateway.Parts

    init(_ parts: Gateway.Parts) { self.parts = parts }

    var routes: [Route] {
        [
            Route(
                method: .post, path: "/api/v1/auth/password-reset", access: .open,
                summary: "Ask for a mail with a link for a new password; answered alike whether the address has an account or not",
                body: "PasswordResetRequest", success: .empty, problems: [.conflict, .busy], run: request),
            Route(
                method: .put, path: "/api/v1/auth/password-reset", access: .open,
                summary: "Choose a new password by such a link, once and within an hour; all sessions and API tokens end",
                body: "NewPasswordRequest",
                success: .empty, problems: [.gone, .busy], run: choose),
            Route(
                method: .post, path: "/api/v1/users/{id}/password-reset", access: .user(.setPasswords),
                summary: "Send a user of a lower role a link for a new password; where the server sends no mail, it is in the answer",
                success: .one("PasswordResetLink"), problems: [.conflict, .quota], run: link),
        ]
    }

    @Sendable private func request(_ call: Call) async throws -> Response {
        let request = try call.body(PasswordResetRequest.self)
        try await parts.gate.requestReset(email: request.email, slug: request.organization, from: call.origin)
        return .empty
    }

    @Sendable private func choose(_ call: Call) async throws -> Response {
        let request = try call.body(NewPasswordRequest.self)
        try await parts.gate.resetPassword(request.token.secret, to: request.password.secret, from: call.origin)
        return .empty
    }

    @Sendable private func link(_ call: Call) async throws -> Response {
        guard let token = try await parts.gate.resetLink(for: call.id(), by: call.caller(), from: call.origin) else {
            return .value(PasswordResetLinkView(sent: true))
        }
        return .secret(PasswordResetLinkView(sent: false, link: SecretOnWire(parts.links.newPassword(token))))
    }
}
