package import Crypto
import FoundationEssentials
import Glibc
import Posix
package import TLS
package import Units
package import Wire

/// Who this machine is: its key, and the server it belongs to. Lies in the state folder as `device.key` (the seed,
/// base64url) and `identity.json`, both 0600.
package struct DeviceIdentity: Sendable {
    package let key: Ed25519PrivateKey
    package let device: DeviceID
    /// nil for a pool host: it belongs to the operator.
    package let organization: OrganizationID?
    package let name: String
    package let kind: DeviceKind
    /// The one that is dialled.
    package let server: ServerOrigin
    /// Every one that control may be found at, `server` among them, in the order in which they are tried: a control that was restored
    /// elsewhere keeps its boards.
    package let servers: [ServerOrigin]
    package let authority: EnrollmentToken.Authority

    /// Unix seconds that have passed for certain, as far as this machine's files tell; see `TLSContext.client`.
    package let timeFloor: Int

    /// Whom to believe when dialling the server.
    package var trust: Trust { authority.trust }

    /// The identity of a state folder; nil where this machine was never enrolled.
    ///
    /// - Throws: `IdentityError.state` where a file is open to others, damaged, or one of the two is missing.
    package static func load(state folder: String) throws(IdentityError) -> DeviceIdentity? {
        guard let text = try readState(identityFile(folder)) else { return nil }
        guard let key = try loadKey(state: folder) else {
            throw .state(file: keyFile(folder), reason: "missing, though identity.json exists")
        }
        do {
            let timeFloor = max(TimeFloor.ofProgram(), TimeFloor.ofSystem(), TimeFloor.of(identityFile(folder)))
            return try DeviceIdentity(Stored.decode(text), key: key, timeFloor: timeFloor)
        } catch {
            throw .state(file: identityFile(folder), reason: "\(error)")
        }
    }

    /// The key of a state folder, made where there is none: a retried enrollment uses the same one.
    static func makeKey(state folder: String) throws(IdentityError) -> Ed25519PrivateKey {
        if let key = try loadKey(state: folder) { return key }
        do {
            let key = try Ed25519PrivateKey.generate()
            try KeyFile.write(Base64URL.encode(key.seed) + "\n", to: keyFile(folder))
            return key
        } catch {
            throw .state(file: keyFile(folder), reason: "\(error)")
        }
    }

    /// Forgets who this machine is: the identity first, so that no other key is ever taken for its own.
    static func remove(state folder: String) throws(IdentityError) {
        for file in [identityFile(folder), keyFile(folder)] where unlink(file) != 0 && errno != ENOENT {
            throw .state(file: file, reason: SystemError("unlink", on: file).description)
        }
    }

    func save(state folder: String) throws(IdentityError) {
        let stored = Stored(
            version: 1, device: device, organization: organization, name: name, kind: kind, server: server.text,
            servers: servers.count > 1 ? servers.map(\.text) : nil, authority: authority.text)
        do {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            try KeyFile.write(String(decoding: encoder.encode(stored), as: UTF8.self) + "\n", to: Self.identityFile(folder))
        } catch {
            throw .state(file: Self.identityFile(folder), reason: "\(error)")
        }
    }

    package init(
        key: Ed25519PrivateKey, device: DeviceID, organization: OrganizationID?, name: String, kind: DeviceKind, server: ServerOrigin,
        servers: [ServerOrigin] = [], authority: EnrollmentToken.Authority, timeFloor: Int = 0
    ) {
        self.key = key
        self.device = device
        self.organization = organization
        self.name = name
        self.kind = kind
        self.server = server
        self.servers = servers.contains(server) ? servers : [server] + servers
        self.authority = authority
        self.timeFloor = timeFloor
    }

    /// The same machine, that dials the server after this one; the first after the last.
    package var turned: DeviceIdentity {
        let place = servers.firstIndex(of: server) ?? 0
        return at(servers[(place + 1) % servers.count])
    }

    private func at(_ server: ServerOrigin) -> DeviceIdentity {
        DeviceIdentity(
            key: key, device: device, organization: organization, name: name, kind: kind, server: server, servers: servers,
            authority: authority, timeFloor: timeFloor)
    }

    /// Has every program of this machine dial this server first from now on, where it is one of its own: control was found there.
    ///
    /// - Throws: `IdentityError.state`, also where this machine is being enrolled; the identity is as it was.
    package static func prefer(_ server: ServerOrigin, state folder: String) throws(IdentityError) {
        guard try offering(server, folder) != nil else { return }
        // What was read before an enrollment and written after it would be another machine's identity beside the new key.
        let lock = try Enrollment.lock(folder)
        defer { flock(lock.raw, LOCK_UN) }
        guard let identity = try offering(server, folder) else { return }
        let file = identityFile(folder)
        let written = FileTree.writtenAt(file)
        try identity.at(server).save(state: folder)
        do throws(SystemError) {
            // The file's time has passed for certain: neither a clock that shows less nor one that shows years more says anything of that.
            try FileTree.setTime(written, of: file)
        } catch {
            throw .state(file: file, reason: error.description)
        }
    }

    /// The identity, where it may dial this server and dials another one first.
    private static func offering(_ server: ServerOrigin, _ folder: String) throws(IdentityError) -> DeviceIdentity? {
        guard let identity = try load(state: folder), identity.server != server, identity.servers.contains(server) else { return nil }
        return identity
    }

    private init(_ stored: Stored, key: Ed25519PrivateKey, timeFloor: Int) throws(IdentityError) {
        guard stored.version == 1, let authority = EnrollmentToken.Authority(text: stored.authority) else {
            throw .badServer(reason: "version \(stored.version) and authority '\(stored.authority.prefix(50))' are not known")
        }
        self.init(
            key: key, device: stored.device, organization: stored.organization, name: stored.name, kind: stored.kind,
            server: try ServerOrigin(stored.server), servers: try Self.origins(stored.servers ?? []), authority: authority,
            timeFloor: timeFloor)
    }

    private static func origins(_ texts: [String]) throws(IdentityError) -> [ServerOrigin] {
        var origins: [ServerOrigin] = []
        for text in texts { origins.append(try ServerOrigin(text)) }
        return origins
    }

    private struct Stored: Codable {
        var version: Int
        var device: DeviceID
        var organization: OrganizationID?
        var name: String
        var kind: DeviceKind
        var server: String
        /// nil where there is one only.
        var servers: [String]?
        var authority: String

        static func decode(_ text: String) throws -> Stored { try JSONDecoder().decode(Stored.self, from: Data(text.utf8)) }
    }

    private static func keyFile(_ folder: String) -> String { folder + "/device.key" }
    private static func identityFile(_ folder: String) -> String { folder + "/identity.json" }

    private static func readState(_ file: String) throws(IdentityError) -> String? {
        do throws(CryptoError) {
            return try KeyFile.read(file)
        } catch {
            throw .state(file: file, reason: error.description)
        }
    }

    private static func loadKey(state folder: String) throws(IdentityError) -> Ed25519PrivateKey? {
        guard let text = try readState(keyFile(folder)) else { return nil }
        guard let seed = Base64URL.decode(text.filter { !$0.isNewline }), let key = try? Ed25519PrivateKey(seed: seed) else {
            throw .state(file: keyFile(folder), reason: "not a seed of 32 bytes, base64url")  // The only way in which the key fails.
        }
        return key
    }
}
