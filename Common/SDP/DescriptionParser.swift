/// Reads a description line by line.
struct DescriptionParser {
    private var lines: LineReader
    private let limits: SDPLimits
    private var result = SessionDescription(sessionID: 0, version: 0)
    private var builder: MediaSectionBuilder?
    private var mids = Set<String>()
    private var sessionAttributes = 0
    private var bundled = Set<String>()
    /// Where each bundle was named: its sections come after it.
    private var bundleLines: [Int] = []

    init(_ bytes: [UInt8], _ limits: SDPLimits) throws(SDPFault) {
        lines = try LineReader(bytes, limits)
        self.limits = limits
    }

    mutating func description() throws(SDPFault) -> SessionDescription {
        // RFC 8866 section 5: these three come first, in this order.
        guard var version = try expect("v") else { throw SDPFault(line: 0, .missing, "v=") }
        guard version.value.rest() == "0" else { throw SDPFault(line: version.number, .range, "v=") }
        guard let origin = try expect("o") else { throw SDPFault(line: lines.number, .missing, "o=") }
        try takeOrigin(origin)
        // Any text, none too.
        guard try expect("s") != nil else { throw SDPFault(line: lines.number, .missing, "s=") }
        while let line = try lines.next() { try take(line) }
        try finishSection()
        for (bundle, line) in zip(result.bundles, bundleLines) {
            guard bundle.allSatisfy(mids.contains) else { throw SDPFault(line: line, .unknownSection, "a=group") }
        }
        return result
    }

    private mutating func expect(_ type: Unicode.Scalar) throws(SDPFault) -> LineReader.Line? {
        guard let line = try lines.next() else { return nil }
        guard line.type == UInt8(ascii: type) else { throw SDPFault(line: line.number, .order, "\(type)=") }
        return line
    }

    private mutating func take(_ line: LineReader.Line) throws(SDPFault) {
        switch line.type {
        case UInt8(ascii: "m"):
            try finishSection()
            guard result.sections.count < limits.sections else { throw SDPFault(line: line.number, .tooManySections, "m=") }
            guard let section = MediaSection(line.value) else { throw SDPFault(line: line.number, .syntax, "m=") }
            builder = MediaSectionBuilder(section)
        case UInt8(ascii: "a"):
            let attribute = try Attribute(line)
            if builder == nil { try takeSession(attribute) } else { try takeMedia(attribute) }
        // Addresses and times that WebRTC fills with anything.
        case let type where "bceikprtuz".utf8.contains(type): break
        default: throw SDPFault(line: line.number, .order, "line")
        }
    }

    /// `- 4962303333179871722 1 IN IP4 0.0.0.0`
    private mutating func takeOrigin(_ line: LineReader.Line) throws(SDPFault) {
        var words = line.value
        guard words.word() != nil, let session: UInt64 = words.number(0...UInt64.max), let version: UInt64 = words.number(0...UInt64.max),
            words.word() == "IN", words.word() != nil, words.word() != nil, words.isAtEnd
        else { throw SDPFault(line: line.number, .syntax, "o=") }
        result.sessionID = session
        result.version = version
    }

    private mutating func takeSession(_ attribute: Attribute) throws(SDPFault) {
        sessionAttributes += 1
        guard sessionAttributes <= limits.attributes else { throw SDPFault(line: attribute.line, .tooManyAttributes, "a=") }
        if try result.transport.take(attribute) { return }
        if let direction = MediaDirection(rawValue: attribute.name) {
            guard result.direction == nil else { throw attribute.fault(.duplicate) }
            result.direction = direction
            return
        }
        switch attribute.name {
        case "ice-lite": result.isLite = true
        case "extmap-allow-mixed": result.allowsMixedExtensions = true
        case "group":
            var value = attribute.value
            guard value.word() == "BUNDLE" else { break }
            let names = value.words()
            guard names.allSatisfy({ Attribute.isToken($0) }) else { throw attribute.fault(.syntax) }
            // RFC 9143 section 7.1: a section is in one bundle at most.
            for name in names { guard bundled.insert(name).inserted else { throw attribute.fault(.duplicate) } }
            result.bundles.append(names)
            bundleLines.append(attribute.line)
        default: break
        }
    }

    private mutating func takeMedia(_ attribute: Attribute) throws(SDPFault) {
        try builder?.take(attribute, limits)
        guard attribute.name == "mid", let mid = builder?.section.mid else { return }
        guard mids.insert(mid).inserted else { throw attribute.fault(.duplicate) }
    }

    private mutating func finishSection() throws(SDPFault) {
        guard let builder else { return }
        result.sections.append(builder.built())
        self.builder = nil
    }
}
