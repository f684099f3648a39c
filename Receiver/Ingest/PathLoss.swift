/// The share of what was sent over one path that did not arrive, by the sequence numbers of the packets' headers, which count
/// media, retransmissions and control alike: librist's (0.2.7) for each peer by itself, ours for each link. Holds no clock.
struct PathLoss: Equatable {
    /// Five seconds of quarters: short enough to see a link go bad, long enough to tell 1 % (some 20 of 2,000 packets).
    private static let quarters = 20
    /// Fewer packets say nothing; an idle link of ours carries ten a second.
    private static let least = 40
    /// Further ahead is a sender that began anew, not a loss.
    private static let believableStep: UInt32 = 10_000

    private struct Count: Equatable {
        var sent = 0
        var arrived = 0
    }

    private var series: UInt32?
    private var highest: UInt32 = 0
    private var counts = [Count()]

    /// - Parameter series: what the numbers count within; another one begins anew.
    mutating func arrived(_ sequence: UInt32, of series: UInt32) {
        counts[counts.count - 1].arrived += 1
        let step = sequence &- highest
        if series == self.series, step > UInt32.max / 2 { return }  // Overtaken on the way: it was counted as sent before.
        let isNext = series == self.series && step < Self.believableStep
        counts[counts.count - 1].sent += isNext ? Int(step) : 1
        self.series = series
        highest = sequence
    }

    /// Once in a quarter of a second.
    mutating func turn() {
        counts.append(Count())
        if counts.count > Self.quarters { counts.removeFirst() }
    }

    /// 0 to 1; nil while too little was sent.
    var share: Double? {
        let (sent, arrived) = counts.reduce((0, 0)) { ($0.0 + $1.sent, $0.1 + $1.arrived) }
        guard sent >= Self.least else { return nil }
        return Double(max(0, sent - arrived)) / Double(sent)
    }
}
