import Foundation
import Posix
import Support
import Testing
import Units
import Wire

/// Destinations that are tried before a broadcast, from a real pool host at a real platform.
@Suite(.serialized, .unlessStolen)
struct DestinationTrialTests {
    @Test(
        "a destination is tried from a pool host step by step, and each way in which it fails is said in plain words, without its key",
        .row("DSH-06"))
    func trials() async throws {
        let names = try Names(["platform.test": "127.0.0.1"])
        try await atFrontDesk({
            $0.hasPool = true
            $0.inside = names.inside
        }) { desk in
            let nginx = try await Nginx(on: desk.stage)
            let peer = try SRTPeer.listener(on: desk.stage, passphrase: "a-passphrase")
            let owner = try await desk.owner()
            try await eventually(within: .seconds(10), "the host is there") {
                try await owner.get("/pool").items().contains { $0["online"] as? Bool == true }
            }
            let (dead, taken, port) = (try FreePorts.tcp(), try FreePorts.udp(), nginx.rtmpPort)
            let socket = try UDPSocket(binding: try #require(SocketAddress("0.0.0.0", port: taken)))
            let key = "live_key_of_nobody"
            for (url, more, passed, failed) in [
                ("rtmp://platform.test:\(port)/live", "", ["resolve", "connect", "accept"], nil),
                ("rtmp://platform.test:\(port)/keyed", "", ["resolve", "connect"], ("accept", "stream key")),
                ("rtmp://platform.test:\(dead)/live", "", ["resolve"], ("connect", "refused")),
                ("rtmps://platform.test:\(port)/live", "", ["resolve", "connect"], ("secure", "TLS")),
                ("rtmp://nowhere.test:\(port)/live", "", [], ("resolve", "cannot be resolved")),
                ("rtmp://10.1.2.3:\(port)/live", "", [], ("resolve", "private")),
                ("srt://127.0.0.1:\(peer.port)", #""srtMode":"caller","#, ["resolve", "accept"], nil),
                ("srt://127.0.0.1:\(dead)", #""srtMode":"caller","#, ["resolve"], ("accept", "nobody answers")),
                ("srt://0.0.0.0:\(try FreePorts.udp())", #""srtMode":"listener","#, ["listen"], nil),
                ("srt://0.0.0.0:\(taken)", #""srtMode":"listener","#, [], ("listen", "in use")),
            ] as [(String, String, [String], (String, String)?)] {
                let secret = url.hasPrefix("rtmp") ? key : "a-passphrase"
                let id = try await owner.post("/destinations", #"{"name":"\#(url)",\#(more)"url":"\#(url)","secret":"\#(secret)"}"#).text(
                    "id")
                let began = Instant.now
                let answer = try await owner.post("/destinations/\(id)/test")
                measured("tried \(url)", Instant.now - began)
                try #require(answer.status == 200, "\(url): \(answer)")
                let view = try JSONDecoder().decode(DestinationTestView.self, from: Data(answer.body))
                let expected = passed.map { "\($0) true" } + (failed.map { ["\($0.0) false"] } ?? [])
                #expect(view.steps.map { "\($0.step) \($0.passed)" } == expected, "\(url): \(answer)")
                #expect(view.succeeded == (failed == nil))
                if let failed { #expect(view.steps.last?.reason?.contains(failed.1) == true, "\(url): \(answer)") }
                #expect(!answer.description.contains(secret))
            }
            withExtendedLifetime(socket) {}
            try nginx.setOpen(true)
            try await opened(desk, owner, nginx, key)
        }
    }

    /// The same key once the platform takes it; what is on air is left alone, and nobody tries all day.
    private func opened(_ desk: FrontDesk, _ owner: Visitor, _ nginx: Nginx, _ key: String) async throws {
        let keyed = try #require(
            try await owner.get("/destinations").items().first { ($0["url"] as? String)?.hasSuffix("/keyed") == true }?["id"] as? String)
        #expect(try await owner.post("/destinations/\(keyed)/test").object()["succeeded"] as? Bool == true)
        try await eventually(within: .seconds(5), "it has let go of the platform") { try await nginx.publishedStreams().isEmpty }
        let tests = try await owner.get("/audit").items().filter {
            $0["action"] as? String == "destination.tested" && $0["subject"] as? String == keyed
        }
        #expect(tests.map { $0["detail"] as? String } == ["passed", "failed: accept"])
        #expect(try !desk.said.contains(key) && !desk.installation.program("pool").lines.joined().contains(key))

        let board = try await desk.board(of: owner)
        let socket = try await board.connect()
        let reading = Task { try await RawBoard.answerAll(socket, .done) }
        defer { reading.cancel() }
        try await eventually(within: .seconds(5), "the board is online") {
            try await owner.get("/senders/\(board.identity.device)").object()["online"] as? Bool == true
        }
        let start = try await owner.post("/broadcasts", #"{"sender":"\#(board.identity.device)","destinations":["\#(keyed)"]}"#)
        #expect(start.status == 201, "\(start)")
        let refused = try await owner.post("/destinations/\(keyed)/test")
        #expect(refused.status == 409 && refused.description.contains("in use"), "\(refused)")
        let nowhere = try #require(
            try await owner.get("/destinations").items().first { ($0["url"] as? String)?.contains("nowhere") == true }?["id"] as? String)
        var statuses: [Int] = []
        while statuses.count < 30, statuses.last != 429 { statuses.append(try await owner.post("/destinations/\(nowhere)/test").status) }
        #expect(statuses.last == 429 && statuses.dropLast().allSatisfy { $0 == 200 }, "\(statuses)")
    }

    @Test("who adds a destination tries it on the page, and reads what came of each step", .row("DSH-06"))
    func page() async throws {
        try await atFrontDesk({ $0.hasPool = true }) { desk in
            let nginx = try await Nginx(on: desk.stage)
            let owner = try await desk.owner()
            for (name, application) in [("Tube", "live"), ("Locked", "keyed")] {
                let url = nginx.url(application)
                #expect(try await owner.post("/destinations", #"{"name":"\#(name)","url":"\#(url)","secret":"secret-key"}"#).status == 201)
            }
            try await eventually(within: .seconds(10), "the host is there") {
                try await owner.get("/pool").items().contains { $0["online"] as? Bool == true }
            }
            let page = try await Dashboard.opened(on: desk.stage, at: desk.server, desk.installation.ownerPassword)
            try await page.press("Destinations")
            try await page.press("Test Tube")
            try await page.see("Tube would take a stream")
            #expect(try await page.faults() == [])
            _ = try await page.run("strata.named('dialog button', 'Close').click()")
            try await page.press("Test Locked")
            try await page.see("Locked would not take a stream")
            try await page.see("is the application or the stream key wrong?")
            #expect(try await page.faults() == [])
            try await page.browser.screenshot("app-destination-test")
            try nginx.setOpen(true)
            try await page.press("Test again")
            try await page.see("Locked would take a stream")
            #expect(page.browser.takeComplaints() == [])
        }
    }
}
