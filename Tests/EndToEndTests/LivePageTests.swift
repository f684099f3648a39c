import Foundation
import Posix
import Support
import Testing
import Units
import Web
import Wire

/// What the pages show and offer to whom, while control and boards come and go under them.
@Suite(.serialized, .unlessStolen)
struct LivePageTests {
    @Test("after a restart of control the pages have every sender and broadcast, and none that is gone", .row("CTL-03"))
    func restart() async throws {
        try await atFrontDesk { desk in
            let owner = try await desk.owner()
            let (stays, goes) = (try await desk.board(of: owner, name: "stays"), try await desk.board(of: owner, name: "goes"))
            let (_, runs) = try await broadcasts(desk, owner, of: stays)
            let page = try await Dashboard.opened(on: desk.stage, at: desk.server, desk.installation.ownerPassword)
            try await page.press("Senders")
            try await page.wait("document.querySelectorAll('.sender').length === 2", "both senders are shown")
            try await expectPicture(page, runs, owner)
            // What the board told beside its `done`.
            try await page.press("stays")
            try await page.see("as the test wants")
            #expect(try await owner.get("/broadcasts/\(runs)").object()["notes"] as? [String] == ["as the test wants"])

            // What happens while the page cannot see it: one sender is gone for good, no board comes back.
            try await page.press("Senders")
            try await away(desk, page, "UPDATE devices SET revoked_at = 1 WHERE id = '\(goes.identity.device)'")
            try await page.wait("document.querySelectorAll('.sender').length === 1", "the revoked sender is gone")
            try await expectPicture(page, runs, owner)
            try await page.press("stays")
            try await page.see("as the test wants")

            // A page that is opened only now has the same.
            try await page.go("/senders/\(stays.identity.device)")
            try await page.wait("/Offline/.test(document.querySelector('h1')?.innerText)", "the board is away")
            try await page.go("/broadcasts")
            try await expectPicture(page, runs, owner)
            try await page.browser.screenshot("4-after-restart")
            try await page.browser.resize(width: 380, height: 1400)
            try await page.press("stays")
            try await page.see("What happened")
            #expect(try await page.faults() == [])
            try await page.browser.screenshot("5-narrow")
            // And Stop is that of the broadcast which runs; pressed twice it is one wish.
            try await page.press("Stop")
            try await page.see("see the end at once")
            _ = try await page.run("[0, 1].forEach(() => strata.named('dialog button', 'Stop').click())")
            try await eventually(within: .seconds(5), "it is stopped") {
                ["stopping", "ended"].contains(try await owner.get("/broadcasts/\(runs)").text("state"))
            }
            try await page.wait("!document.querySelector('dialog[open], .fault, .toast')", "nothing is refused")
            try await away(desk, page, "DELETE FROM broadcasts WHERE id = '\(runs)'")
            try await page.go("/broadcasts")
            try await page.wait("strata.rows('Ended').length === 1 && !strata.table('On now')", "no broadcast is shown as running")
            try await page.go("/senders/\(stays.identity.device)")
            try await page.wait("strata.named('a', 'Start a broadcast') !== null", "another one can be asked for")
        }
    }

    @Test("a page that hears nothing for 3 s says so, and goes on by itself")
    func silence() async throws {
        try await atFrontDesk { desk in
            let owner = try await desk.owner()
            _ = try await desk.board(of: owner, name: "board")
            let page = try await Dashboard.opened(on: desk.stage, at: desk.server, desk.installation.ownerPassword)
            let control = try desk.installation.program("control")
            let silent = Instant.now
            control.signal(SIGSTOP)
            defer { control.signal(SIGCONT) }
            try await page.wait(
                "/Connection lost/.test(document.querySelector('.connection').innerText) && document.documentElement.dataset.feed === 'lost'",
                "the loss is shown", within: .seconds(8))
            measured("a silent control is shown after", Instant.now - silent)
            control.signal(SIGCONT)
            try await page.connected()
            // A quiet system is no lost connection.
            try await Task.sleep(for: .seconds(4))
            #expect(try await page.run("document.documentElement.dataset.feed") as? String == "connected")
        }
    }

    /// Changes what control has while it is away, and waits until the page is connected to it again.
    private func away(_ desk: FrontDesk, _ page: Dashboard, _ change: String) async throws {
        try await desk.installation.program("control").kill9()
        try await page.see("Connection lost")
        _ = try await sqlite(desk, change)
        try await desk.installation.startControl()
        try await page.connected(within: .seconds(30))
    }

    /// One sender is shown with its running broadcast as control sees it, and the other broadcast among those that ended.
    private func expectPicture(_ page: Dashboard, _ runs: String, _ owner: Visitor) async throws {
        try await page.press("Broadcasts")
        try await eventually(within: .seconds(10), "the running broadcast is shown") {
            let state = try await owner.get("/broadcasts/\(runs)").text("state").capitalized
            let row = "strata.rows('On now').length === 1 && /^stays.*\(state)/.test(strata.rows('On now')[0])"
            return try await page.run(row) as? Bool == true
        }
        try await page.wait("strata.rows('Ended').length === 1 && strata.rows('Ended')[0].startsWith('stays')", "one has ended")
    }

    @Test("a member sees senders and broadcasts, and is offered nothing that the policy refuses", .row("SEC-07"))
    func member() async throws {
        try await atFrontDesk { desk in
            let owner = try await desk.owner()
            let board = try await desk.board(of: owner)
            let (_, runs) = try await broadcasts(desk, owner, of: board)
            for (role, offered) in [(Role.member, false), (.host, true)] {
                _ = try await user(role, of: owner, at: desk)
                let page = try await Dashboard.opened(
                    on: desk.stage, at: desk.server, as: "\(role.rawValue)@example.org", "a long password")
                try await page.press("Senders")
                try await page.wait("document.querySelectorAll('.sender').length === 1", "the sender is shown to a \(role)")
                try await page.go("/broadcasts/\(runs)")
                try await page.wait("/(Live|Degraded|Interrupted)/.test(document.querySelector('h1')?.textContent)", "so is its broadcast")
                #expect(try await page.run("strata.named('button', 'Stop') !== null") as? Bool == offered)
                #expect(try await page.run("strata.named('button', 'Change') !== null") as? Bool == offered)
                #expect(try await page.run("strata.rows('Outputs')[0].startsWith('d')") as? Bool == true, "its name")
                try await page.browser.screenshot("6-\(role.rawValue)")
                // Neither the way there nor what is there.
                #expect(try await page.run("strata.named('button', 'Admin') === null") as? Bool == true)
                for place in [
                    "/admin/members", "/admin/enrollment", "/admin/diagnostics", "/admin/organization", "/admin/audit", "/admin/webhooks",
                ] {
                    #expect(try await page.run("document.querySelector('nav a[href=\"\(place)\"]') === null") as? Bool == true, "\(place)")
                    try await page.go(place)
                    try await page.see("Not for your role")
                }
                try await page.go("/senders/\(board.identity.device)")
                try await page.wait("document.querySelectorAll('.link').length === 1", "its links are shown")
                for name in ["Revoke", "Rename", "Start a broadcast"] {
                    #expect(
                        try await page.run("strata.named('button, a', '\(name)') === null") as? Bool == true,
                        "\(name) is offered to a \(role)")
                }
                #expect(page.browser.takeComplaints() == [])
            }
        }
    }

    @Test(
        "whoever looks after the server sees on one page how it is, what runs, what was not delivered and where its errors go",
        .row("DIA-14"))
    func diagnostics() async throws {
        try await atFrontDesk { desk in
            let owner = try await desk.owner()
            let board = try await desk.board(of: owner, name: "stays")
            _ = try await broadcasts(desk, owner, of: board)
            let hook = try await owner.post("/webhooks", #"{"url":"http://127.0.0.1:1/","description":"ours","active":true}"#).text("id")
            #expect(try await owner.post("/webhooks/\(hook)/test").status < 300)
            let dsn = #"{"dsn":"https://0123456789abcdef0123456789abcdef@127.0.0.1:1/4"}"#
            #expect(try await owner.send("PUT", "/diagnostics/error-tracking", dsn).status == 200)
            let page = try await Dashboard.opened(on: desk.stage, at: desk.server, desk.installation.ownerPassword)
            try await page.manage("Diagnostics")
            try await page.wait("/^database.*Healthy/.test(strata.rows('System health')[0])", "each part is told")
            try await page.wait("strata.rows('On now').length === 1 && /^stays/.test(strata.rows('On now')[0])", "what runs is told")
            try await page.see("Senders online\n0 of 1")
            try await page.see("Receivers online\n1 of 1")
            try await page.see("Failure rate\n100 %")
            try await page.wait("/webhook.test/.test(strata.rows('Deliveries that failed').join())", "what was not delivered is told")
            try await page.wait(
                "strata.named('a', '127.0.0.1:1, project 4')?.href === 'https://127.0.0.1:1/'", "so is where errors are read")
            try await page.press("Check now")
            try await page.wait("strata.rows('How it was').length > 0", "the check is kept")
            #expect(try await page.faults() == [])
            try await page.browser.screenshot("diagnostics")
            try await page.press("Settings")
            try await page.see("What goes wrong in the server and in its pages")
            #expect(try await page.run("location.pathname") as? String == "/admin/organization/errors")
            #expect(page.browser.takeComplaints() == [])
            // Who may not is refused by the server, whatever they ask.
            let host = try await user(.host, of: owner, at: desk).0
            for path in [
                "/diagnostics/health", "/diagnostics/snapshots", "/diagnostics/deliveries", "/diagnostics/error-tracking", "/pool",
                "/organization/usage",
            ] {
                #expect(try await host.get(path).status == 403, "\(path)")
            }
        }
    }

    @Test("Start begins with what the sender is configured to be, and changes only what somebody changed", .row("CTL-04"))
    func configured() async throws {
        try await atFrontDesk { desk in
            let owner = try await desk.owner()
            let board = try await desk.board(of: owner)
            let socket = try await board.connect(cameras: ["camera", "film"])
            let answering = Task { try await RawBoard.answerAll(socket, .done) }
            defer { answering.cancel() }
            let path = "/senders/\(board.identity.device)"
            let toml = """
                [video]
                input = "film"
                bitrate_kbit = 1234
                width = 640
                height = 360
                frame_rate = 25
                [audio]
                input = "microphone"
                """
            let text = String(decoding: try JSONEncoder().encode(["toml": toml]), as: UTF8.self)
            let saved = try await owner.send("PUT", path + "/configuration", text)
            #expect(try saved.text("result") == "applied")
            let page = try await Dashboard.opened(on: desk.stage, at: desk.server, desk.installation.ownerPassword)
            try await page.go(path + "/start")
            try await page.see("No destination yet")

            // Destinations are read again when they change. The only one is ticked; of two, somebody has to choose.
            for (name, ticked) in [("first", [true]), ("second", [false, false])] {
                let made = try await owner.post("/destinations", #"{"name":"\#(name)","url":"rtmp://127.0.0.1/\#(name)","secret":"key"}"#)
                #expect(made.status == 201)
                try await page.wait("document.querySelectorAll('fieldset .choice input').length === \(ticked.count)", "\(name) is offered")
                let boxes = "JSON.stringify([...document.querySelectorAll('fieldset .choice input')].map(box => box.checked))"
                try await page.wait("\(boxes) === '\(ticked.description.filter { $0 != " " })'", "\(name): ticked is \(ticked)")
            }
            try await page.wait("document.querySelector('select[name=input]')?.value === 'test'", "the standard input is offered")
            try await socket.send(AgentMessage.configured(ConfigurationReport(version: 1)))
            try await page.wait("document.querySelector('select[name=input]').value === 'film'", "the configured one is chosen")
            #expect(try await page.run("document.querySelector('[name=bitrate]').value") as? String == "1.234")
            _ = try await page.run("document.querySelector('fieldset .choice input').click()")
            let encoder = EncoderChoice(bitrate: .kilobits(1234), width: 640, height: 360, frameRate: 25)
            let asConfigured = try await start(page, path, owner, 1)
            #expect(asConfigured.input == InputChoice(video: "film", audio: "microphone"))
            #expect(asConfigured.encoder == encoder && asConfigured.outputs.count == 1)

            try await page.fill("Input", "camera")
            try await page.fill("Video, Mbit/s", "0.8")
            let changed = try await start(page, path, owner, 2)
            #expect(changed.input == InputChoice(video: "camera", audio: "microphone"))
            var smaller = encoder
            smaller.bitrate = .kilobits(800)
            #expect(changed.encoder == smaller)
            try await expectOneOfEachAddress(page, owner, board)
            await socket.close()
        }
    }

    /// Presses Start twice, which is one wish and leaves no error, and comes back to where it can be started again: without a host it ends by
    /// itself, at once.
    private func start(_ page: Dashboard, _ path: String, _ owner: Visitor, _ count: Int) async throws -> BroadcastView {
        try await page.wait("!strata.named('button', 'Go live').disabled", "it can be started")
        _ = try await page.run("(button => { button.click(); button.click() })(strata.named('button', 'Go live'))")
        try await page.wait("location.pathname.startsWith('/broadcasts/')", "its page is shown")
        try await page.see("Start another one")
        #expect(try await page.run("!document.querySelector('.fault, .toast')") as? Bool == true)
        try await page.go(path + "/start")
        try await page.wait("document.querySelector('select[name=input]') !== null", "another one can be asked for")
        let list = try JSONDecoder().decode(ListView<BroadcastView>.self, from: Data(try await owner.get("/broadcasts").body))
        #expect(list.items.count == count)
        return try #require(list.items.first)
    }

    /// A last broadcast went to two destinations of one address: one of them is ticked, and the page says why not both.
    private func expectOneOfEachAddress(_ page: Dashboard, _ owner: Visitor, _ board: RawBoard) async throws {
        let twin = try await owner.post("/destinations", #"{"name":"twin","url":"rtmp://127.0.0.1/first","secret":"other"}"#).text("id")
        let first = try await owner.get("/destinations").items().first { $0["name"] as? String == "first" }?["id"] as? String ?? ""
        let wish = #"{"sender":"\#(board.identity.device)","destinations":["\#(first)","\#(twin)"]}"#
        let id = try await owner.post("/broadcasts", wish).text("id")
        try await eventually(within: .seconds(10), "it ends") { try await owner.get("/broadcasts/\(id)").text("state") == "ended" }
        try await page.go("/senders/\(board.identity.device)/start")
        try await page.wait("document.querySelectorAll('fieldset .choice input').length === 3", "all are offered")
        let ticked =
            "[...document.querySelectorAll('.choice')].filter(one => one.querySelector('input').checked).map(one => one.innerText.split('\\n')[0]).join()"
        try await page.wait("\(ticked) === 'first'", "one of one address is ticked")
        _ = try await page.run(
            "[...document.querySelectorAll('.choice')].find(one => one.innerText.startsWith('twin')).querySelector('input').click()")
        try await page.see("together only if their keys differ: first, twin")
        try await page.browser.screenshot("7-start")
    }

    // MARK: Parts

    /// A broadcast that is over and one that runs until it is stopped, of a board that has left again.
    private func broadcasts(_ desk: FrontDesk, _ owner: Visitor, of board: RawBoard) async throws -> (over: String, runs: String) {
        let socket = try await board.connect()
        let path = "/senders/\(board.identity.device)"
        try await eventually(within: .seconds(5), "the board is online") { try await owner.get(path).object()["online"] as? Bool == true }
        let destination = try await owner.post("/destinations", #"{"name":"d","url":"rtmp://127.0.0.1/app","secret":"key"}"#).text("id")
        let wish = #""sender":"\#(board.identity.device)","destinations":["\#(destination)"]"#
        let over = try await owner.post("/broadcasts", "{\(wish)}").text("id")
        // Without a host it would wait for one first.
        _ = try await owner.post("/broadcasts/\(over)/stop")
        try await eventually(within: .seconds(5), "it ends") {
            try await owner.get("/broadcasts/\(over)").text("state") == "ended"
        }
        let answering = Task { try await RawBoard.answerAll(socket, .done) }
        let host = try await desk.host("host")
        let leased = Guarded<StreamSpec?>(nil)
        // It goes on until control is gone.
        _ = Task { try await RawBoard.grantAll(host, leased) }
        try await eventually(within: .seconds(5), "the host is online") {
            try await owner.get("/pool").items().contains { $0["online"] as? Bool == true }
        }
        let runs = try await owner.post("/broadcasts", "{\(wish),\"graceSeconds\":0}").text("id")
        try await eventually(within: .seconds(10), "it is live") {
            if let stream = leased.withLock({ $0 }) { try await host.send(PoolMessage.report(.flowing(stream))) }
            return try await owner.get("/broadcasts/\(runs)").text("state") == "live"
        }
        answering.cancel()
        await socket.close()
        try await eventually(within: .seconds(5), "the board is offline") { try await owner.get(path).object()["online"] as? Bool == false }
        return (over, runs)
    }
}
