/// Takes the attributes of one section as they come: what is said of a payload type may stand before its `a=rtpmap`.
struct MediaSectionBuilder {
    private(set) var section: MediaSection
    private var maps: [String: MediaCodec] = [:]
    private var parameters: [String: [MediaCodec.Parameter]] = [:]
    private var feedback: [String: [String]] = [:]
    private var sourcePlaces: [UInt32: Int] = [:]
    private(set) var attributes = 0

    init(_ section: MediaSection) { self.section = section }

    /// The section with its codecs in the order of its formats.
    func built() -> MediaSection {
        var built = section
        built.codecs = section.formats.compactMap { format in
            guard var codec = maps[format] else { return nil }
            codec.parameters = parameters[format] ?? []
            codec.feedback = feedback[format] ?? []
            return codec
        }
        return built
    }

    /// Attributes that we do not know are passed over, but counted.
    mutating func take(_ attribute: Attribute, _ limits: SDPLimits) throws(SDPFault) {
        attributes += 1
        guard attributes <= limits.attributes else { throw SDPFault(line: attribute.line, .tooManyAttributes, "a=") }
        if try section.transport.take(attribute) { return }
        if try takeFlag(attribute) { return }
        if try takeCodec(attribute) { return }
        if try takeSource(attribute) { return }
        switch attribute.name {
        case "mid":
            guard section.mid == nil else { throw attribute.fault(.duplicate) }
            section.mid = try attribute.text { Attribute.isToken($0) && $0.utf8.count <= 64 }
        case "extmap":
            guard let item = MediaExtension(attribute.value) else { throw attribute.fault(.syntax) }
            section.extensions.append(item)
        case "rid":
            guard let layer = LayerName(attribute.value) else { throw attribute.fault(.syntax) }
            guard !section.layers.contains(where: { $0.id == layer.id }) else { throw attribute.fault(.duplicate) }
            section.layers.append(layer)
        case "simulcast":
            guard section.simulcast == nil else { throw attribute.fault(.duplicate) }
            guard let simulcast = Simulcast(attribute.value) else { throw attribute.fault(.syntax) }
            section.simulcast = simulcast
        case "sctp-port": section.sctpPort = try attribute.number(0...UInt16.max)
        case "sctpmap":
            // Of the drafts before RFC 8841: the port, the protocol and a count of streams.
            var value = attribute.value
            section.sctpPort = value.number(0...UInt16.max)
        case "max-message-size": section.messageLimit = try attribute.number(0...UInt64.max)
        default: break
        }
    }

    private mutating func takeFlag(_ attribute: Attribute) throws(SDPFault) -> Bool {
        if let direction = MediaDirection(rawValue: attribute.name) {
            guard section.direction == nil else { throw attribute.fault(.duplicate) }
            section.direction = direction
            return true
        }
        switch attribute.name {
        case "bundle-only": section.isBundleOnly = true
        case "rtcp-mux", "rtcp-mux-only": section.multiplexesControl = true
        case "rtcp-rsize": section.takesReducedControl = true
        case "extmap-allow-mixed": section.allowsMixedExtensions = true
        default: return false
        }
        return true
    }

    private mutating func takeCodec(_ attribute: Attribute) throws(SDPFault) -> Bool {
        var value = attribute.value
        switch attribute.name {
        case "rtpmap":
            guard let codec = MediaCodec(map: attribute.value) else { throw attribute.fault(.syntax) }
            guard maps.updateValue(codec, forKey: "\(codec.payloadType)") == nil else { throw attribute.fault(.duplicate) }
        case "fmtp":
            guard let format = value.word() else { throw attribute.fault(.syntax) }
            guard parameters.updateValue(MediaCodec.parameters(value.rest()), forKey: format) == nil else {
                throw attribute.fault(.duplicate)
            }
        case "rtcp-fb":
            guard let format = value.word(), case let kind = value.rest(), !kind.isEmpty else { throw attribute.fault(.syntax) }
            if format == "*" { section.sharedFeedback.append(kind) } else { feedback[format, default: []].append(kind) }
        default: return false
        }
        return true
    }

    private mutating func takeSource(_ attribute: Attribute) throws(SDPFault) -> Bool {
        switch attribute.name {
        case "msid":
            guard let stream = StreamName(attribute.value) else { throw attribute.fault(.syntax) }
            section.streams.append(stream)
        case "ssrc-group":
            guard let group = SourceGroup(attribute.value) else { throw attribute.fault(.syntax) }
            section.sourceGroups.append(group)
        case "ssrc": try takeSourceLine(attribute)
        default: return false
        }
        return true
    }

    private mutating func takeSourceLine(_ attribute: Attribute) throws(SDPFault) {
        var value = attribute.value
        guard let source: UInt32 = value.number(0...UInt32.max) else { throw attribute.fault(.range) }
        let place = sourcePlaces[source] ?? section.sources.count
        if place == section.sources.count {
            section.sources.append(MediaSource(source: source))
            sourcePlaces[source] = place
        }
        switch value.take(until: UInt8(ascii: ":")) {
        case "cname":
            let name = value.rest()
            guard 1...255 ~= name.utf8.count else { throw attribute.fault(.syntax) }
            section.sources[place].name = name
        case "msid":
            guard let stream = StreamName(value) else { throw attribute.fault(.syntax) }
            section.sources[place].stream = stream
        default: break
        }
    }
}
