/// Candidates that come after a description, and a restart of ICE: `application/trickle-ice-sdpfrag`.
///
/// Source: RFC 8840 section 9, RFC 9725 sections 4.3.2 and 4.3.3.
package struct TrickleFragment: Hashable, Sendable {
    package static let contentType = "application/trickle-ice-sdpfrag"

    package struct Part: Hashable, Sendable {
        package var kind: MediaSection.Kind
        package var mid: String
        package var transport: TransportLines

        package init(kind: MediaSection.Kind, mid: String, transport: TransportLines) {
            self.kind = kind
            self.mid = mid
            self.transport = transport
        }
    }

    package var bundle: [String]
    package var isLite: Bool
    package var transport: TransportLines
    package var parts: [Part]

    package init(bundle: [String] = [], isLite: Bool = false, transport: TransportLines, parts: [Part]) {
        self.bundle = bundle
        self.isLite = isLite
        self.transport = transport
        self.parts = parts
    }

    /// Whose candidates these are: of the session, or the one that all parts name. nil where parts name several or none does.
    package var ufrag: String? {
        let all = Set(([transport.ufrag] + parts.map(\.transport.ufrag)).compactMap { $0 })
        return all.count == 1 ? all.first : nil
    }

    package var password: String? {
        let all = Set(([transport.password] + parts.map(\.transport.password)).compactMap { $0 })
        return all.count == 1 ? all.first : nil
    }

    package init(parsing bytes: [UInt8], limits: SDPLimits = .fragment) throws(SDPFault) {
        self.init(transport: TransportLines(), parts: [])
        var lines = try LineReader(bytes, limits)
        var part: (section: MediaSection, transport: TransportLines, mid: String?, line: Int)?
        var mids = Set<String>()
        var attributes = 0
        while let line = try lines.next() {
            switch line.type {
            case UInt8(ascii: "m"):
                try close(&part, &mids)
                guard parts.count < limits.sections else { throw SDPFault(line: line.number, .tooManySections, "m=") }
                guard let section = MediaSection(line.value) else { throw SDPFault(line: line.number, .syntax, "m=") }
                part = (section, TransportLines(), nil, line.number)
                attributes = 0
            case UInt8(ascii: "a"):
                attributes += 1
                guard attributes <= limits.attributes else { throw SDPFault(line: line.number, .tooManyAttributes, "a=") }
                let attribute = try Attribute(line)
                if part == nil {
                    try takeSession(attribute)
                } else if attribute.name == "mid" {
                    guard part?.mid == nil else { throw attribute.fault(.duplicate) }
                    part?.mid = try attribute.text { Attribute.isToken($0) && $0.utf8.count <= 64 }
                } else {
                    _ = try part?.transport.take(attribute)
                }
            // RFC 8840 section 9.2 allows no others; a client that sends a whole description's is read over.
            default: break
            }
        }
        try close(&part, &mids)
    }

    private mutating func takeSession(_ attribute: Attribute) throws(SDPFault) {
        if try transport.take(attribute) { return }
        switch attribute.name {
        case "ice-lite": isLite = true
        case "group":
            var value = attribute.value
            guard bundle.isEmpty, value.word() == "BUNDLE" else { break }
            bundle = value.words()
            guard bundle.allSatisfy({ Attribute.isToken($0) }) else { throw attribute.fault(.syntax) }
        default: break
        }
    }

    /// RFC 8840 section 9.2: each section has its mid.
    private mutating func close(
        _ part: inout (section: MediaSection, transport: TransportLines, mid: String?, line: Int)?, _ mids: inout Set<String>
    ) throws(SDPFault) {
        guard let open = part else { return }
        guard let mid = open.mid else { throw SDPFault(line: open.line, .missing, "a=mid") }
        guard mids.insert(mid).inserted else { throw SDPFault(line: open.line, .duplicate, "a=mid") }
        parts.append(Part(kind: open.section.kind, mid: mid, transport: open.transport))
        part = nil
    }

    package var text: String {
        var lines = LineWriter()
        if isLite { lines.attribute("ice-lite") }
        if !bundle.isEmpty { lines.attribute("group", (["BUNDLE"] + bundle).joined(separator: " ")) }
        transport.write(into: &lines)
        for part in parts {
            let isData = part.kind == .application
            lines.line("m", "\(part.kind.text) 9 " + (isData ? "UDP/DTLS/SCTP webrtc-datachannel" : "UDP/TLS/RTP/SAVPF 0"))
            lines.attribute("mid", part.mid)
            part.transport.write(into: &lines)
        }
        return lines.text
    }
}
