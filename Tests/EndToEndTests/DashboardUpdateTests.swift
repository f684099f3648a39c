import Crypto
import Foundation
import Releases
import Support
import Testing
import Wire

/// The page of the server's own version. What the updater would say and take up is said and taken up by the test: what it really does is
/// `ServerUpdateBootTests`.
@Suite(.serialized, .unlessStolen)
struct DashboardUpdateTests {
    @Test(
        "an owner sees that there is an update, what it brings, each step, what became of all of them, the way back, which takes the version typed, and far below a copy of the database; others see none of it",
        .row("DEP-07", "DEP-11", "DEP-13", "DEP-15"))
    func page() async throws {
        let files = try TemporaryFolder()
        try await atFrontDesk({
            $0.sections = "[updates]\nkeys = \"\(files["keys"])\"\nreport = \"\(files["report"])\""
        }) { desk in
            try publish("2.0.0", at: desk, files)
            let copy = "strata.db.before-update.\(Int64(Date.now.timeIntervalSince1970 * 1000) - 60_000)"
            try desk.stage.folder.write("", to: "control/\(copy)")
            try say(ServerUpdateReport(installed: "1.0.0"), files)
            let page = try await Dashboard.opened(on: desk.stage, at: desk.server, desk.installation.ownerPassword)
            try await page.press("Admin")
            try await page.see("Update available")
            try await page.go("/admin/updates")
            let told = [
                "Version 2.0.0", "Update available", "Rooms begin sooner.", "Passes of 1.0 are no longer taken.", "Channel\nstable",
            ]
            for text in told { try await page.see(text) }
            try await page.press("Look for updates")
            try await page.see("Looked for updates")
            try await page.press("Install 2.0.0")
            let order = try await eventually(within: .seconds(15), "the updater is asked") { try self.order(desk) }
            guard case .install(let version, _) = order.move else { throw SupportFailure("another wish: \(order)") }
            #expect("\(version)" == "2.0.0")
            try await page.see("2.0.0 was asked for.")

            let place = ServerUpdateReport.Place(title: "control of 2.0.0 answers", number: 6, of: 9)
            try say(
                ServerUpdateReport(installed: "1.0.0", phase: .working, target: "2.0.0", place: place, order: Hex.encode(order.id)), files)
            try await page.see("Step 6 of 9: control of 2.0.0 answers", within: .seconds(40))
            let done = ServerUpdateReport(
                installed: "2.0.0", previous: "1.0.0", order: Hex.encode(order.id), sequence: 2, history: Self.past)
            try say(done, files)
            let rows = Self.past.count
            try await page.wait("strata.rows('Updates so far').length === \(rows)", "all are in the history", within: .seconds(40))
            let past = try #require(try await page.run("strata.rows('Updates so far')") as? [String])
            for (row, words) in [
                (0, ["Nov 23, 2026", "2.0.0", "1.0.0", "Installed"]), (1, ["Nov 22, 2026", "1.9.0", "Did not work", "it ended at once"]),
                (2, ["Nov 21, 2026", "1.1.0", "Went back"]), (rows - 1, ["0.9.101", "Installed"]),
            ] {
                for word in words { #expect(past[row].contains(word), "\(past[row])") }
            }
            #expect(try await page.faults() == [])
            try await page.browser.screenshot("server-updates")

            try await page.press("Go back to 1.0.0")
            #expect(try await page.run("strata.named('button', 'Go back').disabled") as? Bool == true)
            try await page.fill("Type “1.0.0” to confirm", "1.0.0")
            try await page.press("Go back")
            let back = try await eventually(within: .seconds(15), "the way back is asked for") {
                try self.order(desk).flatMap { $0.id == order.id ? nil : $0 }
            }
            #expect(back.move == .back(to: ReleaseVersion(1, 0, 0)))
            try await restore(copy, after: back, at: desk, on: page)

            // An admin, and the owner of another organisation, see what runs and no more.
            let owner = try await desk.owner()
            _ = try await user(.admin, of: owner, at: desk)
            try await page.leave()
            try await page.enter("admin@example.org", "a long password")
            try await page.go("/admin/updates")
            try await page.see("Upgrades of the database")
            #expect(try await page.run("document.body.innerText.includes('Look for updates')") as? Bool == false)
            let stranger = try await desk.stranger()
            #expect(try await stranger.get("/server/updates").status == 404)
        }
    }

    /// As many as are kept, the newest first.
    private static let past: [ServerUpdateReport.Entry] = {
        typealias Entry = ServerUpdateReport.Entry
        let latest = [
            Entry(version: "2.0.0", from: "1.0.0", at: "2026-11-23T12:00:00.000Z", result: .installed),
            Entry(version: "1.9.0", from: "1.0.0", at: "2026-11-22T12:00:00.000Z", result: .failed, reason: "it ended at once"),
            Entry(version: "1.1.0", from: "1.0.0", at: "2026-11-21T12:00:00.000Z", result: .wentBack),
        ]
        let older = (latest.count..<ServerUpdateReport.historyLimit).map { number in
            Entry(version: "0.9.\(200 - number)", from: "0.9.0", at: "2026-01-01T12:00:00.\(900 - number)Z", result: .installed)
        }
        return latest + older
    }()

    /// What is out of the way until somebody looks for it, says what it costs, and takes the server's name.
    private func restore(_ copy: String, after last: ServerOrder, at desk: FrontDesk, on page: Dashboard) async throws {
        #expect(try await page.run("strata.named('button', 'Restore this copy') === null") as? Bool == true)
        try await page.press("Advanced")
        try await page.see("Everything that was stored since the copy was made is lost")
        try await page.press("Restore this copy")
        #expect(try await page.run("strata.named('button', 'Restore').disabled") as? Bool == true)
        let name = try await desk.owner().get("/server/updates").text("serverName")
        try await page.fill("Type “\(name)” to confirm", name)
        try await page.press("Restore")
        let order = try await eventually(within: .seconds(15), "the copy is asked for") {
            try self.order(desk).flatMap { $0.id == last.id ? nil : $0 }
        }
        #expect(order.move == .restore(copy: copy))
    }

    private func publish(_ version: String, at desk: FrontDesk, _ files: TemporaryFolder) throws {
        let workshop = try ReleaseWorkshop(desk.stage)
        try files.write(String(decoding: workshop.keys().bytes, as: UTF8.self), to: "keys")
        #if arch(arm64)
            let kind = try #require(MachineClass("arm64"))
        #else
            let kind = try #require(MachineClass("amd64"))
        #endif
        let bytes = Array("control \(version)".utf8)
        let file = try #require(
            ReleaseFile(
                product: .server, machine: kind, isExecutable: true, size: bytes.count, digest: SHA256.hash(bytes),
                path: "bin/strata-control"))
        let manifest = try ReleaseManifest(
            version: try #require(ReleaseVersion(version)), sequence: 2, channel: .stable, released: 1_700_000_000,
            expires: 4_000_000_000, minimum: ReleaseVersion(1, 0, 0), breaking: ["Passes of 1.0 are no longer taken."],
            notes: ["Rooms begin sooner."], files: [file])
        try ReleaseRouteTests.publish(bytes, at: desk)
        try ReleaseRouteTests.publish(SignedText(manifest.bytes, by: [workshop.daily]).bytes, as: "\(version).release", at: desk)
    }

    private func say(_ report: ServerUpdateReport, _ files: TemporaryFolder) throws {
        try files.write(String(decoding: JSONEncoder().encode(report), as: UTF8.self), to: "report")
    }

    private func order(_ desk: FrontDesk) throws -> ServerOrder? {
        guard let bytes = FileManager.default.contents(atPath: desk.stage.folder["control/update-order"]) else { return nil }
        return try ServerOrder(bytes: Array(bytes))
    }
}
