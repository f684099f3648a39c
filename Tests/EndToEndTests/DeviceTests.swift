import Crypto
import Foundation
import Identity
import Posix
import Support
import Testing
import Units
import Web
import Wire

/// Boards that are what they say, and boards that are not.
@Suite(.serialized, .unlessStolen)
struct DeviceTests {
    // MARK: Enrollment

    @Test("a token makes one board, of its own organisation, within its time", .row("PRV-01"))
    func enrollment() async throws {
        try await atFrontDesk { desk in
            let owner = try await desk.owner()
            let token = try await desk.token(of: owner, name: "truck")
            let (key, thief) = (try Ed25519PrivateKey.generate(), try Ed25519PrivateKey.generate())
            let made = try await RawBoard.redeem(token, key: key, name: "truck", at: desk)
            #expect(made.status == 201)
            let device = try made.text("device")
            // Its answer was lost: the same key gets the same identity, another key nothing.
            #expect(try await RawBoard.redeem(token, key: key, at: desk).text("device") == device)
            let second = try await RawBoard.redeem(token, key: thief, at: desk)
            #expect(second.status == 409)
            #expect(second.problem == "conflict")
            let listed = try #require(try await owner.get("/senders").items().first)
            #expect(listed["id"] as? String == device && listed["name"] as? String == "truck" && listed["online"] as? Bool == false)

            // From its first connection on the token is spent for its own key as well.
            let socket = try await RawBoard(at: desk, key: key, device: device).connect()
            try await eventually(within: .seconds(5), "the board is online") {
                try await owner.get("/senders/\(device)").object()["online"] as? Bool == true
            }
            #expect(try await RawBoard.redeem(token, key: key, at: desk).status == 409)
            await socket.close()

            let withdrawn = try await owner.post("/enrollment-tokens", #"{"kind":"sender"}"#)
            #expect(try await owner.send("DELETE", "/enrollment-tokens/\(try withdrawn.text("id"))").status == 204)
            let expired = try await desk.token(of: owner)
            _ = try await sqlite(desk, "UPDATE enrollment_tokens SET expires_at = 1000")
            let pool = try await desk.operating().post("/operator/enrollment-tokens", #"{"kind":"pool"}"#).text("token")
            for spoiled in [try withdrawn.text("token"), expired, pool, String(expired.dropLast()), "x"] {
                let answer = try await RawBoard.redeem(spoiled, key: thief, at: desk)
                #expect(answer.status == 403, "\(answer)")
            }
            // One key is one board: it cannot be two.
            #expect(try await RawBoard.redeem(try await desk.token(of: owner), key: key, at: desk).problem == "enrolled-already")
            #expect(try await owner.get("/senders").items().count == 1)
        }
    }

    @Test("a board believes only the authority in its token, and speaks to nobody without TLS", .row("SEC-15"))
    func pinning() async throws {
        try await atFrontDesk { desk in
            let owner = try await desk.owner()
            let token = try await desk.token(of: owner)
            // A server in between, with a certificate of another authority for the same address.
            let parts = token.split(separator: ".")
            let foreign = (parts.dropLast() + [Substring(Base64URL.encode([UInt8](repeating: 7, count: 32)))]).joined(separator: ".")
            for (server, token, word) in [
                (desk.installation.origin, foreign, "is not the server that the token is for"),
                ("http://example.org", token, "use https://"),
            ] {
                let agent = try enroll(desk, server: server, token: token)
                #expect(try await agent.end(within: .seconds(20)) != 0)
                #expect(agent.lines.joined().contains(word), "\(agent.tail)")
            }
            #expect(try await owner.get("/senders").items().isEmpty)
            let agent = try enroll(desk, server: desk.installation.origin, token: token)
            #expect(try await agent.end(within: .seconds(20)) == 0, "\(agent.tail)")
            #expect(try await owner.get("/senders").items().count == 1)
            // The TLS listener takes nothing older than 1.2 and no plain text.
            let place = desk.installation.origin.dropFirst("https://".count)
            for version in ["-tls1", "-tls1_1"] {
                let answer = try await runTool(
                    "openssl", ["s_client", "-connect", String(place), version, "-cipher", "ALL:@SECLEVEL=0"], mayFail: true)
                #expect(answer.status != 0)
            }
            let plain = try await runTool("curl", ["-s", "-m", "5", "http://\(place)/health"], mayFail: true)
            #expect(plain.status != 0 && plain.output.isEmpty)
        }
    }

    @Test("an enrolled board keeps its identity whatever token it gets, and a revoked one gets a new one", .row("PRV-01"))
    func again() async throws {
        try await atFrontDesk { desk in
            let owner = try await desk.owner()
            func enrolled() async throws -> String {
                let agent = try enroll(desk, server: desk.installation.origin, token: try await desk.token(of: owner), as: "board")
                #expect(try await agent.end(within: .seconds(20)) == 0, "\(agent.tail)")
                let senders = try await owner.get("/senders").items()
                #expect(senders.count == 1)
                let device = try #require(senders.first?["id"] as? String)
                #expect(agent.lines.joined().contains("(\(device))"), "\(agent.tail)")
                return device
            }
            let first = try await enrolled()
            #expect(try await enrolled() == first)
            #expect(try await owner.send("DELETE", "/senders/\(first)").status == 204)
            #expect(try await enrolled() != first)
        }
    }

    // MARK: Proofs

    @Test("a proof holds for its own board, connection and server only", .row("PRV-02"))
    func proofs() async throws {
        try await atFrontDesk { desk in
            let owner = try await desk.owner()
            let board = try await desk.board(of: owner)
            let stranger = try Ed25519PrivateKey.generate()
            let kept = Guarded<Proof?>(nil)
            let good = try await board.prove { proof, _, _ in kept.withLock { $0 = proof } }
            await good.close()

            func signed(_ key: Ed25519PrivateKey, _ origin: String, _ challenge: Challenge, _ exporter: [UInt8]?) throws -> (String, String)
            {
                let nonce = randomBytes(32)
                let text = proofText(
                    label: .connect, origin: try ServerOrigin(origin), serverNonce: Base64URL.decode(challenge.nonce) ?? [],
                    deviceNonce: nonce, exporter: exporter)
                return (Base64URL.encode(nonce), Base64URL.encode(try key.sign(text)))
            }
            typealias Spoil = (inout Proof, Challenge, WebSocket) throws -> Void
            let spoils: [(String, Spoil)] = [
                ("replayed", { proof, _, _ in proof = try #require(kept.withLock { $0 }) }),
                (
                    "of another key",
                    { (proof, challenge, socket) in
                        (proof.nonce, proof.signature) = try signed(stranger, desk.installation.origin, challenge, socket.tlsExporter)
                    }
                ),
                (
                    "for another origin",
                    { (proof, challenge, socket) in
                        (proof.nonce, proof.signature) = try signed(
                            board.identity.key, "https://evil.example", challenge, socket.tlsExporter)
                    }
                ),
                (
                    "of another connection",
                    { (proof, challenge, _) in
                        (proof.nonce, proof.signature) = try signed(
                            board.identity.key, desk.installation.origin, challenge, [UInt8](repeating: 1, count: 32))
                    }
                ),
                (
                    "bound to the origin alone",
                    { (proof, challenge, _) in
                        (proof.nonce, proof.signature) = try signed(board.identity.key, desk.installation.origin, challenge, nil)
                    }
                ),
                ("of an unknown device", { proof, _, _ in proof.device = try #require(DeviceID("01ARZ3NDEKTSV4RRFFQ69G5FAV")) }),
                ("of another kind", { proof, _, _ in proof.kind = .pool }),
                ("of another version", { proof, _, _ in proof.version = 2 }),
                ("without a signature", { proof, _, _ in proof.signature = "" }),
            ]
            for (what, spoil) in spoils {
                let socket = try await board.prove(spoil)
                #expect(try await socket.ending(within: .seconds(5)) == 1008, "\(what)")
            }
            let (socket, _) = try await board.dial()
            try await socket.send("not a proof")
            #expect(try await socket.ending(within: .seconds(5)) == 1002)
            #expect(try await owner.get("/senders/\(board.identity.device)").object()["online"] as? Bool == false)
        }
    }

    @Test("a revoked board is cut off within a second and stays out", .row("PRV-02"))
    func revocation() async throws {
        try await atFrontDesk { desk in
            let owner = try await desk.owner()
            let board = try await desk.board(of: owner)
            let path = "/senders/\(board.identity.device)"
            // This one reads nothing, and so answers no close: it is cut off all the same.
            let socket = try await board.connect()
            try await eventually(within: .seconds(5), "the board is online") {
                try await owner.get(path).object()["online"] as? Bool == true
            }
            let start = Instant.now
            #expect(try await owner.send("DELETE", path).status == 204)
            #expect(Instant.now - start < .seconds(1))
            #expect(try await socket.ending(within: .milliseconds(1000)) == 4403)
            #expect(try await owner.get(path).status == 404)
            #expect(try await owner.get("/senders").items().isEmpty)
            let again = try await board.prove()
            #expect(try await again.ending(within: .seconds(5)) == 4403)
            #expect(again.closeReason == "revoked")
            #expect(try await owner.get("/audit").items().contains { $0["action"] as? String == "device.revoked" })
        }
    }

    @Test("one identity from two places: the newer is refused and the board flagged", .row("PRV-02"))
    func twoPlaces() async throws {
        try await atFrontDesk { desk in
            let owner = try await desk.owner()
            let board = try await desk.board(of: owner)
            let path = "/senders/\(board.identity.device)"
            let first = try await board.connect()
            let reading = Task { while try await first.receive() != nil {} }
            defer { reading.cancel() }
            try await eventually(within: .seconds(5), "the board is online") {
                try await owner.get(path).object()["online"] as? Bool == true
            }
            #expect(try await owner.get(path).object()["flaggedAt"] as? String == nil)
            let second = try await board.prove()
            #expect(try await second.ending(within: .seconds(5)) == 1008)
            #expect(try await owner.get(path).object()["flaggedAt"] as? String != nil)
            #expect(try await owner.get("/audit").items().contains { $0["action"] as? String == "device.flagged" })
            #expect(first.closeCode == nil)
            #expect(try await owner.get(path).object()["online"] as? Bool == true)

            // One step gives the board another key: whoever has the old one is out, and the flag is gone.
            let renewal = try await owner.post("/enrollment-tokens", #"{"kind":"sender","sender":"\#(board.identity.device)"}"#)
            #expect(try renewal.text("sender") == board.identity.device.text && renewal.text("name") == "board")
            let token = try renewal.text("token")
            #expect(try await RawBoard.redeem(token, key: board.identity.key, at: desk).problem == "revoked")
            let key = try Ed25519PrivateKey.generate()
            #expect(try await RawBoard.redeem(token, key: key, at: desk).text("device") == board.identity.device.text)
            try await eventually(within: .seconds(2), "whoever is connected with the old key is not any more") {
                first.closeCode?.rawValue == 1008
            }
            #expect(try await board.prove().ending(within: .seconds(5)) == 1008)
            let fresh = try await RawBoard(at: desk, key: key, device: board.identity.device.text).connect()
            let listening = Task { while try await fresh.receive() != nil {} }
            defer { listening.cancel() }
            try await eventually(within: .seconds(5), "the board is online with its new key, and no longer flagged") {
                let view = try await owner.get(path).object()
                return view["online"] as? Bool == true && view["flaggedAt"] as? String == nil
            }
            #expect(try await owner.get("/audit").items().contains { $0["action"] as? String == "device.renewed" })
        }
    }

    // MARK: A hostile board

    @Test("a board that lies about everything changes its own row and nothing else", .row("CTL-18"))
    func hostile() async throws {
        try await atFrontDesk { desk in
            let owner = try await desk.owner()
            let other = try await desk.stranger()
            let victim = try await desk.board(of: other, name: "victim")
            let victimSocket = try await victim.connect()
            let reading = Task { try await RawBoard.answerAll(victimSocket, .done) }
            defer { reading.cancel() }
            let victimPath = "/senders/\(victim.identity.device)"
            try await eventually(within: .seconds(5), "the victim is online") {
                try await other.get(victimPath).object()["online"] as? Bool == true
            }
            let before = try await other.get(victimPath).body

            let board = try await desk.board(of: owner, name: "liar")
            let path = "/senders/\(board.identity.device)"
            let long = String(repeating: "\u{1b}[31mx\u{0}\u{7}", count: 300)
            let link = Link(name: long, kind: .other, state: .up, addresses: [long], mtu: Int.max)
            let mode = VideoMode(width: -1, height: Int.max, frames: 0, frameSeconds: 0, format: long)
            let input = Input(id: long, kind: .v4l2, name: long, media: .video, modes: Array(repeating: mode, count: 2))
            let inventory = Inventory(links: Array(repeating: link, count: 2), inputs: [input], encoders: [])
            let socket = try await board.prove()
            try await socket.send(
                AgentMessage.hello(
                    AgentHello(
                        agentVersion: long, inventory: inventory, configuration: ConfigurationReport(version: Int.min),
                        sending: SendingReport(
                            broadcast: BroadcastID("01ARZ3NDEKTSV4RRFFQ69G5FAV")!, revision: Int.max, state: .failed, reason: long))))
            let view = try await eventually(within: .seconds(5), "the liar is online") {
                let view = try JSONDecoder().decode(SenderView.self, from: Data(try await owner.get(path).body))
                return view.online ? view : nil
            }
            let texts =
                [view.agentVersion ?? ""] + view.inventory.links.flatMap { [$0.name] + $0.addresses }
                + view.inventory.inputs.flatMap { [$0.id, $0.name] + $0.modes.map(\.format) }
            for text in texts {
                #expect(text.count <= 256)
                #expect(!text.unicodeScalars.contains { $0.properties.generalCategory == .control })
            }
            #expect(view.configuration.applied == 0)

            // What nobody knows, what is of others, and far too much of it.
            try await socket.send(#"{"type":"selfdestruct","body":{"now":true}}"#)
            for _ in 0..<300 {
                try await socket.send(
                    AgentMessage.sending(SendingReport(broadcast: BroadcastID("01ARZ3NDEKTSV4RRFFQ69G5FAV")!, revision: 1, state: .failed)))
            }
            try await socket.send(AgentMessage.configured(ConfigurationReport(version: Int.max)))
            try await eventually(within: .seconds(10), "all of it is taken") {
                let view = try JSONDecoder().decode(SenderView.self, from: Data(try await owner.get(path).body))
                return view.configuration.applied == Int(Int32.max)
            }
            #expect(socket.closeCode == nil)
            try await socket.send(String(repeating: "x", count: 300 << 10))
            #expect(try await socket.ending(within: .seconds(5)) == 1009)
            for (text, code) in [("{", 1003), (#"{"type":"telemetry","body":7}"#, 1003), ("[]", 1003)] {
                let socket = try await board.connect()
                try await socket.send(text)
                #expect(try await socket.ending(within: .seconds(5)) == code, "\(text)")
                #expect(socket.closeReason?.hasPrefix("malformed message: ") == true, "\(socket.closeReason ?? "")")
            }
            #expect(try await other.get(victimPath).body == before)
            #expect(victimSocket.closeCode == nil)
            #expect(try await desk.visitor().get("/health").status == 200)
            let said = try desk.said
            #expect(!said.contains("\u{1b}") && !said.contains("\u{0}"))
        }
    }

    @Test("a board speaks for its own broadcast only, and a pool host for its own leases", .row("CTL-08"))
    func foreignBroadcast() async throws {
        try await atFrontDesk { desk in
            let owner = try await desk.owner()
            let board = try await desk.board(of: owner)
            let socket = try await board.connect()
            let sending = Task { try await RawBoard.answerAll(socket, .done) }
            let host = try await desk.host("real")
            let leased = Guarded<StreamSpec?>(nil)
            let leasing = Task { try await RawBoard.grantAll(host, leased) }
            defer {
                sending.cancel()
                leasing.cancel()
            }
            try await eventually(within: .seconds(5), "both are online") {
                let senders = try await owner.get("/senders").items().filter { $0["online"] as? Bool == true }
                let hosts = try await owner.get("/pool").items().filter { $0["online"] as? Bool == true }
                return senders.count == 1 && hosts.count == 1
            }
            let destination = try await owner.post("/destinations", #"{"name":"d","url":"rtmp://127.0.0.1/app","secret":"key"}"#).text("id")
            let started = try await owner.post(
                "/broadcasts", #"{"sender":"\#(board.identity.device)","destinations":["\#(destination)"]}"#)
            let id = try started.text("id")
            let stream = try await eventually(within: .seconds(5), "the lease is asked for") { leased.withLock { $0 } }
            func state() async throws -> String { try await owner.get("/broadcasts/\(id)").text("state") }
            try await eventually(within: .seconds(5), "it is live") {
                try await host.send(PoolMessage.report(.flowing(stream)))
                return try await state() == "live"
            }

            let other = try await desk.stranger()
            let liar = try await desk.board(of: other, name: "liar").connect()
            let broadcast = try #require(BroadcastID(id))
            try await liar.send(AgentMessage.sending(SendingReport(broadcast: broadcast, revision: 1, state: .failed, reason: "lies")))
            let lyingHost = try await desk.host("liar")
            try await lyingHost.send(PoolMessage.released(LeaseReference(lease: stream.lease)))
            var lie = StreamReport.flowing(stream)
            lie.ingest.state = .interrupted
            try await lyingHost.send(PoolMessage.report(lie))
            try await always(for: .milliseconds(500), "it stays live") { try await state() == "live" }
            // The board itself may say so, and revoking it ends the broadcast.
            try await socket.send(
                AgentMessage.sending(SendingReport(broadcast: broadcast, revision: 1, state: .degraded, reason: "no microphone")))
            try await eventually(within: .seconds(5), "it is degraded") { try await state() == "degraded" }
            #expect(try await owner.send("DELETE", "/senders/\(board.identity.device)").status == 204)
            try await eventually(within: .seconds(5), "it is over") { try await state() == "ended" }
            #expect(try await owner.get("/broadcasts/\(id)").text("reason") == "the sender was revoked")
        }
    }

    @Test("a destination that leads into somebody's house is refused at the start, by name")
    func outbound() async throws {
        try await atFrontDesk({ $0.outbound = [] }) { desk in
            let owner = try await desk.owner()
            let board = try await desk.board(of: owner)
            let socket = try await board.connect()
            let reading = Task { try await RawBoard.answerAll(socket, .done) }
            defer { reading.cancel() }
            let path = "/senders/\(board.identity.device)"
            try await eventually(within: .seconds(5), "the board is online") {
                try await owner.get(path).object()["online"] as? Bool == true
            }
            let places = [
                ("own", "rtmp://127.0.0.1/app"), ("private", "rtmp://10.1.2.3/app"), ("mapped", "rtmp://[::ffff:192.168.0.1]/app"),
                ("metadata", "rtmp://169.254.169.254/app"), ("name", "rtmp://localhost/app"), ("nowhere", "rtmp://nowhere.invalid/app"),
            ]
            for (name, url) in places {
                let made = try await owner.post("/destinations", #"{"name":"\#(name)","url":"\#(url)","secret":"key"}"#)
                #expect(made.status == 201, "\(made)")
                let start = try await owner.post(
                    "/broadcasts", #"{"sender":"\#(board.identity.device)","destinations":["\#(try made.text("id"))"]}"#)
                #expect(start.status == 422, "\(url) was answered with \(start)")
                #expect(try start.text("detail").hasPrefix("the destination '\(name)': "), "\(start)")
            }
            #expect(try await owner.get("/broadcasts").items().isEmpty)
        }
    }

    // MARK: Parts

    private func enroll(
        _ desk: FrontDesk, server: String, token: String, as name: String = "agent\(UUID().uuidString.prefix(6))"
    ) throws -> RunningProgram {
        let file = try desk.stage.folder.write(token + "\n", to: "\(name).token")
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
        let configuration = try desk.stage.folder.write(
            """
            [folders]
            runtime = "\(try desk.stage.folder.makeFolder("\(name).run"))"
            state = "\(try desk.stage.folder.makeFolder("\(name).state"))"
            """, to: "\(name).conf")
        return try desk.stage.start(
            "strata-agent", ["enroll", "--server", server, "--token-file", file, "--config", configuration, "--name", name])
    }
}
