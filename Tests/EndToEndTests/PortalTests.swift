import Foundation
import Lab
import Support
import Testing
import Units
import Wire

/// A board in a hotel. Its network's sign-in page is a stand-in (`Fixtures/networks/portal.py`), to which all that comes over one link is turned.
@Suite(.serialized, .unlessStolen) struct PortalTests {
    @Test("a sign-in page is named beside the link that it is on, before and while something is sent, and the other link is used meanwhile")
    func portal() async throws {
        try await inStudio(links: [Studio.link(4000, delayMs: 20), Studio.link(4000, delayMs: 30)]) { studio in
            let sender = try await studio.sender(links: 2).id
            let portal = try await PortalStandIn(on: studio.stage)
            let impostor = try await PortalStandIn(on: studio.stage, certificate: PlatformCertificate())
            try portal.answer(status: 302, location: "http://login.hotel.example/?from=http://\(studio.network.cloudAddress)/")
            let tls = try #require(Int(studio.installation.origin.split(separator: ":").last ?? ""))
            // Of the two the board dials by this one first.
            let interception = try await PortalInterception(
                on: studio.network.cloudInterface(0), [(from: 80, to: portal.port), (from: tls, to: impostor.port)])
            do {
                try await inTheWay(studio, sender)
                try await restarted(studio, sender)
                try portal.answer(status: 302, location: "http://evil\u{202E}elpmaxe.hotel/")
                try await named(studio, sender, within: 90, "a sign-in page is in the way on modem0: sign in with a browser")
            } catch {
                await interception.end()
                throw error
            }
            await interception.end()
            try await eventually(within: .seconds(90), "nothing is in the way once somebody has signed in") {
                try studio.owner.sender(sender)?.inventory.links.allSatisfy { $0.reason == nil } == true
            }
        }
    }

    private static let words =
        "a sign-in page of login.hotel.example is in the way on modem0: sign in there with a browser in the same network"

    private func inTheWay(_ studio: Studio, _ sender: DeviceID) async throws {
        let began = Date()
        try await named(studio, sender, within: 30, Self.words)
        measured("the sign-in page is named after", String(format: "%.1f s", Date().timeIntervalSince(began)))
        let page = try await Dashboard.opened(on: studio.stage, at: studio.owner.server, studio.installation.ownerPassword)
        try await page.press("sender")
        try await page.wait(
            "/^modem0[^]*Up[^]*a sign-in page of login.hotel.example is in the way on modem0/.test(document.querySelector('.link')?.innerText)",
            "the page says it beside the link")

        let platform = try await studio.destination("platform", url: studio.nginx.url(), secret: "show")
        let encoder = EncoderChoice(bitrate: .kilobits(600), width: 320, height: 180, frameRate: 15)
        let id = try await studio.start(StartRequest(sender: sender, destinations: [platform], encoder: encoder))
        let view = try await studio.owner.wait(id, for: ["degraded"])
        #expect(view.reason?.contains("modem0: " + Self.words) == true, "\(view.reason ?? "")")
        _ = try await eventually(within: .seconds(10), "the telemetry says it too") {
            try studio.owner.latest("telemetry/\(sender)", as: AgentTelemetry.self)?.links.first { $0.name == "modem0" }?.reason.flatMap {
                $0.contains(Self.words) ? $0 : nil
            }
        }
        try await studio.stop(id)
    }

    /// Whoever answers in control's place on the first link does not keep the board from the second.
    private func restarted(_ studio: Studio, _ sender: DeviceID) async throws {
        try await studio.installation.program("sender").stop()
        let agent = try await studio.installation.startSender(inside: studio.field)
        let line = try await agent.line(containing: "connected to control")
        #expect(line.contains("\"link\":\"modem1\""), "\(line)")
        try await named(studio, sender, within: 30, Self.words)
    }

    private func named(_ studio: Studio, _ sender: DeviceID, within seconds: Double, _ words: String) async throws {
        do {
            try await eventually(within: .seconds(seconds), "it is named: \(words)") {
                try studio.owner.sender(sender)?.inventory.links.first { $0.name == "modem0" }?.reason?.contains(words) == true
            }
        } catch {
            throw SupportFailure("\(error); the links are \(String(describing: try studio.owner.sender(sender)?.inventory.links))")
        }
    }
}
