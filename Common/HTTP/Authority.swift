/// A host and an optional port, as the Host field and URLs carry them (RFC 3986 section 3.2), without user information.
package struct Authority: Hashable, Sendable {
    /// A registered name, lower case, or an address in text form; IPv6 without its brackets.
    package let host: String
    package let port: Int?
    package let isIPv6: Bool

    /// nil for what is not a name of letters, digits, `-`, `.` and `_`, an IPv4 or a bracketed IPv6 address, with a port
    /// of 1 to 65535.
    package init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        let hostEnd: Int
        if bytes.first == UInt8(ascii: "[") {
            guard let close = bytes.firstIndex(of: UInt8(ascii: "]")), IPv6Text.isValid(bytes[1..<close]) else { return nil }
            host = String(decoding: bytes[1..<close], as: UTF8.self).lowercased()
            hostEnd = close + 1
            isIPv6 = true
        } else {
            hostEnd = bytes.firstIndex(of: UInt8(ascii: ":")) ?? bytes.count
            guard Self.isName(bytes[..<hostEnd]) else { return nil }
            host = String(decoding: bytes[..<hostEnd].map(Grammar.lowercased), as: UTF8.self)
            isIPv6 = false
        }
        guard hostEnd < bytes.count else {
            port = nil
            return
        }
        guard bytes[hostEnd] == UInt8(ascii: ":"), bytes.count - hostEnd <= 6, let number = Grammar.decimal(bytes[(hostEnd + 1)...]),
            (1...65535).contains(number)
        else { return nil }
        port = number
    }

    /// The host as a URL writes it: IPv6 in brackets.
    package var bracketedHost: String { isIPv6 ? "[\(host)]" : host }

    /// Labels of 1 to 63 characters, at most 253 in all (RFC 1123 section 2.1), `_` as some networks use it; a text of
    /// digits and dots alone must be an IPv4 address.
    private static func isName(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard !bytes.isEmpty, bytes.count <= 253 else { return false }
        let labels = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        if let last = labels.last, last.allSatisfy(Grammar.isDigit) { return isIPv4(labels) }
        return labels.allSatisfy { label in
            (1...63).contains(label.count) && label.first != UInt8(ascii: "-") && label.last != UInt8(ascii: "-")
                && label.allSatisfy { Grammar.isLetter($0) || Grammar.isDigit($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
        }
    }

    private static func isIPv4(_ parts: [ArraySlice<UInt8>]) -> Bool {
        parts.count == 4
            && parts.allSatisfy { part in
                guard part.count <= 3, let value = Grammar.decimal(part), value <= 255 else { return false }
                // No leading zero: some resolvers read it as octal.
                return part.count == 1 || part.first != UInt8(ascii: "0")
            }
    }

    static func isIPv4(_ bytes: ArraySlice<UInt8>) -> Bool {
        isIPv4(bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false))
    }
}

/// The text form of IPv6 addresses (RFC 4291 section 2.2), without a zone.
enum IPv6Text {
    static func isValid(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard bytes.count <= 45 else { return false }
        let halves = split(bytes)
        guard halves.count <= 2 else { return false }
        var groups = 0
        for (number, half) in halves.enumerated() {
            guard let count = Self.groups(half, mayEndInIPv4: number == halves.count - 1) else { return false }
            groups += count
        }
        return halves.count == 2 ? groups <= 7 : groups == 8
    }

    /// The parts around each `::`.
    private static func split(_ bytes: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
        let colon = UInt8(ascii: ":")
        var parts: [ArraySlice<UInt8>] = []
        var start = bytes.startIndex
        var index = bytes.startIndex
        while index + 1 < bytes.endIndex {
            if bytes[index] == colon, bytes[index + 1] == colon {
                parts.append(bytes[start..<index])
                start = index + 2
                index += 2
            } else {
                index += 1
            }
        }
        return parts + [bytes[start...]]
    }

    private static func groups(_ half: ArraySlice<UInt8>, mayEndInIPv4: Bool) -> Int? {
        guard !half.isEmpty else { return 0 }
        let parts = half.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        var count = 0
        for (number, part) in parts.enumerated() {
            if part.contains(UInt8(ascii: ".")) {
                guard mayEndInIPv4, number == parts.count - 1, Authority.isIPv4(part) else { return nil }
                count += 2
            } else {
                guard (1...4).contains(part.count), part.allSatisfy({ Grammar.hexValue($0) != nil }) else { return nil }
                count += 1
            }
        }
        return count
    }
}
