package import Units

/// What a session's description tells the other end: `a=ice-ufrag` and `a=ice-pwd`. Source: RFC 8445 section 5.3.
package struct Credentials: Hashable, Sendable {
    package let ufrag: String
    package let password: Secret
}

/// The texts of ICE: 64 characters, each 6 bits. Source: RFC 8839 section 5.4 (`ice-char`).
///
/// A user fragment of ours is the slot of its session in 3 characters and 30 random bits in 5 (RFC 8445 section 5.3 asks for 24): who comes is looked up by an
/// index, so that there is no table that a stranger could fill or make slow.
enum ICEText {
    static let slotCharacters = 3
    static let slotLimit = 1 << (6 * slotCharacters)
    static let randomCharacters = 5
    /// 144 bits; RFC 8445 section 5.3 asks for 128.
    static let passwordCharacters = 24
    /// Of the other end's texts. Source: RFC 8839 section 5.4.
    static let ufragLimit = 4...256

    private static let characters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func ufrag(slot: Int, random: [UInt8]) -> [UInt8] {
        let place = (0..<slotCharacters).map { characters[slot >> (6 * (slotCharacters - 1 - $0)) & 63] }
        return place + text(random).prefix(randomCharacters)
    }

    /// One character for each byte: its low 6 bits.
    static func text(_ random: [UInt8]) -> [UInt8] { random.map { characters[Int($0 & 63)] } }

    /// The slot that a user fragment begins with; nil where it is none of ours.
    static func slot(of bytes: Span<UInt8>, at start: Int) -> Int? {
        guard start + slotCharacters <= bytes.count else { return nil }
        var slot = 0
        for index in start..<start + slotCharacters {
            guard let value = value(bytes[index]) else { return nil }
            slot = slot << 6 | value
        }
        return slot
    }

    /// Whether a text is one that the other end may have as its user fragment.
    static func isUfrag(_ text: String) -> Bool {
        ufragLimit.contains(text.utf8.count) && text.utf8.allSatisfy { value($0) != nil }
    }

    private static func value(_ character: UInt8) -> Int? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): Int(character - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): Int(character - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(character - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
