import Foundation
import HTTP
import Posix
import Support
import TLS
import Units
import Web
import Wire

/// What one signed-in person sees and does: the REST API, and the live feed kept as its latest state.
final class Browser: Sendable {
    let server: String
    private let loop: Loop
    private let options = Guarded(ClientOptions())
    private var client: Client { Client(loop: loop, options: options.withLock { $0 }) }
    private let session = Guarded<SessionView?>(nil)
    private let topics = Guarded<[String: Data]>([:])
    private let feed = Guarded<Task<Void, Never>?>(nil)

    init(server: String) throws {
        self.server = server
        loop = try Loop(name: "browser")
    }

    /// From now on believes the authority in this file.
    func trust(_ authority: String) throws {
        let certificate = Array(try Data(contentsOf: URL(fileURLWithPath: authority)))
        options.withLock { $0.trust = .anchors([certificate]) }
    }

    // MARK: The API

    func signIn(email: String, password: String) async throws {
        let view: SessionView = try await call(.post, "/auth/login", LoginRequest(email: email, password: SecretOnWire(Secret(password))))
        session.withLock { $0 = view }
    }

    func register(secret: String, slug: String, email: String, password: String) async throws {
        let request = RegisterRequest(
            setupSecret: SecretOnWire(Secret(secret)), organizationName: slug.capitalized, organizationSlug: slug, email: email,
            password: SecretOnWire(Secret(password)), displayName: "Owner of \(slug)")
        let view: SessionView = try await call(.post, "/auth/register", request)
        session.withLock { $0 = view }
    }

    /// An answer, whatever its status.
    func answer(
        _ method: HTTP.Method, _ path: String, _ body: (any Encodable & Sendable)? = nil, bearer: String? = nil
    ) async throws -> ClientResponse {
        var headers: Headers = [:]
        if let token = bearer ?? session.withLock({ $0?.accessToken.secret.revealed }) { headers["Authorization"] = "Bearer \(token)" }
        var bytes: [UInt8]?
        if let body {
            headers["Content-Type"] = "application/json"
            bytes = Array(try JSONEncoder().encode(body))
        }
        return try await client.request(
            method, server + (path.hasPrefix("/api/") || path == "/metrics" ? path : "/api/v1" + path), headers: headers, body: bytes)
    }

    func call<Answer: Decodable>(_ method: HTTP.Method, _ path: String, _ body: (any Encodable & Sendable)? = nil) async throws -> Answer {
        let answer = try await answer(method, path, body)
        guard answer.status.isSuccess else { throw try Self.problem(answer) }
        return try JSONDecoder().decode(Answer.self, from: Data(answer.body))
    }

    /// The problem that a request ends with.
    func refusal(_ method: HTTP.Method, _ path: String, _ body: (any Encodable & Sendable)? = nil) async throws -> Problem {
        let answer = try await answer(method, path, body)
        guard !answer.status.isSuccess else { throw SupportFailure("\(method) \(path) was answered with \(answer.status)") }
        return try Self.problem(answer)
    }

    private static func problem(_ answer: ClientResponse) throws -> Problem {
        do {
            return try JSONDecoder().decode(Problem.self, from: Data(answer.body))
        } catch {
            throw SupportFailure("\(answer.status): \(String(decoding: answer.body.prefix(300), as: UTF8.self))")
        }
    }

    // MARK: The live feed

    /// Watches until `close`; opens again when the connection is lost, as the page does.
    func watch() {
        feed.withLock { feed in
            feed?.cancel()
            feed = Task { [weak self] in
                while !Task.isCancelled {
                    // A server that is away is what this goes on for.
                    try? await self?.watchOnce()
                    try? await Task.sleep(for: .milliseconds(200))
                }
            }
        }
    }

    private func watchOnce() async throws {
        let socket = try await open()
        // Whoever stops watching leaves.
        defer { Task { await socket.close() } }
        // The whole picture comes first: what was known before may be over.
        topics.withLock { $0 = [:] }
        while case .text(let text)? = try await socket.receive() {
            guard let update = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any],
                let topic = update["topic"] as? String
            else { continue }
            let body = update["body"].flatMap { $0 is NSNull ? nil : try? JSONSerialization.data(withJSONObject: $0) }
            topics.withLock { $0[topic] = body }
        }
    }

    /// One more connection of the feed.
    func open() async throws -> WebSocket {
        let ticket: TicketView = try await call(.post, "/auth/ticket")
        let url = server.replacingOccurrences(of: "http", with: "ws") + "/api/v1/live?ticket=\(ticket.ticket.secret.revealed)"
        return try await client.webSocket(url)
    }

    func latest<View: Decodable>(_ topic: String, as: View.Type = View.self) throws -> View? {
        try topics.withLock { $0[topic] }.map { try JSONDecoder().decode(View.self, from: $0) }
    }

    /// Forgets what was shown: what is seen from now on is new.
    func forget() { topics.withLock { $0 = [:] } }

    /// The flight recorder's download, line for line.
    func recorder(of id: BroadcastID) async throws -> [FlightRecord] {
        let answer = try await answer(.get, "/broadcasts/\(id)/recorder")
        guard answer.status.isSuccess else { throw SupportFailure("the recorder was answered with \(answer.status)") }
        return try answer.body.split(separator: UInt8(ascii: "\n")).map { try JSONDecoder().decode(FlightRecord.self, from: Data($0)) }
    }

    /// What happened to a broadcast, read part for part.
    func events(of id: BroadcastID, _ query: String) async throws -> [BroadcastEvent] {
        var events: [BroadcastEvent] = []
        var next: String?
        repeat {
            let part: BroadcastEvents = try await call(.get, "/broadcasts/\(id)/events?\(query)" + (next.map { "&after=\($0)" } ?? ""))
            events += part.items
            next = part.next
        } while next != nil
        return events
    }

    func broadcast(_ id: BroadcastID) throws -> BroadcastView? { try latest("broadcast/\(id)") }
    func sender(_ id: DeviceID) throws -> SenderView? { try latest("sender/\(id)") }

    /// Waits until the feed shows a broadcast in one of these states.
    @discardableResult
    func wait(_ id: BroadcastID, for states: Set<String>, within limit: Duration = .seconds(30)) async throws -> BroadcastView {
        let seen = Guarded<BroadcastView?>(nil)
        do {
            return try await eventually(within: limit, "broadcast is \(states.sorted())") {
                let view = try self.broadcast(id)
                seen.withLock { $0 = view }
                guard let view, states.contains(view.state) else { return nil }
                return view
            }
        } catch {
            throw SupportFailure("\(error); last seen: \(String(describing: seen.withLock { $0 }))")
        }
    }

    func close() {
        feed.withLock { $0?.cancel() }
    }
}
