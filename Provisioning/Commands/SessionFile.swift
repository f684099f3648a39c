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

    /// Written beside and renamed, so that a full disk or a kill leaves the old one.
    func save(_ path: String) throws {
        if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            try Folder.make(String(path[..<slash]))
        }
        try KeyFile.write(String(decoding: JSONEncoder().encode(self), as: UTF8.self), to: path)
    }
}
