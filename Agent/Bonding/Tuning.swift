package import BondWire

/// The numbers of the algorithm, for the latency of a broadcast. README.md tells where each comes from.
package struct Tuning: Hashable, Sendable {
    /// A link is given this much predicted queue at most; and this much while the bond is behind.
    package var queueLimit: Microseconds
    package var queueLimitBehind: Microseconds
    /// The bond is behind while a packet waits that is older than this share of the latency.
    package var behindShare = 0.3
    /// How long the estimates remember, in milliseconds of busy time.
    package var memory: Double
    package var slowMemory: Double
    /// Without an expected arrival for this long, a link is suspect.
    package var suspectAfter: Microseconds
    /// The share of the latency that must be left for a rescue to wait while the queue has work.
    package var rescueShare: Double
    /// How much later than predicted what a link repairs may come and be in time.
    package var margin: Microseconds
    /// The same of any packet: where the links carry what waits, and where they do not, so that what comes too late took another's place.
    package var ampleMargin: Microseconds
    package var scarceMargin: Microseconds
    /// What a fully used link's arrivals count later, to spread short bursts.
    package var spread: Double
    /// Encoder rate: share of capacity, queue aimed at, and what a deviation weighs, in milliseconds.
    package var share: Double
    package var queueAim: Double
    package var queueWeight: Double
    /// A link without queue may hold this many packets whatever its estimate: they tell whether it is better than that.
    package var train: Int
    /// A link that delivers without a queue is taken to carry this many times as much.
    package var headroom = 1.5
    /// A link whose queue stays short although packets wait is taken to carry more, up to this many times as much; and while the bond is behind.
    package var gain = 2.0
    package var gainBehind: Double
    /// The share of its usual rate that a link returns with at least.
    package var typicalShare: Double
    /// Between two reports.
    package var reportInterval: Microseconds

    package init(latency: Microseconds) {
        let isShort = latency < 700_000
        queueLimit = isShort ? 80_000 : 100_000
        queueLimitBehind = isShort ? 80_000 : 150_000
        memory = 100
        slowMemory = isShort ? 150 : 200
        suspectAfter = isShort ? 30_000 : 60_000
        rescueShare = isShort ? 1 : 0.5
        margin = isShort ? 10_000 : 120_000
        ampleMargin = isShort ? 10_000 : 20_000
        scarceMargin = isShort ? 10_000 : 200_000
        spread = isShort ? 20_000 : 0
        train = 4
        typicalShare = 0.25
        gainBehind = isShort ? 2 : 1
        reportInterval = isShort ? 25_000 : 50_000
        (share, queueAim, queueWeight) = isShort ? (0.7, 25, 100) : latency < 1_500_000 ? (0.88, 75, 200) : (0.88, 180, 250)
    }
}

extension Microseconds {
    /// Before anything, and far enough from the ends of the range to be added to.
    static let longAgo: Microseconds = -(1 << 60)
}
