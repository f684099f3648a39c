package import Configuration
import Crypto
package import Units

/// The server that takes our mails, and whom they are from: the section `[mail]`.
package struct MailServer: Sendable {
    package enum Security: String, Sendable, CaseIterable {
        /// TLS after STARTTLS, never without.
        case starttls
        /// TLS from the first byte on (RFC 8314).
        case tls
        /// For a relay on this machine.
        case none
    }

    package let place: HostPort
    package let security: Security
    package let from: MailAddress
    package let fromName: String
    package let user: String?
    package let password: Secret
    /// PEM; the system's authorities where nil.
    package let authorityFile: String?
    /// Of each step: to connect, and to get an answer; a mail may take three times as long.
    package let timeout: Duration

    package init(
        place: HostPort, security: Security, from: MailAddress, fromName: String = "Strata", user: String? = nil,
        password: Secret = Secret(""), authorityFile: String? = nil, timeout: Duration = .seconds(30)
    ) {
        self.place = place
        self.security = security
        self.from = from
        self.fromName = fromName
        self.user = user
        self.password = password
        self.authorityFile = authorityFile
        self.timeout = timeout
    }

    private static let keys = ["security", "from", "from_name", "user", "password_file", "authority", "timeout_seconds"]

    /// nil where no server is given: then no mail is sent. What is wrong is noted with the reader's other faults.
    package init?(_ reader: ConfigurationReader) {
        let section = reader.section("mail")
        guard section.isGiven("server") else {
            for key in Self.keys where section.isGiven(key) { reader.note("mail.\(key)", nil, "mail.server, the server that takes mails") }
            return nil
        }
        place = section.address("server")
        security = section.choice("security", default: Security.starttls, placeholder: .starttls)
        let sender = section.string("from", MailAddress.expected) { MailAddress($0) != nil }
        fromName = section.string("from_name", default: "Strata", "one line of 1 to 100 characters") {
            $0.isPlain && (1...100).contains($0.count)
        }
        user = section.optionalString("user", "one line") { $0.isPlain && !$0.isEmpty }
        password = Self.password(section, reader)
        authorityFile = section.optionalString("authority", "the path of a PEM file") { $0.hasPrefix("/") }
        timeout = section.duration("timeout_seconds", default: 30, in: 1...300)
        if (user == nil) != !section.isGiven("password_file") { reader.note("mail.user, mail.password_file", nil, "both or neither") }
        if place.port == 0 { reader.note("mail.server", place.description, "host:port with a port of 1 to 65535") }
        if security == .none, !Self.isLoopback(place.host) {
            reader.note("mail.security", "none", "starttls or tls: without TLS only a server on this machine is used")
        }
        // Its own fault is noted.
        guard let from = MailAddress(sender) else { return nil }
        self.from = from
    }

    private static func password(_ section: ConfigurationSection, _ reader: ConfigurationReader) -> Secret {
        guard let path = section.optionalString("password_file", "the path of a file of mode 0600") else { return Secret("") }
        do throws(CryptoError) {
            let text = try KeyFile.read(path)
            if text == nil { reader.note("mail.password_file", path, "a file that exists") }
            let line = String((text ?? "-").prefix { !$0.isNewline })
            if line.isEmpty || !line.isPlain { reader.note("mail.password_file", path, "a file whose first line is the password") }
            return Secret(line)
        } catch {
            reader.note("mail.password_file", path, "\(error)")
            return Secret("")
        }
    }

    private static func isLoopback(_ host: String) -> Bool {
        let isIPv4 = host.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { UInt8($0) != nil }
        return host == "localhost" || host == "::1" || (isIPv4 && host.hasPrefix("127."))
    }
}
