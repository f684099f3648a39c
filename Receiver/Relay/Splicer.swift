import MPEGTS
import Units

/// One outgoing stream of two sources in turn: the sender, and the slate while the sender is silent.
///
/// Both go through one reader, so that all outputs, those that pass packets on too, see one timeline. Holds no clock; times are
/// those of a steady one, from any origin. One thread feeds it.
struct Splicer {
    private(set) var reader = StreamReader()
    private(set) var darkness = Darkness()
    /// What a slate must be like to be shown; nil until enough is known of the sender.
    private(set) var wanted: SlateFormat?
    /// The one that is ready.
    var slate: Slate?

    private var source: SlateSource?
    private var rejoin: Rejoin?
    private var fences: [Fence] = []
    private var rate = FrameRate()
    /// Of the sender's last key frame that a slate could be left at.
    private var keyFormat: VideoFormat?
    private var place = SlateSource.Place(decode: MediaTime(ticks: 0), presentation: MediaTime(ticks: 0))
    /// Of the last sound, while it is the sender's.
    private var soundEnd: (end: MediaTime, format: AudioFormat)?

    /// Each so often the slate's next pictures are made: as often as one is due at 25 a second.
    private static let step: Duration = .milliseconds(40)

    /// Whether transport groups are made: only while an output takes them.
    var makesGroups: Bool {
        get { reader.makesGroups }
        set { reader.makesGroups = newValue }
    }

    /// When `tick` is to be called next; nil while nothing is to be done without media.
    func nextTick(after now: Duration) -> Duration? {
        if source != nil { return now + Splicer.step }
        guard slate != nil, slate?.format == wanted else { return nil }
        return darkness.darkAt(frame: rate.frame)
    }

    /// Bytes of the sender.
    /// - Parameters:
    ///   - now: when they came; must not go back.
    ///   - take: called with what the outputs are to be offered.
    mutating func feed(_ bytes: [UInt8], at now: Duration, _ take: (StreamReader.Event) -> Void) {
        let packets = reader.align(bytes)
        guard rejoin != nil else { return pass(packets, at: now, take) }
        guard !packets.isEmpty else { return }
        if darkness.media(at: now) == .begins { rejoin?.beginAnew() }
        rejoin?.feed(packets, at: now, trusted: darkness.trusts(at: now))
        join(at: now, take)
    }

    /// What is due without the sender.
    mutating func tick(at now: Duration, _ take: (StreamReader.Event) -> Void) {
        if source != nil {
            join(at: now, take)
            showMore(at: now, take)
        } else if let slate, slate.format == wanted, let dark = darkness.darkAt(frame: rate.frame), now >= dark {
            show(slate, at: now, take)
        }
    }

    /// The end of the stream: gives out what is held back.
    mutating func finish(_ take: (StreamReader.Event) -> Void) { reader.finish(take) }

    // MARK: The sender

    private mutating func pass(_ packets: [UInt8], at now: Duration, _ take: (StreamReader.Event) -> Void) {
        var seen = Seen(place: place, sound: soundEnd, rate: rate)
        let runs = fences.isEmpty ? [Run(packets: packets)] : fenced(packets)
        for run in runs {
            if let pid = run.leftOut { reader.leaveOut(pid) }
            reader.feed(packets: run.packets, arrival: now) { event in
                seen.note(event)
                take(event)
            }
        }
        note(seen, at: now)
    }

    /// Packets without a hole that a fence has made; before them were some of a PID that did not pass.
    private struct Run {
        var leftOut: UInt16?
        var packets: [UInt8] = []
    }

    private mutating func fenced(_ packets: [UInt8]) -> [Run] {
        var runs = [Run()]
        for start in stride(from: 0, to: packets.count, by: Packet.size) {
            guard let packet = Packet(packets, at: start) else { continue }
            if let index = fences.firstIndex(where: { $0.pid == packet.pid }), !fences[index].passes(packet, packets) {
                if runs[runs.count - 1].packets.isEmpty, runs[runs.count - 1].leftOut == packet.pid { continue }
                runs.append(Run(leftOut: packet.pid))
            } else {
                runs[runs.count - 1].packets += packets[start..<packet.end]
            }
        }
        fences.removeAll(where: \.isOver)
        return runs
    }

    private mutating func note(_ seen: Seen, at now: Duration) {
        let before = rate.settled
        place = seen.place
        soundEnd = seen.sound
        rate = seen.rate
        if seen.hasPicture { darkness.picture(at: now) }
        guard seen.format != nil || rate.settled != before else { return }
        keyFormat = seen.format ?? keyFormat
        if let keyFormat, let frame = rate.settled { wanted = SlateFormat(keyFormat, frame: frame) }
    }

    // MARK: The slate

    private mutating func show(_ slate: Slate, at now: Duration, _ take: (StreamReader.Event) -> Void) {
        guard let arrival = darkness.lastPicture else { return }
        var seen = Seen(place: place, sound: soundEnd, rate: rate)
        reader.leave { event in
            seen.note(event)
            take(event)
        }
        place = seen.place
        guard let program = reader.program else { return }
        place.clock = reader.clock
        place.sound = seen.sound
        source = SlateSource(slate, program: program, tables: reader.tables, behind: place, arrival: arrival)
        rejoin = Rejoin(look: reader.look)
        fences = []
        darkness.showSlate(at: now)
        reader.splice(place.decode, at: place.decode)
        showMore(at: now, take)
    }

    private mutating func showMore(at now: Duration, _ take: (StreamReader.Event) -> Void) {
        guard rejoin?.hasKey != true, let packets = source?.packets(until: now), !packets.isEmpty else { return }
        reader.feed(packets: packets, arrival: now, take)
    }

    private mutating func join(at now: Duration, _ take: (StreamReader.Event) -> Void) {
        guard let source, let join = rejoin?.join(behind: source, at: now) else { return }
        if let sound = join.sound, let silence = self.source?.silence(until: sound) {
            reader.feed(packets: silence, arrival: now, take)
        }
        soundEnd = self.source?.soundEnd
        self.source = nil
        rejoin = nil
        fences = join.fences
        darkness.join(at: now)
        reader.splice(join.source, at: join.output)
        // Measured anew: the sender may have been started with another rate.
        rate = FrameRate()
        pass(join.packets, at: now, take)
    }
}

/// What was seen of a sender in one batch.
private struct Seen {
    var place: SlateSource.Place
    var sound: (end: MediaTime, format: AudioFormat)?
    var rate: FrameRate
    var hasPicture = false
    /// Of a whole key frame that brings its parameter sets: the only kind at which a slate can be left again.
    var format: VideoFormat?

    mutating func note(_ event: StreamReader.Event) {
        switch event {
        case .video(let unit):
            hasPicture = true
            rate.note(unit.decode)
            place.decode = unit.decode
            place.presentation = max(place.presentation, unit.presentation)
            if unit.isKey, !unit.isDamaged, unit.hasParameters { format = unit.format }
        case .audio(let unit):
            let length = 1024 * MediaTime.ticksPerSecond / Int64(unit.format.sampleRate)
            sound = (MediaTime(ticks: unit.presentation.ticks + length), unit.format)
        case .program, .group: break
        }
    }
}
