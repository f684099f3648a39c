import Foundation
import Support
import Testing

/// What goes wrong in a server, told to trackers.
@Suite(.serialized, .unlessStolen)
struct ErrorTrackingTests {
    @Test(
        "errors come to the vendor's tracker and to the owner's own, or to one, or to none, from the change on, with what they are found by and nothing of people",
        .row("DIA-02", "DIA-03"))
    func errors() async throws {
        try await withCollector { collector in
            try await atFrontDesk({
                $0.sections = "[errors]\nvendor_dsn = \"\(collector.dsn("vendor1", project: 7))\"\nenvironment = \"staging\""
            }) { desk in
                let owner = try await desk.owner()
                let organization = try await owner.get("/organization").text("id")
                try await breakSettings(desk)
                try await fail(owner)
                let event = try await eventually(within: .seconds(5), "the vendor has it") { collector.events(by: "vendor1").first }
                told(event, organization)

                #expect(try await owner.send("PUT", path, #"{"dsn":"http://no-key.example.org/4"}"#).fields == ["dsn"])
                let set = try await owner.send("PUT", path, #"{"dsn":"\#(collector.dsn("own1"))"}"#)
                #expect(try set.status == 200 && set.text("own") == "127.0.0.1:\(collector.port), project 4")
                #expect(try set.text("vendor") == "127.0.0.1:\(collector.port), project 7")
                #expect(!String(decoding: set.body, as: UTF8.self).contains("own1"))
                try await fail(owner)
                try await counts(collector, ["own1": 1, "vendor1": 2])
                let ids = collector.events.suffix(2).compactMap { $0.object["event_id"] as? String }
                #expect(ids.count == 2 && Set(ids).count == 1, "it is one event")

                // It wants to be left alone: the others go on.
                collector.limit("own1", "60:error:organization")
                for _ in 0..<2 { try await fail(owner) }
                try await counts(collector, ["own1": 2, "vendor1": 4])
                #expect(try await owner.send("PUT", path, #"{"dsn":"\#(collector.dsn("own2"))"}"#).status == 200)
                try await fail(owner)
                try await counts(collector, ["own1": 2, "own2": 1, "vendor1": 5])

                try await killed(desk, owner, collector)
                try await closed(desk, owner, collector)
                #expect(collector.faults == [])
                let token = try #require(owner.token)
                for hidden in ["127.0.0.1", "owner@example.org", token, "own1", "own2", "vendor1", desk.installation.ownerPassword] {
                    #expect(!collector.events.contains { $0.text.contains(hidden) }, "\(hidden)")
                }
                #expect(try !["own1", "own2", "vendor1"].contains { try desk.said.contains($0) })
            }
        }
    }

    private let path = "/diagnostics/error-tracking"

    /// From now on the organisation's settings cannot be read.
    private func breakSettings(_ desk: FrontDesk) async throws {
        _ = try await sqlite(
            desk,
            """
            INSERT INTO organization_settings (organization, locale, registration, code_hash, code, changed_at)
            SELECT id, 'auto', 'open', x'01', x'0102', 1 FROM organizations
            """)
    }

    private func fail(_ owner: Visitor) async throws {
        let answer = try await owner.get("/organization/settings")
        #expect(answer.status == 500 && answer.problem == "internal", "\(answer)")
    }

    private func told(_ event: Collector.Event, _ organization: String) {
        let (tags, object, raised) = (event.tags, event.object, event.raised)
        #expect(
            tags["org_id"] == organization && tags["route"] == "GET /api/v1/organization/settings" && tags["component"] == "control.api")
        #expect(
            tags["deployment_id"]?.count == 32 && object["environment"] as? String == "staging" && object["level"] as? String == "error")
        #expect((object["release"] as? String)?.hasPrefix("strata@") == true && object["platform"] as? String == "other")
        #expect(raised.type == "a request failed" && raised.value?.contains("sealed blob of 2 bytes") == true)
        #expect(raised.frames.first?["filename"] as? String == "API/Failures.swift" && raised.frames.first?["lineno"] is Int)
        let crumbs = (object["breadcrumbs"] as? [String: Any])?["values"] as? [[String: Any]] ?? []
        #expect(!crumbs.isEmpty && crumbs.count <= 30 && crumbs.contains { $0["message"] as? String == "listening" })
    }

    /// The next run says so, to whom the setting names.
    private func killed(_ desk: FrontDesk, _ owner: Visitor, _ collector: Collector) async throws {
        let deployment = collector.events.first?.tags["deployment_id"]
        try await desk.installation.program("control").kill9()
        try await desk.installation.startControl()
        try await counts(collector, ["own1": 2, "own2": 2, "vendor1": 6])
        let event = try #require(collector.events(by: "own2").last)
        #expect(event.object["level"] as? String == "fatal" && event.raised.type == "the run before ended without a word")
        #expect(event.tags["deployment_id"] == deployment)
    }

    /// Nobody is told, or nobody can be; whose server it is not has no say in it.
    private func closed(_ desk: FrontDesk, _ owner: Visitor, _ collector: Collector) async throws {
        let off = try await owner.send("PUT", path, #"{"dsn":""}"#)
        #expect(try off.status == 200 && off.object()["own"] == nil)
        try await fail(owner)
        try await counts(collector, ["own1": 2, "own2": 2, "vendor1": 7])
        #expect(try await desk.operating().send("PUT", "/operator/error-tracking", #"{"dsn":"http://k@10.1.2.3/4"}"#).status == 200)
        try await fail(owner)
        _ = try await desk.installation.program("control").line(containing: "10.1.2.3, which is private")
        let stranger = try await desk.stranger()
        #expect(try await stranger.get(path).status == 404)
        #expect(try await stranger.send("PUT", path, #"{"dsn":""}"#).status == 404)
        let may = try #require(try await stranger.refresh().object()["may"] as? [String])
        #expect(!may.contains("reports.manage"))
        let actions = try await desk.operating().get("/operator/audit").items().compactMap { $0["action"] as? String }
        #expect(actions.filter { $0 == "server.error_tracking_changed" }.count == 4)
    }

    /// Waits until so many have come by each key.
    private func counts(_ collector: Collector, _ expected: [String: Int]) async throws {
        let keys = { Dictionary(collector.events.map { ($0.key, 1) }, uniquingKeysWith: +) }
        do {
            try await eventually(within: .seconds(5), "so many have come") { keys() == expected }
        } catch { throw SupportFailure("\(keys()), not \(expected); \(collector.faults)") }
    }
}
