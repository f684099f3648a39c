/// How much later than calculated packets left the emulator: a run in which the machine was too slow proves nothing.
package struct Lateness: Hashable, Sendable, Codable {
    /// p99.9 above this makes a run void.
    package static let limitMs = 5.0
    private static let stepsPerMs = 10.0

    /// Packets by lateness in tenths of a millisecond; the last counts all from 100 ms on.
    private var steps = [Int](repeating: 0, count: 1001)
    package private(set) var packets = 0

    package init() {}

    package mutating func record(nanoseconds: Int64) {
        packets += 1
        steps[min(max(Int(nanoseconds / 100_000), 0), steps.count - 1)] += 1
    }

    /// In milliseconds, the upper edge of the step; 0 without packets.
    package func percentile(_ percent: Double) -> Double {
        var left = Int((Double(packets) * (1 - percent / 100)).rounded(.down))
        for index in steps.indices.reversed() where packets > 0 {
            left -= steps[index]
            if left < 0 { return Double(index + 1) / Self.stepsPerMs }
        }
        return 0
    }

    package var isVoid: Bool { percentile(99.9) > Self.limitMs }

    package mutating func reset() { self = Lateness() }
}
