import Foundation
import Support
import Testing
import Units
import Web
import Wire

/// What every page of the web application has in common, in a real browser: how it says what is wrong, fits, and is used without a mouse.
@Suite(.serialized, .unlessStolen)
struct DashboardPagesTests {
    @Test(
        "what is wrong is said in plain words with its details and a way on, and whoever is signed out over a form signs in and keeps it",
        .row("UI-15"))
    func faults() async throws {
        try await atFrontDesk { desk in
            let page = try await Dashboard.opened(on: desk.stage, at: desk.server, desk.installation.ownerPassword)
            // What no server of ours says of a list of destinations; then it does again.
            _ = try await page.run(
                """
                window.real = window.fetch;
                window.fetch = (url, options) => String(url).endsWith('/api/v1/destinations') && window.isBroken
                  ? Promise.resolve(new Response(JSON.stringify({ type: 'https://strata.invalid/problems/internal', title: 'The server failed', status: 500, detail: 'page 7' }), { status: 500 }))
                  : window.real(url, options);
                window.isBroken = true
                """)
            try await page.press("Destinations")
            try await page.see("The server failed. It has written down why.")
            #expect(try await page.run("document.querySelector('.fault [role=alert], [role=alert].fault') !== null") as? Bool == true)
            #expect(try await page.run("document.querySelector('.fault details').open") as? Bool == false)
            try await page.press("Details")
            try await page.see("500 internal page 7")
            try await page.browser.screenshot("pages-1-fault")
            _ = try await page.run("window.isBroken = false")
            try await page.press("Try again")
            try await page.see("No destination yet")

            try await page.press("Add a destination")
            for (field, text) in [("Name", "kept"), ("Address", "rtmp://live.example.org/kept"), ("Stream key", "a-key")] {
                try await page.fill(field, text)
            }
            let elsewhere = try await desk.owner()
            #expect(try await elsewhere.send("DELETE", "/auth/sessions").status == 204)
            try await page.press("Save")
            try await page.see("Your session has ended", within: .seconds(20))
            try await page.browser.screenshot("pages-2-expired")
            try await page.fill("Password", desk.installation.ownerPassword)
            try await page.press("Sign in")
            try await page.wait("document.querySelectorAll('dialog[open]').length === 1", "the form is where it was")
            #expect(
                try await page.run("strata.named('input', 'Name').value + strata.named('input', 'Stream key').value") as? String
                    == "kepta-key")
            #expect(try await elsewhere.get("/destinations").items().isEmpty)
            try await page.press("Save")
            try await page.wait("/kept/.test(document.querySelector('main table')?.innerText)", "it is saved")
            #expect(try await elsewhere.get("/destinations").items().count == 1)
        }
    }

    @Test(
        "there is never a blank page: what loads, what is empty, what is not there, what failed, and help; doors are open to those who are not in",
        .row("UI-14"))
    func neverBlank() async throws {
        try await atFrontDesk { desk in
            let browser = try await Chromium(on: desk.stage), page = Dashboard(browser: browser, server: desk.server)
            try await browser.open(page.server + "/login")
            for (path, words) in [
                ("/login", "Sign in"), ("/register", "Short name of the organisation"), ("/forgot-password", "This server sends no mail"),
                ("/reset-password#token=none", "A new password"), ("/invitation#token=none", "This invitation is over"),
                ("/nowhere", "Sign in"),
            ] {
                try await page.go(path)
                try await page.see(words)
                #expect(try await page.faults() == [], "\(path)")
            }
            // What the mails of before lead to.
            try await page.go("/app/forgot-password")
            try await page.see("This server sends no mail")
            #expect(try await page.run("location.pathname") as? String == "/forgot-password")
            _ = browser.takeComplaints()  // Links that are good for nothing.
            try await page.go("/login")
            try await page.enter("owner@example.org", desk.installation.ownerPassword)
            try await page.wait("location.pathname === '/'", "whoever has come in is home")
            for (path, title, way) in [
                ("/", "No sender yet", "Add a sender"), ("/senders", "No sender yet", "Add a sender"),
                ("/broadcasts", "No broadcast yet", "Senders"),
                ("/destinations", "No destination yet", "Add a destination"), ("/admin/enrollment", "No token", "Make a token"),
                ("/tokens", "No API token", "Make an API token"), ("/admin/webhooks", "No webhook yet", "Add a webhook"),
                ("/nowhere", "There is nothing here", "To the dashboard"),
                ("/senders/01ARZ3NDEKTSV4RRFFQ69G5FAV", "There is nothing here", "To the dashboard"),
            ] {
                try await page.go(path)
                try await page.see(title)
                #expect(
                    try await page.run("strata.named('main button, main a', '\(way)') !== null") as? Bool == true, "\(path) leads nowhere")
            }
            try await page.press("To the dashboard")
            try await page.see("No sender yet")
            try await page.own("Help")
            try await page.see("Start and stop a broadcast")
            #expect(
                try await page.run("[...document.querySelectorAll('main a')].every(one => one.origin === location.origin)") as? Bool == true
            )
            // What loads is drawn in grey until it has come.
            _ = try await page.run(
                """
                window.real = window.fetch;
                window.fetch = (url, options) => String(url).endsWith('/api/v1/users') ? new Promise(done => { window.answer = () => done(window.real(url, options)) })
                  : window.real(url, options);
                0
                """)
            try await page.manage("Members")
            try await page.wait("document.querySelector('main .skeleton[role=status]') !== null", "it is being read")
            _ = try await page.run("window.answer()")
            try await page.see("owner@example.org")
            #expect(try await page.run("document.querySelector('main .skeleton') === null") as? Bool == true)
        }
    }

    @Test(
        "on a desk, a tablet and a telephone everything is within the window, and the ways are open, behind signs, or behind a button",
        .row("UI-13"))
    func widths() async throws {
        try await atFrontDesk { desk in
            let owner = try await desk.owner()
            _ = try await desk.board(of: owner)
            let page = try await Dashboard.opened(on: desk.stage, at: desk.server, desk.installation.ownerPassword), browser = page.browser
            let label = "[...document.querySelectorAll('#navigation a')].find(one => /Destinations/.test(one.textContent))"
            func isLabelled() async throws -> Bool {
                try await page.run("strata.seen(\(label)) && parseFloat(getComputedStyle(\(label)).fontSize) > 10") as? Bool == true
            }
            try await browser.resize(width: 1280, height: 860)
            #expect(try await isLabelled())
            #expect(try await page.run("strata.named('button', 'Menu') === null") as? Bool == true)
            try await browser.resize(width: 900, height: 860)
            #expect(try await !isLabelled())
            #expect(try await page.run("strata.seen(\(label))") as? Bool == true, "the sign is there")
            // What a sign means is said to whoever points at it.
            let place = try #require(
                try await page.run("(box => [box.x + box.width / 2, box.y + box.height / 2])(\(label).getBoundingClientRect())")
                    as? [Double])
            try await browser.mouse("mouseMoved", x: place[0], y: place[1])
            try await page.wait("document.querySelector('[role=tooltip]')?.textContent === 'Destinations'", "its name is shown")
            try await page.press("Menu")
            #expect(try await isLabelled())
            #expect(try await page.faults() == [])
            try await page.press("Destinations")
            try await page.see("No destination yet")
            #expect(try await !isLabelled(), "it has closed behind them")
            try await browser.resize(width: 360, height: 740)
            #expect(try await page.run("strata.seen(\(label))") as? Bool == false)
            try await page.press("Menu")
            #expect(try await isLabelled())
            try await browser.screenshot("pages-3-telephone-menu")
            #expect(try await page.faults() == [])
            try await page.press("Dashboard")
            try await page.see("Nothing is on")
            #expect(try await page.faults() == [])
        }
    }

    @Test("somebody without a mouse signs in, finds the content, opens and closes what there is, and goes between tabs and pins")
    func keyboard() async throws {
        try await atFrontDesk { desk in
            let owner = try await desk.owner()
            let board = try await desk.board(of: owner)
            let toml = String(
                decoding: try JSONEncoder().encode(["toml": "[sender]\nlocation = \"Harbour, 53.5461, 9.9937\"\n"]), as: UTF8.self)
            #expect(try await owner.send("PUT", "/senders/\(board.identity.device)/configuration", toml).status == 200)
            let browser = try await Chromium(on: desk.stage), page = Dashboard(browser: browser, server: desk.server)
            try await browser.open(page.server + "/")
            try await page.see("Forgot your password?")
            try await tab(page, to: "Mail address")
            try await browser.type("owner@example.org")
            try await tab(page, to: "Password")
            try await browser.type(desk.installation.ownerPassword)
            try await browser.key("Enter")
            try await page.connected()
            try await page.go("/destinations")
            try await page.see("No destination yet")
            // The first way of a page is that to its content.
            try await browser.key("Tab")
            #expect(try await focused(page) == "To the content")
            try await browser.key("Enter")
            try await tab(page, to: "Add a destination")
            #expect(try await page.run("document.activeElement.closest('main') !== null") as? Bool == true)
            try await browser.key("Enter")
            try await page.wait("document.querySelector('dialog[open]')?.contains(document.activeElement)", "the keyboard is in the dialog")
            for _ in 0..<25 {
                try await browser.key("Tab")
                // Past the end is the browser's own, which is the body to a page.
                #expect(
                    try await page.run(
                        "document.activeElement === document.body || document.querySelector('dialog').contains(document.activeElement)")
                        as? Bool == true)
            }
            try await browser.key("Escape")
            try await page.wait("!document.querySelector('dialog[open]')", "it is closed")
            #expect(try await focused(page) == "Add a destination")

            try await tab(page, to: "Account and settings of Owner")
            try await browser.key("Enter")
            try await page.see("Sign out")
            try await browser.key("Escape")
            try await page.wait("strata.named('button', 'Sign out') === null", "the menu is closed")
            #expect(try await focused(page)?.hasPrefix("Account and settings") == true)

            try await tab(page, to: "Senders")
            try await browser.key("Enter")
            try await page.wait(
                "location.pathname === '/senders' && document.activeElement?.id === 'main'", "the keyboard is at the page's beginning")
            try await tab(page, to: "List")
            try await browser.key("ArrowRight")
            try await page.wait(
                "document.activeElement.matches('[role=tab][aria-selected=true]') && location.pathname === '/senders/map'",
                "the map is chosen")
            #expect(try await focused(page) == "Map")
            try await page.wait("document.querySelector('.map .pin') !== null", "the map is there")
            try await tab(page, to: "board: offline")
            try await browser.key("Enter")
            try await page.wait(
                "document.querySelector('.pin').getAttribute('aria-pressed') === 'true' && document.querySelector('.sender') !== null",
                "it is chosen")
            try await tab(page, to: "board")
            try await browser.key("Enter")
            try await page.wait("/^board/.test(document.querySelector('h1')?.innerText)", "its page is shown")
            #expect(browser.takeComplaints().filter { !$0.contains("status of 401") } == [])
        }
    }

    /// Where the keyboard is, and whether that is seen.
    private func focused(_ page: Dashboard) async throws -> String? {
        let seen =
            "(e => e.matches(':focus-visible') && getComputedStyle(e).outlineStyle !== 'none' ? strata.name(e) : 'not seen: ' + strata.name(e))(document.activeElement)"
        return try await page.run(seen) as? String
    }

    /// Goes on with the tabulator to what has a name.
    private func tab(_ page: Dashboard, to name: String) async throws {
        var passed: [String] = []
        for _ in 0..<60 {
            try await page.browser.key("Tab")
            let here = try await focused(page) ?? ""
            if here == name { return }
            passed.append(here)
        }
        throw SupportFailure("the tabulator comes to no '\(name)', but to \(passed)")
    }
}
