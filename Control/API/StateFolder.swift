package import Blobs
package import Crypto
import Glibc
import Posix
package import Units

/// The folder of control's own files, each 0600: the database, the master key, the operator's token, the setup secret.
package struct StateFolder: Sendable {
    package let path: String

    /// It was there and is open to others: closing it may take it from whoever it belongs to.
    package struct Open: Error, Hashable, CustomStringConvertible {
        package let path: String
        package let mode: UInt32

        package var description: String {
            "the state folder \(path) is open to others (mode \(String(mode, radix: 8))): choose another one, or close it with chmod 700"
        }
    }

    /// Makes the folder (0700) where it is missing.
    package init(_ path: String) throws {
        var status = stat()
        if stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
            guard status.st_mode & 0o077 == 0 else { throw Open(path: path, mode: status.st_mode & 0o777) }
        } else {
            try Folder.make(path)
            guard chmod(path, 0o700) == 0 else { throw SystemError("chmod", on: path) }
        }
        self.path = path
    }

    package var database: String { "\(path)/strata.db" }
    /// Logos and pictures of people.
    package var blobs: BlobFolder { BlobFolder("\(path)/blobs") }
    /// What boards fetch; there once the operator has published a release.
    package var releases: String { "\(path)/releases" }
    /// By which the server's updater is asked.
    package var updateOrder: String { "\(path)/update-order" }
    /// What the server's first owner needs; gone once there is one.
    package var setupSecretFile: String { "\(path)/setup-secret" }

    package var masterKeyFile: String { "\(path)/master.key" }

    package func keyring() throws -> Keyring { try KeyFile.keyring(at: masterKeyFile) }

    /// The token of the operator's routes, made at the first start.
    package func operatorToken() throws -> Secret {
        let file = "\(path)/operator-token"
        if let text = try KeyFile.read(file) { return Secret(text.filter { !$0.isNewline }) }
        let token = Base64URL.encode(randomBytes(32))
        try KeyFile.write(token + "\n", to: file)
        return Secret(token)
    }

    /// The secret that opens registration, kept over restarts until it is used.
    package func setupSecret() throws -> Secret {
        if let text = try KeyFile.read(setupSecretFile) { return Secret(text.filter { !$0.isNewline }) }
        let secret = Base64URL.encode(randomBytes(24))
        try KeyFile.write(secret + "\n", to: setupSecretFile)
        return Secret(secret)
    }

    package func removeSetupSecret() { unlink(setupSecretFile) }
}
