import Crypto
import Foundation
import Posix
import Support
import Testing
import Units
import Wire

/// What an operator has of the programs: their configuration, their logs, and their secrets kept.
@Suite(.serialized, .unlessStolen)
struct OperationsTests {
    // MARK: Configuration

    private struct Fault: Hashable, CustomStringConvertible {
        let key: String
        let value: String?
        let expected: String
        let place: String?
        var description: String { "\(key)=\(value ?? "-") (\(place ?? "-")): \(expected)" }
    }

    @Test("a wrong configuration is named at the start, each fault with key, value, expectation and place", .row("DEP-04"))
    func faults() async throws {
        try await onStage { stage in
            let cases: [(String, String, [String: String], [Fault])] = [
                (
                    "strata-control", "[server]\nlisten = [\"0.0.0.0:8080\"]\nthreds = 2\n[limits]\ngeneral_per_minute = 5\n",
                    ["STRATA_LOG_LEVEL": "loud"],
                    [
                        Fault(key: "server.origins", value: nil, expected: "a list of origins such as", place: nil),
                        Fault(key: "server.listen", value: "0.0.0.0:8080", expected: "a loopback address", place: nil),
                        Fault(key: "server.threds", value: nil, expected: "a known key", place: "line 3, column 1"),
                        Fault(key: "limits.general_per_minute", value: "5", expected: "10 to 1000000", place: "line 5, column 1"),
                        Fault(key: "log.level", value: "'loud'", expected: "trace, debug, info", place: "STRATA_LOG_LEVEL"),
                    ]
                ),
                (
                    "strata-pool",
                    "[host]\npublic_addresses = [\"live.example.org\"]\nfirst_port = \"many\"\n[folders]\nruntime = \"run\"\n",
                    ["STRATA_HOST_CAPACITY": "0"],
                    [
                        Fault(key: "host.first_port", value: "'many'", expected: "1024 to 65535", place: "line 3, column 1"),
                        Fault(key: "folders.runtime", value: "'run'", expected: "an absolute path", place: "line 5, column 1"),
                        Fault(key: "host.capacity", value: "'0'", expected: "1 to 10000", place: "STRATA_HOST_CAPACITY"),
                    ]
                ),
                (
                    "strata-agent", "[links]\nallow = \"eth0\"\n[log]\nlevel = \"loud\"\n", ["STRATA_FOLDERS_STAET": "/x"],
                    [
                        Fault(
                            key: "links.allow", value: "'eth0', which is no list", expected: "names of interfaces",
                            place: "line 2, column 1"),
                        Fault(key: "log.level", value: "'loud'", expected: "one of trace", place: "line 4, column 1"),
                        Fault(key: "STRATA_FOLDERS_STAET", value: nil, expected: "a known key", place: "environment"),
                    ]
                ),
                ("strata-agent", "[links\n", [:], [Fault(key: "file", value: nil, expected: "TOML: ", place: "line 1, column 7")]),
            ]
            for (program, text, environment, wanted) in cases {
                let file = try stage.folder.write(text, to: "\(program).conf")
                let started = try stage.start(program, ["--config", file], environment: environment)
                #expect(try await started.end(within: .seconds(10)) == 78)
                let found = try started.lines.map { line -> Fault in
                    let said = try Line(line)
                    #expect(said.level == "error" && said.fields["file"] as? String == file, "\(line)")
                    return Fault(
                        key: said.fields["key"] as? String ?? "", value: said.fields["value"] as? String,
                        expected: said.fields["expected"] as? String ?? "", place: said.fields["place"] as? String)
                }
                for fault in wanted {
                    let match = found.first {
                        $0.key == fault.key && $0.value == fault.value && $0.expected.hasPrefix(fault.expected)
                            && (fault.place == nil || $0.place == fault.place)
                    }
                    #expect(match != nil, "\(program) does not say \(fault) but \(found)")
                }
                #expect(Set(found.map(\.key)).isSubset(of: Set(wanted.map(\.key))), "\(program): \(found)")
            }
            // A file where the state is to be kept.
            let file = try stage.folder.write("", to: "no-folder")
            let control = try stage.folder.write(
                "[server]\norigins = [\"https://a.example\"]\n[storage]\nstate = \"\(file)\"\n", to: "c.conf")
            let refused = try stage.start("strata-control", ["--config", control])
            #expect(try await refused.end(within: .seconds(10)) == 1)
            #expect(try refused.lines.map { try Line($0).fields["error"] as? String } == ["mkdir \(file): Not a directory (20)"])
            let absent = try stage.start("strata-pool", ["--config", "/nowhere.conf"])
            #expect(try await absent.end(within: .seconds(10)) == 78)
            #expect(try absent.lines.map { try Line($0).fields["file"] as? String } == ["/nowhere.conf"])
        }
    }

    @Test("the reference configurations are read without a fault, and the environment wins over a file", .row("DEP-04"))
    func overrides() async throws {
        try await atFrontDesk { desk in
            let stage = desk.stage
            let password = try stage.folder.write("secret\n", to: "mail-password")
            let turn = try stage.folder.write("a secret of 16 bytes and more\n", to: "turn-secret")
            let store = try stage.folder.write("a secret key\n", to: "blobs-secret")
            for file in [password, turn, store] { try #require(chmod(file, 0o600) == 0) }
            for (program, folder, files) in [
                // What is read with the configuration has to be there.
                (
                    "control", "STRATA_STORAGE_STATE",
                    [
                        "STRATA_MAIL_PASSWORD_FILE": password, "STRATA_ROOMS_TURN_SECRET_FILE": turn, "STRATA_BLOBS_SECRET_FILE": store,
                        "STRATA_BLOBS_AUTHORITY": stage.folder["authority/ca.pem"],
                    ]
                ),
                ("pool", "STRATA_FOLDERS_STATE", [:]), ("agent", "STRATA_FOLDERS_STATE", [:]),
                ("updater", "STRATA_FOLDERS_ROOT", [:]),
            ] {
                let file = Places.root.appendingPathComponent("systemd/strata-\(program).conf").path
                let state = try stage.folder.makeFolder("reference-\(program)")
                let started = try stage.start("strata-\(program)", ["--config", file], environment: [folder: state])
                // What it lacks is a certificate or an identity: not 78.
                #expect(try await started.end(within: .seconds(10)) == 1, "\(started.tail)")
                #expect(!started.lines.contains { $0.contains("configuration") }, "\(started.tail)")
                // An option that is only described is a right one too.
                let all = try String(contentsOfFile: file, encoding: .utf8).replacing(#/(?m)^# (\[\[?\w+\]\]?|\w+ = .*)$/#) { $0.output.1 }
                let complete = try stage.folder.write(all, to: "reference-\(program).conf")
                let again = try stage.start(
                    "strata-\(program)", ["--config", complete], environment: files.merging([folder: state]) { $1 })
                #expect(try await again.end(within: .seconds(10)) == 1, "\(again.tail)")
            }
            // The same file, on another port and with another limit.
            try await desk.installation.program("control").stop()
            let port = try FreePorts.tcp()
            _ = try stage.start(
                "strata-control", ["--config", stage.folder["control.conf"]],
                environment: ["STRATA_SERVER_LISTEN": "127.0.0.1:\(port)", "STRATA_LIMITS_GENERAL_PER_MINUTE": "10"])
            let moved = Visitor(server: "http://127.0.0.1:\(port)", loop: desk.loop)
            try await eventually(within: .seconds(10), "control listens where the environment says") {
                // Nobody listens there yet.
                (try? await moved.get("/health"))?.status == 200
            }
            #expect(try await moved.signIn("owner@example.org", desk.installation.ownerPassword).status == 200)
            var statuses: [Int] = []
            for _ in 0..<12 { statuses.append(try await moved.get("/auth/me").status) }
            #expect(statuses == Array(repeating: 200, count: 10) + [429, 429])
        }
    }

    @Test("an authority's certificate that is not there, or is none, is named at the start with the reason")
    func unreadableAuthority() async throws {
        try await onStage { stage in
            let text = try stage.folder.write("no certificate\n", to: "ca.pem")
            for (file, said) in [
                ("/nonexistent/ca.pem", "open /nonexistent/ca.pem: No such file or directory (2)"), (text, "\(text): PEM_read_bio_X509: "),
            ] {
                let configuration = try stage.folder.write(
                    """
                    [server]
                    origins = ["https://a.example"]
                    authority = "\(file)"
                    [storage]
                    state = "\(stage.folder["state"])"
                    """, to: "authority.conf")
                let control = try stage.start("strata-control", ["--config", configuration])
                #expect(try await control.end(within: .seconds(10)) == 1, "\(control.tail)")
                let error = try control.lines.compactMap { try Line($0).fields["error"] as? String }.last ?? ""
                print("OperationsTests: \(error)")
                #expect(error.hasPrefix(said), "\(error)")
            }
        }
    }

    @Test("strata-provision names the file or the token that is wrong with the reason, and makes no token that it cannot keep")
    func commands() async throws {
        try await atFrontDesk { desk in
            func errors(_ words: [String]) async throws -> String {
                let session = [
                    "--server", "http://127.0.0.1:\(desk.installation.pagePort)", "--session", desk.stage.folder["session.json"],
                ]
                let answer = try await runTool(Places.program("strata-provision"), session + words, mayFail: true)
                #expect(answer.status == 1, "\(words): \(answer.text)")
                return answer.errors.trimmingCharacters(in: .newlines)
            }
            let folder = try desk.stage.folder.makeFolder("taken")
            for (file, reason) in [
                ("/nonexistent/token", "open: No such file or directory (2)"), (folder, "it is a folder"),
                ("/dev/full", "it is no regular file, and would be replaced: name another path"),
            ] {
                #expect(try await errors(["token", "create", "--output", file]) == "strata-provision: \(file): \(reason)")
            }
            #expect(try await desk.owner().get("/enrollment-tokens").items().isEmpty)
            #expect(
                try await errors(["login", "--email", "owner@example.org", "--password-file", "/nonexistent"])
                    == "strata-provision: /nonexistent cannot be read: No such file or directory (2)")
            let open = try desk.stage.folder.write("a long password", to: "open")
            try #require(chmod(open, 0o644) == 0)
            #expect(
                try await errors(["login", "--email", "owner@example.org", "--password-file", open])
                    == "strata-provision: \(open): mode 644: only its owner may read a secret (chmod 600 \(open))")
            let wrong = try desk.stage.folder.write("wrong", to: "wrong-token")
            #expect(
                try await errors(["token", "create", "--kind", "pool", "--operator-token-file", wrong]).contains(
                    "operator's token is refused"))
            let empty = try desk.stage.folder.write("\n", to: "empty")
            for (words, reason) in [
                (["token", "create", "--kind", "pool"], "--operator-token-file is missing: a token for a pool host is the operator's"),
                (["token", "create", "--operator-token-file", wrong], "--operator-token-file is for --kind pool"),
                (["broadcast", "start", "--sender", "01ARZ3NDEKTSV4RRFFQ69G5FAV"], "--destination is missing: "),
                (
                    ["destination", "add", "--name", "t", "--preset", "youtube", "--secret-file", empty],
                    "\(empty) is empty: write the secret into its first line"
                ),
            ] { #expect(try await errors(words).hasPrefix("strata-provision: \(reason)"), "\(words)") }
            let damaged = try desk.stage.folder.write("{", to: "damaged.json")
            let answer = try await runTool(Places.program("strata-provision"), ["--session", damaged, "whoami"], mayFail: true)
            #expect(answer.status == 1 && answer.errors.contains("\(damaged) is no session file"), "\(answer.errors)")
        }
    }

    // MARK: Logs and secrets

    /// A line of a log.
    private struct Line {
        let level: String
        let part: String
        let fields: [String: Any]

        init(_ text: String) throws {
            guard let object = try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any],
                let time = object["time"] as? String, time.wholeMatch(of: #/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/#) != nil,
                let level = object["level"] as? String, Self.levels.contains(level), let part = object["part"] as? String,
                let message = object["message"] as? String, !message.isEmpty
            else { throw SupportFailure("no line of a log: \(text)") }
            self.level = level
            self.part = part
            fields = object
        }

        static let levels = ["trace", "debug", "info", "notice", "warning", "error"]
    }

    @Test(
        "a whole broadcast is logged as JSON with time, level and part, and no secret is in a log, an argument or a file of others",
        .row("DIA-08", "DEP-18"))
    func secrets() async throws {
        var settings = Installation.Settings()
        settings.logLevel = "trace"
        try await inStudio(settings) { studio in
            let sender = try await studio.sender()
            let platform = try await studio.destination("platform", url: studio.nginx.url(), secret: "platform-stream-key-4711")
            let id = try await studio.start(StartRequest(sender: sender.id, destinations: [platform], encoder: Studio.small))
            try await studio.owner.wait(id, for: ["live"])
            let secrets = try await secrets(of: studio)
            #expect(secrets.values.allSatisfy { $0.count >= 16 }, "\(secrets.keys)")

            // While it runs: what anybody on the machine sees of the processes.
            let processes = studio.stage.survivors
            var seen: Set<String> = []
            for pid in processes {
                // A process that ended meanwhile has none.
                let words = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") ?? Data()
                let environment = FileManager.default.contents(atPath: "/proc/\(pid)/environ") ?? Data()
                seen.formUnion(
                    String(decoding: words, as: UTF8.self).split(separator: "\0").prefix(1).map {
                        String($0.split(separator: "/").last ?? "")
                    })
                for (what, secret) in secrets where what != "owner's password" {
                    #expect(words.range(of: Data(secret.utf8)) == nil, "the \(what) is an argument")
                    #expect(environment.range(of: Data(secret.utf8)) == nil, "the \(what) is in an environment")
                }
            }
            #expect(seen.isSuperset(of: ["strata-control", "strata-pool", "strata-receiver", "strata-agent"]), "\(seen)")
            try expectKept(secrets, in: studio.stage.folder.path)
            try await studio.stop(id)
            try await studio.expectNothingLeft(sender.id)

            var parts: Set<Substring> = []
            for role in ["control", "pool", "sender"] {
                let lines = try studio.installation.program(role).lines
                measured("\(role) logged", "\(lines.count) lines")
                for text in lines {
                    parts.insert(try Line(text).part.prefix { $0 != "." })
                    for (what, secret) in secrets { #expect(!text.contains(secret), "the \(what) is in the log of \(role): \(text)") }
                }
            }
            #expect(parts == ["control", "pool", "receiver", "agent"])
        }
    }

    @Test("a log has the lines from the level that was asked for on", .row("DIA-08"))
    func levels() async throws {
        try await atFrontDesk { desk in
            try await desk.installation.program("control").stop()
            for (place, level) in Line.levels.enumerated() {
                let control = try desk.stage.start(
                    "strata-control", ["--config", desk.stage.folder["control.conf"]], environment: ["STRATA_LOG_LEVEL": level])
                try await eventually(within: .seconds(10), "control answers") {
                    // It does not listen yet.
                    (try? await desk.visitor().get("/health"))?.status == 200
                }
                try await control.stop()
                let levels = try Set(control.lines.map { try Line($0).level })
                #expect(levels.isSubset(of: Line.levels[place...]), "\(level): \(control.tail)")
                #expect(levels.contains("notice") == (place <= 3), "\(level): \(control.tail)")
                #expect(levels.contains("debug") == (place <= 1), "\(level): \(control.tail)")
            }
        }
    }

    /// Every secret of a running broadcast, by its name.
    private func secrets(of studio: Studio) async throws -> [String: String] {
        let folder = studio.stage.folder
        func text(_ path: String) throws -> String { try String(contentsOfFile: folder[path], encoding: .utf8) }
        func lastWord(_ path: String) throws -> String { String(try text(path).split(whereSeparator: \.isWhitespace).last ?? "") }
        let plan = try #require(try JSONSerialization.jsonObject(with: Data(text("sender.run/plan.json").utf8)) as? [String: Any])
        let sealed = try await runTool(
            "python3",
            [
                "-c",
                "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute(sys.argv[2]).fetchone()[0])",
                folder["control/strata.db"], "SELECT hex(sealed) FROM server_keys WHERE name = 'access tokens'",
            ]
        ).text.trimmingCharacters(in: .newlines)
        let jwt = try Keyring(text: text("control/master.key")).open(
            stride(from: 0, to: sealed.count, by: 2).compactMap { UInt8(sealed.dropFirst($0).prefix(2), radix: 16) },
            for: SealedPlace(organization: "", column: "server_keys.sealed", row: "access tokens"))
        return [
            "platform's stream key": "platform-stream-key-4711",
            "stream key": try #require((plan["transport"] as? [String: Any])?["streamKey"] as? String),
            "master key": try lastWord("control/master.key"), "operator's token": try lastWord("control/operator-token"),
            "key of access tokens (base64url)": Base64URL.encode(jwt),
            "key of access tokens (hex)": jwt.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined(),
            "sender's key": try lastWord("sender.state/device.key"), "host's key": try lastWord("pool/device.key"),
            "sender's token": try lastWord("sender.token"), "host's token": try lastWord("pool.token"),
            "owner's password": studio.installation.ownerPassword,
        ]
    }

    /// Files that hold a secret belong to this user alone; the database, the logs and the rest hold none.
    private func expectKept(_ secrets: [String: String], in folder: String) throws {
        let own = ["password", "secret-"]
        for case let name as String in FileManager.default.enumerator(atPath: folder) ?? .init() {
            let path = "\(folder)/\(name)"
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            guard attributes[.type] as? FileAttributeType == .typeRegular, !own.contains(where: name.hasPrefix) else { continue }
            let content = FileManager.default.contents(atPath: path) ?? Data()
            let held = secrets.filter { content.range(of: Data($0.value.utf8)) != nil }.keys.sorted()
            guard !held.isEmpty else { continue }
            #expect(attributes[.posixPermissions] as? Int == 0o600, "\(name) holds the \(held)")
            #expect(attributes[.ownerAccountID] as? Int == Int(getuid()), "\(name) holds the \(held)")
            #expect(!name.contains("strata.db"), "\(name) holds the \(held)")
            let parent = try FileManager.default.attributesOfItem(atPath: (path as NSString).deletingLastPathComponent)
            #expect(parent[.posixPermissions] as? Int == 0o700, "the folder of \(name)")
        }
    }
}
