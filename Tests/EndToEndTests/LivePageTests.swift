import Foundation
import Posix
import Support
import Testing
import Units
import Web
import Wire

/// What the page shows and offers to whom, while control and boards come and go under it.
@Suite(.serialized)
struct LivePageTests {
    @Test("after a restart of control the page has every sender and broadcast, and none that is gone", .row("CTL-03"))
    func restart() async throws {
        try await atFrontDesk { desk in
            let owner = try await desk.owner()
            let (stays, goes) = (try await desk.board(of: owner, name: "stays"), try await desk.board(of: owner, name: "goes"))
            let (_, runs) = try await broadcasts(desk, owner, of: stays)
            let browser = try await page(desk, "owner@example.org", desk.installation.ownerPassword)
            try await browser.wait(for: "document.querySelectorAll('.sender').length === 2", "both senders are shown")
            try await expectPicture(browser, runs, owner)
            // What the board told beside its `done`.
            let notes = "[...document.querySelectorAll('.sender .notes')].map(one => one.textContent).join('')"
            #expect(try await browser.value(notes) as? String == "as the test wants")
            #expect(try await owner.get("/broadcasts/\(runs)").object()["notes"] as? [String] == ["as the test wants"])

            // A data plan of any size is told in figures that say something.
            for (cap, text) in [(1 << 20, "0.5 MiB of 1.0 MiB"), (3 << 30, "0.5 MiB of 3.00 GiB")] {
                let told = "plan({sentBytes: 262144, receivedBytes: 262144, capBytes: \(cap), state: 'within'})[0]"
                #expect(try await browser.value(told) as? String == text)
            }

            // What happens while the page cannot see it: one sender is gone for good, no board comes back.
            try await away(desk, browser, "UPDATE devices SET revoked_at = 1 WHERE id = '\(goes.identity.device)'")
            try await browser.wait(for: "document.querySelectorAll('.sender').length === 1", "the revoked sender is gone")
            try await expectPicture(browser, runs, owner)
            #expect(try await browser.value(notes) as? String == "as the test wants")
            #expect(try await browser.value("document.querySelector('.sender .presence').textContent") as? String == "offline")

            // A page that is opened only now has the same.
            try await browser.go(to: desk.server + "/?again")
            try await expectPicture(browser, runs, owner)
            try await browser.screenshot("4-after-restart")
            try await browser.resize(width: 380, height: 1400)
            let width = try await browser.value("document.documentElement.scrollWidth") as? Int ?? 0
            #expect(width <= 380, "a telephone has to scroll sideways: \(width)")
            try await browser.screenshot("5-narrow")
            // And Stop is that of the broadcast which runs.
            #expect(try await browser.value(Self.twice("button.stop")) as? Bool == true)
            try await eventually(within: .seconds(5), "it is stopped") {
                ["stopping", "ended"].contains(try await owner.get("/broadcasts/\(runs)").text("state"))
            }
            #expect(try await browser.value("document.querySelector('.sender > .error').textContent") as? String == "")
            try await away(desk, browser, "DELETE FROM broadcasts WHERE id = '\(runs)'")
            try await browser.wait(for: "document.querySelector('.sender .state')?.textContent === ''", "no broadcast is shown as running")
            #expect(try await browser.value("document.querySelectorAll('form.start:not([hidden])').length") as? Int == 1)
            #expect(try await browser.value("document.querySelectorAll('#past-list tr').length") as? Int == 1)
        }
    }

    @Test("a page that hears nothing for 3 s says so, and goes on by itself")
    func silence() async throws {
        try await atFrontDesk { desk in
            let owner = try await desk.owner()
            _ = try await desk.board(of: owner, name: "board")
            let browser = try await page(desk, "owner@example.org", desk.installation.ownerPassword)
            try await browser.wait(for: "document.querySelector('#connection').textContent === 'connected'", "connected")
            let control = try desk.installation.program("control")
            let silent = Instant.now
            control.signal(SIGSTOP)
            defer { control.signal(SIGCONT) }
            try await browser.wait(
                for: "document.querySelector('#connection').textContent.includes('lost') && document.querySelector('main.stale') !== null",
                "the loss is shown", within: .seconds(8))
            measured("a silent control is shown after", Instant.now - silent)
            control.signal(SIGCONT)
            try await browser.wait(for: "document.querySelector('#connection').textContent === 'connected'", "connected again")
            // A quiet system is no lost connection.
            try await Task.sleep(for: .seconds(4))
            #expect(try await browser.value("document.querySelector('#connection').textContent") as? String == "connected")
        }
    }

    /// Changes what control has while it is away, and waits until the page is connected to it again.
    private func away(_ desk: FrontDesk, _ browser: Chromium, _ change: String) async throws {
        try await desk.installation.program("control").kill9()
        try await browser.wait(for: "document.querySelector('#connection').textContent.includes('lost')", "the connection is lost")
        _ = try await sqlite(desk, change)
        try await desk.installation.startControl()
        try await browser.wait(for: "document.querySelector('#connection').textContent === 'connected'", "connected again")
    }

    /// One sender is shown with its running broadcast as control sees it, and the other broadcast among those that ended.
    private func expectPicture(_ browser: Chromium, _ runs: String, _ owner: Visitor) async throws {
        try await eventually(within: .seconds(10), "the running broadcast is shown") {
            let state = try await owner.get("/broadcasts/\(runs)").text("state")
            return try await browser.value(
                "[...document.querySelectorAll('.sender .state')].some(state => state.textContent === '\(state)')") as? Bool == true
        }
        try await browser.wait(for: "document.querySelectorAll('#past-list tr').length === 1", "one has ended")
        #expect(try await browser.value("document.querySelectorAll('button.stop:not([hidden])').length") as? Int == 1)
        #expect(try await browser.value("document.querySelector('#past-list').innerText.includes('stays')") as? Bool == true)
    }

    @Test("a member sees senders and broadcasts, and is offered nothing that the policy refuses", .row("SEC-07"))
    func member() async throws {
        try await atFrontDesk { desk in
            let owner = try await desk.owner()
            let board = try await desk.board(of: owner)
            _ = try await broadcasts(desk, owner, of: board)
            for (role, offered) in [(Role.member, 0), (.host, 1)] {
                _ = try await user(role, of: owner, at: desk)
                let browser = try await page(desk, "\(role.rawValue)@example.org", "a long password")
                try await browser.wait(for: "document.querySelectorAll('.sender').length === 1", "the sender is shown to a \(role)")
                try await browser.wait(
                    for: "['live', 'degraded', 'interrupted'].includes(document.querySelector('.sender .state').textContent)",
                    "so is its broadcast")
                #expect(try await browser.value("document.querySelectorAll('button.stop:not([hidden])').length") as? Int == offered)
                #expect(try await browser.value("document.querySelectorAll('form.start:not([hidden])').length") as? Int == 0)
                #expect(try await browser.value("document.querySelector('.outputs td').textContent") as? String == "d", "its name")
                try await browser.screenshot("6-\(role.rawValue)")
                // Whether somebody is signed in is asked by a refresh.
                #expect(browser.takeComplaints().filter { !$0.contains("status of 401") } == [])
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
            let browser = try await page(desk, "owner@example.org", desk.installation.ownerPassword)
            try await browser.wait(for: "document.querySelector('.start select')?.value === 'test'", "the standard input is offered")
            try await socket.send(AgentMessage.configured(ConfigurationReport(version: 1)))
            try await browser.wait(for: "document.querySelector('.start select').value === 'film'", "the configured one is chosen")
            #expect(try await browser.value("document.querySelector('.start [name=bitrate]').value") as? String == "1.234")

            // Destinations are read again when they change. The only one is ticked; of two, somebody has to choose.
            for (name, ticked) in [("first", [true]), ("second", [false, false])] {
                let made = try await owner.post("/destinations", #"{"name":"\#(name)","url":"rtmp://127.0.0.1/\#(name)","secret":"key"}"#)
                #expect(made.status == 201)
                try await browser.wait(
                    for: "document.querySelectorAll('.destinations input').length === \(ticked.count)", "\(name) is offered")
                let boxes = "JSON.stringify([...document.querySelectorAll('.destinations input')].map(box => box.checked))"
                #expect(try await browser.value(boxes) as? String == ticked.description.replacingOccurrences(of: " ", with: ""))
            }
            var starts = 0
            _ = try await browser.value("document.querySelector('.destinations input').click()")
            func start() async throws -> BroadcastView {
                // Clicked twice it is one wish, and leaves no error.
                #expect(try await browser.value(Self.twice("form.start button")) as? Bool == true)
                starts += 1
                // Without a host it ends by itself, at once.
                try await browser.wait(for: "document.querySelectorAll('#past-list tr').length === \(starts)", "it was started")
                try await browser.wait(for: "!document.querySelector('form.start').hidden", "it can be started again")
                try await browser.wait(for: "!document.querySelector('form.start button').disabled", "the button too")
                #expect(try await browser.value("document.querySelector('.sender > .error').textContent") as? String == "")
                let list = try JSONDecoder().decode(ListView<BroadcastView>.self, from: Data(try await owner.get("/broadcasts").body))
                return try #require(list.items.first)
            }
            let encoder = EncoderChoice(bitrate: .kilobits(1234), width: 640, height: 360, frameRate: 25)
            let asConfigured = try await start()
            #expect(asConfigured.input == InputChoice(video: "film", audio: "microphone"))
            #expect(asConfigured.encoder == encoder && asConfigured.outputs.count == 1)

            _ = try await browser.value("document.querySelector('.start select').value = 'camera'")
            _ = try await browser.value("document.querySelector('.start [name=bitrate]').value = '0.8'")
            let changed = try await start()
            #expect(changed.input == InputChoice(video: "camera", audio: "microphone"))
            var smaller = encoder
            smaller.bitrate = .kilobits(800)
            #expect(changed.encoder == smaller)
            try await expectOneOfEachAddress(browser, owner, board)
            await socket.close()
        }
    }

    /// A last broadcast went to two destinations of one address: one of them is ticked, and the page says why.
    private func expectOneOfEachAddress(_ browser: Chromium, _ owner: Visitor, _ board: RawBoard) async throws {
        let twin = try await owner.post("/destinations", #"{"name":"twin","url":"rtmp://127.0.0.1/first","secret":"other"}"#).text("id")
        let first = try await owner.get("/destinations").items().first { $0["name"] as? String == "first" }?["id"] as? String ?? ""
        let wish = #"{"sender":"\#(board.identity.device)","destinations":["\#(first)","\#(twin)"]}"#
        #expect(try await owner.post("/broadcasts", wish).status == 201)
        try await browser.go(to: try #require(await browser.value("location.origin") as? String) + "/?again")
        try await browser.wait(for: "document.querySelectorAll('.destinations input').length === 3", "all are offered")
        let ticked = "[...document.querySelectorAll('.destinations input:checked')].map(box => box.parentNode.textContent).join()"
        try await browser.wait(for: "\(ticked) === 'first'", "one of one address is ticked")
        #expect(try await browser.value("document.querySelector('.hint').textContent.endsWith(': first, twin')") as? Bool == true)
        try await browser.screenshot("7-start")
    }

    // MARK: Parts

    /// Clicks a button twice; whether it takes no third click for now.
    private static func twice(_ button: String) -> String {
        "(button => { button.click(); button.click(); return button.disabled })(document.querySelector('\(button)'))"
    }

    /// A browser with the page of somebody who has signed in.
    private func page(_ desk: FrontDesk, _ email: String, _ password: String) async throws -> Chromium {
        let browser = try await Chromium(on: desk.stage)
        try await browser.open(desk.server + "/")
        try await browser.wait(for: "!document.querySelector('#login').hidden", "the form is shown")
        try await browser.signIn(email, password)
        try await browser.wait(for: "document.querySelector('#connection').textContent === 'connected'", "signed in")
        return browser
    }

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
