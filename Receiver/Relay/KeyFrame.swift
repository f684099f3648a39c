import MPEGTS
import Posix
import Wire

/// A key frame that can be decoded by itself.
struct KeyFrame: Sendable, Equatable {
    let coding: VideoCodec
    /// In Annex B form, with its parameter sets.
    let bytes: [UInt8]
    let arrival: Instant

    /// What strata-still takes (`Still.inputBytes`; its module has a decoder in it, which is not for this process).
    static let limit = 2 << 20
    /// As for a slate: a larger one would only be refused by the decoder's process.
    private static let points = 4096 * 2304

    /// - Returns: nil for what is none, is torn, or is too large to be worth a process.
    init?(_ unit: VideoUnit, at arrival: Instant) {
        guard unit.isKey, !unit.isDamaged, let format = unit.format else { return nil }
        guard let size = format.size, size.width * size.height <= KeyFrame.points else { return nil }
        var before: [UInt8] = []
        if !unit.hasParameters { for set in format.parameterSets { before += [0, 0, 0, 1] + set } }
        guard before.count + unit.bytes.count <= KeyFrame.limit else { return nil }
        coding = format.coding == .h264 ? .h264 : .h265
        bytes = before + unit.bytes
        self.arrival = arrival
    }
}
