import Foundation
import Posix
import Support
import Testing

/// What somebody does at the doors of rooms, and on the wire, who means harm: each is refused, and a call beside it goes on.
@Suite(.serialized, .unlessStolen)
struct WHIPAttackTests {
    @Test("bombs of SDP are refused at their limits, within a second each, and the next good offer is answered")
    func bombs() async throws {
        try await inRooms { desk, owner in
            let room = try await owner.post("/rooms", #"{"name":"Studio"}"#).text("id")
            let sender = try await RoomDoors.program("publish", in: room, of: owner, at: desk)
            let offer = RoomDoors.offer("sendonly")
            let section = "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:x\r\na=rtpmap:96 VP8/90000\r\n"
            func many(_ text: String, _ count: Int) -> String { String(repeating: text, count: count) }
            let formats = (0...127).map(String.init).joined(separator: " ")
            let bombs: [(name: String, statuses: Set<Int>, body: String)] = [
                ("more than a body has", [413], many("a=x\r\n", 40_000)), ("64 KiB of one line", [400], "v=0\r\na=" + many("x", 65_000)),
                ("lines", [400], offer + many("a=x\r\n", 3000)), ("empty lines", [201, 400], offer + many("\r\n", 30_000)),
                ("sections", [400], offer + many(section, 31)), ("attributes", [400], offer + many("a=candidate:1\r\n", 500)),
                ("formats", [201, 400, 406], offer + many("m=video 9 UDP/TLS/RTP/SAVPF \(formats)\r\na=mid:x\r\n", 1)),
                ("candidates", [201, 400], offer + many("a=candidate:1 1 udp 1 192.0.2.7 9 typ host\r\n", 380)),
                ("names", [201, 400], offer + many("a=ssrc:1 cname:\(many("x", 200))\r\n", 250)),
                ("a bundle of nobody", [400, 406], offer.replacingOccurrences(of: "BUNDLE 0 1", with: "BUNDLE" + many(" 0", 2000))),
                ("codecs that repeat codecs", [201, 400, 406], offer + many("a=rtpmap:96 rtx/90000\r\na=fmtp:96 apt=96\r\n", 150)),
                ("numbers out of all bounds", [400, 406], "v=0\r\no=- \(many("9", 4000)) 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"),
            ]
            for bomb in bombs {
                let start = Instant.now
                let answer = try await sender.send("POST", "/whip/\(room)", bomb.body, type: RoomDoors.sdp)
                let time = Instant.now - start
                #expect(bomb.statuses.contains(answer.status), "\(bomb.name): \(answer)")
                #expect(time < .seconds(1), "\(bomb.name): \(time)")
                if answer.status == 201, let place = answer.headers["location"] { _ = try await sender.send("DELETE", place) }
            }
            // As trickled fragments too.
            let made = try await sender.send("POST", "/whip/\(room)", offer, type: RoomDoors.sdp)
            let (place, tag) = (try #require(made.headers["location"]), try #require(made.headers["etag"]))
            let parts = many("m=audio 9 RTP/AVP 0\r\na=mid:0\r\n", 40)
            for body in [many("a=x\r\n", 5000), "a=" + many("x", 20_000), parts, many("\u{0}", 100)] {
                let answer = try await sender.send("PATCH", place, body, headers: [("If-Match", tag)], type: RoomDoors.fragment)
                #expect(answer.status == 400, "\(answer)")
            }
            #expect(try await sender.send("DELETE", place).status == 200)
        }
    }

    @Test("a certificate that is not the offer's gets no keys: its session ends, and nobody sends into the room")
    func fingerprint() async throws {
        try await inRooms { desk, owner in
            let room = try await owner.post("/rooms", #"{"name":"Studio"}"#).text("id")
            let other = (0..<32).map { _ in "AB" }.joined(separator: ":")
            let thief = try await RawPeer("sendonly", in: room, of: owner, at: desk, promised: other)
            let any = [("If-Match", "\"any\"")]
            try await eventually(within: .seconds(5), "the worker ends its session") {
                try thief.go()
                let fragment = RoomDoors.candidates()
                let answer = try await thief.visitor.send("PATCH", thief.place, fragment, headers: any, type: RoomDoors.fragment)
                return answer.status == 404
            }
            #expect(!thief.isOpen && thief.successes > 0, "its checks were good")
            #expect(try desk.said.contains("untrusted"))
            let player = try await RoomDoors.program("play", in: room, of: owner, at: desk)
            #expect(try await player.send("POST", "/whep/\(room)", RoomDoors.offer("recvonly"), type: RoomDoors.sdp).status == 409)
        }
    }

    @Test("who has neither fragment nor password of a session, or speaks before any check, gets nothing, and a call beside it goes on")
    func strangers() async throws {
        try await inCall { call in
            let stranger = try UDPSocket(binding: .loopback(port: 0))
            let worker = call.publisher.worker
            let picture = try await call.pass(1)[0]
            let wrongs: [[UInt8]] = [
                call.publisher.check(ufrag: "AAAAAAAA"), call.publisher.check(code: RawPeer.foreign()),
                // A handshake, media and their control from an address without a check.
                [22, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 1, 2, 3, 4], picture, RawPeer.pictureLoss(of: call.player.source),
                [], [0xff], [UInt8](repeating: 0x80, count: 1500),
            ]
            var sent = 0
            for number in 0..<200 {
                let datagram = wrongs[number % wrongs.count]
                sent += datagram.count
                try stranger.send(datagram, to: worker)
                if number % 20 == 0 { try await call.pass(1) }
            }
            try await call.pass(20)
            let batch = DatagramBatch()
            var answers: [[UInt8]] = []
            while try stranger.receive(batch) > 0 {
                for index in 0..<batch.count { answers.append(Array(batch[index])) }
            }
            // Errors of STUN, 10 a second of 50.
            #expect(answers.count <= 30 && answers.allSatisfy { $0.first == 1 && $0.dropFirst().first == 0x11 }, "\(answers.count)")
            #expect(answers.reduce(0) { $0 + $1.count } < sent)
        }
    }

    @Test("a picture that comes again, changed, or from another address is forwarded once")
    func replayed() async throws {
        try await inCall { call in
            let elsewhere = try UDPSocket(binding: .loopback(port: 0))
            var recorded: [[UInt8]] = []
            for _ in 0..<20 { recorded.append(try await call.pass(1)[0]) }
            let before = call.player.pictures
            for datagram in recorded {
                try call.publisher.send(datagram)
                try elsewhere.send(datagram, to: call.publisher.worker)
                var changed = datagram
                changed[changed.count - 1] ^= 1
                try call.publisher.send(changed)
                // Another number: the tag does not fit it.
                changed = datagram
                changed[2] ^= 0x40
                try call.publisher.send(changed)
            }
            try await call.settle()
            #expect(call.player.pictures == before, "\(call.player.pictures.suffix(30))")
            try await call.pass(20)
        }
    }

    @Test("forged RTCP moves nobody: a question for a key frame that the player's keys have not signed is not passed on, a good one is")
    func forged() async throws {
        try await inCall { call in
            // What was asked at the beginning has been answered.
            try await call.pass(60)
            let before = call.publisher.pictureLosses
            let plain = RawPeer.pictureLoss(of: call.player.source)
            let good = try call.player.pictureLoss(of: call.player.source)
            for _ in 0..<20 {
                var changed = good
                changed[changed.count - 1] ^= 1
                // As plain RTCP, with junk where the tag is, and with any tag but its own.
                for datagram in [plain, plain + [UInt8](repeating: 0x80, count: 20), changed] { try call.player.send(datagram) }
                try await call.pass(3)
            }
            #expect(call.publisher.pictureLosses == before)
            try call.player.send(good)
            try await eventually(within: .seconds(5), "the good one is passed on") {
                try call.go()
                return call.publisher.pictureLosses > before
            }
            // Once: what was recorded of it is worth nothing.
            try await call.pass(5)
            let after = call.publisher.pictureLosses
            for _ in 0..<20 {
                try call.player.send(good)
                try await call.pass(5)
            }
            #expect(call.publisher.pictureLosses == after)
        }
    }

    @Test("media that are moved to an address by a check alone are at most three times what came from there, until it has answered")
    func amplification() async throws {
        try await inCall(sockets: 2) { call in
            let player = call.player
            player.answers[1] = false
            for _ in 0..<3 {
                try player.send(player.check(), by: 1)
                try await call.pass(30, bytes: 1000, mayMiss: true)
            }
            let (came, went) = (player.sent[1], player.received[1])
            measured("bytes to an address without proof", "\(went) of \(came) that came")
            #expect(went > 0 && went <= 3 * came)
            // The address is the player's after all.
            player.answers[1] = true
            try player.send(player.check(), by: 1)
            try await eventually(within: .seconds(5), "media go there") {
                try await call.pass(5, bytes: 1000, mayMiss: true)
                return player.received[1] > 20_000
            }
        }
    }
}

/// Somebody who sends and somebody who receives, on the wire.
private final class RoomCall: @unchecked Sendable {
    // Sendable: a test uses it from one task at a time.
    let publisher: RawPeer
    let player: RawPeer
    private var number = 0

    init(_ publisher: RawPeer, _ player: RawPeer) {
        self.publisher = publisher
        self.player = player
    }

    func go() throws {
        try publisher.go()
        try player.go()
    }

    /// Sends pictures, and waits until the player has them.
    /// - Parameter mayMiss: whether it need not get them.
    /// - Returns: what was sent.
    @discardableResult
    func pass(_ count: Int, bytes: Int = 100, mayMiss: Bool = false) async throws -> [[UInt8]] {
        var sent: [[UInt8]] = []
        for _ in 0..<count {
            number += 1
            sent.append(try publisher.picture(number, bytes: bytes))
            try publisher.send(sent[sent.count - 1])
            try go()
            try await Task.sleep(for: .milliseconds(2))
        }
        guard !mayMiss else { return sent }
        let last = number
        try await eventually(within: .seconds(5), "picture \(last) arrives") {
            try self.go()
            return self.player.pictures.contains(last)
        }
        return sent
    }

    /// Long enough for whatever the worker forwards.
    func settle() async throws {
        try await always(for: .milliseconds(300), "nothing is wrong") {
            try self.go()
            return true
        }
    }
}

/// A call in a room of its own.
private func inCall(sockets: Int = 1, _ body: (RoomCall) async throws -> Void) async throws {
    try await inRooms { desk, owner in
        let room = try await owner.post("/rooms", #"{"name":"Studio"}"#).text("id")
        let publisher = try await RawPeer("sendonly", in: room, of: owner, at: desk)
        try await eventually(within: .seconds(10), "the publisher is let in") {
            try publisher.go()
            return publisher.isOpen
        }
        let player = try await RawPeer("recvonly", in: room, of: owner, at: desk, sockets: sockets)
        try await eventually(within: .seconds(10), "the player is let in") {
            try publisher.go()
            try player.go()
            return player.isOpen
        }
        let call = RoomCall(publisher, player)
        try await eventually(within: .seconds(5), "pictures arrive") {
            try await call.pass(1, mayMiss: true)
            return !player.pictures.isEmpty
        }
        try await call.pass(1)
        try await body(call)
        #expect(Set(player.pictures).count == player.pictures.count, "no picture came twice")
        #expect(publisher.ended == nil && player.ended == nil)
    }
}
