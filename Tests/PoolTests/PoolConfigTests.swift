import Configuration
import Foundation
import Testing
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
}
