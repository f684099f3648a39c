import Foundation
import Support
import Testing
import Wire

/// The written protocol and the written API are those of the running programs: nothing is missing and nothing is invented.
@Suite(.serialized, .unlessStolen)
struct ReferenceTests {
    @Test("every route of a running server stands in the API reference as it is, and no other", .row("CTL-13"))
    func routes() async throws {
        try await atFrontDesk { desk in
            let document = try await desk.visitor().get("/openapi.json").object()
            let paths = try #require(document["paths"] as? [String: [String: [String: Any]]])
            let served = paths.flatMap { path, operations in
                operations.map { method, operation in
                    "| `\(method.uppercased()) \(path)` | \(operation["summary"] ?? "") | \(operation["description"] ?? "") |"
                }
            }
            let written = try lines("Control/API/README.md").filter { $0.hasPrefix("| `") }
            #expect(Set(written).count == written.count)
            let missing = Set(served).subtracting(written).sorted()
            let invented = Set(written).subtracting(served).sorted()
            #expect(missing.isEmpty, "not in Control/API/README.md:\n\(missing.joined(separator: "\n"))")
            #expect(invented.isEmpty, "no such route:\n\(invented.joined(separator: "\n"))")
            // Each of them is there: what a server does not know has no problem of a route.
            for path in paths.keys where !path.contains("{") {
                let answer = try await desk.visitor().send("OPTIONS", path)
                #expect(answer.status == 405, "\(path): \(answer)")
            }
            #expect(try await desk.visitor().send("OPTIONS", "/api/v1/nothing").status == 404)
            // Every field of a body or an answer has its shape in the same document.
            let schemas = try #require((document["components"] as? [String: Any])?["schemas"] as? [String: Any])
            let text = String(decoding: try await desk.visitor().get("/openapi.json").body, as: UTF8.self)
            for name in text.matches(of: #/#\/components\/schemas\/(\w+)/#).map({ String($0.1) }) {
                #expect(schemas[name] != nil, "\(name)")
            }
        }
    }

    @Test("every message that the programs know stands in the protocol's description, and no other", .row("CTL-13"))
    func messages() async throws {
        try expect("### Agent to control", AgentMessage.self)
        try expect("### Control to agent", AgentOrder.self)
        try expect("### Pool to control", PoolMessage.self)
        try expect("### Control to pool", PoolOrder.self)
        try expect("### Pool to receiver", ReceiverOrder.self)
        try expect("### Receiver to pool", ReceiverMessage.self)
        try expect("### Control to worker", WorkerOrder.self)
        try expect("### Worker to control", WorkerMessage.self)
        try expect("### Page to control", RoomOrder.self)
        try expect("### Control to page", RoomMessage.self)
        try expect("### Control to a page that tries the network", NetworkTestMessage.self)

        // The topics of the live feed, as a browser gets them while a board is there.
        try await atFrontDesk { desk in
            let owner = try await desk.owner()
            let feed = try await owner.watch()
            let board = try await desk.board(of: owner)
            let socket = try await board.connect()
            try await socket.send(AgentMessage.telemetry(AgentTelemetry(atMs: 1, links: [], pipeline: nil)))
            let named = try names("## Browsers")
            let described = Set(
                named.filter { $0.hasSuffix("/ID") }.map { String($0.dropLast(3)) }
                    + ["all", "whole", "destinations"].filter(named.contains))
            #expect(described == ["sender", "telemetry", "broadcast", "events", "all", "whole", "destinations"])
            var seen: Set<String> = []
            while !seen.contains("telemetry"), case .text(let text)? = try await feed.receive() {
                let update = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
                let topic = try #require(update?["topic"] as? String)
                seen.insert(String(topic.prefix { $0 != "/" }))
            }
            #expect(seen.isSubset(of: described))
            await socket.close()
            await feed.close()
        }
    }

    // MARK: Parts

    private func lines(_ path: String) throws -> [String] {
        try String(contentsOf: Places.root.appendingPathComponent(path), encoding: .utf8).components(separatedBy: "\n")
    }

    /// The section of PROTOCOL.md under a heading.
    private func section(_ heading: String) throws -> [String] {
        let all = try lines("Common/Wire/PROTOCOL.md")
        let start = try #require(all.firstIndex(of: heading), "there is no '\(heading)'")
        return Array(all[(start + 1)...].prefix { !$0.hasPrefix("#") })
    }

    /// What stands in backquotes there.
    private func names(_ heading: String) throws -> [String] {
        try section(heading).joined(separator: "\n").matches(of: #/`([^`]+)`/#).map { String($0.1) }
    }

    /// The first column of the section's table names exactly the types that the program knows.
    private func expect<Kind: Message>(_ heading: String, _: Kind.Type) throws {
        let rows = try section(heading).filter { $0.hasPrefix("| `") }
        let written = rows.flatMap { row in
            row.split(separator: "|")[0].matches(of: #/`([^`]+)`/#).map { String($0.1) }
        }
        #expect(written.sorted() == Kind.Kind.allCases.map(\.rawValue).sorted(), "\(heading)")
    }
}
