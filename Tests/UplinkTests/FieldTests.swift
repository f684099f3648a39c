import Configuration
import Foundation
import Lab
import Posix
import Support
import Testing
import Units
import Uplink
import Wire

/// Three modems as they are on the road: 47, 72 and 124 ms of round trip; two of them carry 2.5 Mbit/s with a fifth to spare.
private func modems(loss: Double = 0) -> [LinkShape] {
    [(20.0, 5.0), (30, 8), (50, 15)].map { delay, jitter in
        LinkShape(LinkProfile(rateKbit: 3000, delayMs: delay, jitterMs: jitter, queueMs: 300, loss: loss))
    }
}

private typealias Happening = (at: Duration, run: @Sendable (FieldNetwork) throws -> Void)

/// Sends 2.5 Mbit/s through what happens, and requires that every packet comes out.
private func loseNothing(
    _ shapes: [LinkShape], over carrier: Carrier = .bond, bufferMs: Int = 1000, for duration: Duration, _ happenings: [Happening] = []
) async throws {
    try await unlessVoid { run in
        let field = try Field(shapes, carrier: carrier, bufferMs: bufferMs)
        defer { field.stop() }
        run.judge { field.network.lateness }
        try await field.waitForLive(shapes.count)
        let lost = try await field.send(duration, happenings)
        try need(lost.isEmpty, "\(lost.count) lost from \(lost.first ?? 0) to \(lost.last ?? 0): \(field.events.map(\.event))")
        let statistics = field.ingest.statistics()
        try need(statistics.lostPacketsTotal == 0)
        // Every packet left by its own modem, the first ones too: one source for each address.
        let links = Set(field.uplink.telemetry().map(\.name))
        try need(statistics.paths.count <= links.count + happenings.count)
    }
}

@Suite(
    "A broadcast over three links", .serialized, .unlessStolen,
    .enabled(if: NetworkNamespace.areAllowed, "namespaces are not allowed here"))
struct FieldTests {
    @Test("loses nothing on a road where links fall silent, are cut, move, come and go, with 1 % loss on each", arguments: Carrier.allCases)
    func journey(_ carrier: Carrier) async throws {
        try await loseNothing(
            modems(loss: 0.01), over: carrier, for: .seconds(14),
            [
                (.seconds(1), { $0.setBlackout(0, isDark: true) }),
                (.seconds(4), { $0.setBlackout(0, isDark: false) }),
                (.seconds(5), { try $0.setCarrier(1, isUp: false) }),
                (.seconds(8), { try $0.setCarrier(1, isUp: true) }),
                (.seconds(9), { try $0.changeAddress(2, host: 77) }),
                (.seconds(10), { try $0.add(3, modems()[0]) }),
                (.seconds(12), { try $0.remove(0) }),
            ])
    }

    @Test(
        "to a stock receiver, loses nothing and sends next to nothing again where one link is 300 ms longer than the others",
        arguments: [400, 1000])
    func fartherStock(_ bufferMs: Int) async throws {
        try await unlessVoid { run in
            var shapes = modems()
            shapes[1].up.delayMs += 300
            // Shorter than the buffer, so that what is late is in time.
            if bufferMs == 400 { shapes[1].up.delayMs -= 150 }
            let field = try Field(shapes, carrier: .rist, bufferMs: bufferMs)
            defer { field.stop() }
            run.judge { field.network.lateness }
            try await field.waitForLive(3)
            let lost = try await field.send(.seconds(8))
            try need(lost.isEmpty, "\(lost.count) lost from \(lost.first ?? 0) to \(lost.last ?? 0)")
            // Of 1,900 packets a third is late.
            let again = field.uplink.telemetry().reduce(0) { $0 + $1.retransmittedPackets }
            try need(again < 100, "\(again) sent again")
        }
    }

    @Test("sends what the narrowest path carries, over IPv6 too", arguments: [1500, 1358, 1280], [SocketAddress.Family.ipv4, .ipv6])
    func pathMTU(_ mtu: Int, _ family: SocketAddress.Family) async throws {
        try await unlessVoid { run in
            var shapes = modems()
            shapes[1].up.mtu = mtu
            let field = try Field(shapes, family: family)
            defer { field.stop() }
            run.judge { field.network.lateness }
            try await field.waitForLive(3)
            let lost = try await field.send(.seconds(1))
            try need(lost.isEmpty, "\(lost.count) lost")
            let narrow = field.network.count(1, .up)
            try need(narrow.deliveredPackets > 20, "\(narrow)")
        }
    }

    @Test("goes on in smaller packets where the only path becomes narrower on the way")
    func narrowed() async throws {
        try await unlessVoid { run in
            let field = try Field([modems()[0]])
            defer { field.stop() }
            run.judge { field.network.lateness }
            try await field.waitForLive(1)
            var narrow = modems()[0].up
            narrow.mtu = 1300
            let narrowing: Happening = (.seconds(2), { [narrow] in $0.change(0, .up, to: narrow) })
            let lost = try await field.send(.seconds(8), rate: .kilobits(1500), [narrowing])
            // 142 packets a second.
            try need(lost.allSatisfy { $0 < 142 * 5 }, "\(lost.count) lost from \(lost.first ?? 0) to \(lost.last ?? 0)")
        }
    }

    @Test("goes on at the receiver's other address where the one that it had is gone")
    func otherAddress() async throws {
        try await unlessVoid { run in
            let field = try Field(Array(modems().prefix(2))) { [$0.cloudAddress, $0.cloudAddress(0)] }
            defer { field.stop() }
            run.judge { field.network.lateness }
            try await field.waitForLive(2)
            let lost = try await field.send(.seconds(10), rate: .kilobits(1500), [(.seconds(2), { try $0.loseCloudAddress() })])
            // 142 packets a second; 1.2 s until it is missed, some round trips, and what is proven anew.
            try need(lost.allSatisfy { $0 < 142 * 6 }, "\(lost.count) lost from \(lost.first ?? 0) to \(lost.last ?? 0)")
        }
    }

    @Test("a link with a round trip of 1.6 s joins, and at 4 s of latency nothing is lost")
    func slow() async throws {
        try await unlessVoid { run in
            let far = LinkShape(LinkProfile(rateKbit: 3000, delayMs: 800, jitterMs: 5, queueMs: 300))
            let field = try Field([modems()[0], far], bufferMs: 4000)
            defer { field.stop() }
            run.judge { field.network.lateness }
            try await field.waitForLive(2)
            let lost = try await field.send(.seconds(2), settle: .milliseconds(5000))
            try need(lost.isEmpty, "\(lost.count) lost from \(lost.first ?? 0) to \(lost.last ?? 0)")
        }
    }

    @Test("finds the address that answers, and names a link that reaches none", arguments: Carrier.allCases)
    func addresses(_ carrier: Carrier) async throws {
        try await unlessVoid { run in
            var shapes = modems()
            shapes[2].up.blackout = true
            // The first one is nobody's: it leads by the default route into nothing.
            let field = try Field(shapes, carrier: carrier) { ["10.1.1.1", $0.cloudAddress] }
            defer { field.stop() }
            run.judge { field.network.lateness }
            try await field.wait { events in
                let reachable = events.filter { if case .live(_, let receiver) = $0 { receiver.contains(".255.1:") } else { false } }
                return reachable.count == 2
                    && events.contains { if case .unreachable("modem2", _) = $0 { true } else { false } }
            }
            field.network.setBlackout(2, isDark: false)
            try await field.waitForLive(3)
        }
    }
}

/// What kernel and path say of a link.
extension FieldTests {
    @Test("three dead addresses before the good one hold up no start, nor do fifteen", arguments: [3, 15])
    func deadAddresses(_ count: Int) async throws {
        try await unlessVoid { run in
            let field = try Field(modems()) { network in (1...count).map { "10.1.1.\($0)" } + [network.cloudAddress] }
            defer { field.stop() }
            run.judge { field.network.lateness }
            let began = Instant.now
            try await field.waitForLive(3)
            let took = Instant.now - began
            print("FieldTests: three links live in \(took) behind \(count) dead addresses")
            // A start waits for 6 s.
            try need(took < .seconds(4), "\(took)")
            let lost = try await field.send(.seconds(1), settle: .milliseconds(1200))
            try need(lost.isEmpty, "\(lost.count) lost")
            try need(field.ingest.statistics().paths.count == 3, "nothing is left of the others")
        }
    }

    @Test("a device that is pulled out is dead with the first datagram, though nobody tells, and nothing is lost")
    func noDevice() async throws {
        try await unlessVoid { run in
            let field = try Field(Array(modems().prefix(2)), isWatched: false)
            defer { field.stop() }
            run.judge { field.network.lateness }
            try await field.waitForLive(2)
            let lost = try await field.send(.seconds(3), rate: .kilobits(1500), [(.seconds(1), { try $0.remove(0) })])
            try need(lost.isEmpty, "\(lost.count) lost from \(lost.first ?? 0) to \(lost.last ?? 0)")
            let silences = field.events.compactMap { if case .silent("modem0", let reason) = $0.event { reason } else { nil } }
            // ENODEV, and not that nothing comes back.
            try need(silences.first?.contains("No such device") == true, "\(field.events.map(\.event))")
        }
    }

    @Test(
        "a link whose MTU has become too small is left alone, with its size as the reason, and taken up again with a larger one",
        arguments: [true, false])
    func tooNarrow(_ isInterface: Bool) async throws {
        try await unlessVoid { run in
            let field = try Field(Array(modems().prefix(2)))
            defer { field.stop() }
            run.judge { field.network.lateness }
            try await field.waitForLive(2)
            var narrow = modems()[0].up
            narrow.mtu = 576
            let lost = try await field.send(
                .seconds(9), rate: .kilobits(1500),
                [(.seconds(1), { [narrow] in try isInterface ? $0.setMTU(0, 576) : $0.change(0, .up, to: narrow) })])
            try need(lost.isEmpty, "\(lost.count) lost from \(lost.first ?? 0) to \(lost.last ?? 0)")
            let reason = field.uplink.telemetry().first { $0.name == "modem0" }?.reason ?? ""
            try need(reason.contains(isInterface ? "MTU of 576 bytes is too small" : "MTU of its path is too small"), "\(reason)")
            // 15 times in 15 s before it was looked at.
            let silences = field.events.filter { if case .silent("modem0", _) = $0.event { true } else { false } }
            print("FieldTests: silent \(silences.count) times at an MTU of 576: \(reason)")
            try need(silences.count <= 8, "\(field.events.map(\.event))")
            guard isInterface else { return }
            try field.network.setMTU(0, 1500)
            try await field.waitForLive(2)
        }
    }
}

/// Modem sticks of one make.
extension FieldTests {
    @Test("over sticks that all give the board one address loses nothing, also when their NATs forget it")
    func sticks() async throws {
        try await unlessVoid { run in
            let field = try Field(modems(), sticks: true)
            defer { field.stop() }
            run.judge { field.network.lateness }
            try await field.waitForLive(3)
            let lost = try await field.send(
                .seconds(6),
                [
                    (.seconds(1), { $0.rebind(0) }), (.seconds(2), { for link in 0..<3 { $0.rebind(link) } }),
                    (.seconds(4), { $0.rebind(1) }),
                ])
            try need(lost.isEmpty, "\(lost.count) lost from \(lost.first ?? 0): \(field.events.map(\.event))")
            for link in 0..<3 { try need(field.network.count(link, .up).deliveredPackets > 40) }
            let silences = field.events.filter { if case .silent = $0.event { true } else { false } }
            try need(silences.isEmpty, "\(silences)")
        }
    }
}

/// What the owner decides about links, and what travels twice.
extension FieldTests {
    private func figures(_ field: Field, _ link: String) -> LinkTelemetry.Bond? {
        field.uplink.telemetry().first { $0.name == link }?.bond
    }

    @Test("a link of last resort carries nothing while the others do, and the stream when they are gone")
    func lastResort() async throws {
        try await unlessVoid { run in
            let field = try Field(Array(modems().prefix(2)), rules: ["modem0": LinkRule(cost: .lastResort)])
            defer { field.stop() }
            run.judge { field.network.lateness }
            try await field.waitForLive(2)
            let before = Guarded<Int?>(nil)
            let lost = try await field.send(
                .seconds(4), rate: .kilobits(1500),
                [
                    (
                        .seconds(2),
                        { network in
                            before.withLock { $0 = figures(field, "modem0")?.offeredPackets }
                            try network.setCarrier(1, isUp: false)
                        }
                    )
                ])
            try need(lost.isEmpty, "\(lost.count) lost")
            let after = figures(field, "modem0")?.offeredPackets ?? 0
            let first = try need(before.withLock { $0 })
            // 142 packets a second.
            try need(first < 20 && after > 250, "\(first), then \(after)")
        }
    }

    @Test("a link's ceiling is kept")
    func ceiling() async throws {
        try await unlessVoid { run in
            let field = try Field(Array(modems().prefix(2)), rules: ["modem0": LinkRule(ceiling: .kilobits(400))])
            defer { field.stop() }
            run.judge { field.network.lateness }
            try await field.waitForLive(2)
            let lost = try await field.send(.seconds(4), rate: .kilobits(1500))
            try need(lost.isEmpty, "\(lost.count) lost")
            let bits = field.network.count(0, .up).enteredBytes * 8
            // 100 ms of it may be sent ahead; handshake and probes come besides.
            try need(bits < 400_000 * 6 && bits > 400_000, "\(bits)")
        }
    }

    @Test("with everything twice, a link that fails at once takes nothing along, not even at 200 ms")
    func twice() async throws {
        try await unlessVoid { run in
            let field = try Field(Array(modems().prefix(2)), bufferMs: 200, protection: .bulletproof)
            defer { field.stop() }
            run.judge { field.network.lateness }
            try await field.waitForLive(2)
            let lost = try await field.send(.seconds(4), rate: .kilobits(1000), [(.seconds(2), { $0.setBlackout(0, isDark: true) })])
            try need(lost.isEmpty, "\(lost.count) lost")
            let bond = try need(field.uplink.bondTelemetry())
            try need(bond.doubledPackets > 150, "\(bond)")
        }
    }
}

/// The single cases at full length, for the nightly run. Inside of the other suite, so that they do not run beside it.
extension FieldTests {
    @Suite(
        "each trouble alone", .serialized, .unlessStolen,
        .enabled(if: ProcessInfo.processInfo.environment["STRATA_SOAK"] != nil, "takes two minutes: STRATA_SOAK=1"))
    struct Long {
        @Test("loses nothing when a link is cut for 5 s")
        func cut() async throws {
            try await loseNothing(
                modems(), for: .seconds(10),
                [(.seconds(2), { try $0.setCarrier(0, isUp: false) }), (.seconds(7), { try $0.setCarrier(0, isUp: true) })])
        }

        @Test("loses nothing when a link silently carries nothing for 5 s", arguments: 0..<3)
        func blackout(_ link: Int) async throws {
            try await loseNothing(
                modems(), for: .seconds(10),
                [(.seconds(2), { $0.setBlackout(link, isDark: true) }), (.seconds(7), { $0.setBlackout(link, isDark: false) })])
        }

        @Test("loses nothing at 5 % loss on each link")
        func loss() async throws { try await loseNothing(modems(loss: 0.05), for: .seconds(10)) }

        @Test("loses nothing with 500 ms of buffer when the best link falls silent")
        func shortBuffer() async throws {
            try await loseNothing(modems(), bufferMs: 500, for: .seconds(6), [(.seconds(2), { $0.setBlackout(0, isDark: true) })])
        }

        @Test("loses nothing over links of 4 and 3 Mbit/s with delay and loss and one that goes as a file says, 1.2 to 2.8 Mbit/s")
        func demonstration() async throws {
            let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../Fixtures/traces/modem").path
            var modem = try LinkProfile(traceFile: file, delayMs: 60, queueMs: 300)
            modem.loss = 0.02
            try await loseNothing(
                [
                    LinkShape(LinkProfile(rateKbit: 4000, delayMs: 20, jitterMs: 5, queueMs: 300, loss: 0.01)),
                    LinkShape(LinkProfile(rateKbit: 3000, delayMs: 35, jitterMs: 8, queueMs: 300, loss: 0.01)),
                    LinkShape(up: modem, down: LinkProfile(rateKbit: 2000, delayMs: 60, jitterMs: 15, queueMs: 300, loss: 0.02)),
                ], for: .seconds(10))
        }

        @Test("shifts away from a link that became too slow for its share")
        func narrow() async throws {
            try await unlessVoid { run in
                let field = try Field(modems())
                defer { field.stop() }
                run.judge { field.network.lateness }
                try await field.waitForLive(3)
                let narrow = LinkProfile(rateKbit: 400, delayMs: 50, jitterMs: 15, queueMs: 300)
                let lost = try await field.send(.seconds(10), [(.seconds(2), { $0.change(2, .up, to: narrow) })])
                let weights = Dictionary(uniqueKeysWithValues: field.uplink.telemetry().map { ($0.name, $0.weight) })
                try need(lost.count < 10)
                try need((weights["modem2"] ?? 100) * 2 < weights["modem0"] ?? 0, "\(weights)")
            }
        }

        @Test("goes on by itself when all links were gone for 6 s")
        func allGone() async throws {
            try await unlessVoid { run in
                let field = try Field(modems())
                defer { field.stop() }
                run.judge { field.network.lateness }
                try await field.waitForLive(3)
                let lost = try await field.send(
                    .seconds(12),
                    [
                        (.seconds(2), { for link in 0..<3 { $0.setBlackout(link, isDark: true) } }),
                        (.seconds(8), { for link in 0..<3 { $0.setBlackout(link, isDark: false) } }),
                    ])
                // 237.5 packets a second: nothing is missing from before the cut, nor from a second after it on.
                try need(lost.allSatisfy { $0 >= 470 && $0 < 2_140 }, "\(lost.count) from \(lost.first ?? 0) to \(lost.last ?? 0)")
            }
        }
    }
}
