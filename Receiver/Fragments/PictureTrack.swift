import MPEGTS

/// What a player has to know of the pictures: how they are coded, in the words of an MP4 file and of a codec list.
struct PictureTrack: Sendable, Hashable {
    let format: VideoFormat
    let size: PictureSize
    /// As of RFC 6381: `avc1.4d401f`, `hvc1.1.6.L93.b0`.
    let codec: String
    /// The body of `avcC` or `hvcC`.
    let configuration: [UInt8]

    /// - Returns: nil where something is missing or cannot be read.
    init?(_ format: VideoFormat) {
        guard let size = format.size else { return nil }
        let made =
            switch format.coding {
            case .h264: PictureTrack.h264(format)
            case .h265: PictureTrack.h265(format)
            }
        guard let made else { return nil }
        self.format = format
        self.size = size
        (codec, configuration) = made
    }

    private static func sets(_ format: VideoFormat, _ role: NALUnits.Role) -> [[UInt8]] {
        format.parameterSets.filter { set in set.first.map { NALUnits.role($0, format.coding) == role } ?? false }
    }

    /// A set with its length of two bytes in front.
    private static func counted(_ set: [UInt8]) -> [UInt8] {
        [UInt8(truncatingIfNeeded: set.count >> 8), UInt8(truncatingIfNeeded: set.count)] + set
    }

    /// Source: ISO/IEC 14496-15, 5.3.3.1.2; RFC 6381, 3.3. What the High profiles have at the end no player reads, since the set has it.
    private static func h264(_ format: VideoFormat) -> (String, [UInt8])? {
        let (sequence, picture) = (sets(format, .sequenceParameters), sets(format, .pictureParameters))
        guard let first = sequence.first, first.count >= 4, !picture.isEmpty else { return nil }
        var record: [UInt8] = [1, first[1], first[2], first[3], 0xFF, 0xE0 | UInt8(truncatingIfNeeded: sequence.count)]
        for set in sequence { record += counted(set) }
        record.append(UInt8(truncatingIfNeeded: picture.count))
        for set in picture { record += counted(set) }
        return ("avc1." + first[1...3].map(hexadecimal).joined(), record)
    }

    /// Source: ISO/IEC 14496-15, 8.3.3.1.2 and E.3; ITU-T H.265, 7.3.2.2 and 7.3.3.
    private static func h265(_ format: VideoFormat) -> (String, [UInt8])? {
        let kinds = [NALUnits.Role.videoParameters, .sequenceParameters, .pictureParameters].map { sets(format, $0) }
        guard kinds.allSatisfy({ !$0.isEmpty }), let set = kinds[1].first, let sequence = HighEfficiencySequence(set) else { return nil }
        let profile = sequence.profile
        var record: [UInt8] = [1] + profile
        // Segmentation and parallelism are told by nobody, nor how many pictures a second there are.
        record += [0xF0, 0, 0xFC, 0xFC | sequence.chroma, 0xF8 | sequence.lumaDepth, 0xF8 | sequence.chromaDepth, 0, 0]
        record.append(sequence.layers << 3 | (sequence.isNested ? 4 : 0) | 3)
        record.append(UInt8(kinds.count))
        for (type, sets) in zip([UInt8(32), 33, 34], kinds) {
            record += [0x80 | type, 0, UInt8(truncatingIfNeeded: sets.count)]
            for set in sets { record += counted(set) }
        }
        return (codec(profile), record)
    }

    /// - Parameter profile: the twelve bytes from `general_profile_space` to `general_level_idc`.
    private static func codec(_ profile: [UInt8]) -> String {
        let space = ["", "A", "B", "C"][Int(profile[0] >> 6)]
        let compatible = profile[1...4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        // The flag that comes first counts least.
        var reversed: UInt32 = 0
        for bit in 0..<UInt32(32) where compatible >> bit & 1 == 1 { reversed |= 1 << (31 - bit) }
        var constraints = Array(profile[5...10])
        while constraints.last == 0 { constraints.removeLast() }
        let tier = profile[0] & 0x20 == 0 ? "L" : "H"
        let parts = ["hvc1", "\(space)\(profile[0] & 0x1F)", String(reversed, radix: 16), "\(tier)\(profile[11])"]
        return (parts + constraints.map { String($0, radix: 16) }).joined(separator: ".")
    }

    private static func hexadecimal(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }
}

/// What `hvcC` repeats of an H.265 sequence parameter set.
private struct HighEfficiencySequence {
    let profile: [UInt8]
    /// `chroma_format_idc`.
    let chroma: UInt8
    /// Bits of a sample beyond eight.
    let lumaDepth, chromaDepth: UInt8
    /// Temporal ones, one at least.
    let layers: UInt8
    let isNested: Bool

    /// Source: ITU-T H.265, 7.3.2.2.1.
    init?(_ set: [UInt8]) {
        var reader = BitReader(set.dropFirst(2))
        reader.skip(4)
        let further = reader.bits(3)
        isNested = reader.flag()
        profile = (0..<12).map { _ in UInt8(truncatingIfNeeded: reader.bits(8)) }
        var present: [(profile: Bool, level: Bool)] = []
        for _ in 0..<further { present.append((reader.flag(), reader.flag())) }
        if further > 0 { reader.skip(2 * (8 - further)) }
        for layer in present { reader.skip((layer.profile ? 88 : 0) + (layer.level ? 8 : 0)) }
        _ = reader.unsigned()
        let chroma = reader.unsigned()
        if chroma == 3 { reader.skip(1) }
        for _ in 0..<2 { _ = reader.unsigned() }
        if reader.flag() { for _ in 0..<4 { _ = reader.unsigned() } }
        let (luma, colour) = (reader.unsigned(), reader.unsigned())
        guard !reader.isExhausted, further < 7, chroma <= 3, luma <= 8, colour <= 8 else { return nil }
        layers = UInt8(further) + 1
        self.chroma = UInt8(chroma)
        // Three bits each.
        (lumaDepth, chromaDepth) = (UInt8(min(luma, 7)), UInt8(min(colour, 7)))
    }
}
