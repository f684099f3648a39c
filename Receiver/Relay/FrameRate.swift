import Units

/// How far a sender's pictures lie apart: the median of some, since capture times shake.
struct FrameRate {
    private var distances: [Int64] = []
    private var last: MediaTime?
    private static let count = 24

    /// A picture's decode time.
    mutating func note(_ decode: MediaTime) {
        defer { last = decode }
        guard let last, distances.count < FrameRate.count else { return }
        let distance = decode.ticks - last.ticks
        // A pause is none: 1 a second to 240 a second.
        if (375...90_000).contains(distance) { distances.append(distance) }
    }

    /// In ticks; nil until enough were seen.
    var settled: Int64? {
        guard distances.count == FrameRate.count else { return nil }
        let sorted = distances.sorted()
        // Clocks of milliseconds give 33, 33, 34.
        let measured = (sorted[8..<16].reduce(0, +) + 4) / 8
        let nearest = FrameRate.usual.min { abs($0 - measured) < abs($1 - measured) } ?? measured
        return abs(nearest - measured) * 100 <= measured ? nearest : measured
    }

    /// 60, 59.94, 50, 48, 30, 29.97, 25, 24, 23.98, 20, 15, 12.5, 10 and 5 a second: measured twice, a camera is to have one rate.
    private static let usual: [Int64] = [1500, 1502, 1800, 1875, 3000, 3003, 3600, 3750, 3754, 4500, 6000, 7200, 9000, 18_000]

    /// From one picture to the next as far as it is known; nothing before.
    var frame: Duration { settled.map { .nanoseconds(MediaTime(ticks: $0).nanoseconds) } ?? .zero }
}
