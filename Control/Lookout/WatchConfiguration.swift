package import Configuration
package import HTTP
package import Mail
import Posix
package import TLS

/// How `strata-control watch` is set up: read from its file, then the environment. `systemd/strata-watch.conf` explains each key.
package struct WatchConfiguration: Sendable {
    /// The address that is asked.
    package let health: URLParts
    package let trust: Trust
    package let timeout: Duration
    package let failures: Int
    package let people: [MailAddress]
    /// Holds what is known between two looks.
    package let folder: String
    package let mail: MailServer

    /// - Throws: `ConfigurationFaults`, all of them together.
    package init(_ text: String, source: String, environment: [String: String]) throws(ConfigurationFaults) {
        let reader = try ConfigurationReader(text, source: source, environment: environment)
        let section = reader.section("watch")
        let server = section.string("server", "an origin such as https://live.example.org") { Self.health(of: $0) != nil }
        let authority = section.optionalString("authority", "the path of a PEM file") { $0.hasPrefix("/") }
        trust = Self.trust(authority, reader)
        timeout = section.duration("timeout_seconds", default: 30, in: 1...300)
        failures = section.integer("failures", default: 3, in: 1...100)
        people = section.strings("to", "a list of mail addresses") { MailAddress($0) != nil }.compactMap(MailAddress.init)
        if people.isEmpty { reader.note("watch.to", nil, "at least one mail address") }
        folder = section.string("state", default: "/var/lib/strata/watch", "an absolute path") { $0.hasPrefix("/") }
        let mail = MailServer(reader)
        if mail == nil { reader.note("mail.server", nil, "host:port of the server that takes the mails, and mail.from") }
        try reader.finish()
        // Both are faults where they are none, and were thrown.
        guard let mail, let health = Self.health(of: server) else { throw ConfigurationFaults(source: source, faults: []) }
        self.mail = mail
        self.health = health
    }

    private static func health(of origin: String) -> URLParts? {
        // try?: whatever is wrong with it, the fault says what one looks like.
        guard let url = try? URLParts(origin, schemes: [.http, .https]), url.path == "/", url.query == nil else { return nil }
        return try? URLParts("\(url.scheme.rawValue)://\(url.authority)/health", schemes: [.http, .https])
    }

    private static func trust(_ file: String?, _ reader: ConfigurationReader) -> Trust {
        guard let file else { return .system }
        do throws(RegularFile.Fault) {
            return .anchors([try RegularFile(file, upTo: 1 << 20).bytes])
        } catch {
            reader.note("watch.authority", file, "a PEM file that can be read: \(error.reason)")
            return .system
        }
    }
}
