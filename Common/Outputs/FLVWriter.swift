import MPEGTS
import Units

/// Turns pictures and sound into FLV tags for an RTMP sink: one tag each, with its own header and trailer.
///
/// Our own in place of h264parse, aacparse and flvmux: those hold everything back while one of two streams is silent, cost
/// three more elements, and learn from the bytes what the demuxer knows already. NAL units pass unchanged.
/// Source: Adobe Flash Video File Format Specification 10.1, annex E; ISO/IEC 14496-15, 5.2.4.1 for the decoder configuration.
struct FLVWriter {
    /// The tags begin at zero with the first unit.
    private var base: MediaTime?
    private var video: VideoFormat?
    private var audio: AudioFormat?

    private enum Tag: UInt8 { case audio = 8, video = 9, script = 18 }

    /// - Returns: the tags for it: the unit's own, and before it those that a change of format needs.
    mutating func tags(_ unit: UnitQueue.Unit) -> [[UInt8]] {
        switch unit {
        case .video(let picture): tags(picture)
        case .audio(let sound): tags(sound)
        case .group: []
        }
    }

    private mutating func tags(_ unit: VideoUnit) -> [[UInt8]] {
        guard let format = unit.format, let configuration = FLVWriter.configuration(format) else { return [] }
        var tags: [[UInt8]] = []
        if base == nil {
            base = unit.decode
            tags.append(FLVWriter.metadata(format))
        }
        if format != video, unit.isKey {
            video = format
            tags.append(tag(.video, unit.decode, header: [0x17, 0, 0, 0, 0], length: configuration.count) { $0 += configuration })
        }
        let offset = UInt32(truncatingIfNeeded: max(0, unit.presentation.ticks - unit.decode.ticks) / 90)
        let length = unit.units.reduce(0) { $0 + 4 + $1.count }
        tags.append(
            tag(.video, unit.decode, header: [unit.isKey ? 0x17 : 0x27, 1] + FLVWriter.bytes(offset, 3), length: length) { tag in
                for range in unit.units {
                    tag += FLVWriter.bytes(UInt32(truncatingIfNeeded: range.count), 4)
                    tag += unit.bytes[range]
                }
            })
        return tags
    }

    private mutating func tags(_ unit: AudioUnit) -> [[UInt8]] {
        // Sound from before the first picture has no place on its timeline.
        if let base, unit.presentation < base { return [] }
        if base == nil { base = unit.presentation }
        var tags: [[UInt8]] = []
        if unit.format != audio {
            audio = unit.format
            tags.append(tag(.audio, unit.presentation, header: [0xAF, 0], length: 2) { $0 += unit.format.specificConfiguration })
        }
        tags.append(tag(.audio, unit.presentation, header: [0xAF, 1], length: unit.bytes.count) { $0 += unit.bytes })
        return tags
    }

    private func tag(_ type: Tag, _ time: MediaTime, header: [UInt8], length: Int, _ body: (inout [UInt8]) -> Void) -> [UInt8] {
        let elapsed = time.ticks - (base ?? time).ticks
        return FLVWriter.tag(type, UInt32(truncatingIfNeeded: max(0, elapsed) / 90), header: header, length: length, body)
    }

    private static func tag(
        _ type: Tag, _ milliseconds: UInt32, header: [UInt8], length: Int, _ body: (inout [UInt8]) -> Void
    ) -> [UInt8] {
        let size = UInt32(truncatingIfNeeded: header.count + length)
        var tag: [UInt8] = []
        tag.reserveCapacity(Int(size) + 15)
        tag.append(type.rawValue)
        tag += bytes(size, 3)
        tag += bytes(milliseconds & 0xFF_FFFF, 3)
        tag.append(UInt8(milliseconds >> 24))
        tag += [0, 0, 0]
        tag += header
        body(&tag)
        tag += bytes(size + 11, 4)
        return tag
    }

    private static func bytes(_ value: UInt32, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt32(8 * (count - 1 - $0))) }
    }

    /// AVCDecoderConfigurationRecord; nil without the sets it needs.
    private static func configuration(_ format: VideoFormat) -> [UInt8]? {
        guard format.coding == .h264 else { return nil }
        let sequence = format.parameterSets.filter { NALUnits.role($0[0], .h264) == .sequenceParameters && $0.count >= 4 }
        let picture = format.parameterSets.filter { NALUnits.role($0[0], .h264) == .pictureParameters }
        guard let first = sequence.first, !picture.isEmpty else { return nil }
        var record: [UInt8] = [1, first[1], first[2], first[3], 0xFF, 0xE0 | UInt8(sequence.count)]
        for set in sequence { record += bytes(UInt32(set.count), 2) + set }
        record.append(UInt8(picture.count))
        for set in picture { record += bytes(UInt32(set.count), 2) + set }
        return record
    }

    /// `onMetaData`, which platforms show and some demand. Codec ids: annex E.4.2.1 and E.4.3.1.
    private static func metadata(_ format: VideoFormat) -> [UInt8] {
        var values: [(String, Double)] = [("videocodecid", 7), ("audiocodecid", 10)]
        if let size = format.size { values += [("width", Double(size.width)), ("height", Double(size.height))] }
        var body: [UInt8] = [0x02] + text("onMetaData") + [0x08] + bytes(UInt32(values.count), 4)
        for (name, value) in values {
            body += text(name) + [0x00]
            body += (0..<8).map { UInt8(truncatingIfNeeded: value.bitPattern >> UInt64(56 - 8 * $0)) }
        }
        body += [0, 0, 9]
        return tag(.script, 0, header: [], length: body.count) { $0 += body }
    }

    private static func text(_ text: String) -> [UInt8] { bytes(UInt32(text.utf8.count), 2) + Array(text.utf8) }
}
