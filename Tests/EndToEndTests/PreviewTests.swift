import Foundation
import HTTP
import Identity
import Posix
import Support
import Testing
import Units
import Web
import Wire

/// The live preview of a broadcast, from the receiver to a player in a browser.
@Suite(.serialized, .unlessStolen)
struct PreviewTests {
    @Test(
        "a browser plays it within seconds and stays with it; it takes at most 5 % of a core of the receiver, and nothing while nobody looks"
    )
    func live() async throws {
        try await inStudio { studio in
            let sender = try await studio.sender()
            let clip = try await studio.clip(of: sender.id)
            let platform = try await studio.destination("platform", url: studio.nginx.url(), secret: "show")
            let encoder = EncoderChoice(bitrate: .kilobits(3000), width: 1280, height: 720, frameRate: 25)
            let id = try await studio.start(
                StartRequest(sender: sender.id, destinations: [platform], input: InputChoice(video: clip), encoder: encoder))
            try await studio.owner.wait(id, for: ["live"])
            let receiver = try #require(studio.receivers.first)
            // The slate's process is waited for by then.
            try await studio.installation.program("pool").line(containing: "slate is ready", within: .seconds(15))

            let page = Dashboard(browser: try await Chromium(on: studio.stage), server: studio.owner.server)
            try await page.browser.open(page.server + "/")
            try await page.see("Sign in")
            _ = page.browser.takeComplaints()  // Whether somebody is signed in is asked by a refresh, which is refused.
            try await page.fill("Mail address", "owner@example.org")
            try await page.fill("Password", studio.installation.ownerPassword)
            try await page.press("Sign in")
            try await page.see("sender")
            try await page.go("/broadcasts/\(id)")
            try await page.see("See what is sent, live")
            let before = try await cost(of: receiver, studio, "without")

            let began = Instant.now
            try await page.press("Open the preview")
            let video = "document.querySelector('.preview video')"
            try await page.wait("\(video).currentTime > 0 && \(video).videoWidth === 1280", "it shows pictures", within: .seconds(15))
            print("PreviewTests: the first picture after \((Instant.now - began).milliseconds) ms")
            try await page.wait("\(video).closest('.preview').dataset.state === 'playing'", "it is said to play", within: .seconds(10))
            let during = try await cost(of: receiver, studio, "with")
            let look =
                "(() => { const v = \(video), b = v.buffered; return [v.currentTime, b.length ? b.end(b.length - 1) : 0, v.getVideoPlaybackQuality().totalVideoFrames, b.length]; })()"
            let first = try #require(await page.run(look) as? [Double])
            try await Task.sleep(for: .seconds(5))
            let second = try #require(await page.run(look) as? [Double])
            print("PreviewTests: \(second[0] - first[0]) s and \(second[2] - first[2]) pictures in 5 s, \(second[1] - second[0]) s behind")
            #expect((4.0...6.5).contains(second[0] - first[0]) && second[1] - second[0] < 4 && second[2] - first[2] > 60)
            #expect(second[3] == 1, "a player that misses nothing has one stretch")
            #expect(try await page.faults() == [])
            _ = try await page.run("\(video).scrollIntoView()")
            try await page.browser.screenshot("app-5-preview")
            print(
                "PreviewTests: the receiver takes \(during.receiver - before.receiver) % of a core more for it: \(during.receiver) after \(before.receiver)"
            )
            print("PreviewTests: the pool takes \(during.pool - before.pool) % more, control \(during.control - before.control) %")
            #expect(during.receiver - before.receiver <= 5)

            // Two watch what one makes, and one who leaves takes it from nobody.
            let other = try await watch(id, of: studio.owner)
            try await eventually(within: .seconds(5), "another one sees it") {
                other.chunks.withLock { $0.prefix(2).map(\.kind) } == [.beginning, .key]
            }
            let pool = try studio.installation.program("pool")
            #expect(pool.lines.filter { $0.contains("a preview begins") }.count == 1)
            try await page.press("Close the preview")
            let seen = other.chunks.withLock { $0.count }
            try await eventually(within: .seconds(5), "the other one sees more") { other.chunks.withLock { $0.count } > seen + 6 }
            await other.socket.close()
            try await pool.line(containing: "a preview ended", within: .seconds(5))
            try await eventually(within: .seconds(5), "the receiver knows that nobody watches") {
                pool.lines.contains { $0.contains("the preview is not watched any more") }
            }
            try await linkForPlayers(page, of: studio.owner)
            try await restarts(studio, id)
            #expect(page.browser.takeComplaints() == [])
            let last = try await watch(id, of: studio.owner)
            try await eventually(within: .seconds(10), "it is seen") { last.chunks.withLock { $0.count } > 2 }
            try await studio.stop(id)
            try await eventually(within: .seconds(5), "its end is told") { last.socket.closeCode == .goingAway }
            #expect(try await refusal(id, of: studio.owner) == 410)
        }
    }

    /// A link for players outside is made by a press and plays; revoked it does not.
    private func linkForPlayers(_ page: Dashboard, of owner: Browser) async throws {
        try await page.press("Link for players")
        try await page.press("Make a link")
        let code = "document.querySelector('dialog .copy code')"
        try await page.wait("\(code) !== null && document.querySelector('dialog table') !== null", "the link is shown and listed")
        let url = try #require(await page.run("\(code).textContent") as? String)
        #expect(url.hasSuffix("/index.m3u8"))
        #expect(try await page.faults() == [])
        let path = try #require(url.range(of: "/api/").map { String(url[$0.lowerBound...]) })
        let playlist = try await owner.answer(.get, path)
        #expect(String(decoding: playlist.body, as: UTF8.self).hasPrefix("#EXTM3U\n"))
        try await page.browser.screenshot("app-5-players")
        _ = try await page.run("document.querySelector('dialog table button').click()")
        try await page.wait("\(code) === null && document.querySelector('dialog table') === null", "it is gone")
        #expect(try await owner.answer(.get, path).status.code == 404)
        try await page.press("Close")
    }

    /// Whoever watches sees it again after the pool, and after control, without anybody at the receiver.
    private func restarts(_ studio: Studio, _ id: BroadcastID) async throws {
        let one = try await watch(id, of: studio.owner)
        try await eventually(within: .seconds(10), "it is seen") { one.chunks.withLock { $0.count } > 2 }
        try await studio.installation.program("pool").kill9()
        try await eventually(within: .seconds(10), "the preview ends with the pool") { one.socket.closeCode != nil }
        try await studio.installation.startPool()
        let again = try await eventually(within: .seconds(20), "it is seen again") { () -> Seen? in
            let next = try await self.watch(id, of: studio.owner)
            do {
                try await eventually(within: .seconds(3), "chunks come") { next.chunks.withLock { $0.count } > 2 }
                return next
            } catch {
                await next.socket.close()
                return nil
            }
        }
        try await studio.owner.wait(id, for: ["live"])
        await again.socket.close()
    }

    /// Processor time over 10 s, in percent of a core.
    private func cost(of receiver: Int32, _ studio: Studio, _ what: String) async throws -> (
        receiver: Double, pool: Double, control: Double
    ) {
        let programs = [try studio.installation.program("pool").pid, try studio.installation.program("control").pid]
        let shares = try await ProcessorTime.shares(of: [receiver] + programs, over: .seconds(10)).map { $0 * 100 }
        print("PreviewTests: \(what) a preview: receiver \(shares[0]) % of a core, pool \(shares[1]) %, control \(shares[2]) %")
        return (shares[0], shares[1], shares[2])
    }

    // MARK: By hand

    /// What came over a preview's socket.
    private struct Seen: Sendable {
        let socket: WebSocket
        let chunks: Guarded<[PreviewChunk]>

        init(_ socket: WebSocket) {
            let chunks = Guarded<[PreviewChunk]>([])
            (self.socket, self.chunks) = (socket, chunks)
            Task {
                // try?: a connection that breaks has ended.
                while let message = try? await socket.receive() {
                    if case .binary(let bytes) = message, let chunk = PreviewChunk(message: bytes) { chunks.withLock { $0.append(chunk) } }
                }
            }
        }
    }

    private func watch(_ id: BroadcastID, of owner: Browser) async throws -> Seen {
        let ticket: TicketView = try await owner.call(.post, "/auth/ticket")
        let address = owner.server.replacingOccurrences(of: "http", with: "ws")
        var options = ClientOptions()
        options.webSocket.messageLimit = WireLimits.previewBytes + 1
        let client = Client(loop: try Loop(name: "watcher"), options: options)
        return Seen(try await client.webSocket("\(address)/api/v1/preview?broadcast=\(id)&ticket=\(ticket.ticket.secret.revealed)"))
    }

    private func refusal(_ id: BroadcastID, of owner: Browser) async throws -> Int {
        do {
            await (try await watch(id, of: owner)).socket.close()
        } catch WebSocketError.refused(let status) {
            return status
        }
        throw SupportFailure("the preview was opened")
    }

    @Test(
        "it is for its organisation alone, as long as the session lasts; a host gives what it was asked for and nothing else",
        .row("CTL-11"))
    func hostile() async throws {
        try await atFrontDesk { desk in
            let (owner, stranger) = (try await desk.owner(), try await desk.stranger())
            let board = try await desk.board(of: owner)
            let socket = try await board.connect()
            let (host, leased, tickets) = (try await desk.rawHost("real"), Guarded<StreamSpec?>(nil), Guarded<[PreviewOrder]>([]))
            let control = try await host.connectHost()
            let sending = Task { try await RawBoard.answerAll(socket, .done) }
            let leasing = Task { try await RawBoard.grantAll(control, leased, tickets) }
            defer { for task in [sending, leasing] { task.cancel() } }
            try await eventually(within: .seconds(5), "the board is online") {
                try await owner.get("/senders").items().contains { $0["online"] as? Bool == true }
            }
            let destination = try await owner.post("/destinations", #"{"name":"d","url":"rtmp://127.0.0.1/app","secret":"key"}"#).text("id")
            let id = try await owner.post(
                "/broadcasts", #"{"sender":"\#(board.identity.device)","destinations":["\#(destination)"]}"#
            ).text("id")
            let stream = try await eventually(within: .seconds(5), "the lease is asked for") { leased.withLock { $0 } }
            try await eventually(within: .seconds(5), "it is live") {
                try await control.send(PoolMessage.report(.flowing(stream)))
                return try await owner.get("/broadcasts/\(id)").text("state") == "live"
            }
            // Who is not let in.
            #expect(try await stranger.refusedPreview(id) == 404)
            #expect(try await owner.refusedPreview("01ARZ3NDEKTSV4RRFFQ69G5FAV") == 404)
            #expect(try await owner.refusedPreview("nothing") == 404)
            #expect(try await owner.refusedPreview(id, ticket: "a-guess") == 401)
            #expect(try await owner.refusedPreview(id, origin: "https://evil.example") == 403)
            let used = try await owner.post("/auth/ticket").text("ticket")
            let first = try await owner.preview(id, ticket: used)
            #expect(try await owner.refusedPreview(id, ticket: used) == 401)
            // A host without a ticket, with a wrong one, and a board with the right one.
            let order = try await eventually(within: .seconds(5), "the host is asked") { tickets.withLock { $0.first } }
            let ticket = order.ticket.secret.revealed
            #expect(order.lease == stream.lease)
            #expect(try await host.bring("AAAAAAAAAAAAAAAAAAAAAA").ending(within: .seconds(5)) == 1008)
            #expect(try await board.bring(ticket).ending(within: .seconds(5)) == 1008)
            let bringing = try await host.bring(ticket)
            for chunk in [PreviewChunk(.beginning, [0, 1]), PreviewChunk(.key, [2]), PreviewChunk(.more, [3])] {
                try await bringing.send(chunk.bytes)
            }
            for kind in [UInt8(1), 2, 3] {
                guard case .binary(let bytes)? = try await first.receive() else { throw SupportFailure("\(first.closeReason ?? "")") }
                #expect(bytes[0] == kind)
            }
            #expect(try await host.bring(ticket).ending(within: .seconds(5)) == 1008)
            // Four of one user, and no fifth.
            var others: [WebSocket] = []
            for _ in 0..<3 { others.append(try await owner.preview(id)) }
            #expect(try await owner.preview(id).ending(within: .seconds(5)) == 1013)
            for one in others { await one.close() }
            // What is no chunk ends it, and who watches is told.
            try await bringing.send([UInt8](repeating: 9, count: 10))
            #expect(try await bringing.ending(within: .seconds(5)) == 1008)
            #expect(try await first.ending(within: .seconds(5)) == 1001)

            // A session that ends takes its preview with it; the host's connection follows.
            let person = desk.visitor()
            #expect(try await person.signIn("owner@example.org", desk.installation.ownerPassword).status == 200)
            let watching = try await person.preview(id)
            let next = try await eventually(within: .seconds(5), "the host is asked again") {
                tickets.withLock { $0.count > 1 ? $0.last : nil }
            }
            let second = try await host.bring(next.ticket.secret.revealed)
            try await second.send(PreviewChunk(.beginning, [0, 1]).bytes)
            #expect(try await person.post("/auth/logout").status == 204)
            #expect(try await watching.ending(within: .seconds(2)) == 1008)
            #expect(try await second.ending(within: .seconds(3)) == 1000)
            #expect(next.ticket != order.ticket)
        }
    }
}

extension RawBoard {
    /// Comes with a ticket to bring a preview.
    func bring(_ ticket: String) async throws -> WebSocket {
        let socket = try await client.webSocket(identity.server.previewURL)
        guard case .text(let text)? = try await socket.receive() else { throw SupportFailure("no challenge") }
        let challenge = try JSONDecoder().decode(Challenge.self, from: Data(text.utf8))
        let proof = try Proof.answering(challenge, identity: identity, exporter: socket.tlsExporter)
        try await socket.send(String(decoding: JSONEncoder().encode(proof), as: UTF8.self))
        try await socket.send(String(decoding: JSONEncoder().encode(PreviewHello(ticket: SecretOnWire(Secret(ticket)))), as: UTF8.self))
        return socket
    }
}

extension Visitor {
    /// Opens the preview of a broadcast, by a ticket of its own or the one given.
    fileprivate func preview(_ id: String, ticket: String? = nil, origin: String? = nil) async throws -> WebSocket {
        let ticket = if let ticket { ticket } else { try await post("/auth/ticket").text("ticket") }
        var headers: Headers = [:]
        if let origin { headers["Origin"] = origin }
        return try await client.webSocket("ws" + server.dropFirst(4) + "/api/v1/preview?broadcast=\(id)&ticket=\(ticket)", headers: headers)
    }

    /// The status that it is refused with.
    fileprivate func refusedPreview(_ id: String, ticket: String? = nil, origin: String? = nil) async throws -> Int {
        do {
            await (try await preview(id, ticket: ticket, origin: origin)).close()
        } catch WebSocketError.refused(let status) {
            return status
        }
        throw SupportFailure("the preview was opened")
    }
}
