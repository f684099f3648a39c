/// Where boards reach a pool host, as its configuration and its hello write it. Resolves nothing: whoever connects judges where it leads.
package enum PublicAddress {
    /// What configuration and hello are told alike.
    package static let expected = "an IPv4 address, an IPv6 address or a DNS name, without a port"

    package static func isOne(_ text: String) -> Bool {
        // Cheap first: what is longer, or holds anything else, is not looked at.
        guard (1...253).contains(text.utf8.count), text.utf8.allSatisfy({ isNameByte($0) || $0 == dot || $0 == colon }) else {
            return false
        }
        // One that stands for all addresses is nobody's.
        if text.utf8.contains(colon) { return isIPv6(text) && text.utf8.contains { $0 != colon && $0 != zero } }
        // The root's dot, which makes a name absolute.
        let name = text.hasSuffix(".") && text.utf8.count > 1 ? text.dropLast() : text[...]
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        guard let last = labels.last, !last.utf8.allSatisfy(isDigit) else { return isIPv4(text) && text != "0.0.0.0" }
        return labels.allSatisfy(isLabel)
    }

    private static let (dot, colon, zero) = (UInt8(ascii: "."), UInt8(ascii: ":"), UInt8(ascii: "0"))

    /// RFC 1123, section 2.1, and the underscore that name servers know all the same.
    private static func isLabel(_ label: Substring) -> Bool {
        (1...63).contains(label.utf8.count) && label.utf8.allSatisfy(isNameByte) && !label.hasPrefix("-") && !label.hasSuffix("-")
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || byte == UInt8(ascii: "-")
            || byte == UInt8(ascii: "_")
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (zero...UInt8(ascii: "9")).contains(byte) }

    /// Four decimal numbers, none with a zero in front of it, which some read as octal (RFC 6943, section 3.1.1).
    private static func isIPv4(_ text: some StringProtocol) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                (1...3).contains(part.utf8.count) && part.utf8.allSatisfy(isDigit) && (part.utf8.count == 1 || !part.hasPrefix("0"))
                    && UInt8(part) != nil
            }
    }

    /// RFC 4291, section 2.2: eight groups, one run of them left out, the last two as an IPv4 address at will.
    private static func isIPv6(_ text: String) -> Bool {
        let halves = split(text)
        guard let head = halves.first.flatMap(groups), let tail = halves.last.flatMap(groups) else { return false }
        return switch halves.count {
        case 1: head == 8
        // The run that is left out is one group at least, and an IPv4 address stands at the end.
        case 2: head + tail < 8 && !halves[0].contains(".")
        default: false
        }
    }

    /// At each "::".
    private static func split(_ text: String) -> [Substring] {
        var parts: [Substring] = []
        var rest = text[...]
        while let mark = rest.indices.first(where: { rest[$0...].hasPrefix("::") }) {
            parts.append(rest[..<mark])
            rest = rest[rest.index(mark, offsetBy: 2)...]
        }
        return parts + [rest]
    }

    /// How many groups of 16 bits stand there; nil where something else does.
    private static func groups(_ text: Substring) -> Int? {
        guard !text.isEmpty else { return 0 }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        var count = 0
        for (index, part) in parts.enumerated() {
            if index == parts.count - 1, part.contains(".") {
                guard isIPv4(part) else { return nil }
                count += 2
            } else {
                guard (1...4).contains(part.utf8.count), UInt16(part, radix: 16) != nil, !part.hasPrefix("-") else { return nil }
                count += 1
            }
        }
        return count
    }
}

extension PoolHello {
    /// Takes out what no board could reach, unless nothing would be left.
    /// - Returns: what was taken out.
    package mutating func dropUnfitAddresses() -> [String] {
        let fit = addresses.filter(PublicAddress.isOne)
        guard !fit.isEmpty, fit.count < addresses.count else { return [] }
        defer { addresses = fit }
        return addresses.filter { !PublicAddress.isOne($0) }
    }

    /// What control cannot work with, for its operator and this host's: what, where, and what was expected; nil where there is nothing.
    package var fault: String? {
        guard !addresses.isEmpty else { return "hello.addresses: expected at least one, each \(PublicAddress.expected)" }
        if let index = addresses.prefix(WireLimits.publicAddresses).firstIndex(where: { !PublicAddress.isOne($0) }) {
            let shown = addresses[index].bounded(to: 40)
            return "hello.addresses[\(index)]: expected \(PublicAddress.expected), not '\(shown)'"
        }
        guard (1...65_535).contains(portRange.first), (portRange.first...65_535).contains(portRange.last) else {
            return "hello.portRange: expected ports of 1 to 65535, the first not above the last, not \(portRange.first)-\(portRange.last)"
        }
        return nil
    }
}
