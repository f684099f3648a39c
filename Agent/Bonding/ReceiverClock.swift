import BondWire

/// Where the receiver's clock stands beside the sender's, and when a packet leaves the receiver.
struct ReceiverClock: Hashable, Sendable {
    /// Until the offset is followed slowly.
    static let settling: Microseconds = 2_000_000

    let latency: Microseconds
    /// Receiver's clock less sender's; half the difference of the directions' least delays is its error.
    private(set) var offset: Microseconds?
    /// What a packet's source time lacks to the time of its release.
    private(set) var playout: Microseconds?
    private var settled = Microseconds.max
    private var moved = Microseconds.longAgo

    init(latency: Microseconds) { self.latency = latency }

    /// What is used before anything was heard: both clocks the same.
    var assumedOffset: Microseconds { offset ?? 0 }
    var assumedPlayout: Microseconds { playout ?? latency }

    /// - Parameters:
    ///   - up: least `arrival - sent` of a link, the clocks' offset in it.
    ///   - down: the same of the way back, of the link whose round trip is least.
    mutating func measured(up: Microseconds, down: Microseconds, at now: Microseconds) {
        let offset = (up - down) / 2
        self.offset = offset
        let target = offset + latency
        guard let playout, now >= settled else {
            if self.playout == nil { settled = now + Self.settling }
            self.playout = target
            moved = now
            return
        }
        // 1 ms in a second.
        let step = max(0, min(now - moved, 10_000_000)) / 1000
        guard step > 0 else { return }
        self.playout = playout + min(max(target - playout, -step), step)
        moved = now
    }

    /// The receiver's clock is another one.
    mutating func restart() { self = ReceiverClock(latency: latency) }
}
