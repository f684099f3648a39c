import Foundation
import Support
import Testing
import Units
import Wire

/// Events of an organisation, told to a real receiver that verifies them by itself.
@Suite(.serialized, .unlessStolen)
struct WebhookTests {
    @Test(
        "a receiver that was away gets every event, signed, in its order, and again on request; a slow one holds up nobody, a stranger sees nothing",
        .row("DIA-12", "ANA-05"))
    func webhooks() async throws {
        try await atFrontDesk({ $0.logLevel = "trace" }) { desk in
            let (owner, peer) = (try await desk.owner(), try WebhookPeer(on: desk.stage))
            let made = try await owner.post("/webhooks", Self.body(peer.url, #"["destination.created","webhook.test","sender.online"]"#))
            #expect(made.status == 201 && made.headers["cache-control"] == "no-store")
            let (id, secret) = (try made.text("id"), try made.text("secret"))
            try peer.answer(secrets: [secret])
            for name in ["a", "b", "c"] { try await destination(name, owner) }
            let failed = try await eventually(within: .seconds(10), "the first attempt has failed") {
                try await deliveries(id, owner).first { $0["state"] as? String == "failed" }
            }
            #expect(failed["number"] as? Int == 1 && (failed["error"] as? String)?.contains("refused") == true)
            #expect(failed["nextAttemptAt"] is String)

            try await peer.start()
            // The second attempt is due after 5 s at most, the third after 10 s more.
            try await eventually(within: .seconds(25), "all have come") { try peer.messages.count >= 3 }
            let board = try await desk.board(of: owner, name: "truck")
            let socket = try await board.connect()
            let messages = try await eventually(within: .seconds(10), "the board is told of") {
                let messages = try peer.messages
                return messages.count >= 4 ? messages : nil
            }
            await socket.close()
            #expect(messages.compactMap(\.sequence) == [1, 2, 3, 4])
            #expect(messages.compactMap(\.kind) == [String](repeating: "destination.created", count: 3) + ["sender.online"])
            #expect(messages.allSatisfy { $0.signers == [0] && $0.fresh && $0.path == "/hook?board=1" && $0.type == "application/json" })
            let names = messages.prefix(3).map { ($0.object["data"] as? [String: Any])?["detail"] as? String }
            #expect(names == ["a", "b", "c"])
            #expect(!messages.contains { $0.body.contains("s3cret") })

            try await replayAndTest(desk, owner, peer, id, secret)
            try await slow(desk, owner, peer)
            try await stranger(desk, id)
            let actions = Set(try await owner.get("/audit").items().compactMap { $0["action"] as? String })
            #expect(actions.isSuperset(of: ["webhook.created", "webhook.secret_rotated"]))
            for hidden in [secret, String(secret.dropFirst(6)), "s3cret"] { #expect(try !desk.said.contains(hidden)) }
        }
    }

    /// Told again it is the same message; a new secret signs beside the old one.
    private func replayAndTest(_ desk: FrontDesk, _ owner: Visitor, _ peer: WebhookPeer, _ id: String, _ secret: String) async throws {
        let first = try #require(try await deliveries(id, owner).first { $0["number"] as? Int == 1 }?["id"] as? String)
        let shown = try await owner.get("/diagnostics/deliveries/\(first)")
        #expect(try shown.text("state") == "processed" && shown.object()["status"] as? Int == 200)
        let replay = try await owner.post("/diagnostics/deliveries/\(first)/replay")
        #expect(try replay.status == 201 && replay.text("replayOf") == first)
        let rotated = try await owner.post("/webhooks/\(id)/secret", #"{"overlapSeconds":60}"#)
        let successor = try rotated.text("secret")
        #expect(successor != secret)
        try peer.answer(secrets: [secret, successor])
        #expect(try await owner.post("/webhooks/\(id)/test").status == 201)
        let messages = try await eventually(within: .seconds(10), "both have come") {
            let messages = try peer.messages
            return messages.count >= 6 ? messages : nil
        }
        #expect(messages[4].id == messages[0].id && messages[4].body == messages[0].body)
        #expect(try shown.text("payload") == messages[0].body)
        #expect(messages[5].kind == "webhook.test" && messages[5].signers == [0, 1])
        #expect(try await owner.get("/webhooks/\(id)").object()["secret"] == nil)
    }

    /// One that does not answer, one that sends elsewhere, and one that nobody may be sent to.
    private func slow(_ desk: FrontDesk, _ owner: Visitor, _ peer: WebhookPeer) async throws {
        let other = try WebhookPeer(on: desk.stage)
        let id = try await owner.post("/webhooks", Self.body(other.url, #"["destination.created"]"#)).text("id")
        let refused = try await owner.post("/webhooks", Self.body("http://10.1.2.3/", #"["destination.created"]"#)).text("id")
        try other.answer(secrets: [], wait: 60)
        try await other.start()
        let before = try peer.messages.count
        for name in ["d", "e"] { try await destination(name, owner) }
        try await eventually(within: .seconds(5), "the first webhook has both") { try peer.messages.count == before + 2 }
        #expect(try await deliveries(id, owner).compactMap { $0["state"] as? String } == ["received", "processing"])
        let forbidden = try await eventually(within: .seconds(10), "it is refused") {
            try await deliveries(refused, owner).first { $0["state"] as? String == "failed" }
        }
        #expect((forbidden["error"] as? String)?.contains("10.1.2.3, which is private") == true)
        // Whoever looks after it need not wait until it is tried again.
        let (failed, due) = (try #require(forbidden["id"] as? String), try #require(forbidden["nextAttemptAt"] as? String))
        let hurried = try await owner.post("/diagnostics/deliveries/\(failed)/replay")
        // None where it is being tried already.
        let next = try hurried.object()["nextAttemptAt"] as? String ?? ""
        #expect(hurried.status == 201 && next < due, "\(due), then \(hurried)")
        #expect(try await owner.send("DELETE", "/webhooks/\(id)").status == 204)
        #expect(try await owner.get("/webhooks/\(id)/deliveries").status == 404)
    }

    private func stranger(_ desk: FrontDesk, _ id: String) async throws {
        let stranger = try await desk.stranger()
        #expect(try await stranger.get("/webhooks").items().isEmpty)
        #expect(try await stranger.get("/diagnostics/deliveries").items().isEmpty)
        for path in ["/webhooks/\(id)", "/webhooks/\(id)/deliveries"] { #expect(try await stranger.get(path).status == 404) }
        #expect(try await stranger.post("/webhooks/\(id)/test").status == 404)
    }

    // MARK: Parts

    private static func body(_ url: String, _ kinds: String) -> String {
        #"{"url":"\#(url)","description":"ours","kinds":\#(kinds),"active":true}"#
    }

    private func destination(_ name: String, _ owner: Visitor) async throws {
        let made = try await owner.post("/destinations", #"{"name":"\#(name)","url":"rtmp://127.0.0.1/app","secret":"s3cret"}"#)
        #expect(made.status == 201)
    }

    /// The newest first.
    private func deliveries(_ id: String, _ owner: Visitor) async throws -> [[String: Any]] {
        try await owner.get("/webhooks/\(id)/deliveries").items()
    }
}
