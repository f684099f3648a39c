import Foundation
import Support
import Testing
import Units
import Wire

/// What is shown of a board's modems. In place of hardware there is a stand-in, held to ModemManager's own introspection, on a bus of
/// the test's own: `Fixtures/modems`. Its net ports are links of the field.
@Suite(.serialized, .unlessStolen) struct ModemTests {
    @Test("the signal of a modem is shown in dBm with the link that it carries, follows it, and goes with it", .row("SND-10", "SND-11"))
    func signal() async throws {
        try await inStudio(links: [Studio.link(4000, delayMs: 25), Studio.link(3000, delayMs: 35)]) { studio in
            let bus = try await MessageBus(on: studio.stage)
            let standIn = try await bus.standIn()
            try await studio.installation.program("sender").stop()
            try await studio.installation.startSender(inside: studio.field + ["env", "DBUS_SYSTEM_BUS_ADDRESS=\(bus.address)"])
            let sender = try await studio.sender(links: 2).id
            let told = try await telemetry(of: sender, by: studio.owner, "a sample comes") { _ in true }
            #expect(told.modems == nil, "a board without a modem shows none")
            #expect(try await listed(studio, sender) == nil, "nobody said where it is")
            let _: ConfigurationAnswer = try await studio.owner.call(
                .put, "/senders/\(sender)/configuration",
                ChangeConfigurationRequest(toml: "[sender]\nlocation = \"Market square, van\"\n"))
            #expect(try await listed(studio, sender) == SenderView.Location(text: "Market square, van", position: nil))

            try await standIn.run("a = Modem(0, net='modem0', pin='1234'); b = Modem(1, net='modem1', registration=5)")
            try await standIn.run(
                "b.enable(True); b.change(MODEM, AccessTechnologies=1 << 14, SignalQuality=(71, True), CurrentBands=[33])")
            try await standIn.run("b.change(SIGNAL, Lte={'rsrp': -97.0, 'rsrq': -11.5, 'snr': 8.5, 'rssi': -66.0})")
            let fix = "b.change(LOCATION, Location={2: dbus.Dictionary({'latitude': 47.5, 'longitude': 9.75}, signature='sv')})"
            try await standIn.run(fix)
            let shown = try await modems(of: sender, by: studio.owner, "the figures are shown") {
                $0.contains { $0.link == "modem1" && $0.rsrpDbm == -97 && $0.position != nil } && $0.count == 2
            }
            let live = try #require(shown.first { $0.link == "modem1" })
            #expect(live.network == "Orange F" && live.registration == .roaming && live.technology == "LTE" && live.band == "B3")
            #expect(live.rsrqDb == -11.5 && live.sinrDb == 8.5 && live.rssiDbm == -66 && live.signalPercent == 71)
            #expect(live.position == Position(latitude: 47.5, longitude: 9.75))
            let place = SenderView.Location(text: "Market square, van", position: live.position)
            #expect(try await listed(studio, sender) == place)
            try await look(at: studio)
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

    @Test(
        "a SIM card's data plan is warned of at 80 %, and its link is the last resort at the cap, also after the board's agent was killed")
    func plan() async throws {
        try await inStudio(links: [Studio.link(4000, delayMs: 20), Studio.link(4000, delayMs: 45)]) { studio in
            let bus = try await MessageBus(on: studio.stage)
            try await bus.standIn().run("a = Modem(0, net='modem0')")
            let onBus = studio.field + ["env", "DBUS_SYSTEM_BUS_ADDRESS=\(bus.address)"]
            try await studio.installation.program("sender").stop()
            try await studio.installation.startSender(inside: onBus)
            let sender = try await studio.sender(links: 2).id
            let toml = "[[link]]\nname = \"modem0\"\ndata_cap_mib = 1\ncycle_day = 31\n"
            let _: ConfigurationAnswer = try await studio.owner.call(
                .put, "/senders/\(sender)/configuration", ChangeConfigurationRequest(toml: toml))
            let platform = try await studio.destination("platform", url: studio.nginx.url(), secret: "show")
            let encoder = EncoderChoice(bitrate: .kilobits(1500), width: 640, height: 360, frameRate: 25)
            let id = try await studio.start(StartRequest(sender: sender, destinations: [platform], encoder: encoder))
            try await studio.owner.wait(id, for: ["live"])
            func usage(_ sample: AgentTelemetry) -> UsageTelemetry? { sample.usage?.first { $0.link == "modem0" } }
            let spent = try await telemetry(of: sender, by: studio.owner, within: 30, "the cap is reached") { usage($0)?.state == .spent }
            let shown = try #require(usage(spent))
            #expect(shown.sim == "0000" && shown.capBytes == 1 << 20 && shown.sentBytes + shown.receivedBytes >= 1 << 20)
            #expect(shown.since != nil)
            // The quicker link carries what the other cannot bring in time, and that is next to nothing.
            _ = try await telemetry(of: sender, by: studio.owner, "modem1 carries the stream") { sample in
                func rate(_ name: String) -> Bitrate { sample.links.first { $0.name == name }?.sent ?? .kilobits(0) }
                return rate("modem0") < .kilobits(300) && rate("modem1") > .kilobits(1000)
            }
            let recorder = try await studio.owner.recorder(of: id).filter { $0.entry.link == "modem0" }.map(\.entry.kind)
            #expect(recorder.contains(.dataSpent))

            let sentBefore = try #require(studio.owner.latest("telemetry/\(sender)", as: AgentTelemetry.self).flatMap(usage)?.sentBytes)
            try studio.installation.program("sender").signal(SIGKILL)
            _ = try await studio.installation.program("sender").end(within: .seconds(5))
            studio.owner.forget()
            try await studio.installation.startSender(inside: onBus)
            let again = try await telemetry(of: sender, by: studio.owner, within: 20, "the next agent knows") {
                usage($0)?.state == .spent && $0.links.contains { $0.state == .live }
            }
            #expect(usage(again)?.sentBytes ?? 0 >= sentBefore)
            try await studio.stop(id)
        }
    }

    @Test("a stuck modem is reset from afar by whoever runs broadcasts, and what cannot be is refused with its reason")
    func reset() async throws {
        try await inStudio(links: [Studio.link(4000, delayMs: 20), Studio.link(4000, delayMs: 45)]) { studio in
            let bus = try await MessageBus(on: studio.stage)
            let standIn = try await bus.standIn()
            try await standIn.run("Modem(0, net='modem0')")
            try await studio.installation.program("sender").stop()
            try await studio.installation.startSender(inside: studio.field + ["env", "DBUS_SYSTEM_BUS_ADDRESS=\(bus.address)"])
            let sender = try await studio.sender(links: 2).id
            let modem = try #require(try await modems(of: sender, by: studio.owner, "it is there") { $0.count == 1 }.first).id
            let shell = Shell(session: studio.stage.folder["shell.json"])
            try await shell([
                "login", "--server", studio.installation.origin, "--ca", studio.stage.folder["authority/ca.pem"], "--email",
                "owner@example.org", "--password-file", studio.stage.folder["password"],
            ])
            func reset(_ words: [String] = []) -> [String] { ["sender", "reset-modem", sender.text, modem] + words }

            let plain: ResetModemAnswer = try await shell(reset())
            #expect(plain == ResetModemAnswer(modem: modem, reason: nil))
            try await standIn.run("Modem.every[0].resets = 'Core.Unsupported'")
            let switched: ResetModemAnswer = try await shell(reset())
            #expect(switched.reason == "it knows no reset, and was switched off and on")
            #expect(try await standIn.calls().filter { !$0.contains("Setup") } == ["Reset", "Reset", "Enable False", "Enable True"])
            try await standIn.run("Modem.every[0].resets = 'Core.Failed'")
            try await shell.refused(reset(), "it cannot be reset: no answer from the firmware")
            try await shell.refused(["sender", "reset-modem", sender.text, "86"], "this board has no modem 86")

            // While it carries the only link that works of a live broadcast, it takes a person who means it.
            let platform = try await studio.destination("platform", url: studio.nginx.url(), secret: "show")
            let encoder = EncoderChoice(bitrate: .kilobits(600), width: 320, height: 180, frameRate: 15)
            let id = try await studio.start(
                StartRequest(sender: sender, destinations: [platform], encoder: encoder, links: ["modem0"]))
            try await studio.owner.wait(id, for: ["live"])
            try await standIn.run("Modem.every[0].resets = None")
            try await shell.refused(reset(), "it carries modem0, the only working link of the live broadcast")
            let calls = try await standIn.calls().count
            let forced: ResetModemAnswer = try await shell(reset(["--force"]))
            let after = try await standIn.calls().count
            #expect(forced.reason == nil && after == calls + 1)
            try await studio.stop(id)

            let audit: ListView<Noted> = try await studio.owner.call(.get, "/audit")
            let noted = audit.items.filter { $0.action == "device.modem_reset" }.reversed()
            #expect(
                noted.map { $0.detail ?? "" } == [
                    "\(modem): done", "\(modem): done", "\(modem): failed", "86: refused", "\(modem): refused", "\(modem), forced: done",
                ])
            try await studio.installation.program("sender").stop()
            try await shell.refused(reset(), "the sender is offline")
        }
    }

    /// The page has the same, in words.
    private func look(at studio: Studio) async throws {
        let page = try await Dashboard.opened(on: studio.stage, at: studio.owner.server, studio.installation.ownerPassword)
        try await page.press("sender")
        try await page.see("Market square, van, 47.50000, 9.75000")
        try await page.wait(
            "/-97 dBm.*Orange F, LTE B3, roaming, SINR 8.5 dB/s.test(document.querySelector('.links').innerText)",
            "the modem is shown beside its link")
        try await page.press("Senders")
        try await page.press("Map")
        try await page.wait("strata.named('button', 'sender: online') !== null", "it stands on the map where its modem says")
    }

    /// Where the list of senders shows one to be.
    private func listed(_ studio: Studio, _ sender: DeviceID) async throws -> SenderView.Location? {
        let list: ListView<SenderView> = try await studio.owner.call(.get, "/senders")
        return list.items.first { $0.id == sender }?.location
    }

    private struct Noted: Codable, Sendable {
        var action: String
        var detail: String?
    }

    private func telemetry(
        of sender: DeviceID, by owner: Browser, within seconds: Double = 12, _ what: String, _ condition: (AgentTelemetry) -> Bool
    ) async throws -> AgentTelemetry {
        try await eventually(within: .seconds(seconds), what) {
            try owner.latest("telemetry/\(sender)", as: AgentTelemetry.self).flatMap { condition($0) ? $0 : nil }
        }
    }

    private func modems(
        of sender: DeviceID, by owner: Browser, _ what: String, _ condition: ([ModemTelemetry]) -> Bool
    ) async throws -> [ModemTelemetry] {
        try await telemetry(of: sender, by: owner, what) { $0.modems.map(condition) ?? false }.modems ?? []
    }
}
