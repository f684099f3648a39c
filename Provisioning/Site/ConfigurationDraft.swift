import TOML

/// A reference configuration with answers put in: its comments stay, and say to whoever changes it later what each key is for.
struct ConfigurationDraft {
    /// The reference has no such key: it and this code are of two versions.
    struct Unknown: Error, CustomStringConvertible {
        let section: String
        let key: String
        var description: String { "the reference configuration has no \(section).\(key)" }
    }

    private var lines: [Substring]

    init(_ reference: String) { lines = reference.split(separator: "\n", omittingEmptySubsequences: false) }

    var text: String { lines.joined(separator: "\n") }

    /// Sets a key that stands on one line, also one that is commented out.
    mutating func set(_ section: String, _ key: String, _ value: TOMLValue) throws {
        guard let head = lines.firstIndex(of: "[\(section)]") else { throw Unknown(section: section, key: key) }
        // Where the next section begins, also one that is commented out; a list in a comment is none.
        let next = lines[(head + 1)...].firstIndex { $0.hasPrefix("[") || $0.hasPrefix("# [") && !$0.hasPrefix("# [\"") }
        let body = (head + 1)..<(next ?? lines.endIndex)
        guard
            let place = lines[body].firstIndex(where: { $0.hasPrefix("\(key) = ") })
                ?? lines[body].firstIndex(where: { $0.hasPrefix("# \(key) = ") })
        else { throw Unknown(section: section, key: key) }
        let table: TOMLTable = [key: value]
        lines[place] = Substring(table.document.prefix { $0 != "\n" })
    }

    mutating func set(_ section: String, _ key: String, _ texts: [String]) throws {
        try set(section, key, .array(texts.map { TOMLValue.string($0) }))
    }

    /// - Parameter hasIPv6: of the machine: without it nothing can listen there.
    static func control(_ reference: String, _ answers: SiteAnswers, hasIPv6: Bool) throws -> String {
        var draft = ConfigurationDraft(reference)
        try draft.set("server", "origins", [answers.origin, answers.loopback])
        try draft.set("server", "listen", ["127.0.0.1:\(answers.httpPort)"])
        try draft.set("server", "listen_tls", (hasIPv6 ? ["0.0.0.0", "[::]"] : ["0.0.0.0"]).map { "\($0):\(answers.httpsPort)" })
        if answers.hasAuthority { try draft.set("server", "authority", .string(SitePaths.authority)) }
        if answers.roomWorkers > 0 {
            try draft.set("rooms", "workers", .integer(answers.roomWorkers))
            try draft.set("rooms", "port", .integer(answers.roomPort))
            try draft.set("rooms", "bind", hasIPv6 && answers.addresses.contains { $0.contains(":") } ? ["0.0.0.0", "::"] : ["0.0.0.0"])
            try draft.set("rooms", "announce", answers.addresses)
        }
        if answers.releaseKeys != nil {
            try draft.set("updates", "keys", .string(SitePaths.releaseKeys))
            try draft.set("updates", "channel", .string(answers.releaseChannel.rawValue))
        }
        if answers.backupRecipient != nil { try draft.set("backup", "recipient", .string(SitePaths.backupRecipient)) }
        return draft.text
    }

    static func pool(_ reference: String, _ answers: SiteAnswers, hasIPv6: Bool) throws -> String {
        var draft = ConfigurationDraft(reference)
        try draft.set("host", "public_addresses", answers.addresses.isEmpty ? [answers.host] : answers.addresses)
        try draft.set("host", "bind", hasIPv6 ? ["0.0.0.0", "::"] : ["0.0.0.0"])
        try draft.set("host", "first_port", .integer(answers.poolPorts.lowerBound))
        try draft.set("host", "last_port", .integer(answers.poolPorts.upperBound))
        return draft.text
    }
}
