/// What a sequence parameter set says about the size of the picture, after cropping, in luma samples.
package struct PictureSize: Sendable, Hashable {
    package let width: Int
    package let height: Int

    /// - Parameter unit: the NAL unit with its header, without a start code.
    /// - Returns: nil for what cannot be read, or lies outside 16...16384.
    init?(h264 unit: ArraySlice<UInt8>) {
        var reader = BitReader(unit.dropFirst())
        let profile = reader.bits(8)
        reader.skip(16)
        _ = reader.unsigned()
        let chroma = PictureSize.hasChroma(profile) ? PictureSize.readChroma(&reader) : 1
        _ = reader.unsigned()
        PictureSize.skipOrderCount(&reader)
        _ = reader.unsigned()
        reader.skip(1)
        let columns = reader.unsigned() + 1
        let rows = reader.unsigned() + 1
        let frameOnly = reader.flag()
        if !frameOnly { reader.skip(1) }
        reader.skip(1)
        let unitX = chroma == 1 || chroma == 2 ? 2 : 1
        let unitY = (chroma == 1 ? 2 : 1) * (frameOnly ? 1 : 2)
        let crop = reader.flag() ? PictureSize.readCrop(&reader) : (0, 0)
        self.init(
            width: columns * 16 - crop.0 * unitX, height: rows * 16 * (frameOnly ? 1 : 2) - crop.1 * unitY, valid: !reader.isExhausted)
    }

    /// Whether its pictures may be fields, or frames woven of two: frame_mbs_only_flag is not set.
    package static func isInterlaced(h264 unit: ArraySlice<UInt8>) -> Bool {
        var reader = BitReader(unit.dropFirst())
        let profile = reader.bits(8)
        reader.skip(16)
        _ = reader.unsigned()
        if hasChroma(profile) { _ = readChroma(&reader) }
        _ = reader.unsigned()
        skipOrderCount(&reader)
        _ = reader.unsigned()
        reader.skip(1)
        _ = reader.unsigned()
        _ = reader.unsigned()
        let frameOnly = reader.flag()
        return !frameOnly && !reader.isExhausted
    }

    /// Source: ITU-T H.265, 7.3.2.2.
    init?(h265 unit: ArraySlice<UInt8>) {
        var reader = BitReader(unit.dropFirst(2))
        reader.skip(4)
        let subLayers = reader.bits(3)
        reader.skip(1)
        PictureSize.skipProfileTierLevel(&reader, subLayers: subLayers)
        _ = reader.unsigned()
        let chroma = reader.unsigned()
        if chroma == 3 { reader.skip(1) }
        let width = reader.unsigned()
        let height = reader.unsigned()
        let crop = reader.flag() ? PictureSize.readCrop(&reader) : (0, 0)
        let unitX = chroma == 1 || chroma == 2 ? 2 : 1
        let unitY = chroma == 1 ? 2 : 1
        self.init(width: width - crop.0 * unitX, height: height - crop.1 * unitY, valid: !reader.isExhausted)
    }

    init?(width: Int, height: Int, valid: Bool = true) {
        guard valid, (16...16384).contains(width), (16...16384).contains(height) else { return nil }
        self.width = width
        self.height = height
    }

    /// Source: ITU-T H.264, 7.3.2.1.1.
    private static func hasChroma(_ profile: Int) -> Bool {
        [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135].contains(profile)
    }

    private static func readChroma(_ reader: inout BitReader) -> Int {
        let chroma = reader.unsigned()
        if chroma == 3 { reader.skip(1) }
        _ = reader.unsigned()
        _ = reader.unsigned()
        reader.skip(1)
        if reader.flag() {
            for index in 0..<(chroma == 3 ? 12 : 8) where reader.flag() {
                skipScalingList(&reader, count: index < 6 ? 16 : 64)
            }
        }
        return chroma
    }

    private static func skipScalingList(_ reader: inout BitReader, count: Int) {
        var last = 8
        for _ in 0..<count {
            let next = (last + reader.signed()) & 0xFF
            if next == 0 { return }
            last = next
        }
    }

    private static func skipOrderCount(_ reader: inout BitReader) {
        switch reader.unsigned() {
        case 0: _ = reader.unsigned()
        case 1:
            reader.skip(1)
            _ = reader.signed()
            _ = reader.signed()
            for _ in 0..<min(255, reader.unsigned()) { _ = reader.signed() }
        default: break
        }
    }

    private static func skipProfileTierLevel(_ reader: inout BitReader, subLayers: Int) {
        reader.skip(96)
        var present: [(profile: Bool, level: Bool)] = []
        for _ in 0..<subLayers { present.append((reader.flag(), reader.flag())) }
        if subLayers > 0 { reader.skip(2 * (8 - subLayers)) }
        for layer in present { reader.skip((layer.profile ? 88 : 0) + (layer.level ? 8 : 0)) }
    }

    /// - Returns: what is cut off in both directions, in crop units.
    private static func readCrop(_ reader: inout BitReader) -> (Int, Int) {
        let horizontal = reader.unsigned() + reader.unsigned()
        return (horizontal, reader.unsigned() + reader.unsigned())
    }
}
