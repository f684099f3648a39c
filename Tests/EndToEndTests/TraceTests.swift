import Foundation
import Support
import Testing

/// Requests and jobs, followed through the server.
@Suite(.serialized, .unlessStolen)
struct TraceTests {
    @Test(
        "a slow request is followed to the transaction that waited, and a delivery to its receiver; who is no proxy has no say in it",
        .row("DIA-06"))
    func slow() async throws {
        try await withCollector { collector in
            try await atFrontDesk({
                $0.sections = "[traces]\nendpoint = \"http://127.0.0.1:\(collector.port)\"\nsample_ratio = 1"
            }) { desk in
                let owner = try await desk.owner()
                let script = """
                    import sqlite3, sys, time
                    database = sqlite3.connect(sys.argv[1], timeout=5, isolation_level=None)
                    database.execute("BEGIN IMMEDIATE")
                    print("locked", flush=True)
                    time.sleep(1.5)
                    database.execute("COMMIT")
                    """
                let lock = try desk.stage.start("/usr/bin/python3", ["-c", script, desk.stage.folder["control/strata.db"]])
                try await lock.line(containing: "locked")
                let theirs = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
                let answer = try await owner.send(
                    "PATCH", "/organization/settings", #"{"locale":"de-DE"}"#, headers: [("traceparent", theirs)])
                #expect(answer.status == 200)
                let root = try await span("PATCH /api/v1/organization/settings", collector)
                #expect(root.seconds > 0.5 && root.kind == 2 && root.parentID == nil && root.traceID != "4bf92f3577b34da6a3ce929d0e0e4736")
                #expect(
                    root.attributes["http.route"] == "/api/v1/organization/settings"
                        && root.attributes["http.response.status_code"] == "200")
                let organization = try await owner.get("/organization").text("id")
                #expect(root.attributes["strata.organization"] == organization)
                let inner = collector.spans.filter { $0.traceID == root.traceID && $0.parentID == root.spanID }
                #expect(inner.count >= 3 && inner.allSatisfy { $0.attributes["db.system.name"] == "sqlite" && $0.kind == 3 })
                let longest = try #require(inner.max { $0.seconds < $1.seconds })
                #expect(longest.name == "Store/Settings.swift change(_:freshCode:)" && longest.attributes["db.operation.name"] == "write")
                #expect(longest.seconds > 0.5 && longest.seconds <= root.seconds && longest.attributes["db.wait_us"] != nil)

                let hook = #"{"url":"http://127.0.0.1:\#(collector.port)/hook","description":"h","kinds":["webhook.test"],"active":true}"#
                let webhook = try await owner.post("/webhooks", hook).text("id")
                #expect(try await owner.post("/webhooks/\(webhook)/test").status == 201)
                let post = try await span("POST", collector)
                #expect(
                    post.kind == 3 && post.attributes["http.response.status_code"] == "200"
                        && post.attributes["server.address"] == "[address]")
                let job = try await eventually(within: .seconds(10), "its job has come") {
                    collector.spans.first { $0.traceID == post.traceID && $0.spanID == post.parentID }
                }
                #expect(job.name.hasPrefix("job ") && job.parentID == nil)
                #expect(collector.faults == [])
            }
        }
    }

    @Test("nothing is followed by a share of 0 but what a trusted proxy has begun and wants followed")
    func proxied() async throws {
        try await withCollector { collector in
            let port = try FreePorts.tcp()
            try await atFrontDesk({
                $0.proxyPort = port
                $0.sections = "[traces]\nendpoint = \"http://127.0.0.1:\(collector.port)\"\nsample_ratio = 0.0"
            }) { desk in
                let visitor = desk.visitor()
                func ask(_ parent: String?) async throws {
                    #expect(try await visitor.send("GET", "/setup", nil, headers: parent.map { [("traceparent", $0)] } ?? []).status == 200)
                }
                try await ask(nil)
                for parent in ["00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00", "00-nonsense-01", ""] {
                    try await ask(parent)
                }
                try await ask("00-aaaabbbbccccddddaaaabbbbccccdddd-00f067aa0ba902b7-01")
                let root = try await span("GET /api/v1/setup", collector)
                #expect(root.traceID == "aaaabbbbccccddddaaaabbbbccccdddd" && root.parentID == "00f067aa0ba902b7")
                #expect(Set(collector.spans.map(\.traceID)) == [root.traceID] && collector.faults == [])
            }
        }
    }

    private func span(_ name: String, _ collector: Collector) async throws -> Collector.Span {
        try await eventually(within: .seconds(10), "\(name) has come") { collector.spans.first { $0.name == name } }
    }
}
