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
        for key in ["runtime", "state", "media", "allow", "deny", "level", "access_units"] { #expect(text.contains("\(key) =")) }
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
