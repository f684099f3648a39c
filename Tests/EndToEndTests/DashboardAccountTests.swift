import Foundation
import Support
import Testing

/// Those who stand before the web application's door, with a link that was mailed to them.
@Suite(.serialized, .unlessStolen)
struct DashboardAccountTests {
    @Test(
        "whoever forgot a password, is invited, or registers by the organisation's code comes in by the link that was mailed",
        .row("SEC-06", "ORG-05", "ORG-06"))
    func links() async throws {
        let port = try FreePorts.tcp()
        try await atFrontDesk({ $0.mailPort = port }) { desk in
            let peer = try await MailPeer(on: desk.stage, port: port)
            let browser = try await Chromium(on: desk.stage)
            let page = Dashboard(browser: browser, server: desk.server)
            try await browser.open(page.server + "/")
            try await page.press("Forgot your password?")
            try await page.fill("Mail address", "owner@example.org")
            try await page.press("Send me a link")
            try await page.see("If there is an account for owner@example.org")
            try await browser.screenshot("app-door-1-sent")
            try await open(page, desk, try await peer.first)
            #expect(try await page.run("location.href.includes('token')") as? Bool == false)
            try await page.fill("New password", "short")
            try await page.press("Set the password")
            try await page.fill("New password", "a brand new password")
            #expect(try await page.faults() == [])
            try await page.press("Set the password")
            try await page.see("The password is changed")
            try await page.press("Sign in")
            for (field, text) in [("Mail address", "owner@example.org"), ("Password", "a brand new password")] {
                try await page.fill(field, text)
            }
            try await page.press("Sign in")
            try await token(page, desk)
            let door = try await openRegistration(page)
            try await page.manage("Members")
            try await invite(page)
            let mail = try await eventually(within: .seconds(10), "the invitation has come") {
                try peer.mails.first { $0.to == ["kim@example.org"] }
            }
            try await open(page, desk, mail)
            try await page.see("as Host")
            try await page.fill("Name", "Kim")
            try await page.fill("Password", "a long password")
            #expect(try await page.faults() == [])
            try await browser.screenshot("app-door-2-invited")
            try await page.press("Join")
            try await page.wait("strata.named('button', 'Account and settings of Kim') !== null", "Kim is in")
            // The link has been used.
            try await open(page, desk, mail)
            try await page.see("This invitation is over")
            try await register(page, desk, peer, door)
        }
    }

    @Test(
        "an owner adds a colleague, changes what they may, shuts them out, lets them in again and removes them, and each holds from then on",
        .row("DSH-01", "ORG-04"))
    func team() async throws {
        try await atFrontDesk { desk in
            let page = try await Dashboard.opened(on: desk.stage, at: desk.server, desk.installation.ownerPassword)
            try await page.manage("Members")
            try await page.press("Add a member")
            for (field, text) in [
                ("Name", "Kim"), ("Mail address", "kim@example.org"), ("Role", "member"), ("First password", "a long password"),
            ] { try await page.fill(field, text) }
            #expect(try await page.faults() == [])
            try await page.press("Save")
            try await page.wait("strata.rows('Members').some(row => /^Kim.*Member.*Active/.test(row))", "Kim is a member")
            let kim = try await desk.person("kim@example.org", "a long password")
            #expect(try await kim.get("/destinations").status == 403)
            try await page.press("Edit Kim")
            try await page.fill("Role", "host")
            try await page.fill("Name", "Kim <Lee>")
            try await page.press("Save")
            try await page.see("without markup")
            _ = page.browser.takeComplaints()  // The name that was refused.
            try await page.fill("Name", "Kim Lee")
            try await page.press("Save")
            try await page.wait("strata.rows('Members').some(row => /^Kim Lee.*Host.*Active/.test(row))", "Kim is a host")
            #expect(try await kim.get("/destinations").status == 200)
            try await page.press("Shut Kim Lee out")
            try await page.see("Their sessions end at once")
            _ = try await page.run("strata.named('dialog button', 'Shut out').click()")
            try await page.wait("strata.rows('Members').some(row => /^Kim Lee.*Host.*Let in/.test(row))", "Kim is shut out")
            #expect(try await kim.get("/auth/me").status == 401)
            #expect(try await desk.visitor().signIn("kim@example.org", "a long password").status == 401)
            try await page.press("Let Kim Lee in again")
            _ = try await page.run("strata.named('dialog button', 'Let in').click()")
            try await page.wait("strata.rows('Members').some(row => /^Kim Lee.*Host.*Active/.test(row))", "Kim is let in")
            #expect(try await desk.visitor().signIn("kim@example.org", "a long password").status == 200)
            // Nobody is above the owner, who is offered nothing that would lock them out.
            #expect(try await page.run("strata.named('button', 'Shut Owner out') === null") as? Bool == true)
            #expect(try await page.run("strata.named('button', 'Remove Owner') === null") as? Bool == true)
            try await page.press("Remove Kim Lee")
            try await page.see("kim@example.org can be invited again")
            #expect(try await page.faults() == [])
            try await page.browser.screenshot("app-members-remove")
            _ = try await page.run("strata.named('dialog button', 'Remove').click()")
            try await page.wait("!strata.rows('Members').some(row => /^Kim Lee/.test(row))", "Kim is gone")
            #expect(try await desk.visitor().signIn("kim@example.org", "a long password").status == 401)
            try await page.manage("Audit log")
            try await page.wait(
                """
                ['user.created', 'user.role_changed', 'user.deactivated', 'user.activated', 'user.removed', 'Kim Lee, kim@example.org']
                    .every(one => document.body.innerText.includes(one))
                """,
                "it is written down")
            #expect(page.browser.takeComplaints() == [])
        }
    }

    /// - Returns: the link that is handed out.
    private func openRegistration(_ page: Dashboard) async throws -> String {
        try await page.manage("Organisation")
        try await page.fill("Name", "Nordlicht TV")
        try await page.press("Save")
        try await page.see("Saved")
        try await page.press("Registration")
        try await page.fill("Who may register", "open")
        try await page.fill("What they agree to (optional)", "I agree to the house rules")
        #expect(try await page.faults() == [])
        try await page.press("Save")
        try await page.see("Code to register with")
        #expect(try await page.faults() == [])
        try await page.browser.screenshot("app-door-5-registration")
        return try #require(await page.run("document.querySelector('.copy code').innerText") as? String)
    }

    /// Lee has been given the link, and has no account yet.
    private func register(_ page: Dashboard, _ desk: FrontDesk, _ peer: MailPeer, _ link: String) async throws {
        let origin = desk.installation.origin
        #expect(link.hasPrefix("\(origin)/register#organization="))
        try await page.browser.go(to: page.server + link.dropFirst(origin.count))
        try await page.see("You become a member of Nordlicht TV.")
        #expect(try await page.run("location.href.includes('code')") as? Bool == false)
        try await page.fill("Mail address", "lee@example.org")
        _ = try await page.run("document.querySelector('.choice input').click()")
        #expect(try await page.faults() == [])
        try await page.browser.screenshot("app-door-6-register")
        try await page.press("Register")
        try await page.see("A mail to lee@example.org is on its way")
        let mail = try await eventually(within: .seconds(10), "the link has come") { try peer.mails.first { $0.to == ["lee@example.org"] } }
        try await open(page, desk, mail)
        try await page.see("as Member")
        try await page.fill("Name", "Lee")
        try await page.fill("Password", "a long password")
        try await page.press("Join")
        try await page.wait("strata.named('button', 'Account and settings of Lee') !== null", "Lee is in")
    }

    /// One for a program: made with the password, shown once, used, and ended.
    private func token(_ page: Dashboard, _ desk: FrontDesk) async throws {
        try await page.own("API tokens")
        try await page.press("Make an API token")
        try await page.fill("What it is for", "Lights")
        let tick = "[...document.querySelectorAll('dialog .choice')].find(one => one.innerText.startsWith('Destinations')).click()"
        _ = try await page.run(tick)
        try await page.fill("Your password", "not the password")
        try await page.press("Make an API token")
        try await page.see("should be the password until now")
        #expect(try await page.faults() == [])
        try await page.browser.screenshot("app-door-3-token")
        try await page.fill("Your password", "a brand new password")
        try await page.press("Make an API token")
        try await page.wait("document.querySelector('dialog .copy code') !== null", "it is shown")
        let program = desk.visitor()
        program.token = try #require(await page.run("document.querySelector('dialog .copy code').innerText") as? String)
        #expect(try await program.post("/destinations", #"{"name":"d","preset":"twitch","secret":"k"}"#).status == 201)
        #expect(try await program.get("/audit").status == 403)
        try await page.press("Close")
        try await page.see("Read, Destinations")
        #expect(try await page.faults() == [])
        try await page.press("End the API token Lights")
        try await page.press("End")
        try await page.see("No API token")
        #expect(try await program.get("/auth/me").status == 401)
    }

    /// One by the form, and none by a list with a line that is wrong.
    private func invite(_ page: Dashboard) async throws {
        try await page.press("Invite")
        try await page.fill("Mail address", "kim@example.org")
        try await page.fill("Role", "host")
        try await page.press("Invite")
        try await page.see("kim@example.org was invited")
        try await page.see("Open")
        try await page.press("Invite several")
        try await page.fill("A line each: address, or address,role", "a@example.org\nnobody")
        try await page.press("Invite")
        try await page.see("Line 2:")
        #expect(try await page.faults() == [])
        try await page.press("Cancel")
        try await page.wait("!document.querySelector('dialog[open]')", "the page goes on")
        #expect(try await page.run("!document.body.innerText.includes('a@example.org')") as? Bool == true)
        try await page.browser.screenshot("app-door-4-members")
    }

    /// The mail names the server's first origin, where tests listen with a certificate: its path and what is behind it count.
    private func open(_ page: Dashboard, _ desk: FrontDesk, _ mail: MailPeer.Mail) async throws {
        let origin = desk.installation.origin
        let link = try #require(mail.text.split(whereSeparator: \.isWhitespace).first { $0.hasPrefix("\(origin)/") }, "\(mail.text)")
        try await page.browser.go(to: page.server + link.dropFirst(origin.count))
    }
}
