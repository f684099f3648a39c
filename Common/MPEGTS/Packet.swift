/// One transport packet's place and its header, read from a longer run of bytes.
///
/// Source: ISO/IEC 13818-1, 2.4.3.2 (transport packet) and 2.4.3.4 (adaptation field).
package struct Packet: Sendable, Hashable {
    /// Bytes of every transport packet.
    package static let size = 188
    package static let syncByte: UInt8 = 0x47
    /// The PID of packets that carry nothing.
    package static let nullPID: UInt16 = 0x1FFF

    /// Where the packet begins in the bytes it was read from.
    package let start: Int
    package let pid: UInt16
    /// The payload begins a PES packet or a section.
    package let startsUnit: Bool
    /// The transport says that the packet is damaged.
    package let hasError: Bool
    package let isScrambled: Bool
    /// 0...15.
    package let counter: UInt8
    package let hasPayload: Bool
    /// Where the payload begins; `start + 188` where there is none.
    package let payloadStart: Int
    /// The adaptation field says that the time base or the counter begins anew.
    package let isDiscontinuous: Bool
    package let isRandomAccess: Bool
    /// The adaptation field is longer than what it says it holds: the payload ends a PES packet, since nothing else is made up for (2.4.3.5).
    package let isStuffed: Bool
    /// Where the six bytes of the program clock reference lie.
    package let clockStart: Int?

    /// The end of the packet.
    package var end: Int { start + Packet.size }

    /// - Returns: nil where the sync byte or 188 bytes are missing, or where the adaptation field overruns the packet.
    package init?(_ bytes: [UInt8], at start: Int) {
        guard start >= 0, start + Packet.size <= bytes.count, bytes[start] == Packet.syncByte else { return nil }
        self.start = start
        let second = bytes[start + 1]
        let fourth = bytes[start + 3]
        pid = UInt16(second & 0x1F) << 8 | UInt16(bytes[start + 2])
        hasError = second & 0x80 != 0
        startsUnit = second & 0x40 != 0
        isScrambled = fourth & 0xC0 != 0
        counter = fourth & 0x0F
        hasPayload = fourth & 0x10 != 0
        var payload = start + 4
        var flags: UInt8 = 0
        if fourth & 0x20 != 0 {
            let length = Int(bytes[start + 4])
            guard length <= (hasPayload ? 182 : 183) else { return nil }
            payload += 1 + length
            flags = length > 0 ? bytes[start + 5] : 0
            clockStart = flags & 0x10 != 0 && length >= 7 ? start + 6 : nil
            isStuffed = Packet.fieldLength(bytes, at: start + 5, flags, end: start + 5 + length) < length
        } else {
            clockStart = nil
            isStuffed = false
        }
        isDiscontinuous = flags & 0x80 != 0
        isRandomAccess = flags & 0x40 != 0
        payloadStart = hasPayload ? payload : start + Packet.size
    }

    /// Bytes of an adaptation field behind its length, without stuffing.
    private static func fieldLength(_ bytes: [UInt8], at start: Int, _ flags: UInt8, end: Int) -> Int {
        guard start < end else { return -1 }
        // Flags, then both clock references, the splice countdown, private data and the extension, the last two with their lengths.
        var place = start + 1 + (flags & 0x10 != 0 ? 6 : 0) + (flags & 0x08 != 0 ? 6 : 0) + (flags & 0x04 != 0 ? 1 : 0)
        for bit in [UInt8(0x02), 0x01] where flags & bit != 0 && place < end { place += 1 + Int(bytes[place]) }
        return place - start
    }
}
