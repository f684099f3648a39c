import Crypto
import Foundation
import Support
import Testing
import Units
import Wire

/// What there may be no more of, what is not kept any longer, and what nobody may be called.
@Suite(.serialized, .unlessStolen)
struct LimitsTests {
    @Test("nobody is called what leads elsewhere, hides or shouts, whichever way they come", .row("SEC-14"))
    func names() async throws {
        try await atFrontDesk { desk in
            let owner = try await desk.owner()
            let me = try await owner.get("/auth/me").text("id")
            let made = try await owner.post(
                "/users", #"{"email":"kim@example.org","displayName":"Kim","role":"host","password":"a long password"}"#)
            let kim = try made.text("id")
            let open = try await owner.post("/invitations", #"{"email":"lee@example.org","role":"member"}"#)
            let link = try open.text("link")
            let token = try #require(link.components(separatedBy: "#token=").last)
            func ways(_ name: String) async throws -> [Reply] {
                let text = String(decoding: try JSONEncoder().encode(name), as: UTF8.self)
                return [
                    try await owner.post(
                        "/users", #"{"email":"new@example.org","displayName":\#(text),"role":"member","password":"a long password"}"#),
                    try await owner.send("PATCH", "/users/\(kim)", #"{"displayName":\#(text)}"#),
                    try await owner.send("PATCH", "/auth/me", #"{"displayName":\#(text)}"#),
                    try await desk.visitor().post(
                        "/auth/invitation/accept", #"{"token":"\#(token)","displayName":\#(text),"password":"a long password"}"#),
                    try await desk.operating().post(
                        "/operator/organizations",
                        #"{"name":"n","slug":"nn","ownerEmail":"o@example.org","ownerDisplayName":\#(text),"ownerPassword":"a long password"}"#
                    ),
                ]
            }
            for name in [
                "<b>Ada</b>", "A", "", String(repeating: "Ada ", count: 13), "see https://evil.example", "www.evil.example",
                "Ada\u{202E}nimdA", "!!!!!!",
                "Aaaaaaaaa",
            ] {
                for answer in try await ways(name) {
                    #expect(answer.status == 422, "\(name): \(answer)")
                    #expect(
                        try answer.fields.allSatisfy { $0.lowercased().hasSuffix("displayname") } && !answer.fields.isEmpty,
                        "\(name): \(answer)")
                }
            }
            #expect(try await owner.get("/users").items().compactMap { $0["displayName"] as? String }.sorted() == ["Kim", "Owner"])
            for answer in try await ways("Ada Lovelace") { #expect((200..<300).contains(answer.status), "\(answer)") }
            #expect(
                try await owner.get("/users").items().contains {
                    $0["id"] as? String == me && $0["displayName"] as? String == "Ada Lovelace"
                })
        }
    }

    @Test("an organisation sees how much of what it may have it has, and whoever asks for more reads which limit that was", .row("STO-10"))
    func usage() async throws {
        try await atFrontDesk({ $0.quotas = ["destinations": 2, "storage": 1] }) { desk in
            let owner = try await desk.owner()
            let page = try await Dashboard.opened(on: desk.stage, at: desk.server, desk.installation.ownerPassword)
            func usage() async throws {
                try await page.manage("Organisation")
                try await page.press("Usage")
                try await page.wait("document.querySelectorAll('.share meter').length === 7", "each is shown")
            }
            func bar(_ name: String) -> String {
                "(e => e && e.closest('.share').innerText.replace(/\\s+/g, ' '))([...document.querySelectorAll('meter')].find(e => strata.name(e) === '\(name)'))"
            }
            try await usage()
            #expect(try await page.run(bar("Destinations")) as? String == "Destinations 0 of 2")
            #expect(try await page.run(bar("Storage")) as? String == "Storage 0.0 MiB of 1.0 MiB")
            // A file, by the address that was signed for it.
            let file = SlateUploadTests.png
            let wish = #"{"sha256":"\#(Hex.encode(SHA256.hash(file)))","kind":"png","bytes":\#(file.count)}"#
            let address = try await owner.post("/auth/me/avatar", wish).text("url")
            #expect(try await owner.send("PUT", address, file, type: "image/png").status == 204)
            let storage = try await owner.get("/organization/usage").items().first { $0["name"] as? String == "storage" }
            #expect(storage?["used"] as? Int == file.count && storage?["limit"] as? Int == 1 << 20)
            for name in ["one", "two"] {
                let made = try await owner.post("/destinations", #"{"name":"\#(name)","url":"rtmp://127.0.0.1/\#(name)","secret":"key"}"#)
                #expect(made.status == 201)
            }
            try await page.press("Destinations")
            try await page.press("Add a destination")
            for (field, text) in [("Name", "three"), ("Address", "rtmp://127.0.0.1/three"), ("Stream key", "key")] {
                try await page.fill(field, text)
            }
            try await page.press("Save")
            try await page.see("all 2 destinations are in use (quotas.destinations = 2)")
            try await page.browser.screenshot("limits-1-refused")
            #expect(page.browser.takeComplaints().allSatisfy { $0.contains("status of 429") })
            try await page.press("Cancel")
            try await usage()
            #expect(try await page.run(bar("Destinations")) as? String == "Destinations 2 of 2")
            #expect(try await page.run(bar("Files")) as? String == "Files 1 of 500")
            #expect(try await page.run("document.querySelectorAll('meter.near').length") as? Int == 1, "what is nearly used up stands out")
            #expect(try await page.faults() == [])
            try await page.browser.screenshot("limits-2-usage")
        }
    }

    @Test("what was told to webhooks is kept for 30 days and how the server was for 90, and no longer", .row("DIA-18"))
    func kept() async throws {
        try await atFrontDesk { desk in
            let owner = try await desk.owner()
            let hook = try await owner.post("/webhooks", #"{"url":"http://127.0.0.1:1/","description":"ours","active":true}"#).text("id")
            for _ in 0..<2 {
                #expect(try await owner.post("/diagnostics/health").status == 201)
                #expect(try await owner.post("/webhooks/\(hook)/test").status < 300)
            }
            try await eventually(within: .seconds(10), "both are noted") {
                try await owner.get("/diagnostics/deliveries").items().count >= 2
            }
            try await desk.installation.program("control").kill9()
            // Of each one is a minute older by now than it is kept, and the others are a minute younger.
            let now = Int(Date().timeIntervalSince1970) * 1000
            let tables = [("deliveries", "created_at", now - 30 * 86_400_000), ("health_snapshots", "at", now - 90 * 86_400_000)]
            func count(_ table: String, _ condition: String) async throws -> Int {
                Int(try await sqlite(desk, "SELECT count(*) FROM \(table) WHERE \(condition)")) ?? -1
            }
            var young: [Int] = []
            for (table, column, limit) in tables {
                _ = try await sqlite(desk, "UPDATE \(table) SET \(column) = \(limit + 60_000)")
                _ = try await sqlite(
                    desk, "UPDATE \(table) SET \(column) = \(limit - 60_000) WHERE id = (SELECT min(id) FROM \(table))")
                young.append(try await count(table, "\(column) = \(limit + 60_000)"))
                #expect(try await count(table, "\(column) < \(limit)") == 1)
            }
            _ = try await sqlite(desk, "UPDATE jobs SET run_at = 1000 WHERE outcome IS NULL AND kind = 'cleanup'")
            try await desk.installation.startControl()
            for ((table, column, limit), young) in zip(tables, young) {
                try await eventually(within: .seconds(10), "the old one of \(table) is gone") {
                    try await count(table, "\(column) < \(limit)") == 0
                }
                #expect(young > 0)
                #expect(try await count(table, "\(column) = \(limit + 60_000)") == young, "\(table)")
            }
        }
    }
}
