/// A sortable unique id: 48 bits of Unix milliseconds and 80 random bits in 26 characters of Crockford's base 32.
///
/// Source: the ULID specification (github.com/ulid/spec); time and randomness are the caller's.
package struct ULID: Hashable, Comparable, Sendable {
    package let text: String

    private static let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)

    /// - Parameters:
    ///   - unixMs: milliseconds since 1970.
    ///   - random: the source of the 80 random bits; the system's in a program, a seeded one in a test.
    package init<Source: RandomNumberGenerator>(unixMs: Int64, random: inout Source) {
        var characters: [UInt8] = []
        characters.reserveCapacity(26)
        for shift in stride(from: 45, through: 0, by: -5) {
            characters.append(Self.alphabet[Int((unixMs >> Int64(shift)) & 31)])
        }
        for _ in 0..<16 {
            characters.append(Self.alphabet[Int(random.next() & 31)])
        }
        text = String(decoding: characters, as: UTF8.self)
    }

    /// Accepts exactly the canonical form; nil for anything else.
    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count == 26, bytes[0] <= UInt8(ascii: "7"), bytes.allSatisfy(Self.alphabet.contains) else { return nil }
        self.text = text
    }

    package static func < (left: ULID, right: ULID) -> Bool { left.text < right.text }

    private init(bytes: [UInt8]) { text = String(decoding: bytes, as: UTF8.self) }

    /// The one that is so much larger in its random bits; nil where these would run over.
    fileprivate func raised(by step: UInt32) -> ULID? {
        var bytes = Array(text.utf8), carry = UInt64(step)
        for index in stride(from: 25, through: 10, by: -1) where carry > 0 {
            guard let digit = Self.alphabet.firstIndex(of: bytes[index]) else { return nil }
            let sum = UInt64(digit) + carry
            bytes[index] = Self.alphabet[Int(sum & 31)]
            carry = sum >> 5
        }
        return carry == 0 ? ULID(bytes: bytes) : nil
    }

    fileprivate var time: Substring.UTF8View { text.prefix(10).utf8 }
}

/// Ids of one maker: those of one millisecond are in the order in which they were made, as the specification has it ("Monotonicity").
package struct ULIDSequence: Sendable {
    private var last: ULID?

    package init() {}

    /// - Parameters: as of an id by itself.
    package mutating func next<Source: RandomNumberGenerator>(unixMs: Int64, random: inout Source) -> ULID {
        var made = ULID(unixMs: unixMs, random: &random)
        // A random step: from one id the next cannot be told.
        if let last, made <= last, made.time.elementsEqual(last.time) {
            made = last.raised(by: UInt32(truncatingIfNeeded: random.next()) | 1) ?? made
        }
        last = made
        return made
    }
}

/// The id of a row of one kind: a sender's id cannot be passed for a broadcast's.
package struct ID<Kind>: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let ulid: ULID

    package init(_ ulid: ULID) { self.ulid = ulid }

    package init?(_ text: String) {
        guard let ulid = ULID(text) else { return nil }
        self.ulid = ulid
    }

    package var text: String { ulid.text }
    package var description: String { ulid.text }

    package static func < (left: ID, right: ID) -> Bool { left.ulid < right.ulid }
}

extension ID: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let ulid = ULID(text) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "an id has 26 characters of base 32, not '\(text.prefix(40))'")
        }
        self.ulid = ulid
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(ulid.text)
    }
}

/// The kinds of rows that have an id.
package enum Kind {
    package enum Organization {}
    package enum User {}
    package enum Session {}
    package enum Device {}
    package enum EnrollmentToken {}
    package enum Destination {}
    package enum Broadcast {}
    package enum Output {}
    package enum Lease {}
    package enum Command {}
    package enum Configuration {}
    package enum Invitation {}
    package enum APIToken {}
}

package typealias OrganizationID = ID<Kind.Organization>
package typealias UserID = ID<Kind.User>
package typealias SessionID = ID<Kind.Session>
/// A sender or a pool host: whatever has an identity of its own.
package typealias DeviceID = ID<Kind.Device>
package typealias EnrollmentTokenID = ID<Kind.EnrollmentToken>
package typealias DestinationID = ID<Kind.Destination>
package typealias BroadcastID = ID<Kind.Broadcast>
package typealias OutputID = ID<Kind.Output>
package typealias LeaseID = ID<Kind.Lease>
package typealias CommandID = ID<Kind.Command>
package typealias InvitationID = ID<Kind.Invitation>
package typealias APITokenID = ID<Kind.APIToken>
