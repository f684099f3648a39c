import Foundation
import Support
import Testing
import Units
import Web
import Wire

/// Where senders are, in a real browser.
@Suite(.serialized, .unlessStolen)
struct DashboardMapTests {
    @Test(
        "list and map show which senders are there, when the others were seen and where each is, as it changes, and no other host is asked",
        .row("DSH-02"))
    func live() async throws {
        try await atFrontDesk { desk in
            let owner = try await desk.owner()
            let (harbour, bridge) = (try await desk.board(of: owner, name: "harbour"), try await desk.board(of: owner, name: "bridge"))
            _ = try await desk.board(of: owner, name: "nowhere")
            let page = try await Dashboard.opened(on: desk.stage, at: desk.server, desk.installation.ownerPassword)
            try await page.press("Senders")
            try await page.wait("document.querySelectorAll('.sender').length === 3", "all are listed")
            try await page.press("Map")
            try await page.see("The place of 0 of 3 senders is known.")
            // By hand, of one that is away.
            let place = String(
                decoding: try JSONEncoder().encode(["toml": "[sender]\nlocation = \"Harbour, 53.5461, 9.9937\"\n"]), as: UTF8.self)
            #expect(try await owner.send("PUT", "/senders/\(harbour.identity.device)/configuration", place).status == 200)
            try await page.see("The place of 1 of 3 senders is known.")
            try await page.wait("strata.named('.pin', 'harbour: offline') !== null", "it stands where somebody says")
            // By its modem, of one that comes.
            let socket = try await bridge.connect()
            try await tell(socket, Position(latitude: -33.8568, longitude: 151.2153))
            try await page.wait("strata.named('.pin', 'bridge: online') !== null", "it stands where its modem says")
            let apart = """
                ((a, b) => b.x - a.x > 200 && b.y - a.y > 50 && a.x >= box.x && b.right <= box.right)(
                  ...['harbour: offline', 'bridge: online'].map(name => strata.named('.pin', name).querySelector('.dot').getBoundingClientRect()))
                """
            #expect(try await page.run("(box => \(apart))(document.querySelector('.map').getBoundingClientRect())") as? Bool == true)
            try await page.browser.screenshot("map-1-two")
            // It drives off, to the other one's town, where the two come together.
            try await tell(socket, Position(latitude: 53.56, longitude: 10.0))
            try await page.wait("strata.named('.pin', 'bridge: online, harbour: offline') !== null", "they stand together")
            try await page.press("bridge: online, harbour: offline")
            try await page.wait("document.querySelectorAll('.cards .sender').length === 2", "both are told of")
            try await page.see("Harbour, 53.5461, 9.9937")
            try await page.browser.screenshot("map-2-together")
            await socket.close()
            try await page.wait(
                "/bridge: offline/.test(document.querySelector('.pin')?.getAttribute('aria-label'))", "the map sees it leave")
            let (back, reading) = (try await harbour.connect(), try await bridge.connect())
            try await page.wait(
                "/harbour: online/.test(document.querySelector('.pin')?.getAttribute('aria-label'))", "the map sees it come")
            try await page.press("List")
            try await page.wait("/^harbour\\nOnline\\n[^]*Harbour, 53.5461, 9.9937/.test(card('harbour'))".card, "the list has the same")
            await back.close()
            try await page.wait("/^harbour\\nOffline\\n[^]*seen /.test(card('harbour'))".card, "and when it was seen last")
            await reading.close()
            let hosts = "[...new Set(performance.getEntriesByType('resource').map(one => new URL(one.name).origin))].join()"
            #expect(try await page.run(hosts) as? String == desk.server)
            #expect(page.browser.takeComplaints() == [])
        }
    }

    private func tell(_ socket: WebSocket, _ position: Position?) async throws {
        var modem = ModemTelemetry(id: "86", link: "eth0", model: "M", state: .connected, sim: .ready)
        modem.position = position
        try await socket.send(AgentMessage.telemetry(AgentTelemetry(atMs: 1, links: [], pipeline: nil, modems: [modem])))
    }
}

extension String {
    /// With what one card of the list says.
    fileprivate var card: String {
        "(card => \(self))(name => [...document.querySelectorAll('.sender')].find(one => one.innerText.startsWith(name + '\\n'))?.innerText ?? '')"
    }
}
