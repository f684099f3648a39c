import Foundation
import Support
import Testing
import Wire

/// What those read who look after an organisation and after the server.
@Suite(.serialized, .unlessStolen)
struct DiagnosticsTests {
    @Test(
        "owners and admins read how the server is, what webhooks were told and who is in which meeting, and nobody else does; the owner alone says who is told of the server",
        .row("DIA-13"))
    func api() async throws {
        try await withCollector { collector in
            try await atFrontDesk { desk in
                let owner = try await desk.owner()
                let (admin, _) = try await user(.admin, of: owner, at: desk)
                let others = [try await user(.host, of: owner, at: desk).0, try await user(.member, of: owner, at: desk).0]
                #expect(try await owner.send("PUT", Self.home, Self.url(collector)).status == 200)
                let webhook = try await owner.post("/webhooks", #"{"url":"http://127.0.0.1:1/","description":"ours","active":true}"#).text(
                    "id")
                let delivery = try await owner.post("/webhooks/\(webhook)/test").text("id")
                for path in [
                    "/diagnostics/health", "/diagnostics/snapshots", "/diagnostics/deliveries", "/diagnostics/deliveries/\(delivery)",
                    "/webhooks", "/webhooks/\(webhook)", "/webhooks/\(webhook)/deliveries", "/diagnostics/meetings",
                    "/diagnostics/versions", "/analytics/days", "/organization/storage",
                ] {
                    for person in [owner, admin] { #expect(try await person.get(path).status == 200, "\(path)") }
                    for person in others { #expect(try await person.get(path).status == 403, "\(path)") }
                    #expect(try await desk.visitor().get(path).status == 401, "\(path)")
                }
                try await meetings(desk, owner, admin)
                try await told(desk, owner, [admin] + others, collector)
                try await silenced(desk, owner, collector)
            }
        }
    }

    private static let home = "/diagnostics/phone-home"
    private static func url(_ collector: Collector) -> String { #"{"url":"http://127.0.0.1:\#(collector.port)/home?key=0pensIt"}"# }

    /// One with a guest and its host, as long as it lasts.
    private func meetings(_ desk: FrontDesk, _ owner: Visitor, _ admin: Visitor) async throws {
        let made = try await owner.post("/meetings", #"{"title":"Stand-up","settings":{"guestAccess":"open"}}"#)
        let (id, slug) = (try made.text("id"), try made.text("slug"))
        func enter(_ answer: Reply) async throws -> RawPage {
            let token = try #require((try answer.object()["pass"] as? [String: Any])?["token"] as? String, "\(answer)")
            let page = try await RawPage(at: desk)
            _ = try await page.enter(token)
            return page
        }
        let guest = try await enter(try await desk.visitor().post("/join/guest", #"{"slug":"\#(slug)","name":"Gina"}"#))
        let host = try await enter(try await owner.post("/meetings/\(id)/join"))
        try await eventually(within: .seconds(5), "its length is told") {
            try await admin.get("/diagnostics/meetings").items().first?["durationSeconds"] as? Int ?? 0 >= 1
        }
        let running = try await admin.get("/diagnostics/meetings").items()
        #expect(running.map { $0["id"] as? String } == [id] && running.first?["title"] as? String == "Stand-up")
        let people = running.first?["participants"] as? [[String: Any]] ?? []
        #expect(people.map { $0["name"] as? String } == ["Gina", "Owner"])
        #expect(people.map { $0["role"] as? String } == ["guest", "host"])
        // What would tell of them leaves by no call.
        let stranger = try await desk.stranger()
        #expect(try await stranger.get("/diagnostics/meetings").items().isEmpty)
        #expect(try await stranger.get(Self.home).status == 404)
        #expect(try await stranger.send("PUT", Self.home, #"{"url":""}"#).status == 404)
        #expect(try await stranger.post(Self.home).status == 404)
        for page in [guest, host] { await page.socket.close() }
    }

    /// What whoever is named is told, and who names them.
    private func told(_ desk: FrontDesk, _ owner: Visitor, _ others: [Visitor], _ collector: Collector) async throws {
        for person in others {
            #expect(try await person.get(Self.home).status == 403)
            #expect(try await person.send("PUT", Self.home, #"{"url":""}"#).status == 403)
            #expect(try await person.post(Self.home).status == 403)
        }
        for wrong in ["nowhere", "ftp://example.org/", "https://"] {
            #expect(try await owner.send("PUT", Self.home, #"{"url":"\#(wrong)"}"#).fields == ["url"], "\(wrong)")
        }
        let call = try await owner.post(Self.home)
        #expect(try call.status == 201 && call.object()["status"] as? Int == 204 && call.text("occasion") == "manual", "\(call)")
        #expect(try collector.reports.contains(call.text("body")))
        try await eventually(within: .seconds(45), "the timetable's check is told too") {
            try await owner.get(Self.home).object()["calls"].map { calls in
                (calls as? [[String: Any]] ?? []).contains { $0["occasion"] as? String == "scheduled" && $0["status"] as? Int == 204 }
            } ?? false
        }
        let shown = try await owner.get(Self.home)
        #expect(try shown.text("place") == "127.0.0.1:\(collector.port)")
        let report = try #require(
            JSONSerialization.jsonObject(with: Data(try call.text("body").utf8)) as? [String: Any])
        #expect(Set(report.keys) == ["installation", "version", "at", "occasion", "status", "probes", "counts"])
        #expect((report["installation"] as? String)?.count == 64 && report["status"] as? String == "degraded")
        let counts = report["counts"] as? [String: Int] ?? [:]
        #expect(counts["organizations"] == 2 && counts["meetings"] == 1 && counts["senders"] == 0 && counts["participants"] != nil)
        let probes = report["probes"] as? [[String: Any]] ?? []
        #expect(probes.contains { $0["name"] as? String == "database" })
        #expect(probes.allSatisfy { Set($0.keys) == ["name", "status", "latencyMs"] })
        let names = Set(collector.reports.compactMap { Self.installation($0) })
        #expect(names.count == 1, "it is the same each time")
        let organization = try await owner.get("/organization").text("id")
        for hidden in ["owner@example.org", organization, "Stand-up", "Gina", desk.installation.origin, "0pensIt"] {
            #expect(!collector.reports.contains { $0.contains(hidden) }, "\(hidden)")
        }
        #expect(!String(decoding: shown.body, as: UTF8.self).contains("0pensIt"))
        #expect(try !desk.said.contains("0pensIt"))
    }

    private static func installation(_ report: String) -> String? {
        // try?: what is no JSON has none.
        (try? JSONSerialization.jsonObject(with: Data(report.utf8)) as? [String: Any])?["installation"] as? String
    }

    /// Nobody is told from then on, and what is not reached is written down.
    private func silenced(_ desk: FrontDesk, _ owner: Visitor, _ collector: Collector) async throws {
        #expect(try await owner.send("PUT", Self.home, #"{"url":"http://10.1.2.3/home"}"#).text("place") == "10.1.2.3")
        let count = collector.reports.count
        let refused = try await owner.post(Self.home)
        #expect(try refused.status == 201 && refused.object()["status"] == nil && refused.text("fault").contains("10.1.2.3"), "\(refused)")
        let off = try await owner.send("PUT", Self.home, #"{"url":""}"#)
        #expect(try off.status == 200 && off.object()["place"] == nil)
        #expect(try await owner.post(Self.home).status == 409)
        #expect(collector.reports.count == count && collector.faults == [])
        let details = try await owner.get("/audit").items().filter { $0["action"] as? String == "server.phone_home_changed" }
        #expect(
            details.map { $0["detail"] as? String } == ["to nobody", "to 10.1.2.3", "to 127.0.0.1:\(collector.port)"])
    }
}
