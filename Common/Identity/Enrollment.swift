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
    private let server: ServerOrigin
    private let token: EnrollmentToken
    private let stateFolder: String
    private let loop: Loop
    private let proxy: ClientOptions.Proxy?
    /// Waits between attempts.
    private let waits: [Duration]

    /// - Parameters:
    ///   - server: as a person wrote it: `https://live.example.org`.
    ///   - tokenFile: holds one token and at most one newline; for its owner alone.
    ///   - proxy: what control is reached through.
    ///   - waits: between attempts; as many more attempts as there are waits.
    /// - Throws: `IdentityError.badServer` or `.badToken`.
    package init(
        server: String, tokenFile: String, stateFolder: String, loop: Loop, proxy: ClientOptions.Proxy? = nil,
        waits: [Duration] = [1, 2, 4, 8].map { .seconds($0) }
    ) throws(IdentityError) {
        self.server = try ServerOrigin(server)
        token = try Self.readToken(tokenFile)
        self.stateFolder = stateFolder
        self.loop = loop
        self.proxy = proxy
        self.waits = waits
    }

    /// Asks control, again where it does not answer, and keeps the identity.
    ///
    /// - Throws: `IdentityError`; CancellationError.
    package func redeem(kind: DeviceKind, name: String) async throws -> DeviceIdentity {
        let lock = try Self.lock(stateFolder)
        // By closing alone a child that another thread starts just then would have it until its exec.
        defer { flock(lock.raw, LOCK_UN) }
        let present = try DeviceIdentity.load(state: stateFolder)
        if let present, present.server != server { throw IdentityError.alreadyEnrolled(server: present.server.text) }
        do {
            return try await redeemOnce(kind: kind, name: name)
        } catch IdentityError.enrolledKey {
            guard let present else { throw IdentityError.enrolledKey }
            return present
        } catch IdentityError.revokedKey {
            try DeviceIdentity.remove(state: stateFolder)
            return try await redeemOnce(kind: kind, name: name)
        }
    }

    private func redeemOnce(kind: DeviceKind, name: String) async throws -> DeviceIdentity {
        let key = try DeviceIdentity.makeKey(state: stateFolder)
        let request = EnrollRequest(
            token: SecretOnWire(token.text), publicKey: Base64URL.encode(key.publicKey), name: name, kind: kind)
        let response = try await ask(Array(JSONEncoder().encode(request)))
        let identity = DeviceIdentity(
            key: key, device: response.device, organization: response.organization, name: response.name, kind: kind, server: server,
            authority: token.authority)
        try identity.save(state: stateFolder)
        return identity
    }

    private func ask(_ body: [UInt8]) async throws -> EnrollResponse {
        var options = ClientOptions()
        options.trust = token.authority.trust
        options.timeFloor = TimeFloor.ofProgram()
        options.proxy = proxy
        options.bodyLimit = 64 * 1024
        let client = Client(loop: loop, options: options)
        var lastReason = ""
        for wait in waits.map(Optional.some) + [nil] {
            do {
                let response = try await client.request(
                    .post, server.enrollURL, headers: ["Content-Type": "application/json"], body: body)
                if let accepted = try accept(response) { return accepted }
                lastReason = "HTTP \(response.status.code)"
            } catch ClientError.untrusted(let reason) {
                throw IdentityError.untrusted(server: server.text, reason: reason)
            } catch let error as IdentityError {
                throw error
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                lastReason = "\(error)"
            }
            if let wait { try await loop.sleep(for: wait) }
        }
        throw IdentityError.unreachable(server: server.text, reason: lastReason)
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

    /// Held while a machine is enrolled: two at once would make two keys.
    private static func lock(_ folder: String) throws(IdentityError) -> Descriptor {
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
