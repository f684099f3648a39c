import BondWire
import Bonding
import Lab
import Testing

@Suite("Feedback that lies")
struct HostileFeedbackTests {
    private func running() -> Road {
        var road = Road(second, delays: [0: 20_000, 1: 40_000])
        road.pass(500)
        road.offer(10)
        road.pass(200)
        return road
    }

    private func report(_ road: Road, at time: Microseconds, _ arrivals: [(UInt64, Microseconds)]) -> Report {
        Report(
            sentAt: time, links: [LinkArrivals(link: Road.number(0), arrivals: arrivals.map { .init(sequence: $0.0, at: $0.1) })])
    }

    @Test("an older report is passed over and counted")
    func older() {
        var road = running()
        let old = road.reported()
        road.pass(100)
        let before = road.bond.figures(at: road.now)
        road.bond.take(old, over: Road.number(0), at: road.now)
        let after = road.bond.figures(at: road.now)
        #expect(after.bond.staleReports == before.bond.staleReports + 1)
        #expect(after.links.map(\.estimateBitsPerSecond) == before.links.map(\.estimateBitsPerSecond))
    }

    @Test("a report from the future is not believed, until it goes on saying so")
    func future() {
        var road = running()
        let offset = road.bond.playoutOffset
        for _ in 0..<19 { road.bond.take(report(road, at: road.now + Road.offset + 60_000_000, []), over: Road.number(0), at: road.now) }
        #expect(road.bond.figures(at: road.now).bond.refusedReports == 19)
        #expect(road.bond.playoutOffset == offset)
        road.bond.take(report(road, at: road.now + Road.offset + 60_000_000, []), over: Road.number(0), at: road.now)
        #expect(road.bond.takeEvents().map(\.kind).contains(.clockChanged))
    }

    @Test("arrivals of packets never sent, or after the report that tells of them, are refused")
    func neverSent() {
        var road = running()
        let time = road.now - 30_000 + Road.offset + 20_000
        let before = road.bond.figures(at: road.now).bond
        road.offer(1)
        road.bond.take(report(road, at: time, [(1 << 40, time), (.max, time), (12, time + 5_000_000)]), over: Road.number(0), at: road.now)
        let after = road.bond.figures(at: road.now).bond
        #expect(after.refusedArrivals >= before.refusedArrivals + 2)
        #expect(after.confirmed == before.confirmed)
    }

    @Test("no number traps, and the bond works on afterwards")
    func absurd() {
        var random = SplitMix64(state: 4711)
        var road = running()
        let numbers: [Int64] = [.min, .min + 1, -1, 0, 1, .max, .max - 1, 1 << 50, -(1 << 50), 1 << 60, Road.offset]
        for round in 0..<2000 {
            func any() -> Int64 { numbers.randomElement(using: &random) ?? 0 }
            func near() -> Int64 { road.now &+ Road.offset &+ Int64(random.next() % 10_000_000) - 5_000_000 }
            let links = (0..<Int(random.next() % 18)).map { index in
                LinkArrivals(
                    link: Road.number(index % 16),
                    arrivals: (0..<8).map { _ in
                        .init(
                            sequence: random.next() % 3 == 0 ? UInt64(bitPattern: any()) : random.next() % 64,
                            at: random.next() % 2 == 0 ? any() : near())
                    })
            }
            road.bond.take(
                Report(sentAt: random.next() % 2 == 0 ? any() : near(), links: links), over: Road.number(Int(random.next() % 16)),
                at: random.next() % 50 == 0 ? any() / 1000 : road.now)
            let first = random.next() % 100
            road.bond.request([PacketNumber(first)...PacketNumber(random.next() % 2 == 0 ? .max : first + 5)], at: road.now)
            _ = road.bond.offer(bytes: Int(truncatingIfNeeded: any()), importance: .key, at: road.now)
            if round % 20 == 0 { road.pass(5, reports: false) }
            _ = road.bond.figures(at: any())
        }
        #expect(road.bond.figures(at: road.now).bond.refusedReports > 0)
    }

    @Test("who asks for everything five hundred times in one message is looked after for 8,192 packets, and the rest is counted")
    func everything() {
        var road = running()
        road.offer(20_000)
        let kept = road.bond.figures(at: road.now).bond
        let count = kept.offered
        road.bond.request(Array(repeating: PacketNumber(0)...PacketNumber(.max), count: 500), at: road.now)
        let refused = road.bond.figures(at: road.now).bond.refusedRequests
        #expect((499 * 20_000...500 * count - 8192).contains(refused), "\(refused) of \(500 * count)")
        road.bond.request([PacketNumber(0)...PacketNumber(5)], at: road.now)
        #expect(road.bond.figures(at: road.now).bond.refusedRequests == refused)
    }

    @Test(
        "a receiver whose clock is set back or forward is believed within 2 s",
        arguments: [-30_000_000, -5_000_000, 5_000_000, 3_600_000_000])
    func clockSet(_ jump: Microseconds) {
        var road = running()
        for _ in 0..<60 {
            road.offer(2)
            road.pass(50, reports: false)
            var report = road.reported()
            report.sentAt += jump
            for link in report.links.indices {
                for index in report.links[link].arrivals.indices { report.links[link].arrivals[index].at += jump }
            }
            for link in 0...1 { road.bond.take(report, over: Road.number(link), at: road.now) }
        }
        #expect(road.bond.takeEvents().map(\.kind).contains(.clockChanged))
        #expect(road.bond.figures(at: road.now).links.allSatisfy { $0.state == .live })
    }

    @Test("a sender that slept starts over, and what waited is dropped")
    func slept() {
        var road = running()
        road.offer(5)
        road.now += 3_600_000_000
        road.pass(1000)
        #expect(road.bond.takeForgotten() == PacketNumber(15))
        road.offer(5)
        road.pass(300)
        #expect(road.bond.figures(at: road.now).bond.confirmed >= 15)
    }
}
