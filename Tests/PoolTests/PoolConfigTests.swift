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

    @Test("the environment wins")
    func environment() throws {
        let config = try parse("[host]\npublic_addresses = [\"a\"]\ncapacity = 3\n", environment: ["STRATA_HOST_CAPACITY": "7"])
        #expect(config.settings.capacity == 7)
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
