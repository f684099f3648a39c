/// Sequence parameter sets by hand, for sizes that no encoder here would make.
package enum SequenceParameters {
    /// Baseline, level 6.2, one reference, frames only. Source: ITU-T H.264, 7.3.2.1.1.
    package static func h264(columns: Int, rows: Int) -> [UInt8] {
        [0x67, 66, 0, 62]
            + BitWriter.write { bits in
                for value in [0, 0, 2, 1] { bits.unsigned(value) }  // id, frame numbers of 4 bits, order by them, references
                bits.fixed(0, 1)
                bits.unsigned(columns - 1)
                bits.unsigned(rows - 1)
                bits.fixed(0b1100, 4)  // frames only, direct inference, no cropping, no usability information
            }
    }
}
