package import Units

/// What a decoder must know before the first picture.
package struct VideoFormat: Sendable, Hashable {
    package let coding: VideoCoding
    /// The parameter sets as NAL units without start codes: VPS (H.265 only), SPS, PPS, in order of arrival.
    package let parameterSets: [[UInt8]]
    package let size: PictureSize?
}

/// One coded picture.
package struct VideoUnit: Sendable, Hashable {
    /// NAL units with start codes (Annex B), as they came.
    package let bytes: [UInt8]
    /// Where the NAL units lie in `bytes`, without start codes.
    package let units: [Range<Int>]
    package let presentation: MediaTime
    package let decode: MediaTime
    /// Decoding can begin here: an IDR, CRA or BLA picture, or a recovery point that the sender marks as random access with
    /// its parameter sets.
    package let isKey: Bool
    /// Bytes are missing in it.
    package let isDamaged: Bool
    /// As of this unit; nil until parameter sets were seen.
    package let format: VideoFormat?
}

/// What a decoder must know before the first sound.
package struct AudioFormat: Sendable, Hashable {
    /// The audio object type; 2 is AAC-LC. Source: ISO/IEC 14496-3, table 1.17.
    package let objectType: UInt8
    /// Index into the table of sampling rates.
    package let rateIndex: UInt8
    package let sampleRate: Int
    /// The channel configuration, 1...7.
    package let channels: UInt8

    /// The two bytes of an AudioSpecificConfig for it. Source: ISO/IEC 14496-3, 1.6.2.1.
    package var specificConfiguration: [UInt8] {
        [objectType << 3 | rateIndex >> 1, rateIndex << 7 | channels << 3]
    }
}

/// One AAC frame of 1024 samples, without its ADTS header.
package struct AudioUnit: Sendable, Hashable {
    package let bytes: [UInt8]
    package let presentation: MediaTime
    package let format: AudioFormat
}

/// The transport packets from the start of one picture to the start of the next: with its sound, tables and all.
package struct TransportGroup: Sendable, Hashable {
    package let bytes: [UInt8]
    /// The picture's.
    package let decode: MediaTime
    package let isKey: Bool
    /// The last association and map tables before it (two packets), for whoever begins here.
    package let tables: [UInt8]
}

extension TransportGroup {
    /// What is left of a group that no picture ended: without its picture, and without a last sound that is not whole.
    static func withoutTorn(_ bytes: [UInt8], video: UInt16) -> [UInt8] {
        // For each packet its place; for each PID where its last unit begins, and what is missing of that.
        var starts: [UInt16: (at: Int, missing: Int)] = [:]
        let packets = stride(from: 0, to: bytes.count, by: Packet.size).compactMap { Packet(bytes, at: $0) }
        for packet in packets where packet.hasPayload && packet.pid != video {
            if packet.startsUnit, let header = PESHeader(bytes, at: packet.payloadStart, end: packet.end), header.length > 0 {
                starts[packet.pid] = (packet.start, header.length + 6)
            }
            starts[packet.pid]?.missing -= packet.end - packet.payloadStart
        }
        var kept: [UInt8] = []
        for packet in packets where packet.pid != video {
            if let last = starts[packet.pid], last.missing > 0, packet.start >= last.at { continue }
            kept += bytes[packet.start..<packet.end]
        }
        return kept
    }
}
