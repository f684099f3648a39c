import Units

/// Finds what reads as nothing: long stretches of letters and digits without words in them, as keys and tokens are.
struct OpaqueRuns {
    private let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// What our own tokens, and others' that people paste, begin with.
    private static let prefixes = ["strata_", "whsec_", "eyJ", "sk_", "pk_", "ghp_", "glpat-", "xoxb-", "xoxp-"].map { Array($0.utf8) }

    func find(into marks: inout Marks) {
        var index = 0
        while index < bytes.count {
            guard Self.isPart(bytes[index]) else {
                index += 1
                continue
            }
            let end = bytes[index...].firstIndex { !Self.isPart($0) && !Self.isJoint($0) } ?? bytes.count
            run(bytes[index..<end], into: &marks)
            index = end
        }
    }

    private static let signs = Array("_-+=~".utf8)

    private static func isPart(_ byte: UInt8) -> Bool { Byte.isAlphanumeric(byte) || signs.contains(byte) }
    /// Of a path, a name or a token of parts; base 64 has the stroke too.
    private static func isJoint(_ byte: UInt8) -> Bool { byte == UInt8(ascii: ".") || byte == UInt8(ascii: "/") }

    /// Each part by itself, and those beside an opaque one that may belong to it.
    private func run(_ run: ArraySlice<UInt8>, into marks: inout Marks) {
        let parts = run.split(omittingEmptySubsequences: true, whereSeparator: Self.isJoint)
        var isOpaque = parts.map(Self.isOpaque)
        for place in parts.indices where Self.isBegun(parts[place]) {
            // A token of three parts, the first of which begins as JSON does.
            for next in place..<min(place + 3, parts.count) { isOpaque[next] = true }
        }
        for order in [Array(parts.indices), Array(parts.indices.reversed())] {
            for (place, next) in zip(order, order.dropFirst()) where isOpaque[place] && Self.isMixed(parts[next]) { isOpaque[next] = true }
        }
        for (part, isOpaque) in zip(parts, isOpaque) where isOpaque { marks.add(part.startIndex..<part.endIndex, .secret) }
    }

    private static func isBegun(_ part: ArraySlice<UInt8>) -> Bool {
        part.indices.contains { place in
            // Not within a word: `disk_full`.
            guard place == part.startIndex || !Byte.isAlphanumeric(part[place - 1]) else { return false }
            return prefixes.contains { part.endIndex - place >= $0.count + 4 && part[place...].starts(with: $0) }
        }
    }

    static func isOpaque(_ part: ArraySlice<UInt8>) -> Bool {
        guard part.count >= 16 else { return false }
        // Our own ids stay: by them an event is found again.
        if part.count == 26, ULID(String(decoding: part, as: UTF8.self)) != nil { return false }
        let groups = part.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        if groups.count >= 4, groups.allSatisfy({ $0.count == 4 && $0.allSatisfy(Byte.isAlphanumeric) }) { return true }
        let digits = part.filter(Byte.isDigit).count
        let letters = part.filter(Byte.isLetter).count
        if part.count >= 20, digits >= 3, letters >= 1 { return true }
        if part.count >= 32, part.allSatisfy({ Byte.hexValue($0) != nil }) { return true }
        return changes(in: part) * 8 >= part.count * 3
    }

    private static func isMixed(_ part: ArraySlice<UInt8>) -> Bool {
        let kinds = [part.contains(where: Byte.isDigit), part.contains(where: Byte.isUpper), part.contains(where: Byte.isLower)]
        return part.count <= 2 || kinds.filter { $0 }.count >= 2
    }

    /// How often capital and small letters and digits follow each other: words hardly do that.
    private static func changes(in part: ArraySlice<UInt8>) -> Int {
        func kind(_ byte: UInt8) -> Int { Byte.isDigit(byte) ? 1 : Byte.isUpper(byte) ? 2 : Byte.isLower(byte) ? 3 : 0 }
        return zip(part, part.dropFirst()).filter { kind($0) != 0 && kind($1) != 0 && kind($0) != kind($1) }.count
    }
}
