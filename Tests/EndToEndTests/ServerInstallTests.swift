import Foundation
import Support
import Testing

/// `strata-provision server` on the files of a machine that does not run: what is real is the tool, systemd's own for users and units, and
/// the files; what is installed as programs are none, since nothing of it is started.
@Suite(.serialized, .enabled(if: mayInstall, "files of other users, systemd-sysusers and systemctl are not allowed here"))
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
        "a server is shown before it is made, made, found complete the second time, looked at, and removed by its typed name alone",
        .row("PRV-07", "PRV-12", "PRV-14", "PRV-15", "PRV-21", "PRV-24"))
    func whole() async throws {
        let site = try Site()
        let empty = try site.snapshot()
        let plan = try await site.run(site.install + ["--dry-run"])
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

private var mayInstall: Bool {
    getuid() == 0 && ["/usr/bin/systemd-sysusers", "/usr/bin/systemctl"].allSatisfy(FileManager.default.isExecutableFile)
}
