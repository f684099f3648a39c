import Foundation
import Lab
import Posix
import Testing
import Units

/// Three modems as they are on the road: 47, 72 and 124 ms of round trip, and room for 2.5 Mbit/s with a fifth to spare on two.
let lte = [
    LinkShape(LinkProfile(rateKbit: 3000, delayMs: 20, jitterMs: 5, queueMs: 300)),
    LinkShape(LinkProfile(rateKbit: 3000, delayMs: 30, jitterMs: 8, queueMs: 300)),
    LinkShape(LinkProfile(rateKbit: 3000, delayMs: 50, jitterMs: 15, queueMs: 300)),
]

@Suite("A broadcast over three links", .serialized, .enabled(if: NetworkNamespace.areAllowed, "namespaces are not allowed here"))
struct FieldTests {
    @Test("loses nothing on clean links, and each carries its share")
    func clean() async throws {
        let field = try Field(lte)
        defer { field.stop() }
        try await field.waitForLive(3)
        let lost = try await field.send(.seconds(5))
        print(
            "clean lost", lost.count, lost.prefix(5), field.ingest.statistics(), field.uplink.telemetry(), "late p99.9",
            field.network.lateness.percentile(99.9))
        #expect(lost.isEmpty)
    }

    @Test("loses nothing when a link is cut and comes back")
    func cut() async throws {
        let field = try Field(lte)
        defer { field.stop() }
        try await field.waitForLive(3)
        let lost = try await field.send(
            .seconds(10), [(.seconds(2), { try $0.setCarrier(0, isUp: false) }), (.seconds(7), { try $0.setCarrier(0, isUp: true) })])
        print("cut lost", lost.count, lost.prefix(5), field.events.map(\.event), "late p99.9", field.network.lateness.percentile(99.9))
        #expect(lost.isEmpty)
    }

    @Test("loses nothing when a link silently carries nothing any more, and comes back")
    func blackout() async throws {
        let field = try Field(lte)
        defer { field.stop() }
        try await field.waitForLive(3)
        let lost = try await field.send(
            .seconds(10), [(.seconds(2), { $0.setBlackout(0, isDark: true) }), (.seconds(7), { $0.setBlackout(0, isDark: false) })])
        print("blackout lost", lost.count, lost.prefix(5), field.events.map(\.event), "late p99.9", field.network.lateness.percentile(99.9))
        #expect(lost.isEmpty)
    }

    @Test("loses nothing at 5 % loss on each link")
    func loss() async throws {
        let field = try Field(
            lte.map { LinkShape(LinkProfile(rateKbit: 3000, delayMs: $0.up.delayMs, jitterMs: $0.up.jitterMs, queueMs: 300, loss: 0.05)) })
        defer { field.stop() }
        try await field.waitForLive(3)
        let lost = try await field.send(.seconds(10))
        print(
            "loss lost", lost.count, lost.prefix(5), field.events.map(\.event), field.ingest.statistics().recoveredPacketsTotal,
            "late p99.9", field.network.lateness.percentile(99.9))
        #expect(lost.isEmpty)
    }

    @Test("loses nothing when a modem gets another address")
    func address() async throws {
        let field = try Field(lte)
        defer { field.stop() }
        try await field.waitForLive(3)
        let lost = try await field.send(.seconds(6), [(.seconds(2), { try $0.changeAddress(0, host: 77) })])
        print(
            "address lost", lost.count, lost.prefix(5), field.events.map(\.event), field.ingest.statistics(), "late p99.9",
            field.network.lateness.percentile(99.9))
        #expect(lost.isEmpty)
    }

    @Test("loses nothing when a modem is plugged in, and one is pulled out")
    func hotPlug() async throws {
        let field = try Field(Array(lte.prefix(2)))
        defer { field.stop() }
        try await field.waitForLive(2)
        let lost = try await field.send(.seconds(8), [(.seconds(2), { try $0.add(2, lte[2]) }), (.seconds(5), { try $0.remove(1) })])
        print("plug lost", lost.count, lost.prefix(5), field.events.map(\.event), "late p99.9", field.network.lateness.percentile(99.9))
        #expect(lost.isEmpty)
    }
}
