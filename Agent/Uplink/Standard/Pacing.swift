package import Posix

/// When packets leave that the muxer gives in bursts. Holds no clock and no packet.
///
/// A key frame is made at once and is some ten pictures long, which a modem's queue may not hold: with two of three links of
/// 1500 kbit/s left it cost 949 packets at the queues. So packets leave a little faster than the stream is made, and as much
/// faster as it takes for none to wait longer than `horizon`.
package struct Pacing: Equatable, Sendable {
    /// The longest wait: well below the smallest buffer, and about the length of a modem's queue.
    package static let horizon = Duration.milliseconds(300)
    /// How much faster than the mean packets may leave: between two key frames the queue is empty most of the time.
    package static let headroom = 1.25
    /// How often packets leave; what fits into this time leaves together.
    package static let tick = Duration.milliseconds(5)
    /// The mean is of two seconds, the distance of key frames, in slots.
    private static let slotNs: Int64 = 100_000_000
    private static let slots = 20

    private var produced = [Int](repeating: 0, count: slots)
    private var slot: Int64 = 0
    private var began: Int64?
    /// Bytes a second that empty the queue in time; 0 once it is empty.
    private var needed = 0.0
    /// Bytes that may leave now; below zero after a packet that was larger than what was left.
    private var allowance = 0.0
    private var allowedAt: Int64 = 0

    package init() {}

    /// Packets came; `queued` counts them already.
    package mutating func came(bytes: Int, queued: Int, at now: Instant) {
        if began == nil {
            began = now.nanoseconds
            allowedAt = now.nanoseconds
        }
        turn(to: now)
        produced[Int(slot) % Pacing.slots] += bytes
        needed = max(needed, Double(queued) * 1e9 / Double(Pacing.horizon.nanoseconds))
    }

    /// Whether the next packet leaves now.
    package mutating func leaves(bytes: Int, at now: Instant) -> Bool {
        earn(now)
        guard allowance > 0 else { return false }
        allowance -= Double(bytes)
        return true
    }

    /// Nothing waits any more.
    package mutating func emptied() { needed = 0 }

    /// Bytes a second.
    package var rate: Double {
        guard let began else { return 0 }
        let nowNs = slot * Pacing.slotNs
        // Short of a whole window the first picture, which is a key frame, would count for all.
        let seconds = min(max(Double(nowNs - began) / 1e9, 0.5), Double(Pacing.slots) / 10)
        let mean = Double(produced.reduce(0, +)) / seconds
        return max(mean * Pacing.headroom, needed)
    }

    private mutating func earn(_ now: Instant) {
        let elapsed = Double(max(0, now.nanoseconds - allowedAt)) / 1e9
        allowedAt = now.nanoseconds
        // What was not used is not saved up: at most one tick's worth, or a packet's.
        allowance = min(allowance + elapsed * rate, max(rate * Double(Pacing.tick.nanoseconds) / 1e9, 1))
    }

    private mutating func turn(to now: Instant) {
        let current = now.nanoseconds / Pacing.slotNs
        if slot == 0 { slot = current }
        while slot < current {
            slot += 1
            produced[Int(slot) % Pacing.slots] = 0
            // After a long pause all slots are empty.
            if current - slot > Int64(Pacing.slots) { slot = current - Int64(Pacing.slots) }
        }
    }
}
