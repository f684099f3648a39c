import Foundation
import Support
import Testing
import Units
import Wire

/// A modem that is reset from the page, by whoever may. In place of hardware there is the stand-in of `ModemTests`.
@Suite(.serialized, .unlessStolen) struct ModemPageTests {
    @Test("a stuck modem is reset on the page after a question, with what became of it, and a member finds no button", .row("SND-10"))
    func reset() async throws {
        try await inStudio(links: [Studio.link(4000, delayMs: 20), Studio.link(4000, delayMs: 45)]) { studio in
            let bus = try await MessageBus(on: studio.stage)
            let standIn = try await bus.standIn()
            try await standIn.run(
                "a = Modem(0, net='modem0'); a.enable(True); a.change(SIGNAL, Lte={'rsrp': -97.0, 'snr': 8.5})\n"
                    + "a.change(MODEM, AccessTechnologies=1 << 14, SignalQuality=(71, True), CurrentBands=[33])")
            try await studio.installation.program("sender").stop()
            try await studio.installation.startSender(inside: studio.field + ["env", "DBUS_SYSTEM_BUS_ADDRESS=\(bus.address)"])
            let sender = try await studio.sender(links: 2).id
            let page = try await Dashboard.opened(on: studio.stage, at: studio.owner.server, studio.installation.ownerPassword)
            try await page.browser.resize(width: 1280, height: 900)
            try await page.press("sender")
            try await page.wait(
                "/-97 dBm.*LTE B3.*SINR 8.5 dB/s.test(document.querySelector('.link .hearing')?.innerText)",
                "its figures stand beside its link")
            try await page.wait("/Carried \\d/.test(document.querySelector('.link').innerText)", "so does what the link has carried")
            try await page.press("Modems")
            try await page.wait("\(Self.button) !== null", "the button is there")
            try await page.browser.screenshot("modem-1-button")
            // The same one for as long as the modem is there: nobody's press is lost to the next sample.
            _ = try await page.run("window.before = \(Self.button); undefined")

            // Whoever changes their mind has asked for nothing.
            try await ask(page)
            let question = try await page.run("document.querySelector('dialog').innerText") as? String
            #expect(question?.contains("modem0") == true && question?.contains("It leaves its network") == true)
            #expect(try await page.run("document.querySelector('dialog [type=checkbox]') === null") as? Bool == true, "nothing is live")
            try await page.browser.screenshot("modem-2-question")
            try await page.press("Cancel")
            try await page.wait("!document.querySelector('dialog[open]')", "the question is gone")
            #expect(try await !standIn.calls().contains("Reset"))

            try await ask(page)
            try await page.browser.press("strata.named('dialog button', 'Reset')")
            try await page.see(": it was reset")
            #expect(try await standIn.calls().filter { $0 == "Reset" }.count == 1)
            #expect(try await page.run("window.before === \(Self.button)") as? Bool == true)
            try await standIn.run("Modem.every[0].resets = 'Core.Failed'")
            try await ask(page)
            try await page.browser.press("strata.named('dialog button', 'Reset')")
            try await page.see("it cannot be reset: no answer from the firmware")
            try await page.press("Cancel")
            try await live(page, studio, standIn, sender)
            try await page.leave()
            try await member(studio, page, sender)
        }
    }

    private static let button = "strata.named('main button', 'Reset')"

    /// By the mouse, as a person's hand does it.
    private func ask(_ page: Dashboard) async throws {
        try await page.wait("\(Self.button) !== null && !document.querySelector('dialog[open]')", "it can be pressed")
        _ = try await page.run("\(Self.button).scrollIntoView({ block: 'center' })")
        try await page.browser.press(Self.button)
        try await page.wait("document.querySelector('dialog[open]') !== null", "it is asked")
    }

    /// While it carries the only link of what is live, it takes a person who says so.
    private func live(_ page: Dashboard, _ studio: Studio, _ standIn: ModemStandIn, _ sender: DeviceID) async throws {
        let before = try await standIn.calls().count { $0 == "Reset" }
        try await standIn.run("Modem.every[0].resets = None")
        let platform = try await studio.destination("platform", url: studio.nginx.url(), secret: "show")
        let encoder = EncoderChoice(bitrate: .kilobits(600), width: 320, height: 180, frameRate: 15)
        let id = try await studio.start(StartRequest(sender: sender, destinations: [platform], encoder: encoder, links: ["modem0"]))
        try await studio.owner.wait(id, for: ["live"])
        try await page.see("To the broadcast")
        try await ask(page)
        try await page.browser.press("strata.named('dialog button', 'Reset')")
        try await page.see("the only working link")
        try await page.browser.screenshot("modem-3-live")
        try await page.press("Cancel")
        for (width, name) in [(1280, "modem-3"), (390, "modem-4-telephone")] {
            try await page.browser.resize(width: width, height: 844)
            try await ask(page)
            try await page.browser.screenshot(name)
            #expect(try await page.faults() == [])
            if width < 1000 { break }
            try await page.press("Cancel")
        }
        _ = try await page.run("document.querySelector('dialog [type=checkbox]').scrollIntoView({ block: 'center' })")
        try await page.browser.press("document.querySelector('dialog [type=checkbox]')")
        try await page.browser.press("strata.named('dialog button', 'Reset')")
        try await page.see(": it was reset")
        try await page.browser.screenshot("modem-6-telephone-told")
        #expect(try await standIn.calls().count { $0 == "Reset" } == before + 1)
        #expect(page.browser.takeComplaints().filter { !$0.contains("status of 40") } == [])
        try await page.browser.resize(width: 1280, height: 900)
        try await studio.stop(id)
    }

    /// Who may not is offered nothing; the API refuses them too (`TenancyTests`).
    private func member(_ studio: Studio, _ page: Dashboard, _ sender: DeviceID) async throws {
        let request = CreateUserRequest(
            email: "member@example.org", displayName: "Member", role: .member, password: SecretOnWire(Secret("a long password")))
        let _: UserView = try await studio.owner.call(.post, "/users", request)
        try await page.enter("member@example.org", "a long password")
        try await page.press("sender")
        try await page.press("Modems")
        try await page.see("LTE B3")
        #expect(try await page.run("\(Self.button) === null") as? Bool == true)
    }
}

extension Chromium {
    /// A press of the mouse where an element is, as a person's hand does it: what lies on top gets it.
    func press(_ element: String) async throws {
        let place = try await value(
            "(() => { const box = \(element).getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2] })()")
        guard let place = place as? [Double], place.count == 2 else { throw SupportFailure("no place of \(element)") }
        for kind in ["mousePressed", "mouseReleased"] {
            try await mouse(kind, x: place[0], y: place[1])
            // Samples come in between.
            if kind == "mousePressed" { try await Task.sleep(for: .milliseconds(400)) }
        }
    }
}
