import Foundation

/// A real mail server, Debian's aiosmtpd, that prints what it takes: `Fixtures/mail/server.py`.
package final class MailPeer: Sendable {
    package let port: Int
    private let program: RunningProgram

    /// A mail as Python's own parser reads it.
    package struct Mail: Codable, Sendable {
        package let from: String
        package let to: [String]
        package let headers: [String: String]
        package let defects: [String]
        package let text: String
        package let html: String
        package let encrypted: Bool
        package let user: String
        /// Bytes of the longest line.
        package let longest: Int
    }

    package init(on stage: Stage, port: Int? = nil, _ words: [String] = []) async throws {
        let port = try port ?? FreePorts.tcp()
        self.port = port
        program = try stage.start(
            "/usr/bin/python3", [Places.root.appendingPathComponent("Tests/Fixtures/mail/server.py").path, "\(port)"] + words)
        try await program.line(containing: "listening", within: .seconds(20))
    }

    package var mails: [Mail] {
        get throws {
            try program.lines.filter { $0.hasPrefix("{") }.map { try JSONDecoder().decode(Mail.self, from: Data($0.utf8)) }
        }
    }

    /// The first one. What the server has said may still be on its way to us when its answer is there.
    package var first: Mail {
        get async throws { try await eventually(within: .seconds(10), "a mail has come") { try mails.first } }
    }

    package func end() async throws { try await program.stop() }
}
