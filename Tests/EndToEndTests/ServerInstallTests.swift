import Crypto
import Foundation
import Posix
import Support
import Testing

/// `strata-provision server` on the files of a machine that does not run: what is real is the tool, systemd's own for users and units, and
/// the files; what is installed as programs are none, since nothing of it is started.
@Suite(.serialized, .unlessStolen, .enabled(if: mayInstall, "files of other users, systemd-sysusers and systemctl are not allowed here"))
struct ServerInstallTests {
    /// A root folder and what a server is installed from.
    private struct Site {
        let folder: TemporaryFolder
        let host = "live.example.org"

        init() throws {
            folder = try TemporaryFolder()
            for path in ["root/etc", "root/usr/bin", "root/usr/lib", "root/var/lib", "bundle/bin", "bundle/dashboard/assets"] {
                _ = try folder.makeFolder(path)
            }
            for program in ["control", "pool", "receiver", "still", "slate", "sfu", "provision"] {
                try folder.write("#!/bin/sh\n", to: "bundle/bin/strata-\(program)")
            }
            for file in ["dashboard/index.html", "dashboard/assets/Main-1.js"] { try folder.write(file, to: "bundle/\(file)") }
            try folder.write("openssl\n", to: "bundle/packages")
            try FileManager.default.copyItem(atPath: Places.root.appendingPathComponent("systemd").path, toPath: folder["bundle/systemd"])
        }

        var root: String { folder["root"] }

        /// The command's JSON.
        func run(_ words: [String]) async throws -> [String: Any] {
            let answer = try await runTool(try Places.program("strata-provision"), ["server"] + words + ["--root", root])
            return try #require(try JSONSerialization.jsonObject(with: answer.output) as? [String: Any], "\(answer.text)\n\(answer.errors)")
        }

        func refused(_ words: [String], _ reason: String) async throws {
            let answer = try await runTool(try Places.program("strata-provision"), ["server"] + words + ["--root", root], mayFail: true)
            #expect(answer.status == 1 && answer.errors.contains(reason), "\(words): \(answer.text)\n\(answer.errors)")
        }

        var install: [String] { ["install", "--host", host, "--packages", "no", "--from", folder["bundle"]] }

        /// Every path with its mode, owner, size and the time of its last change.
        func snapshot() throws -> [String: String] {
            let names = try #require(FileManager.default.enumerator(atPath: root)).compactMap { $0 as? String }
            return try names.reduce(into: [:]) { found, name in
                let about = try FileManager.default.attributesOfItem(atPath: "\(root)/\(name)")
                let parts: [Any?] = [about[.posixPermissions], about[.ownerAccountID], about[.size], about[.modificationDate]]
                found[name] = parts.map { "\($0 ?? "")" }.joined(separator: " ")
            }
        }

        func has(_ path: String) -> Bool { access("\(root)\(path)", F_OK) == 0 }
    }

    @Test(
        "whoever installs a server reads what is needed and what there will be; it is shown before it is made, made, found complete the second time, looked at, and removed by its typed name alone",
        .row("PRV-05", "PRV-07", "PRV-12", "PRV-14", "PRV-15", "PRV-21", "PRV-24"))
    func whole() async throws {
        let site = try Site()
        let empty = try site.snapshot()
        let shown = try await runTool(
            try Places.program("strata-provision"), ["server"] + site.install + ["--dry-run", "--root", site.root])
        let lines = shown.errors.split(separator: "\n").map(String.init)
        let order = ["What is needed", "What is made", "Review", "Preflight", "Storage", "Service"].map { lines.firstIndex(of: $0) ?? -1 }
        #expect(!order.contains(-1) && order == order.sorted(), "\(shown.errors)")
        #expect(lines.contains { $0.hasPrefix("  --host ") && $0.hasSuffix(" \(site.host)") }, "\(shown.errors)")
        let plan = try #require(try JSONSerialization.jsonObject(with: shown.output) as? [String: Any])
        #expect((plan["answers"] as? [String: String])?["certificate"] == "own")
        let probes = try #require(plan["preflight"] as? [[String: Any]])
        #expect(Set(probes.compactMap { $0["name"] as? String }).isSuperset(of: ["disk", "clock", "tls", "database", "store"]))
        let steps = try #require(plan["steps"] as? [[String: Any]])
        #expect(steps.count > 8 && steps.contains { $0["name"] as? String == "users" && $0["what"] as? String == "make" })
        // Folders are touched by what the probes make and remove again.
        #expect(try Set(site.snapshot().keys) == Set(empty.keys))

        let made = try await site.run(site.install)
        #expect(made["state"] as? String == "active" && (made["changed"] as? [String])?.first == "accounts-files", "\(made)")
        for path in ["/usr/bin/strata-control", "/etc/strata/tls/chain.pem", "/var/lib/strata/control/setup-secret"] {
            #expect(site.has(path), "\(path)")
        }
        let wanted = "\(site.root)/etc/systemd/system/multi-user.target.wants/strata-control.service"
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: wanted).hasSuffix("strata-control.service"))
        let tls = "\(site.root)/etc/strata/tls"
        let verified = try await runTool(
            "openssl", ["verify", "-CAfile", "\(tls)/ca.pem", "-verify_hostname", site.host, "\(tls)/chain.pem"])
        #expect(verified.text.hasSuffix(": OK\n"))

        let before = try site.snapshot()
        let again = try await site.run(["install", "--from", site.folder["bundle"]])
        #expect((again["changed"] as? [String])?.isEmpty == true && again["state"] as? String == "active")
        #expect(try site.snapshot() == before)
        try await site.refused(site.install + ["--https-port", "8443"], "--https-port was 443, and is 8443")

        let status = try await site.run(["status"])
        #expect(status["health"] as? String == "healthy", "\(status["problems"] ?? "")")
        #expect((status["activity"] as? [[String: Any]])?.isEmpty == false)
        let page = try await runTool(try Places.program("strata-provision"), ["server", "status", "--text", "--root", site.root])
        #expect(page.text.hasPrefix("https://\(site.host): healthy, active\n") && page.text.contains("What you can do"), "\(page.text)")
        let inventory = try #require(status["inventory"] as? [[String: Any]])
        #expect(inventory.allSatisfy { $0["isThere"] as? Bool == true } && inventory.contains { $0["kind"] as? String == "database" })

        try await site.refused(["destroy"], "\(site.host) has to be typed")
        try await site.refused(["destroy", "--purge", "--confirm", "live"], "nothing was removed")
        #expect(try site.snapshot() == before)
        _ = try await site.run(["destroy", "--confirm", site.host])
        #expect(!site.has("/usr/bin/strata-control") && site.has("/etc/strata/tls/ca.key") && site.has("/var/lib/strata/control"))
        _ = try await site.run(["destroy", "--purge", "--confirm", site.host])
        #expect(!site.has("/etc/strata") && !site.has("/var/lib/strata") && !site.has("/var/lib/strata-provision"))
    }

    @Test("a step that fails is named; the run is taken back, or gone on with where it stood", .row("PRV-13", "PRV-18"))
    func failed() async throws {
        let site = try Site()
        // Something else lies where the page is to be.
        _ = try site.folder.makeFolder("root/usr/share/strata/dashboard/index.html")
        let before = try Set(site.snapshot().keys)
        try await site.refused(site.install, "'strata-provision server install' goes on with it")
        #expect(site.has("/usr/bin/strata-control") && !site.has("/etc/strata/strata-control.conf"))
        let status = try await site.run(["status"])
        #expect("\(status["problems"] ?? "")".contains("server rollback"))
        _ = try await site.run(["rollback"])
        let left = try Set(site.snapshot().keys).subtracting(before)
        // The journal tells that it was tried; the files of accounts are the system's, without ours in them.
        #expect(left.allSatisfy { $0.hasPrefix("var/lib/strata-provision") || $0.hasPrefix("etc/") && !$0.contains("strata") }, "\(left)")
        #expect(try !String(contentsOfFile: "\(site.root)/etc/passwd", encoding: .utf8).contains("strata"))

        try await site.refused(site.install, "index.html")
        try FileManager.default.removeItem(atPath: "\(site.root)/usr/share/strata/dashboard/index.html")
        let done = try await site.run(["install", "--from", site.folder["bundle"]])
        #expect(done["state"] as? String == "active" && (done["changed"] as? [String])?.first == "dashboard", "\(done)")
    }
}

/// The whole of it on a machine that boots, with what is built here.
@Suite(.serialized, .unlessStolen, .enabled(if: Machine.isAllowed, "systemd and cgroups are not allowed here"))
struct FreshServerTests {
    private static let host = "live.example.org"
    private static let directory = "https://acme.example.org:14000/dir"

    @Test(
        "one command makes a fresh machine a site with a public authority's certificate, within a minute; it is renewed by itself, gets a second name and loses it again, and the status says what there is",
        .row("PRV-03", "PRV-11", "PRV-17", "DEP-19", "DEP-20"))
    func fresh() async throws {
        try await onStage { stage in
            let machine = try Machine(
                "fresh", on: stage, units: [], over: ["usr/lib", "usr/share", "var/log"], borrowing: ["certbot.service", "certbot.timer"])
            do {
                try await machine.booted()
                try await fresh(machine, stage)
            } catch {
                print((try? await machine.run("tail", "-n", "30", "/run/pebble.log", "/run/units.log", mayFail: true).text) ?? "")
                try await machine.cut()
                throw error
            }
            try await machine.cut()
        }
    }

    private func fresh(_ machine: Machine, _ stage: Stage) async throws {
        try await publicAuthority(machine, stage)
        let bundle = try bundle(stage)
        let tool = try Places.program("strata-provision")
        let install = [
            tool, "server", "install", "--yes", "--host", Self.host, "--certificate", "acme", "--mail", "operator@strata.test",
            "--acme-directory", Self.directory, "--pool", "no", "--packages", "no", "--from", bundle,
        ]
        let began = Instant.now
        let answer = try await machine.run(install)
        measured("a fresh machine is a server after", Instant.now - began)
        #expect(Instant.now - began < .seconds(60))
        let made = try object(answer)
        #expect(made["state"] as? String == "active" && made["seconds"] as? Double ?? 99 < 60, "\(made)")
        let phases = answer.errors.split(separator: "\n").filter { $0.hasPrefix("Phase ") }
        #expect(phases.map(String.init) == Self.phases, "\(answer.errors)")
        let site = "https://\(Self.host)"
        let page = try await machine.run("curl", "-si", "-m", "10", "\(site)/")
        #expect(page.text.contains("<title>Strata</title>"), "\(page.text)")

        try await renew(machine)
        try await look(machine, tool, site, bundle)
        try await attach("show.example.org", to: machine)
        let again = try object(try await machine.run(install))
        #expect((again["changed"] as? [String])?.isEmpty == true, "\(again)")
    }

    private static let phases = [
        "Phase 1 of 4: storage", "Phase 2 of 4: programs", "Phase 3 of 4: configuration", "Phase 4 of 4: service",
    ]

    /// What the timer's service does, sooner than it would.
    private func renew(_ machine: Machine) async throws {
        #expect(try await machine.run("systemctl", "is-active", "certbot.timer").text == "active\n")
        #expect(try await machine.run("systemctl", "is-enabled", "certbot.timer").text == "enabled\n")
        let (main, first) = (try await machine.active("strata-control"), try await served(machine))
        try await machine.run("cp", "-a", "/etc/strata/tls/chain.pem", "/run/chain-before.pem")
        try await machine.run("certbot", "renew", "--force-renewal", "--no-random-sleep-on-renew", "--quiet")
        try await eventually(within: .seconds(20), "the new certificate is served") { try await served(machine) != first }
        #expect(try await machine.property("MainPID", of: "strata-control") == main)
        // As the loss of power leaves it between key and chain. certbot calls its hook no more for this one; its unit does.
        try await machine.run("cp", "-a", "/run/chain-before.pem", "/etc/strata/tls/chain.pem")
        try await machine.run("systemctl", "start", "certbot.service")
        try await eventually(within: .seconds(20), "the chain of the key is there again") {
            let newest = "/etc/letsencrypt/live/strata/fullchain.pem"
            return try await machine.run("cmp", newest, "/etc/strata/tls/chain.pem", mayFail: true).status == 0
        }
    }

    /// The serial number of the certificate that a browser gets; what it is not to believe ends in a failure.
    private func served(_ machine: Machine) async throws -> String {
        let script = """
            openssl s_client -connect \(Self.host):443 -servername \(Self.host) -verify_return_error -verify_hostname \(Self.host) \
                </dev/null 2>/dev/null | openssl x509 -noout -serial
            """
        return try await machine.run("bash", "-o", "pipefail", "-c", script).text
    }

    /// Somebody becomes the owner as the handbook says, and whoever looks after the machine sees it.
    private func look(_ machine: Machine, _ tool: String, _ site: String, _ bundle: String) async throws {
        let become = try handbook("sudo bin/strata-provision --server").replacingOccurrences(of: " --ca /etc/strata/tls/ca.pem", with: "")
        let typed = "cd \(bundle) && (umask 077; echo 'a long password' > password)\n\(become)"
        // The session file lies in whoever's home it is.
        try await machine.run("env", "HOME=/run", "bash", "-ec", typed)
        #expect(try await machine.run("sh", "-c", "ls /var/lib/strata/control/setup-secret", mayFail: true).status != 0)
        let status = try object(try await machine.run("bash", "-ec", try handbook("sudo strata-provision server status")))
        #expect(status["health"] as? String == "healthy", "\(status["problems"] ?? "")")
        let figures = try #require(status["figures"] as? [String: Int], "\(status)")
        #expect(figures["users"] == 1 && figures["organizations"] == 1 && figures["meetings"] == 0 && figures["recordings"] == 0)
        let text = try await machine.run(tool, "server", "status", "--text").text
        let told = ["\(site): healthy, active", "1 organisations, 1 users", "What you can do", "What was done here last", "run 1 is done"]
        for words in told { #expect(text.contains(words), "\(text)") }
    }

    /// One more name, as the handbook says, and without it again.
    private func attach(_ name: String, to machine: Machine) async throws {
        let main = try await machine.active("strata-control")
        let certificate = try handbook("sudo certbot certonly") + " --non-interactive --server \(Self.directory)"
        let first = "\"https://\(Self.host)\""
        let both = "\(first), \"https://\(name)\""
        let script = """
            echo '127.0.0.1 \(name)' >> /etc/hosts
            \(certificate)
            sed -i 's|\(first)|\(both)|' /etc/strata/strata-control.conf
            systemctl restart strata-control
            """
        try await machine.run("bash", "-ec", script)
        let known = try await machine.active("strata-control", after: main)
        for host in [Self.host, name] {
            #expect(try await machine.run("curl", "-sf", "-m", "10", "https://\(host)/").text.contains("<title>Strata</title>"), "\(host)")
        }

        let without = certificate.replacingOccurrences(of: " --domain \(name)", with: "")
        let back = """
            sed -i 's|\(both)|\(first)|' /etc/strata/strata-control.conf
            systemctl restart strata-control
            \(without)
            """
        try await machine.run("bash", "-ec", back)
        try await machine.active("strata-control", after: known)
        // Source: curl(1), exit 60: the certificate is not this name's.
        try await eventually(within: .seconds(20), "a browser does not believe the name that was taken away") {
            try await machine.run("curl", "-s", "-m", "10", "-o", "/run/answer", "https://\(name)/", mayFail: true).status == 60
        }
        #expect(try await machine.run("curl", "-sf", "-m", "10", "https://\(Self.host)/").text.contains("<title>Strata</title>"))
    }

    /// A command as OPERATE.md has it, for whoever is root already.
    private func handbook(_ beginning: String) throws -> String {
        let file = Places.root.appendingPathComponent("Provisioning/OPERATE.md")
        let lines = try String(contentsOf: file, encoding: .utf8).components(separatedBy: "\n")
        let found = lines.firstIndex { $0.hasPrefix("    ") && $0.contains(" \(beginning)") }
        let first = try #require(found, "OPERATE.md does not say '\(beginning)'")
        var command: [String] = []
        for line in lines[first...] {
            command.append(line)
            if !line.hasSuffix("\\") { break }
        }
        return command.joined(separator: "\n").replacingOccurrences(of: "sudo ", with: "")
    }

    /// An authority that speaks ACME, Debian's pebble, which this machine believes, and the names of both.
    private func publicAuthority(_ machine: Machine, _ stage: Stage) async throws {
        let now = unixMilliseconds() / 1000
        let own = try CertificateAuthority.make(name: "Directory", at: now)
        let leaf = try own.issue(for: ["acme.example.org"], at: now)
        let authority = try stage.folder.write(own.certificatePEM, to: "acme-ca.pem")
        let chain = try stage.folder.write(leaf.chainPEM, to: "acme-chain.pem")
        let key = try stage.folder.write(leaf.privateKeyPEM, to: "acme-key.pem")
        let configuration = try stage.folder.write(
            """
            {"pebble": {"listenAddress": "127.0.0.1:14000", "managementListenAddress": "127.0.0.1:15000", "certificate": "\(chain)",
            "privateKey": "\(key)", "httpPort": 80, "tlsPort": 443}}
            """, to: "pebble.json")
        let script = """
            mkdir -p /run/units/strata-control.service.d
            printf '[Service]\\nStandardError=append:/run/units.log\\n' > /run/units/strata-control.service.d/log.conf
            echo '127.0.0.1 \(Self.host) acme.example.org' >> /etc/hosts
            trust() {
                install -m 644 "$1" "/etc/ssl/certs/strata-$2.pem"
                ln -s "strata-$2.pem" "/etc/ssl/certs/$(openssl x509 -noout -hash -in "$1").0"
                cat "$1" >> /etc/ssl/certs/ca-certificates.crt
            }
            trust \(authority) directory
            systemd-run --quiet --unit pebble -E PEBBLE_VA_NOSLEEP=1 -E PEBBLE_WFE_NONCEREJECT=0 \
                -p StandardOutput=file:/run/pebble.log -p StandardError=file:/run/pebble.log pebble -config \(configuration)
            for attempt in $(seq 50); do
                curl -sf -m 5 -o /run/acme-root.pem https://acme.example.org:15000/roots/0 && break
                sleep 0.2
            done
            trust /run/acme-root.pem issuer
            """
        try await machine.run("bash", "-ec", script)
    }

    /// As `ci/bundle` makes it, with the programs that run here.
    private func bundle(_ stage: Stage) throws -> String {
        for path in ["bundle/bin", "bundle/dashboard/assets"] { _ = try stage.folder.makeFolder(path) }
        for program in ["pool", "receiver", "still", "slate", "sfu"] {
            try stage.folder.write("#!/bin/sh\n", to: "bundle/bin/strata-\(program)")
        }
        for program in ["strata-control", "strata-provision"] {
            try FileManager.default.copyItem(atPath: Places.program(program), toPath: stage.folder["bundle/bin/\(program)"])
        }
        try stage.folder.write("<!doctype html><title>Strata</title>", to: "bundle/dashboard/index.html")
        try stage.folder.write("//", to: "bundle/dashboard/assets/Main-1.js")
        try stage.folder.write("openssl\n", to: "bundle/packages")
        let units = Places.root.appendingPathComponent("systemd").path
        try FileManager.default.copyItem(atPath: units, toPath: stage.folder["bundle/systemd"])
        return stage.folder["bundle"]
    }

    private func object(_ answer: ToolAnswer) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: answer.output) as? [String: Any], "\(answer.text)\n\(answer.errors)")
    }
}

private var mayInstall: Bool {
    getuid() == 0 && ["/usr/bin/systemd-sysusers", "/usr/bin/systemctl"].allSatisfy(FileManager.default.isExecutableFile)
}
