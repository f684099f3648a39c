import BondWire
import Bonding
import Testing

@Suite("The bond")
struct BondTests {
    @Test("gives nothing while no link is up, and everything in order once one is")
    func waits() {
        var bond = Bond(second)
        let numbers = (0..<3).map { _ in bond.offer(bytes: 1328, importance: .normal, at: 1000) }
        #expect(bond.next(at: 1000) == nil)
        bond.linkUp(Road.number(3), Road.traits(3), at: 2000)
        for (index, number) in numbers.enumerated() {
            let next = bond.next(at: 2000)
            #expect(next == Transmission(link: Road.number(3), content: .media(number, .first)))
            #expect(bond.next(at: 2000) == next)
            if let next { bond.sent(next, sequence: UInt64(index), at: 2000) }
        }
        #expect(bond.next(at: 2000) == nil)
    }

    @Test("takes the link whose packet arrives first")
    func earliest() {
        var road = Road(second, delays: [0: 80_000, 1: 20_000])
        road.pass(500)
        road.offer(2)
        #expect(road.media(over: 1).count == 2)
        #expect(road.media(over: 0).isEmpty)
    }

    @Test("does not believe a rate that nobody tested: packets that waited behind none are no sample")
    func appLimited() {
        var road = Road(second, delays: [0: 30_000])
        let before = road.estimate(0)
        for _ in 0..<60 {
            road.offer(1)
            road.pass(50)
        }
        #expect(road.arrived.count > 50)
        #expect(road.estimate(0) == before)
    }

    @Test("keeps a handover's longer delay from looking like a queue for ever")
    func handover() {
        var road = Road(second, delays: [0: 30_000])
        func drive(_ seconds: Int) {
            for _ in 0..<seconds * 20 {
                road.offer(2)
                road.pass(50)
            }
        }
        drive(5)
        road.delays[0] = 130_000
        drive(20)
        #expect(road.bond.figures(at: road.now).links[0].roundTrip == 160_000)
        #expect(road.estimate(0) > 500_000)
        #expect(road.arrived.count >= 980)
    }

    @Test("sends a lost packet again once, at once, and only as long as it can be in time")
    func repair() {
        var road = Road(second, delays: [0: 30_000, 1: 40_000])
        road.pass(500)
        let start = road.sent.count
        road.losses[0] = [UInt64(road.media(over: 0).count + road.sent.count { $0.link == Road.number(0) } + 1)]
        road.offer(6)
        road.pass(300)
        #expect(road.reasons(since: start).count { $0 == .repair } == 1)
        #expect(road.reasons(since: start).count == 7)
        #expect(road.arrived.count == 6)
    }

    @Test("mutes a silent link, sends what it holds over another, and hears it again")
    func silence() {
        var road = Road(second, delays: [0: 20_000, 1: 60_000])
        road.pass(500)
        road.dead = [0]
        road.offer(4)
        #expect(road.media(over: 0).count == 4)
        road.pass(300)
        #expect(road.reasons().count { $0 == .rescue } == 4)
        #expect(road.arrived.count == 4)
        #expect(road.bond.figures(at: road.now).links[0].state == .suspect)
        let muted = road.sent.count
        road.offer(4)
        #expect(road.media(over: 0, since: muted).isEmpty)
        road.dead = []
        road.pass(400)
        #expect(road.bond.figures(at: road.now).links[0].state == .live)
        let kinds = road.bond.takeEvents().map(\.kind)
        #expect(kinds.contains { if case .muted(Road.number(0), _) = $0 { true } else { false } })
        #expect(kinds.contains(.returned(Road.number(0))))
    }

    @Test("sends what a link held over the others at once when the link is down")
    func down() {
        var road = Road(second, delays: [0: 20_000, 1: 60_000])
        road.pass(500)
        road.offer(4)
        let start = road.sent.count
        road.bond.linkDown(Road.number(0), at: road.now)
        road.pump()
        #expect(road.reasons(since: start) == Array(repeating: .rescue, count: 4))
        #expect(road.media(over: 1, since: start).count == 4)
        #expect(road.bond.figures(at: road.now).links.count == 1)
    }

    @Test("sends what the receiver asks for, unless it is on its way")
    func requests() {
        var road = Road(second, delays: [0: 20_000])
        road.pass(500)
        road.offer(3)
        let start = road.sent.count
        road.bond.request([PacketNumber(0)...PacketNumber(2)], at: road.now)
        road.pump()
        #expect(road.sent.count == start)
        road.pass(200)
        road.bond.request([PacketNumber(1)...PacketNumber(.max)], at: road.now)
        road.pump()
        #expect(road.reasons(since: start) == [.request, .request])
    }

    @Test("with half a second to go and every link unheard, all are suspect, and probed")
    func unheard() {
        var road = Road(second, delays: [0: 20_000, 1: 30_000])
        road.pass(500)
        let start = road.sent.count
        road.pass(1500, reports: false)
        #expect(road.bond.figures(at: road.now).links.allSatisfy { $0.state == .suspect })
        #expect(road.media(over: 0, since: start).isEmpty)
        #expect(road.sent[start...].count { $0.link == Road.number(0) } >= 8)
        road.pass(300)
        #expect(road.bond.figures(at: road.now).links.allSatisfy { $0.state == .live })
        #expect(road.bond.takeEvents().map(\.kind).contains(.heard))
    }

    @Test("a packet that is larger than any link takes holds up none behind it")
    func tooLarge() {
        var road = Road(second, delays: [0: 20_000])
        road.pass(500)
        road.bond.linkChanged(Road.number(0), LinkTraits(packetLimit: 952, overhead: 57, roundTrip: 60_000), at: road.now)
        road.offer(1)
        road.offer(3, bytes: 952)
        #expect(road.media(over: 0).count == 3)
        #expect(road.bond.figures(at: road.now).bond.dropped == 1)
    }

    @Test("under overload second copies that never have their turn are forgotten with their packets")
    func copiesUnderOverload() {
        var road = Road(BondSettings(latency: 1_000_000, mode: .bulletproof), delays: [0: 20_000, 1: 25_000]) { link in
            LinkTraits(packetLimit: 1400, overhead: 57, roundTrip: 60_000, ceiling: 2_000_000)
        }
        for _ in 0..<6000 {
            road.offer(8)
            road.pass(10)
        }
        let most = Int(60 / 0.01) * 8
        let waiting = Mirror(reflecting: road.bond).descendant("queue", "doubles") as? [PacketNumber]
        #expect((waiting?.count ?? .max) < most / 40, "\(waiting?.count ?? -1) copies of the last 1.5 s")
    }

    @Test("forgets packets when their time is over")
    func forgets() {
        var road = Road(second, delays: [0: 20_000])
        road.offer(5)
        road.pass(1000)
        #expect(road.bond.takeForgotten() == PacketNumber(0))
        road.pass(1000)
        #expect(road.bond.takeForgotten() == PacketNumber(5))
        #expect(road.bond.figures(at: road.now).bond.confirmed == 5)
    }

    @Test("the playout offset is the clocks' difference and the latency, and moves by 1 ms a second at most")
    func playout() throws {
        var road = Road(second, delays: [0: 30_000])
        #expect(road.bond.playoutOffset == nil)
        road.pass(3000)
        let settled = try #require(road.bond.playoutOffset)
        #expect(abs(settled - Road.offset - 1_000_000) <= 1000)
        road.delays[0] = 10_000
        road.pass(5000)
        let moved = try #require(road.bond.playoutOffset)
        #expect(moved != settled && abs(moved - settled) <= 5_100)
    }
}
