import Auth
import HTTP
import Store
import Units
import Web
import Wire

/// What people change of their own account.
struct ProfileRoutes: Sendable {
    private let parts: Gateway.Parts

    init(_ parts: Gateway.Parts) { self.parts = parts }

    var routes: [Route] {
        [
            Route(
                method: .patch, path: "/api/v1/auth/me", access: .user(.manageOwnAccount), summary: "Change one's own name or picture",
                body: "ChangeProfileRequest", success: .one("User"), run: change),
            Route(
                method: .post, path: "/api/v1/auth/me/avatar", access: .user(.manageOwnAccount),
                summary: "An address, good for ten minutes, that a picture of oneself of these bytes is sent to", body: "UploadRequest",
                success: .one("Upload"), run: { call in try parts.upload(to: .avatars, call) }),
            Route(
                method: .post, path: "/api/v1/auth/me/email", access: .user(.manageOwnAccount),
                summary: "Have a link sent to another mail address, which becomes one's own when it is followed within an hour",
                body: "ChangeEmailRequest", success: .empty, problems: [.conflict, .quota, .busy], run: requestEmail),
            Route(
                method: .put, path: "/api/v1/auth/email", access: .open, summary: "Confirm a new mail address by such a link",
                body: "ConfirmEmailRequest", success: .empty, problems: [.gone, .conflict], run: confirmEmail),
        ]
    }

    @Sendable private func change(_ call: Call) async throws -> Response {
        let request = try call.body(ChangeProfileRequest.self)
        let user = try await parts.gate.changeProfile(
            displayName: request.displayName, avatar: request.avatar, by: call.caller(), from: call.origin)
        return .value(try await parts.view(of: user))
    }

    @Sendable private func requestEmail(_ call: Call) async throws -> Response {
        let request = try call.body(ChangeEmailRequest.self)
        try await parts.gate.requestEmail(request.email, password: request.password.secret, by: call.caller(), from: call.origin)
        return .empty
    }

    @Sendable private func confirmEmail(_ call: Call) async throws -> Response {
        let request = try call.body(ConfirmEmailRequest.self)
        try await parts.gate.confirmEmail(request.token.secret, from: call.origin)
        return .empty
    }
}
