import Foundation
import Lab
import Posix
import Support
import Testing
import Units
import Wire

/// Meters, alarms and alerts in a real browser, of a real sender.
@Suite(.serialized, .unlessStolen, .enabled(if: NetworkNamespace.areAllowed, "namespaces are not allowed here"))
struct DashboardAlertTests {
    @Test(
        "a page shows how loud each channel is, a mute within 2 s, its alarm and its end; what one is told of is chosen on the account page"
    )
    func page() async throws {
        try await inStudio { studio in
            let browser = try await Chromium(on: studio.stage)
            let page = Dashboard(browser: browser, server: studio.owner.server)
            try await browser.open(page.server + "/")
            for (field, text) in [("Mail address", "owner@example.org"), ("Password", studio.installation.ownerPassword)] {
                try await page.fill(field, text)
            }
            try await page.press("Sign in")
            try await page.see("sender")
            _ = browser.takeComplaints()
            try await choose(page, studio)

            let sender = try await studio.sender()
            let (tone, hush) = (
                try await studio.sound(Studio.tone, "tone", of: sender.id), try await studio.sound(Studio.hush, "hush", of: sender.id)
            )
            let platform = try await studio.destination("show", url: studio.nginx.url(), secret: "show")
            let id = try await studio.start(
                StartRequest(
                    sender: sender.id, destinations: [platform], input: InputChoice(video: "test", audio: tone), encoder: Studio.small))
            try await studio.owner.wait(id, for: ["live"])
            try await page.go("/broadcasts/\(id)")
            let meters = "[...document.querySelectorAll('[role=meter]')]"
            try await page.wait(
                "\(meters).length === 2 && \(meters).every(one => Number(one.ariaValueNow) > -40)", "both channels have the tone's level")
            #expect(try await page.faults() == [])
            try await browser.screenshot("app-alerts-1-tone")
            try await studio.listen(to: hush, id)
            let muted = Instant.now
            try await page.wait("\(meters).every(one => one.ariaValueText === 'Silent')", "the meters are silent", within: .seconds(8))
            measured("the page shows the mute after", Instant.now - muted)
            #expect(Instant.now - muted < .seconds(2))
            try await page.see("There is no sound")
            try await page.see("Alarm: There is no sound")
            #expect(try await page.faults() == [])
            try await browser.screenshot("app-alerts-2-silence")
            try await page.press("Senders")
            try await page.wait("/There is no sound/.test(document.querySelector('.sender').innerText)", "the list has a sign of it")
            try await studio.listen(to: tone, id)
            try await page.go("/broadcasts/\(id)")
            try await page.see("Over: There is no sound")
            try await page.go("/account")
            try await page.see("What you were told of")
            try await page.wait("/No sound for 10 seconds/.test(document.querySelector('.table').innerText)", "it is told of")
            #expect(browser.takeComplaints() == [])
            try await studio.stop(id)
        }
    }

    private func choose(_ page: Dashboard, _ studio: Studio) async throws {
        try await page.go("/account")
        try await page.see("What you are told of")
        for choice in ["No sound for 10 seconds", "Too much is lost"] {
            _ = try await page.run("strata.named('input', '\(choice)').click()")
        }
        try await page.fill("More than (%)", "7")
        try await page.fill("For seconds", "4")
        try await page.fill("Webhook of your own", "http://127.0.0.1:1/mine")
        // The browser itself knows the least number of seconds; the server knows it too.
        _ = try await page.run("strata.named('input', 'For seconds').form.noValidate = true")
        try await page.press("Save the alerts")
        try await page.see("a whole number from 5 to 3600")
        try await page.fill("For seconds", "40")
        try await page.press("Save the alerts")
        try await page.see("whsec_")
        #expect(try await page.faults() == [])
        try await page.browser.screenshot("app-alerts-0-account")
        let kept: AlertsView = try await studio.owner.call(.get, "/auth/me/alerts")
        #expect(Set(kept.rules) == [AlertRule(kind: .silence), AlertRule(kind: .loss, value: 7, seconds: 40)])
        #expect(kept.webhook?.url == "http://127.0.0.1:1/mine" && kept.webhook?.secret == nil)
        // Whoever fails to read what the server refused is told of it in a log of the browser.
        _ = page.browser.takeComplaints()
    }
}
