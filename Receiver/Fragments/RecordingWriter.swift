package import MPEGTS
import Units

/// Turns a stream's pictures and sound into the pieces of a recording: fragmented MP4 whose every fragment, behind its beginning, can be
/// played for itself from the last key frame on. No picture is decoded, and no byte of one is changed.
///
/// Unlike a preview it leaves nothing out that outputs are offered (a picture with a hole too, once there is a key frame), and its times are
/// the stream's own: where nothing came, nothing is between two times. Parameter sets stay in the pictures, so that a slate or an encoder that
/// was started again with others goes on in the same file; pictures of another size or coding, and sound of another kind, begin a new one.
/// Holds no clock, and half a second of the stream.
package struct RecordingWriter: Sendable {
    /// Where the times of a recording stand that this goes on with.
    package struct Origin: Sendable, Hashable {
        /// When the recording's first picture came, Unix milliseconds; nil: this will be the first.
        package let beganAtMs: Int64?
        /// The end of what it has, ticks of 90 kHz.
        package let end: Int64
        /// Of the last fragment.
        package let number: Int
        /// What its last file began with, and when, ticks of 90 kHz: where the same comes, that file goes on.
        package let beginning: [UInt8]?
        package let zero: Int64

        package init(beganAtMs: Int64? = nil, end: Int64 = 0, number: Int = 0, beginning: [UInt8]? = nil, zero: Int64 = 0) {
            self.beganAtMs = beganAtMs
            self.end = end
            self.number = number
            self.beginning = beginning
            self.zero = zero
        }

        /// A host that is away for longer has no lease to go on with: somebody has set its clock, and a film has no such hole.
        private static let longestGap: Int64 = 7 * 86_400 * MediaTime.ticksPerSecond

        /// Where a picture stands that comes now.
        func ticks(atMs: Int64) -> Int64 {
            guard let beganAtMs else { return 0 }
            let ticks = (atMs - beganAtMs) * (MediaTime.ticksPerSecond / 1000)
            return (end...end + Self.longestGap).contains(ticks) ? ticks : end
        }
    }

    package enum Piece: Sendable {
        /// What the fragments after it are.
        case beginning(RecordingBeginning)
        case fragment(RecordedFragment)
    }

    private let origin: Origin
    private var isExpectingPictures = true
    private var current: InitSegment?
    /// When the file that is being written began, ticks of the recording.
    private var zero: Int64 = 0
    /// Of the key frame that the pending fragment begins with, where a beginning is due with it.
    private var due: PictureTrack?
    /// From the stream's times to those of the recording; known with the first key frame.
    private var base: Int64?
    private var pictures = Fragment.Run()
    private var sound = Fragment.Run()
    private var soundFormat: AudioFormat?
    private var soundEnd: Int64 = 0
    /// Of the last picture that was taken.
    private var lastDecode: Int64?
    /// The end of what has come of the sound, by the stream's own time.
    private var heardUntil: Int64?
    private var awaitsKey = true
    private var number: Int
    /// Wall time of what is being taken, Unix milliseconds.
    private var nowMs: Int64 = 0
    /// Pictures that have no place: their time is not behind the one before, or they are larger than anything we store.
    package private(set) var lostPictures = 0

    /// Source: what a kill may cost is a second at most; the queue and the disk want some of it.
    private static let length: Int64 = 45_000
    private static let most = 4 << 20
    private static let mostSamples = 512
    private static let mostSound = 256 << 10
    private static let mostUnit = 12 << 20
    /// A pause of this length ends a fragment, so that the next one says its time itself.
    private static let pause: Int64 = 90_000
    /// Sound that was heard within this belongs to what begins.
    private static let patience: Int64 = 135_000

    package init(_ origin: Origin) {
        self.origin = origin
        number = origin.number
    }

    /// - Parameter atMs: wall time, Unix milliseconds; it says where this life of the recording begins, and nothing else.
    package mutating func take(_ event: StreamReader.Event, atMs: Int64, _ emit: (Piece) -> Void) {
        nowMs = atMs
        switch event {
        case .program(let program):
            guard isExpectingPictures != (program.video != nil) else { return }
            finish(emit)
            isExpectingPictures = program.video != nil
            awaitsKey = true
        case .video(let unit): take(unit, emit)
        case .audio(let unit): take(unit, emit)
        case .group: break
        }
    }

    /// Gives out what waits: the stream ended.
    package mutating func finish(_ emit: (Piece) -> Void) {
        guard let last = pictures.last else {
            if isTakingSound { give(emit) }
            return
        }
        // As long as the one before it.
        let length = pictures.samples.dropLast().last?.duration ?? Self.length / 15
        pictures.endLast(at: last.decode + length)
        cut(emit)
    }

    // MARK: Pictures

    private mutating func take(_ unit: VideoUnit, _ emit: (Piece) -> Void) {
        if awaitsKey, unit.isDamaged { return }
        if unit.isKey { begin(unit, emit) }
        guard !awaitsKey, let base else { return }
        let sets = missingSets(of: unit)
        let size = unit.units.reduce(0) { $0 + 4 + $1.count } + sets.reduce(0) { $0 + 4 + $1.count }
        guard !unit.units.isEmpty else { return }
        guard size <= Self.mostUnit else { return lose() }
        let decode = unit.decode.ticks - base
        if let lastDecode, decode <= lastDecode {
            lostPictures += 1
            return
        }
        if let last = pictures.last {
            pictures.endLast(at: decode)
            let first = pictures.samples[0].decode
            let isFull = pictures.bytes.count + size > Self.most || pictures.samples.count >= Self.mostSamples
            if unit.isKey || isFull || decode - first >= Self.length || decode - last.decode >= Self.pause { cut(emit) }
        }
        lastDecode = decode
        let sample = Fragment.Sample(
            decode: decode, offset: unit.presentation.ticks - unit.decode.ticks, duration: 1, size: size, isKey: unit.isKey)
        pictures.append(sample) { bytes in
            for set in sets {
                Self.count(set.count, &bytes)
                bytes += set
            }
            for range in unit.units {
                Self.count(range.count, &bytes)
                bytes += unit.bytes[range]
            }
        }
    }

    private static func count(_ count: Int, _ bytes: inout [UInt8]) {
        for shift in [24, 16, 8, 0] { bytes.append(UInt8(truncatingIfNeeded: count >> shift)) }
    }

    /// A key frame whose parameter sets came before it, and are others than the file has told.
    private func missingSets(of unit: VideoUnit) -> [[UInt8]] {
        guard unit.isKey, let format = unit.format, !unit.hasParameters, format != (due ?? current?.pictures)?.format else { return [] }
        return format.parameterSets
    }

    /// A key frame: where it is the first, or others follow than before, that is prepared.
    private mutating func begin(_ unit: VideoUnit, _ emit: (Piece) -> Void) {
        // A damaged one, and one without anything to decode it by, goes on with what there is.
        guard !unit.isDamaged, let format = unit.format, let track = PictureTrack(format) else { return }
        if base == nil { base = unit.decode.ticks - origin.ticks(atMs: nowMs) }
        let heard = heardUntil.map { unit.decode.ticks - $0 < Self.patience } ?? false
        let hasNewSound = heard && soundFormat != current?.sound
        let isOther = current?.pictures.map { $0.format.coding != format.coding || $0.size != track.size } ?? true
        awaitsKey = false
        guard isOther || hasNewSound else { return }
        if let base, let last = pictures.last, unit.decode.ticks - base > last.decode {
            pictures.endLast(at: unit.decode.ticks - base)
            cut(emit)
        }
        due = track
    }

    private mutating func lose() {
        lostPictures += 1
        awaitsKey = true
    }

    // MARK: Sound

    private mutating func take(_ unit: AudioUnit, _ emit: (Piece) -> Void) {
        let length = max(1, 1024 * MediaTime.ticksPerSecond / Int64(max(1, unit.format.sampleRate)))
        heardUntil = unit.presentation.ticks + length
        if unit.format != soundFormat {
            // What came of the other kind belongs to what was told.
            if sound.last != nil, current?.sound == soundFormat, due == nil { pass(emit) }
            sound.removeAll()
            soundFormat = unit.format
        }
        if !isExpectingPictures, base == nil { base = unit.presentation.ticks - origin.ticks(atMs: nowMs) }
        guard let base, isTakingSound, unit.bytes.count < 8192 else { return }
        let time = unit.presentation.ticks - base
        // Half a frame is how the stream counts.
        guard time >= 0, time >= soundEnd - length / 2, time > sound.last?.decode ?? -1 else { return }
        if sound.last != nil, time - soundEnd >= Self.pause { pass(emit) }
        sound.endLast(at: time)
        sound.append(Fragment.Sample(decode: time, offset: 0, duration: length, size: unit.bytes.count, isKey: true)) { $0 += unit.bytes }
        soundEnd = time + length
        let held = soundEnd - (sound.samples.first?.decode ?? 0)
        // Beside pictures it waits for theirs; where they are silent, or there are none, it goes by itself.
        let most = pictures.isEmpty ? Self.length : 4 * Self.length
        if held >= most || sound.bytes.count >= Self.mostSound { pass(emit) }
    }

    /// What waits, whichever it is.
    private mutating func pass(_ emit: (Piece) -> Void) {
        if pictures.isEmpty { give(emit) } else { cut(emit) }
    }

    /// Whether it has a place: in what was told, or in what is not told yet.
    private var isTakingSound: Bool {
        if !isExpectingPictures { return true }
        return !awaitsKey && (due != nil || (current?.sound != nil && current?.sound == soundFormat))
    }

    // MARK: Both

    private mutating func cut(_ emit: (Piece) -> Void) {
        guard !pictures.isEmpty else { return }
        if let due {
            self.due = nil
            let next = InitSegment(pictures: due, sound: sound.isEmpty ? nil : soundFormat)
            if current.map({ !Self.goesOn($0, next) }) ?? true { tell(next, emit) }
        }
        give(emit)
    }

    /// Whether what is to come fits into the file that there is.
    private static func goesOn(_ current: InitSegment, _ next: InitSegment) -> Bool {
        current.pictures?.size == next.pictures?.size && current.pictures?.format.coding == next.pictures?.format.coding
            && (next.sound == nil || next.sound == current.sound)
    }

    private mutating func tell(_ beginning: InitSegment, _ emit: (Piece) -> Void) {
        let first = [pictures.samples.first?.decode, sound.samples.first?.decode].compactMap(\.self).min() ?? 0
        let bytes = beginning.bytes
        zero = current == nil && bytes == origin.beginning ? origin.zero : first
        current = beginning
        emit(.beginning(RecordingBeginning(beginning, bytes, zero: zero, atMs: nowMs)))
    }

    private mutating func give(_ emit: (Piece) -> Void) {
        if !isExpectingPictures, !sound.isEmpty, current?.pictures != nil || current?.sound != soundFormat {
            tell(InitSegment(pictures: nil, sound: soundFormat), emit)
        }
        let hasSound = soundFormat != nil && current?.sound == soundFormat
        let fragment = Fragment(
            number: (number + 1) & 0x7FFF_FFFF, pictures: pictures, sound: hasSound ? sound : Fragment.Run(), zero: zero)
        pictures.removeAll()
        sound.removeAll()
        guard current != nil, !fragment.pictures.isEmpty || !fragment.sound.isEmpty else { return }
        number += 1
        emit(.fragment(RecordedFragment(fragment, isPicturesExpected: current?.pictures != nil)))
    }
}
