/// A mail that is sent at once or not at all: for a program without an outbox.
package struct DirectMail: Sendable {
    private let subject: String
    private let paragraphs: [String]
    private let id: String
    private let unixSeconds: Int64

    /// - Parameters:
    ///   - paragraphs: plain text, each in one line.
    ///   - id: of the Message-ID: the same for what says the same, so that whoever gets it twice sees it once.
    package init(subject: String, paragraphs: [String], id: String, unixSeconds: Int64) {
        self.subject = subject
        self.paragraphs = paragraphs
        self.id = id
        self.unixSeconds = unixSeconds
    }

    /// - Throws: `SMTPError`, `HeaderFault`.
    package func send(to: MailAddress, by server: MailServer) async throws {
        let bytes = try MailMessage(
            from: server.from, fromName: server.fromName, to: to, subject: subject, text: paragraphs.joined(separator: "\n\n"),
            html: "<!doctype html>" + paragraphs.map { "<p>\(Letters.escaped($0))</p>" }.joined(separator: "\n"), id: id,
            unixSeconds: unixSeconds
        ).bytes()
        try await Postman.onThread { try SMTPConversation().send(bytes, to: to, by: server) }
    }
}
