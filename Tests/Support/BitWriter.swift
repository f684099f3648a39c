/// Bits one after the other, for parameter sets by hand. Source: ITU-T H.264, 7.2 and 9.1.
package struct BitWriter {
    private var bits: [UInt8] = []

    package mutating func fixed(_ value: Int, _ count: Int) {
        for index in stride(from: count - 1, through: 0, by: -1) { bits.append(UInt8(value >> index & 1)) }
    }

    /// Exp-Golomb, `ue(v)`.
    package mutating func unsigned(_ value: Int) {
        let width = Int.bitWidth - (value + 1).leadingZeroBitCount
        fixed(0, width - 1)
        fixed(value + 1, width)
    }

    /// With the stop bit, and without emulation bytes: for what has no long run of zeros.
    package static func write(_ body: (inout BitWriter) -> Void) -> [UInt8] {
        var writer = BitWriter()
        body(&writer)
        writer.bits.append(1)
        while writer.bits.count % 8 != 0 { writer.bits.append(0) }
        return stride(from: 0, to: writer.bits.count, by: 8).map { start in
            writer.bits[start..<start + 8].reduce(0) { $0 << 1 | $1 }
        }
    }
}
