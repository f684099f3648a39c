import Units

/// The header of an AAC frame in an audio data transport stream.
///
/// Source: ISO/IEC 14496-3, 1.A.2.2.
struct ADTSHeader: Hashable {
    let format: AudioFormat
    let headerLength: Int
    let frameLength: Int

    static let minimumLength = 7
    private static let rates = [96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350]

    init?(_ bytes: [UInt8], at start: Int) {
        guard start + ADTSHeader.minimumLength <= bytes.count else { return nil }
        guard bytes[start] == 0xFF, bytes[start + 1] & 0xF6 == 0xF0 else { return nil }
        let rateIndex = bytes[start + 2] >> 2 & 0x0F
        let channels = (bytes[start + 2] & 1) << 2 | bytes[start + 3] >> 6
        guard rateIndex < ADTSHeader.rates.count, channels > 0 else { return nil }
        headerLength = bytes[start + 1] & 1 == 1 ? 7 : 9
        frameLength = Int(bytes[start + 3] & 3) << 11 | Int(bytes[start + 4]) << 3 | Int(bytes[start + 5] >> 5)
        guard frameLength > headerLength else { return nil }
        format = AudioFormat(
            objectType: (bytes[start + 2] >> 6) + 1, rateIndex: rateIndex, sampleRate: ADTSHeader.rates[Int(rateIndex)], channels: channels)
    }
}

/// Cuts the sound of one PID into frames; keeps at most one begun frame (8 KiB) from one PES packet to the next.
struct ADTSFrames {
    private var rest: [UInt8] = []
    /// Samples since `anchor`, so that fractions of a tick do not add up.
    private var samples: Int64 = 0
    private var anchor: MediaTime?

    /// - Parameters:
    ///   - bytes: the payload of a PES packet, or what was intact of it.
    ///   - time: of the first frame that begins in it.
    ///   - isWhole: false where bytes are missing at its end.
    mutating func take(_ bytes: [UInt8], at time: MediaTime?, isWhole: Bool) -> [AudioUnit] {
        var units: [AudioUnit] = []
        let carried = rest.count
        rest.append(contentsOf: bytes)
        var position = 0
        var anchored = time == nil
        while let header = synchronise(&position) {
            if !anchored, position >= carried, let time {
                anchor = time
                samples = 0
                anchored = true
            }
            guard position + header.frameLength <= rest.count else { break }
            if let anchor {
                let elapsed = samples * MediaTime.ticksPerSecond / Int64(header.format.sampleRate)
                units.append(
                    AudioUnit(
                        bytes: Array(rest[position + header.headerLength..<position + header.frameLength]),
                        presentation: MediaTime(ticks: anchor.ticks + elapsed), format: header.format))
            }
            samples += 1024
            position += header.frameLength
        }
        rest.removeFirst(min(position, rest.count))
        if !isWhole { lose() }
        return units
    }

    /// Forgets a begun frame: its end is missing.
    mutating func lose() { rest.removeAll(keepingCapacity: true) }

    /// Moves to the next header; nil where less than a header is left.
    private func synchronise(_ position: inout Int) -> ADTSHeader? {
        while position + ADTSHeader.minimumLength <= rest.count {
            if let header = ADTSHeader(rest, at: position) { return header }
            position += 1
        }
        return nil
    }
}
