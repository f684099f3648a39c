import Crypto
import FoundationEssentials
package import Units
package import Wire

/// The STUN and TURN servers that programs are told at the doors of rooms. Source: RFC 9725 section 4.6.
///
/// TURN's credentials are made for each program and end by themselves: a name that begins with its end in Unix seconds, and its code under a
/// secret that the TURN server has too (coturn's `use-auth-secret`), which no program sees.
package struct ICEServers: Sendable {
    /// A TURN server asks for them again and again while it relays: longer than any pass of one broadcast.
    package static let seconds: Int64 = 12 * 3600

    private let stun: [String]
    private let turn: [String]
    /// nil where there is no TURN server.
    private let secret: Secret?

    /// - Parameters:
    ///   - stun: as `isSTUN` takes them.
    ///   - turn: as `isTURN` takes them.
    package init(stun: [String], turn: [String], secret: Secret?) {
        self.stun = stun
        self.turn = turn
        self.secret = secret
    }

    /// What stands in `Link`, a value for each server.
    /// - Parameter user: a name that the TURN server counts by, an id of ours.
    package func links(for user: String, at unixSeconds: Int64) -> [String] {
        let open = stun.map { "<\($0)>; rel=\"ice-server\"" }
        guard let proof = proof(for: user, until: unixSeconds + Self.seconds) else { return open }
        let words = "username=\"\(proof.name)\"; credential=\"\(proof.code.revealed)\"; credential-type=\"password\""
        return open + turn.map { "<\($0)>; rel=\"ice-server\"; \(words)" }
    }

    /// The same for a page, which makes PeerConnections with them.
    /// - Parameter seconds: how long TURN's credentials are good.
    package func list(for user: String, at unixSeconds: Int64, seconds: Int64 = Self.seconds) -> [ICEServer] {
        let open = stun.map { ICEServer(url: $0) }
        guard let proof = proof(for: user, until: unixSeconds + seconds) else { return open }
        return open + turn.map { ICEServer(url: $0, username: proof.name, credential: SecretOnWire(proof.code)) }
    }

    private func proof(for user: String, until end: Int64) -> (name: String, code: Secret)? {
        guard let secret else { return nil }
        let name = "\(end):\(user)"
        let code = HMACSHA1(key: Array(secret.revealed.utf8)).tag(over: Array(name.utf8))
        return (name, Secret(Data(code).base64EncodedString()))
    }

    /// `stun:host`, `stuns:host:port`. Source: RFC 7064 section 3.1.
    package static func isSTUN(_ text: String) -> Bool { isServer(text, ["stun:", "stuns:"], queries: [""]) }

    /// `turn:host`, `turns:host:port?transport=tcp`. Source: RFC 7065 section 3.1.
    package static func isTURN(_ text: String) -> Bool {
        isServer(text, ["turn:", "turns:"], queries: ["", "transport=udp", "transport=tcp"])
    }

    private static func isServer(_ text: String, _ schemes: [String], queries: [String]) -> Bool {
        guard let scheme = schemes.first(where: text.hasPrefix) else { return false }
        let parts = text.dropFirst(scheme.count).split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let query = parts.count == 2 ? String(parts[1]) : ""
        guard let place = parts.first, (1...255).contains(place.utf8.count), queries.contains(query) else { return false }
        return place.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: ":"), UInt8(ascii: "["), UInt8(ascii: "]"):
                true
            default: false
            }
        }
    }
}
