import Crypto
import Foundation
import Posix
import Support
import Testing

/// A server that is lost, and comes back from its backup and the master key that was kept apart (THREATS 19).
@Suite(.serialized, .unlessStolen)
struct BackupTests {
    @Test(
        "a lost server comes back from last night's backup: accounts, sessions and stream keys; nobody else can read or make one",
        .row("STO-13"))
    func rehearsal() async throws {
        try await atFrontDesk { desk in
            let owner = try await desk.owner()
            let made = try await owner.post("/destinations", #"{"name":"Tube","url":"rtmp://203.0.113.1/live","secret":"live_123_key"}"#)
            #expect(made.status == 201, "\(made)")
            let logo = try await upload(owner)
            try await configure(desk)
            try desk.stage.folder.write("", to: "backups/strata-20200101T000000Z.backup")
            try desk.stage.folder.write("", to: "backups/notes.txt")
            try desk.stage.folder.write("", to: "backups/strata-20261101T000000Z.backup.draft")

            // Control runs, and goes on writing.
            let writing = Task {
                var count = 0
                while !Task.isCancelled, count < 60 {
                    count += 1
                    _ = try await owner.post("/destinations", #"{"name":"d\#(count)","preset":"twitch","secret":"k"}"#)
                }
            }
            let answer = try await run(desk, "backup", [])
            writing.cancel()
            _ = try? await writing.value
            #expect(answer.status == 0 && answer.text.contains("1 older than 30 days are gone"), "\(answer)")
            let files = try FileManager.default.contentsOfDirectory(atPath: desk.stage.folder["backups"]).sorted()
            #expect(files.count == 3 && files[0] == "lock" && files[1] == "notes.txt", "\(files)")
            let backup = desk.stage.folder["backups/\(files[2])"]
            #expect(try FileManager.default.attributesOfItem(atPath: backup)[.posixPermissions] as? Int == 0o600)
            let bytes = try Data(contentsOf: URL(fileURLWithPath: backup))
            #expect(bytes.range(of: Data("owner@example.org".utf8)) == nil && bytes.range(of: Data("SQLite".utf8)) == nil)
            #expect(try leftovers(desk).isEmpty)

            // The machine is lost; only what was kept elsewhere is left.
            try await desk.installation.program("control").stop()
            let state = desk.stage.folder["control"]
            let masterKey = try String(contentsOfFile: "\(state)/master.key", encoding: .utf8)
            for name in try FileManager.default.contentsOfDirectory(atPath: state) {
                try FileManager.default.removeItem(atPath: "\(state)/\(name)")
            }
            try await refusals(desk, backup, masterKey)
            #expect(!FileManager.default.fileExists(atPath: "\(state)/strata.db"))
            #expect(try leftovers(desk).isEmpty)

            try write(masterKey, "\(state)/master.key")
            let restored = try await restore(desk, backup)
            #expect(restored.status == 0 && restored.text.hasPrefix("restored what was backed up at 20"), "\(restored)")
            #expect(try leftovers(desk).isEmpty)
            try await desk.installation.startControl()
            #expect(try await owner.get("/auth/me").status == 200)
            #expect(try await owner.get("/destinations").items().contains { $0["name"] as? String == "Tube" })
            #expect(try await streamKey(desk) == "live_123_key")
            #expect(try await desk.visitor().get(logo).body == SlateUploadTests.png)
        }
    }

    /// - Returns: where the organisation's logo is read.
    private func upload(_ owner: Visitor) async throws -> String {
        let file = SlateUploadTests.png
        let signed = try await owner.post(
            "/organization/branding/upload",
            #"{"sha256":"\#(Hex.encode(SHA256.hash(file)))","kind":"png","bytes":\#(file.count)}"#)
        let name = try signed.text("name")
        #expect(try await owner.send("PUT", signed.text("url"), file, type: "image/png").status == 204)
        return try await owner.send("PATCH", "/organization/branding", #"{"logo":"\#(name)"}"#).text("logo")
    }

    /// Whoever lacks one of the two keys, and whoever made or changed the file.
    private func refusals(_ desk: FrontDesk, _ backup: String, _ masterKey: String) async throws {
        let state = desk.stage.folder["control"]
        func refused(_ file: String, _ why: String, key: String = "operator.key") async throws {
            let answer = try await restore(desk, file, key: key)
            #expect(answer.status == 1 && answer.errors.contains(why), "\(why): \(answer)")
        }
        try await refused(backup, "\(state)/master.key: put the one that was kept apart there first")
        try write(Keyring().text, "\(state)/master.key")
        try await refused(backup, "the master key does not vouch")
        var later = try Keyring(text: masterKey)
        later.rotate()
        later.retireOldKeys()
        try write(later.text, "\(state)/master.key")
        try await refused(backup, "from before a rotation of the master key")
        try write(masterKey, "\(state)/master.key")
        try await refused(backup, "not authentic", key: "stranger.key")
        try await refused(backup, "--key \(desk.stage.folder["operator.pem"]) holds no private key in PEM form", key: "operator.pem")
        try await refused(desk.stage.folder["operator.pem"], "is no file that was sealed for a key")
        var changed = try Data(contentsOf: URL(fileURLWithPath: backup))
        changed[changed.count / 2] ^= 1
        try changed.write(to: URL(fileURLWithPath: desk.stage.folder["changed.backup"]))
        try await refused(desk.stage.folder["changed.backup"], "not authentic")
        // The certificate is no secret: a stranger seals a database of his own, with the proof of ours behind it.
        let opened = desk.stage.folder["opened.db"]
        _ = try await runTool(
            "openssl",
            ["cms", "-decrypt", "-binary", "-inform", "DER", "-in", backup, "-inkey", desk.stage.folder["operator.key"], "-out", opened])
        var forged = try Data(contentsOf: URL(fileURLWithPath: opened))
        #expect(forged.prefix(15) == Data("SQLite format 3".utf8))
        forged[100] ^= 1
        try forged.write(to: URL(fileURLWithPath: desk.stage.folder["forged.db"]))
        _ = try await runTool(
            "openssl",
            [
                "cms", "-encrypt", "-binary", "-aes-256-gcm", "-outform", "DER", "-in", desk.stage.folder["forged.db"], "-out",
                desk.stage.folder["forged.backup"], desk.stage.folder["operator.pem"],
            ])
        try await refused(desk.stage.folder["forged.backup"], "the master key does not vouch")
        try FileManager.default.removeItem(atPath: "\(state)/master.key")
    }

    @Test("a backup that cannot be made says why, and leaves the older ones")
    func faults() async throws {
        try await atFrontDesk { desk in
            let refused = try await run(desk, "backup", [])
            #expect(refused.status == 1 && refused.errors.contains("backup.recipient is missing"), "\(refused)")
            try await configure(desk)
            try desk.stage.folder.write("", to: "backups/strata-20200101T000000Z.backup")
            try desk.stage.folder.write("no certificate", to: "operator.pem")
            let bad = try await run(desk, "backup", [])
            let words = "backup.recipient, \(desk.stage.folder["operator.pem"]), holds no certificate in PEM form"
            #expect(bad.status == 1 && bad.errors.contains(words), "\(bad)")
            #expect(FileManager.default.fileExists(atPath: desk.stage.folder["backups/strata-20200101T000000Z.backup"]))
            #expect(try leftovers(desk).isEmpty)
            // Half of a pair, and two ways at once.
            #expect(try await run(desk, "restore", ["--backup", "x"]).status == 64)
            #expect(try await run(desk, "restore", ["--backup", "x", "--key", "y", "--copy", "z"]).status == 64)
            // Not while control runs.
            let busy = try await restore(desk, desk.stage.folder["backups/strata-20200101T000000Z.backup"])
            #expect(busy.status == 1 && busy.errors.contains("which another process has"), "\(busy)")
            // A list with nothing in it says so.
            try await desk.installation.program("control").stop()
            let list = try await run(desk, "restore", [])
            #expect(list.status == 0 && list.text.hasPrefix("there are no copies in \(desk.stage.folder["control"])"), "\(list)")
        }
    }

    // MARK: Parts

    /// Two key pairs as the README makes them, and the section of the configuration.
    private func configure(_ desk: FrontDesk) async throws {
        _ = try desk.stage.folder.makeFolder("backups")
        for name in ["operator", "stranger"] {
            _ = try await runTool(
                "openssl",
                [
                    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "36500", "-subj",
                    "/CN=backups",
                    "-keyout", desk.stage.folder["\(name).key"], "-out", desk.stage.folder["\(name).pem"],
                ])
        }
        let file = desk.stage.folder["control.conf"]
        let text = try String(contentsOfFile: file, encoding: .utf8)
        try (text + "\n[backup]\nrecipient = \"\(desk.stage.folder["operator.pem"])\"\nfolder = \"\(desk.stage.folder["backups"])\"\n")
            .write(toFile: file, atomically: false, encoding: .utf8)
    }

    private func write(_ text: String, _ path: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
    }

    private func leftovers(_ desk: FrontDesk) throws -> [String] {
        let folders = ["control", "backups"]
        return try folders.flatMap { try FileManager.default.contentsOfDirectory(atPath: desk.stage.folder[$0]) }
            .filter { $0.contains(".draft") || $0.contains("strata.db.backup") || $0.contains(".opened") || $0.contains(".restored") }
    }

    private func streamKey(_ desk: FrontDesk) async throws -> String {
        let found = try await sqlite(desk, "SELECT organization || ' ' || id || ' ' || hex(secret) FROM destinations WHERE name = 'Tube'")
        let parts = found.split(separator: " ").map(String.init)
        let keyring = try Keyring(text: String(contentsOfFile: desk.stage.folder["control/master.key"], encoding: .utf8))
        let place = SealedPlace(organization: parts[0], column: "destinations.secret", row: parts[1])
        return String(decoding: try keyring.open(Hex.decode(parts[2].lowercased()) ?? [], for: place), as: UTF8.self)
    }

    private func restore(_ desk: FrontDesk, _ backup: String, key: String = "operator.key") async throws -> ToolAnswer {
        try await run(desk, "restore", ["--backup", backup, "--key", desk.stage.folder[key]])
    }

    private func run(_ desk: FrontDesk, _ command: String, _ words: [String]) async throws -> ToolAnswer {
        try await runTool(
            Places.program("strata-control"), [command, "--config", desk.stage.folder["control.conf"]] + words, mayFail: true)
    }
}
