package enum VideoCoding: String, Sendable, Hashable {
    case h264, h265
}

extension VideoUnit {
    /// Its parameter sets come with it: whoever begins here needs nothing from before.
    package var hasParameters: Bool {
        let coding = format?.coding ?? .h264
        return units.contains { NALUnits.role(bytes[$0.lowerBound], coding) == .sequenceParameters }
    }
}

/// The NAL units of an access unit in Annex B form.
package enum NALUnits {
    /// Where the units lie, without start codes and trailing zeros, in order.
    ///
    /// Source: ITU-T H.264 and H.265, annex B.
    package static func ranges(_ bytes: [UInt8]) -> [Range<Int>] {
        var result: [Range<Int>] = []
        var begin: Int?
        var position = 0
        while position + 2 < bytes.count {
            // A third byte over 1 cannot be in the last place of any start code: three bytes at once are passed over.
            if bytes[position + 2] > 1 {
                position += 3
            } else if bytes[position] == 0, bytes[position + 1] == 0, bytes[position + 2] == 1 {
                append(bytes, begin, position, &result)
                begin = position + 3
                position += 3
            } else {
                position += 1
            }
        }
        append(bytes, begin, bytes.count, &result)
        return result
    }

    private static func append(_ bytes: [UInt8], _ begin: Int?, _ limit: Int, _ result: inout [Range<Int>]) {
        guard let begin else { return }
        var end = limit
        while end > begin, bytes[end - 1] == 0 { end -= 1 }
        if end > begin { result.append(begin..<end) }
    }

    package enum Role: Sendable, Hashable {
        case delimiter, videoParameters, sequenceParameters, pictureParameters
        /// A slice of a picture from which decoding can begin.
        case keySlice
        case slice
        case other
    }

    /// Source: ITU-T H.264, table 7-1; H.265, table 7-1 (16...21 are BLA, IDR and CRA pictures).
    package static func role(_ header: UInt8, _ coding: VideoCoding) -> Role {
        switch coding {
        case .h264:
            switch header & 0x1F {
            case 1...4: .slice
            case 5: .keySlice
            case 7: .sequenceParameters
            case 8: .pictureParameters
            case 9: .delimiter
            default: .other
            }
        case .h265:
            switch header >> 1 & 0x3F {
            case 0...9: .slice
            case 16...21: .keySlice
            case 32: .videoParameters
            case 33: .sequenceParameters
            case 34: .pictureParameters
            case 35: .delimiter
            default: .other
            }
        }
    }
}
