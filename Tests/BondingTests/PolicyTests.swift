import BondWire
import Bonding
import Testing

@Suite("Modes, costs and caps")
struct PolicyTests {
    @Test(
        "doubles nothing, what is key, or everything, each copy over another link",
        arguments: [(BondMode.throughput, 0), (.balanced, 2), (.bulletproof, 6)])
    func doubles(_ mode: BondMode, _ expected: Int) {
        var road = Road(BondSettings(latency: 1_000_000, mode: mode), delays: [0: 20_000, 1: 40_000])
        road.pass(500)
        road.offer(4)
        road.offer(2, importance: .key)
        road.pass(20)
        var copies: [PacketNumber: [LinkNumber]] = [:]
        for transmission in road.sent {
            if case .media(let number, _) = transmission.content { copies[number, default: []].append(transmission.link) }
        }
        #expect(copies.values.count { $0.count == 2 } == expected)
        #expect(copies.values.allSatisfy { Set($0).count == $0.count })
        #expect(road.reasons().count { $0 == .double } == expected)
    }

    @Test("a single link carries no doubles")
    func alone() {
        var road = Road(BondSettings(latency: 1_000_000, mode: .bulletproof), delays: [0: 20_000])
        road.pass(500)
        road.offer(4)
        road.pass(100)
        #expect(road.reasons() == Array(repeating: .first, count: 4))
    }

    @Test("a free link goes before a metered one, however near that is, until it is full")
    func costs() {
        var road = Road(second, delays: [0: 10_000, 1: 60_000]) { link in
            LinkTraits(packetLimit: 1400, overhead: 57, cost: link == 0 ? .metered : .free, roundTrip: 60_000)
        }
        road.pass(500)
        road.offer(5)
        #expect(road.media(over: 1).count == 5)
        road.offer(20)
        #expect(!road.media(over: 0).isEmpty)
    }

    @Test("a link of last resort gets nothing while others are up, and everything when they are gone")
    func lastResort() {
        var road = Road(second, delays: [0: 10_000, 1: 30_000]) { link in
            LinkTraits(packetLimit: 1400, overhead: 57, cost: link == 0 ? .lastResort : .metered, roundTrip: 60_000)
        }
        road.pass(500)
        for _ in 0..<20 {
            road.offer(3)
            road.pass(50)
        }
        #expect(road.media(over: 0).isEmpty)
        road.bond.linkDown(Road.number(1), at: road.now)
        let start = road.sent.count
        road.pass(100)
        road.offer(3)
        #expect(road.media(over: 0, since: start).count >= 3)
        #expect(road.bond.rate.bitsPerSecond > 500_000)
    }

    @Test("what a cheap link would bring too late goes over a dearer one")
    func tooLateForTheCheap() {
        var road = Road(second, delays: [0: 20_000, 1: 650_000]) { link in
            LinkTraits(packetLimit: 1400, overhead: 57, cost: link == 0 ? .metered : .free, roundTrip: link == 0 ? 60_000 : 1_300_000)
        }
        road.pass(2000)
        _ = road.bond.offer(bytes: 1328, importance: .normal, at: road.now)
        road.now += 450_000
        road.bond.advance(to: road.now)
        road.pump()
        #expect(road.media(over: 0).count == 1)
        #expect(road.media(over: 1).isEmpty)
    }

    @Test("a ceiling holds whatever the link could carry")
    func ceiling() {
        var road = Road(second, delays: [0: 10_000]) { _ in
            LinkTraits(packetLimit: 1400, overhead: 57, roundTrip: 40_000, ceiling: 500_000)
        }
        road.pass(500)
        let start = road.sent.count
        for _ in 0..<60 {
            road.offer(10)
            road.pass(50)
        }
        let bits = road.media(over: 0, since: start).count * 1385 * 8
        #expect(bits > 1_300_000 && bits < 1_700_000)
        #expect(road.bond.rate.bitsPerSecond <= 650_000)
    }

    @Test("a packet that is too large for a link goes over one that takes it")
    func sizes() {
        var road = Road(second, delays: [0: 10_000, 1: 60_000]) { link in
            LinkTraits(packetLimit: link == 0 ? 1200 : 1400, overhead: 57, roundTrip: 60_000)
        }
        road.pass(500)
        road.offer(2)
        road.offer(2, bytes: 1140)
        #expect(road.media(over: 1).count == 2)
        #expect(road.media(over: 0).count == 2)
    }
}
