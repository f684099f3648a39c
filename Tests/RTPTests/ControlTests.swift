import RTP
import Testing

struct ControlTests {
    /// Each kind, with the bytes that its standard gives for it.
    static let examples: [(packet: ControlPacket, bytes: [UInt8])] = [
        (
            .senderReport(
                SenderReport(
                    source: 0x0101_0101, time: NTPTime(0x1122_3344_5566_7788), timestamp: 0x99aa_bbcc, packets: 5, bytes: 6,
                    blocks: [
                        ReportBlock(source: 2, fractionLost: 0x40, lost: -1, highest: 0x0001_ffff, jitter: 7, lastReport: 8, delay: 9)
                    ])),
            // One block: source, fraction and lost, highest, jitter, last report, delay.
            hex("81 c8 000c 01010101 11223344 55667788 99aabbcc 00000005 00000006 00000002 40 ffffff 0001ffff 00000007 00000008 00000009")
        ),
        (.receiverReport(ReceiverReport(source: 3)), hex("80 c9 0001 00000003")),
        // CNAME "ab" and zeros: one ends the items, three fill the word.
        (.names([SourceName(source: 4, name: "ab")]), hex("81 ca 0003 00000004 01 02 6162 00000000")),
        (.goodbye(sources: [5, 6]), hex("82 cb 0002 00000005 00000006")),
        // RFC 4585: 10, and bits for 11 and 26.
        (
            .nack(LostPackets(sender: 7, media: 8, groups: [.init(first: 10, following: 0x8001)])),
            hex("81 cd 0003 00000007 00000008 000a 8001")
        ),
        (.pictureLoss(sender: 9, media: 10), hex("81 ce 0002 00000009 0000000a")),
        (.fullIntra(sender: 11, requests: [.init(media: 12, number: 13)]), hex("84 ce 0004 0000000b 00000000 0000000c 0d000000")),
        // Mantissa 250,000 with exponent 2 is 1 Mbit/s.
        (
            .bandwidth(BandwidthEstimate(sender: 14, bitsPerSecond: 1_000_000, sources: [15])),
            hex("8f ce 0005 0000000e 00000000 52454d42 01 0bd090 0000000f")
        ),
    ]

    @Test("each packet is read from its standard's bytes and written as them", arguments: examples.indices)
    func example(_ index: Int) throws {
        let (packet, bytes) = Self.examples[index]
        #expect(try read(bytes) == [packet])
        var writer = ControlWriter()
        #expect(writer.append(packet) == true)
        #expect(writer.bytes == bytes)
    }

    @Test("a compound is all of its packets, unknown ones too")
    func compound() throws {
        let extended = hex("80 cf 0001 00000001")
        let all = Self.examples.flatMap(\.bytes) + extended
        #expect(try read(all) == Self.examples.map(\.packet) + [.other(type: 207, format: 0)])
    }

    @Test("a compound that is cut is refused as a whole")
    func cut() {
        let all = Self.examples.flatMap(\.bytes)
        let borders = Self.examples.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.bytes.count) }
        for end in 0..<all.count where end == 0 || !borders.contains(end) {
            #expect(throws: ControlFault.self, "\(end)") { try read(Array(all[..<end])) }
        }
    }

    @Test(
        "what contradicts itself is refused with its reason",
        arguments: [
            ("40 c9 0001 00000003", ControlFault.version),
            ("81 c9 0001 00000003", .length),
            ("80 c8 0001 00000003", .length),
            ("a0 c9 0001 00000000", .length),
            ("a0 c9 0001 00000005", .length),
            ("81 ca 0002 00000004 01 05 6162", .length),
            ("81 ca 0002 00000004 01 02 6162", .length),
            ("81 ca 0002 00000004 01 01 ff 00", .value),
            ("82 cb 0001 00000005", .length),
            ("81 cb 0002 00000005 04 616263", .length),
            ("81 cd 0002 00000007 00000008", .length),
            ("81 ce 0003 00000009 0000000a 00000000", .length),
            ("84 ce 0002 0000000b 00000000", .length),
            ("8f ce 0004 0000000e 00000000 52454d42 01 0bd090", .length),
            ("8f ce 0004 0000000e 00000000 52454d42 00 ffffff", .value),
        ])
    func refused(_ text: String, _ fault: ControlFault) {
        #expect(throws: fault) { try read(hex(text)) }
    }

    @Test("a datagram that is too long, or has too many packets, is refused")
    func limits() throws {
        let report = hex("80 c9 0001 00000003")
        let many = [[UInt8]](repeating: report, count: ControlReader.packetLimit).flatMap { $0 }
        #expect(try read(many).count == ControlReader.packetLimit)
        #expect(throws: ControlFault.size) { try read(many + report) }
        let long = hex("80 cc 0201") + [UInt8](repeating: 0, count: 4 * 0x201)
        #expect(throws: ControlFault.size) { try read(long) }
    }

    @Test("missing numbers are packed in groups of seventeen, over the wrap too")
    func nack() {
        let lost = LostPackets(sender: 1, media: 2, sequences: [65_530, 65_535, 0, 10, 10, 11, 500])
        #expect(lost.groups.map(\.first) == [65_530, 11, 500])
        #expect(lost.sequences == [65_530, 65_535, 0, 10, 11, 500])
        #expect(LostPackets(sender: 1, media: 2, sequences: 0..<170).groups.count == 10)
    }

    @Test("what does not fit into the datagram is not begun")
    func writerLimit() {
        var writer = ControlWriter(byteLimit: 24)
        #expect(writer.append(.pictureLoss(sender: 1, media: 2)) == true)
        #expect(writer.append(.receiverReport(ReceiverReport(source: 1))) == true)
        let before = writer.bytes
        #expect(writer.append(.pictureLoss(sender: 1, media: 2)) == false)
        #expect(writer.bytes == before)
        #expect(writer.append(.goodbye(sources: [UInt32](repeating: 1, count: 32))) == false)
        writer.removeAll()
        #expect(writer.isEmpty)
        #expect(writer.append(.pictureLoss(sender: 1, media: 2)) == true)
    }

    @Test("a bandwidth keeps eighteen bits and is rounded down", arguments: [0, 1, 0x3_ffff, 0x4_0001, 30_000_000, UInt64.max])
    func bandwidth(_ bits: UInt64) throws {
        var writer = ControlWriter()
        #expect(writer.append(.bandwidth(BandwidthEstimate(sender: 1, bitsPerSecond: bits, sources: []))) == true)
        guard case .bandwidth(let estimate) = try read(writer.bytes)[0] else {
            Issue.record("another packet")
            return
        }
        #expect(estimate.bitsPerSecond <= bits)
        #expect(bits - estimate.bitsPerSecond <= bits >> 17)
    }

    @Test(
        "a time of NTP is the microseconds it was made of",
        arguments: [0, 1, 999_999, 1_000_000, 1_700_000_000_123_456, 4_294_967_295_999_999])
    func time(_ microseconds: Int64) {
        #expect(NTPTime(microseconds: microseconds).microseconds == microseconds)
        #expect(NTPTime(0x0001_0002_0003_0004).middle == 0x0002_0003)
    }

    @Test("random damage is read or refused, and never more than the bytes allow", arguments: 0..<4)
    func damage(_ seed: Int) {
        var random = Seeded(UInt64(seed) + 1)
        let good = Self.examples.flatMap(\.bytes)
        for _ in 0..<2000 {
            var bytes = good
            for _ in 0..<Int.random(in: 1..<12, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            guard let packets = try? read(bytes) else { continue }
            #expect(packets.count <= bytes.count / 4)
        }
    }
}
