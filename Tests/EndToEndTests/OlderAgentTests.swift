import Foundation
import Posix
import Support
import Testing
import Units
import Web
import Wire

/// A board whose agent is older than control. A stand-in speaks for it: there is no older agent in the tree.
@Suite(.serialized, .unlessStolen) struct OlderAgentTests {
    /// Takes every configuration that has none of the keys it does not know, as agents do, and says which it has.
    private static func answer(_ socket: WebSocket, not keys: [String]) async throws {
        while case .text(let text)? = try await socket.receive() {
            // try?: what an older agent does not know it passes over.
            guard let command = try? JSONDecoder().decode(Command<AgentOrder>.self, from: Data(text.utf8)) else { continue }
            guard case .configure(let document) = command.order else {
                try await socket.send(AgentMessage.outcome(CommandOutcome(id: command.id, result: .done)))
                continue
            }
            let unknown = keys.filter { key in document.toml.contains(key.split(separator: ".").last.map(String.init) ?? key) }
            let words = unknown.map { "\($0): expected a known key (line 2, column 1)" }.joined(separator: "; ")
            let outcome = CommandOutcome(
                id: command.id, result: unknown.isEmpty ? .done : .refused, step: unknown.isEmpty ? nil : "configuration",
                reason: unknown.isEmpty ? nil : words)
            try await socket.send(AgentMessage.outcome(outcome))
            guard unknown.isEmpty else { continue }
            try await socket.send(AgentMessage.configured(ConfigurationReport(version: document.version)))
        }
    }

    @Test("a key that an older agent does not know is told with what to do, to people and the page, and what was in force stays")
    func unknownKey() async throws {
        try await atFrontDesk { desk in
            let owner = try await desk.owner()
            let board = try await desk.board(of: owner)
            let path = "/senders/\(board.identity.device)"
            func configure(_ toml: String) async throws -> ConfigurationAnswer {
                let body = String(decoding: try JSONEncoder().encode(ChangeConfigurationRequest(toml: toml)), as: UTF8.self)
                return try JSONDecoder().decode(
                    ConfigurationAnswer.self, from: Data(try await owner.send("PUT", path + "/configuration", body).body))
            }
            func view() async throws -> SenderView { try JSONDecoder().decode(SenderView.self, from: Data(try await owner.get(path).body)) }
            let socket = try await board.connect()
            let reading = Task { try await Self.answer(socket, not: ["sender.location", "link[0].data_cap_mib"]) }
            defer { reading.cancel() }
            try await eventually(within: .seconds(5), "the board is online") { try await view().online }
            // What is not set is not sent: an older agent takes what it knows.
            let good = try await configure("[video]\nwidth = 640\n")
            #expect(good.result == .applied && good.version == 1)
            let newer = "[sender]\nlocation = \"van\"\n[video]\nwidth = 480\n[[link]]\nname = \"eth0\"\ndata_cap_mib = 100\n"
            let refused = try await configure(newer)
            measured("an older agent refuses", refused.reason ?? "")
            let words =
                "its agent (version raw) does not know sender.location, link[0].data_cap_mib: update the agent, or leave that out; "
                + "until then the configuration before stays in force"
            #expect(refused.result == .refused && refused.version == 2 && refused.reason == words)
            let kept = try await view()
            #expect(kept.configuration.wanted == 2 && kept.configuration.applied == 1 && kept.configuration.reason == words)
            #expect(kept.defaults?.encoder.width == 640)

            let page = try await Dashboard.opened(on: desk.stage, at: desk.server, desk.installation.ownerPassword)
            try await page.press("board")
            try await page.see("Configuration 2 is refused: its agent (version raw)")
            // One without them is taken, and nothing is told any more.
            let again = try await configure("[video]\nwidth = 320\n")
            #expect(again.result == .applied && again.version == 3)
            try await page.wait("!/is refused/.test(document.querySelector('.page').innerText)", "the page forgets it")
            #expect(try await view().configuration.reason == nil)

            // One that waited for the board is refused when it connects, and the page that is open tells that too.
            await socket.close()
            try await eventually(within: .seconds(5), "the board is offline") { try await !view().online }
            #expect(try await configure(newer).result == .pending)
            let next = try await board.connect()
            let reader = Task { try await Self.answer(next, not: ["sender.location", "link[0].data_cap_mib"]) }
            defer { reader.cancel() }
            try await page.see("Configuration 4 is refused: its agent")
        }
    }
}
