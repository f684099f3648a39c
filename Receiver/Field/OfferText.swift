/// What of descriptions is looked at and changed here, byte by byte: a line's end is one Character.
enum OfferText {
    /// The candidates of an answer, as many as are tried.
    static let candidateLimit = 32

    /// How every browser knows H.264: constrained baseline, level 3.1. A browser takes a picture only under a name that it offers itself: Firefox
    /// knows no other, Chromium no High without hardware; both decode Main and High under this one, whose parameter sets come with the pictures.
    static let baseline = "42e01f"
    private static let mark = Array("profile-level-id=".utf8)

    /// What H.264 is called in a description; nil where it has no name there.
    static func profile(in text: String) -> String? {
        let bytes = Array(text.utf8)
        guard let place = places(in: bytes).first else { return nil }
        return String(decoding: bytes[place], as: UTF8.self)
    }

    /// An offer with H.264 under the name that browsers know. GStreamer 1.22's payloader gives it none, which would be level 1 (RFC 6184 section 8.1).
    static func offered(_ text: String) -> String {
        guard profile(in: text) == nil else { return named(text, baseline) }
        let crlf: Character = "\r\n"
        let lines = text.split(separator: crlf, omittingEmptySubsequences: false)
        let codec = lines.first { $0.hasPrefix("a=rtpmap:") && $0.hasSuffix(" H264/90000") }
        guard let type = codec?.dropFirst("a=rtpmap:".count).prefix(while: { $0 != " " }) else { return text }
        return lines.map { $0.hasPrefix("a=fmtp:\(type) ") ? "\($0);profile-level-id=\(baseline)" : String($0) }
            .joined(separator: String(crlf))
    }

    /// The same with another name for H.264, of six digits.
    static func named(_ text: String, _ name: String) -> String {
        var bytes = Array(text.utf8)
        for place in places(in: bytes) { bytes.replaceSubrange(place, with: name.utf8) }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Where names stand.
    private static func places(in bytes: [UInt8]) -> [Range<Int>] {
        let length = baseline.utf8.count
        var found: [Range<Int>] = []
        var place = 0
        while place + mark.count + length <= bytes.count {
            guard bytes[place] == mark[0], bytes[place..<place + mark.count].elementsEqual(mark) else {
                place += 1
                continue
            }
            found.append(place + mark.count..<place + mark.count + length)
            place += mark.count + length
        }
        return found
    }

    /// `candidate:…` of each line.
    static func candidates(of answer: String) -> [String] {
        let lines = answer.utf8.split { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }
        let mark = Array("a=candidate:".utf8)
        return lines.filter { $0.starts(with: mark) }.prefix(candidateLimit).map { String(decoding: $0.dropFirst(2), as: UTF8.self) }
    }
}
