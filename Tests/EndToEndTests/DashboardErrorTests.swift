import Foundation
import Support
import Testing

/// Errors of the web application, in a real browser.
@Suite(.serialized, .unlessStolen)
struct DashboardErrorTests {
    @Test(
        "an owner names a tracker; what fails in a page comes to it by the server, without what is somebody's; a page that cannot be drawn offers to load again",
        .row("DIA-01", "DIA-15", "DIA-16"))
    func errors() async throws {
        try await withCollector { collector in
            try await atFrontDesk { desk in
                let browser = try await Chromium(on: desk.stage)
                let page = Dashboard(browser: browser, server: desk.server)
                try await browser.open(page.server + "/")
                for (field, text) in [("Mail address", "owner@example.org"), ("Password", desk.installation.ownerPassword)] {
                    try await page.fill(field, text)
                }
                try await page.press("Sign in")
                try await track(page, collector)
                _ = browser.takeComplaints()
                try await thrown(page, collector)
                try await drawn(page, collector)
                try await camera(page, collector)
                #expect(collector.faults == [])
                #expect(try desk.said.contains("\"a page failed\"") && !desk.said.contains("alice"))
            }
        }
    }

    private func track(_ page: Dashboard, _ collector: Collector) async throws {
        try await page.manage("Organisation")
        try await page.press("Errors")
        try await page.fill("DSN", "https://no-key.example.org/4")
        try await page.press("Save")
        try await page.see("should be a DSN such as")
        try await page.fill("DSN", collector.dsn("own1"))
        try await page.press("Save")
        try await page.see("127.0.0.1:\(collector.port), project 4")
        #expect(try await page.run("!document.documentElement.outerHTML.includes('own1@')") as? Bool == true)
        #expect(try await page.faults() == [])
        try await page.browser.screenshot("app-errors-1-tracker")
    }

    /// What nobody catches.
    private func thrown(_ page: Dashboard, _ collector: Collector) async throws {
        let script = """
            setTimeout(() => { throw new TypeError('no way to alice@example.org') }); void Promise.reject(new RangeError('token=s3cret')); true
            """
        _ = try await page.run(script)
        let events = try await eventually(within: .seconds(10), "both have come") {
            let events = collector.events.filter { $0.tags["component"] == "web" }
            return events.count >= 2 ? events : nil
        }
        let organization = try #require(events.first?.tags["org_id"])
        #expect(organization.count == 26)
        for event in events {
            #expect(event.object["platform"] as? String == "javascript" && event.tags["route"] == "/admin/organization/errors")
            #expect(!event.text.contains("alice") && !event.text.contains("s3cret"))
        }
        #expect(Set(events.compactMap { $0.raised.value }) == ["no way to [mail]", "token=[secret]"])
    }

    /// Why somebody has no camera is seen by whoever helps them, with what happened before.
    private func camera(_ page: Dashboard, _ collector: Collector) async throws {
        try await page.go("/network-test")
        try await page.press("Try camera and microphone")
        try await page.see("None was found.")
        let events = try await eventually(within: .seconds(10), "both are told, and each of them alone") {
            let events = collector.events.filter { $0.tags["route"] == "/network-test" }
            return events.count >= 2 ? events : nil
        }
        for event in events {
            #expect((event.object["extra"] as? [String: String])?["kind"] == "media" && event.raised.type == "NotFoundError")
        }
        #expect(events.contains { $0.raised.value?.hasPrefix("camera and microphone: missing (") == true })
        let crumbs = events.flatMap { ($0.object["breadcrumbs"] as? [String: Any])?["values"] as? [[String: Any]] ?? [] }
        #expect(crumbs.contains { $0["category"] as? String == "page" && ($0["message"] as? String)?.contains("missing") == true })
    }

    /// A page that gets what no server of ours answers.
    private func drawn(_ page: Dashboard, _ collector: Collector) async throws {
        let script = """
            window.real = window.fetch;
            window.fetch = (url, options) => String(url).endsWith('/api/v1/users')
              ? Promise.resolve(new Response('{"items":null}', { headers: { 'Content-Type': 'application/json' } })) : window.real(url, options);
            true
            """
        _ = try await page.run(script)
        try await page.manage("Members")
        try await page.see("This page has a fault. Reloading it may help.")
        try await page.browser.screenshot("app-errors-2-fallback")
        let event = try await eventually(within: .seconds(10), "it has come") {
            collector.events.first { $0.tags["route"] == "/admin/members" }
        }
        #expect(event.raised.type == "TypeError" && (event.object["extra"] as? [String: String])?["kind"] == "render")
        let files = event.raised.frames.compactMap { $0["filename"] as? String }
        #expect(files.contains { $0.hasPrefix("/assets/") } && !event.text.contains("127.0.0.1"))
        // The rest of the application is there, and the page after it was loaded again.
        try await page.press("Reload the page")
        try await page.see("owner@example.org")
        #expect(try await page.faults() == [])
    }
}
