import Foundation
import Lab
import Posix
import Support
import Testing
import Units
import Web
import Wire

/// What a link uploads, measured when somebody asks, and never while anything is sent.
@Suite(.serialized, .unlessStolen) struct SpeedTests {
    @Test("each link is measured over itself alone, and the page shows what it uploads")
    func measured() async throws {
        try await unlessVoid { run in
            try await inStudio(links: [Studio.link(4000, delayMs: 25), Studio.link(1500, delayMs: 60)]) { studio in
                run.judge { studio.network.lateness }
                let sender = try await studio.sender(links: 2).id
                let other = studio.network.count(1, .up).enteredBytes
                let shell = Shell(session: studio.stage.folder["shell.json"])
                try await signIn(shell, studio)
                let quick: SpeedTestView = try await shell(["sender", "speed-test", sender.text, "modem0"])
                EndToEndTests.measured("a link of 4 Mbit/s and 50 ms", "\(quick)")
                let upload = try #require(quick.upload).megabits
                try need((3.2...4.2).contains(upload), "\(quick)")
                try need((50...400).contains(quick.rttMs ?? 0), "\(quick)")
                try need(studio.network.count(1, .up).enteredBytes - other < 100_000, "the other link carried next to nothing")
                let slow: SpeedTestView = try await studio.owner.call(
                    .post, "/senders/\(sender)/speed-test", SpeedTestRequest(link: "modem1"))
                EndToEndTests.measured("a link of 1.5 Mbit/s and 120 ms", "\(slow)")
                try need((1.2...1.6).contains(slow.upload?.megabits ?? 0), "\(slow)")
                let view: SenderView = try await studio.owner.call(.get, "/senders/\(sender)")
                try need(view.speedTests.map { Set($0) } == [quick, slow], "the last of each is kept")
                try await shell.refused(["sender", "speed-test", sender.text, "modem7"], "the sender has no link modem7 that is up")
                try await look(at: studio)
            }
        }
    }

    /// A person presses the button.
    private func look(at studio: Studio) async throws {
        let page = try await Dashboard.opened(on: studio.stage, at: studio.owner.server, studio.installation.ownerPassword)
        try await page.press("sender")
        let row = "strata.rows('Speed test')[0]", button = "strata.named('button', 'Measure the upload of modem0')"
        try await page.wait("/^modem0[34]\\.[0-9]+ Mbit\\/s[0-9]+ ms/.test(\(row))", "the result is shown")
        _ = try await page.run("\(button).click()")
        try await page.wait("\(button).getAttribute('aria-busy') === 'true'", "it is measured again")
        try await page.wait("/^modem0[34]\\.[0-9]+ Mbit\\/s.*Measured/.test(\(row))", "and the new result is shown")
    }

    @Test("a broadcast that begins ends it at once, one that runs refuses it, and a data plan is not passed")
    func aside() async throws {
        try await inStudio(links: [Studio.link(4000, delayMs: 25), Studio.link(4000, delayMs: 25)]) { studio in
            let sender = try await studio.sender(links: 2).id
            let shell = Shell(session: studio.stage.folder["shell.json"])
            try await signIn(shell, studio)
            let platform = try await studio.destination("platform", url: studio.nginx.url(), secret: "show")
            let before = studio.network.count(0, .up).enteredBytes
            async let test: Void = shell.refused(["sender", "speed-test", sender.text, "modem0"], "a broadcast begins")
            try await eventually(within: .seconds(8), "the upload flows") { studio.network.count(0, .up).enteredBytes - before > 200_000 }
            let began = Instant.now
            let id = try await studio.start(StartRequest(sender: sender, destinations: [platform], encoder: Studio.small))
            try await test
            EndToEndTests.measured("from the start of a broadcast to the end of the test", "\(Instant.now - began)")
            try await studio.owner.wait(id, for: ["live"])
            EndToEndTests.measured("from the start of a broadcast to live", "\(Instant.now - began)")
            try await shell.refused(["sender", "speed-test", sender.text, "modem0"], "the sender has a broadcast")
            try await studio.stop(id)
            let view: SenderView = try await studio.owner.call(.get, "/senders/\(sender)")
            #expect(view.speedTests?.first?.reason == "a broadcast begins", "why there is no result is kept as well")

            let toml = "[[link]]\nname = \"modem0\"\ndata_cap_mib = 20\n"
            let _: ConfigurationAnswer = try await studio.owner.call(
                .put, "/senders/\(sender)/configuration", ChangeConfigurationRequest(toml: toml))
            try await eventually(within: .seconds(40), "the plan is known") {
                try studio.owner.latest("telemetry/\(sender)", as: AgentTelemetry.self)?.usage?.contains { $0.capBytes != nil } == true
            }
            try await shell.refused(["sender", "speed-test", sender.text, "modem0"], "of its data plan left, and the test may take 64")
            let free: SpeedTestView = try await shell(["sender", "speed-test", sender.text, "modem1"])
            #expect(free.upload != nil)
        }
    }

    @Test("nobody uploads what nobody has asked for, and an agent of before says that it is too old")
    func strangers() async throws {
        try await atFrontDesk { desk in
            let owner = try await desk.owner()
            let board = try await desk.board(of: owner)
            let control = try await board.connect()
            let old = Task { try await RawBoard.answerAll(control, .failed, reason: "this agent does not know the order 'speedTest'") }
            defer { old.cancel() }
            let path = "/senders/\(board.identity.device)"
            try await eventually(within: .seconds(5), "the board is online") {
                try await owner.get(path).object()["online"] as? Bool == true
            }
            let answer = try await owner.send("POST", "\(path)/speed-test", #"{"link":"eth0"}"#)
            #expect(answer.status == 409 && answer.description.contains("this agent is too old for a speed test: update it"), "\(answer)")

            let (socket, reason) = try await board.upload(ticket: "AAAAAAAAAAAAAAAAAAAAAA")
            #expect(socket.closeCode == .policyViolation && reason == "nobody has asked for this test")
            // A proof that is none gets no further, whatever the ticket.
            let thief = try await board.upload(ticket: "AAAAAAAAAAAAAAAAAAAAAA", spoil: true)
            #expect(thief.0.closeCode == .policyViolation && thief.1 == "wrong signature")
        }
    }

    private func signIn(_ shell: Shell, _ studio: Studio) async throws {
        try await shell([
            "login", "--server", studio.installation.origin, "--ca", studio.stage.folder["authority/ca.pem"], "--email",
            "owner@example.org", "--password-file", studio.stage.folder["password"],
        ])
    }
}

extension Bitrate {
    fileprivate var megabits: Double { Double(bitsPerSecond) / 1e6 }
}
