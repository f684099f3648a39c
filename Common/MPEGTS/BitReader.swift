/// Reads bits, most significant first, from the payload of a NAL unit; emulation prevention bytes are skipped.
///
/// Past the end every bit is zero and `isExhausted` is set: callers check once, when they are through.
/// Source: ITU-T H.264, 7.3.1 and 9.1.
package struct BitReader {
    private let bytes: ArraySlice<UInt8>
    private var position: Int
    private var bit = 0
    private var zeros = 0
    package private(set) var isExhausted = false

    package init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        position = bytes.startIndex
    }

    package mutating func flag() -> Bool {
        guard position < bytes.endIndex else {
            isExhausted = true
            return false
        }
        let value = bytes[position] >> UInt8(7 - bit) & 1
        bit += 1
        if bit == 8 { advance() }
        return value == 1
    }

    /// - Parameter count: at most 32.
    package mutating func bits(_ count: Int) -> Int {
        var value = 0
        for _ in 0..<count { value = value << 1 | (flag() ? 1 : 0) }
        return value
    }

    package mutating func skip(_ count: Int) {
        for _ in 0..<count { _ = flag() }
    }

    /// ue(v); values of more than 32 bits count as exhausted.
    package mutating func unsigned() -> Int {
        var leading = 0
        while !flag() {
            leading += 1
            if leading > 32 || isExhausted {
                isExhausted = true
                return 0
            }
        }
        return (1 << leading) - 1 + bits(leading)
    }

    /// se(v)
    package mutating func signed() -> Int {
        let value = unsigned()
        return value & 1 == 1 ? (value + 1) / 2 : -(value / 2)
    }

    private mutating func advance() {
        zeros = bytes[position] == 0 ? zeros + 1 : 0
        position += 1
        bit = 0
        if zeros >= 2, position < bytes.endIndex, bytes[position] == 3 {
            position += 1
            zeros = 0
        }
    }
}
