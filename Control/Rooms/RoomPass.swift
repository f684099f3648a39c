import Crypto
package import Units
package import Wire

/// What lets a program into one room to send or to receive, for a while (WHIP and WHEP show it as their bearer token).
package struct RoomPass: Codable, Sendable, Hashable {
    package let room: RoomID
    package let organization: OrganizationID
    package let use: RoomUse
    /// Unix seconds.
    package let exp: Int64

    package init(room: RoomID, organization: OrganizationID, use: RoomUse, exp: Int64) {
        self.room = room
        self.organization = organization
        self.use = use
        self.exp = exp
    }
}

/// Makes and reads passes: whoever has one needs no account, and nothing of it is stored.
package struct RoomPasses: Sendable {
    private static let type: StaticString = "room+jwt"

    private let key: [UInt8]

    /// - Parameter key: of the server, at least 32 bytes.
    package init(key: [UInt8]) { self.key = key }

    package func text(of pass: RoomPass) throws -> Secret { Secret(try JWT.sign(pass, type: Self.type, key: key)) }

    /// - Returns: nil where it is forged, of another purpose, or over.
    package func read(_ text: Secret, at unixSeconds: Int64) -> RoomPass? {
        // try?: whatever is wrong with it, nobody is let in by it.
        guard let pass = try? JWT.verify(text.revealed, as: RoomPass.self, type: Self.type, key: key), unixSeconds < pass.exp else {
            return nil
        }
        return pass
    }
}
