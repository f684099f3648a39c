import Foundation
import Support
import Testing
import Units
import Wire

/// What the API says of itself is what it does.
@Suite(.serialized)
struct DescriptionTests {
    @Test("each answer is as the OpenAPI document says", .row("CTL-18"))
    func answers() async throws {
        try await atFrontDesk { desk in
            let owner = try await desk.owner()
            let document = try await desk.visitor().get("/openapi.json")
            let root = try document.object()
            #expect(root["openapi"] as? String == "3.1.0")
            let board = try await desk.board(of: owner)
            let socket = try await board.connect()
            let reading = Task { try await RawBoard.answerAll(socket, .done) }
            defer { reading.cancel() }
            let sender = "/senders/\(board.identity.device)"
            try await eventually(within: .seconds(5), "the board is online") {
                try await owner.get(sender).object()["online"] as? Bool == true
            }
            let made = try await owner.post("/destinations", #"{"name":"d","url":"rtmp://127.0.0.1/app","secret":"key"}"#)
            let destination = "/destinations/\(try made.text("id"))"
            let started = try await owner.post(
                "/broadcasts", #"{"sender":"\#(board.identity.device)","destinations":["\#(try made.text("id"))"]}"#)
            let broadcast = "/broadcasts/\(try started.text("id"))"
            let operating = try desk.operating()
            var lines: [String] = []
            func check(_ method: String, _ path: String, _ shape: String, _ answer: Reply) throws {
                #expect(answer.status < 300, "\(method) \(path): \(answer)")
                let body = try JSONSerialization.jsonObject(with: Data(answer.body))
                let line: [String: Any] = ["method": method.lowercased(), "path": shape, "status": answer.status, "body": body]
                lines.append(String(decoding: try JSONSerialization.data(withJSONObject: line), as: UTF8.self))
            }
            try check("POST", "/destinations", "/api/v1/destinations", made)
            try check("POST", "/broadcasts", "/api/v1/broadcasts", started)
            let gets = [
                ("/auth/me", nil), ("/auth/sessions", nil), ("/organization", nil), ("/users", nil), ("/audit", nil), ("/pool", nil),
                ("/diagnostics/health", nil), ("/enrollment-tokens", nil), ("/senders", nil), (sender, "/senders/{id}"),
                ("\(sender)/configurations", "/senders/{id}/configurations"), ("/destinations", nil),
                (destination, "/destinations/{id}"), ("/broadcasts", nil), (broadcast, "/broadcasts/{id}"), ("/setup", nil),
            ]
            let configured = try await owner.send("PUT", "\(sender)/configuration", #"{"toml":"[video]\nwidth = 640"}"#)
            try check("PUT", sender, "/api/v1/senders/{id}/configuration", configured)
            for (path, shape) in gets { try check("GET", path, "/api/v1" + (shape ?? path), try await owner.get(path)) }
            try check("GET", "/health", "/health", try await owner.get("/health"))
            try check("GET", "/operator/audit", "/api/v1/operator/audit", try await operating.get("/operator/audit"))
            try check("POST", "/auth/ticket", "/api/v1/auth/ticket", try await owner.post("/auth/ticket"))
            try check("PATCH", sender, "/api/v1/senders/{id}", try await owner.send("PATCH", sender, #"{"name":"new"}"#))
            let token = try await owner.post("/enrollment-tokens", #"{"kind":"sender"}"#)
            try check("POST", "/enrollment-tokens", "/api/v1/enrollment-tokens", token)
            try check("POST", broadcast, "/api/v1/broadcasts/{id}/stop", try await owner.post("\(broadcast)/stop"))
            try check("POST", "/auth/refresh", "/api/v1/auth/refresh", try await owner.refresh())
            // jsonschema_rs comes with Schemathesis; it is nobody's own reading of the document.
            let script = """
                import json, jsonschema_rs, sys
                document = json.load(open(sys.argv[1]))
                for line in open(sys.argv[2]):
                    answer = json.loads(line)
                    responses = document["paths"][answer["path"]][answer["method"]]["responses"]
                    schema = responses[str(answer["status"])]["content"]["application/json"]["schema"]
                    schema = dict(schema, components=document["components"])
                    validator = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
                    for error in validator.iter_errors(answer["body"]):
                        print(answer["method"], answer["path"], error.instance_path, error.message[:300])
                """
            let file = try desk.stage.folder.write(String(decoding: document.body, as: UTF8.self), to: "openapi.json")
            let answers = try desk.stage.folder.write(lines.joined(separator: "\n"), to: "answers")
            #expect(try await runTool(Self.python("python3"), ["-c", script, file, answers]).text == "")
        }
    }

    /// Bounded by a fixed seed and few examples: the same requests each time. In one thread: Python 3.11 counts the depth of its parser
    /// for all threads together, and fails by chance (python/cpython 106905); four threads took as long.
    @Test("Schemathesis finds no 500 and nothing undocumented", .row("CTL-18"))
    func schemathesis() async throws {
        try await atFrontDesk({ $0.requestsPerMinute = 1_000_000 }) { desk in
            let owner = try await desk.owner()
            let token = try #require(owner.token)
            let answer = try await runTool(
                Self.python("schemathesis"),
                [
                    "run", "\(desk.server)/api/v1/openapi.json", "--header", "Authorization: Bearer \(token)", "--seed", "1",
                    "--max-examples", "3", "--phases", "coverage,fuzzing", "--generation-database", "none", "--workers", "1",
                    "--continue-on-failure", "--no-color", "--warnings", "off", "--request-timeout", "10",
                    // The session that asks must last; and what fits a schema may still contradict what is there.
                    "--exclude-path", "/api/v1/auth/logout", "--exclude-checks", "positive_data_acceptance",
                ], mayFail: true)
            #expect(answer.status == 0, "\(answer.text.suffix(6000))\n\(answer.errors.suffix(2000))")
            let faults = try desk.said.split(separator: "\n").filter { $0.contains("\"a request failed\"") }
            #expect(faults.isEmpty, "\(faults.prefix(3))")
        }
    }

    private static func python(_ name: String) throws -> String {
        let path = Places.root.appendingPathComponent(".cache/python/bin/\(name)").path
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw SupportFailure("\(path) is missing: ci/packages install test")
        }
        return path
    }
}
