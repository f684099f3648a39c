import Configuration
import Crypto
import Fleet
import HTTP
import Identity
import Posix
import Store
import Units
import Web
import Wire

/// Enrollment tokens, senders and their configurations.
struct SenderRoutes: Sendable {
    private let parts: Gateway.Parts

    init(_ parts: Gateway.Parts) { self.parts = parts }

    var routes: [Route] {
        tokenRoutes + senderRoutes + configurationRoutes + ModemRoutes(parts).routes + SpeedRoutes(parts).routes + deviceRoutes
    }

    // MARK: Tokens

    private var tokenRoutes: [Route] {
        [
            Route(
                method: .post, path: "/api/v1/enrollment-tokens", access: .user(.manageSenders),
                summary: "Make a token for one new sender, or for a new key of one that is there",
                body: "CreateTokenRequest", success: .one("Token", .created), problems: [.quota, .notFound], run: createToken),
            Route(
                method: .get, path: "/api/v1/enrollment-tokens", access: .user(.manageSenders), summary: "List the organisation's tokens",
                success: .page("Token"),
                run: { call in
                    .list(try await parts.store.enrollmentTokens(in: call.scope()).all().map { TokenView($0, text: nil) })
                }),
            Route(
                method: .delete, path: "/api/v1/enrollment-tokens/{id}", access: .user(.manageSenders), summary: "Withdraw a token",
                success: .empty,
                run: { call in
                    try await parts.store.enrollmentTokens(in: call.scope()).withdraw(call.id())
                    return .empty
                }),
        ]
    }

    @Sendable private func createToken(_ call: Call) async throws -> Response {
        let request = try call.body(CreateTokenRequest.self)
        guard request.kind == .sender else {
            throw Problem(.invalid, "tokens for pool hosts are the operator's: POST /api/v1/operator/enrollment-tokens")
        }
        if let toml = request.configuration { try Self.check(toml, "configuration", "no token was made") }
        let scope = try call.scope()
        var name = request.name
        if let sender = request.sender {
            guard request.configuration == nil else {
                throw Problem(.invalid, "a sender that is there has its configuration: PUT /api/v1/senders/{id}/configuration")
            }
            let device = try await parts.store.devices(in: scope).find(sender)
            guard !device.isRevoked else { throw Problem(.notFound, "that sender was revoked") }
            name = name ?? device.name
        }
        let token = EnrollmentToken.fresh(authority: parts.authority)
        let made = try await parts.store.enrollmentTokens(in: scope).create(
            token.text, label: name ?? "sender", lifetime: .seconds(request.expiresInSeconds ?? 86_400),
            configuration: request.configuration, renewing: request.sender)
        return .secret(TokenView(made, text: token.text), .created)
    }

    // MARK: Senders

    private var senderRoutes: [Route] {
        [
            Route(
                method: .get, path: "/api/v1/senders", access: .user(.viewSenders), summary: "List the organisation's senders",
                success: .page("Sender"), run: list),
            Route(
                method: .get, path: "/api/v1/senders/{id}", access: .user(.viewSenders), summary: "One sender", success: .one("Sender"),
                run: { call in .value(try await view(call)) }),
            Route(
                method: .patch, path: "/api/v1/senders/{id}", access: .user(.manageSenders), summary: "Rename a sender",
                body: "ChangeSenderRequest", success: .one("Sender"), run: rename),
            Route(
                method: .delete, path: "/api/v1/senders/{id}", access: .user(.manageSenders),
                summary: "Revoke a sender: its connection and its broadcast end at once", success: .empty, run: revoke),
        ]
    }

    @Sendable private func list(_ call: Call) async throws -> Response {
        let scope = try call.scope()
        var views: [SenderView] = []
        for device in try await parts.store.devices(in: scope).all() where !device.isRevoked {
            views.append(try await parts.fleet.view(of: device, in: scope))
        }
        return .list(views)
    }

    private func view(_ call: Call) async throws -> SenderView {
        let scope = try call.scope()
        let device = try await parts.store.devices(in: scope).find(call.id())
        guard !device.isRevoked else { throw Problem(.notFound, "that sender was revoked") }
        return try await parts.fleet.view(of: device, in: scope)
    }

    @Sendable private func rename(_ call: Call) async throws -> Response {
        let scope = try call.scope()
        if let name = try call.body(ChangeSenderRequest.self).name {
            try await parts.store.devices(in: scope).rename(call.id(), to: name)
            await parts.fleet.publish(sender: try call.id(), in: scope.organization)
        }
        return .value(try await view(call))
    }

    @Sendable private func revoke(_ call: Call) async throws -> Response {
        let scope = try call.scope()
        let id: DeviceID = try call.id()
        try await parts.store.devices(in: scope).revoke(id)
        await parts.fleet.revoke(id)
        await parts.fleet.publish(sender: id, in: scope.organization)
        return .empty
    }

    // MARK: Configurations

    private var configurationRoutes: [Route] {
        [
            Route(
                method: .get, path: "/api/v1/senders/{id}/configurations", access: .user(.viewSenders),
                summary: "A sender's configurations, the newest first", success: .page("Configuration"),
                run: { call in
                    _ = try await view(call)
                    let history = try await parts.store.configurations(in: call.scope()).history(of: call.id())
                    return .list(history.map { ConfigurationView(version: $0.version, toml: $0.toml, createdAt: $0.createdAt.text) })
                }),
            Route(
                method: .put, path: "/api/v1/senders/{id}/configuration", access: .user(.manageSenders),
                summary: "Give a sender a new configuration", body: "ChangeConfigurationRequest", success: .one("ConfigurationAnswer"),
                run: configure),
        ]
    }

    @Sendable private func configure(_ call: Call) async throws -> Response {
        let scope = try call.scope()
        _ = try await view(call)
        let toml = try call.body(ChangeConfigurationRequest.self).toml
        try Self.check(toml, "toml", "the configuration was not saved, the one before stays in force")
        return .value(try await parts.fleet.configure(call.id(), toml, in: scope))
    }

    /// The board checks with the same code; what it would refuse never becomes a version.
    ///
    /// - Parameter field: of the request.
    private static func check(_ toml: String, _ field: String, _ outcome: String) throws(Problem) {
        do throws(ConfigurationFaults) {
            _ = try Configuration.SenderConfiguration.parse(toml)
        } catch {
            let faults = error.faults.map { fault in
                let place = fault.key == ConfigurationFault.wholeText ? field : "\(field).\(fault.key.bounded(to: 200))"
                return Problem.Fault(field: place, expected: fault.demand.bounded())
            }
            throw Problem(.invalid, outcome, faults: faults)
        }
    }

    // MARK: Devices

    private var deviceRoutes: [Route] {
        [
            Route(
                method: .post, path: "/api/v1/enroll", access: .open, summary: "Redeem a token for an identity", body: "EnrollRequest",
                success: .one("EnrollResponse", .created), problems: [.forbidden, .conflict, .quota, .enrolled, .revoked], run: enroll),
            Route(
                method: .get, path: "/api/v1/devices/connect", access: .open, summary: "The WebSocket of senders and pool hosts",
                success: .socket,
                run: { _ in .upgrade(options: DeviceDoor.webSocket) { socket in await parts.devices.serve(socket) } }),
        ]
    }

    @Sendable private func enroll(_ call: Call) async throws -> Response {
        try parts.enrollments.take(call.origin.subscriber, at: parts.store.now)
        let request = try call.body(EnrollRequest.self)
        guard let key = Base64URL.decode(request.publicKey), Ed25519.isPublicKey(key) else {
            throw Problem(.invalid, faults: [Problem.Fault(field: "publicKey", expected: "an Ed25519 public key, 32 bytes in base64url")])
        }
        let device = try await parts.store.identities.redeem(
            request.token.secret, publicKey: key, name: request.name.bounded(to: 100), kind: request.kind)
        await parts.fleet.rekeyed(device)
        if let organization = device.organization { await parts.fleet.publish(sender: device.id, in: organization) }
        return .value(EnrollResponse(device: device.id, organization: device.organization, name: device.name), .created)
    }
}

extension TokenView {
    init(_ token: StoredToken, text: Secret?) {
        self.init(
            id: token.id, kind: token.kind, name: token.label, expiresAt: token.expiresAt.text, device: token.device, sender: token.renewed,
            token: text.map(SecretOnWire.init))
    }
}

extension EnrollmentToken {
    /// A new token with an id of its own.
    static func fresh(authority: Authority) -> EnrollmentToken {
        var random = SystemRandomNumberGenerator()
        return make(id: ID(ULID(unixMs: unixMilliseconds(), random: &random)), authority: authority)
    }
}
