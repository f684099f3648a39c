import Foundation
import Support
import Testing
import Units
import Wire

/// What is shown of HiLink sticks. In place of hardware there are stand-ins (`Fixtures/modems/hilink.py`), each behind a link of the field
/// that gives the board one and the same address, as sticks of one make do.
@Suite(.serialized, .unlessStolen) struct StickTests {
    @Test(
        "sticks with one and the same address are shown like any modem, accounted for by their cards, and restarted from afar",
        .row("SND-10", "SND-11"))
    func twins() async throws {
        try await inStudio(links: [Studio.link(4000, delayMs: 25), Studio.link(3000, delayMs: 35)], sticks: true) { studio in
            var standIns: [StickStandIn] = []
            for link in 0..<2 {
                standIns.append(try await StickStandIn(on: studio.stage, at: studio.network.cloudAddress(link), number: link + 1))
            }
            try standIns[1].set("login", ["device/signal"])
            try await studio.installation.program("sender").stop()
            let named = ["env", "STRATA_MODEMS_STICKS=modem0,modem1"]
            let agent = try await studio.installation.startSender(inside: studio.field + named)
            let sender = try await studio.sender(links: 2).id
            let shown = try await modems(of: sender, studio, "both are shown") { modems in
                modems.count == 2 && modems.allSatisfy { $0.state == .connected }
            }
            let (first, second) = (try #require(shown.first { $0.link == "modem0" }), try #require(shown.first { $0.link == "modem1" }))
            #expect(first.network == "Network 1" && first.technology == "LTE" && first.band == "B1" && first.sim == .ready)
            #expect(first.rsrpDbm == -97 && first.rsrqDb == -11.5 && first.sinrDb == 8 && first.signalPercent == 80 && first.reason == nil)
            #expect(second.network == "Network 2" && second.rsrpDbm == nil)
            #expect(second.reason?.contains("switch the login of its page http://192.168.8.1 off") == true)
            measured("modem0", "\(first.model) \(first.id): \(first.network ?? ""), \(first.rsrpDbm ?? .nan) dBm")
            try await agent.line(containing: "\"a stick has changed\"")
            try await look(at: studio)

            let counted = try await telemetry(of: sender, studio, within: 45, "they are accounted for by their cards") {
                $0.usage?.compactMap(\.sim).count == 2
            }
            #expect(counted.usage?.map(\.sim) == ["1000", "2000"])

            let shell = Shell(session: studio.stage.folder["shell.json"])
            try await shell([
                "login", "--server", studio.installation.origin, "--ca", studio.stage.folder["authority/ca.pem"], "--email",
                "owner@example.org", "--password-file", studio.stage.folder["password"],
            ])
            let done: ResetModemAnswer = try await shell(["sender", "reset-modem", sender.text, second.id])
            #expect(done == ResetModemAnswer(modem: second.id, reason: nil))
            #expect(standIns.map { $0.questions.filter { $0.hasPrefix("POST /api/device/control ") }.count } == [0, 1])
            try standIns[0].set("login", ["device/control"])
            try await shell.refused(["sender", "reset-modem", sender.text, first.id], "it asks for a login")

            // Pulled out it is gone, and nobody asks for it any more.
            try studio.network.remove(1)
            _ = try await modems(of: sender, studio, "the pulled one is gone") { $0.map(\.link) == ["modem0"] }
            standIns[0].program.signal(SIGSTOP)
            let silent = try await modems(of: sender, studio, within: 60, "the silent one is named") { $0.first?.state == .failed }
            #expect(silent.first?.reason?.contains("it does not answer at http://192.168.8.1") == true)
            standIns[0].program.signal(SIGCONT)
        }
    }

    private func look(at studio: Studio) async throws {
        let page = try await Dashboard.opened(on: studio.stage, at: studio.owner.server, studio.installation.ownerPassword)
        try await page.press("sender")
        try await page.wait(
            "/-97 dBm[^]*Network 1, LTE B1, SINR 8 dB/.test(document.querySelector('.link')?.innerText)", "the stick is shown")
        try await page.see("switch the login of its page http://192.168.8.1 off")
    }

    private func telemetry(
        of sender: DeviceID, _ studio: Studio, within seconds: Double = 45, _ what: String, _ condition: (AgentTelemetry) -> Bool
    ) async throws -> AgentTelemetry {
        try await eventually(within: .seconds(seconds), what) {
            try studio.owner.latest("telemetry/\(sender)", as: AgentTelemetry.self).flatMap { condition($0) ? $0 : nil }
        }
    }

    private func modems(
        of sender: DeviceID, _ studio: Studio, within seconds: Double = 45, _ what: String, _ condition: ([ModemTelemetry]) -> Bool
    ) async throws -> [ModemTelemetry] {
        try await telemetry(of: sender, studio, within: seconds, what) { $0.modems.map(condition) ?? false }.modems ?? []
    }
}
