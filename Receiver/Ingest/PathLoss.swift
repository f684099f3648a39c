/// The share of what was sent over one path that did not arrive, by the sequence numbers of the packets' headers: librist counts
/// them for each peer by itself (0.2.7), media, retransmissions and control alike. Holds no clock.
struct PathLoss: Equatable {
    /// Five seconds of quarters: short enough to see a link go bad, long enough to tell 1 % (some 20 of 2,000 packets).
    private static let quarters = 20
    /// Fewer packets say nothing.
    private static let least = 50
    /// Further ahead is a sender that began anew, not a loss.
    private static let believableStep: UInt32 = 10_000

    private struct Count: Equatable {
        var sent = 0
        var arrived = 0
    }

    private var nonce: UInt32?
    private var highest: UInt32 = 0
    private var counts = [Count()]

    mutating func arrived(_ header: GREHeader) {
        counts[counts.count - 1].arrived += 1
        let step = header.sequence &- highest
        if header.nonce == nonce, step > UInt32.max / 2 { return }  // Overtaken on the way: it was counted as sent before.
        let isNext = header.nonce == nonce && step < Self.believableStep
        counts[counts.count - 1].sent += isNext ? Int(step) : 1
        nonce = header.nonce
        highest = header.sequence
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
