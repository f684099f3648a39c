import Crypto
import Foundation
import HTTP
import Identity
import Posix
import Support
import TLS
import Units
import Web
import Wire

/// Control alone, and people who talk to it as they like.
final class FrontDesk: Sendable {
    let stage: Stage
    let installation: Installation
    let server: String
    let loop: Loop

    /// - Parameter cloud: where boards reach it, by TLS.
    init(on stage: Stage, cloud: String = "127.0.0.1", _ settings: Installation.Settings) async throws {
        self.stage = stage
        loop = try Loop(name: "visitors")
        installation = try await Installation(on: stage, cloud: cloud, settings)
        server = "http://127.0.0.1:\(installation.pagePort)"
    }

    /// Somebody who has not signed in.
    func visitor() -> Visitor { Visitor(server: server, loop: loop) }

    func owner() async throws -> Visitor { try await person("owner@example.org", installation.ownerPassword) }

    /// Somebody who has signed in.
    func person(_ email: String, _ password: String) async throws -> Visitor {
        let visitor = visitor()
        let answer = try await visitor.signIn(email, password)
        guard answer.status == 200 else { throw SupportFailure("\(email) cannot sign in: \(answer)") }
        return visitor
    }

    /// A new organisation's owner.
    func stranger(_ slug: String = "other") async throws -> Visitor {
        let answer = try await operating().post(
            "/operator/organizations",
            """
            {"name":"\(slug)","slug":"\(slug)","ownerEmail":"owner@\(slug).org","ownerDisplayName":"Other","ownerPassword":"another long password"}
            """)
        guard answer.status == 201 else { throw SupportFailure("no organisation: \(answer)") }
        return try await person("owner@\(slug).org", "another long password")
    }

    /// The operator, by the token in the state folder.
    func operating() throws -> Visitor {
        let visitor = visitor()
        visitor.token = try String(contentsOfFile: stage.folder["control/operator-token"], encoding: .utf8)
            .trimmingCharacters(in: .newlines)
        return visitor
    }

    /// A token for a sender, of whoever asks.
    func token(of owner: Visitor, name: String = "board") async throws -> String {
        try await owner.post("/enrollment-tokens", #"{"kind":"sender","name":"\#(name)"}"#).text("token")
    }

    /// A board of the organisation of `owner`, enrolled and not connected.
    func board(of owner: Visitor, name: String = "board") async throws -> RawBoard {
        let key = try Ed25519PrivateKey.generate()
        let answer = try await RawBoard.redeem(try await token(of: owner, name: name), key: key, name: name, at: self)
        guard answer.status == 201 else { throw SupportFailure("no enrollment: \(answer)") }
        return try RawBoard(at: self, key: key, device: try answer.text("device"))
    }

    /// A pool host of the operator that says what the test wants, connected.
    func host(_ text: String, capacity: Int = 1) async throws -> WebSocket { try await rawHost(text).connectHost(capacity: capacity) }

    /// The same, not connected.
    func rawHost(_ text: String) async throws -> RawBoard {
        let token = try await operating().post("/operator/enrollment-tokens", #"{"kind":"pool"}"#).text("token")
        let key = try Ed25519PrivateKey.generate()
        let device = try await RawBoard.redeem(token, key: key, name: text, kind: .pool, at: self).text("device")
        return try RawBoard(at: self, key: key, device: device, kind: .pool)
    }

    /// What control has written so far.
    var said: String { get throws { try installation.program("control").lines.joined(separator: "\n") } }
}

/// Runs a body with control alone, and clears it whatever happens.
func atFrontDesk<Result>(
    _ change: (inout Installation.Settings) -> Void = { _ in }, _ body: (FrontDesk) async throws -> Result
) async throws -> Result {
    var settings = Installation.Settings()
    settings.hasPool = false
    change(&settings)
    return try await onStage { stage in try await body(try await FrontDesk(on: stage, settings)) }
}

/// An answer, whatever it is.
struct Reply: CustomStringConvertible {
    let status: Int
    let headers: Headers
    let body: [UInt8]

    var description: String { "\(status): \(String(decoding: body.prefix(400), as: UTF8.self))" }

    func object() throws -> [String: Any] {
        guard let object = try JSONSerialization.jsonObject(with: Data(body)) as? [String: Any] else {
            throw SupportFailure("no object: \(self)")
        }
        return object
    }

    func text(_ key: String) throws -> String {
        guard let text = try object()[key] as? String else { throw SupportFailure("no \(key): \(self)") }
        return text
    }

    func items() throws -> [[String: Any]] { try object()["items"] as? [[String: Any]] ?? [] }

    /// The stable name of a problem; nil for what is no problem document.
    var problem: String? {
        guard headers["content-type"] == "application/problem+json", let type = try? text("type") else { return nil }
        return type.split(separator: "/").last.map(String.init)
    }

    /// The fields that a problem names.
    var fields: [String] {
        get throws { (try object()["faults"] as? [[String: Any]] ?? []).compactMap { $0["field"] as? String } }
    }
}

/// A client that sends what it is told, with the token and the cookie that it was given.
final class Visitor: Sendable {
    let server: String
    let client: Client
    private let kept = Guarded<(token: String?, cookie: String?, browser: String?)>((nil, nil, nil))

    init(server: String, loop: Loop) {
        self.server = server
        client = Client(loop: loop)
    }

    var token: String? {
        get { kept.withLock { $0.token } }
        set { kept.withLock { $0.token = newValue } }
    }

    /// The refresh token.
    var cookie: String? {
        get { kept.withLock { $0.cookie } }
        set { kept.withLock { $0.cookie = newValue } }
    }

    /// What it is known by once somebody has signed in.
    var browser: String? {
        get { kept.withLock { $0.browser } }
        set { kept.withLock { $0.browser = newValue } }
    }

    func send(
        _ method: String, _ path: String, _ body: String? = nil, headers more: [(String, String)] = [], type: String = "application/json"
    ) async throws -> Reply {
        try await send(method, path, body.map { Array($0.utf8) }, headers: more, type: type)
    }

    func send(_ method: String, _ path: String, _ body: [UInt8]?, headers more: [(String, String)] = [], type: String) async throws -> Reply
    {
        var headers = Headers(more)
        if let token { headers["Authorization"] = "Bearer \(token)" }
        let cookies = [("strata_refresh", cookie), ("strata_browser", browser)].compactMap { name, value in value.map { "\(name)=\($0)" } }
        if !cookies.isEmpty { headers["Cookie"] = cookies.joined(separator: "; ") }
        if body != nil { headers["Content-Type"] = type }
        let isWhole = ["/api/", "/whip/", "/whep/", "/health", "/metrics"].contains { path.hasPrefix($0) }
        let answer = try await client.request(
            HTTP.Method(text: method), server + (isWhole ? path : "/api/v1" + path), headers: headers, body: body)
        func set(_ name: String) -> String? {
            let field = answer.headers.all("set-cookie").first { $0.hasPrefix(name + "=") }
            return field?.dropFirst(name.count + 1).split(separator: ";", omittingEmptySubsequences: false).first.map(String.init)
        }
        cookie = set("strata_refresh") ?? cookie
        browser = set("strata_browser") ?? browser
        return Reply(status: answer.status.code, headers: answer.headers, body: answer.body)
    }

    func get(_ path: String) async throws -> Reply { try await send("GET", path) }
    func post(_ path: String, _ body: String? = nil) async throws -> Reply { try await send("POST", path, body) }

    func signIn(_ email: String, _ password: String) async throws -> Reply {
        try await enter("/auth/login", #"{"email":"\#(email)","password":"\#(password)"}"#)
    }
    func refresh() async throws -> Reply { try await enter("/auth/refresh", nil) }

    private func enter(_ path: String, _ body: String?) async throws -> Reply {
        let answer = try await post(path, body)
        if answer.status < 300 { token = try answer.text("accessToken") }
        return answer
    }

    /// Opens the live feed, by a ticket of its own or the one given.
    func watch(ticket: String? = nil, origin: String? = nil) async throws -> WebSocket {
        let ticket = if let ticket { ticket } else { try await post("/auth/ticket").text("ticket") }
        var headers: Headers = [:]
        if let origin { headers["Origin"] = origin }
        return try await client.webSocket("ws" + server.dropFirst(4) + "/api/v1/live?ticket=\(ticket)", headers: headers)
    }

    /// The status that a handshake is refused with.
    func refusedWatch(ticket: String? = nil, origin: String? = nil) async throws -> Int {
        do {
            await (try await watch(ticket: ticket, origin: origin)).close()
        } catch WebSocketError.refused(let status) {
            return status
        }
        throw SupportFailure("the live feed was opened")
    }
}

/// A board that says what the test wants it to say.
final class RawBoard: Sendable {
    let desk: FrontDesk
    let identity: DeviceIdentity
    let client: Client

    init(at desk: FrontDesk, key: Ed25519PrivateKey, device: String, kind: DeviceKind = .sender) throws {
        self.desk = desk
        guard let id = DeviceID(device) else { throw SupportFailure("\(device) is no device") }
        identity = DeviceIdentity(
            key: key, device: id, organization: nil, name: "raw", kind: kind, server: try ServerOrigin(desk.installation.origin),
            authority: .system)
        client = Client(loop: desk.loop, options: try Self.options(at: desk))
    }

    static func options(at desk: FrontDesk) throws -> ClientOptions {
        var options = ClientOptions()
        options.trust = .anchors([Array(try Data(contentsOf: URL(fileURLWithPath: desk.stage.folder["authority/ca.pem"])))])
        return options
    }

    /// Redeems a token with a key.
    static func redeem(
        _ token: String, key: Ed25519PrivateKey, name: String = "board", kind: DeviceKind = .sender, at desk: FrontDesk
    ) async throws -> Reply {
        let body = #"{"token":"\#(token)","publicKey":"\#(Base64URL.encode(key.publicKey))","name":"\#(name)","kind":"\#(kind.rawValue)"}"#
        return try await desk.visitor().post("/enroll", body)
    }

    /// A connection with its challenge, and nothing proven yet.
    func dial() async throws -> (socket: WebSocket, challenge: Challenge) {
        let socket = try await client.webSocket(identity.server.connectURL)
        guard case .text(let text)? = try await socket.receive() else { throw SupportFailure("no challenge") }
        return (socket, try JSONDecoder().decode(Challenge.self, from: Data(text.utf8)))
    }

    /// Dials, and sends a proof that the test may spoil.
    func prove(_ spoil: (inout Proof, Challenge, WebSocket) throws -> Void = { _, _, _ in }) async throws -> WebSocket {
        let (socket, challenge) = try await dial()
        var proof = try Proof.answering(challenge, identity: identity, exporter: socket.tlsExporter)
        try spoil(&proof, challenge, socket)
        try await socket.send(String(decoding: JSONEncoder().encode(proof), as: UTF8.self))
        return socket
    }

    /// Connected, with a test picture and one link.
    func connect(sending: SendingReport? = nil, cameras: [String] = []) async throws -> WebSocket {
        let socket = try await prove()
        let inventory = Inventory(
            links: [Link(name: "eth0", kind: .ethernet, state: .up, addresses: ["192.0.2.2"], mtu: 1500)],
            inputs: [Input(id: "test", kind: .test, name: "Test picture", media: .both)]
                + cameras.map { Input(id: $0, kind: .v4l2, name: $0, media: .video) },
            encoders: [VideoEncoder(id: .x264, codec: .h264, hardware: false)])
        try await socket.send(
            AgentMessage.hello(
                AgentHello(agentVersion: "raw", inventory: inventory, configuration: ConfigurationReport(version: 0), sending: sending)))
        return socket
    }

    /// Connected as a pool host that has room for one stream.
    func connectHost(capacity: Int = 1) async throws -> WebSocket {
        let socket = try await prove()
        let hello = PoolHello(
            poolVersion: "raw", addresses: ["192.0.2.1"], portRange: PortRange(first: 20_000, last: 20_009), capacity: capacity,
            leases: [])
        try await socket.send(PoolMessage.hello(hello))
        return socket
    }

    /// Answers each command as done, and uploads a little where it is asked for a speed test.
    func measureAndAnswerAll(_ socket: WebSocket) async throws {
        while case .text(let text)? = try await socket.receive() {
            guard let command = try? JSONDecoder().decode(Command<AgentOrder>.self, from: Data(text.utf8)) else { continue }
            if case .speedTest(let order) = command.order { _ = try await upload(ticket: order.ticket.secret.revealed, chunks: 30) }
            if case .picture(let order) = command.order {
                let red = Data(StreamThumbnail.redBytes).base64EncodedString()
                try await socket.send(AgentMessage.picture(InputPicture(input: order.input, base64: red)))
            }
            try await socket.send(AgentMessage.outcome(CommandOutcome(id: command.id, result: .done, step: nil, reason: nil)))
        }
    }

    /// Comes with a ticket to upload, and reads to the end.
    /// - Returns: the socket, and what control said at its close.
    func upload(ticket: String, spoil: Bool = false, chunks: Int = 0) async throws -> (WebSocket, String) {
        let socket = try await client.webSocket(identity.server.speedTestURL)
        guard case .text(let text)? = try await socket.receive() else { throw SupportFailure("no challenge") }
        let challenge = try JSONDecoder().decode(Challenge.self, from: Data(text.utf8))
        var proof = try Proof.answering(challenge, identity: identity, exporter: socket.tlsExporter)
        if spoil { proof.signature = Base64URL.encode([UInt8](repeating: 7, count: 64)) }
        try await socket.send(String(decoding: JSONEncoder().encode(proof), as: UTF8.self))
        // try?: control may have closed by now.
        try? await socket.send(String(decoding: JSONEncoder().encode(SpeedTestHello(ticket: SecretOnWire(Secret(ticket)))), as: UTF8.self))
        if chunks > 0 {
            guard case .text? = try await socket.receive() else { throw SupportFailure("not let in: \(socket.closeReason ?? "")") }
            for _ in 0..<chunks {
                try await socket.send([UInt8](repeating: 7, count: 16_384))
                try await Task.sleep(for: .milliseconds(20))
            }
        }
        _ = try await socket.ending(within: .seconds(8))
        return (socket, socket.closeReason ?? "")
    }

    /// Answers as a pool host that grants each lease on its first port, and keeps the stream that was asked for last.
    ///
    /// - Parameters:
    ///   - previews: what it was asked to show, where a test wants to know.
    ///   - takes: the same of what it was asked to bring.
    static func grantAll(
        _ socket: WebSocket, _ leased: Guarded<StreamSpec?>, _ previews: Guarded<[PreviewOrder]> = Guarded([]),
        _ takes: Guarded<[BringRecordingOrder]> = Guarded([])
    ) async throws {
        while case .text(let text)? = try await socket.receive() {
            let command = try JSONDecoder().decode(Command<PoolOrder>.self, from: Data(text.utf8))
            if case .lease(let request) = command.order { leased.withLock { $0 = request.spec } }
            if case .preview(let order) = command.order { previews.withLock { $0.append(order) } }
            if case .bringRecording(let order) = command.order { takes.withLock { $0.append(order) } }
            try await socket.send(PoolMessage.outcome(CommandOutcome(id: command.id, result: .done, port: 20_000)))
        }
    }

    /// Answers each command with `result`, until the connection ends.
    static func answerAll(
        _ socket: WebSocket, _ result: CommandOutcome.Result, reason: String = "as the test wants"
    ) async throws {
        while case .text(let text)? = try await socket.receive() {
            guard let command = try? JSONDecoder().decode(Command<AgentOrder>.self, from: Data(text.utf8)) else { continue }
            try await socket.send(
                AgentMessage.outcome(CommandOutcome(id: command.id, result: result, step: nil, reason: reason)))
        }
    }
}

extension StreamReport {
    /// What the host of a stream says when all of it is well.
    static func flowing(_ stream: StreamSpec) -> StreamReport {
        StreamReport(
            lease: stream.lease, broadcast: stream.broadcast, port: 20_000, pid: nil, uptimeSeconds: 1,
            ingest: IngestReport(
                state: .flowing, bitrate: .kilobits(2500), keyFramesTotal: 1, lostPacketsTotal: 0, recoveredPacketsTotal: 0,
                guardDroppedTotal: 0, video: .h264, width: 1280, height: 720,
                paths: [PathReport(source: "192.0.2.2:5000", bitrate: .kilobits(2500), packetsTotal: 9, rttMs: 40.5, loss: 0)]),
            outputs: stream.outputs.map {
                OutputReport(id: $0.id, state: .connected, reason: nil, sentBytesTotal: 0, droppedUnitsTotal: 0, reconnectsTotal: 0)
            }, restarts: 0)
    }
}

extension WebSocket {
    func send(_ message: AgentMessage) async throws {
        try await send(String(decoding: JSONEncoder().encode(message), as: UTF8.self))
    }

    func send(_ message: PoolMessage) async throws {
        try await send(String(decoding: JSONEncoder().encode(message), as: UTF8.self))
    }

    /// Reads to the end, and gives the code it was closed with.
    func ending(within limit: Duration) async throws -> Int {
        let reader = Task {
            // try?: a connection that breaks has ended as well.
            while (try? await self.receive()) != nil {}
        }
        defer { reader.cancel() }
        return try await eventually(within: limit, "the socket is closed") { self.closeCode.map { Int($0.rawValue) } }
    }
}
