/// Cookies as a browser sends them (RFC 6265 section 4.2).
package enum Cookies {
    /// The pairs of all Cookie fields, in order. What is not `name=value` is passed over.
    package static func parse(_ headers: Headers) -> [(name: String, value: String)] {
        headers.all("Cookie").flatMap { $0.split(separator: ";") }.compactMap { pair in
            let text = String(pair).trimmingBlanks()
            guard let mark = text.firstIndex(of: "="), mark != text.startIndex else { return nil }
            var value = text[text.index(after: mark)...]
            if value.count >= 2, value.hasPrefix("\""), value.hasSuffix("\"") { value = value.dropFirst().dropLast() }
            return (String(text[..<mark]), String(value))
        }
    }

    /// The value of this cookie; nil where it is missing or sent twice, for then nobody knows whose it is.
    package static func value(_ name: String, _ headers: Headers) -> String? {
        let values = parse(headers).filter { $0.name == name }
        return values.count == 1 ? values[0].value : nil
    }
}

/// A cookie to set (RFC 6265 section 4.1).
package struct SetCookie: Hashable, Sendable {
    package enum SameSite: String, Sendable { case strict = "Strict", lax = "Lax", none = "None" }

    package var name: String
    package var value: String
    package var path: String
    /// Seconds; nil for a session cookie, 0 to delete it.
    package var maxAge: Int?
    package var isSecure: Bool
    package var isHTTPOnly: Bool
    package var sameSite: SameSite

    package init(
        name: String, value: String, path: String = "/", maxAge: Int? = nil, isSecure: Bool = true, isHTTPOnly: Bool = true,
        sameSite: SameSite = .strict
    ) {
        self.name = name
        self.value = value
        self.path = path
        self.maxAge = maxAge
        self.isSecure = isSecure
        self.isHTTPOnly = isHTTPOnly
        self.sameSite = sameSite
    }

    /// The value of Set-Cookie.
    /// - Throws: `HTTPFault` (500) for a name that is not a token or a value or path that would end early.
    package func field() throws(HTTPFault) -> String {
        guard !name.isEmpty, name.utf8.allSatisfy(Grammar.isToken), value.utf8.allSatisfy(Self.isOctet),
            path.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7f && $0 != UInt8(ascii: ";") })
        else { throw HTTPFault(.internalError, "a cookie with characters that cannot be sent") }
        var text = "\(name)=\(value); Path=\(path)"
        if let maxAge { text += "; Max-Age=\(maxAge)" }
        if isSecure { text += "; Secure" }
        if isHTTPOnly { text += "; HttpOnly" }
        return text + "; SameSite=\(sameSite.rawValue)"
    }

    /// `cookie-octet`: printable without space, quote, comma, semicolon and backslash.
    private static func isOctet(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte < 0x7f && ![UInt8(ascii: "\""), UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "\\")].contains(byte)
    }
}
