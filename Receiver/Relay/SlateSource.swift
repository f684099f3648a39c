import MPEGTS
import Units

/// The slate as a source of transport packets: begins behind the sender's last picture and sound, and goes at the pace of time.
struct SlateSource {
    /// Where the sender has left off, on the outgoing timeline.
    struct Place: Equatable {
        var decode: MediaTime
        /// The latest of all pictures: those of a stream with B pictures are shown later than the last was to be decoded.
        var presentation: MediaTime
        /// Where the last sound ends, and its format; nil for a stream without.
        var sound: (end: MediaTime, format: AudioFormat)?
        var clock: MediaTime?

        static func == (left: Place, right: Place) -> Bool {
            left.decode == right.decode && left.presentation == right.presentation && left.sound?.end == right.sound?.end
        }
    }

    /// After a pause of the machine's, what is older than this is left out: no peer wants it.
    private static let memory: Int64 = 2 * MediaTime.ticksPerSecond
    /// 250 ms from one pair of tables to the next, for who joins.
    private static let tableStep: Int64 = 22_500

    private let slate: Slate
    private let tables: [UInt8]
    private let origin: MediaTime
    private let arrival: Duration
    /// From decoding to showing, and from the clock to decoding, as the sender had it last.
    private let reorder: Int64
    private let lead: Int64
    private let sound: AudioFormat?
    private let silence: [UInt8]
    private let soundOrigin: MediaTime

    private var writer: TransportWriter
    private var pictures: Int64 = 0
    private var nextPicture = 0
    private var samples: Int64 = 0
    private var lastTables: MediaTime?

    /// - Parameters:
    ///   - program: whose PIDs it uses, and its tables as packets.
    ///   - arrival: of the sender's last picture.
    init(_ slate: Slate, program: Program, tables: [UInt8], behind place: Place, arrival: Duration) {
        self.slate = slate
        self.tables = tables
        self.arrival = arrival
        origin = place.decode
        reorder = max(0, place.presentation.ticks - place.decode.ticks)
        lead = min(MediaTime.ticksPerSecond, max(0, place.decode.ticks - (place.clock ?? place.decode).ticks))
        sound = program.audio == nil ? nil : place.sound?.format
        silence = sound?.silence ?? []
        // Sound that ended long ago is not caught up with: hours of it would be made at once. None goes back behind what was sent.
        let ahead = place.sound.map { $0.end.ticks - place.decode.ticks } ?? 0
        let isNear = (-SlateSource.memory...5 * MediaTime.ticksPerSecond).contains(ahead)
        soundOrigin = isNear ? place.sound?.end ?? place.decode : place.decode
        writer = TransportWriter(program: program)
    }

    /// When the next picture is decoded.
    var nextDecode: MediaTime { MediaTime(ticks: origin.ticks + (pictures + 1) * slate.format.frame) }
    /// When the last picture is shown.
    var lastPresentation: MediaTime { MediaTime(ticks: origin.ticks + pictures * slate.format.frame + reorder) }
    /// When the next sound begins; nil for a stream without.
    var nextSound: MediaTime? { sound.map { soundTime($0) } }
    /// The same with its format.
    var soundEnd: (end: MediaTime, format: AudioFormat)? { sound.map { (soundTime($0), $0) } }
    var frame: Int64 { slate.format.frame }

    private func soundTime(_ format: AudioFormat) -> MediaTime {
        MediaTime(ticks: soundOrigin.ticks + samples * MediaTime.ticksPerSecond / Int64(format.sampleRate))
    }

    /// All that is due, as packets.
    mutating func packets(until now: Duration) -> [UInt8] {
        let due = origin + MediaTime(nanoseconds: (now - arrival).nanoseconds)
        leaveOut(before: MediaTime(ticks: due.ticks - SlateSource.memory))
        while nextDecode <= due {
            fill(soundUntil: nextDecode)
            writePicture()
        }
        return take()
    }

    /// Silence up to where the sender's sound begins, as packets.
    mutating func silence(until begin: MediaTime) -> [UInt8] {
        guard let sound else { return [] }
        // A sound begins within 1 ms of where the one before ends.
        let length = 1024 * MediaTime.ticksPerSecond / Int64(sound.sampleRate)
        while soundTime(sound).ticks + length <= begin.ticks + 90 { writeSound(sound) }
        return take()
    }

    private mutating func leaveOut(before time: MediaTime) {
        let missed = (time.ticks - nextDecode.ticks) / slate.format.frame
        guard missed > 0 else { return }
        pictures += missed
        nextPicture = 0
        if let sound {
            let late = time.ticks - soundTime(sound).ticks
            samples += max(0, late * Int64(sound.sampleRate) / MediaTime.ticksPerSecond / 1024) * 1024
        }
    }

    private mutating func writePicture() {
        let decode = nextDecode
        let isKey = nextPicture == 0
        if isKey || lastTables.map({ decode.ticks - $0.ticks >= SlateSource.tableStep }) != false {
            writer.write(tables: tables)
            lastTables = decode
        }
        writer.write(
            picture: slate.pictures[nextPicture], presentation: MediaTime(ticks: decode.ticks + reorder), decode: decode, isKey: isKey,
            clock: MediaTime(ticks: decode.ticks - lead))
        pictures += 1
        nextPicture = (nextPicture + 1) % slate.pictures.count
    }

    private mutating func fill(soundUntil time: MediaTime) {
        guard let sound else { return }
        while soundTime(sound) <= time { writeSound(sound) }
    }

    private mutating func writeSound(_ format: AudioFormat) {
        writer.write(sound: silence, presentation: soundTime(format))
        samples += 1024
    }

    private mutating func take() -> [UInt8] {
        defer { writer.packets = [] }
        return writer.packets
    }
}
