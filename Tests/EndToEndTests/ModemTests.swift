import Foundation
import Support
import Testing
import Units
import Wire

/// What is shown of a board's modems. In place of hardware there is a stand-in, held to ModemManager's own introspection, on a bus of
/// the test's own: `Fixtures/modems`. Its net ports are links of the field.
@Suite(.serialized) struct ModemTests {
    @Test("the signal of a modem is shown in dBm with the link that it carries, follows it, and goes with it", .row("SND-10"))
    func signal() async throws {
        try await inStudio(links: [Studio.link(4000, delayMs: 25), Studio.link(3000, delayMs: 35)]) { studio in
            let bus = try await MessageBus(on: studio.stage)
            let standIn = try await bus.standIn()
            try await studio.installation.program("sender").stop()
            try await studio.installation.startSender(inside: studio.field + ["env", "DBUS_SYSTEM_BUS_ADDRESS=\(bus.address)"])
            let sender = try await studio.sender(links: 2).id
            let told = try await telemetry(of: sender, by: studio.owner, "a sample comes") { _ in true }
            #expect(told.modems == nil, "a board without a modem shows none")

            try await standIn.run("a = Modem(0, net='modem0', pin='1234'); b = Modem(1, net='modem1', registration=5)")
            try await standIn.run(
                "b.enable(True); b.change(MODEM, AccessTechnologies=1 << 14, SignalQuality=(71, True), CurrentBands=[33])")
            try await standIn.run("b.change(SIGNAL, Lte={'rsrp': -97.0, 'rsrq': -11.5, 'snr': 8.5, 'rssi': -66.0})")
            let place = "b.change(LOCATION, Location={2: dbus.Dictionary({'latitude': 47.5, 'longitude': 9.75}, signature='sv')})"
            try await standIn.run(place)
            let shown = try await modems(of: sender, by: studio.owner, "the figures are shown") {
                $0.contains { $0.link == "modem1" && $0.rsrpDbm == -97 && $0.position != nil } && $0.count == 2
            }
            let live = try #require(shown.first { $0.link == "modem1" })
            #expect(live.network == "Orange F" && live.registration == .roaming && live.technology == "LTE" && live.band == "B3")
            #expect(live.rsrqDb == -11.5 && live.sinrDb == 8.5 && live.rssiDbm == -66 && live.signalPercent == 71)
            #expect(live.position == Position(latitude: 47.5, longitude: 9.75))
            measured("modem1", "\(live.rsrpDbm ?? .nan) dBm, \(live.signalPercent ?? 0) %")
            let locked = try #require(shown.first { $0.link == "modem0" })
            #expect(locked.state == .locked && locked.rsrpDbm == nil && locked.reason == "its SIM card wants the PIN")

            try await standIn.run("b.change(SIGNAL, Lte={'rsrp': -113.5}); b.change(MODEM, SignalQuality=(12, True))")
            _ = try await modems(of: sender, by: studio.owner, "the weak signal is shown") {
                $0.contains { $0.link == "modem1" && $0.rsrpDbm == -113.5 && $0.signalPercent == 12 && $0.sinrDb == nil }
            }
            // Somebody who opens the page now sees them too, whenever they were last told.
            studio.owner.forget()
            _ = try await modems(of: sender, by: studio.owner, "who comes later sees them") { $0.count == 2 }
            try await standIn.run("b.unplug()")
            _ = try await modems(of: sender, by: studio.owner, "the pulled one is gone") { $0.map(\.link) == ["modem0"] }
            standIn.program.signal(SIGKILL)
            _ = try await modems(of: sender, by: studio.owner, "without ModemManager there are none") { $0.isEmpty }
        }
    }

    private func telemetry(
        of sender: DeviceID, by owner: Browser, _ what: String, _ condition: (AgentTelemetry) -> Bool
    ) async throws -> AgentTelemetry {
        try await eventually(within: .seconds(12), what) {
            try owner.latest("telemetry/\(sender)", as: AgentTelemetry.self).flatMap { condition($0) ? $0 : nil }
        }
    }

    private func modems(
        of sender: DeviceID, by owner: Browser, _ what: String, _ condition: ([ModemTelemetry]) -> Bool
    ) async throws -> [ModemTelemetry] {
        try await telemetry(of: sender, by: owner, what) { $0.modems.map(condition) ?? false }.modems ?? []
    }
}
