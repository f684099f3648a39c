package import BondWire

/// How much one subscriber gets repeated (RTX, RFC 4588): who asks for everything, again and again, takes nothing from the others.
///
/// A packet is repeated once in a round trip and six times at most; all repeats together have a share of what the subscriber gets.
package struct RepeatLimit: Sendable {
    /// A packet this often: six losses in a row of 20 % are one in 15,000.
    private static let tries: UInt8 = 6
    /// So much may be repeated at once, in the time of the share.
    private static let burst: Microseconds = 500_000
    /// However little it gets: a key frame's worth within the burst.
    private static let least: Int64 = 300_000
    private static let remembered: UInt16 = 256

    private struct Repeat {
        var packet: UInt32 = 0
        var tries: UInt8 = 0
        var at: Microseconds = .min
    }

    private var repeats: [Repeat] = []
    /// Bits per second.
    private var rate: Int64
    private var bits: Int64
    private var filled: Microseconds

    /// Refused because of the share.
    package private(set) var refused: UInt64 = 0

    package init(at now: Microseconds) {
        rate = Self.least
        bits = Self.least * Self.burst / 1_000_000
        filled = now
    }

    /// A quarter of what the subscriber gets may be repeats.
    /// - Parameter bitrate: bits per second that it is sent now.
    package mutating func setBitrate(_ bitrate: Int64) { rate = max(Self.least, min(bitrate, 1 << 40) / 4) }

    /// Whether this packet may be repeated now; if so it counts as repeated.
    /// - Parameters:
    ///   - sequence: as the subscriber asked for it.
    ///   - track: the subscriber's number for it.
    ///   - bytes: with its headers.
    package mutating func mayRepeat(
        _ sequence: UInt16, of track: UInt16, bytes: Int, roundTrip: Microseconds?, at now: Microseconds
    ) -> Bool {
        if repeats.isEmpty { repeats = Array(repeating: Repeat(), count: Int(Self.remembered)) }
        let packet = UInt32(track) << 16 | UInt32(sequence)
        // Tracks begin at different places, so that what is asked for of several does not meet.
        let index = Int((sequence &+ track &* 89) % Self.remembered)
        var entry = repeats[index]
        // What was repeated ten seconds ago under this number was another packet.
        if entry.packet != packet || entry.at == .min || now - entry.at > 10_000_000 { entry = Repeat(packet: packet) }
        if entry.tries > 0 {
            // A little less than the round trip: whoever asks again does it after one of its own.
            guard entry.tries < Self.tries, now - entry.at >= min(roundTrip ?? 100_000, 1_000_000) * 3 / 4 else { return false }
        }
        fill(now)
        let cost = Int64(bytes) * 8
        guard cost <= bits else {
            refused += 1
            return false
        }
        bits -= cost
        entry.tries += 1
        entry.at = now
        repeats[index] = entry
        return true
    }

    private mutating func fill(_ now: Microseconds) {
        let elapsed = min(max(0, now - filled), Self.burst)
        bits = min(bits + rate * elapsed / 1_000_000, rate * Self.burst / 1_000_000)
        filled = now
    }
}
