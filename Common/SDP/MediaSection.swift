package import RTP

/// One `m=` section. Source: RFC 8866 section 5.14, RFC 9429 (JSEP) section 5.
package struct MediaSection: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        case audio
        case video
        case application
        case other(String)

        init(_ text: String) {
            switch text {
            case "audio": self = .audio
            case "video": self = .video
            case "application": self = .application
            default: self = .other(text)
            }
        }

        package var text: String {
            switch self {
            case .audio: "audio"
            case .video: "video"
            case .application: "application"
            case .other(let text): text
            }
        }
    }

    package var kind: Kind
    /// 0 where the section is refused, or bundled only.
    package var port: UInt16
    /// As `UDP/TLS/RTP/SAVPF`.
    package var transportName: String
    /// Payload types, or `webrtc-datachannel`; at least one.
    package var formats: [String]
    /// At most 64 bytes of a token.
    package var mid: String?
    /// nil where nothing is said: `.both`, or that of the session.
    package var direction: MediaDirection?
    package var isBundleOnly = false
    package var multiplexesControl = false
    package var takesReducedControl = false
    package var allowsMixedExtensions = false
    package var transport = TransportLines()
    /// In the order of `formats`; those without `a=rtpmap` are not here.
    package var codecs: [MediaCodec] = []
    /// Of `a=rtcp-fb:*`.
    package var sharedFeedback: [String] = []
    package var extensions: [MediaExtension] = []
    package var streams: [StreamName] = []
    package var sources: [MediaSource] = []
    package var sourceGroups: [SourceGroup] = []
    package var layers: [LayerName] = []
    package var simulcast: Simulcast?
    package var sctpPort: UInt16?
    /// In bytes; 0 is without a limit.
    package var messageLimit: UInt64?

    package init(kind: Kind, port: UInt16, transportName: String, formats: [String]) {
        self.kind = kind
        self.port = port
        self.transportName = transportName
        self.formats = formats
    }

    /// Refused, or taken away: RFC 3264 section 6; a bundled section also has port 0.
    package var isRejected: Bool { port == 0 && !isBundleOnly }

    /// RTP with feedback over DTLS-SRTP, in each of the spellings (RFC 8834, RFC 9429 section 5.1.2).
    package var isSecureMedia: Bool {
        ["UDP/TLS/RTP/SAVPF", "TCP/TLS/RTP/SAVPF", "TCP/DTLS/RTP/SAVPF", "RTP/SAVPF"].contains(transportName)
    }

    /// SCTP over DTLS for data channels (RFC 8841; the last is that of the drafts).
    package var isDataChannel: Bool {
        kind == .application && ["UDP/DTLS/SCTP", "TCP/DTLS/SCTP", "DTLS/SCTP"].contains(transportName)
            && (formats == ["webrtc-datachannel"] || transportName == "DTLS/SCTP")
    }

    /// What a codec may send back, with what is said for all.
    package func feedback(_ codec: MediaCodec) -> [String] { codec.feedback + sharedFeedback.filter { !codec.feedback.contains($0) } }

    /// nil where the mid is longer than packets have it.
    package var label: Label? { mid.flatMap { Label($0) } }
}

extension MediaSection {
    /// `audio 9 UDP/TLS/RTP/SAVPF 111 63`
    init?(_ words: Words) {
        var words = words
        guard let kind = words.word(), Attribute.isToken(kind), kind.utf8.count <= 32, let ports = words.word() else { return nil }
        // RFC 8866 section 5.14 allows a count of ports; a WebRTC section has one.
        guard let port = decimal(cut(ports, "/").first, 0...UInt16.max), let name = words.word(), name.utf8.count <= 32,
            parts(name, "/").allSatisfy({ Attribute.isToken($0) })
        else { return nil }
        let formats = words.words()
        guard 1...128 ~= formats.count, formats.allSatisfy({ Attribute.isToken($0) }) else { return nil }
        self.init(kind: Kind(kind), port: port, transportName: name, formats: formats)
        if isSecureMedia {
            var seen = Set<UInt8>()
            for format in formats {
                guard let type = decimal(format, UInt8(0)...127), seen.insert(type).inserted else { return nil }
            }
        }
    }

    func write(into lines: inout LineWriter) {
        lines.line("m", ([kind.text, "\(port)", transportName] + formats).joined(separator: " "))
        // Firefox refuses a section without it.
        lines.line("c", "IN IP4 0.0.0.0")
        if let mid { lines.attribute("mid", mid) }
        if let direction { lines.attribute(direction.rawValue) }
        if isBundleOnly { lines.attribute("bundle-only") }
        transport.write(into: &lines)
        if multiplexesControl { lines.attribute("rtcp-mux") }
        if takesReducedControl { lines.attribute("rtcp-rsize") }
        if allowsMixedExtensions { lines.attribute("extmap-allow-mixed") }
        for item in extensions { lines.attribute("extmap", item.text) }
        for stream in streams { lines.attribute("msid", stream.text) }
        for codec in codecs { codec.write(into: &lines) }
        for item in sharedFeedback { lines.attribute("rtcp-fb", "* \(item)") }
        for layer in layers { lines.attribute("rid", layer.text) }
        if let simulcast { lines.attribute("simulcast", simulcast.text) }
        for group in sourceGroups { lines.attribute("ssrc-group", group.text) }
        for source in sources { source.write(into: &lines) }
        if let sctpPort { lines.attribute("sctp-port", "\(sctpPort)") }
        if let messageLimit { lines.attribute("max-message-size", "\(messageLimit)") }
    }
}
