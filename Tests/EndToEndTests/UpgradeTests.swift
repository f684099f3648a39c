import Crypto
import Foundation
import Support
import Testing

/// A newer program on an older database, and the way back.
@Suite(.serialized, .unlessStolen)
struct UpgradeTests {
    @Test("an upgrade keeps what an older database holds, says what it did, and leaves a copy from before", .row("STO-03", "STO-12"))
    func upgrade() async throws {
        try await onOldDatabase { desk in
            try await desk.installation.startControl()
            // What was there is there: its owner with the same password, the sender, and the secret of the destination.
            let owner = try await desk.person("owner@example.org", "correct horse battery staple")
            #expect(try await owner.get("/organization").text("slug") == "demo")
            #expect(try await owner.get("/senders").items().map { $0["name"] as? String } == ["truck"])
            let destination = try #require(try await owner.get("/destinations").items().first)
            #expect(destination["name"] as? String == "Tube" && destination["maskedSecret"] as? String == "••••••")
            #expect(try await streamKey(desk) == "live_123_key")
            // And what only the newer schema has works.
            #expect(try await owner.post("/destinations", #"{"name":"new","preset":"twitch","secret":"k"}"#).status == 201)
            #expect(try await owner.get("/audit").items().contains { $0["action"] as? String == "destination.created" })

            let table = "SELECT group_concat(version || ' ' || name || ' ' || platform_version, ', ') FROM migrations"
            #expect(
                try await sqlite(desk, table)
                    == "1 accounts 0.0.9, 2 devices 0.0.9, 3 broadcasts 0.0.9, 4 operations 0.1.0, 5 flight records 0.1.0, 6 slates 0.1.0, "
                    + "7 mails 0.1.0, 8 password resets 0.1.0, 9 invitations 0.1.0, 10 api tokens 0.1.0, 11 organization settings 0.1.0, "
                    + "12 flight events 0.1.0, 13 health snapshots 0.1.0, 14 draining hosts 0.1.0, 15 webhooks 0.1.0, "
                    + "16 branding 0.1.0, 17 profiles 0.1.0, 18 wordings 0.1.0, 19 alerts 0.1.0, "
                    + "20 removed users 0.1.0, 21 rooms 0.1.0, 22 meetings 0.1.0, 23 chat 0.1.0, 24 phone home 0.1.0, 25 rollouts 0.1.0, "
                    + "26 recordings 0.1.0, 27 prepared boards 0.1.0")
            let applied = try await sqlite(desk, "SELECT applied_at FROM migrations WHERE version = 4")
            let age = Date.now.timeIntervalSince(try Date.ISO8601FormatStyle(includingFractionalSeconds: true).parse(applied))
            #expect((0..<60).contains(age))

            let copy = try #require(try copies(desk).first { $0.hasPrefix("strata.db.before-3.") })
            let attributes = try FileManager.default.attributesOfItem(atPath: desk.stage.folder["control/\(copy)"])
            #expect(attributes[.posixPermissions] as? Int == 0o600)
            #expect(try await sqlite(desk, "SELECT max(version) FROM migrations", in: copy) == "3")
            #expect(try await sqlite(desk, "SELECT name FROM destinations", in: copy) == "Tube")
            // Another start has nothing to do.
            try await desk.installation.program("control").stop()
            try await desk.installation.startControl()
            #expect(try copies(desk).filter { $0.contains("before-3.") } == [copy])
        }
    }

    @Test("the owner goes back to a copy from before an upgrade, and forth again; copies are kept for 30 days", .row("STO-12"))
    func restore() async throws {
        try await onOldDatabase { desk in
            let now = Int64(Date.now.timeIntervalSince1970 * 1000)
            let (old, young) = ("strata.db.before-2.\(now - 31 * 86_400_000)", "strata.db.before-2.\(now - 29 * 86_400_000)")
            for name in [old, young] { try desk.stage.folder.write("", to: "control/\(name)") }
            try await desk.installation.startControl()
            let owner = try await desk.person("owner@example.org", "correct horse battery staple")
            #expect(try await owner.post("/destinations", #"{"name":"new","preset":"twitch","secret":"k"}"#).status == 201)
            let copy = try #require(try copies(desk).first { $0.hasPrefix("strata.db.before-3.") })
            try await eventually(within: .seconds(5), "the copy of 31 days ago is gone") { try !copies(desk).contains(old) }
            #expect(try copies(desk).contains(young))

            // Not while the database is in use.
            let refused = try await restore(desk, ["--copy", copy])
            #expect(refused.status == 1 && refused.errors.contains("which another process has"))
            try await desk.installation.program("control").stop()
            let none = try await restore(desk, ["--copy", "strata.db"])
            #expect(none.status == 1 && none.errors.contains("there is no copy 'strata.db' in "), "\(none)")
            #expect(try await restore(desk, ["--copy", young]).status == 1)
            let listed = try await restore(desk, [])
            #expect(listed.text.split(separator: "\n").first?.hasPrefix("\(copy)  20") == true, "\(listed.text)")
            #expect(try await restore(desk, ["--copy", copy]).text.hasPrefix("restored \(copy)"))
            #expect(try await sqlite(desk, "SELECT max(version) FROM migrations") == "3")
            #expect(try await destinations(desk) == ["Tube"])

            // What was put aside is one more copy.
            let aside = try #require(try copies(desk).first { $0.hasPrefix("strata.db.before-restore.") })
            try await desk.installation.program("control").stop()
            #expect(try await restore(desk, ["--copy", aside]).status == 0)
            #expect(try await destinations(desk) == ["Tube", "new"])
        }
    }

    // MARK: Parts

    private static let fixtures = Places.root.appendingPathComponent("Tests/Fixtures/store")

    /// Control is stopped, and its state folder holds the database of an older program.
    private func onOldDatabase(_ body: (FrontDesk) async throws -> Void) async throws {
        try await atFrontDesk({ $0.hasOwner = false }) { desk in
            try await desk.installation.program("control").stop()
            let state = desk.stage.folder["control"]
            for name in try FileManager.default.contentsOfDirectory(atPath: state) where name.hasPrefix("strata.db") {
                try FileManager.default.removeItem(atPath: "\(state)/\(name)")
            }
            let script = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).executescript(open(sys.argv[2]).read())"
            _ = try await runTool(
                "python3", ["-c", script, "\(state)/strata.db", Self.fixtures.appendingPathComponent("version-3.sql").path])
            let key = try String(contentsOf: Self.fixtures.appendingPathComponent("version-3.master.key"), encoding: .utf8)
            // In place, so that its mode stays 0600.
            try key.write(toFile: "\(state)/master.key", atomically: false, encoding: .utf8)
            try await body(desk)
        }
    }

    /// Starts control and lists the names of destinations.
    private func destinations(_ desk: FrontDesk) async throws -> [String] {
        try await desk.installation.startControl()
        let owner = try await desk.person("owner@example.org", "correct horse battery staple")
        return try await owner.get("/destinations").items().compactMap { $0["name"] as? String }.sorted()
    }

    private func streamKey(_ desk: FrontDesk) async throws -> String {
        let found = try await sqlite(desk, "SELECT organization || ' ' || id || ' ' || hex(secret) FROM destinations WHERE name = 'Tube'")
        let parts = found.split(separator: " ").map(String.init)
        let keyring = try Keyring(text: String(contentsOfFile: desk.stage.folder["control/master.key"], encoding: .utf8))
        let place = SealedPlace(organization: parts[0], column: "destinations.secret", row: parts[1])
        return String(decoding: try keyring.open(Self.bytes(parts[2]), for: place), as: UTF8.self)
    }

    /// The bytes of hexadecimal text.
    private static func bytes(_ text: String) -> [UInt8] {
        stride(from: 0, to: text.count, by: 2).compactMap { UInt8(text.dropFirst($0).prefix(2), radix: 16) }
    }

    private func copies(_ desk: FrontDesk) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: desk.stage.folder["control"]).filter { $0.contains(".before-") }
    }

    private func restore(_ desk: FrontDesk, _ words: [String]) async throws -> ToolAnswer {
        try await runTool(
            Places.program("strata-control"), ["restore", "--config", desk.stage.folder["control.conf"]] + words, mayFail: true)
    }
}
