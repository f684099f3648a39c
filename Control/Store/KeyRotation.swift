import Crypto
import Glibc
import Posix

/// Replaces the master key that secrets at rest are sealed with (SEC-16), while nobody else has the database.
///
/// In three steps, each whole or not begun however it ends: the key file gets a new key beside the older ones, every
/// secret is sealed again in one transaction, and the key file loses the older ones. After each of them whatever is sealed
/// can be opened by the key file as it is, so a rotation that was killed needs nothing but to be made again.
package struct KeyRotation: Sendable {
    private let keyFile: String
    private let database: String

    package enum Failure: Error, Hashable, CustomStringConvertible {
        /// Control never ran here: there is nothing to seal again, and a new key would hide a wrong folder.
        case noKeys(String)
        /// The file that is written in its place would be another user's, and control could not read it.
        case otherUser(String)

        package var description: String {
            switch self {
            case .noKeys(let path): "there is no \(path): control never ran here"
            case .otherUser(let path): "\(path) belongs to another user: run this as the user of the service"
            }
        }
    }

    package struct Outcome: Sendable, Hashable {
        /// Secrets that are now sealed under the new key.
        package let sealed: Int
        /// Older keys that are kept, because copies of the database from before an upgrade need them.
        package let keptKeys: Int
    }

    package init(keyFile: String, database: String) {
        self.keyFile = keyFile
        self.database = database
    }

    /// - Throws: `Failure`; `CryptoError` for a key file that cannot be read or written, or a secret that no key opens:
    ///   nothing is lost then, and the older keys stay.
    package func run(platformVersion: String) async throws -> Outcome {
        let ring = try addKey()
        return try retire(ring, sealed: try await seal(under: ring, platformVersion: platformVersion))
    }

    func addKey() throws -> Keyring {
        guard let text = try KeyFile.read(keyFile) else { throw Failure.noKeys(keyFile) }
        var status = stat()
        guard stat(keyFile, &status) == 0 else { throw SystemError("stat", on: keyFile) }
        guard status.st_uid == geteuid() else { throw Failure.otherUser(keyFile) }
        var ring = try Keyring(text: text)
        ring.rotate()
        try KeyFile.write(ring.text, to: keyFile)
        return ring
    }

    func seal(under ring: Keyring, platformVersion: String) async throws -> Int {
        let store = try await ControlStore.open(.file(database), keyring: ring, platformVersion: platformVersion)
        let sealed = try await store.operations.reseal()
        try await store.close()
        return sealed
    }

    func retire(_ ring: Keyring, sealed: Int) throws -> Outcome {
        // A copy is sealed under the keys of its time.
        guard try SafetyCopies(of: database).all().isEmpty else { return Outcome(sealed: sealed, keptKeys: ring.olderKeys) }
        var ring = ring
        ring.retireOldKeys()
        try KeyFile.write(ring.text, to: keyFile)
        return Outcome(sealed: sealed, keptKeys: 0)
    }
}
