import Configuration
import Foundation
import Posix
import Testing
import Units
import Wire

@testable import Pool

@Suite("Pool configuration")
struct PoolConfigTests {
    private func parse(_ text: String, environment: [String: String] = [:]) throws -> PoolConfig {
        try PoolConfig(text, source: "test", environment: environment, program: "/opt/strata/strata-pool", version: "1")
    }

    @Test("the shipped file is read, and says the defaults where it says that it does")
    func shipped() throws {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../systemd/strata-pool.conf").path
        let shipped = try parse(String(contentsOfFile: path, encoding: .utf8)).settings
        let least = try parse("[host]\npublic_addresses = [\"192.0.2.1\"]\n").settings
        #expect(shipped.ports == least.ports && shipped.ports == PortRange(first: 20_000, last: 20_999))
        #expect(shipped.capacity == least.capacity && shipped.receiver == "/opt/strata/strata-receiver")
        #expect(shipped.runtimeFolder == least.runtimeFolder && shipped.stateFolder == least.stateFolder)
        #expect(shipped.receiverLogLevel == least.receiverLogLevel && least.recordings == nil && least.bind == ["0.0.0.0"])
    }

    @Test("control is reached through a proxy where one is named, and one that is none is a fault with its key")
    func proxy() throws {
        let host = "[host]\npublic_addresses = [\"a\"]\n"
        #expect(try parse(host).settings.proxy == nil)
        #expect(try parse(host + "[server]\nproxy = \"http://proxy:3128\"\n").settings.proxy == .init(host: "proxy", port: 3128))
        do {
            _ = try parse(host + "[server]\nproxy = \"proxy:3128\"\n")
            Issue.record("it was taken")
        } catch {
            #expect((error as? ConfigurationFaults)?.faults.map(\.key) == ["server.proxy"])
        }
    }

    @Test("the environment wins")
    func environment() throws {
        let config = try parse("[host]\npublic_addresses = [\"a\"]\ncapacity = 3\n", environment: ["STRATA_HOST_CAPACITY": "7"])
        #expect(config.settings.capacity == 7)
    }

    @Test(
        "an address that boards are told and nothing listens on is a fault that says what to bind",
        arguments: [
            ("\"2001:db8::1\", \"192.0.2.1\"", "", "an IPv6 address too, e.g. ::, because host.public_addresses has 2001:db8::1"),
            ("\"192.0.2.1\"", "bind = [\"::\"]", "an IPv4 address too, e.g. 0.0.0.0, because host.public_addresses has 192.0.2.1"),
        ])
    func families(_ addresses: String, _ bind: String, _ expected: String) throws {
        do {
            _ = try parse("[host]\npublic_addresses = [\(addresses)]\n\(bind)\n")
            Issue.record("it was taken")
        } catch {
            let faults = (error as? ConfigurationFaults)?.faults ?? []
            #expect(faults.map(\.key) == ["host.bind"] && faults.first?.expected == expected, "\(faults)")
        }
        let both = try parse("[host]\npublic_addresses = [\(addresses), \"live.example.org\"]\nbind = [\"0.0.0.0\", \"::\"]\n")
        #expect(both.settings.bind == ["0.0.0.0", "::"])
    }

    @Test("an IPv6 address that is none, or of one link only, is a fault", arguments: ["2001:db8:::1", "fe80::1%eth0", "[::1]:5000"])
    func badIPv6(_ text: String) {
        #expect(throws: ConfigurationFaults.self) { try parse("[host]\npublic_addresses = [\"\(text)\"]\nbind = [\"::\"]\n") }
    }

    @Test("what boards cannot reach the host by is a fault, in the words that control has for it in a hello")
    func publicAddresses() throws {
        for text in ["", "10.0.0.1; rm -rf /", "host:5000", "0.0.0.0"] {
            let error = #expect(throws: ConfigurationFaults.self) { try parse("[host]\npublic_addresses = [\"a\", \"\(text)\"]\n") }
            let fault = try #require(error?.faults.first)
            #expect(error?.faults.map(\.key) == ["host.public_addresses"] && fault.expected.contains(PublicAddress.expected))
            #expect(fault.value?.contains("entry 2 of 2") == true)
        }
        #expect(throws: ConfigurationFaults.self) { try parse("[host]\npublic_addresses = []\n") }
        let many = Array(repeating: "\"a\"", count: WireLimits.publicAddresses + 1).joined(separator: ", ")
        #expect(throws: ConfigurationFaults.self) { try parse("[host]\npublic_addresses = [\(many)]\n") }
    }

    @Test("all faults are told together")
    func faults() {
        let text =
            "[host]\nbind = [\"everywhere\"]\nfirst_port = 3000\nlast_port = 2000\ncapacity = 0\ncapcity = 1\n[folders]\nstate = \"x\"\n"
        do {
            _ = try parse(text)
            Issue.record("it was taken")
        } catch {
            let keys = Set((error as? ConfigurationFaults)?.faults.map(\.key) ?? [])
            #expect(
                keys.isSuperset(of: [
                    "host.bind", "host.last_port", "host.capacity", "host.capcity", "folders.state", "host.public_addresses",
                ]))
        }
    }

    @Test("a last port that is no port is one fault, of the number that was written")
    func lastPort() throws {
        let error = #expect(throws: ConfigurationFaults.self) {
            try parse("[host]\npublic_addresses = [\"a\"]\nlast_port = 70000\n")
        }
        #expect(error?.faults.map(\.key) == ["host.last_port"] && error?.faults.first?.value == "70000")
    }

    @Test("what this machine cannot do is named before anything is offered, with what to do")
    func impossible() throws {
        let folder = "/tmp/st-check-\(getpid())"
        try FileManager.default.createDirectory(atPath: folder + "/open/pool", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        chmod(folder + "/open/pool", 0o755)
        try "no program".write(toFile: folder + "/text", atomically: true, encoding: .utf8)
        func faults(_ change: (inout PoolSettings) -> Void) throws -> [String] {
            var settings = try parse("[host]\npublic_addresses = [\"192.0.2.1\"]\nbind = [\"127.0.0.1\"]\n").settings
            settings.receiver = "/bin/true"
            settings.runtimeFolder = folder + "/run"
            change(&settings)
            do {
                try settings.check(source: "test")
                return []
            } catch {
                return error.faults.map { "\($0.key) \($0.value ?? ""): \($0.expected)" }
            }
        }
        #expect(try faults { _ in } == [])
        for (change, key, words): ((inout PoolSettings) -> Void, String, [String]) in [
            ({ $0.receiver = "/nonexistent" }, "host.receiver '/nonexistent'", ["installed", "No such file or directory (2)"]),
            ({ $0.receiver = "/tmp" }, "host.receiver '/tmp'", ["not a file"]),
            ({ $0.receiver = folder + "/text" }, "host.receiver '\(folder)/text'", ["Permission denied (13)"]),
            ({ $0.bind = ["127.0.0.1", "192.0.2.77"] }, "host.bind '192.0.2.77'", ["0.0.0.0", "Cannot assign requested address (99)"]),
            ({ $0.runtimeFolder = folder + "/open" }, "folders.runtime '\(folder)/open'", ["0700", "Operation not permitted (1)"]),
            ({ $0.runtimeFolder = folder + "/no/such" }, "folders.runtime '\(folder)/no/such'", ["No such file or directory (2)"]),
        ] {
            let found = try faults(change)
            #expect(found.count == 1 && found[0].hasPrefix(key) && words.allSatisfy(found[0].contains), "\(found)")
        }
        #expect(
            try faults {
                $0.receiver = "/nonexistent"
                $0.bind = ["192.0.2.77", "192.0.2.78"]
            }.count == 3)
    }

    @Test("the longest runtime folder is one in which a receiver's socket can still be made")
    func longestRuntime() throws {
        var settings = try parse("[host]\npublic_addresses = [\"192.0.2.1\"]\nbind = [\"127.0.0.1\"]\n").settings
        settings.receiver = "/bin/true"
        let most = 66
        let folder = "/tmp/st-long-\(getpid())-"
        let fitting = folder + String(repeating: "x", count: most - folder.utf8.count)
        defer { try? FileManager.default.removeItem(atPath: fitting) }
        settings.runtimeFolder = fitting
        try settings.check(source: "test")
        let files = try LeaseFiles(runtime: settings.leaseFolder, state: fitting)
        _ = try UnixSocket.listen(at: files.socket(of: LeaseID("01ARZ3NDEKTSV4RRFFQ69G5FAV")!))
        files.unlock()
        settings.runtimeFolder = fitting + "x"
        do {
            try settings.check(source: "test")
            Issue.record("it was taken")
        } catch {
            #expect(error.faults.map(\.key) == ["folders.runtime"])
            #expect(error.faults.first?.expected.contains("at most 66 bytes") == true, "\(error)")
        }
    }
}
