package import BondWire

/// When packets of one transport may go: spread over time at somewhat more than the estimate, so that a key frame fills nobody's queue.
///
/// It holds no packets: queues are the worker's, by kind. Sound goes at once; repeats before pictures; padding only for a probe.
package struct Pacer: Sendable {
    package enum Kind: Int, Hashable, Sendable, CaseIterable {
        case sound, `repeat`, picture, padding
    }

    /// Packets of one group (GSO) go at once.
    package static let burst: Microseconds = 5000
    /// Pictures go at up to this times the estimate, in percent: what one key frame has too much is gone within a second.
    private static let factor: Int64 = 250
    /// While the link is full: a queue on the way that waits longer than the one here helps nobody.
    private static let fullFactor: Int64 = 100
    /// Pictures that wait longer are gone faster.
    package static let patience: Microseconds = 500_000

    /// Bits per second: what is known to go through, and what pictures go at.
    private var bitrate: Int64
    private var pictureRate: Int64
    /// What was sent too much, in bits; negative where there is room.
    private var debt: Int64 = 0
    private var drained: Microseconds?
    private var probe: (number: UInt16, bitrate: Int64, left: Int, packets: Int)?

    package init(bitrate: Int64) {
        self.bitrate = max(bitrate, 1)
        pictureRate = self.bitrate * Self.factor / 100
    }

    /// - Parameters:
    ///   - isFull: a queue grows on the way.
    ///   - capacity: what the link is known to carry, bits per second; nil where it was never full. Pictures go no faster than that: a key
    ///     frame that makes a queue of its own looks like a link that has become narrow.
    package mutating func setBitrate(_ bitrate: Int64, isFull: Bool = false, capacity: Int64? = nil) {
        self.bitrate = max(bitrate, 30_000)
        let most = self.bitrate * (isFull ? Self.fullFactor : Self.factor) / 100
        pictureRate = max(self.bitrate, min(most, capacity ?? most))
    }

    /// Without a burst of what was saved: the times between its packets are what it is for.
    package mutating func begin(_ probe: BandwidthEstimate.Probe) {
        self.probe = (probe.number, max(probe.bitrate, 1), probe.bytes, probe.packets)
        debt = max(debt, 0)
    }

    /// Of which probe the next packet is a part; 0 for none.
    package var currentProbe: UInt16 { probe?.number ?? 0 }

    /// How many bytes of padding the probe still needs, where nothing else is to be sent.
    package var paddingBytes: Int { probe.map { max($0.left, $0.packets > 0 ? 1 : 0) } ?? 0 }

    private var rate: Int64 { max(pictureRate, probe?.bitrate ?? 0) }

    private mutating func drain(_ now: Microseconds) {
        let elapsed = min(max(0, now - (drained ?? now)), 1_000_000)
        drained = now
        // No more room is saved than for one burst.
        debt = max(debt - rate * elapsed / 1_000_000, -rate * Self.burst / 1_000_000)
    }

    /// Whether a packet of this kind may go now.
    /// - Parameter queued: bytes that wait in all.
    package mutating func maySend(_ kind: Kind, queued: Int, at now: Microseconds) -> Bool {
        drain(now)
        if kind == .sound { return true }
        if kind == .padding, probe == nil { return false }
        if debt <= 0 { return true }
        // More waits than goes in the time that anybody is patient for.
        return kind != .padding && Int64(queued) * 8 > rate * Self.patience / 1_000_000 && debt <= rate / 20
    }

    /// How long it takes until so many bytes are gone.
    package func drainTime(_ bytes: Int) -> Microseconds { Int64(bytes) * 8_000_000 / rate }

    /// When the next packet that is not sound may go.
    package func nextSend(at now: Microseconds) -> Microseconds {
        guard debt > 0 else { return now }
        return (drained ?? now) + (debt * 1_000_000 + rate - 1) / rate
    }

    package mutating func sent(bytes: Int, at now: Microseconds) {
        drain(now)
        debt += Int64(bytes) * 8
        guard var current = probe else { return }
        current.left -= bytes
        current.packets -= 1
        probe = current.left > 0 || current.packets > 0 ? current : nil
    }
}
