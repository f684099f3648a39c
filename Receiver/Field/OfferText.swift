/// What of descriptions is looked at and changed here, byte by byte: a line's end is one Character.
enum OfferText {
    /// The candidates of an answer, as many as are tried.
    static let candidateLimit = 32

    /// The same with H.264 named constrained baseline, at level 3.1. A browser takes a picture only under a name that it offers itself: Firefox knows
    /// no other, Chromium no High without hardware; both decode Main and High under this one, whose parameter sets come with the pictures.
    static func named(_ offer: String) -> String {
        let (mark, name) = (Array("profile-level-id=".utf8), Array("42e01f".utf8))
        var bytes = Array(offer.utf8)
        var place = 0
        while place + mark.count + name.count <= bytes.count {
            if bytes[place] == mark[0], bytes[place..<place + mark.count].elementsEqual(mark) {
                bytes.replaceSubrange(place + mark.count..<place + mark.count + name.count, with: name)
                place += mark.count + name.count
            } else {
                place += 1
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// `candidate:…` of each line.
    static func candidates(of answer: String) -> [String] {
        let lines = answer.utf8.split { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }
        let mark = Array("a=candidate:".utf8)
        return lines.filter { $0.starts(with: mark) }.prefix(candidateLimit).map { String(decoding: $0.dropFirst(2), as: UTF8.self) }
    }
}
