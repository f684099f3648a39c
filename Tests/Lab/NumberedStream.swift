/// A transport stream to measure with: each packet says in the private data of its adaptation field which one it is and when it
/// was made. One programme with a video stream and its tables; what the video holds is filling. Source: ISO/IEC 13818-1, 2.4.3 and 2.4.4.
package struct NumberedStream {
    package static let packetBytes = 188
    package static let packetsPerDatagram = 7
    package static let datagramBytes = packetBytes * packetsPerDatagram

    private static let magic: [UInt8] = [0x53, 0x54, 0x4c, 0x42]
    private static let privateBytes = 20
    private static let tablesEveryNs: Int64 = 100_000_000
    private static let keyEveryNs: Int64 = 2_000_000_000
    private static let program: (pid: UInt16, section: [UInt8]) = (0, section(0, [0, 1, 0xf0, 0x00]))
    private static let map: (pid: UInt16, section: [UInt8]) = (0x1000, section(2, [0xe1, 0x00, 0xf0, 0x00, 0x1b, 0xe1, 0x00, 0xf0, 0x00]))
    private static let video: UInt16 = 0x100

    /// The number of the next packet.
    package private(set) var next: UInt64 = 0
    private var counters: [UInt16: UInt8] = [:]
    private var tablesAt: Int64?
    private var keyAt: Int64?

    package init() {}

    /// Seven packets; where a frame begins the tables stand before it whenever they are due.
    package mutating func datagram(startsFrame: Bool, at now: Int64) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.datagramBytes)
        var startsFrame = startsFrame
        if startsFrame, now - (tablesAt ?? .min / 2) >= Self.tablesEveryNs {
            tablesAt = now
            for table in [Self.program, Self.map] { append(table.pid, start: true, payload: [0] + table.section, to: &bytes, at: now) }
        }
        while bytes.count < Self.datagramBytes {
            append(Self.video, start: startsFrame, payload: startsFrame ? Self.frameStart(now) : [], to: &bytes, at: now)
            startsFrame = false
        }
        return bytes
    }

    private mutating func append(_ pid: UInt16, start: Bool, payload: [UInt8], to bytes: inout [UInt8], at now: Int64) {
        let end = bytes.count + Self.packetBytes
        let counter = counters[pid] ?? 0
        counters[pid] = (counter + 1) & 15
        let hasClock = start && pid == Self.video
        var isKey = false
        if hasClock, now - (keyAt ?? .min / 2) >= Self.keyEveryNs {
            keyAt = now
            isKey = true
        }
        bytes += [0x47, (start ? 0x40 : 0) | UInt8(pid >> 8), UInt8(truncatingIfNeeded: pid), 0x30 | counter]
        // Flags: private data, with the clock reference and the mark of a key frame where a frame begins.
        bytes += [UInt8(2 + Self.privateBytes + (hasClock ? 6 : 0)), 0x02 | (hasClock ? 0x10 : 0) | (isKey ? 0x40 : 0)]
        if hasClock {
            let base = UInt64(now / 1000 * 9 / 100) & 0x1_ffff_ffff
            bytes += [25, 17, 9, 1].map { UInt8(truncatingIfNeeded: base >> $0) } + [UInt8(base & 1) << 7 | 0x7e, 0]
        }
        bytes += [UInt8(Self.privateBytes)] + Self.magic + Self.big(next) + Self.big(UInt64(bitPattern: now))
        bytes += payload
        bytes.append(contentsOf: repeatElement(0xff, count: end - bytes.count))
        next += 1
    }

    private static func big(_ value: UInt64) -> [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: value >> (56 - 8 * UInt64($0))) } }

    /// A PES header without length, with the presentation time.
    private static func frameStart(_ now: Int64) -> [UInt8] {
        let time = UInt64(now / 1000 * 9 / 100) & 0x1_ffff_ffff
        let stamp = [0x20 | (time >> 29 & 0x0e) | 1, time >> 22, time >> 14 | 1, time >> 7, time << 1 | 1].map {
            UInt8(truncatingIfNeeded: $0)
        }
        return [0, 0, 1, 0xe0, 0, 0, 0x80, 0x80, 5] + stamp
    }

    /// A table of programme or stream 1 with its checksum.
    private static func section(_ table: UInt8, _ body: [UInt8]) -> [UInt8] {
        let bytes = [table, 0xb0, UInt8(5 + body.count + 4), 0, 1, 0xc1, 0, 0] + body
        var sum: UInt32 = 0xffff_ffff
        for byte in bytes {
            sum ^= UInt32(byte) << 24
            for _ in 0..<8 { sum = sum & 0x8000_0000 == 0 ? sum << 1 : sum << 1 ^ 0x04c1_1db7 }
        }
        return bytes + (0..<4).map { UInt8(truncatingIfNeeded: sum >> (24 - 8 * UInt32($0))) }
    }

    package struct Mark: Hashable, Sendable {
        package let number: UInt64
        package let madeAt: Int64
    }

    /// What a packet says of itself; nil where it is none of this stream.
    package static func mark(of packet: UnsafeRawBufferPointer) -> Mark? {
        guard packet.count == packetBytes, packet[0] == 0x47, packet[3] & 0x20 != 0, packet[5] & 0x02 != 0 else { return nil }
        let at = packet[5] & 0x10 == 0 ? 6 : 12
        guard packet[at] == privateBytes, packet[(at + 1)..<(at + 5)].elementsEqual(magic) else { return nil }
        let number = UInt64(bigEndian: packet.loadUnaligned(fromByteOffset: at + 5, as: UInt64.self))
        return Mark(
            number: number, madeAt: Int64(bitPattern: UInt64(bigEndian: packet.loadUnaligned(fromByteOffset: at + 13, as: UInt64.self))))
    }
}
