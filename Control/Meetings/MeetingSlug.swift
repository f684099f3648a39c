/// The part of a meeting's address by which people find it: fifty random bits as ten letters and digits, in lower case, of which none is
/// taken for another when it is read aloud or written down (Crockford's base 32).
package struct MeetingSlug: Hashable, Sendable {
    /// `k3m9xw27qd`: safe in an address as it is.
    package let text: String

    package static let length = 10
    private static let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)
    /// Longer than whatever somebody types who puts a sign between any two of them.
    package static let typedLength = 32

    /// - Parameter source: the system's in a program, a seeded one in a test.
    package init(random source: inout some RandomNumberGenerator) {
        text = String(decoding: (0..<Self.length).map { _ in Self.alphabet[Int(source.next() & 31)] }, as: UTF8.self)
    }

    /// What somebody read or typed: in either case, with or without signs between, and with the letters o, i and l for the digits that they look like.
    ///
    /// - Returns: nil for what is none.
    package init?(typed: some StringProtocol) {
        guard typed.utf8.count <= Self.typedLength else { return nil }
        var read: [UInt8] = []
        for character in typed.lowercased().utf8 {
            switch character {
            case UInt8(ascii: " "), UInt8(ascii: "-"): continue
            case UInt8(ascii: "o"): read.append(UInt8(ascii: "0"))
            case UInt8(ascii: "i"), UInt8(ascii: "l"): read.append(UInt8(ascii: "1"))
            case let other: read.append(other)
            }
        }
        guard read.count == Self.length, read.allSatisfy(Self.alphabet.contains) else { return nil }
        text = String(decoding: read, as: UTF8.self)
    }

    /// `k3m-9xw2-7qd`: as it is read aloud.
    package var spoken: String {
        let parts = [text.prefix(3), text.dropFirst(3).prefix(4), text.suffix(3)]
        return parts.joined(separator: "-")
    }
}
