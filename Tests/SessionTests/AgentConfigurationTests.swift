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
        #expect(standard.mediaFolder == nil)
        for key in ["runtime", "state", "media", "allow", "deny", "level", "access_units", "proxy"] { #expect(text.contains("\(key) =")) }
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
