/// A version by Semantic Versioning 2.0.0 without build metadata: metadata has no part in the order (section 10), and two releases of one
/// rank would be one release to a machine.
package struct ReleaseVersion: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let major: Int
    package let minor: Int
    package let patch: Int
    private let identifiers: [Identifier]

    /// A part of a pre-release (section 9).
    private enum Identifier: Hashable, Sendable {
        case number(Int)
        case text(String)
    }

    package static let textLimit = 64
    /// Nine digits fit into 32 bits.
    private static let digitLimit = 9

    package init(_ major: Int, _ minor: Int, _ patch: Int) {
        precondition(min(major, minor, patch) >= 0, "a version's numbers are not negative")
        (self.major, self.minor, self.patch) = (major, minor, patch)
        identifiers = []
    }

    /// nil for anything but a version as section 2 and 9 write it, at most 64 bytes long.
    package init?(_ text: String) {
        guard text.utf8.count <= Self.textLimit else { return nil }
        let halves = text.utf8.split(separator: UInt8(ascii: "-"), maxSplits: 1, omittingEmptySubsequences: false)
        let core = halves[0].split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).map { Self.number(Array($0)) }
        guard core.count == 3, let major = core[0], let minor = core[1], let patch = core[2] else { return nil }
        var identifiers: [Identifier] = []
        if halves.count == 2 {
            for part in halves[1].split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false) {
                guard let identifier = Self.identifier(Array(part)) else { return nil }
                identifiers.append(identifier)
            }
        }
        (self.major, self.minor, self.patch) = (major, minor, patch)
        self.identifiers = identifiers
    }

    package var isPrerelease: Bool { !identifiers.isEmpty }

    package var description: String {
        let core = "\(major).\(minor).\(patch)"
        guard isPrerelease else { return core }
        let parts = identifiers.map { identifier -> String in
            switch identifier {
            case .number(let number): "\(number)"
            case .text(let text): text
            }
        }
        return "\(core)-\(parts.joined(separator: "."))"
    }

    /// Section 11.
    package static func < (left: ReleaseVersion, right: ReleaseVersion) -> Bool {
        let (ours, theirs) = ([left.major, left.minor, left.patch], [right.major, right.minor, right.patch])
        if ours != theirs { return ours.lexicographicallyPrecedes(theirs) }
        // A pre-release comes before its release, 11.3.
        guard left.isPrerelease, right.isPrerelease else { return left.isPrerelease && !right.isPrerelease }
        return left.identifiers.lexicographicallyPrecedes(right.identifiers, by: precedes)
    }

    private static func precedes(_ left: Identifier, _ right: Identifier) -> Bool {
        switch (left, right) {
        case (.number(let left), .number(let right)): left < right
        case (.number, .text): true
        case (.text, .number): false
        case (.text(let left), .text(let right)): left.utf8.lexicographicallyPrecedes(right.utf8)
        }
    }

    /// No leading zeros (section 2).
    private static func number(_ digits: [UInt8]) -> Int? {
        guard (1...digitLimit).contains(digits.count), digits.count == 1 || digits[0] != UInt8(ascii: "0"), digits.allSatisfy(isDigit)
        else { return nil }
        return digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    }

    private static func identifier(_ bytes: [UInt8]) -> Identifier? {
        guard !bytes.isEmpty else { return nil }
        if bytes.allSatisfy(isDigit) { return number(bytes).map { .number($0) } }
        guard bytes.allSatisfy({ isDigit($0) || isLetter($0) || $0 == UInt8(ascii: "-") }) else { return nil }
        return .text(String(decoding: bytes, as: UTF8.self))
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
    }
}
