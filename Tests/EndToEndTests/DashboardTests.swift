import Foundation
import Support
import Testing
import Units
import Wire

/// The web application in a real browser, on the real system.
@Suite(.serialized, .unlessStolen)
struct DashboardTests {
    @Test(
        "a new server gets its owner; a board is enrolled by what the page shows, is broadcast from, seen live within 2 s, and stopped",
        .row("DSH-03", "DSH-04", "DSH-05", "DSH-07", "DSH-08"))
    func journey() async throws {
        try await inStudio { studio in
            let browser = try await Chromium(on: studio.stage)
            let page = Dashboard(browser: browser, server: studio.owner.server)
            try await browser.open(page.server + "/")
            try await page.see("Sign in")
            _ = browser.takeComplaints()  // Whether somebody is signed in is asked by a refresh, which is refused.
            try await signIn(page, studio.installation.ownerPassword)
            try await enroll(page, studio)
            try await destination(page, studio)
            try await webhook(page)
            try await broadcast(page, studio)
            try await configure(page, studio)
            try await health(page)
            try await pool(page)
            try await surveyAll(page, studio)
            #expect(browser.takeComplaints() == [])
        }
    }

    @Test("the first owner is made, a wrong password is named, a session that ends is taken up again, and both languages are whole")
    func door() async throws {
        try await atFrontDesk({ $0.hasOwner = false }) { desk in
            let browser = try await Chromium(on: desk.stage)
            let page = Dashboard(browser: browser, server: desk.server)
            try await browser.open(page.server + "/")
            try await page.see("Nobody owns this server yet")
            #expect(try await page.faults() == [])
            try await browser.screenshot("app-0-setup")
            let secret = try String(contentsOfFile: desk.stage.folder["control/setup-secret"], encoding: .utf8)
            for (field, text) in [
                ("Setup secret", secret.trimmingCharacters(in: .newlines)), ("Organisation", "Nordlicht TV"), ("Name", "Ada"),
                ("Mail address", "ada@example.org"), ("Password", "a long password"),
            ] { try await page.fill(field, text) }
            try await page.press("Create the organisation")
            try await page.see("No sender yet")
            // What the server lacks is said on every page of whoever may see it.
            try await page.see("no pool host is connected")
            #expect(try await page.run("strata.named('button', 'Account and settings of Ada') !== null") as? Bool == true)
            try await browser.screenshot("app-1-empty")
            // What an attacker or an operator ends elsewhere ends here: the page stays, and asks.
            _ = browser.takeComplaints()
            let elsewhere = desk.visitor()
            #expect(try await elsewhere.signIn("ada@example.org", "a long password").status == 200)
            #expect(try await elsewhere.send("DELETE", "/auth/sessions").status == 204)
            try await page.manage("Members")
            try await page.see("Your session has ended", within: .seconds(20))
            try await browser.screenshot("app-2-expired")
            try await page.fill("Password", "another password")
            try await page.press("Sign in")
            try await page.see("belong together")
            try await page.fill("Password", "a long password")
            try await page.press("Sign in")
            try await page.wait("!document.querySelector('dialog[open]')", "the page goes on")
            // A lost connection is said, and heals.
            try await desk.installation.program("control").kill9()
            try await page.see("Connection lost", within: .seconds(5))
            try await browser.screenshot("app-2-lost")
            try await desk.installation.startControl()
            try await page.see("Connected", within: .seconds(30))
            try await slate(page)
            // German, by the user menu, and kept.
            try await page.press("Account and settings of Ada")
            try await page.fill("Language", "de")
            try await page.see("Verwaltung")
            try await page.go("/admin/members")
            try await page.see("Mitglied hinzufügen")
            #expect(try await page.faults() == [])
            try await member(page, elsewhere)
        }
    }

    /// A picture of the organisation's own is given, shown and taken away.
    private func slate(_ page: Dashboard) async throws {
        try await page.manage("Organisation")
        try await page.press("While a sender is silent")
        try await page.see("A picture of ours is shown.")
        let choose = """
            new Promise(done => {
              const canvas = Object.assign(document.createElement('canvas'), { width: 320, height: 180 }), files = new DataTransfer();
              canvas.getContext('2d').fillRect(0, 0, 99, 99);
              canvas.toBlob(blob => {
                files.items.add(new File([blob], 'slate.png', { type: 'image/png' }));
                const input = strata.named('input', 'PNG or JPEG, at most 96 KiB');
                input.files = files.files;
                input.dispatchEvent(new Event('change', { bubbles: true }));
                done(0);
              }, 'image/png');
            })
            """
        _ = try await page.run(choose)
        try await page.press("Show this one")
        try await page.see("320×180, png")
        try await page.wait("document.querySelector('canvas.slate')?.height === 270", "it is drawn")
        try await page.press("Show yours again")
        try await page.see("A picture of ours is shown.")
    }

    /// Whoever may less is offered less.
    private func member(_ page: Dashboard, _ owner: Visitor) async throws {
        #expect(try await owner.signIn("ada@example.org", "a long password").status == 200)
        let wish = #"{"email":"kim@example.org","displayName":"Kim","role":"member","password":"a third password"}"#
        #expect(try await owner.post("/users", wish).status == 201)
        try await page.press("Konto und Einstellungen von Ada")
        try await page.press("Abmelden")
        try await page.fill("Mailadresse", "kim@example.org")
        try await page.fill("Passwort", "a third password")
        try await page.press("Anmelden")
        try await page.see("Ein Admin der Organisation kann einen hinzufügen.")
        #expect(try await page.run("document.body.innerText.includes('pool host')") as? Bool == false, "the server's health is shown")
        #expect(
            try await page.run("[...document.querySelectorAll('nav a')].map(one => one.innerText.trim()).join()") as? String
                == "Übersicht,Sender,Sendungen,Aufnahmen,Treffen")
        try await page.go("/admin/members")
        try await page.see("Nicht für diese Rolle")
    }

    @Test("what was refused for its number is said with how long to wait, and is read again")
    func throttled() async throws {
        try await atFrontDesk({ $0.requestsPerMinute = 10 }) { desk in
            let browser = try await Chromium(on: desk.stage)
            let page = Dashboard(browser: browser, server: desk.server)
            try await browser.open(page.server + "/")
            try await signIn(page, desk.installation.ownerPassword)
            // Each time the page reads three lists.
            for _ in 0..<7 {
                try await page.go("/admin/audit")
                try await page.wait("/session.opened|Too many requests/.test(document.body.innerText)", "it was answered")
            }
            try await page.see("Too many requests: try again in")
            try await page.wait("strata.named('button', 'Try again') !== null", "it can be tried again")
            #expect(browser.takeComplaints().allSatisfy { $0.contains("status of 429") || $0.contains("status of 401") })
        }
    }

    @Test("a QR code of every size says to a stranger's reader what was put into it")
    func codes() async throws {
        let folder = try TemporaryFolder(), source = Places.root.appendingPathComponent("Control/Dashboard/tests/codes.mjs").path
        let make = "esbuild '\(source)' --bundle --platform=node --format=cjs --log-level=warning | node - '\(folder.path)'"
        _ = try await runTool("sh", ["-c", make])
        let texts = try (1...40).map { try String(contentsOfFile: folder["\($0).txt"], encoding: .utf8) }
        let read = try await QRReader.read((1...40).map { folder["\($0).pgm"] })
        for (size, (text, said)) in zip(texts, read).enumerated() { #expect(said == text, "size \(size + 1)") }
        #expect(read.count == 40)
    }

    @Test("the types that the application is written against are those of the server's own document")
    func types() async throws {
        try await atFrontDesk { desk in
            let document = try desk.stage.folder.write(
                String(decoding: try await desk.visitor().get("/api/v1/openapi.json").body, as: UTF8.self), to: "openapi.json")
            let folder = Places.root.appendingPathComponent("Control/Dashboard").path
            let made = try await runTool("sh", ["-c", "node '\(folder)/build/types.mjs' < '\(document)'"]).text
            if ProcessInfo.processInfo.environment["STRATA_GOLDEN"] == "write" {
                try made.write(toFile: folder + "/api/Schema.ts", atomically: true, encoding: .utf8)
            }
            let kept = try String(contentsOfFile: folder + "/api/Schema.ts", encoding: .utf8)
            #expect(made == kept, "api/Schema.ts is stale: run this test with STRATA_GOLDEN=write")
        }
    }

    // MARK: The steps of the journey

    private func signIn(_ page: Dashboard, _ password: String) async throws {
        try await page.enter("owner@example.org", password)
    }

    private func enroll(_ page: Dashboard, _ studio: Studio) async throws {
        try await page.press("Add a sender")
        try await page.press("Make a token")
        try await page.fill("Name of the sender", "van")
        _ = try await page.run("strata.named('dialog button', 'Make a token').click()")
        try await page.wait("document.querySelector('.copy code') !== null", "the command is shown")
        let command = try #require(await page.run("document.querySelector('.copy code').innerText") as? String)
        #expect(command.contains("strata-agent enroll --server \(page.server) --token-file token --config /etc/strata/strata-agent.conf"))
        // The same for a camera, from a sheet that can be printed.
        _ = try await page.run("document.querySelector('.qr').scrollIntoView({ block: 'center' })")
        #expect(try await QRReader.read([page.browser.screenshot("app-2-enrollment")]) == [command])
        // Its first part as it stands; the second with the addresses of this test's field.
        let folder = try studio.stage.folder.makeFolder("shown")
        _ = try await runTool("sh", ["-c", "cd '\(folder)' && \(command.components(separatedBy: " && strata-agent")[0])"])
        try await studio.installation.redeem(folder + "/token", "van", inside: studio.field)
        try await studio.installation.startSender("van", inside: studio.field)
        try await page.see("The sender is enrolled.")
        try await page.press("Senders")
        try await page.wait(
            "[...document.querySelectorAll('.sender')].some(one => /^van\\nOnline/.test(one.innerText))", "the board is online")
    }

    private func destination(_ page: Dashboard, _ studio: Studio) async throws {
        try await page.press("Destinations")
        try await page.press("Add a destination")
        try await page.fill("Name", "<img src=x onerror=alert(1)>")
        try await page.fill("Address", "http://nowhere")
        try await page.press("Save")
        try await page.wait("document.querySelector('dialog .fault, dialog .field .error') !== null", "what is wrong is said")
        try await page.fill("Address", studio.nginx.url())
        try await page.fill("Stream key", "show")
        _ = page.browser.takeComplaints()  // The address that was refused.
        try await page.press("Save")
        try await page.see("<img src=x")
        #expect(try await page.run("document.body.innerText.includes('show')") as? Bool == false, "the key is shown")
    }

    /// Its secret is shown once; what became of a test is told, also where nobody took it.
    private func webhook(_ page: Dashboard) async throws {
        try await page.manage("Webhooks")
        try await page.press("Add a webhook")
        try await page.fill("Description", "ours")
        try await page.fill("Address", "http://127.0.0.1:1/hook")
        #expect(try await page.faults() == [])
        try await page.press("Save")
        try await page.see("whsec_")
        try await page.browser.screenshot("app-2-webhook")
        try await page.press("Close")
        try await page.press("Send a test to ours")
        try await page.see("webhook.test")
        try await page.see("Retrying")
        #expect(try await page.run("document.body.innerText.includes('whsec_')") as? Bool == false, "the secret is shown again")
        try await page.press("Show")
        try await page.see("\"sequence\": ")
        #expect(try await page.faults() == [])
        try await page.press("Close")
    }

    private func broadcast(_ page: Dashboard, _ studio: Studio) async throws {
        let browser = page.browser
        try await page.press("Senders")
        try await page.press("sender")
        try await page.press("Start a broadcast")
        try await page.fill("Video, Mbit/s", "0.8")
        try await browser.screenshot("app-3-start")
        #expect(try await page.faults() == [])
        try await page.press("Go live")
        try await page.see("Going live")
        try await browser.screenshot("app-4-steps")
        try await page.wait("/LIVE/.test(document.querySelector('h1').innerText)", "it is live", within: .seconds(30))
        try await page.see("Connected")
        // Each chart moves: its picture is another one two seconds later. What nobody sees is not drawn.
        _ = try await page.run("document.querySelector('.chart canvas').scrollIntoView({ block: 'center' }); 0")
        try await page.wait("document.querySelectorAll('canvas').length >= 11", "there are charts of the bond and of each link")
        let drawn = "[...document.querySelectorAll('.chart canvas')].slice(0, 2).map(one => one.toDataURL())"
        _ = try await page.run("window.before = \(drawn); 0")
        try await page.wait("\(drawn).every((picture, at) => picture !== window.before[at])", "the charts move", within: .seconds(2))
        try await page.wait(
            "/Sent\\s*\\d+[.]\\d+ Mbit/.test(document.querySelector('.link').innerText)", "a link's rate is told", within: .seconds(3))
        try await observe(page)
        // The charts' own: beside what the feed costs on a page without any.
        let whole = try await browser.processorShare(over: .seconds(3))
        try await page.press("Destinations")
        try await page.see("rtmp://")
        let feed = try await browser.processorShare(over: .seconds(3))
        print("fourteen live charts cost \(whole - feed) of a core, beside \(feed) for the feed")
        #expect(whole - feed < 0.03 * 4, "four times the target: processor time counts more while others use the same cores")
        try await page.press("Broadcasts")
        try await page.wait(
            "document.querySelector('.table .thumbnail[data-at] canvas')?.width === 320", "its picture is among those on now")
        try await page.see("1 of 1 connected")
        try await page.wait("/runs for \\d/.test(document.querySelector('.table').innerText)", "its receiver is said to be there")
        try await page.press("sender")
        try await page.see("All links together")
        _ = try await page.run("scrollTo(0, 0)")
        try await browser.screenshot("app-5-live")
        try await page.press("Change")
        try await page.fill("Video, Mbit/s", "0.6")
        try await page.press("Change now")
        try await page.see("0.60 Mbit/s")
        try await page.see("The video bitrate is 0.60 Mbit/s now")
        try await page.press("Add an output")
        try await page.see("It goes to every destination there is.")
        try await page.press("Cancel")
        let id = try #require(await page.run("location.pathname.split('/').pop()") as? String)
        try await page.press("Stop")
        try await page.see("see the end at once")
        try await browser.screenshot("app-6-stop")
        #expect(try await page.faults() == [])
        _ = try await page.run("strata.named('dialog button', 'Stop').click()")
        try await page.see("Start another one", within: .seconds(20))
        let view: BroadcastView = try await studio.owner.call(.get, "/broadcasts/\(id)")
        #expect(view.state == "ended")
        try await story(page, studio, view.id)
    }

    /// What the page has been told is what it reads when it is opened anew, and nothing stands twice.
    private func story(_ page: Dashboard, _ studio: Studio, _ id: BroadcastID) async throws {
        let lines = "[...document.querySelectorAll('.timeline li')].map(one => one.innerText)"
        try await page.wait("/Ended/.test(\(lines)[0])", "its end is told")
        func expectAll(_ when: String) async throws {
            try await eventually(within: .seconds(15), "\(when) the page has what the server has") {
                let events = try await studio.owner.events(of: id, "order=newest")
                return try await page.run("\(lines).length") as? Int == events.count
            }
        }
        // All of it fits into one part.
        #expect(try await studio.owner.events(of: id, "order=newest").count <= 100)
        try await expectAll("as it went on")
        try await page.go("/broadcasts/\(id)")
        try await expectAll("opened anew")
        try await page.browser.screenshot("app-6-story")
    }

    /// Its picture, the links as the receiver sees them, and what happened so far.
    private func observe(_ page: Dashboard) async throws {
        try await page.wait("document.querySelector('.thumbnail[data-at] canvas')?.width === 320", "its picture is shown")
        let name = "document.querySelector('.thumbnail canvas').getAttribute('aria-label')"
        #expect(try await page.run(name) as? String == "The picture of sender")
        let table = "[...document.querySelectorAll('table')].find(one => strata.name(one) === 'As the receiver sees it')"
        try await page.wait(
            "[...(\(table)?.tBodies[0].rows ?? [])].filter(row => /^modem[0-2] .*Mbit.s.* ms.* %/s.test(row.innerText)).length === 3",
            "three paths arrive, each with its link, rate, round trip and loss")
        let happened = "document.querySelector('.timeline').innerText"
        try await page.wait(
            "/Live[^]*Start: A receiver is made ready by /.test(\(happened))", "what the server has written down is told, and who asked")
        try await page.wait(
            "[0, 1, 2].every(at => \(happened).includes(`modem${at} is live`))", "so is what the board has written down")
        try await page.see("packets came too late or not at all")
        try await page.browser.screenshot("app-5-seen")
        _ = try await page.run("scrollTo(0, document.body.scrollHeight)")
        try await page.browser.screenshot("app-5-happened")
    }

    /// What is wrong with a configuration stands beside its line; what is right is in force.
    private func configure(_ page: Dashboard, _ studio: Studio) async throws {
        try await page.go("/senders/\(try await studio.sender().id)")
        try await page.press("Configuration")
        try await page.press("As text")
        try await page.fill("Configuration, TOML", "[video]\nwidth = 1280\nbitrate_kbit = \"much\"\nheight = 720\n")
        try await page.press("Save")
        try await page.see("Line 3 bitrate_kbit = \"much\"")
        try await page.browser.screenshot("app-7-configuration")
        #expect(page.browser.takeComplaints().allSatisfy { $0.contains("status of 422") })
        try await page.fill("Configuration, TOML", "# ours\n[video]\nbitrate_kbit = 1500 # enough\n")
        try await page.press("Save")
        try await page.see("Version 1 is in force")
        try await page.wait("/In force/.test(document.querySelector('tbody').innerText)", "the history has it")
        #expect(try await page.faults() == [])
        try await form(page, studio)
        try await page.press("Inputs and encoders")
        try await page.see("Test picture and tone")
        try await page.press("Modems")
        try await page.see("No modem")
    }

    /// The same as a form: what somebody wrote by hand stays, and what differs is shown.
    private func form(_ page: Dashboard, _ studio: Studio) async throws {
        try await page.press("As a form")
        try await page.wait("strata.named('input', 'Bitrate, kbit/s')?.value === '1500'", "the form has what was written")
        try await page.fill("Bitrate, kbit/s", "1200")
        try await page.fill("Size", "1280×720")
        try await page.fill("Data plan, MiB", "5000")
        try await page.press("Show changes")
        try await page.wait(
            "[...document.querySelectorAll('.new')].some(one => one.innerText.includes('bitrate_kbit = 1200 # enough'))",
            "the changes are shown")
        try await page.browser.screenshot("app-7-differences")
        #expect(try await page.faults() == [])
        try await page.press("Close")
        try await page.press("Save")
        try await page.see("Version 2 is in force")
        let id = try await studio.sender().id
        let saved: ListView<ConfigurationView> = try await studio.owner.call(.get, "/senders/\(id)/configurations")
        let video = "# ours\n[video]\nbitrate_kbit = 1200 # enough\nwidth = 1280\nheight = 720\n"
        #expect(saved.items.first?.toml == video + "\n[[link]]\nname = \"modem0\"\ndata_cap_mib = 5000\n")
        for (width, name) in [(360, "app-8-form-telephone"), (1280, "app-8-form")] {
            try await page.browser.resize(width: width, height: 860)
            #expect(try await page.faults() == [], "the form at \(width)")
            try await page.browser.screenshot(name)
        }
        try await page.press("Differences of version 2")
        try await page.wait(
            "document.querySelector('.gone')?.innerText.includes('bitrate_kbit = 1500 # enough')", "what version 2 has replaced")
        try await page.press("Close")
    }

    /// On one page: how the server is, now and when it was asked before, and what could not be delivered.
    private func health(_ page: Dashboard) async throws {
        try await page.manage("Diagnostics")
        try await page.wait("/database.*Healthy/.test(strata.rows('System health').join('\\n'))", "each part of the server is told")
        try await page.see("Failure rate\n100 %")
        // Of what is told to a webhook in its order only the first is tried: the test, unless the board was called online just before it.
        let failed = "/ours(webhook.test|sender.online).*unreachable/.test(strata.rows('Deliveries that failed')[0])"
        try await page.wait(failed, "what failed is told, and why")
        try await page.press("Check now")
        let table = "[...document.querySelectorAll('table')].find(one => strata.name(one) === 'How it was')"
        let history = "\(table)?.tBodies[0].rows[0]?.innerText"
        try await page.wait("/(Healthy|Degraded|Unhealthy)/.test(\(history) ?? '')", "the check is in the history")
        #expect(try await page.faults() == [])
        try await page.browser.screenshot("app-9-health")
    }

    /// The one host is drained, and taken back.
    private func pool(_ page: Dashboard) async throws {
        try await page.go("/admin/pool")
        try await page.press("Drain pool")
        try await page.see("Draining")
        try await page.press("Take pool back")
        try await page.see("Has room")
    }

    /// Every page, light, dark and on a telephone: names, room, contrast and size.
    private func surveyAll(_ page: Dashboard, _ studio: Studio) async throws {
        let sender = try await studio.sender().id, list: ListView<BroadcastView> = try await studio.owner.call(.get, "/broadcasts")
        let broadcast = try #require(list.items.first).id
        let paths = [
            "/", "/senders", "/senders/map", "/senders/\(sender)", "/senders/\(sender)/start", "/broadcasts", "/broadcasts/\(broadcast)",
            "/destinations", "/admin/enrollment", "/admin/members", "/tokens", "/admin/organization", "/admin/pool", "/admin/webhooks",
            "/admin/analytics", "/admin/presets", "/admin/storage", "/admin/updates", "/admin/diagnostics", "/admin/audit", "/account",
            "/help", "/nowhere",
        ]
        let isLookedAt = ProcessInfo.processInfo.environment["STRATA_SCREENSHOTS"] != nil
        for (theme, language) in [("dark", "de")] + (isLookedAt ? [("light", "en")] : []) {
            _ = try await page.run(
                "localStorage.setItem('strata.preferences', JSON.stringify({ theme: '\(theme)', language: '\(language)' }))")
            for path in paths {
                try await page.go(path)
                try await page.wait("document.querySelector('h1') && !document.querySelector('.skeleton')", "\(path) is there")
                let name = path.components(separatedBy: "/").filter { !$0.isEmpty && $0.count < 20 }.joined(separator: "-")
                for width in [360, 900, 1280] {
                    try await page.browser.resize(width: width, height: width < 600 ? 740 : 860)
                    #expect(try await page.faults() == [], "\(path) at \(width)")
                    if isLookedAt { try await page.browser.screenshot("app-\(theme)-\(width)-\(name.isEmpty ? "home" : name)") }
                }
            }
        }
        for theme in ["light", "dark"] {
            _ = try await page.run("document.documentElement.dataset.theme = '\(theme)'")
            #expect(try await page.pale() == [], "\(theme)")
        }
        let size =
            "[...performance.getEntriesByType('resource'), ...performance.getEntriesByType('navigation')].filter(one => !/api/.test(one.name))"
            + ".reduce((sum, one) => sum + one.encodedBodySize, 0)"
        let bytes = try #require(await page.run(size) as? Int)
        print("the application has \(bytes) bytes")
        #expect((50_000..<250_000).contains(bytes))
    }
}
