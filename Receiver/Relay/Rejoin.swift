import MPEGTS
import Units

/// Looks into the packets of a sender that is back for the key frame at which it may be shown, and holds them from there on.
struct Rejoin {
    /// How a sender is taken up again.
    struct Join {
        /// The key frame's decode time as the sender counts, and where it lies on the outgoing timeline.
        var source: MediaTime
        var output: MediaTime
        /// Where its sound begins on the outgoing timeline; nil where there is none.
        var sound: MediaTime?
        /// What may pass of it, and the packets themselves with the tables before them.
        var fences: [Fence]
        var packets: [UInt8]
    }

    /// Sound is packed later than its picture, and up to 350 ms of it into one packet (ffmpeg); this long it is waited for.
    static let patience: Duration = .milliseconds(800)
    /// Of sound that came before its picture: four seconds at 128 kbit/s.
    private static let soundLimit = 64 << 10
    /// Sound that begins later than this behind its picture does not belong to it, and silence up to there is not made.
    private static let soundAhead = 5 * MediaTime.ticksPerSecond
    /// Of all: a key frame of 4 MiB, the longest that is taken apart, and what comes while sound is waited for.
    private static let limit = 8 << 20

    private var demuxer: Demuxer
    private var held: [UInt8] = []
    private var key: (decode: MediaTime, presentation: MediaTime, found: Duration)?

    /// - Parameter look: what took the stream apart before; its tables may be those of the sender still.
    init(look: Demuxer) { demuxer = look }

    /// The key frame is here, and its sound is waited for: the slate stands still meanwhile.
    var hasKey: Bool { key != nil }

    /// What came before a pause is of no use.
    mutating func beginAnew() {
        held = []
        key = nil
        demuxer.noteDiscontinuity()
    }

    /// - Parameter trusted: whether a key frame that ends here may be the one.
    mutating func feed(_ packets: [UInt8], at now: Duration, trusted: Bool) {
        if held.count > Rejoin.limit { beginAnew() }
        var position = 0
        while position < packets.count {
            if let packet = Packet(packets, at: position) { feed(packet, packets, now, trusted) }
            position += Packet.size
        }
    }

    private mutating func feed(_ packet: Packet, _ bytes: [UInt8], _ now: Duration, _ trusted: Bool) {
        var found: VideoUnit?
        demuxer.feed(packet, bytes) { event in
            guard case .video(let unit) = event, unit.isKey, !unit.isDamaged, unit.hasParameters else { return }
            found = found ?? unit
        }
        if key == nil {
            if trusted, let found {
                key = (found.decode, found.presentation, now)
            } else if demuxer.beginsPicture(packet) {
                dropPicture()
            }
        }
        held += bytes[packet.start..<packet.end]
    }

    /// The last picture was not the one.
    private mutating func dropPicture() {
        guard let video = demuxer.program?.video?.pid else { return }
        var kept: [UInt8] = []
        for start in stride(from: 0, to: held.count, by: Packet.size) {
            guard let packet = Packet(held, at: start), packet.pid != video else { continue }
            kept += held[start..<start + Packet.size]
        }
        held = kept.suffix(Rejoin.soundLimit / Packet.size * Packet.size)
    }

    /// - Returns: nil while there is no key frame, or its sound is waited for.
    func join(behind source: SlateSource, at now: Duration) -> Join? {
        guard let key, let program = demuxer.program, let video = program.video else { return nil }
        // In the slate's next place, and shown behind its last picture.
        let move = max(
            source.nextDecode.ticks - key.decode.ticks, source.lastPresentation.ticks + source.frame - key.presentation.ticks)
        var fences = [Fence(pid: video.pid, from: Timestamp.wrap(key.presentation.ticks))]
        var begin: MediaTime?
        if let audio = program.audio {
            let least = (source.nextSound?.ticks ?? key.decode.ticks + move) - move - 90
            let first = firstSound(on: audio.pid, from: least, near: key.decode.ticks)
            if first == nil, now - key.found < Rejoin.patience { return nil }
            fences.append(Fence(pid: audio.pid, from: Timestamp.wrap(first ?? least)))
            begin = first.map { MediaTime(ticks: $0 + move) }
        }
        return Join(
            source: key.decode, output: MediaTime(ticks: key.decode.ticks + move), sound: begin, fences: fences,
            packets: demuxer.tables + held)
    }

    /// The time of the first sound that begins no earlier than `least`, in the sender's time.
    private func firstSound(on pid: UInt16, from least: Int64, near reference: Int64) -> Int64? {
        for start in stride(from: 0, to: held.count, by: Packet.size) {
            guard let packet = Packet(held, at: start), packet.pid == pid, let time = Fence.time(packet, held) else { continue }
            let unwrapped = Timestamp.unwrap(time, near: reference)
            if unwrapped >= least, unwrapped - reference <= Rejoin.soundAhead { return unwrapped }
        }
        return nil
    }
}
