/// Finds in a text what is not to leave: each function one kind of thing, in one pass.
struct Detectors {
    private let bytes: [UInt8]
    /// Whether the ends of lines were taken out before: then nothing ends there.
    private let isJoined: Bool

    init(_ bytes: [UInt8], isJoined: Bool) {
        self.bytes = bytes
        self.isJoined = isJoined
    }

    func find(into marks: inout Marks) {
        urls(&marks)
        named(&marks)
        mails(&marks)
        addresses(&marks)
        wideAddresses(&marks)
        OpaqueRuns(bytes).find(into: &marks)
    }

    private func byte(_ index: Int) -> UInt8? { bytes.indices.contains(index) ? bytes[index] : nil }

    private func end(from start: Int, where ends: (UInt8) -> Bool) -> Int {
        bytes[start...].firstIndex(where: ends) ?? bytes.count
    }

    // MARK: URLs

    private static let urlEnds = Array("<>|^".utf8)
    private static let wordEnds = Array(",;&)}]<>|".utf8)
    private static let localSigns = Array(".!#$%&'*+/=?^_`{|}~-".utf8)

    /// Not at a quote: one may have been part of it, encoded.
    private static func endsURL(_ byte: UInt8) -> Bool { Byte.isBlank(byte) || urlEnds.contains(byte) }

    private func urls(_ marks: inout Marks) {
        for (index, byte) in bytes.enumerated() {
            switch byte {
            case UInt8(ascii: ":") where self.byte(index + 1) == UInt8(ascii: "/") && self.byte(index + 2) == UInt8(ascii: "/"):
                url(from: index, &marks)
            case UInt8(ascii: "?") where isInPath(index):
                let end = end(from: index + 1, where: Self.endsURL)
                if bytes[(index + 1)..<end].contains(UInt8(ascii: "=")) { marks.add(index + 1..<end, .query) }
            case UInt8(ascii: "#") where isInPath(index):
                let end = end(from: index + 1, where: Self.endsURL)
                if end - index >= 6 { marks.add(index + 1..<end, .secret) }
            default: break
            }
        }
    }

    private func isInPath(_ index: Int) -> Bool {
        guard let before = byte(index - 1) else { return false }
        return Byte.isAlphanumeric(before) || Array("/._-]".utf8).contains(before)
    }

    /// - Parameter mark: of the colon behind its scheme.
    private func url(from mark: Int, _ marks: inout Marks) {
        let start = mark + 3
        let end = end(from: min(start, bytes.count), where: Self.endsURL)
        guard start < end else { return }
        let path = bytes[start..<end].firstIndex { Array("/?#".utf8).contains($0) } ?? end
        if let at = bytes[start..<path].lastIndex(of: UInt8(ascii: "@")) { marks.add(start..<at, .secret) }
        if let query = bytes[path..<end].firstIndex(where: { $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") }) {
            marks.add(query + 1..<end, .query)
        }
        let scheme = bytes[..<mark].suffix(5).reversed().prefix(while: Byte.isLetter).reversed().map { $0 | 0x20 }
        guard scheme == Array("rtmp".utf8) || scheme == Array("rtmps".utf8), path < end else { return }
        // rtmp://host/application/key
        if let key = bytes[(path + 1)..<end].firstIndex(of: UInt8(ascii: "/")) { marks.add(key + 1..<end, .secret) }
    }

    // MARK: Values by their names

    private static func isName(_ byte: UInt8) -> Bool {
        Byte.isAlphanumeric(byte) || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
    }

    private func named(_ marks: inout Marks) {
        var index = 0
        while index < bytes.count {
            guard Self.isName(bytes[index]) else {
                index += 1
                continue
            }
            let end = end(from: index) { !Self.isName($0) }
            if let value = value(of: bytes[index..<end], behind: end) {
                marks.add(value, .secret)
                index = max(end, value.upperBound)
            } else {
                index = end
            }
        }
    }

    /// Where the value of a sensitive name stands.
    private func value(of name: ArraySlice<UInt8>, behind end: Int) -> Range<Int>? {
        if name.map({ $0 | 0x20 }) == Array("basic".utf8) || name.map({ $0 | 0x20 }) == Array("bearer".utf8) {
            guard isGap(end) else { return nil }
            let value = word(from: skipGaps(end))
            return value.count >= 8 ? value : nil
        }
        guard SensitiveNames.contains(name) else { return nil }
        var start = end
        while let quote = byte(start), Byte.isQuote(quote) { start += 1 }
        start = skipGaps(start)
        guard let mark = byte(start), mark == UInt8(ascii: ":") || mark == UInt8(ascii: "=") else {
            guard SensitiveNames.isStrong(name), isGap(end) else { return nil }
            let value = word(from: skipQuotes(start))
            return bytes[value].contains(where: Byte.isDigit) && value.count >= 4 ? value : nil
        }
        while let mark = byte(start), Array(":=>".utf8).contains(mark) { start += 1 }
        start = skipGaps(start)
        let value = text(from: start, isHeader: SensitiveNames.isHeader(name) && !isJoined)
        return SensitiveNames.isCode(name) && value.count < 6 ? nil : value
    }

    private func text(from start: Int, isHeader: Bool) -> Range<Int> {
        guard let first = byte(start) else { return bytes.count..<bytes.count }
        if Byte.isQuote(first) { return start + 1..<end(from: start + 1) { $0 == first } }
        if first == UInt8(ascii: "[") { return start..<min(bytes.count, end(from: start) { $0 == UInt8(ascii: "]") } + 1) }
        if first == UInt8(ascii: "{") { return start..<min(bytes.count, end(from: start) { $0 == UInt8(ascii: "}") } + 1) }
        if isHeader { return start..<end(from: start) { $0 == Byte.newline } }
        let value = word(from: start)
        // `token: Bearer abc`
        guard ["bearer", "basic", "digest", "token"].contains(String(decoding: bytes[value], as: UTF8.self).lowercased()) else {
            return value
        }
        return value.lowerBound..<word(from: skipGaps(value.upperBound)).upperBound
    }

    private func word(from start: Int) -> Range<Int> {
        let start = min(start, bytes.count)
        return start..<end(from: start) { Byte.isBlank($0) || Byte.isQuote($0) || Self.wordEnds.contains($0) }
    }

    /// A blank, or what stands for one in a URL.
    private func isGap(_ index: Int) -> Bool { byte(index).map { $0 == Byte.space || $0 == UInt8(ascii: "+") } ?? false }

    private func skipGaps(_ index: Int) -> Int {
        var index = index
        while isGap(index) { index += 1 }
        return index
    }

    private func skipQuotes(_ index: Int) -> Int {
        var index = index
        while let quote = byte(index), Byte.isQuote(quote) { index += 1 }
        return index
    }

    // MARK: Mail addresses

    private static func isLocal(_ byte: UInt8) -> Bool {
        Byte.isAlphanumeric(byte) || byte >= 0x80 || localSigns.contains(byte)
    }

    private static func isDomain(_ byte: UInt8) -> Bool { Byte.isAlphanumeric(byte) || byte >= 0x80 || Array(".-_".utf8).contains(byte) }

    private func mails(_ marks: inout Marks) {
        for (index, byte) in bytes.enumerated() where byte == UInt8(ascii: "@") {
            var start = index
            if self.byte(index - 1) == UInt8(ascii: "\""), index >= 2 {
                start = bytes[..<(index - 1)].lastIndex(of: UInt8(ascii: "\"")) ?? index
            } else {
                while let before = self.byte(start - 1), Self.isLocal(before) { start -= 1 }
            }
            var end = index + 1
            if self.byte(end) == UInt8(ascii: "[") {
                end = min(bytes.count, self.end(from: end) { $0 == UInt8(ascii: "]") } + 1)
            } else {
                while let next = self.byte(end), Self.isDomain(next) { end += 1 }
            }
            if start < index, end > index + 1 { marks.add(start..<end, .mail) }
        }
    }

    // MARK: Network addresses

    /// Four numbers to 255 with dots between, or hyphens, as names of hosts have them.
    private func addresses(_ marks: inout Marks) {
        var index = 0
        while index < bytes.count {
            guard Byte.isDigit(bytes[index]), !(byte(index - 1).map(Byte.isDigit) ?? false), let end = address(at: index) else {
                index += 1
                continue
            }
            marks.add(index..<end, .address)
            index = end
        }
    }

    private func address(at start: Int) -> Int? {
        var index = start
        var mark: UInt8?
        for group in 0..<4 {
            let first = index
            while let digit = byte(index), Byte.isDigit(digit), index - first < 4 { index += 1 }
            guard let number = Int(String(decoding: bytes[first..<index], as: UTF8.self)), number <= 255, index - first <= 3 else {
                return nil
            }
            guard group < 3 else { break }
            guard let next = byte(index), next == UInt8(ascii: ".") || next == UInt8(ascii: "-"), mark ?? next == next else { return nil }
            mark = next
            index += 1
        }
        return byte(index).map(Byte.isDigit) ?? false ? nil : index
    }

    /// IPv6, and the six pairs of an interface's own.
    private func wideAddresses(_ marks: inout Marks) {
        var index = 0
        while index < bytes.count {
            let isStart = Byte.hexValue(bytes[index]) != nil || bytes[index] == UInt8(ascii: ":")
            guard isStart, !(byte(index - 1).map(Byte.isAlphanumeric) ?? false) else {
                index += 1
                continue
            }
            var end = self.end(from: index) { Byte.hexValue($0) == nil && $0 != UInt8(ascii: ":") }
            let next = end
            if bytes[index..<end].last == UInt8(ascii: ":"), end - index >= 2, bytes[end - 2] != UInt8(ascii: ":") { end -= 1 }
            if Self.isWide(bytes[index..<end]) { marks.add(index..<end, .address) }
            index = max(next, index + 1)
        }
    }

    private static func isWide(_ text: ArraySlice<UInt8>) -> Bool {
        guard text.count >= 3, text.contains(where: { Byte.hexValue($0) != nil }) else { return false }
        let groups = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard groups.allSatisfy({ $0.count <= 4 }), groups.count >= 3 else { return false }
        if groups.count == 6, groups.allSatisfy({ $0.count == 2 }) { return true }
        // `::` leaves an empty group where it stands, and one more at either end.
        let hasGap = groups.dropFirst().dropLast().contains(where: \.isEmpty)
        return hasGap ? groups.count <= 9 : groups.count == 8 && !groups.contains(where: \.isEmpty)
    }
}
