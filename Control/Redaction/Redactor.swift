/// Takes out of a text what nobody outside is to read: mail addresses, network addresses, passwords, keys and tokens, what a URL says
/// behind its path, and keys of streams (DIA-03).
///
/// It takes rather too much than too little, since what it is for is a constant sentence with a reason behind it. What is decided by form
/// can be got around by whoever wants to: it keeps accidents in, not accomplices. Ids of ours (ULIDs) stay.
package enum Redactor {
    /// Bytes that are looked at; a word that is cut there goes.
    static let readLimit = 16_384

    /// - Parameter limit: characters of the result.
    package static func redacted(_ text: String, upTo limit: Int = 2000) -> String {
        guard let reading = Reading(text, upTo: readLimit) else { return "[unreadable]" }
        let bytes = reading.bytes
        var marks = Marks()
        Detectors(bytes, isJoined: false).find(into: &marks)
        if bytes.contains(Byte.newline) {
            // The same once more without the ends of lines: a token may stand on two.
            let (joined, places) = joined(bytes)
            var more = Marks()
            Detectors(joined, isJoined: true).find(into: &more)
            for mark in more.all {
                marks.add(places[mark.range.lowerBound]..<places[mark.range.upperBound - 1] + 1, mark.kind)
            }
        }
        return cut(marks.applied(to: bytes), to: limit)
    }

    /// A value by its name: one of a secret's says nothing of it.
    package static func redacted(_ value: String, named name: String, upTo limit: Int = 2000) -> String {
        SensitiveNames.contains(Array(name.utf8)[...]) ? Marks.Kind.secret.rawValue : redacted(value, upTo: limit)
    }

    private static func joined(_ bytes: [UInt8]) -> (bytes: [UInt8], places: [Int]) {
        var result: [UInt8] = []
        var places: [Int] = []
        var isAfterEnd = false
        for (place, byte) in bytes.enumerated() {
            if byte == Byte.newline || (isAfterEnd && byte == Byte.space) {
                isAfterEnd = true
                continue
            }
            isAfterEnd = false
            result.append(byte)
            places.append(place)
        }
        return (result, places)
    }

    private static func cut(_ text: String, to limit: Int) -> String {
        guard text.unicodeScalars.count > limit else { return text }
        return String(String.UnicodeScalarView(text.unicodeScalars.prefix(limit))) + "…"
    }
}

/// What was found in a text.
struct Marks {
    /// As it stands in the place of what was found.
    enum Kind: String {
        case mail = "[mail]"
        case address = "[address]"
        case secret = "[secret]"
        case query = "[query]"
    }

    private(set) var all: [(range: Range<Int>, kind: Kind)] = []

    mutating func add(_ range: Range<Int>, _ kind: Kind) {
        if !range.isEmpty { all.append((range, kind)) }
    }

    /// The text with each stretch that is marked replaced; of marks that overlap the first one says what it was.
    func applied(to bytes: [UInt8]) -> String {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var next = 0
        for mark in all.sorted(by: { ($0.range.lowerBound, $1.range.upperBound) < ($1.range.lowerBound, $0.range.upperBound) }) {
            if mark.range.lowerBound >= next {
                result += bytes[next..<mark.range.lowerBound]
                result += Array(mark.kind.rawValue.utf8)
            }
            next = max(next, mark.range.upperBound)
        }
        result += bytes[next...]
        return String(decoding: result, as: UTF8.self)
    }
}
