import Foundation
import Support
import Testing

/// What RFC 9725 and the draft of WHEP ask of the doors of rooms, status by status.
@Suite(.serialized, .unlessStolen)
struct WHIPProtocolTests {
    @Test("a session is made, trickled to, restarted and ended as RFC 9725 says, and no other tag than its own counts")
    func session() async throws {
        try await inRooms { desk, owner in
            let room = try await owner.post("/rooms", #"{"name":"Studio"}"#).text("id")
            let sender = try await RoomDoors.program("publish", in: room, of: owner, at: desk)
            let made = try await sender.send("POST", "/whip/\(room)", RoomDoors.offer("sendonly"), type: RoomDoors.sdp)
            #expect(made.status == 201 && made.headers["content-type"] == RoomDoors.sdp, "\(made)")
            let answer = String(decoding: made.body, as: UTF8.self)
            for line in ["a=ice-lite", "a=recvonly", "a=setup:passive", "a=end-of-candidates", "a=group:BUNDLE 0 1"] {
                #expect(answer.contains("\(line)\r\n"), "\(line)")
            }
            #expect(made.headers["accept-patch"] == RoomDoors.fragment && made.headers.all("link").isEmpty)
            #expect(made.headers["cache-control"] == "no-store")
            let place = try #require(made.headers["location"])
            let tag = try #require(made.headers["etag"])
            #expect(place.hasPrefix("/whip/\(room)/") && tag.hasPrefix("\"") && tag.hasSuffix("\""))

            func patch(_ condition: String?, ufrag: String = "abcd", type: String = RoomDoors.fragment) async throws -> Reply {
                let headers = condition.map { [("If-Match", $0)] } ?? []
                return try await sender.send("PATCH", place, RoomDoors.candidates(ufrag: ufrag), headers: headers, type: type)
            }
            let trickled = try await patch(tag)
            #expect(trickled.status == 204 && trickled.body.isEmpty)
            #expect(try await patch("\"other\", \(tag)").status == 204)
            #expect(try await patch("\"other\"").problem == "outdated")
            #expect(try await patch("W/\(tag)").status == 412, "a weak tag matches nothing here")
            #expect(try await patch(nil).status == 428)
            #expect(try await patch(tag, type: RoomDoors.sdp).status == 415)
            let broken = try await sender.send("PATCH", place, "a=ice-ufrag:\r\n", headers: [("If-Match", tag)], type: RoomDoors.fragment)
            #expect(broken.status == 400, "\(broken)")
            let halved = try await sender.send(
                "PATCH", place, "a=ice-ufrag:wxyz\r\n", headers: [("If-Match", "*")], type: RoomDoors.fragment)
            #expect(halved.status == 400, "a restart without a password: \(halved)")

            // What was refused has ended nothing.
            let restarted = try await patch("*", ufrag: "efgh")
            let ours = String(decoding: restarted.body, as: UTF8.self)
            let next = try #require(restarted.headers["etag"])
            #expect(restarted.status == 200 && restarted.headers["content-type"] == RoomDoors.fragment && next != tag, "\(restarted)")
            #expect(ours.contains("a=ice-lite\r\n") && ours.contains("a=ice-ufrag:\(next.dropFirst().dropLast())\r\n"))
            #expect(try await patch(tag, ufrag: "efgh").status == 412)
            #expect(try await patch(next, ufrag: "efgh").status == 204)

            #expect(try await sender.send("DELETE", place, headers: [("If-Match", "\"other\"")]).status == 200, "no tag counts here")
            #expect(try await sender.send("DELETE", place).status == 404)
            #expect(try await patch(next, ufrag: "efgh").status == 404)
        }
    }

    @Test("a session is nobody's but whose pass is of its room and purpose; an unknown room and a foreign one are refused alike")
    func foreign() async throws {
        try await inRooms { desk, owner in
            var rooms: [String] = []
            for name in ["One", "Two"] { rooms.append(try await owner.post("/rooms", #"{"name":"\#(name)"}"#).text("id")) }
            let sender = try await RoomDoors.program("publish", in: rooms[0], of: owner, at: desk)
            let made = try await sender.send("POST", "/whip/\(rooms[0])", RoomDoors.offer("sendonly"), type: RoomDoors.sdp)
            let place = try #require(made.headers["location"])
            let peer = try #require(place.split(separator: "/").last)
            for (use, room) in [("play", rooms[0]), ("publish", rooms[1])] {
                let other = try await RoomDoors.program(use, in: room, of: owner, at: desk)
                #expect(try await other.send("DELETE", place).status == 401)
                #expect(try await other.send("POST", "/whip/\(rooms[0])", RoomDoors.offer("sendonly"), type: RoomDoors.sdp).status == 401)
            }
            let other = try await RoomDoors.program("publish", in: rooms[1], of: owner, at: desk)
            #expect(try await other.send("DELETE", "/whip/\(rooms[1])/\(peer)").status == 404, "through one's own room")
            let stranger = try await other.send("POST", "/whip/\(rooms[0])", RoomDoors.offer("sendonly"), type: RoomDoors.sdp)
            let nobodys = try await other.send("POST", "/whip/01ARZ3NDEKTSV4RRFFQ69G5FAV", RoomDoors.offer("sendonly"), type: RoomDoors.sdp)
            #expect(stranger.status == nobodys.status && stranger.body == nobodys.body)
            // The owner's own token is no pass.
            #expect(try await owner.send("DELETE", place).status == 401)
            #expect(try await sender.send("DELETE", place).status == 200)
        }
    }

    @Test("methods that RFC 9725 keeps for later are 405, and a page of another origin learns what it may send")
    func methods() async throws {
        try await inRooms { desk, owner in
            let room = try await owner.post("/rooms", #"{"name":"Studio"}"#).text("id")
            let anybody = desk.visitor()
            for door in ["whip", "whep"] {
                for method in ["GET", "HEAD", "PUT", "PATCH", "DELETE"] {
                    let answer = try await anybody.send(method, "/\(door)/\(room)")
                    #expect(answer.status == 405 && answer.headers["allow"] == "OPTIONS, POST", "\(method): \(answer)")
                }
                for method in ["GET", "HEAD", "PUT", "POST"] {
                    let answer = try await anybody.send(method, "/\(door)/\(room)/\(room)")
                    #expect(answer.status == 405 && answer.headers["allow"] == "OPTIONS, PATCH, DELETE", "\(method): \(answer)")
                }
                let asked = try await anybody.send("OPTIONS", "/\(door)/\(room)")
                #expect(asked.status == 200 && asked.headers["accept-post"] == RoomDoors.sdp, "\(asked)")
                #expect(asked.headers["access-control-allow-origin"] == "*" && asked.headers["access-control-allow-credentials"] == nil)
                #expect(asked.headers["access-control-allow-headers"]?.contains("If-Match") == true)
                let session = try await anybody.send("OPTIONS", "/\(door)/\(room)/\(room)")
                #expect(session.status == 200 && session.headers["accept-patch"] == RoomDoors.fragment, "\(session)")
                #expect(session.headers["access-control-allow-methods"]?.contains("PATCH") == true)
            }
        }
    }

    /// An offer of which nothing, or not all, can be taken: what is changed, the status, and a word of the reason.
    private struct Wrong: Sendable {
        let name: String
        var status = 406
        var direction = "sendonly"
        let reason: String
        let change: @Sendable (String) -> String?

        static func without(_ start: String, reason: String) -> Wrong {
            Wrong(name: "without \(start)", reason: reason) { $0.hasPrefix(start) ? nil : $0 }
        }

        static func with(_ line: String, for start: String, status: Int = 406, reason: String) -> Wrong {
            Wrong(name: line, status: status, reason: reason) { $0.hasPrefix(start) ? line : $0 }
        }
    }

    private static let wrongs: [Wrong] = [
        .without("a=fingerprint", reason: "a=fingerprint"), .without("a=ice-ufrag", reason: "a=ice-ufrag"),
        .without("a=ice-pwd", reason: "a=ice-pwd"), .without("a=rtcp-mux", reason: "a=rtcp-mux"),
        .without("a=group", reason: "a=group:BUNDLE"),
        .with(
            "a=fingerprint:sha-1 \((0..<20).map { _ in "AB" }.joined(separator: ":"))", for: "a=fingerprint", reason: "SHA-256"),
        .with("t=0 0\r\na=ice-lite", for: "t=", reason: "a=ice-lite"),
        .with("a=rtpmap:96 H265/90000", for: "a=rtpmap:96", reason: "section 2"),
        .with("a=rtpmap:111 PCMU/8000", for: "a=rtpmap:111", reason: "section 1"),
        .with("m=video 9 RTP/AVP 96", for: "m=video", reason: "section 2"),
        .with("a=setup:holdconn", for: "a=setup", reason: "a=setup"),
        Wrong(name: "one that only receives", direction: "recvonly", reason: "sends nothing") { $0 },
        .without("v=", reason: "line 1"), .with("v=1", for: "v=", reason: "line 1"), .with("s=-\u{0}", for: "s=", reason: "line 3"),
        .with("m=video", for: "m=video", reason: "m="),
    ]

    @Test("an offer that cannot be taken as a whole is 406, what is no offer 400, each with its reason, and neither leaves anything behind")
    func refusals() async throws {
        try await inRooms { desk, owner in
            let room = try await owner.post("/rooms", #"{"name":"Studio"}"#).text("id")
            let sender = try await RoomDoors.program("publish", in: room, of: owner, at: desk)
            for wrong in Self.wrongs {
                // The last ones are no SDP.
                let isSDP = !["without v=", "v=1", "s=-\u{0}", "m=video"].contains(wrong.name)
                let offer = RoomDoors.offer(wrong.direction, wrong.change)
                let answer = try await sender.send("POST", "/whip/\(room)", offer, type: RoomDoors.sdp)
                #expect(answer.status == (isSDP ? wrong.status : 400), "\(wrong.name): \(answer)")
                #expect(answer.problem == (isSDP ? "not-acceptable" : "malformed"), "\(wrong.name): \(answer)")
                #expect(String(decoding: answer.body, as: UTF8.self).contains(wrong.reason), "\(wrong.name): \(answer)")
                #expect(answer.headers["access-control-allow-origin"] == "*")
            }
            #expect(try await sender.send("POST", "/whip/\(room)", "", type: RoomDoors.sdp).status == 400)
            #expect(try await sender.send("POST", "/whip/\(room)", "{}").status == 415)
            let player = try await RoomDoors.program("play", in: room, of: owner, at: desk)
            let early = try await player.send("POST", "/whep/\(room)", RoomDoors.offer("recvonly"), type: RoomDoors.sdp)
            #expect(early.status == 409 && Int(early.headers["retry-after"] ?? "") != nil, "\(early)")
            // Nobody is in the room: there is a place for three hundred.
            for _ in 0..<300 {
                let answer = try await sender.send("POST", "/whip/\(room)", RoomDoors.offer("sendonly"), type: RoomDoors.sdp)
                #expect(answer.status == 201, "\(answer)")
            }
            let full = try await sender.send("POST", "/whip/\(room)", RoomDoors.offer("sendonly"), type: RoomDoors.sdp)
            #expect(full.problem == "quota-reached", "\(full)")
        }
    }

    @Test("a server without rooms says so, and that it may be asked again")
    func without() async throws {
        try await atFrontDesk { desk in
            let owner = try await desk.owner()
            let room = try await owner.post("/rooms", #"{"name":"Studio"}"#).text("id")
            let sender = try await RoomDoors.program("publish", in: room, of: owner, at: desk)
            let answer = try await sender.send("POST", "/whip/\(room)", RoomDoors.offer("sendonly"), type: RoomDoors.sdp)
            #expect(answer.status == 503 && answer.headers["retry-after"] != nil, "\(answer)")
        }
    }

    @Test("STUN and TURN servers are told in Link, TURN's with a code of their secret, and only to who shows a pass")
    func servers() async throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("a secret of the relay\n", to: "turn-secret")
        let section = """
            stun = ["stun:stun.example.org:3478"]
            turn = ["turn:turn.example.org:3478?transport=udp"]
            turn_secret_file = "\(file)"

            """
        try await inRooms(section: section) { desk, owner in
            let room = try await owner.post("/rooms", #"{"name":"Studio"}"#).text("id")
            let sender = try await RoomDoors.program("publish", in: room, of: owner, at: desk)
            let made = try await sender.send("POST", "/whip/\(room)", RoomDoors.offer("sendonly"), type: RoomDoors.sdp)
            let links = made.headers.all("link")
            #expect(links.first == "<stun:stun.example.org:3478>; rel=\"ice-server\"" && links.count == 2, "\(links)")
            let turn = try #require(links.last)
            #expect(turn.hasPrefix("<turn:turn.example.org:3478?transport=udp>; rel=\"ice-server\"; username=\""))
            #expect(turn.hasSuffix("; credential-type=\"password\"") && !turn.contains("a secret of the relay"))
            // The code is coturn's, by another program's hands.
            let name = try #require(turn.firstMatch(of: #/username="([^"]+)"/#)?.1)
            let script = "printf %s '\(name)' | openssl dgst -sha1 -hmac 'a secret of the relay' -binary | base64"
            let code = try await runTool("sh", ["-c", script]).text.trimmingCharacters(in: .newlines)
            #expect(turn.contains("credential=\"\(code)\""))
            #expect(Int64(name.prefix { $0 != ":" }) ?? 0 > Int64(Date().timeIntervalSince1970) + 3600)

            #expect(try await sender.send("OPTIONS", "/whip/\(room)").headers.all("link").count == 2)
            #expect(try await desk.visitor().send("OPTIONS", "/whip/\(room)").headers.all("link").isEmpty)
            #expect(try !desk.said.contains("a secret of the relay"))
        }
        // To its end.
        #expect(folder.path != "")
    }
}
