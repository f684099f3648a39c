package import MPEGTS
import Units
package import Wire

/// Turns a stream's pictures and sound into fragmented MP4, as browsers take it through MediaSource: no picture is decoded, none is changed.
///
/// A fragment is a quarter of a second, or begins with a key frame. What cannot be shown without a fault (pictures that are torn, that go
/// back in time or are too large) is left out up to the next key frame, with its sound, and the fragments' own times go on without a hole: a
/// player would wait in it. Holds no clock, and less than `WireLimits.previewBytes`.
package struct FragmentWriter: Sendable {
    private var isExpectingPictures = true
    /// What the last beginning said.
    private var current: InitSegment?
    /// Of the key frame that the pending fragment begins with, where a beginning is due with it.
    private var due: PictureTrack?
    /// From the stream's times to those of the fragments.
    private var base: Int64?
    private var pictures = Fragment.Run()
    private var sound = Fragment.Run()
    private var soundFormat: AudioFormat?
    /// The end of the last picture that was given out, and of the last sound that was taken.
    private var pictureEnd: Int64 = 0
    private var soundEnd: Int64 = 0
    /// The end of what has come of the sound, by the stream's own time.
    private var heardUntil: Int64?
    private var awaitsKey = true
    private var number = 0

    private static let length: Int64 = 22_500
    private static let soundLimit = 96
    private static let soundBytes = 64 << 10
    /// Sound that was not heard for so long has gone: a player would wait for it.
    private static let patience: Int64 = 135_000
    /// Of a chunk, for pictures: the sound and the boxes take less than the rest.
    private static let room = WireLimits.previewBytes - (96 << 10)
    /// Pictures of one fragment: a stream may say of any number that they take no time.
    private static let pictureLimit = 128

    package init() {}

    package mutating func take(_ event: StreamReader.Event, _ emit: (PreviewChunk) -> Void) {
        switch event {
        case .program(let program):
            guard isExpectingPictures != (program.video != nil) else { return }
            self = FragmentWriter(after: self)
            isExpectingPictures = program.video != nil
        case .video(let unit): take(unit, emit)
        case .audio(let unit): take(unit, emit)
        case .group: break
        }
    }

    /// Another kind of stream: times and numbers go on, all else begins anew.
    private init(after other: FragmentWriter) {
        (base, pictureEnd, soundEnd, number) = (other.base, other.pictureEnd, other.soundEnd, other.number)
    }

    // MARK: Pictures

    private mutating func take(_ unit: VideoUnit, _ emit: (PreviewChunk) -> Void) {
        guard !unit.isDamaged else { return lose() }
        if unit.isKey { begin(unit, emit) }
        guard !awaitsKey, let base else { return }
        let ranges = kept(unit)
        // A length of four bytes in front of each may be more than the three that marked it.
        let size = ranges.reduce(0) { $0 + 4 + $1.count }
        guard size <= Self.room / 2 || (unit.isKey && size <= Self.room) else { return lose() }
        let decode = unit.decode.ticks - base
        if let last = pictures.last {
            guard decode > last.decode else { return lose() }
            pictures.endLast(at: decode)
            let first = pictures.samples[0].decode
            let isFull = pictures.bytes.count + size > Self.room / 2 || pictures.samples.count >= Self.pictureLimit
            if unit.isKey || isFull || decode - first >= Self.length { cut(emit) }
        }
        guard !ranges.isEmpty else { return }
        let sample = Fragment.Sample(
            decode: decode, offset: unit.presentation.ticks - unit.decode.ticks, duration: 1, size: size, isKey: unit.isKey)
        pictures.append(sample) { bytes in
            for range in ranges {
                for shift in [24, 16, 8, 0] { bytes.append(UInt8(truncatingIfNeeded: range.count >> shift)) }
                bytes += unit.bytes[range]
            }
        }
    }

    /// A key frame: what came before it ends, and where it is the first after a loss, or others follow than before, that is prepared.
    private mutating func begin(_ unit: VideoUnit, _ emit: (PreviewChunk) -> Void) {
        guard let format = unit.format, let track = PictureTrack(format) else { return lose() }
        if let base, !awaitsKey { endPictures(at: unit.decode.ticks - base, emit) }
        // Whatever is missing, or came twice, is passed over.
        base = unit.decode.ticks - pictureEnd
        awaitsKey = false
        let soundIsThere = heardUntil.map { unit.decode.ticks - $0 < Self.patience } ?? false
        let isOther = current?.pictures != track || current?.sound != (soundIsThere ? soundFormat : nil)
        due = isOther ? track : nil
    }

    private mutating func endPictures(at decode: Int64, _ emit: (PreviewChunk) -> Void) {
        guard let last = pictures.last else { return }
        guard decode > last.decode else { return pictures.removeAll() }
        pictures.endLast(at: decode)
        cut(emit)
    }

    /// Delimiters and parameter sets that the beginning has are no part of a sample. Source: ISO/IEC 14496-15, 5.3.2 and 8.3.2.
    private func kept(_ unit: VideoUnit) -> [Range<Int>] {
        let coding = unit.format?.coding ?? .h264
        let isTold = unit.format == (due ?? current?.pictures)?.format
        return unit.units.filter { range in
            switch NALUnits.role(unit.bytes[range.lowerBound], coding) {
            case .delimiter: false
            case .videoParameters, .sequenceParameters, .pictureParameters: !isTold
            case .keySlice, .slice, .other: true
            }
        }
    }

    private mutating func lose() {
        pictures.removeAll()
        if let first = sound.samples.first { soundEnd = first.decode }
        sound.removeAll()
        awaitsKey = true
    }

    // MARK: Sound

    private mutating func take(_ unit: AudioUnit, _ emit: (PreviewChunk) -> Void) {
        let length = max(1, 1024 * MediaTime.ticksPerSecond / Int64(max(1, unit.format.sampleRate)))
        heardUntil = unit.presentation.ticks + length
        if unit.format != soundFormat { change(to: unit.format) }
        if !isExpectingPictures { follow(unit.presentation.ticks) }
        guard let base, isTakingSound, unit.bytes.count < 8192 else { return }
        let time = unit.presentation.ticks - base
        // Half a frame is how the stream counts.
        guard time >= 0, time >= soundEnd - length / 2, time > sound.last?.decode ?? -1 else { return }
        sound.endLast(at: time)
        sound.append(Fragment.Sample(decode: time, offset: 0, duration: length, size: unit.bytes.count, isKey: true)) { $0 += unit.bytes }
        soundEnd = time + length
        if !isExpectingPictures, soundEnd - (sound.samples.first?.decode ?? 0) >= Self.length {
            tell(InitSegment(pictures: nil, sound: soundFormat), emit)
            return give(.key, Fragment.Run(), emit)
        }
        // Without pictures beside it, it goes by itself.
        if sound.samples.count >= Self.soundLimit || sound.bytes.count >= Self.soundBytes { give(.more, Fragment.Run(), emit) }
    }

    private mutating func change(to format: AudioFormat) {
        if let first = sound.samples.first { soundEnd = first.decode }
        sound.removeAll()
        soundFormat = format
    }

    /// Sound alone: it has the times to itself, and goes on over a hole of a second as pictures do.
    private mutating func follow(_ time: Int64) {
        let ahead = base.map { time - $0 - soundEnd }
        if ahead.map({ $0 < 0 || $0 > MediaTime.ticksPerSecond }) ?? true { base = time - soundEnd }
    }

    /// Whether it has a place: in the beginning that was told, or in one that is not told yet.
    private var isTakingSound: Bool {
        !isExpectingPictures || (!awaitsKey && (due != nil || current?.sound == soundFormat))
    }

    // MARK: Both

    private mutating func cut(_ emit: (PreviewChunk) -> Void) {
        guard let first = pictures.samples.first, let last = pictures.last else { return }
        if let due {
            tell(InitSegment(pictures: due, sound: sound.isEmpty ? nil : soundFormat), emit)
            self.due = nil
        }
        pictureEnd = last.decode + last.duration
        let run = pictures
        pictures.removeAll()
        give(first.isKey ? .key : .more, run, emit)
    }

    private mutating func tell(_ beginning: InitSegment, _ emit: (PreviewChunk) -> Void) {
        guard beginning != current else { return }
        current = beginning
        let codecs = Array(beginning.codecs.utf8)
        emit(PreviewChunk(.beginning, [UInt8(truncatingIfNeeded: codecs.count)] + codecs + beginning.bytes))
    }

    private mutating func give(_ kind: PreviewChunk.Kind, _ pictures: Fragment.Run, _ emit: (PreviewChunk) -> Void) {
        number += 1
        let hasSound = soundFormat != nil && current?.sound == soundFormat
        let fragment = Fragment(number: number & 0x7FFF_FFFF, pictures: pictures, sound: hasSound ? sound : Fragment.Run())
        sound.removeAll()
        guard current != nil, !fragment.pictures.isEmpty || !fragment.sound.isEmpty else { return }
        emit(PreviewChunk(kind, fragment.bytes))
    }
}
