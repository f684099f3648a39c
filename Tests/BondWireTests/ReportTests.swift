import Testing

@testable import BondWire

@Suite struct ReportTests {
    private func bytes(_ report: Report) -> [UInt8] {
        var bytes: [UInt8] = []
        report.append(to: &bytes)
        return bytes
    }

    private func decoded(_ bytes: [UInt8]) -> Report? {
        var reader = ByteReader(bytes)
        guard let report = Report(&reader), reader.isAtEnd else { return nil }
        return report
    }

    private func arrivals(_ pairs: [(UInt64, Microseconds)]) -> [LinkArrivals.Arrival] {
        pairs.map { LinkArrivals.Arrival(sequence: $0.0, at: $0.1) }
    }

    @Test("a report is these bytes")
    func vector() {
        let report = Report(
            sentAt: 0x10_0000,
            links: [
                LinkArrivals(
                    link: link(3),
                    arrivals: arrivals([(4, 900_000), (7, 940_000), (6, 945_000), (300, 1_000_000), (301, 1_020_000), (302, 1_021_000)]),
                    connection: ConnectionNumber(0x0a_bcde), received: 200),
                LinkArrivals(link: link(5), arrivals: []),
            ])
        #expect(
            bytes(report)
                == hex(
                    ("sent at, us", "0000000000100000"), ("links", "02"), ("link", "03"), ("connection", "0abcde"), ("received", "c801"),
                    ("arrivals", "06"), ("302", "ae02"), ("275 units ago", "9302"), ("301, 10 units earlier", "0a"),
                    ("300, 200 units earlier", "80c8"), ("6, step -294 and 550 units", "c0cb04a604"), ("7, step +1 and 50 units", "c00232"),
                    ("4, step -3 and 400 units", "c0059003"), ("link", "05"), ("connection", "000000"), ("received", "00"),
                    ("arrivals", "00")))
    }

    @Test("what comes out is what went in, to 0.1 ms, whatever the order and the gaps")
    func roundTrip() throws {
        for seed in 1...50 {
            var dice = Dice(state: UInt64(seed) &* 0x9e37_79b9_7f4a_7c15)
            var links: [LinkArrivals] = []
            for number in 0..<Int.random(in: 0...8, using: &dice) {
                var (sequence, at) = (UInt64.random(in: 0...UInt64.max / 2, using: &dice), Microseconds(1_000_000))
                let list = (0..<Int.random(in: 0...60, using: &dice)).map { _ in
                    sequence = sequence &+ UInt64(bitPattern: Int64.random(in: -3...8, using: &dice))
                    at += Microseconds.random(in: 0...20000, using: &dice)
                    return LinkArrivals.Arrival(sequence: sequence, at: at)
                }
                links.append(LinkArrivals(link: link(number), arrivals: list, received: .random(in: 0 ... .max, using: &dice)))
            }
            let report = Report(sentAt: 3_000_000, links: links)
            let again = try #require(decoded(bytes(report)))
            #expect(again.sentAt == report.sentAt && again.links.count == links.count)
            for (one, other) in zip(again.links, links) {
                #expect(one.link == other.link && one.received == other.received)
                #expect(one.arrivals.map(\.sequence) == other.arrivals.map(\.sequence))
                #expect(zip(one.arrivals, other.arrivals).allSatisfy { (0..<100).contains($0.at - $1.at) })
            }
            #expect(decoded(bytes(again)) == again)
        }
    }

    @Test("a datagram in a row costs one byte")
    func size() {
        let list = arrivals((0..<400).map { (UInt64($0), 1_000_000 + Microseconds($0) * ms) })
        let report = Report(sentAt: 1_400_000, links: [LinkArrivals(link: link(0), arrivals: list, received: 400)])
        #expect(bytes(report).count == 9 + 1 + 3 + 2 + 2 + 2 + 1 + 399)
    }

    @Test("what does not fit into 1,150 bytes is what is oldest, over all links")
    func cut() throws {
        let links = (0..<16).map { number in
            LinkArrivals(
                link: link(number), arrivals: arrivals((0..<2000).map { (UInt64($0), Microseconds($0 * (number + 1)) * 100) }),
                connection: ConnectionNumber(.max), received: .max)
        }
        let report = Report(sentAt: 4_000_000, links: links)
        let encoded = bytes(report)
        #expect(encoded.count <= Report.byteLimit && encoded.count > Report.byteLimit - 24)
        let again = try #require(decoded(encoded))
        let oldest = again.links.flatMap(\.arrivals).map(\.at).min()!
        for (told, all) in zip(again.links, links) {
            let due = all.arrivals.filter { $0.at >= oldest + 2 * ms }
            #expect(told.arrivals.count >= due.count, "nothing newer than what is told is left out")
        }
    }

    @Test("times that cannot be are told as what is nearest: from the future as now, before the clock's beginning as zero")
    func lies() throws {
        let list = arrivals([(0, -5), (1, .max), (2, 10), (3, .min)])
        let again = try #require(decoded(bytes(Report(sentAt: 1000, links: [LinkArrivals(link: link(0), arrivals: list)]))))
        #expect(again.links[0].arrivals.map(\.sequence) == [0, 1, 2, 3])
        #expect(again.links[0].arrivals.allSatisfy { (0...1000).contains($0.at) })
        #expect(decoded(bytes(Report(sentAt: -1, links: [])))?.sentAt == 0)
    }

    @Test(
        "a report that lies about itself is refused",
        arguments: [
            ("cut", hex(("time", "0000000000100000"))),
            ("seventeen links", hex(("time", "0000000000100000"), ("links", "11"))),
            ("link 16", hex(("time", "0000000000100000"), ("links", "01"), ("link", "10"), ("rest", "000000" + "00" + "00"))),
            (
                "one link twice",
                hex(("time", "0000000000100000"), ("links", "02"), ("one", "00000000" + "00" + "00"), ("again", "00000000" + "00" + "00"))
            ),
            ("more arrivals than bytes", hex(("time", "0000000000100000"), ("links", "01"), ("one", "00000000" + "00" + "ff7f" + "0000"))),
            ("an arrival before the clock", hex(("time", "0000000000000064"), ("links", "01"), ("one", "00000000" + "00" + "01" + "0002"))),
            ("a clock beyond all", hex(("time", "4000000000000000"), ("links", "00"))),
            ("bytes behind it", hex(("time", "0000000000100000"), ("links", "00"), ("more", "00"))),
            ("an unknown step", hex(("time", "0000000000100000"), ("links", "01"), ("one", "00000000" + "00" + "02" + "0000" + "c10000"))),
            ("a number in a longer form", hex(("time", "0000000000100000"), ("links", "01"), ("one", "00000000" + "8000" + "00"))),
            (
                "a number of more than 64 bits",
                hex(("time", "0000000000100000"), ("links", "01"), ("one", "00000000" + "ffffffffffffffffff02" + "00"))
            ),
            (
                "times that overflow together",
                hex(
                    ("time", "3fffffffffffffff"), ("links", "01"),
                    ("one", "00000000" + "00" + "02" + "00ffffffffffffffffff01" + "c002ffffffffffffffffff01"))
            ),
        ])
    func refused(_ name: String, _ bytes: [UInt8]) {
        #expect(decoded(bytes) == nil, "\(name)")
    }

    @Test("a builder repeats what came in the last 400 ms, and of each link at least the last")
    func builder() {
        var builder = ReportBuilder()
        let number = ConnectionNumber(5)
        for index in 0..<100 { builder.arrived(UInt64(index), over: link(1), number, at: Microseconds(index) * 10 * ms) }
        builder.arrived(7, over: link(0), number, at: 0)
        let report = builder.report(at: second)
        #expect(report.links.map(\.link) == [link(0), link(1)])
        #expect(report.links[0].arrivals == arrivals([(7, 0)]))
        #expect(report.links[1].arrivals.map(\.sequence) == Array(60..<100))
        #expect(report.links[1].received == 100 && report.links[1].connection == number)
        builder.remove(link(0))
        #expect(builder.report(at: second).links.count == 1)
    }

    @Test("a link that was dialled anew begins anew: what came over the association before is not told as its own")
    func redialled() {
        var builder = ReportBuilder()
        builder.arrived(900, over: link(1), ConnectionNumber(5), at: 0)
        builder.arrived(0, over: link(1), ConnectionNumber(6), at: ms)
        let told = builder.report(at: ms).links[0]
        #expect(told.arrivals == arrivals([(0, ms)]) && told.connection == ConnectionNumber(6) && told.received == 1)
    }

    @Test("a builder without reports holds a bounded number of arrivals")
    func bounded() {
        var builder = ReportBuilder()
        for index in 0..<100_000 { builder.arrived(UInt64(index), over: link(1), ConnectionNumber(5), at: 0) }
        let told = builder.report(at: 0).links[0]
        #expect(told.arrivals.count <= 2301 && told.arrivals.last?.sequence == 99_999 && told.received == 100_000)
    }
}

@Suite struct FrameTests {
    @Test(
        "what is no frame is refused", arguments: [[], [8], [255], [5], [5, 1, 2, 3], [7], [7, 9], [7, 0, 0], [4, 1], [3]] as [[UInt8]])
    func refused(_ bytes: [UInt8]) { #expect(Frame.decode(bytes, from: 0) == nil) }

    @Test("an authentic datagram that is no frame is malformed, and its number is used up")
    func authentic() throws {
        let (sender, receiver) = pair()
        let datagram = sender.seal(.goodbye(.linkClosed), at: 0).datagram
        #expect(try receiver.open(datagram, at: 0).frame == .goodbye(.linkClosed))
        #expect(throws: SecureLink.Rejection.replayed) { try receiver.open(datagram, at: 0) }
    }
}
