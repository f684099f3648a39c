import Crypto
import FoundationEssentials
import Units

/// Where a signed-in command line is kept between its commands: the server, its CA and the refresh token. Mode 0600.
struct SessionFile: Codable, Sendable {
    var server: String
    /// The CA's certificate in PEM, where the server's certificate comes from a CA of its own.
    var authority: String?
    var refreshToken: SecretOnWire?
    /// What this file is known by when it signs in again, whoever else fails to.
    var browser: SecretOnWire?

    static func load(_ path: String) throws -> SessionFile? {
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        return try JSONDecoder().decode(SessionFile.self, from: data)
    }

    /// Written beside and renamed, so that a full disk or a kill leaves the old one.
    func save(_ path: String) throws {
        if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            try FileManager.default.createDirectory(atPath: String(path[..<slash]), withIntermediateDirectories: true)
        }
        try KeyFile.write(String(decoding: JSONEncoder().encode(self), as: UTF8.self), to: path)
    }
}
