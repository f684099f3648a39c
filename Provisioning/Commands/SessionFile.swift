import Crypto
import FoundationEssentials
import Glibc
import Posix
import Service
import Units

/// Where a signed-in command line is kept between its commands: the server, its CA and the refresh token. Mode 0600.
struct SessionFile: Codable, Sendable {
    var server: String
    /// The CA's certificate in PEM, where the server's certificate comes from a CA of its own.
    var authority: String?
    var refreshToken: SecretOnWire?
    /// What this file is known by when it signs in again, whoever else fails to.
    var browser: SecretOnWire?

    /// nil where there is none.
    static func load(_ path: String) throws -> SessionFile? {
        let text: String
        do throws(RegularFile.Fault) {
            text = try ProgramContext.readText(path)
        } catch {
            if error.isMissing { return nil }
            throw Arguments.Fault("the session file \(path) cannot be read: \(error.reason)")
        }
        do {
            return try JSONDecoder().decode(SessionFile.self, from: Data(text.utf8))
        } catch {
            throw Arguments.Fault("\(path) is no session file: remove it, and sign in again")
        }
    }

    /// Takes room for what this is once it has new tokens: a refresh token that is asked for uses up the one before it, so that one that
    /// cannot be kept ends the session, and is a theft to the server when the old one is shown again.
    ///
    /// - Returns: what `save` writes into, and `KeyFile.drop` gives back.
    func reserve(_ path: String) throws -> String {
        do {
            try Self.makeFolder(of: path)
            return try KeyFile.reserve(try JSONEncoder().encode(self).count + Self.tokenBytes, beside: path)
        } catch {
            throw Arguments.Fault("the session could not be kept, and nothing was asked of the server: \(error)")
        }
    }

    /// Far more than two tokens have.
    private static let tokenBytes = 2048

    /// Written beside and renamed, so that a full disk or a kill leaves the old one.
    ///
    /// - Parameter room: what `reserve` took for it; nil where nothing was.
    func save(_ path: String, in room: String? = nil) throws {
        let text = String(decoding: try JSONEncoder().encode(self), as: UTF8.self)
        if let room { return try KeyFile.write(text, to: path, in: room) }
        try Self.makeFolder(of: path)
        try KeyFile.write(text, to: path)
    }

    private static func makeFolder(of path: String) throws {
        guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return }
        try Folder.make(String(path[..<slash]))
    }
}
