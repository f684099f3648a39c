import Foundation
import HTTP
import Posix
import Support
import Testing
import Units
import Web
import Wire

/// HLS for players outside the dashboard, from the receiver to ffmpeg.
@Suite(.serialized, .unlessStolen)
struct HLSTests {
    @Test(
        "a player outside plays a running broadcast by a link, pictures and sound; it costs the receiver at most 5 % of a core; revoked it is gone"
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
            try await studio.installation.program("pool").line(containing: "slate is ready", within: .seconds(15))
            let programs = [receiver, try studio.installation.program("pool").pid, try studio.installation.program("control").pid]
            let before = try await ProcessorTime.shares(of: programs, over: .seconds(10))

            let made: PlayerLinkView = try await studio.owner.call(.post, "/broadcasts/\(id)/players", CreatePlayerLinkRequest())
            let path = try #require(made.url?.secret.revealed.components(separatedBy: "/api/v1/players/").last)
            // The page's door: its certificate is no matter of the player's here.
            let url = "\(studio.owner.server)/api/v1/players/\(path)"
            let began = Instant.now
            let asking = ["-v", "error", "-show_entries", "stream=codec_name,width,height", "-of", "csv=p=0", url]
            let described = try await runTool("ffprobe", asking)
            print("HLSTests: ffprobe knows the streams after \((Instant.now - began).milliseconds) ms")
            #expect(Set(described.text.split(whereSeparator: \.isNewline).map(String.init)).isSuperset(of: ["h264,1280,720", "aac"]))

            // Two at a time have what one preview brings.
            async let first = play(url, seconds: 12)
            async let second = play(url, seconds: 6)
            try await Task.sleep(for: .seconds(2))
            let during = try await ProcessorTime.shares(of: programs, over: .seconds(8))
            for (name, change) in zip(["receiver", "pool", "control"], zip(before, during).map { ($1 - $0) * 100 }) {
                print("HLSTests: the \(name) takes \(change) % of a core more while two play")
            }
            #expect(during[0] - before[0] <= 0.05)
            for (played, seconds) in [(try await first, 12), (try await second, 6)] {
                print("HLSTests: of \(seconds) s: \(played)")
                #expect((seconds * 24...seconds * 26).contains(played.pictures) && played.complaints == "", "\(played)")
                #expect(played.sound > Double(seconds) - 0.5)
            }
            let pool = try studio.installation.program("pool")
            #expect(pool.lines.filter { $0.contains("a preview begins") }.count == 1)
            #expect(try await studio.owner.links(of: id).map(\.players).contains { $0 > 0 })

            // Left alone it ends, and begins anew with the next player.
            try await pool.line(containing: "a preview ended", within: .seconds(25))
            #expect(try await play(url, seconds: 4).pictures >= 96)
            #expect(pool.lines.filter { $0.contains("a preview begins") }.count == 2)

            try await revoked(studio, id, made, url)
            try await ended(studio, id)
        }
    }

    private func revoked(_ studio: Studio, _ id: BroadcastID, _ made: PlayerLinkView, _ url: String) async throws {
        let client = Client(loop: try Loop(name: "player"))
        #expect(try await client.request(.get, url).status == .ok)
        let answer = try await studio.owner.answer(.delete, "/broadcasts/\(id)/players/\(made.id)")
        #expect(answer.status == .noContent)
        #expect(try await client.request(.get, url).status.code == 404)
        #expect(try await studio.owner.links(of: id) == [])
        try await eventually(within: .seconds(5), "the receiver knows that nobody watches") {
            try studio.installation.program("pool").lines.filter { $0.contains("a preview ended") }.count == 2
        }
    }

    /// The end of a broadcast is told to players.
    private func ended(_ studio: Studio, _ id: BroadcastID) async throws {
        let made: PlayerLinkView = try await studio.owner.call(.post, "/broadcasts/\(id)/players", CreatePlayerLinkRequest())
        let path = try #require(made.url?.secret.revealed.components(separatedBy: "/api/v1/players/").last)
        let url = "\(studio.owner.server)/api/v1/players/\(path)"
        async let played = runTool("ffmpeg", ["-v", "error", "-i", url, "-f", "null", "-"], mayFail: true)
        try await eventually(within: .seconds(15), "it plays") { try await studio.owner.links(of: id).map(\.players) == [1] }
        try await Task.sleep(for: .seconds(5))
        try await studio.stop(id)
        let client = Client(loop: try Loop(name: "player"))
        let playlist = try await client.request(.get, url)
        #expect(String(decoding: playlist.body, as: UTF8.self).hasSuffix("#EXT-X-ENDLIST\n"))
        // It ends by itself, since it read the end.
        #expect(try await played.status == 0)
        #expect(try await studio.owner.answer(.post, "/broadcasts/\(id)/players", CreatePlayerLinkRequest()).status.code == 410)
    }

    private struct Played: CustomStringConvertible {
        let pictures: Int
        /// Seconds.
        let sound: Double
        let complaints: String
        var description: String { "\(pictures) pictures, \(sound) s of sound, \(complaints)" }
    }

    /// What ffmpeg decodes of it.
    private func play(_ url: String, seconds: Int) async throws -> Played {
        // Below errors it says of each playlist that it had read the init segment before.
        let report = ["-progress", "-", "-nostats", "-v", "error"]
        let outputs = ["-map", "0:v", "-f", "null", "-", "-map", "0:a", "-f", "s16le", "-ar", "8000", "-ac", "1", "-y"]
        let folder = try TemporaryFolder()
        let answer = try await runTool("ffmpeg", report + ["-t", "\(seconds)", "-i", url] + outputs + [folder["sound"]])
        let frames = answer.text.split(separator: "\n").last { $0.hasPrefix("frame=") }.flatMap {
            Int($0.dropFirst(6).trimmingCharacters(in: .whitespaces))
        }
        let sound = try Data(contentsOf: URL(fileURLWithPath: folder["sound"])).count
        return Played(pictures: frames ?? 0, sound: Double(sound) / 16_000, complaints: answer.errors)
    }

    // MARK: By hand

    @Test("a link is its organisation's to make and to revoke, and opens one broadcast's files and nothing else, without a cookie")
    func hostile() async throws {
        try await atFrontDesk({ $0.logLevel = "trace" }) { desk in
            let (owner, stranger) = (try await desk.owner(), try await desk.stranger())
            let board = try await desk.board(of: owner)
            let socket = try await board.connect()
            let (host, leased, asked) = (try await desk.rawHost("real"), Guarded<StreamSpec?>(nil), Guarded<[PreviewOrder]>([]))
            let control = try await host.connectHost()
            let sending = Task { try await RawBoard.answerAll(socket, .done) }
            let leasing = Task { try await RawBoard.grantAll(control, leased, asked) }
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
            let links = "/broadcasts/\(id)/players"
            let made = try await owner.post(links, "{}")
            let (link, url) = (try made.text("id"), try made.text("url"))
            #expect(made.status == 201 && made.headers["cache-control"] == "no-store" && url.hasSuffix("/index.m3u8"))
            let token = String(try #require(url.split(separator: "/").dropLast().last))
            #expect(token.utf8.count == 43)

            // What another organisation is told, and whoever guesses.
            for answer in [
                try await stranger.get(links), try await stranger.post(links, "{}"), try await stranger.send("DELETE", "\(links)/\(link)"),
            ] { #expect(answer.status == 404, "\(answer)") }
            let player = desk.visitor()
            let short = String(token.dropLast())
            for wrong in [short + "!", short + (token.hasSuffix("A") ? "E" : "A"), short, token + "A", "..%2f..", ""] {
                #expect([400, 404].contains(try await player.get("/players/\(wrong)/index.m3u8").status), "\(wrong)")
            }
            for name in ["index.m3u", "..%2findex.m3u8", "0.ts", "init.mp4", "9999999999999999999.m4s", "-1.m4s", "0.m4s"] {
                #expect([400, 404].contains(try await player.get("/players/\(token)/\(name)").status), "\(name)")
            }
            #expect(asked.withLock { $0.isEmpty }, "nothing is asked of the host for that")

            // What a player gets.
            let bringing = Task {
                let order = try await eventually(within: .seconds(5), "the host is asked") { asked.withLock { $0.last } }
                return try await host.bringSeconds(6, order)
            }
            let playlist = try await player.get("/players/\(token)/index.m3u8")
            #expect(playlist.status == 200 && String(decoding: playlist.body, as: UTF8.self).contains("\n1.m4s\n"), "\(playlist)")
            let types = ["index.m3u8": "application/vnd.apple.mpegurl", "init-1.mp4": "video/mp4", "0.m4s": "video/iso.segment"]
            for (name, type) in types {
                let answer = try await player.get("/players/\(token)/\(name)")
                #expect(answer.status == 200 && answer.headers["content-type"] == type, "\(name): \(answer)")
                #expect(answer.headers["access-control-allow-origin"] == "*" && answer.headers["set-cookie"] == nil)
                let isKept = answer.headers["cache-control"]?.hasPrefix("private, max-age=") == true
                #expect(name == "index.m3u8" ? answer.headers["cache-control"] == "no-store" : isKept, "\(name)")
                let head = try await player.send("HEAD", "/players/\(token)/\(name)")
                #expect(head.status == 200 && head.body.isEmpty)
            }
            try await flooded(player, token)

            // A member sees no links; nobody sees a token a second time; the log has none.
            let (member, _) = try await user(.member, of: owner, at: desk)
            #expect(try await member.get(links).status == 403)
            let listed = try await owner.get(links)
            #expect(try listed.items().count == 1 && listed.items()[0]["url"] == nil && listed.items()[0]["players"] as? Int == 1)
            for _ in 0..<7 { #expect(try await owner.post(links, "{}").status == 201) }
            let tooMany = try await owner.post(links, "{}")
            #expect(tooMany.problem == "quota-reached", "\(tooMany)")
            #expect(try await owner.send("DELETE", "\(links)/\(link)").status == 204)
            #expect(try await owner.send("DELETE", "\(links)/\(link)").status == 404)
            for name in types.keys { #expect(try await player.get("/players/\(token)/\(name)").status == 404, "\(name)") }
            let actions = try await owner.get("/audit").items().compactMap { $0["action"] as? String }
            #expect(actions.count { $0 == "broadcast.player_link_created" } == 8)
            #expect(actions.count { $0 == "broadcast.player_link_revoked" } == 1)
            #expect(try !desk.said.contains(token))
            await (try await bringing.value).close()
        }
    }

    /// Who takes more files than a player does waits.
    private func flooded(_ player: Visitor, _ token: String) async throws {
        var statuses: Set<Int> = []
        for _ in 0..<130 { statuses.insert(try await player.get("/players/\(token)/0.m4s").status) }
        #expect(statuses == [200, 429])
    }
}

extension Browser {
    fileprivate func links(of id: BroadcastID) async throws -> [PlayerLinkView] {
        let list: ListView<PlayerLinkView> = try await call(.get, "/broadcasts/\(id)/players")
        return list.items
    }
}

extension RawBoard {
    /// Brings a preview that was asked for, with nothing to decode, at once.
    func bringSeconds(_ seconds: Int, _ order: PreviewOrder) async throws -> WebSocket {
        let socket = try await bring(order.ticket.secret.revealed)
        try await socket.send(PreviewChunk(.beginning, FragmentBytes.beginning()).bytes)
        for second in 0..<seconds {
            let body = FragmentBytes.fragment(at: Int64(second) * 90_000, pictures: [90_000])
            try await socket.send(PreviewChunk(second % 2 == 0 ? .key : .more, body).bytes)
        }
        return socket
    }
}
