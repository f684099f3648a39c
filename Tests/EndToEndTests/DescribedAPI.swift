import Foundation
import Posix
import Support
import Wire

/// The OpenAPI document of a running server, and answers that are held against it.
final class DescribedAPI: Sendable {
    /// An operation as the document names it.
    struct Operation: Sendable, Hashable, CustomStringConvertible {
        let method: String
        let path: String
        let statuses: Set<Int>
        /// The media types of its body.
        let bodies: [String]
        let isOpen: Bool
        /// Who may call it, for a person.
        let caller: String

        var description: String { "\(method) \(path)" }
        var takesBody: Bool { !bodies.isEmpty }
        var isOperators: Bool { caller.contains("operator") }
        var isEveryUsers: Bool { caller.contains("every user") }
        /// Of a room, for programs with a pass.
        var isDoor: Bool { ["/whip/", "/whep/"].contains { path.hasPrefix($0) } }
        /// Whether it answers with anything but a WebSocket.
        var hasAnswer: Bool { statuses.contains { (200..<300).contains($0) } }
    }

    let operations: [Operation]
    private let stage: Stage
    private let document: [UInt8]
    private let answers = Guarded<[(operation: Operation, reply: Reply)]>([])

    init(_ desk: FrontDesk) async throws {
        stage = desk.stage
        let served = try await desk.visitor().get("/openapi.json")
        document = served.body
        guard let paths = try served.object()["paths"] as? [String: [String: [String: Any]]] else { throw SupportFailure("no paths") }
        operations = paths.flatMap { path, methods in
            methods.map { method, operation in
                Operation(
                    method: method.uppercased(), path: path,
                    statuses: Set((operation["responses"] as? [String: Any] ?? [:]).keys.compactMap { Int($0) }),
                    bodies: ((operation["requestBody"] as? [String: Any])?["content"] as? [String: Any] ?? [:]).keys.sorted(),
                    isOpen: (operation["security"] as? [Any])?.isEmpty == true,
                    caller: operation["description"] as? String ?? "")
            }
        }.sorted { "\($0)" < "\($1)" }
    }

    /// Sends a request and keeps the answer.
    /// - Parameters:
    ///   - route: `GET /senders/{id}`.
    ///   - ids: for the placeholders, in their order.
    @discardableResult
    func call(
        _ route: String, _ ids: [String] = [], _ body: String? = nil, headers: [(String, String)] = [], type: String = "application/json",
        by visitor: Visitor
    ) async throws -> Reply {
        let parts = route.split(separator: " ").map(String.init)
        let isWhole = ["/api/", "/whip/", "/whep/", "/health", "/metrics"].contains { parts[1].hasPrefix($0) }
        let path = isWhole ? parts[1] : "/api/v1" + parts[1]
        guard let operation = operations.first(where: { $0.method == parts[0] && $0.path == path }) else {
            throw SupportFailure("the document has no \(route)")
        }
        return try await call(operation, ids, body, headers: headers, type: type, by: visitor)
    }

    @discardableResult
    func call(
        _ operation: Operation, method: String? = nil, _ ids: [String] = [], _ body: String? = nil, headers: [(String, String)] = [],
        type: String = "application/json", by visitor: Visitor
    ) async throws -> Reply {
        var (path, rest) = (operation.path, ids[...])
        while let hole = path.range(of: #"\{\w+\}"#, options: .regularExpression), let id = rest.popFirst() {
            path.replaceSubrange(hole, with: id)
        }
        let reply = try await visitor.send(method ?? operation.method, path, body, headers: headers, type: type)
        answers.withLock { $0.append((operation, reply)) }
        return reply
    }

    /// Sends a request to a route's address that somebody was given, and keeps the answer.
    func call(_ route: String, to url: String, by visitor: Visitor) async throws {
        let parts = route.split(separator: " ").map(String.init)
        guard let operation = operations.first(where: { $0.method == parts[0] && $0.path == "/api/v1" + parts[1] }) else {
            throw SupportFailure("the document has no \(route)")
        }
        let reply = try await visitor.send(operation.method, url)
        answers.withLock { $0.append((operation, reply)) }
    }

    /// Sends a file and keeps the answer.
    ///
    /// - Parameter url: where to, where that is not the route's own path.
    func call(_ route: String, file: [UInt8], type: String, to url: String? = nil, by visitor: Visitor) async throws {
        let parts = route.split(separator: " ").map(String.init)
        guard let operation = operations.first(where: { $0.method == parts[0] && $0.path == "/api/v1" + parts[1] }) else {
            throw SupportFailure("the document has no \(route)")
        }
        let reply = try await visitor.send(operation.method, url ?? operation.path, file, type: type)
        answers.withLock { $0.append((operation, reply)) }
    }

    /// The operations with an answer in this range that were not tried to it.
    func untried(_ range: Range<Int>) -> [Operation] {
        let tried = Set(answers.withLock { $0 }.filter { range.contains($0.reply.status) }.map(\.operation))
        return operations.filter { !tried.contains($0) && !$0.statuses.isDisjoint(with: range) }
    }

    /// What is not as the document says, a line for each.
    func faults() async throws -> String {
        let lines = try answers.withLock { $0 }.map { operation, reply in
            let line: [String: Any] = [
                "method": operation.method.lowercased(), "path": operation.path, "status": reply.status,
                "type": reply.headers["content-type"] ?? NSNull(), "body": String(decoding: reply.body, as: UTF8.self),
            ]
            return String(decoding: try JSONSerialization.data(withJSONObject: line), as: UTF8.self)
        }
        let file = try stage.folder.write(String(decoding: document, as: UTF8.self), to: "openapi.json")
        let kept = try stage.folder.write(lines.joined(separator: "\n"), to: "answers")
        return try await runTool(Self.python("python3"), ["-c", Self.judge, file, kept]).text
    }

    // jsonschema_rs comes with Schemathesis; it is nobody's own reading of the document.
    private static let judge = """
        import json, jsonschema_rs, sys
        document = json.load(open(sys.argv[1]))
        def fault(answer):
            described = document["paths"][answer["path"]][answer["method"]]["responses"].get(str(answer["status"]))
            if described is None: return "is not described"
            content, type, body = described.get("content"), answer["type"], answer["body"]
            if content is None: return f"has content: {type} {body[:200]}" if type or body else None
            if type not in content: return f"is {type}, not {list(content)}: {body[:200]}"
            if "schema" not in content[type]: return None
            body = json.loads(body)
            schema = dict(content[type]["schema"], components=document["components"])
            validator = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
            for error in validator.iter_errors(body): return f"{error.instance_path} {error.message[:300]}"
            if type == "application/problem+json" and body["status"] != answer["status"]: return f"says {body['status']}"
        for line in open(sys.argv[2]):
            answer = json.loads(line)
            if found := fault(answer): print(answer["method"], answer["path"], answer["status"], found)
        """

    /// A program of the virtual environment that the tests have.
    static func python(_ name: String) throws -> String {
        let path = Places.root.appendingPathComponent(".cache/python/bin/\(name)").path
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw SupportFailure("\(path) is missing: ci/packages install test")
        }
        return path
    }
}
