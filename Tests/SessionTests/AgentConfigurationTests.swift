import Configuration
import Foundation
import Testing

@testable import Session

@Suite struct AgentConfigurationTests {
    private func read(_ text: String, _ environment: [String: String] = [:]) throws -> AgentConfiguration {
        try AgentConfiguration(text, source: "agent.conf", environment: environment, version: "test")
    }

    @Test("the shipped file is read, and names every key with its default")
    func shipped() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let text = try String(contentsOf: root.appendingPathComponent("systemd/strata-agent.conf"), encoding: .utf8)
        let shipped = try read(text)
        let standard = try read("")
        #expect(shipped.runtimeFolder == standard.runtimeFolder)
        #expect(shipped.stateFolder == standard.stateFolder)
        #expect(shipped.logLevel == standard.logLevel)
        #expect(shipped.session.links == standard.session.links)
        #expect(shipped.session.sticks == standard.session.sticks && standard.session.sticks.isEmpty)
        #expect(standard.mediaFolder == nil)
        for key in ["runtime", "state", "media", "allow", "deny", "level", "access_units", "proxy", "sticks"] {
            #expect(text.contains("\(key) ="))
        }
    }

    @Test("a proxy is a host and a port, from the file or the environment")
    func proxy() throws {
        let text = "[server]\nproxy = \"http://proxy.example.org:3128\"\n"
        #expect(try read(text).session.proxy == .init(host: "proxy.example.org", port: 3128))
        #expect(
            try read(text, ["STRATA_SERVER_PROXY": "http://[2001:db8::1]:8080/"]).session.proxy == .init(host: "2001:db8::1", port: 8080))
        #expect(try read("").session.proxy == nil)
    }

    @Test(
        "a proxy that is none is a fault that says what one is",
        arguments: ["proxy:3128", "https://proxy:3128", "http://user:word@proxy:3128", "http://proxy:3128/path", "http://proxy:0", ""])
    func badProxy(_ text: String) {
        #expect {
            try read("[server]\nproxy = \"\(text)\"\n")
        } throws: { error in
            let faults = (error as? ConfigurationFaults)?.faults ?? []
            return faults.map(\.key) == ["server.proxy"]
                && faults[0].expected == "http://HOST:PORT, without a path, a user name or a password"
        }
    }

    @Test("a modem or a SIM card has an access point and a PIN of its own; one that names neither is a fault")
    func modems() throws {
        let text =
            "[modems]\napn = \"a\"\n[[modem]]\nsim = \"8949001\"\napn = \"b\"\npin = \"4321\"\n[[modem]]\nid = \"860001\"\napn = \"c\"\nroaming = true\n"
        let modems = try read(text).session.modems
        #expect(modems.standard?.apn == "a" && modems.own.map(\.access.apn) == ["b", "c"] && modems.own.map(\.sim) == ["8949001", nil])
        #expect(modems.own[0].access.pin?.revealed == "4321" && modems.own[1].access.allowsRoaming && modems.own[1].access.pin == nil)
        for (section, key) in [("apn = \"b\"", "modem"), ("sim = \"8949001\"", "modem.apn"), ("sim = \"x\"\napn = \"b\"", "modem[0].sim")] {
            let faults = #expect(throws: ConfigurationFaults.self) { try read("[[modem]]\n\(section)\n") }
            #expect(faults?.faults.map(\.key) == [key], "\(section)")
        }
    }

    @Test("each fault is named with its key")
    func faults() {
        #expect {
            try read(
                "[folders]\nstate = \"here\"\nsate = \"/x\"\n[links]\ndeny = [\"a/b\"]\n[log]\nlevel = \"loud\"\n",
                ["STRATA_FOLDERS_MEDIA": "x"])
        } throws: { error in
            (error as? ConfigurationFaults)?.faults.map(\.key) == [
                "folders.state", "folders.media", "links.deny", "log.level", "folders.sate",
            ]
        }
    }
}
