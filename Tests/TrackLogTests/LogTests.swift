import BondWire
import Forwarding
import RTP
import Testing

@testable import TrackLog

/// A log on disk, whole and as a killed writer or a bad disk leaves it.
@Suite struct LogTests {
    private static let head = TrackHead(
        codec: .vp8, at: 1_000_000, unixMs: 1_795_392_000_123, segment: 7, publisher: "01PUBLISHER", owner: "01OWNER", name: "1")

    private static func packet(_ number: Int, payload: Int = 20) -> LogRecord {
        .packet(
            LoggedPacket(
                at: 2_000_000 + Int64(number) * 33_000, layer: UInt8(number % 3),
                fields: RTPFields(
                    marker: number % 2 == 0, payloadType: 96, sequence: UInt16(truncatingIfNeeded: 65_530 + number),
                    timestamp: 4_294_960_000 &+ UInt32(number) &* 3000, source: 0xdead_beef),
                payload: [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: payload)))
    }

    private static let report = LogRecord.report(
        LoggedReport(at: 2_500_000, source: 0xdead_beef, time: NTPTime(0xe000_0000_8000_0000), timestamp: 77))

    /// One of each kind, and packets.
    private static var records: [LogRecord] {
        [.head(head), packet(0), report, packet(1, payload: 0), .event(LoggedEvent(at: 3_000_000, kind: .lost, count: 12)), packet(2)]
            + LoggedEvent.Kind.allCases.map { .event(LoggedEvent(at: 4_000_000, kind: $0)) }
    }

    private static func file(_ records: [LogRecord]) -> [UInt8] {
        var bytes: [UInt8] = []
        for record in records { LogLayout.append(record, to: &bytes) }
        LogLayout.seal(&bytes)
        return bytes
    }

    private static func read(_ bytes: [UInt8], pieces: Int = .max) -> [LogReader.Item] {
        var reader = LogReader()
        var items: [LogReader.Item] = []
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, start + min(pieces, bytes.count))
            reader.feed(bytes[start..<end])
            while let item = reader.next() { items.append(item) }
            start = end
        }
        reader.end()
        while let item = reader.next() { items.append(item) }
        return items
    }

    @Test("a packet lies on the disk as the layout says")
    func layout() {
        let fields: [(name: String, bytes: [UInt8])] = [
            ("mark", [0x53, 0x54]), ("kind", [2]), ("layer", [1]), ("bytes of the body", [0, 14]), ("time", [0, 0, 0, 0x0f, 0x42, 0x40]),
            ("checksum", []), ("RTP's first byte", [0x80]), ("marker and type", [0xe0]), ("sequence", [0x12, 0x34]),
            ("timestamp", [1, 2, 3, 4]), ("source", [5, 6, 7, 8]), ("payload", [0xaa, 0xbb]),
        ]
        var bytes = Self.file([
            .packet(
                LoggedPacket(
                    at: 1_000_000, layer: 1,
                    fields: RTPFields(marker: true, payloadType: 96, sequence: 0x1234, timestamp: 0x0102_0304, source: 0x0506_0708),
                    payload: [0xaa, 0xbb]))
        ])
        bytes.removeSubrange(12..<16)
        #expect(bytes == fields.flatMap(\.bytes))
    }

    @Test("the checksum is CRC-32C")
    func checksum() {
        // Source: RFC 3720, B.4: 32 bytes of zeros, 32 of ones, and 0 to 31.
        let zeros = [UInt8](repeating: 0, count: 32)
        #expect(LogChecksum.value(zeros, 0..<32, 0..<0) == 0x8a91_36aa)
        #expect(LogChecksum.value([UInt8](repeating: 0xff, count: 32), 0..<32, 0..<0) == 0x62a8_ab43)
        #expect(LogChecksum.value((0..<32).map { UInt8($0) }, 0..<10, 10..<32) == 0x46dd_794e)
    }

    @Test("what is written is read, in pieces of any size", arguments: [1, 7, 16, 61, 4096])
    func pieces(size: Int) {
        let expected = Self.records.map { LogReader.Item.record($0) }
        #expect(Self.read(Self.file(Self.records), pieces: size) == expected)
    }

    @Test("of a file that ends anywhere every record is read that is whole, and the rest is told")
    func torn() {
        let records = Self.records
        let bytes = Self.file(records)
        var ends: [Int] = []
        for count in 1...records.count { ends.append(Self.file(Array(records.prefix(count))).count) }
        for length in 0...bytes.count {
            let whole = ends.count { $0 <= length }
            let tail = length - (whole == 0 ? 0 : ends[whole - 1])
            var expected = records.prefix(whole).map { LogReader.Item.record($0) }
            if tail > 0 { expected.append(.damage(bytes: tail)) }
            #expect(Self.read(Array(bytes.prefix(length))) == expected, "of \(length) bytes")
        }
    }

    @Test("a bit that has turned costs one record, wherever it is")
    func turned() {
        let records = Self.records
        let bytes = Self.file(records)
        for place in bytes.indices {
            var damaged = bytes
            damaged[place] ^= 0x10
            let read = Self.read(damaged)
            let found = read.compactMap { item -> LogRecord? in
                if case .record(let record) = item { record } else { nil }
            }
            let passed = read.reduce(0) { sum, item in
                if case .damage(let bytes) = item { sum + bytes } else { sum }
            }
            #expect(found.count == records.count - 1, "at \(place)")
            #expect(found.allSatisfy { records.contains($0) })
            #expect(passed > 0)
        }
    }

    @Test("what a participant sends is no record of the log, even behind damage")
    func forged() {
        let forged = Self.file([.event(LoggedEvent(at: 9, kind: .ended))])
        var outer = Self.file([
            Self.packet(0),
            .packet(
                LoggedPacket(
                    at: 5, layer: 0, fields: RTPFields(payloadType: 96, sequence: 1, timestamp: 2, source: 3), payload: forged)),
            Self.packet(1),
        ])
        #expect(Self.read(outer).count == 3)
        // Its payload is damaged behind what looks like a record.
        let first = Self.file([Self.packet(0)]).count
        outer[first + LogLayout.headBytes + 13] ^= 1
        #expect(!Self.read(outer).contains(.record(.event(LoggedEvent(at: 9, kind: .ended)))))
        #expect(Self.read(outer).last == .record(Self.packet(1)))
    }

    @Test("texts are kept up to 64 bytes, in whole characters")
    func texts() throws {
        var head = Self.head
        head.name = String(repeating: "é", count: 40)
        guard case .record(.head(let read)) = Self.read(Self.file([.head(head)])).first else {
            Issue.record("no head")
            return
        }
        #expect(read.name == String(repeating: "é", count: 32))
        #expect(read.publisher == head.publisher && read.codec == .vp8 && read.unixMs == head.unixMs && read.segment == 7)
    }
}
