import Foundation
import Posix
import Support
import Testing
import Units
import Wire

/// The picture of a live broadcast, from the board's key frame to whoever may see it.
@Suite(.serialized, .unlessStolen)
struct ThumbnailTests {
    @Test("it is there within 8 s, shows what the camera does, follows it, is for nobody else, costs 1 % of a core, and goes with it")
    func live() async throws {
        try await inStudio { studio in
            let sender = try await studio.sender()
            let clip = try await studio.clip(of: sender.id)
            let platform = try await studio.destination("platform", url: studio.nginx.url(), secret: "show")
            let encoder = EncoderChoice(bitrate: .kilobits(3000), width: 1280, height: 720, frameRate: 25)
            let id = try await studio.start(StartRequest(sender: sender.id, destinations: [platform], encoder: encoder))
            try await studio.owner.wait(id, for: ["live"])
            let began = Instant.now
            let path = "/broadcasts/\(id)/thumbnail"
            func picture() async throws -> (tag: String, file: [UInt8])? {
                let answer = try await studio.owner.answer(.get, path)
                return answer.status.code == 200 ? (answer.headers["ETag"] ?? "", answer.body) : nil
            }
            let first = try await eventually(within: .seconds(8), "a picture is there") { try await picture() }
            print("ThumbnailTests: \(first.file.count) bytes after \((Instant.now - began).milliseconds) ms")
            let shown = try #require(Thumbnail(first.file))
            #expect((shown.width, shown.height) == (320, 180))
            #expect(try await bars(first.file, on: studio.stage, "thumbnail-test"))
            try await eventually(within: .seconds(2), "its time is told") { try studio.owner.broadcast(id)?.thumbnailAt != nil }
            #expect(try await studio.owner.answer(.get, path, bearer: "nobody").status.code == 401)

            // The slate's process is none of these, and has been waited for by then.
            let pool = try studio.installation.program("pool")
            try await pool.line(containing: "slate is ready", within: .seconds(10))
            let receiver = try #require(studio.receivers.first)
            let (before, counted) = (try ProcessorTime(of: receiver).children, Instant.now)
            let _: BroadcastView = try await studio.owner.call(
                .patch, "/broadcasts/\(id)", ChangeBroadcastRequest(input: InputChoice(video: clip)))
            try await eventually(within: .seconds(15), "another picture shows the other input") {
                guard let next = try await picture(), next.tag != first.tag else { return false }
                return try await !self.bars(next.file, on: studio.stage, "thumbnail-clip")
            }
            try await Task.sleep(for: max(.zero, .seconds(16) - (Instant.now - counted)))
            let used = Double((try ProcessorTime(of: receiver).children - before).milliseconds)
            let lasted = Double((Instant.now - counted).milliseconds)
            #expect(pool.lines.filter { $0.contains("slate is ready") }.count == 1)
            print("ThumbnailTests: \(used) ms of processor in \(lasted / 1000) s: \(used / lasted * 100) % of a core")
            // Of the last one the pause that pays for it is not over.
            #expect(used > 0 && used <= (lasted + 5000) / 100)
            try await studio.stop(id)
            #expect(try await studio.owner.refusal(.get, path).type.hasSuffix("not-found"))
            #expect(try studio.owner.broadcast(id)?.thumbnailAt == nil)
        }
    }

    /// Whether it shows the seven bars of the test picture at its top.
    private func bars(_ file: [UInt8], on stage: Stage, _ name: String) async throws -> Bool {
        let path = stage.folder["\(name).jpg"]
        try Data(file).write(to: URL(fileURLWithPath: path))
        if let place = ProcessInfo.processInfo.environment["STRATA_SCREENSHOTS"] {
            _ = try await runTool("ffmpeg", ["-v", "error", "-y", "-i", path, "\(place)/\(name).png"])
        }
        let raw = try await runTool("ffmpeg", ["-v", "error", "-i", path, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"])
        let points = [UInt8](raw.output)
        guard points.count == 320 * 180 * 3 else { throw SupportFailure("\(points.count) bytes are no picture of 320x180") }
        // White, yellow, cyan, green, magenta, red and blue: which of red, green and blue are there.
        let upper = [[true, true, true], [true, true, false], [false, true, true], [false, true, false]]
        let expected = upper + [[true, false, true], [true, false, false], [false, false, true]]
        return (0..<7).allSatisfy { bar in
            // Above what is drawn into it.
            let at = (5 * 320 + bar * 320 / 7 + 22) * 3
            return points[at..<at + 3].map { $0 > 110 } == expected[bar]
        }
    }

    @Test("control shows a small JPEG file of the broadcast's own host and nothing else, to its organisation, while the broadcast runs")
    func hostile() async throws {
        try await atFrontDesk { desk in
            let (owner, stranger) = (try await desk.owner(), try await desk.stranger())
            let board = try await desk.board(of: owner)
            let socket = try await board.connect()
            let (host, liar) = (try await desk.host("real"), try await desk.host("liar"))
            let leased = Guarded<StreamSpec?>(nil)
            let sending = Task { try await RawBoard.answerAll(socket, .done) }
            let leasing = Task { try await RawBoard.grantAll(host, leased) }
            let lying = Task { try await RawBoard.grantAll(liar, leased) }
            defer { for task in [sending, leasing, lying] { task.cancel() } }
            try await eventually(within: .seconds(5), "the board is online") {
                try await owner.get("/senders").items().contains { $0["online"] as? Bool == true }
            }
            let destination = try await owner.post("/destinations", #"{"name":"d","url":"rtmp://127.0.0.1/app","secret":"key"}"#).text("id")
            let id = try await owner.post(
                "/broadcasts", #"{"sender":"\#(board.identity.device)","destinations":["\#(destination)"]}"#
            ).text("id")
            let stream = try await eventually(within: .seconds(5), "the lease is asked for") { leased.withLock { $0 } }
            // Which of the two it is on is control's choice.
            let onFirst = try await eventually(within: .seconds(5), "it is live") { () -> Bool? in
                for socket in [host, liar] { try await socket.send(PoolMessage.report(.flowing(stream))) }
                let view = try await owner.get("/broadcasts/\(id)").object()
                guard view["state"] as? String == "live" else { return nil }
                let names = try await owner.get("/pool").items().filter { $0["streams"] as? Int == 1 }.compactMap { $0["name"] as? String }
                return names == ["real"]
            }
            let (own, other) = onFirst ? (host, liar) : (liar, host)
            let path = "/broadcasts/\(id)/thumbnail"
            let jpeg = StreamThumbnail.redBytes
            var wide = jpeg
            let frame = try #require(jpeg.indices.first { jpeg[$0] == 0xFF && jpeg[$0 + 1] == 0xC0 })
            (wide[frame + 7], wide[frame + 8]) = (0x01, 0x41)
            for bytes in [SlateUploadTests.png, wide, jpeg + Array("<script>".utf8), Array(jpeg.dropLast(2)), [], Array("<svg/>".utf8)] {
                try await own.send(PoolMessage.thumbnail(.of(stream, bytes)))
            }
            try await own.send(PoolMessage.thumbnail(.of(stream, jpeg + [UInt8](repeating: 0xD9, count: 25 << 10))))
            try await other.send(PoolMessage.thumbnail(.red(of: stream)))
            try await always(for: .milliseconds(500), "none of them is shown") { try await owner.get(path).problem == "not-found" }
            try await own.send(PoolMessage.thumbnail(.red(of: stream)))
            let answer = try await eventually(within: .seconds(5), "the right one is") {
                let answer = try await owner.get(path)
                return answer.status == 200 ? answer : nil
            }
            #expect(answer.body == jpeg && answer.headers["content-type"] == "image/jpeg")
            #expect(answer.headers["x-content-type-options"] == "nosniff" && answer.headers["vary"] == "Authorization")
            #expect(answer.headers["cache-control"] == "private, max-age=2")
            let tag = try #require(answer.headers["etag"])
            let same = try await owner.send("GET", path, headers: [("If-None-Match", tag)])
            #expect(same.status == 304 && same.body.isEmpty)
            #expect(try await owner.get("/broadcasts/\(id)").text("thumbnailAt").hasSuffix("Z"))
            let (strangers, nobodys) = (try await stranger.get(path), try await desk.visitor().get(path))
            #expect(strangers.problem == "not-found" && nobodys.status == 401)
            #expect(try await owner.send("POST", "/broadcasts/\(id)/stop").status == 200)
            try await eventually(within: .seconds(5), "it is gone with the broadcast") { try await owner.get(path).problem == "not-found" }
            try await eventually(within: .seconds(5), "it is over") { try await owner.get("/broadcasts/\(id)").text("state") == "ended" }
            try await own.send(PoolMessage.thumbnail(.red(of: stream)))
            try await always(for: .milliseconds(300), "nothing brings it back") { try await owner.get(path).problem == "not-found" }
            #expect(try await owner.get("/broadcasts/\(id)").object()["thumbnailAt"] == nil)
        }
    }
}

extension StreamThumbnail {
    /// A red picture of 32x18.
    static let redBytes = [UInt8](
        Data(
            base64Encoded: """
                /9j/4AAQSkZJRgABAgAAAQABAAD/2wBDAAgoKC8oLzc3Nzc3N0E8QUNDQ0FBQUFDQ0NISEhVVVVISEhDQ0hIUFBVVVxfXFdXVVdfX2RkZHh4c3OMjJGsrM//xABNAAEB\
                AAAAAAAAAAAAAAAAAAAABgEBAQEAAAAAAAAAAAAAAAAAAAYHEAEAAAAAAAAAAAAAAAAAAAAAEQEAAAAAAAAAAAAAAAAAAAAA/8AAEQgAEgAgAwEiAAIRAAMRAP/aAAwD\
                AQACEQMRAD8AiwEo38AAAAAB/9k=
                """) ?? Data())

    static func of(_ stream: StreamSpec, _ bytes: [UInt8]) -> StreamThumbnail {
        StreamThumbnail(lease: stream.lease, broadcast: stream.broadcast, ageMs: 100, base64: Data(bytes).base64EncodedString())
    }

    static func red(of stream: StreamSpec) -> StreamThumbnail { of(stream, redBytes) }
}
