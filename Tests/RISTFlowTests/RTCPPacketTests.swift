import RISTFlow
import Testing

/// Bytes written as fields, each with its name.
private func hex(_ fields: (name: String, digits: String)...) -> [UInt8] {
    let digits = Array(fields.map(\.digits).joined().utf8)
    return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(String(decoding: digits[$0...$0 + 1], as: UTF8.self), radix: 16)! }
}

@Suite struct RTCPPacketTests {
    private static let report = RTCPPacket.receiverReport(source: 0x0a0b_0c0d)

    static let vectors: [(RTCPPacket, [UInt8])] = [
        (report, hex(("V=2, RC=0, RR", "80c9"), ("words", "0001"), ("source", "0a0b0c0d"))),
        (
            .senderReport(.init(source: 2, time: 0x1122_3344_5566_7788, timestamp: 3, packets: 4, bytes: 5)),
            hex(
                ("V=2, RC=0, SR", "80c8"), ("words", "0006"), ("source", "00000002"), ("NTP", "1122334455667788"), ("RTP", "00000003"),
                ("packets", "00000004"), ("bytes", "00000005"))
        ),
        (
            .description(source: 2, name: "ab"),
            hex(
                ("V=2, SC=1, SDES", "81ca"), ("words", "0003"), ("source", "00000002"), ("CNAME, 2", "0102"), ("ab", "6162"),
                ("end", "00000000"))
        ),
        (
            .description(source: 2, name: "abc"),
            hex(
                ("V=2, SC=1, SDES", "81ca"), ("words", "0003"), ("source", "00000002"), ("CNAME, 3", "0103"), ("abc", "616263"),
                ("end", "000000"))
        ),
        (
            .nack(.init(media: 6, ranges: [.init(first: 0xfffe, more: 3), .init(first: 9)], form: .range)),
            hex(
                ("V=2, subtype 0, APP", "80cc"), ("words", "0004"), ("media", "00000006"), ("RIST", "52495354"),
                ("fffe and 3 more", "fffe0003"),
                ("9", "00090000"))
        ),
        (
            .nack(.init(media: 6, ranges: [.init(first: 0xfffe, more: 3), .init(first: 9)], form: .bitmask)),
            hex(
                ("V=2, FMT 1, RTPFB", "81cd"), ("words", "0004"), ("sender", "0a0b0c0d"), ("media", "00000006"),
                ("fffe, the three behind", "fffe0007"),
                ("9", "00090000"))
        ),
        (
            .nack(.init(media: 6, ranges: [.init(first: 1, more: 20)], form: .bitmask)),
            hex(
                ("V=2, FMT 1, RTPFB", "81cd"), ("words", "0004"), ("sender", "0a0b0c0d"), ("media", "00000006"), ("1 to 17", "0001ffff"),
                ("18 to 21", "00120007"))
        ),
        (
            .echoRequest(.init(source: 2, time: 0x1122_3344_5566_7788)),
            hex(
                ("V=2, subtype 2, APP", "82cc"), ("words", "0005"), ("source", "00000002"), ("RIST", "52495354"),
                ("time", "1122334455667788"),
                ("delay", "00000000"))
        ),
        (
            .echoResponse(.init(source: 2, time: 0x1122_3344_5566_7788, delay: 9)),
            hex(
                ("V=2, subtype 3, APP", "83cc"), ("words", "0005"), ("source", "00000002"), ("RIST", "52495354"),
                ("time", "1122334455667788"),
                ("delay", "00000009"))
        ),
    ]

    @Test("each packet is these bytes, and is read from them", arguments: vectors)
    func vector(_ packet: RTCPPacket, _ bytes: [UInt8]) {
        #expect(RTCPPacket.encode([packet], source: 0x0a0b_0c0d) == bytes)
        #expect(RTCPPacket.decode(bytes) == [packet])
    }

    @Test("what ristsender 0.2.7 sends is read")
    func stock() {
        let report = hex(
            ("SR", "80c80006"), ("source", "a7c67ae2"), ("NTP", "eeac1dd343073887"), ("RTP", "e8990e69"), ("packets", "00000000"),
            ("bytes", "00000000"), ("SDES", "81ca0003"), ("source", "a7c67ae2"), ("CNAME vm", "0102766d"), ("end", "00000000"))
        let echo = hex(
            ("RR", "80c90001"), ("source", "a7c67ae2"), ("SDES", "81ca0003"), ("source", "a7c67ae2"), ("CNAME vm", "0102766d"),
            ("end", "00000000"), ("APP, subtype 2", "82cc0005"), ("source", "a7c67ae2"), ("RIST", "52495354"),
            ("time", "83ab485ac4e0962d"), ("delay", "00000000"))
        let source: UInt32 = 0xa7c6_7ae2
        let name = RTCPPacket.description(source: source, name: "vm")
        let sent = RTCPPacket.SenderReport(source: source, time: 0xeeac_1dd3_4307_3887, timestamp: 0xe899_0e69, packets: 0, bytes: 0)
        #expect(RTCPPacket.decode(report) == [.senderReport(sent), name])
        let question = RTCPPacket.Echo(source: source, time: 0x83ab_485a_c4e0_962d)
        #expect(RTCPPacket.decode(echo) == [.receiverReport(source: source), name, .echoRequest(question)])
        #expect(RTCPPacket.encode([.senderReport(sent), name], source: source) == report)
        #expect(RTCPPacket.encode([.receiverReport(source: source), name, .echoRequest(question)], source: source) == echo)
    }

    @Test("a compound of all comes out whole; cut anywhere between two words, or changed in a length, it does not")
    func compound() {
        let packets = Self.vectors.map(\.0)
        let bytes = RTCPPacket.encode(packets, source: 0x0a0b_0c0d)
        #expect(RTCPPacket.decode(bytes) == packets)
        let ends = Self.vectors.reduce(into: [0]) { $0.append($0.last! + $1.1.count) }
        for count in 0..<bytes.count where count == 0 || !ends.contains(count) { #expect(RTCPPacket.decode(Array(bytes[..<count])) == nil) }
    }

    @Test("report blocks, padding behind an echo, and packets of other types are read over")
    func readOver() {
        let blocks = hex(
            ("V=2, RC=1, RR", "81c9"), ("words", "0007"), ("source", "0a0b0c0d"), ("block", String(repeating: "00", count: 24)))
        let echo = hex(
            ("echo", "82cc0006"), ("source", "00000002"), ("RIST", "52495354"), ("time and delay", String(repeating: "00", count: 12)),
            ("padding", "ffffffff"))
        let others = hex(
            ("BYE", "81cb0001"), ("source", "00000002"), ("APP of another", "80cc0002"), ("source and name", "0000000258595a5a"))
        #expect(RTCPPacket.decode(blocks + others + echo) == [Self.report, .echoRequest(.init(source: 2, time: 0))])
    }

    @Test(
        "what is not right in itself is refused",
        arguments: [
            ("empty", []), ("version 1", hex(("RR", "40c90001"), ("source", "00000002"))),
            ("padded", hex(("RR", "a0c90001"), ("source", "00000002"))),
            ("longer than it is", hex(("RR", "80c90002"), ("source", "00000002"))), ("no source", hex(("RR", "80c90000"))),
            ("a block that is not there", hex(("RR", "81c90001"), ("source", "00000002"))),
            ("half a sender report", hex(("SR", "80c80001"), ("source", "00000002"))),
            ("a name beyond its end", hex(("SDES", "81ca0002"), ("source", "00000002"), ("CNAME", "01096162"))),
            ("a name without an end", hex(("SDES", "81ca0002"), ("source", "00000002"), ("CNAME", "01026162"))),
            ("an empty range NACK", hex(("APP", "80cc0002"), ("media", "00000002"), ("RIST", "52495354"))),
            ("an empty bitmask NACK", hex(("RTPFB", "81cd0002"), ("sender and media", "0000000200000002"))),
            ("an echo without a time", hex(("APP", "82cc0003"), ("source", "00000002"), ("RIST", "52495354"), ("half", "00000000"))),
        ] as [(String, [UInt8])])
    func refused(_ name: String, _ bytes: [UInt8]) { #expect(RTCPPacket.decode(bytes) == nil, "\(name)") }

    @Test("a NACK for all numbers is one range")
    func whole() {
        let nack = RTCPPacket.nack(.init(media: 6, ranges: [.init(first: 5, more: .max)], form: .bitmask))
        #expect(RTCPPacket.decode(RTCPPacket.encode([nack], source: 1)) == [nack])
    }
}
