import Posix
package import Releases

/// What a server is installed as: what whoever installs it was asked, and what the journal keeps.
package struct SiteAnswers: Hashable, Sendable {
    package enum CertificateSource: String, Sendable, CaseIterable {
        /// An authority of the server's own, which boards pin.
        case own
        /// Files of whatever authority, renewed by whoever made them.
        case files
        /// A public authority that speaks ACME, by certbot.
        case acme
    }

    /// The name or address that browsers and boards know it by.
    package private(set) var host = ""
    /// Public addresses of this machine; needed where it has rooms, else boards are told the host.
    package private(set) var addresses: [String] = []
    package private(set) var httpsPort = 443
    /// On loopback only.
    package private(set) var httpPort = 8080
    package private(set) var certificate = CertificateSource.own
    package private(set) var certificateFile: String?
    package private(set) var keyFile: String?
    /// Of the authority that boards shall pin, where the certificate's is none that they know.
    package private(set) var authorityFile: String?
    /// Whom the public authority writes to.
    package private(set) var mail: String?
    /// Of the public authority; nil: the one that certbot asks by itself.
    package private(set) var acmeDirectory: String?
    package private(set) var hasPool = true
    /// UDP, one for each stream.
    package private(set) var poolPorts = 20000...20999
    package private(set) var roomWorkers = 0
    /// UDP, of the first worker.
    package private(set) var roomPort = 8189
    /// The certificate that backups are sealed for.
    package private(set) var backupRecipient: String?
    /// The list of keys whose releases the server updates itself with; nil: it does not.
    package private(set) var releaseKeys: String?
    /// The least steady channel that it takes releases of, whatever control says.
    package private(set) var releaseChannel = ReleaseChannel.stable
    /// Whether Debian's packages are installed too; else somebody else sees to them.
    package private(set) var hasPackages = true

    /// The names of the answers, as options of the command line have them.
    package static let names = [
        "host", "address", "https-port", "http-port", "certificate", "certificate-file", "key-file", "authority-file", "mail",
        "acme-directory", "pool", "pool-ports", "rooms", "rooms-port", "backup-recipient", "release-keys", "release-channel", "packages",
    ]

    /// Every answer that is wrong, with what was expected.
    package struct Faults: Error, Hashable, Sendable, CustomStringConvertible {
        package let faults: [String]
        package var description: String { faults.joined(separator: "\n") }
    }

    /// - Parameter fields: by the answers' names; what is missing has its standard.
    /// - Throws: `Faults`, all of them together.
    package init(_ fields: [String: String]) throws(Faults) {
        var reading = Reading(fields)
        host = reading.text("host", "a name such as live.example.org, or an address") { Self.isHost($0) }?.lowercased() ?? ""
        addresses = reading.list("address", "an IPv4 or IPv6 address") { SocketAddress($0, port: 0) != nil }
        httpsPort = reading.number("https-port", 443, in: 1...65535)
        httpPort = reading.number("http-port", 8080, in: 1...65535)
        let source = reading.text("certificate", "own, files or acme") { CertificateSource(rawValue: $0) != nil }
        certificate = source.flatMap { CertificateSource(rawValue: $0) } ?? .own
        certificateFile = reading.path("certificate-file")
        keyFile = reading.path("key-file")
        authorityFile = reading.path("authority-file")
        acmeDirectory = reading.text("acme-directory", "an address such as https://acme.example.org/directory") { Self.isDirectory($0) }
        mail = reading.text("mail", "an address such as admin@example.org") { Self.isMail($0) }
        hasPool = reading.choice("pool")
        poolPorts = reading.ports("pool-ports", 20000...20999)
        roomWorkers = reading.number("rooms", 0, in: 0...64)
        roomPort = reading.number("rooms-port", 8189, in: 1...65000)
        backupRecipient = reading.path("backup-recipient")
        releaseKeys = reading.path("release-keys")
        let channel = reading.text("release-channel", "stable, beta or edge") { ReleaseChannel(rawValue: $0) != nil }
        releaseChannel = channel.flatMap { ReleaseChannel(rawValue: $0) } ?? .stable
        hasPackages = reading.choice("packages")
        check(&reading)
        guard reading.faults.isEmpty else { throw Faults(faults: reading.faults) }
    }

    /// What excludes or needs each other.
    private func check(_ reading: inout Reading) {
        if !reading.isGiven("host") {
            reading.faults.append("--host is missing: the name that browsers and boards know the server by")
        }
        let files = [("certificate-file", certificateFile), ("key-file", keyFile)]
        for (name, file) in files where (certificate == .files) != (file != nil) {
            reading.faults.append(
                certificate == .files
                    ? "--\(name) is missing: --certificate files needs it" : "--\(name) belongs to --certificate files")
        }
        if authorityFile != nil, certificate != .files { reading.faults.append("--authority-file belongs to --certificate files") }
        if certificate == .acme {
            if SocketAddress(host, port: 0) != nil { reading.faults.append("--certificate acme needs a name: --host is an address") }
            if httpsPort != 443 { reading.faults.append("--certificate acme needs port 443, by which the public reaches the name") }
            if mail == nil { reading.faults.append("--mail is missing: whom the authority writes to before a certificate ends") }
        } else if mail != nil {
            reading.faults.append("--mail belongs to --certificate acme")
        }
        if acmeDirectory != nil, certificate != .acme { reading.faults.append("--acme-directory belongs to --certificate acme") }
        if releaseKeys == nil, reading.isGiven("release-channel") { reading.faults.append("--release-channel belongs to --release-keys") }
        if roomWorkers > 0, addresses.isEmpty { reading.faults.append("--address is missing: with rooms browsers are told it") }
        if httpsPort == httpPort { reading.faults.append("--https-port and --http-port are both \(httpPort)") }
        if hasPool, roomWorkers > 0, poolPorts.overlaps(roomPort...(roomPort + roomWorkers - 1)) {
            reading.faults.append("--pool-ports and the ports of \(roomWorkers) room workers from \(roomPort) on overlap")
        }
    }

    /// What the journal keeps: nothing of it is secret. Reads back as the same.
    package var fields: [String: String] {
        var fields: [String: String] = [
            "host": host, "address": addresses.joined(separator: ","), "https-port": "\(httpsPort)", "http-port": "\(httpPort)",
            "certificate": certificate.rawValue, "pool": hasPool ? "yes" : "no",
            "pool-ports": "\(poolPorts.lowerBound)-\(poolPorts.upperBound)", "rooms": "\(roomWorkers)", "rooms-port": "\(roomPort)",
            "packages": hasPackages ? "yes" : "no",
        ]
        fields["certificate-file"] = certificateFile
        fields["key-file"] = keyFile
        fields["authority-file"] = authorityFile
        fields["mail"] = mail
        fields["acme-directory"] = acmeDirectory
        fields["backup-recipient"] = backupRecipient
        fields["release-keys"] = releaseKeys
        if releaseKeys != nil { fields["release-channel"] = releaseChannel.rawValue }
        return fields.filter { !$0.value.isEmpty }
    }

    /// `https://live.example.org`, with the port where it is not HTTPS's own.
    package var origin: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return httpsPort == 443 ? "https://\(name)" : "https://\(name):\(httpsPort)"
    }

    /// The way to control from this machine alone.
    package var loopback: String { "http://127.0.0.1:\(httpPort)" }

    /// Where control says whether it is well.
    package var health: String { "\(loopback)/health" }

    /// Whether boards pin an authority whose certificate lies beside the server's.
    var hasAuthority: Bool { certificate == .own || authorityFile != nil }

    /// A DNS name or an address: it becomes part of a unit's name, a configuration and a certificate.
    private static func isHost(_ text: String) -> Bool {
        if SocketAddress(text, port: 0) != nil { return !text.contains("[") && !text.contains("%") }
        let labels = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return text.utf8.count <= 253 && labels.allSatisfy { isLabel(Array($0)) }
    }

    /// A part of a name between dots. Source: RFC 1123, 2.1.
    private static func isLabel(_ bytes: [UInt8]) -> Bool {
        let hyphen = UInt8(ascii: "-")
        guard (1...63).contains(bytes.count), bytes.first != hyphen, bytes.last != hyphen else { return false }
        return bytes.allSatisfy { isLetterOrDigit($0) || $0 == hyphen }
    }

    /// It becomes a word of certbot's command line.
    private static func isDirectory(_ text: String) -> Bool {
        text.hasPrefix("https://") && (9...500).contains(text.utf8.count) && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    }

    private static func isMail(_ text: String) -> Bool {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, isHost(String(parts[1])), (1...64).contains(parts[0].utf8.count), !parts[0].hasPrefix("-") else {
            return false
        }
        return parts[0].utf8.allSatisfy { isLetterOrDigit($0) || "._+-".utf8.contains($0) }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: false
        }
    }
}

/// Takes answers from their texts, and notes each that is none.
private struct Reading {
    private let fields: [String: String]
    var faults: [String] = []

    init(_ fields: [String: String]) {
        self.fields = fields
        for name in fields.keys.sorted() where !SiteAnswers.names.contains(name) { faults.append("--\(name) is no answer of a server") }
    }

    func isGiven(_ name: String) -> Bool { fields[name] != nil }

    mutating func text(_ name: String, _ expected: String, _ isRight: (String) -> Bool) -> String? {
        guard let text = fields[name] else { return nil }
        guard isRight(text) else {
            faults.append("--\(name) is '\(text)'; expected \(expected)")
            return nil
        }
        return text
    }

    mutating func list(_ name: String, _ expected: String, _ isRight: (String) -> Bool) -> [String] {
        let parts = (fields[name] ?? "").split(separator: ",").map(String.init)
        for part in parts where !isRight(part) { faults.append("--\(name) is '\(part)'; expected \(expected)") }
        return parts
    }

    mutating func number(_ name: String, _ standard: Int, in range: ClosedRange<Int>) -> Int {
        let words = "a whole number from \(range.lowerBound) to \(range.upperBound)"
        return text(name, words) { Int($0).map { range.contains($0) } ?? false }.flatMap { Int($0) } ?? standard
    }

    mutating func choice(_ name: String) -> Bool { text(name, "yes or no") { ["yes", "no"].contains($0) } != "no" }

    mutating func path(_ name: String) -> String? {
        text(name, "an absolute path of one line") { $0.hasPrefix("/") && !$0.contains(where: \.isNewline) }
    }

    mutating func ports(_ name: String, _ standard: ClosedRange<Int>) -> ClosedRange<Int> {
        guard let text = fields[name] else { return standard }
        let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
        guard ends.count == 2, let first = ends[0], let last = ends[1], first <= last, first >= 1024, last <= 65535 else {
            faults.append("--\(name) is '\(text)'; expected two ports from 1024 on, such as 20000-20999")
            return standard
        }
        return first...last
    }
}
