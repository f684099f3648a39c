/// Which sequence numbers were seen: each is let in once, and none that is too old to tell. Source: RFC 6479.
package struct ReplayWindow: Sendable {
    /// A number this far behind the highest is refused.
    package static let size: UInt64 = 2048
    /// Twice the window, so that a whole word can be cleared before its numbers come into it.
    private static let words: UInt64 = 64

    package private(set) var highest: UInt64?
    private var seen = [UInt64](repeating: 0, count: Int(words))

    package init() {}

    /// All numbers up to this one count as seen.
    package init(after highest: UInt64) {
        self.highest = highest
        seen = [UInt64](repeating: .max, count: Int(Self.words))
        seen[word(highest)] = .max >> (63 - highest & 63)
    }

    /// The number nearest to the next expected one that has these low bits. Source: RFC 9000 appendix A.3.
    func rebuilt(_ low: UInt32) -> UInt64 {
        let expected = highest.map { $0 &+ 1 } ?? 0
        let window: UInt64 = 1 << 32
        let candidate = expected & ~(window - 1) | UInt64(low)
        if candidate < expected, expected - candidate >= window / 2, candidate <= .max - window { return candidate + window }
        if candidate > expected, candidate - expected > window / 2, candidate >= window { return candidate - window }
        return candidate
    }

    package func isNew(_ sequence: UInt64) -> Bool {
        guard let highest, sequence <= highest else { return true }
        return highest - sequence < Self.size && seen[word(sequence)] & bit(sequence) == 0
    }

    package mutating func insert(_ sequence: UInt64) {
        let top = highest ?? 0
        if sequence > top {
            let stale = min(sequence >> 6 - top >> 6, Self.words)
            for offset in 0..<stale { seen[Int((sequence >> 6 - offset) % Self.words)] = 0 }
        }
        highest = max(top, sequence)
        seen[word(sequence)] |= bit(sequence)
    }

    private func word(_ sequence: UInt64) -> Int { Int(sequence >> 6 % Self.words) }
    private func bit(_ sequence: UInt64) -> UInt64 { 1 << (sequence & 63) }
}
