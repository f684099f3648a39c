extension AudioFormat {
    /// An AAC frame of 1024 silent samples with its ADTS header, in this format: nothing but zero spectra, so no encoder is needed
    /// and no decoder has anything to fade.
    ///
    /// Source: ISO/IEC 14496-3, 4.4.2.1 (raw_data_block), 4.4.2.7 (individual_channel_stream) and table 1.19 (channel configurations).
    package var silence: [UInt8] {
        var bits = BitRow()
        var instances: [Int: Int] = [:]
        for element in AudioFormat.elements(channels) {
            bits.append(element.rawValue, 3)
            bits.append(instances[element.rawValue, default: 0], 4)
            instances[element.rawValue, default: 0] += 1
            element.append(to: &bits)
        }
        // ID_END
        bits.append(7, 3)
        let block = bits.bytes
        return header(length: block.count) + block
    }

    private enum Element: Int {
        case single = 0, pair = 1, lowFrequency = 3

        func append(to bits: inout BitRow) {
            if self == .pair {
                // common_window, one ics_info for both, ms_mask_present.
                bits.append(1, 1)
                bits.append(0, 11)
                bits.append(0, 2)
            }
            for _ in 0..<(self == .pair ? 2 : 1) {
                bits.append(0, 8)  // global_gain
                if self != .pair { bits.append(0, 11) }  // ics_info: one long window, max_sfb 0, no prediction
                bits.append(0, 3)  // no pulses, no temporal noise shaping, no gain control
            }
        }
    }

    private static func elements(_ channels: UInt8) -> [Element] {
        switch channels {
        case 1: [.single]
        case 3: [.single, .pair]
        case 4: [.single, .pair, .single]
        case 5: [.single, .pair, .pair]
        case 6: [.single, .pair, .pair, .lowFrequency]
        case 7: [.single, .pair, .pair, .pair, .lowFrequency]
        default: [.pair]
        }
    }

    /// The ADTS header of a frame of `length` bytes. Source: 1.A.2.2; MPEG-4, no checksum, a full buffer (variable rate).
    package func header(length: Int) -> [UInt8] {
        let whole = length + 7
        return [
            0xFF, 0xF1, (objectType &- 1) << 6 | rateIndex << 2 | channels >> 2, channels << 6 | UInt8(whole >> 11 & 3),
            UInt8(whole >> 3 & 0xFF), UInt8(whole << 5 & 0xE0) | 0x1F, 0xFC,
        ]
    }
}

/// Bits, most significant first.
private struct BitRow {
    private(set) var bytes: [UInt8] = []
    private var free = 0

    mutating func append(_ value: Int, _ count: Int) {
        for shift in stride(from: count - 1, through: 0, by: -1) {
            if free == 0 {
                bytes.append(0)
                free = 8
            }
            free -= 1
            bytes[bytes.count - 1] |= UInt8(value >> shift & 1) << UInt8(free)
        }
    }
}
