/// Builds boxes of an ISO base media file: each has its length in front, which is known at its end.
///
/// Source: ISO/IEC 14496-12, 4.2.
struct Box {
    private(set) var bytes: [UInt8] = []

    /// - Parameter name: four characters.
    mutating func box(_ name: StaticString, _ body: (inout Box) -> Void) {
        let start = bytes.count
        number(0, 4)
        text(name)
        body(&self)
        set(bytes.count - start, at: start)
    }

    /// A box with a version and flags.
    mutating func box(_ name: StaticString, version: UInt8, flags: Int = 0, _ body: (inout Box) -> Void) {
        box(name) { box in
            box.number(Int(version), 1)
            box.number(flags, 3)
            body(&box)
        }
    }

    /// Its lowest bytes, the highest of them first.
    mutating func number(_ value: Int, _ count: Int) {
        for index in (0..<count).reversed() { bytes.append(UInt8(truncatingIfNeeded: value >> (8 * index))) }
    }

    mutating func append(_ more: [UInt8]) { bytes += more }
    mutating func zeros(_ count: Int) { for _ in 0..<count { bytes.append(0) } }

    mutating func text(_ text: StaticString) { bytes += "\(text)".utf8 }

    /// A number of four bytes whose value is known only now.
    mutating func set(_ value: Int, at position: Int) {
        for index in 0..<4 { bytes[position + index] = UInt8(truncatingIfNeeded: value >> (8 * (3 - index))) }
    }

    /// Neither turned nor scaled. Source: 6.2.2.
    mutating func unityMatrix() {
        for value in [0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x4000_0000] { number(value, 4) }
    }
}
