/// Remembers the parameter sets of a video stream and reads what else an access unit holds.
struct ParameterSets {
    struct Contents {
        var hasPicture = false
        var hasKeySlice = false
        var hasParameters = false
    }

    private(set) var format: VideoFormat?

    /// A set larger than this is not remembered, nor more sets than `limit`.
    private static let sizeLimit = 4096
    private static let limit = 16

    /// - Parameter units: where the NAL units lie in `bytes`.
    mutating func read(_ bytes: [UInt8], _ units: [Range<Int>], _ coding: VideoCoding) -> Contents {
        var contents = Contents()
        var sets: [Range<Int>] = []
        var sequence: Range<Int>?
        for unit in units {
            switch NALUnits.role(bytes[unit.lowerBound], coding) {
            case .keySlice:
                contents.hasPicture = true
                contents.hasKeySlice = true
            case .slice: contents.hasPicture = true
            case .sequenceParameters:
                sequence = unit
                sets.append(unit)
            case .videoParameters, .pictureParameters: sets.append(unit)
            case .delimiter, .other: break
            }
        }
        contents.hasParameters = sequence != nil
        if !sets.isEmpty { remember(bytes, sets, sequence, coding) }
        return contents
    }

    /// With a sequence parameter set all of them begin anew; others are added.
    private mutating func remember(_ bytes: [UInt8], _ ranges: [Range<Int>], _ sequence: Range<Int>?, _ coding: VideoCoding) {
        guard ranges.count <= ParameterSets.limit, ranges.allSatisfy({ $0.count <= ParameterSets.sizeLimit }) else { return }
        var sets = sequence == nil ? format?.parameterSets ?? [] : []
        for range in ranges {
            let set = Array(bytes[range])
            if !sets.contains(set) { sets.append(set) }
        }
        guard sets.count <= ParameterSets.limit, sets != format?.parameterSets else { return }
        let size = sequence.map { PictureSize(bytes[$0], coding) } ?? format?.size
        format = VideoFormat(coding: coding, parameterSets: sets, size: size)
    }
}

extension PictureSize {
    fileprivate init?(_ unit: ArraySlice<UInt8>, _ coding: VideoCoding) {
        switch coding {
        case .h264: self.init(h264: unit)
        case .h265: self.init(h265: unit)
        }
    }
}
