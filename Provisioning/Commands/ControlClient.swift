import Crypto
import FoundationEssentials
import HTTP
import Posix
import TLS
import Units
import Web
import Wire

/// The REST API as a command uses it: signs in by its refresh token, or shows an API token, and turns problems into errors.
actor ControlClient {
    /// An answer that is no success, in the words of the server.
    struct Failure: Error, CustomStringConvertible {
        let problem: Problem
        var description: String {
            let faults = (problem.faults ?? []).map { "\n  \($0.field): expected \($0.expected)" }.joined()
            return (problem.detail ?? problem.title) + faults
        }
    }

    private let client: Client
    private let path: String
    private var session: SessionFile
    /// One of 15 minutes, or an API token.
    private var accessToken: Secret?

    /// - Parameters:
    ///   - path: of the session file.
    ///   - token: is shown in place of the session's.
    init(session: SessionFile, path: String, token: Secret?, proxy: ClientOptions.Proxy?) throws {
        var options = ClientOptions()
        if let authority = session.authority { options.trust = .anchors([Array(authority.utf8)]) }
        options.proxy = proxy
        client = Client(loop: try Loop(name: "client"), options: options)
        self.session = session
        self.path = path
        accessToken = token
    }

    /// The server's address, as this client reaches it.
    var server: String { session.server }

    func call<Answer: Decodable>(_ method: HTTP.Method, _ route: String, _ body: (any Encodable & Sendable)? = nil) async throws -> Answer {
        let answer = try await send(method, route, body, bearer: try await bearer())
        return try JSONDecoder().decode(Answer.self, from: Data(answer.body))
    }

    func callEmpty(_ method: HTTP.Method, _ route: String, _ body: (any Encodable & Sendable)? = nil) async throws {
        _ = try await send(method, route, body, bearer: try await bearer())
    }

    /// Sends a file as it is.
    func upload(_ bytes: [UInt8], _ type: String, to route: String) async throws {
        var headers = Headers()
        headers.add("content-type", type)
        _ = try await send(.put, route, headers, bytes, bearer: try await bearer())
    }

    func download(_ route: String) async throws -> [UInt8] {
        try await send(.get, route, Headers(), nil, bearer: try await bearer()).body
    }

    /// With the operator's token instead of a session.
    func callOperator<Answer: Decodable>(
        _ method: HTTP.Method, _ route: String, _ body: (any Encodable & Sendable)? = nil, token: Secret
    ) async throws -> Answer {
        let answer = try await send(method, route, body, bearer: token)
        return try JSONDecoder().decode(Answer.self, from: Data(answer.body))
    }

    /// Registers or signs in, and keeps the refresh token.
    func enter(_ route: String, _ body: any Encodable & Sendable) async throws -> UserView {
        let room = try session.reserve(path)
        defer { KeyFile.drop(room) }
        let answer = try await send(.post, route, body, bearer: nil)
        guard answer.headers.all("set-cookie").contains(where: { $0.hasPrefix(refreshCookieName + "=") }) else {
            throw Arguments.Fault("the server keeps no session now, because its disk is full: sign in on its page, for 15 minutes")
        }
        return try keep(answer, in: room).user
    }

    func leave() async throws {
        _ = try await send(.post, "/api/v1/auth/logout", nil, bearer: try await bearer())
        session.refreshToken = nil
        try session.save(path)
    }

    private func bearer() async throws -> Secret {
        if let accessToken { return accessToken }
        guard session.refreshToken != nil else {
            throw Arguments.Fault("not signed in: use 'strata-provision login' first, or an API token")
        }
        let room = try session.reserve(path)
        defer { KeyFile.drop(room) }
        return try keep(try await send(.post, "/api/v1/auth/refresh", nil, bearer: nil), in: room).accessToken.secret
    }

    /// - Parameter room: that was taken for the session file before the server was asked.
    private func keep(_ answer: ClientResponse, in room: String) throws -> SessionView {
        let view = try JSONDecoder().decode(SessionView.self, from: Data(answer.body))
        accessToken = view.accessToken.secret
        for field in answer.headers.all("set-cookie") {
            let pair = field.split(separator: ";", maxSplits: 1)[0].split(separator: "=", maxSplits: 1)
            guard pair.count == 2 else { continue }
            let value = SecretOnWire(Secret(String(pair[1])))
            if pair[0] == refreshCookieName { session.refreshToken = value }
            if pair[0] == browserCookieName { session.browser = value }
        }
        try session.save(path, in: room)
        return view
    }

    private func send(_ method: HTTP.Method, _ route: String, _ body: (any Encodable & Sendable)?, bearer: Secret?) async throws
        -> ClientResponse
    {
        var headers = Headers()
        var bytes: [UInt8]?
        if let body {
            headers.add("content-type", "application/json")
            bytes = Array(try JSONEncoder().encode(body))
        }
        return try await send(method, route, headers, bytes, bearer: bearer)
    }

    private func send(_ method: HTTP.Method, _ route: String, _ headers: Headers, _ body: [UInt8]?, bearer: Secret?) async throws
        -> ClientResponse
    {
        var headers = headers
        if let bearer {
            headers.add("authorization", "Bearer \(bearer.revealed)")
        } else {
            let cookies = [(refreshCookieName, session.refreshToken), (browserCookieName, session.browser)]
            let pairs = cookies.compactMap { name, value in value.map { "\(name)=\($0.secret.revealed)" } }
            if !pairs.isEmpty { headers.add("cookie", pairs.joined(separator: "; ")) }
        }
        let answer = try await client.request(method, session.server + route, headers: headers, body: body)
        guard answer.status.isSuccess else { throw Self.failure(answer) }
        return answer
    }

    private static func failure(_ answer: ClientResponse) -> any Error {
        // try?: an answer that is no problem document is told by its status.
        if let problem = try? JSONDecoder().decode(Problem.self, from: Data(answer.body)) { return Failure(problem: problem) }
        return Arguments.Fault("the server answered \(answer.status.code) \(answer.status.reason)")
    }
}

/// The cookie that holds the refresh token.
let refreshCookieName = "strata_refresh"
/// The cookie that says who signed in here before.
let browserCookieName = "strata_browser"
