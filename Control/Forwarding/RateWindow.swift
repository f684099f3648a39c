package import BondWire

/// Bits per second over the last while, of what comes in pieces; in ten parts, of which the oldest goes as a whole.
package struct RateWindow: Sendable {
    private static let parts: Int64 = 10

    private let part: Microseconds
    private var bytes = InlineArray<10, Int>(repeating: 0)
    private var total = 0
    /// The number of the part that is counted now, from the clock's start.
    private var newest: Int64 = 0
    /// The first that came after a while without anything; nil in such a one.
    private var begun: Microseconds?

    /// - Parameter span: the while.
    package init(span: Microseconds) { part = max(1, span / Self.parts) }

    package mutating func add(_ count: Int, at now: Microseconds) {
        roll(now)
        if begun == nil { begun = now }
        bytes[Int(newest % Self.parts)] += count
        total += count
    }

    /// 0 where nothing has come for all of it. What has begun within it counts for as long as it lasts, a part at least.
    package mutating func bitrate(at now: Microseconds) -> Int64 {
        roll(now)
        guard let begun else { return 0 }
        let first = max(begun, (newest - Self.parts + 1) * part)
        return Int64(total) * 8_000_000 / max(now - first, part)
    }

    private mutating func roll(_ now: Microseconds) {
        let next = now / part
        guard next > newest else { return }
        if next - newest >= Self.parts {
            bytes = InlineArray(repeating: 0)
            total = 0
            begun = nil
        } else {
            for number in newest + 1...next {
                let index = Int(number % Self.parts)
                total -= bytes[index]
                bytes[index] = 0
            }
        }
        newest = next
    }
}
