package import Configuration
package import Identity
package import Units

/// What a board is given before its first start, in a file of its boot partition: where its server is, the token that it enrolls with,
/// and how it gets there. TOML, made by `strata-provision board`, taken once by `strata-agent prepare`.
package struct BoardFile: Hashable, Sendable {
    /// What the file is called, wherever it lies.
    package static let name = "strata-board.toml"
    /// Far above what is written; a boot partition holds other people's files too.
    package static let byteLimit = 16_384
    static let serverLimit = 4

    /// Where control is, in the order in which it is tried; at least one.
    package let servers: [ServerOrigin]
    package let token: EnrollmentToken
    /// What the board is called; nil leaves it to the token.
    package let boardName: String?
    /// Of whoever makes the token, for people.
    package let organization: String?
    /// Until when the token is good, for people.
    package let expiresAt: String?
    /// What control is reached through, as the agent's configuration has it.
    package let proxy: String?
    /// Unix seconds: it was written then, so that time has passed for certain when a board without a clock reads it.
    package let writtenAt: Int
    package let network: BoardNetwork

    /// Nothing but what can be written and read again.
    ///
    /// - Throws: `ConfigurationFaults`.
    package init(
        servers: [ServerOrigin], token: EnrollmentToken, boardName: String? = nil, organization: String? = nil, expiresAt: String? = nil,
        proxy: String? = nil, writtenAt: Int, network: BoardNetwork = BoardNetwork()
    ) throws(ConfigurationFaults) {
        self.servers = servers
        self.token = token
        self.boardName = boardName
        self.organization = organization
        self.expiresAt = expiresAt
        self.proxy = proxy
        self.writtenAt = writtenAt
        self.network = network
        _ = try BoardFile(text.revealed, source: Self.name)
    }

    /// - Throws: every fault at once; none of them repeats a secret.
    package init(_ text: String, source: String) throws(ConfigurationFaults) {
        let reader = try ConfigurationReader(text, source: source)
        let enrollment = reader.section("enrollment")
        let expected = "1 to \(Self.serverLimit) addresses of the server, https://host[:port]"
        // try?: whatever is wrong with one of them, `expected` says what it looks like.
        let origins = enrollment.strings("servers", expected, isFilled: true) { (try? ServerOrigin($0)) != nil }
        servers = origins.compactMap { try? ServerOrigin($0) }
        if origins.count > Self.serverLimit { reader.note("enrollment.servers", "\(origins.count) of them", expected) }
        let found = enrollment.secret("token").flatMap { EnrollmentToken($0) }
        if found == nil { reader.note("enrollment.token", nil, "an enrollment token, strata1.<id>.<secret>.<authority>") }
        boardName = enrollment.optionalString("name", "1 to 100 characters on one line", where: Self.isName)
        organization = enrollment.optionalString("organization", "1 to 100 characters on one line", where: Self.isName)
        expiresAt = enrollment.optionalString("expires", "1 to 100 characters on one line", where: Self.isName)
        proxy = enrollment.optionalString("proxy", "http://HOST:PORT on one line") { Self.isName($0) && $0.hasPrefix("http://") }
        // Up to the year 2100.
        writtenAt = enrollment.integer("written", default: 0, in: 0...4_102_444_800)
        network = BoardNetwork(reader)
        try reader.finish()
        guard let found else { preconditionFailure("a token that is none was noted as a fault") }
        token = found
    }

    static func isName(_ text: String) -> Bool { (1...100).contains(text.count) && text.utf8.count <= 400 && text.isPlain }

    /// The whole file.
    package var text: Secret {
        let heading = """
            # For one board, by strata-provision. It holds a secret that makes a board one of yours: the board takes this file at its next
            # start and removes it.

            """
        return Secret(heading + enrollmentText.revealed + network.text.revealed)
    }

    /// The section that is left once the network is set up.
    package var enrollmentText: Secret {
        var lines = ["[enrollment]", "servers = [\(servers.map { TOMLText.quoted($0.text) }.joined(separator: ", "))]"]
        lines.append("token = \(TOMLText.quoted(token.text.revealed))")
        lines += TOMLText.lines([("name", boardName), ("organization", organization), ("expires", expiresAt), ("proxy", proxy)])
        if writtenAt > 0 { lines.append("written = \(writtenAt)") }
        return Secret(lines.joined(separator: "\n") + "\n")
    }
}

/// Texts as TOML has them.
enum TOMLText {
    /// A basic string (TOML 1.0, "String").
    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x22, 0x5C: result += "\\\(scalar)"
            case 0..<0x20, 0x7F:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    /// Those that are given.
    static func lines(_ values: [(key: String, text: String?)]) -> [String] {
        values.compactMap { value in value.text.map { "\(value.key) = \(quoted($0))" } }
    }
}
