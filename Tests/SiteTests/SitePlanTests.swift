import API
import Configuration
import Foundation
import Pool
import Posix
import Support
import Testing

@testable import Installation
@testable import Site

@Suite("A server's installation")
struct SitePlanTests {
    @Test("makes all of it, and a second run in a row changes no file and calls nothing that does")
    func twice() async throws {
        let host = try StandInHost()
        let plan = try host.plan()
        let installer = try host.installer(try plan.steps())
        let first = try await installer.install(StandInHost.order(plan))
        // What was started answers at once.
        #expect(try first.state == .active && first.changed == Self.names(plan))
        #expect(
            host.active == ["strata-control.service", "strata-pool.service", "strata-certificate@live.example.org.timer"]
                && host.enabled == host.active)
        let (before, journal) = (try host.snapshot(), try times(host))
        host.forgetCommands()
        let second = try await installer.install(StandInHost.order(plan))
        #expect(second.changed.isEmpty && host.commands.isEmpty)
        #expect(try host.snapshot() == before && times(host) == journal)
    }

    /// The steps that make something on a machine without any of it.
    private static func names(_ plan: SitePlan) throws -> [String] { try plan.steps().map(\.name).filter { $0 != "health" } }

    /// When each file was changed last, the tool's own too.
    private func times(_ host: StandInHost) throws -> [String: Date] {
        let names = try #require(FileManager.default.enumerator(atPath: host.root)).compactMap { $0 as? String }
        return try names.reduce(into: [:]) { times, name in
            times[name] = try FileManager.default.attributesOfItem(atPath: "\(host.root)/\(name)")[.modificationDate] as? Date
        }
    }

    /// The same steps, one of which fails once: before it does anything, or after all of it.
    private func failing(_ name: String, after isAfter: Bool, _ steps: [Step]) -> [Step] {
        let isArmed = Guarded(true)
        return steps.map { step in
            guard step.name == name else { return step }
            return Step(
                step.name, step.phase, step.title, contents: step.contents, resources: step.resources, look: step.look,
                prepare: step.prepare,
                make: {
                    let fails = isArmed.withLock { armed in
                        defer { armed = false }
                        return armed
                    }
                    if fails && !isAfter { throw StandInHost.Broken() }
                    try await step.make()
                    if fails { throw StandInHost.Broken() }
                },
                undo: step.undo)
        }
    }

    @Test("ends alike when each of its steps has failed once and it is called again", arguments: [false, true])
    func retried(_ isAfter: Bool) async throws {
        let whole = try StandInHost()
        let plan = try whole.plan()
        _ = try await whole.installer(try plan.steps()).install(StandInHost.order(plan))
        let wanted = Set(try whole.snapshot(contents: false).keys)
        for name in try Self.names(plan) {
            let host = try StandInHost()
            let plan = try host.plan()
            let installer = try host.installer(failing(name, after: isAfter, try plan.steps()))
            let fault = await #expect(throws: StepFault.self) { try await installer.install(StandInHost.order(plan)) }
            #expect(fault?.step == name && fault?.reason == "it broke")
            #expect(try await installer.install(StandInHost.order(plan)).state == .active)
            #expect(Set(try host.snapshot(contents: false).keys) == wanted, "\(name)")
            host.forgetCommands()
            #expect(try await installer.install(StandInHost.order(plan)).changed.isEmpty && host.commands.isEmpty)
        }
    }

    @Test("leaves the machine as it was when a step has failed and it is taken back", arguments: [false, true])
    func takenBack(_ isAfter: Bool) async throws {
        for name in try Self.names(StandInHost().plan()) {
            let host = try StandInHost()
            // Something of another's that is replaced, and one that stays.
            try host.folder.write("an older unit", to: "root/usr/lib/systemd/system/strata-control.service")
            _ = try host.folder.makeFolder("root/etc/strata")
            try host.folder.write("somebody's", to: "root/etc/strata/note")
            let before = try host.snapshot()
            let plan = try host.plan()
            let installer = try host.installer(failing(name, after: isAfter, try plan.steps()))
            await #expect(throws: StepFault.self) { try await installer.install(StandInHost.order(plan)) }
            let outcome = try await installer.rollBack()
            #expect(outcome.left.isEmpty && outcome.state == .pending)
            #expect(try host.snapshot() == before, "\(name)")
            #expect(host.active.isEmpty && host.enabled.isEmpty)
        }
    }

    @Test("a removal leaves what people have put there, and a purge the machine as it was before")
    func removed() async throws {
        let host = try StandInHost()
        let before = try host.snapshot()
        let plan = try host.plan()
        _ = try await host.installer(try plan.steps()).install(StandInHost.order(plan))
        let secret = try String(contentsOfFile: "\(host.root)/etc/strata/tls/ca.key", encoding: .utf8)
        // What it came from is gone.
        try FileManager.default.removeItem(atPath: host.folder["bundle"])
        let installed = try host.plan(source: SiteSource(installedOn: host.machine))
        #expect(try await host.installer(try installed.steps()).remove(purge: false).left.isEmpty)
        #expect(host.active.isEmpty && host.enabled.isEmpty)
        let left = try host.snapshot()
        #expect(left["var/lib/strata/control/strata.db"] != nil && left["etc/strata/strata-control.conf"] != nil)
        #expect(left["usr/bin/strata-control"] == nil && left["usr/share/strata/dashboard/index.html"] == nil)
        #expect(try String(contentsOfFile: "\(host.root)/etc/strata/tls/ca.key", encoding: .utf8) == secret)
        #expect(try await host.installer(try installed.steps()).remove(purge: true).left.isEmpty)
        #expect(try host.snapshot() == before)
    }

    @Test("a secret is made once, is nobody else's to read, and is in no journal and no plan")
    func secrets() async throws {
        let host = try StandInHost()
        let plan = try host.plan()
        _ = try await host.installer(try plan.steps()).install(StandInHost.order(plan))
        let files = ["var/lib/strata/control/setup-secret", "etc/strata/tls/ca.key", "etc/strata/tls/key.pem"]
        let secrets = try files.map { try String(contentsOfFile: "\(host.root)/\($0)", encoding: .utf8) }
        for file in files {
            #expect(try FileManager.default.attributesOfItem(atPath: "\(host.root)/\(file)")[.posixPermissions] as? Int == 0o600)
        }
        // A newer version of the programs is installed over it.
        try host.folder.write("newer", to: "bundle/bin/strata-control")
        let newer = Journal.Order(settings: plan.answers.fields, version: "0.2.0")
        #expect(try await host.installer(try plan.steps()).install(newer).changed == ["programs"])
        #expect(try files.map { try String(contentsOfFile: "\(host.root)/\($0)", encoding: .utf8) } == secrets)
        let journal = try String(contentsOfFile: "\(host.root)\(SitePaths.journal)", encoding: .utf8)
        for secret in secrets { #expect(!journal.contains(secret.split(separator: "\n")[0])) }
        // Once the server has an owner control takes it away, and it stays away.
        try FileManager.default.removeItem(atPath: "\(host.root)/\(files[0])")
        #expect(try SitePlan.isOwned(host.machine))
        #expect(try await host.installer(try plan.steps()).install(newer).changed.isEmpty)
    }

    @Test("a configuration that its operator has changed stays as it is, and one that is missing is written again")
    func configuration() async throws {
        let host = try StandInHost()
        let plan = try host.plan()
        let installer = try host.installer(try plan.steps())
        _ = try await installer.install(StandInHost.order(plan))
        let file = "root/etc/strata/strata-control.conf"
        try host.folder.write("[server]\norigins = [\"https://other.example.org\"]\n", to: file)
        #expect(try await installer.install(StandInHost.order(plan)).changed.isEmpty)
        #expect(try String(contentsOfFile: host.folder[file], encoding: .utf8).contains("other.example.org"))
        try FileManager.default.removeItem(atPath: host.folder[file])
        #expect(try await installer.install(StandInHost.order(plan)).changed == ["control-configuration"])
        #expect(try String(contentsOfFile: host.folder[file], encoding: .utf8).contains("https://live.example.org"))
    }

    @Test("puts its answers into configurations that the programs read")
    func answers() throws {
        let answers = try SiteAnswers([
            "host": "Live.example.org", "address": "203.0.113.5,2001:db8::5", "https-port": "8443", "rooms": "2", "rooms-port": "9000",
            "pool-ports": "30000-30009", "backup-recipient": "/root/backup.pem", "release-keys": "/root/keys.1", "release-channel": "beta",
        ])
        let reference = Places.root.appendingPathComponent("systemd")
        let texts = try ["strata-control.conf", "strata-pool.conf"].map {
            try String(contentsOf: reference.appendingPathComponent($0), encoding: .utf8)
        }
        let control = try ControlConfiguration(
            ConfigurationDraft.control(texts[0], answers, hasIPv6: true), source: "test", environment: [:])
        #expect(control.origins.map(\.text) == ["https://live.example.org:8443", "http://127.0.0.1:8080"])
        #expect(control.authorityFile == "/etc/strata/tls/ca.pem" && control.stateFolder == "/var/lib/strata/control")
        #expect(control.rooms.workers == 2 && control.rooms.port == 9000 && control.rooms.announced == ["203.0.113.5", "2001:db8::5"])
        #expect(control.rooms.bind == ["0.0.0.0", "::"] && control.backups != nil)
        #expect(control.updates.keys == "/etc/strata/release-keys" && control.updates.channel == .beta)
        let pool = try PoolConfig(
            ConfigurationDraft.pool(texts[1], answers, hasIPv6: true), source: "test", environment: [:], program: "/usr/bin/strata-pool",
            version: "0.1.0")
        #expect(pool.settings.stateFolder == "/var/lib/strata/pool")
        #expect(throws: ConfigurationDraft.Unknown.self) { try ConfigurationDraft.pool(texts[0], answers, hasIPv6: false) }
    }

    @Test("gives folders and configurations the modes and owners that strata.tmpfiles says")
    func modes() throws {
        let host = try StandInHost()
        let text = try String(contentsOf: Places.root.appendingPathComponent("systemd/strata.tmpfiles"), encoding: .utf8)
        var compared = 0
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            guard words.count >= 5, let mode = UInt32(words[2], radix: 8) else { continue }
            if words[0] == "d" {
                let folder = try #require(SitePlan.folders.first { $0.path == words[1] }, "\(words[1])")
                #expect(folder.mode == mode && folder.ownership == Ownership(user: words[3], group: words[4]))
                compared += 1
            } else if [SitePaths.controlConfiguration, SitePaths.poolConfiguration].contains(words[1]) {
                #expect(mode == 0o640 && Ownership.read(by: words[4]) == Ownership(user: words[3], group: words[4]))
                compared += 1
            }
        }
        #expect(compared == 4)
        #expect(try SiteSource(host.folder["bundle"]).accounts.users.contains("strata-control"))
    }
}
