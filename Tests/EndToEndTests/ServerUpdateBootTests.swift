import Crypto
import Foundation
import Posix
import Releases
import Support
import Testing

/// The updater's unit beside control's, under a real systemd, asked by the server's owner.
@Suite(.serialized, .unlessStolen, .enabled(if: Machine.isAllowed, "systemd and cgroups are not allowed here"))
struct ServerUpdateBootTests {
    private static let configuration = """
        [server]
        origins = ["http://127.0.0.1:8080"]
        [updates]
        keys = "/etc/strata/release-keys"
        [log]
        level = "info"
        """

    /// As `strata-provision server install` leaves it.
    private static let journal = """
        {"format":1,"state":"active","run":1,"entries":[],"events":[],
        "settled":{"version":"0.1.0","settings":{"host":"127.0.0.1","release-keys":"/etc/strata/release-keys"}}}
        """

    @Test(
        "the owner has a release installed, goes back from it with all that is kept, has one that does not start undone though nobody does anything, and a copy of the database restored",
        .row("DEP-05", "DEP-08", "DEP-09", "DEP-10", "DEP-12", "DEP-13", "DEP-14"))
    func updates() async throws {
        try await onStage { stage in
            let machine = try Machine(
                "server", on: stage, units: ["strata-control"], configuration: ["strata-control": Self.configuration],
                programs: ["strata-provision"], over: ["usr/lib", "usr/share"])
            do {
                try await updates(machine, stage)
            } catch {
                print((try? await machine.run("tail", "-80", "/run/units.log", mayFail: true).text) ?? "")
                try await machine.cut()
                throw error
            }
            try await machine.cut()
        }
    }

    private func updates(_ machine: Machine, _ stage: Stage) async throws {
        let workshop = try ReleaseWorkshop(stage)
        try await machine.active("strata-control")
        try await install(machine, stage, workshop)
        let token = try await owner(machine)
        let control = Array(try Data(contentsOf: URL(fileURLWithPath: Places.program("strata-control"))))
        try await publish("0.2.0", control, by: workshop, on: machine, stage)

        let offered = try await call(machine, token)
        let offer = offered["offer"] as? [String: Any]
        #expect(offer?["version"] as? String == "0.2.0" && offered["state"] as? String == "idle", "\(offered)")
        var titles = Set<String>()
        var numbers: [Int] = []
        try await ask(machine, token, #"{"move":"install","version":"0.2.0"}"#)
        try await ended(machine, token, ["installed"]) { title, number in
            titles.insert(title)
            numbers.append(number)
        }
        // What is done is seen meanwhile, since control is back while it shows that it works.
        #expect(titles.contains("control of 0.2.0 answers") && numbers == numbers.sorted(), "\(titles) \(numbers)")
        try await ranThrough(machine)
        #expect(try await executable(machine) == "/usr/lib/strata/slots/b/bin/strata-control\n")
        #expect(try await machine.run("readlink", "/usr/bin/strata-control").text == "../lib/strata/current/bin/strata-control\n")
        #expect(try await machine.run("sh", "-c", "ls /var/lib/strata/control/strata.db.before-update.*", mayFail: true).status == 0)

        try await upgradeDatabase(machine)
        let kept = try await kept(machine)
        let own = Self.api + "/destinations"
        #expect(try await status(machine, token, #"{"name":"Tube","preset":"twitch","secret":"k"}"#, at: own) == "201")
        #expect(try await status(machine, token, #"{"move":"back","version":"0.1.0","confirm":"yes"}"#) == "422")
        try await ask(machine, token, #"{"move":"back","version":"0.1.0","confirm":"0.1.0"}"#)
        try await ended(machine, token, ["wentBack", "installed"])
        #expect(try await executable(machine) == "/usr/lib/strata/slots/a/bin/strata-control\n")
        // The version before runs on what the newer one has made of the database; secrets and settings are what they were, and the owner
        // is who they are still.
        #expect(try await self.kept(machine) == kept)
        #expect(try await status(machine, token, #"{"name":"Other","preset":"twitch","secret":"k"}"#, at: own) == "201")
        let names = try await call(machine, token, own)["items"] as? [[String: Any]] ?? []
        #expect(Set(names.compactMap { $0["name"] as? String }) == ["Tube", "Other"], "\(names)")

        try await publish("0.3.0", Array("#!/bin/sh\nexit 1\n".utf8), by: workshop, on: machine, stage)
        try await ask(machine, token, #"{"move":"install","version":"0.3.0"}"#)
        let began = Instant.now
        try await ended(machine, token, ["failed", "wentBack", "installed"])
        measured("a release that does not start is undone within", Instant.now - began)
        #expect(try await executable(machine) == "/usr/lib/strata/slots/a/bin/strata-control\n")
        #expect(try await machine.property("Result", of: "strata-server-update.service") == "success")
        // It is offered no more, and neither is the one before it: what follows a bad release is a better one.
        #expect(try await call(machine, token)["offer"] == nil)
        #expect(try await status(machine, token, #"{"move":"install","version":"0.3.0"}"#) == "409")
        try await restore(machine, token)
        // Whoever has taken control over writes neither to a slot nor to what it believes.
        let touch = try await machine.run(
            "setpriv", "--reuid", "strata-control", "--clear-groups", "touch", "/usr/lib/strata/slots/a/bin/strata-control",
            "/var/lib/strata-update/report.json", "/etc/strata/release-keys", mayFail: true)
        #expect(touch.status != 0)
    }

    /// The updater has told each step of the first run, in order: what was signed, the copy, the switch, the proof.
    private func ranThrough(_ machine: Machine) async throws {
        let log = try await machine.run("cat", "/run/units.log").text.split(separator: "\n").map(String.init)
        let steps = log.filter { $0.hasPrefix("[") && $0.contains("/9] ") }
        let numbers = steps.compactMap { $0.dropFirst().split(separator: "/").first.flatMap { Int($0) } }
        #expect(numbers == numbers.sorted() && numbers.first == 1 && numbers.last == 9, "\(steps)")
        let words = [
            "the files of 0.2.0, each as it was signed", "a copy of the database from before", "all programs at once are those of 0.2.0",
            "control of 0.2.0 answers",
        ]
        let found = steps.compactMap { step in words.first { step.hasSuffix($0) } }
        #expect(found == words, "\(steps)")
    }

    /// What a version after this one would do to the database: a table and a column more, and a line in the list of its steps.
    private func upgradeDatabase(_ machine: Machine) async throws {
        let script = """
            import sqlite3
            database = sqlite3.connect("/var/lib/strata/control/strata.db", timeout=10)
            database.execute("CREATE TABLE later (id INTEGER PRIMARY KEY) STRICT")
            database.execute("ALTER TABLE destinations ADD COLUMN later TEXT")
            database.execute("INSERT INTO migrations SELECT max(version) + 1, 'later', max(applied_at), '0.2.0' FROM migrations")
            database.commit()
            """
        // As its own user: what root would create beside the database, control could not write.
        try await machine.run(
            "setpriv", "--reuid", "strata-control", "--regid", "strata-control", "--clear-groups", "/usr/bin/python3", "-c", script)
    }

    /// The digests of what no update may change.
    private func kept(_ machine: Machine) async throws -> String {
        let files = ["/var/lib/strata/control/master.key", "/etc/strata/strata-control.conf", "/etc/strata/release-keys"]
        return try await machine.run("sh", "-c", "sha256sum \(files.joined(separator: " "))").text
    }

    /// The copy from before the first update comes back, which takes the server's name; what was stored since lies aside as one more copy.
    private func restore(_ machine: Machine, _ token: String) async throws {
        func copies() async throws -> [String] {
            (try await call(machine, token)["copies"] as? [[String: Any]] ?? []).compactMap { $0["name"] as? String }
        }
        let first = try #require(try await copies().filter { $0.hasPrefix("strata.db.before-update.") }.min())
        #expect(try await status(machine, token, #"{"move":"restore","copy":"\#(first)","confirm":"yes"}"#) == "422")
        try await ask(machine, token, #"{"move":"restore","copy":"\#(first)","confirm":"127.0.0.1"}"#)
        try await ended(machine, token, ["restored", "failed", "wentBack", "installed"])
        #expect((try await call(machine, token, Self.api + "/destinations")["items"] as? [Any])?.isEmpty == true)
        #expect(try await copies().contains { $0.hasPrefix("strata.db.before-restore.") })
    }

    // MARK: Setting up

    private func install(_ machine: Machine, _ stage: Stage, _ workshop: ReleaseWorkshop) async throws {
        let keys = try stage.folder.write(String(decoding: workshop.keys().bytes, as: UTF8.self), to: "release-keys")
        let journal = try stage.folder.write(Self.journal, to: "journal.json")
        let units = Places.root.appendingPathComponent("systemd").path
        try await machine.run(
            "sh", "-ec",
            """
            install -d /usr/lib/strata/updater
            install -d -m 700 /var/lib/strata-provision
            install -m 755 /usr/bin/strata-provision /usr/lib/strata/updater/
            install -m 644 \(keys) /etc/strata/release-keys
            install -m 600 \(journal) /var/lib/strata-provision/journal.json
            install -d -o strata-control -m 755 /var/lib/strata/control/releases
            cp \(units)/strata-server-update.* /run/units
            mkdir /run/units/strata-server-update.service.d
            printf '[Service]\\nStandardError=append:/run/units.log\\n' > /run/units/strata-server-update.service.d/log.conf
            systemctl daemon-reload
            systemctl start strata-server-update.service strata-server-update.path
            """)
    }

    /// - Returns: the first owner's access token.
    private func owner(_ machine: Machine) async throws -> String {
        let secret = try await machine.run("cat", "/var/lib/strata/control/setup-secret").text.trimmingCharacters(in: .newlines)
        let body = """
            {"setupSecret":"\(secret)","organizationName":"First","organizationSlug":"first","email":"owner@example.org",
            "password":"a long password","displayName":"Owner"}
            """
        let answer = try await machine.run(
            "curl", "-s", "-m", "20", "-H", "Content-Type: application/json", "-d", body, "http://127.0.0.1:8080/api/v1/auth/register")
        let object = try JSONSerialization.jsonObject(with: answer.output) as? [String: Any]
        return try #require(object?["accessToken"] as? String, "\(answer.text)")
    }

    private func publish(
        _ version: String, _ control: [UInt8], by workshop: ReleaseWorkshop, on machine: Machine, _ stage: Stage
    ) async throws {
        #if arch(arm64)
            let kind = try #require(MachineClass("arm64"))
        #else
            let kind = try #require(MachineClass("amd64"))
        #endif
        let digest = SHA256.hash(control)
        let file = try #require(
            ReleaseFile(
                product: .server, machine: kind, isExecutable: true, size: control.count, digest: digest, path: "bin/strata-control"))
        let number = try #require(ReleaseVersion(version))
        let manifest = try ReleaseManifest(
            version: number, sequence: Int64(number.minor), channel: .stable, released: 1_700_000_000, expires: 4_000_000_000,
            minimum: ReleaseVersion(0, 1, 0), notes: ["Better."], files: [file])
        let text = try SignedText(manifest.bytes, by: [workshop.daily])
        for (name, bytes) in [(Hex.encode(digest), control), ("\(version).release", text.bytes)] {
            try Data(bytes).write(to: URL(fileURLWithPath: stage.folder[name]))
            try await machine.run(
                "install", "-o", "strata-control", "-m", "644", stage.folder[name], "/var/lib/strata/control/releases/\(name)")
            try FileManager.default.removeItem(atPath: stage.folder[name])
        }
    }

    // MARK: Asking

    private static let api = "http://127.0.0.1:8080/api/v1"
    private static let route = api + "/server/updates"

    /// What the page reads; empty while control is started anew.
    private func call(_ machine: Machine, _ token: String, _ route: String = Self.route) async throws -> [String: Any] {
        let answer = try await machine.run("curl", "-s", "-m", "5", "-H", "Authorization: Bearer \(token)", route, mayFail: true)
        return (try? JSONSerialization.jsonObject(with: answer.output) as? [String: Any]) ?? [:]
    }

    private func status(_ machine: Machine, _ token: String, _ body: String, at route: String = Self.route) async throws -> String {
        try await machine.run(
            "curl", "-s", "-m", "10", "-o", "/dev/null", "-w", "%{http_code}", "-H", "Authorization: Bearer \(token)", "-H",
            "Content-Type: application/json", "-d", body, route
        ).text
    }

    private func ask(_ machine: Machine, _ token: String, _ body: String) async throws {
        #expect(try await status(machine, token, body) == "200", "\(body)")
    }

    private func ended(
        _ machine: Machine, _ token: String, _ results: [String], seen: (String, Int) -> Void = { _, _ in }
    ) async throws {
        try await eventually(within: .seconds(240), "\(results)") {
            // A user asks a hundred times a minute at most.
            try await Task.sleep(for: .seconds(1))
            let view = try await call(machine, token)
            if let place = view["place"] as? [String: Any], let title = place["title"] as? String, let number = place["number"] as? Int {
                seen(title, number)
            }
            let history = (view["history"] as? [[String: Any]] ?? []).compactMap { $0["result"] as? String }
            return view["state"] as? String == "idle" && history == results
        }
    }

    private func executable(_ machine: Machine) async throws -> String {
        let main = try await machine.property("MainPID", of: "strata-control")
        return try await machine.run("readlink", "/proc/\(main)/exe").text
    }
}
