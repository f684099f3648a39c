/// What one end offers or answers, as far as WebRTC uses it; the rest of the text is read over. Source: RFC 8866, RFC 9429.
package struct SessionDescription: Hashable, Sendable {
    /// Of the `o=` line: the same for a whole negotiation.
    package var sessionID: UInt64
    /// Of the `o=` line: one more for each description.
    package var version: UInt64
    /// The mids of each `a=group:BUNDLE`.
    package var bundles: [[String]] = []
    /// `a=ice-lite`
    package var isLite = false
    package var allowsMixedExtensions = false
    package var direction: MediaDirection?
    /// For sections that say nothing of their own.
    package var transport = TransportLines()
    package var sections: [MediaSection] = []

    package init(sessionID: UInt64, version: UInt64) {
        self.sessionID = sessionID
        self.version = version
    }

    /// - Throws: what is wrong with the first line that is.
    package init(parsing bytes: [UInt8], limits: SDPLimits = .offer) throws(SDPFault) {
        var parser = try DescriptionParser(bytes, limits)
        self = try parser.description()
    }

    package init(parsing text: String, limits: SDPLimits = .offer) throws(SDPFault) {
        try self.init(parsing: Array(text.utf8), limits: limits)
    }

    package func transport(of section: MediaSection) -> TransportLines { section.transport.over(transport) }

    package func direction(of section: MediaSection) -> MediaDirection { section.direction ?? direction ?? .both }

    /// The text, with CRLF at the end of each line.
    package var text: String {
        var lines = LineWriter()
        lines.line("v", "0")
        lines.line("o", "- \(sessionID) \(version) IN IP4 0.0.0.0")
        lines.line("s", "-")
        lines.line("t", "0 0")
        for bundle in bundles { lines.attribute("group", (["BUNDLE"] + bundle).joined(separator: " ")) }
        if isLite { lines.attribute("ice-lite") }
        if allowsMixedExtensions { lines.attribute("extmap-allow-mixed") }
        if let direction { lines.attribute(direction.rawValue) }
        transport.write(into: &lines)
        for section in sections { section.write(into: &lines) }
        return lines.text
    }
}
