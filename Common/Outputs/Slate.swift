package import MPEGTS

/// What a stream's pictures are like, as far as a picture of ours in their place has to be like them.
package struct SlateFormat: Sendable, Hashable {
    package let coding: VideoCoding
    package let size: PictureSize
    /// `profile_idc` and `level_idc` of H.264; 0 for H.265, whose slate is of the main profile.
    package let profile: UInt8
    package let level: UInt8
    /// From one picture to the next, in ticks of 90 kHz.
    package let frame: Int64

    /// Of a picture of 4096 by 2304: what a sender could claim beyond would cost its receiver gigabytes.
    private static let points = 4096 * 2304

    /// - Returns: nil where the parameter sets do not tell the size, or where that is too large.
    package init?(_ format: VideoFormat, frame: Int64) {
        guard let size = format.size, size.width * size.height <= SlateFormat.points, frame > 0 else { return nil }
        coding = format.coding
        self.size = size
        self.frame = frame
        let sequence = format.parameterSets.first {
            !$0.isEmpty && NALUnits.role($0[0], format.coding) == .sequenceParameters && $0.count >= 4
        }
        guard let sequence else { return nil }
        profile = format.coding == .h264 ? sequence[1] : 0
        level = format.coding == .h264 ? sequence[3] : 0
    }
}

/// A picture for when there is none: one group of pictures, encoded once, that is shown again and again.
package struct Slate: Sendable {
    package let format: SlateFormat
    /// Access units in Annex B form, a second of them; the first is a key frame with its parameter sets. None is shown in another
    /// order than it is decoded.
    package let pictures: [[UInt8]]

    package init(format: SlateFormat, pictures: [[UInt8]]) {
        self.format = format
        self.pictures = pictures
    }
}
