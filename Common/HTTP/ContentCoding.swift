/// The codings a body can be sent in (RFC 9110 section 12.5.3).
package enum ContentCoding: String, Sendable, CaseIterable {
    case gzip, identity

    /// The coding to use: gzip where the client takes it at least as gladly as no coding.
    package static func choose(_ headers: Headers) -> ContentCoding {
        let values = headers.all("Accept-Encoding")
        guard !values.isEmpty else { return .identity }
        var weights: [String: Int] = [:]
        for item in values.joined(separator: ",").split(separator: ",") {
            let parts = item.split(separator: ";", maxSplits: 1)
            guard let name = parts.first.map({ String($0).trimmingBlanks().lowercased() }) else { continue }
            weights[name == "x-gzip" ? "gzip" : name] = parts.count == 2 ? weight(String(parts[1]).trimmingBlanks()) : 1000
        }
        guard let gzip = weights["gzip"] ?? weights["*"], gzip > 0 else { return .identity }
        return gzip >= weights["identity"] ?? 0 ? .gzip : .identity
    }

    /// `q=0.5` in thousandths; 0 for what is malformed.
    private static func weight(_ text: String) -> Int {
        let bytes = Array(text.utf8)
        guard bytes.count >= 3, bytes.count <= 7, Grammar.equal(bytes[..<2], "q=".utf8) else { return 0 }
        guard bytes[2] == UInt8(ascii: "0") || bytes[2] == UInt8(ascii: "1") else { return 0 }
        let whole = Int(bytes[2] - 0x30) * 1000
        guard bytes.count > 3 else { return whole }
        guard bytes[3] == UInt8(ascii: ".") else { return 0 }
        var scale = 100
        var value = whole
        for byte in bytes[4...] {
            guard Grammar.isDigit(byte) else { return 0 }
            value += Int(byte - 0x30) * scale
            scale /= 10
        }
        return min(value, 1000)
    }
}
