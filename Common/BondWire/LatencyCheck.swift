/// Whether the two ends of a stream were given one latency; they are set at each by hand. Holds no clock.
package struct LatencyCheck: Hashable, Sendable {
    /// Of the sender's first words on a session: its latency is what was agreed, later also what the clocks have moved.
    private static let words = 10
    /// What a measured latency may be off.
    private static let tolerance: Microseconds = 50_000

    private let own: Microseconds
    private let isMeasured: Bool
    private var left: Int

    /// - Parameter isMeasured: the other end's is, as that of a sender.
    package init(own: Microseconds, isMeasured: Bool) {
        self.own = own
        self.isMeasured = isMeasured
        left = isMeasured ? Self.words : 1
    }

    /// - Returns: whether the other end's latency is another one; once.
    package mutating func differs(_ theirs: Microseconds) -> Bool {
        guard left > 0 else { return false }
        guard abs(theirs - own) > (isMeasured ? Self.tolerance : 0) else {
            left = 0
            return false
        }
        left -= 1
        return left == 0
    }
}
