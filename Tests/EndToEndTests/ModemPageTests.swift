import Foundation
import Support
import Testing
import Units
import Wire

/// A modem that is reset from the page, by whoever may. In place of hardware there is the stand-in of `ModemTests`.
@Suite(.serialized) struct ModemPageTests {
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
            let page = try await Chromium(on: studio.stage)
            try await page.open(studio.owner.server + "/")
            try await page.resize(width: 1280, height: 900)
            try await page.wait(for: "!document.querySelector('#login').hidden", "the form is shown")
            try await page.signIn("owner@example.org", studio.installation.ownerPassword)
            let button = "document.querySelector('.links .modem button')"
            try await page.wait(for: "\(button)?.hidden === false", "the button is there")
            try await page.wait(
                for: "document.querySelector('.links').innerText.includes('LTE B3, -97 dBm, SINR 8.5 dB')", "beside its figures")
            try await page.screenshot("modem-1-button")
            // The same one for as long as the modem is there: nobody's press is lost to the next sample.
            _ = try await page.value("window.before = \(button); undefined")

            // Whoever changes their mind has asked for nothing.
            try await page.press("\(button)")
            try await page.wait(for: "document.querySelector('#reset-modem').open", "it is asked")
            let question = try await page.value("document.querySelector('#reset-modem').innerText") as? String
            #expect(question?.contains("modem0") == true && question?.contains("of sender") == true)
            #expect(try await page.value("document.querySelector('#reset-modem label').hidden") as? Bool == true, "nothing is live")
            try await page.screenshot("modem-2-question")
            try await page.press("document.querySelector('#reset-modem .plain')")
            try await page.wait(for: "!document.querySelector('#reset-modem').open", "the question is gone")
            #expect(try await !standIn.calls().contains("Reset"))

            try await answer(page, button)
            try await page.wait(for: "document.querySelector('.told').textContent.endsWith(': it was reset')", "it is told")
            #expect(try await standIn.calls().filter { $0 == "Reset" }.count == 1)
            #expect(try await page.value("window.before === \(button)") as? Bool == true)
            try await standIn.run("Modem.every[0].resets = 'Core.Failed'")
            try await answer(page, button)
            try await page.wait(
                for: "document.querySelector('.sender > .error').textContent.includes('it cannot be reset: no answer from the firmware')",
                "the reason is told")
            #expect(try await page.value("document.querySelector('.told').textContent") as? String == "")

            // While it carries the only link of what is live, it takes a person who says so.
            try await standIn.run("Modem.every[0].resets = None")
            let platform = try await studio.destination("platform", url: studio.nginx.url(), secret: "show")
            let encoder = EncoderChoice(bitrate: .kilobits(600), width: 320, height: 180, frameRate: 15)
            let id = try await studio.start(StartRequest(sender: sender, destinations: [platform], encoder: encoder, links: ["modem0"]))
            try await studio.owner.wait(id, for: ["live"])
            try await page.wait(for: "document.querySelector('.sender .state').textContent === 'live'", "the page has it")
            try await answer(page, button)
            try await page.wait(
                for: "document.querySelector('.sender > .error').textContent.includes('the only working link')", "it is refused")
            try await page.screenshot("modem-3-live")
            #expect(try await page.value("document.documentElement.scrollWidth <= 1280") as? Bool == true)
            try await page.resize(width: 390, height: 844)
            try await page.screenshot("modem-3-telephone")
            _ = try await page.value("\(button).scrollIntoView({ block: 'center', inline: 'center' })")
            try await page.screenshot("modem-4-telephone-button")
            try await answer(page, button, isForced: true) { try await page.screenshot("modem-5-telephone-question") }
            try await page.wait(for: "document.querySelector('.told').textContent.endsWith(': it was reset')", "it is told")
            try await page.screenshot("modem-6-telephone-told")
            let width = try await page.value("document.documentElement.scrollWidth") as? Int ?? .max
            #expect(width <= 390, "the page is \(width) wide")
            #expect(page.takeComplaints().filter { !$0.contains("status of 40") } == [])
            try await application(page, studio, standIn)
            try await studio.stop(id)
            try await page.go(to: studio.owner.server + "/")
            try await page.wait(for: "document.querySelector('#logout')?.hidden === false", "still signed in")
            try await member(studio, page)
        }
    }

    /// The same in the web application, while it carries the only link of what is live.
    private func application(_ browser: Chromium, _ studio: Studio, _ standIn: ModemStandIn) async throws {
        let page = Dashboard(browser: browser, server: studio.owner.server), before = try await standIn.calls().count { $0 == "Reset" }
        try await browser.resize(width: 1280, height: 900)
        try await page.go("/senders/\(try await studio.sender(links: 2).id)")
        try await page.wait(
            "/-97 dBm.*LTE B3.*SINR 8.5 dB/s.test(document.querySelector('.link .hearing')?.innerText)",
            "its figures stand beside its link")
        try await page.wait("/Carried \\d/.test(document.querySelector('.link').innerText)", "so does what the link has carried")
        try await browser.screenshot("modem-7-application")
        try await page.press("Modems")
        try await page.press("Reset")
        try await page.see("It leaves its network")
        _ = try await page.run("strata.named('dialog button', 'Reset').click()")
        try await page.see("the only working link")
        _ = try await page.run("document.querySelector('dialog [type=checkbox]').click()")
        _ = try await page.run("strata.named('dialog button', 'Reset').click()")
        try await page.see(": it was reset")
        #expect(try await standIn.calls().count { $0 == "Reset" } == before + 1)
        _ = browser.takeComplaints()  // The reset that was refused.
    }

    private func answer(
        _ page: Chromium, _ button: String, isForced: Bool = false, _ look: () async throws -> Void = {}
    ) async throws {
        try await page.wait(for: "!\(button).disabled", "it can be pressed")
        try await page.press(button)
        try await page.wait(for: "document.querySelector('#reset-modem').open", "it is asked")
        if isForced { try await page.press("document.querySelector('#reset-modem input')") }
        try await look()
        try await page.press("document.querySelector('#reset-modem .grave')")
    }

    /// Who may not is offered nothing; the API refuses them too (`TenancyTests`).
    private func member(_ studio: Studio, _ page: Chromium) async throws {
        let request = CreateUserRequest(
            email: "member@example.org", displayName: "Member", role: .member, password: SecretOnWire(Secret("a long password")))
        let _: UserView = try await studio.owner.call(.post, "/users", request)
        _ = try await page.value("document.querySelector('#logout').click()")
        try await page.wait(for: "document.querySelector('#login')?.hidden === false", "signed out")
        try await page.signIn("member@example.org", "a long password")
        try await page.wait(for: "document.querySelector('.links .modem') !== null", "the modem is shown")
        #expect(try await page.value("document.querySelector('.links .modem button').hidden") as? Bool == true)
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
