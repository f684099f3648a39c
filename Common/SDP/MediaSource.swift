/// `a=msid`: which stream a track belongs to. Source: RFC 8830 section 2.
package struct StreamName: Hashable, Sendable {
    /// `-` for a track of no stream; 1...128 visible ASCII characters: a token by the standard, but GStreamer writes a mail address.
    package var stream: String
    package var track: String?

    package init(stream: String, track: String? = nil) {
        self.stream = stream
        self.track = track
    }

    init?(_ words: Words) {
        var words = words
        guard let stream = words.word() else { return nil }
        self.init(stream: stream, track: words.word())
        let names = [stream] + (track.map { [$0] } ?? [])
        guard words.isAtEnd, names.allSatisfy({ $0.utf8.count <= 128 && $0.utf8.allSatisfy { 0x21...0x7e ~= $0 } }) else { return nil }
    }

    var text: String { stream + (track.map { " \($0)" } ?? "") }
}

/// `a=ssrc`: what is said of one source; other attributes than these are passed over. Source: RFC 5576 section 4.1.
package struct MediaSource: Hashable, Sendable {
    package var source: UInt32
    /// At most 255 bytes.
    package var name: String?
    package var stream: StreamName?

    package init(source: UInt32, name: String? = nil, stream: StreamName? = nil) {
        self.source = source
        self.name = name
        self.stream = stream
    }

    func write(into lines: inout LineWriter) {
        if let name { lines.attribute("ssrc", "\(source) cname:\(name)") }
        if let stream { lines.attribute("ssrc", "\(source) msid:\(stream.text)") }
        if name == nil && stream == nil { lines.attribute("ssrc", "\(source)") }
    }
}

/// `a=ssrc-group`: sources that belong together. Source: RFC 5576 section 4.2.
package struct SourceGroup: Hashable, Sendable {
    /// `FID`: a source and its retransmissions (RFC 4588 section 8.8); `SIM`: layers.
    package var semantics: String
    package var sources: [UInt32]

    package init(semantics: String, sources: [UInt32]) {
        self.semantics = semantics
        self.sources = sources
    }

    init?(_ words: Words) {
        var words = words
        guard let semantics = words.word(), Attribute.isToken(semantics) else { return nil }
        self.init(semantics: semantics, sources: [])
        while !words.isAtEnd {
            guard sources.count < 16, let source: UInt32 = words.number(0...UInt32.max) else { return nil }
            sources.append(source)
        }
    }

    var text: String { ([semantics] + sources.map(String.init)).joined(separator: " ") }
}
