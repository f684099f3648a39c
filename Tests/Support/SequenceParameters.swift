/// Sequence parameter sets by hand, for sizes that no encoder here would make.
package enum SequenceParameters {
    /// Baseline, level 6.2, one reference, frames only. Source: ITU-T H.264, 7.3.2.1.1.
    package static func h264(columns: Int, rows: Int) -> [UInt8] {
        var bits = Bits()
        for value in [0, 0, 2, 1] { bits.golomb(value) }  // id, frame numbers of 4 bits, order by them, references
        bits.put(0, 1)
        bits.golomb(columns - 1)
        bits.golomb(rows - 1)
        bits.put(0b1100, 4)  // frames only, direct inference, no cropping, no usability information
        return [0x67, 66, 0, 62] + bits.closed
    }

    private struct Bits {
        private var bits: [UInt8] = []

        mutating func put(_ value: Int, _ count: Int) {
            for place in stride(from: count - 1, through: 0, by: -1) { bits.append(UInt8(value >> place & 1)) }
        }

        mutating func golomb(_ value: Int) {
            let length = Int.bitWidth - (value + 1).leadingZeroBitCount
            put(0, length - 1)
            put(value + 1, length)
        }

        /// With the stop bit; no run of zeros here needs an emulation byte.
        var closed: [UInt8] {
            var all = bits + [1]
            while all.count % 8 != 0 { all.append(0) }
            return stride(from: 0, to: all.count, by: 8).map { start in all[start..<start + 8].reduce(0) { $0 << 1 | $1 } }
        }
    }
}
