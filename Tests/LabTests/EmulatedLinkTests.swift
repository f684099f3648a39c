import Testing

@testable import Lab

private let ms: Int64 = 1_000_000

/// Sends packets and collects when each arrives, asking as often as the link wants.
private struct Bench {
    var link: EmulatedLink<Int>
    var arrived: [(packet: Int, at: Int64)] = []

    init(_ profile: LinkProfile, seed: UInt64 = 1) { link = EmulatedLink(profile, seed: seed) }

    mutating func send(_ packet: Int, bytes: Int = 1250, at now: Int64) -> Drop? {
        run(until: now)
        return link.enter(packet, bytes: bytes, at: now)
    }

    mutating func run(until end: Int64) {
        while let next = link.next, next <= end {
            arrived += link.arrivals(at: next).map { ($0.payload, $0.dueNs) }
        }
        arrived += link.arrivals(at: end).map { ($0.payload, $0.dueNs) }
    }
}

@Suite("An emulated link")
struct EmulatedLinkTests {
    @Test("without a limit it only delays")
    func delay() {
        var bench = Bench(LinkProfile(delayMs: 40))
        for packet in 0..<3 { #expect(bench.send(packet, at: Int64(packet) * ms) == nil) }
        bench.run(until: 1000 * ms)
        #expect(bench.arrived.map(\.at) == [40 * ms, 41 * ms, 42 * ms])
        #expect(bench.link.next == nil)
    }

    @Test("at 1 Mbit/s a packet of 1250 bytes takes 10 ms, one after the other")
    func serialization() {
        var bench = Bench(LinkProfile(rateKbit: 1000, delayMs: 5))
        for packet in 0..<3 { _ = bench.send(packet, at: 0) }
        _ = bench.send(3, bytes: 125, at: 50 * ms)
        bench.run(until: 1000 * ms)
        #expect(bench.arrived.map(\.packet) == [0, 1, 2, 3])
        #expect(bench.arrived.map(\.at) == [15 * ms, 25 * ms, 35 * ms, 56 * ms])
    }

    @Test("what does not fit into the queue is dropped at its end")
    func dropTail() {
        var profile = LinkProfile(rateKbit: 1000)
        profile.queueBytes = 5000
        var bench = Bench(profile)
        let drops = (0..<6).map { bench.send($0, at: 0) }
        #expect(drops == [nil, nil, nil, nil, .queue, .queue])
        #expect(bench.send(6, at: 10 * ms) == nil, "one has left after 10 ms")
        bench.run(until: 1000 * ms)
        #expect(bench.arrived.map(\.packet) == [0, 1, 2, 3, 6])
        #expect(bench.link.count.dropped(.queue) == 2)
        #expect(bench.link.count.deliveredBytes == 5 * 1250)
    }

    @Test("a queue in milliseconds holds what drains in that time")
    func queueInTime() {
        var bench = Bench(LinkProfile(rateKbit: 1000, queueMs: 100))
        let taken = (0..<20).filter { bench.send($0, at: 0) == nil }
        #expect(taken.count == 10)
    }

    @Test("a new rate holds for what is left of the packet in the bottleneck")
    func rateChange() {
        var bench = Bench(LinkProfile(rateKbit: 1000))
        _ = bench.send(0, at: 0)
        _ = bench.send(1, at: 0)
        bench.run(until: 5 * ms)
        bench.link.change(to: LinkProfile(rateKbit: 500), at: 5 * ms)
        bench.run(until: 1000 * ms)
        #expect(bench.arrived.map(\.at) == [15 * ms, 35 * ms])
    }

    @Test("at rate 0 packets wait, and leave when there is a rate again")
    func stalled() {
        var bench = Bench(LinkProfile(rateKbit: 0))
        _ = bench.send(0, at: 0)
        bench.run(until: 500 * ms)
        #expect(bench.arrived.isEmpty)
        bench.link.change(to: LinkProfile(rateKbit: 1000), at: 500 * ms)
        bench.run(until: 1000 * ms)
        #expect(bench.arrived.map(\.at) == [510 * ms])
    }

    @Test("a trace lets one full packet leave at each of its times, and repeats")
    func trace() {
        var profile = LinkProfile()
        profile.trace = [10, 10, 40]
        profile.queueBytes = 1 << 20
        var bench = Bench(profile)
        bench.run(until: 0)
        for packet in 0..<4 { _ = bench.send(packet, bytes: 1500, at: 0) }
        bench.run(until: 1000 * ms)
        #expect(bench.arrived.map(\.at) == [10 * ms, 10 * ms, 40 * ms, 50 * ms])
    }

    @Test("small packets share one time of a trace, and a time that nobody uses is lost")
    func smallPacketsInATrace() {
        var profile = LinkProfile()
        profile.trace = [10, 20]
        var bench = Bench(profile)
        bench.run(until: 0)
        for packet in 0..<4 { _ = bench.send(packet, bytes: 500, at: 15 * ms) }
        bench.run(until: 1000 * ms)
        #expect(bench.arrived.map(\.at) == [20 * ms, 20 * ms, 20 * ms, 30 * ms])
    }

    @Test("jitter never turns the order of packets")
    func jitter() {
        var bench = Bench(LinkProfile(delayMs: 10, jitterMs: 20))
        for packet in 0..<500 { _ = bench.send(packet, at: Int64(packet) * ms) }
        bench.run(until: 10_000 * ms)
        #expect(bench.arrived.map(\.packet) == Array(0..<500))
        let waits = bench.arrived.map { $0.at - Int64($0.packet) * ms }
        #expect(waits.allSatisfy { $0 >= 10 * ms && $0 <= 30 * ms })
        #expect(Set(waits).count > 100)
    }

    @Test("random loss loses its share, the same packets for the same seed")
    func randomLoss() {
        func lost(seed: UInt64) -> [Int] {
            var bench = Bench(LinkProfile(loss: 0.05), seed: seed)
            for packet in 0..<20_000 { _ = bench.send(packet, at: Int64(packet)) }
            bench.run(until: 1000 * ms)
            return Array(Set(0..<20_000).subtracting(bench.arrived.map(\.packet))).sorted()
        }
        let first = lost(seed: 7)
        #expect((900...1100).contains(first.count))
        #expect(first == lost(seed: 7))
        #expect(first != lost(seed: 8))
    }

    @Test("burst loss comes in runs of the expected length and share")
    func burstLoss() {
        var profile = LinkProfile()
        profile.burst = BurstLoss(enter: 0.01, leave: 0.2, loss: 1)
        var bench = Bench(profile)
        for packet in 0..<50_000 { _ = bench.send(packet, at: Int64(packet)) }
        bench.run(until: 1000 * ms)
        let arrived = Set(bench.arrived.map(\.packet))
        let lost = (0..<50_000).filter { !arrived.contains($0) }
        let runs = lost.filter { $0 == 0 || arrived.contains($0 - 1) }.count
        // Stationary: enter / (enter + leave) = 4.8 %, mean run 1 / leave = 5.
        #expect((0.040...0.056).contains(Double(lost.count) / 50_000))
        #expect((4.4...5.6).contains(Double(lost.count) / Double(runs)))
    }

    @Test("in a blackout nothing enters, and what is on its way arrives")
    func blackout() {
        var bench = Bench(LinkProfile(delayMs: 100))
        _ = bench.send(0, at: 0)
        var dark = LinkProfile(delayMs: 100)
        dark.blackout = true
        bench.link.change(to: dark, at: 50 * ms)
        #expect(bench.send(1, at: 60 * ms) == .blackout)
        bench.link.change(to: LinkProfile(delayMs: 100), at: 200 * ms)
        #expect(bench.send(2, at: 210 * ms) == nil)
        bench.run(until: 1000 * ms)
        #expect(bench.arrived.map(\.packet) == [0, 2])
    }

    @Test("a packet over the MTU vanishes")
    func mtu() {
        var profile = LinkProfile()
        profile.mtu = 1400
        var bench = Bench(profile)
        #expect(bench.send(0, bytes: 1400, at: 0) == nil)
        #expect(bench.send(1, bytes: 1401, at: 0) == .mtu)
    }
}
