import BondWire
import Congestion
import Forwarding
import RTP
import SRTP

/// What leaves for one player: each packet in its turn, numbered or timed as it leaves, and protected.
///
/// Sound never waits; what waits is bounded by `PacedQueue`.
final class Departures {
    private var downlink: Downlink
    private var queue = PacedQueue()
    /// For one packet with its protection, as it is made.
    private let buffer: UnsafeMutableRawBufferPointer
    private let protection: () -> SRTPSender?
    /// What `protection` gave first; it stays for as long as the peer does.
    private var opened: SRTPSender?
    private let send: (UnsafeRawBufferPointer) -> Void
    private let waits: () -> Void
    /// On whose source of repeats padding goes; without one nothing is probed.
    weak var padded: OutgoingTrack?
    /// Some track has more to send as soon as nothing waits (`OutgoingTrack.catchUp`): nothing is padded meanwhile.
    var isBehind = false

    /// Of IPv4 and UDP, in bytes: what an estimate counts as well.
    private static let lowerHeaders = 28
    /// What a packet costs beyond its RTP: those, and SRTP's longest tag (RFC 7714 section 12).
    static let overhead = lowerHeaders + 16

    /// - Parameters:
    ///   - protection: nil as long as the peer's handshake lasts.
    ///   - waits: called where something waits, for `flush` soon.
    init(
        _ feedback: Downlink.Feedback, buffer: UnsafeMutableRawBufferPointer, protection: @escaping () -> SRTPSender?,
        send: @escaping (UnsafeRawBufferPointer) -> Void, waits: @escaping () -> Void
    ) {
        downlink = Downlink(feedback)
        self.buffer = buffer
        self.protection = protection
        self.send = send
        self.waits = waits
    }

    var isOpen: Bool { sender != nil }

    /// How long it takes until so many bytes of pictures have left.
    func drainTime(_ bytes: Int) -> Microseconds { downlink.drainTime(bytes) }

    /// Whether a packet of a picture that is taken now leaves at once.
    func hasTurn(at now: Microseconds) -> Bool { isOpen && queue.isEmpty && downlink.mayLeave(.picture, queued: 0, at: now) }
    var feedback: Downlink.Feedback { downlink.feedback }

    /// Asked for until it is there: each packet needs it.
    private var sender: SRTPSender? {
        if opened == nil { opened = protection() }
        return opened
    }

    /// From now on the way is known by this; nothing was known of it before, and nothing waits.
    func begin(_ feedback: Downlink.Feedback) { downlink = Downlink(feedback) }

    // MARK: Packets

    /// Takes the packet that lies in the first `count` bytes of the buffer, which is anybody's again then.
    ///
    /// - Parameters:
    ///   - track: its source.
    ///   - stamp: where its number or its time goes; nil where it has neither.
    /// - Returns: whether it left or waits; where a picture does not, nothing of its track waits any more.
    func take(_ kind: Pacer.Kind, _ count: Int, of track: UInt32, stamp: Int?, at now: Microseconds) -> Bool {
        guard let sender else { return true }
        if kind == .sound || queue.isEmpty && downlink.mayLeave(kind, queued: count, at: now) {
            leave(kind, count, stamp, sender, at: now)
            return true
        }
        var packet = queue.takeSpare()
        packet.append(contentsOf: UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<count]))
        let isKept = queue.append(PacedQueue.Packet(kind, of: track, stamp: stamp, packet))
        flush(at: now)
        return isKept
    }

    /// Where a key frame of a track begins: what waits before it goes, if that is much.
    ///
    /// - Returns: whether something went.
    func makeRoom(for track: UInt32) -> Bool { downlink.isLate(queued: queue.bytes) && queue.drop(track) > 0 }

    /// Nothing more of this track is wanted.
    func drop(_ track: UInt32) { _ = queue.drop(track) }

    /// Lets go what may go now, and padding where it is probed what the way carries.
    func flush(at now: Microseconds) {
        guard let sender else { return }
        downlink.advance(to: now)
        while let kind = queue.nextKind, downlink.mayLeave(kind, queued: queue.bytes, at: now), let packet = queue.removeFirst() {
            packet.bytes.withUnsafeBytes { buffer.copyMemory(from: $0) }
            leave(kind, packet.bytes.count, packet.stamp, sender, at: now)
            queue.recycle(packet)
        }
        while queue.isEmpty, !isBehind, let padded, let count = downlink.padding(at: now), let written = padded.pad(count) {
            leave(.padding, written, padded.header.stamp, sender, at: now)
        }
        if !queue.isEmpty || isBehind || downlink.isProbing && padded != nil { waits() }
    }

    private func leave(_ kind: Pacer.Kind, _ count: Int, _ stamp: Int?, _ protection: SRTPSender, at now: Microseconds) {
        let number = downlink.leave(
            kind, bytes: count + protection.mediaOverhead + Self.lowerHeaders, isNumbered: stamp != nil, at: now)
        if let stamp {
            var packet = MutableSpan<UInt8>(_unsafeBytes: buffer)
            if let number {
                ExtensionValues.rewrite(transportSequence: number, at: stamp..<stamp + 2, in: &packet)
            } else {
                ExtensionValues.rewrite(sendTime: Self.sendTime(now), at: stamp..<stamp + 3, in: &packet)
            }
        }
        // try?: of a source of our own with numbers that are used once nothing is refused; a packet that was is lost like any other.
        guard let protected = try? protection.protect(buffer, count, .first) else { return }
        send(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<protected]))
    }

    /// Seconds in 6.18, which begin again each 64 s.
    private static func sendTime(_ now: Microseconds) -> UInt32 { UInt32(truncatingIfNeeded: ((now % 64_000_000) << 18) / 1_000_000) }

    // MARK: The way

    func take(_ feedback: TransportFeedback, at now: Microseconds) { downlink.take(feedback, at: now) }

    /// - Parameter bitsPerSecond: as the player estimates its way.
    func take(estimate bitsPerSecond: UInt64) { downlink.take(estimate: bitsPerSecond) }

    func offersChanged() { downlink.offersChanged() }

    func isDue(at now: Microseconds) -> Bool { downlink.isDue(at: now) }

    func choose(_ tracks: [LayerChoice.Track], at now: Microseconds) -> [LayerChoice.Choice] { downlink.choose(tracks, at: now) }
}
