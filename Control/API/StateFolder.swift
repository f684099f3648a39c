package import Crypto
import Glibc
import Posix
package import Units

/// The folder of control's own files, each 0600: the database, the master key, the operator's token, the setup secret.
package struct StateFolder: Sendable {
    package let path: String

    /// Makes the folder (0700) where it is missing.
    package init(_ path: String) throws {
        try Folder.make(path)
        guard chmod(path, 0o700) == 0 else { throw SystemError("chmod", on: path) }
        self.path = path
    }

    package var database: String { "\(path)/strata.db" }
    /// What the server's first owner needs; gone once there is one.
    package var setupSecretFile: String { "\(path)/setup-secret" }

    package func keyring() throws -> Keyring { try KeyFile.keyring(at: "\(path)/master.key") }

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
