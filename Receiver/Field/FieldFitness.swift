import MPEGTS
import Units

/// Whether browsers decode what a stream shows. In WebRTC pictures are shown in the order in which they come, and decoders are told of no more than
/// 8 bits of 4:2:0, in whole frames.
///
/// Source: RFC 7742, section 6.2; RFC 6184, section 8.1; ITU-T H.264, annex A.2.
struct FieldFitness: Sendable {
    private var judged: VideoFormat?
    private var fault: String?
    /// Since the last key frame.
    private var latest: MediaTime?
    private var backwards = 0

    /// So many pictures that go back in time are no accident of a stream that was put together.
    private static let backwardsLimit = 3

    /// - Returns: why nobody in a room would see it, for a person; nil where they do.
    mutating func fault(of unit: VideoUnit) -> String? {
        guard let format = unit.format else { return nil }
        if format != judged {
            judged = format
            fault = Self.fault(of: format)
            (latest, backwards) = (nil, 0)
        }
        if let fault { return fault }
        if unit.isKey { latest = nil }
        if let latest, unit.presentation < latest { backwards += 1 }
        latest = max(latest ?? unit.presentation, unit.presentation)
        guard backwards >= Self.backwardsLimit else { return nil }
        return "it has B-frames, which browsers cannot show in a room: switch them off at the encoder"
    }

    private static func fault(of format: VideoFormat) -> String? {
        guard format.coding == .h264 else { return "a room takes H.264, and this stream is H.265: choose H.264 on the sender" }
        for set in format.parameterSets where NALUnits.role(set[0], .h264) == .sequenceParameters && set.count >= 4 {
            if let name = unfitProfile(set[1]) {
                return "it is H.264 in the profile \(name), which browsers cannot decode: choose Baseline, Main or High"
            }
            if PictureSize.isInterlaced(h264: set[...]) { return "it is interlaced, which browsers cannot show in a room" }
        }
        return nil
    }

    /// nil for what is decoded: more than 8 bits or another chroma format has a profile of its own.
    private static func unfitProfile(_ number: UInt8) -> String? {
        switch number {
        case 66, 77, 100: nil
        case 44: "CAVLC 4:4:4 Intra"
        case 88: "Extended"
        case 110: "High 10"
        case 122: "High 4:2:2"
        case 244: "High 4:4:4 Predictive"
        default: "number \(number)"
        }
    }
}
