import Foundation
import Lab
import Support
import Testing
import Units
import Wire

/// The doors of rooms, as real browsers use them: one sends its camera by WHIP, another receives it by WHEP.
@Suite(.serialized)
struct WHIPTests {
    @Test("what a browser sends into a room another one decodes, picture and sound; both leave, and nothing of them stays")
    func browsers() async throws {
        try await unlessVoid { run in
            run.judgeByStolenTime()
            try await sendAndPlay()
        }
    }

    private func sendAndPlay() async throws {
        try await inRooms { desk, owner in
            let room = try await owner.post("/rooms", #"{"name":"Studio"}"#).text("id")
            let (sending, playing) = (try await pass("publish", desk, owner, room), try await pass("play", desk, owner, room))
            let browser = try await Chromium(on: desk.stage, hasCamera: true)
            try await browser.open(desk.server + "/")
            _ = try await browser.value(RoomDoors.script)
            let early = "rooms.play('\(playing.url)', '\(playing.token)').catch(error => error.message)"
            try need((try await browser.value(early) as? String)?.hasPrefix("409 ") == true, "nobody sends yet")
            _ = try await browser.value("rooms.publish('\(sending.url)', '\(sending.token)')")
            try await browser.wait(for: "rooms.peers[0].peer.connectionState === 'connected'", "the publisher is connected")
            _ = try await browser.value("rooms.play('\(playing.url)', '\(playing.token)')")
            try await browser.wait(for: "rooms.decoded().then(all => all.frames > 40 && all.energy > 0)", "it is seen and heard")
            let before = try await browser.value("rooms.decoded().then(all => JSON.stringify(all))") as? String ?? ""
            try await Task.sleep(for: .seconds(3))
            let after = try await browser.value("rooms.decoded().then(all => JSON.stringify(all))") as? String ?? ""
            measured("decoded, and three seconds later", "\(before), \(after)")
            try need(try await browser.value("rooms.decoded().then(all => all.freezes)") as? Double == 0)
            try need(try await browser.value("rooms.leave().then(all => all.join())") as? String == "200,200")
            try need(try await browser.value("rooms.leave().then(all => all.join())") as? String == "404,404")
        }
    }

    @Test("of a simulcast a player gets the best layer that is sent, and the next one where that ends, within a second")
    func simulcast() async throws {
        try await unlessVoid { run in
            run.judgeByStolenTime()
            try await leaveLayersOut()
        }
    }

    private func leaveLayersOut() async throws {
        try await inRooms { desk, owner in
            let room = try await owner.post("/rooms", #"{"name":"Studio"}"#).text("id")
            let (sending, playing) = (try await pass("publish", desk, owner, room), try await pass("play", desk, owner, room))
            let browser = try await Chromium(on: desk.stage, hasCamera: true)
            try await browser.open(desk.server + "/")
            _ = try await browser.value(RoomDoors.script)
            _ = try await browser.value("rooms.publish('\(sending.url)', '\(sending.token)', [4, 2, 1])")
            try await browser.wait(for: "rooms.peers[0].peer.connectionState === 'connected'", "the publisher is connected")
            _ = try await browser.value("rooms.play('\(playing.url)', '\(playing.token)')")
            try await browser.wait(for: "rooms.decoded().then(all => all.height === 720)", "the best layer is seen", within: .seconds(30))
            measured("layers that are sent", try await browser.value("rooms.layers()") as? String ?? "")
            _ = try await browser.value("rooms.leaveOut(2)")
            try await browser.wait(for: "rooms.decoded().then(all => all.height === 360)", "the next layer is seen")
            let before = try await browser.value("rooms.decoded().then(all => all.frames)") as? Double ?? 0
            try await Task.sleep(for: .seconds(2))
            let after = try await browser.value("rooms.decoded().then(all => all.frames)") as? Double ?? 0
            try need(after - before > 30, "\(before) pictures, then \(after)")
            measured("in all", try await browser.value("rooms.decoded().then(all => JSON.stringify(all))") as? String ?? "")
            // From the layer's last picture to the next one's key frame it stands still.
            let frozen = try await browser.value("rooms.decoded().then(all => all.frozen)") as? Double
            try need(try need(frozen) < 1, "\(String(describing: frozen)) s")
        }
    }

    @Test("a player whose link becomes narrow soon gets a smaller picture, and within ten seconds the large one again, while sound goes on")
    func narrowed() async throws {
        try await unlessVoid { run in
            let emulator = try LinkEmulator()
            defer { emulator.stop() }
            run.judge { emulator.lateness }
            try await narrow(emulator)
        }
    }

    private func narrow(_ emulator: LinkEmulator) async throws {
        let wide = LinkProfile(rateKbit: 5000, delayMs: 50, queueMs: 300)
        try await inRooms { desk, owner in
            let room = try await owner.post("/rooms", #"{"name":"Studio"}"#).text("id")
            let (sending, playing) = (try await pass("publish", desk, owner, room), try await pass("play", desk, owner, room))
            let browser = try await Chromium(on: desk.stage, hasCamera: true)
            try await browser.open(desk.server + "/")
            _ = try await browser.value(RoomDoors.script)
            _ = try await browser.value("rooms.publish('\(sending.url)', '\(sending.token)', [4, 2, 1])")
            try await browser.wait(for: "rooms.peers[0].peer.connectionState === 'connected'", "the publisher is connected")
            // The player alone comes by the emulated link: where the publisher was told to come, on another address.
            let said = try await browser.value("rooms.port()") as? String ?? ""
            let port = try need(Int(said))
            try emulator.relay(
                "player", listen: "127.0.0.2", target: "127.0.0.1", ports: port...port,
                shape: LinkShape(up: LinkProfile(delayMs: 50), down: wide), seed: 1)
            _ = try await browser.value("rooms.play('\(playing.url)', '\(playing.token)', '127.0.0.2')")
            try await browser.wait(for: "rooms.decoded().then(all => all.height === 720)", "the best layer is seen", within: .seconds(30))
            emulator.change("player", .down, to: LinkProfile(rateKbit: 400, delayMs: 50, queueMs: 300))
            let fall = try await ContinuousClock().measure {
                try await browser.wait(for: "rooms.decoded().then(all => all.height < 720)", "a smaller layer is seen")
            }
            measured("the smaller picture is decoded after", fall)
            // Beyond the 1.5 s until it is sent: the link's queue, the way, and the player's own buffer.
            try need(fall < .milliseconds(2500), "\(fall)")
            let before = try await browser.value("rooms.decoded().then(all => all.frames)") as? Double ?? 0
            try await Task.sleep(for: .seconds(5))
            let after = try await browser.value("rooms.decoded().then(all => all.frames)") as? Double ?? 0
            try need(after - before > 50, "\(before) pictures, then \(after)")
            measured("sound that was made up, in percent", try await browser.value("rooms.concealed()") as? String ?? "")
            emulator.change("player", .down, to: wide)
            let rise = try await ContinuousClock().measure {
                try await browser.wait(for: "rooms.decoded().then(all => all.height === 720)", "the best layer is seen again")
            }
            measured("the large picture is decoded again after", rise)
            try need(rise < .milliseconds(10_500), "\(rise)")
            measured("in all", try await browser.value("rooms.decoded().then(all => JSON.stringify(all))") as? String ?? "")
        }
    }

    @Test("who has no pass, another room's, or one of the other purpose, is not let in; what is no offer is refused with its reason")
    func passes() async throws {
        try await inRooms { desk, owner in
            let room = try await owner.post("/rooms", #"{"name":"Studio"}"#).text("id")
            let other = try await owner.post("/rooms", #"{"name":"Other"}"#).text("id")
            let token = try await owner.post("/rooms/\(room)/passes", #"{"use":"publish"}"#).text("token")
            func come(
                _ door: String, _ room: String, _ token: String?, _ offer: String = "v=0\r\n"
            ) async throws -> (status: Int, body: String) {
                let proof = token.map { ["-H", "Authorization: Bearer \($0)"] } ?? []
                let words =
                    ["-s", "-w", "\n%{http_code}", "-H", "Content-Type: application/sdp", "--data-binary", offer] + proof
                    + ["\(desk.server)/\(door)/\(room)"]
                let said = try await runTool("curl", words).text.split(separator: "\n")
                return (Int(said.last ?? "") ?? 0, said.dropLast().joined(separator: "\n"))
            }
            #expect(try await come("whip", room, nil).status == 401)
            #expect(try await come("whip", room, "\(token)x").status == 401)
            #expect(try await come("whip", other, token).status == 401)
            #expect(try await come("whep", room, token).status == 401)
            let refused = try await come("whip", room, token)
            #expect(refused.status == 400 && refused.body.contains("line"), "\(refused)")
            // Six times as long where it is escaped: no line of the worker's socket, whose end would be everybody's.
            #expect(try await come("whip", room, token, String(repeating: "\u{1}", count: 100_000)).status == 400)
            #expect(try await come("whip", room, token).status == 400)
            #expect(try !desk.said.contains("a room worker is started again"))
            #expect(try await owner.send("DELETE", "/rooms/\(room)").status == 204)
            #expect(try await come("whip", room, token).status == 404)
        }
    }

    private func pass(_ use: String, _ desk: FrontDesk, _ owner: Visitor, _ room: String) async throws -> (url: String, token: String) {
        let answer = try await owner.post("/rooms/\(room)/passes", #"{"use":"\#(use)"}"#)
        let url = try answer.text("url")
        return (desk.server + "/" + url.split(separator: "/").suffix(2).joined(separator: "/"), try answer.text("token"))
    }
}
