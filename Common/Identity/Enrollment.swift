import Crypto
import FoundationEssentials
import Glibc
package import Posix
import Units
package import Web
package import Wire

/// Makes this machine a device: redeems a token for an identity.
///
/// A machine that has an identity of this server asks as well, with the key that it has: control knows whether that one still stands.
/// One that does is kept and the token is not spent; one that was revoked gives way to a new key.
///
/// The key is made and kept before control is asked, so that an attempt whose answer was lost is repeated with the same
/// key, which control answers with the same identity (THREATS 2).
package struct Enrollment: Sendable {
    /// How control is reached.
    package struct Way: Sendable {
        /// Addresses of control beside the first, in the order in which they are tried.
        package var others: [ServerOrigin] = []
        package var proxy: ClientOptions.Proxy?
        package var names = NameLookup.system
        /// Interfaces to go by, best first; nil as the routing table says. Asked for before each round of attempts.
        package var routes: @Sendable () async -> [String?] = { [nil] }
        /// For each server and interface.
        package var connectTimeout = Duration.seconds(10)
        /// Unix seconds that have passed for certain, as whoever prepared this machine knows.
        package var timeFloor = 0

        package init() {}
    }

    private let servers: [ServerOrigin]
    private let token: EnrollmentToken
    private let stateFolder: String
    private let loop: Loop
    private let way: Way
    /// Waits between rounds of attempts.
    private let waits: [Duration]

    package static let usualWaits: [Duration] = [1, 2, 4, 8].map { .seconds($0) }

    /// - Parameters:
    ///   - server: as a person wrote it: `https://live.example.org`.
    ///   - tokenFile: holds one token and at most one newline; for its owner alone.
    ///   - proxy: what control is reached through.
    ///   - waits: between rounds of attempts; as many more rounds as there are waits.
    /// - Throws: `IdentityError.badServer` or `.badToken`.
    package init(
        server: String, tokenFile: String, stateFolder: String, loop: Loop, proxy: ClientOptions.Proxy? = nil,
        waits: [Duration] = Enrollment.usualWaits
    ) throws(IdentityError) {
        var way = Way()
        way.proxy = proxy
        self.init(
            server: try ServerOrigin(server), token: try Self.readToken(tokenFile), stateFolder: stateFolder, loop: loop, way: way,
            waits: waits)
    }

    package init(
        server: ServerOrigin, token: EnrollmentToken, stateFolder: String, loop: Loop, way: Way,
        waits: [Duration] = Enrollment.usualWaits
    ) {
        servers = [server] + way.others.filter { $0 != server }
        self.token = token
        self.stateFolder = stateFolder
        self.loop = loop
        self.way = way
        self.waits = waits
    }

    /// Asks control, again where it does not answer, and keeps the identity.
    ///
    /// - Parameter leaving: called before an identity that control no longer knows is forgotten: what belonged to it goes too.
    /// - Throws: `IdentityError`; CancellationError; what `leaving` throws, and the machine is who it was.
    package func redeem(
        kind: DeviceKind, name: String, leaving: @Sendable () throws -> Void = {}
    ) async throws -> DeviceIdentity {
        let lock = try Self.lock(stateFolder)
        // By closing alone a child that another thread starts just then would have it until its exec.
        defer { flock(lock.raw, LOCK_UN) }
        let present = try DeviceIdentity.load(state: stateFolder)
        if let present, !servers.contains(present.server) { throw IdentityError.alreadyEnrolled(server: present.server.text) }
        do {
            return try await redeemOnce(kind: kind, name: name)
        } catch IdentityError.enrolledKey {
            guard let present else { throw IdentityError.enrolledKey }
            return try renewed(present)
        } catch IdentityError.revokedKey {
            try leaving()
            try DeviceIdentity.remove(state: stateFolder)
            return try await redeemOnce(kind: kind, name: name)
        }
    }

    /// The identity that stands, with the addresses that whoever enrolls it again knows.
    private func renewed(_ present: DeviceIdentity) throws(IdentityError) -> DeviceIdentity {
        guard present.servers != servers, servers.count > 1 else { return present }
        let identity = DeviceIdentity(
            key: present.key, device: present.device, organization: present.organization, name: present.name, kind: present.kind,
            server: present.server, servers: servers, authority: present.authority, timeFloor: present.timeFloor)
        try identity.save(state: stateFolder)
        return identity
    }

    private func redeemOnce(kind: DeviceKind, name: String) async throws -> DeviceIdentity {
        let key = try DeviceIdentity.makeKey(state: stateFolder)
        let request = EnrollRequest(
            token: SecretOnWire(token.text), publicKey: Base64URL.encode(key.publicKey), name: name, kind: kind)
        let (response, server) = try await ask(Array(JSONEncoder().encode(request)))
        let identity = DeviceIdentity(
            key: key, device: response.device, organization: response.organization, name: response.name, kind: kind, server: server,
            servers: servers, authority: token.authority)
        try identity.save(state: stateFolder)
        return identity
    }

    private func ask(_ body: [UInt8]) async throws -> (EnrollResponse, ServerOrigin) {
        for wait in waits {
            do {
                return try await round(body)
            } catch IdentityError.unreachable {
                try await loop.sleep(for: wait)
            }
        }
        return try await round(body)
    }

    /// Each server over each way: what one of them answers, or why none does.
    ///
    /// Somebody else may answer on one way, as a sign-in page does, and control on the next: only where all agree that it is not control,
    /// or one is control and refuses, is that said.
    private func round(_ body: [UInt8]) async throws -> (EnrollResponse, ServerOrigin) {
        var faults: [IdentityError] = []
        for server in servers {
            for route in await way.routes() {
                do {
                    return (try await ask(body, of: server, over: route), server)
                } catch let error as IdentityError {
                    if error == .enrolledKey || error == .revokedKey { throw error }
                    faults.append(error)
                }
            }
        }
        func first(_ isMeant: (IdentityError) -> Bool) -> IdentityError? { faults.first(where: isMeant) }
        let refusal = first { if case .refused = $0 { true } else { false } }
        let silence = first { if case .unreachable = $0 { true } else { false } }
        throw refusal ?? silence ?? faults.first ?? IdentityError.unreachable(server: servers[0].text, reason: "there is no link")
    }

    private func ask(_ body: [UInt8], of server: ServerOrigin, over route: String?) async throws -> EnrollResponse {
        var options = ClientOptions()
        options.trust = token.authority.trust
        options.timeFloor = max(TimeFloor.ofProgram(), TimeFloor.ofSystem(), way.timeFloor)
        options.proxy = way.proxy
        options.names = way.names
        options.bindToDevice = route
        options.connectTimeout = way.connectTimeout
        options.bodyLimit = 64 * 1024
        let response: ClientResponse
        do {
            response = try await Client(loop: loop, options: options).request(
                .post, server.enrollURL, headers: ["Content-Type": "application/json"], body: body)
        } catch ClientError.untrusted(let reason) {
            throw IdentityError.untrusted(server: server.text, reason: reason)
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            throw IdentityError.unreachable(server: server.text, reason: "\(error)")
        }
        guard let accepted = try accept(response) else {
            throw IdentityError.unreachable(server: server.text, reason: "HTTP \(response.status.code)")
        }
        return accepted
    }

    /// - Returns: nil where another attempt may help: the server is busy or broken.
    private func accept(_ response: ClientResponse) throws -> EnrollResponse? {
        let status = response.status.code
        guard (200..<300).contains(status) else {
            // A refusal need not be a problem document.
            let problem = try? JSONDecoder().decode(Problem.self, from: Data(response.body))
            // As many as there may be are no fewer in a while.
            let isFull = problem?.type?.hasSuffix("/quota-reached") == true
            if (status == 429 && !isFull) || status >= 500 { return nil }
            // As control's API names them.
            if problem?.type?.hasSuffix("/enrolled-already") == true { throw IdentityError.enrolledKey }
            if problem?.type?.hasSuffix("/revoked") == true { throw IdentityError.revokedKey }
            let faults = (problem?.faults ?? []).map { "; \($0.field): \($0.expected)" }.joined()
            let reason = (problem?.detail ?? problem?.title ?? response.status.reason) + faults
            throw IdentityError.refused(status: status, reason: String(reason.prefix(WireLimits.textCharacters)))
        }
        do {
            return try JSONDecoder().decode(EnrollResponse.self, from: Data(response.body))
        } catch {
            throw IdentityError.refused(status: status, reason: "the answer is no enrollment: \(error)")
        }
    }

    /// RFC 9457.
    private struct Problem: Decodable {
        var type: String?
        var title: String?
        var detail: String?
        var faults: [Fault]?

        struct Fault: Decodable {
            var field: String
            var expected: String
        }
    }

    private static func readToken(_ file: String) throws(IdentityError) -> EnrollmentToken {
        let text: String?
        do throws(CryptoError) {
            text = try KeyFile.read(file)
        } catch {
            throw .badToken(file: file, reason: error.description)
        }
        guard var text else { throw .badToken(file: file, reason: "there is no such file") }
        if text.hasSuffix("\n") { text.removeLast() }
        guard let token = EnrollmentToken(Secret(text)) else {
            throw .badToken(file: file, reason: "one token, strata1.<id>.<secret>.<authority>, is expected")
        }
        return token
    }

    /// Held while a machine is enrolled, or its identity is written otherwise: two at once would make two keys, or one that fits none.
    static func lock(_ folder: String) throws(IdentityError) -> Descriptor {
        guard mkdir(folder, 0o700) == 0 || errno == EEXIST else {
            throw .state(file: folder, reason: SystemError("mkdir", on: folder).description)
        }
        let raw = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard raw >= 0 else { throw .state(file: folder, reason: SystemError("open", on: folder).description) }
        let descriptor = Descriptor(adopting: raw)
        guard flock(raw, LOCK_EX | LOCK_NB) == 0 else { throw .state(file: folder, reason: "another enrollment runs") }
        return descriptor
    }
}
