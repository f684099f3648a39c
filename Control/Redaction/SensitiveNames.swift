/// What things are called whose values are nobody's business.
enum SensitiveNames {
    private static let parts = [
        "passw", "passphrase", "pwd", "secret", "token", "ticket", "cookie", "credential", "authorization", "signature", "privatekey",
        "apikey", "streamkey", "streamid", "email", "username",
    ]
    private static let ends = ["key", "keys", "auth", "dsn", "pass", "sig"]
    private static let whole: Set = ["pin", "otp", "login", "code"]
    /// With these a value may stand behind a blank alone: `password hunter2`.
    private static let strong: Set = ["password", "passwort", "passphrase", "passwd", "token", "secret", "bearer"]
    /// What is behind these goes to the end of its line.
    private static let headers: Set = ["authorization", "proxyauthorization", "cookie", "setcookie"]
    /// What is longer is no name.
    private static let longest = 64

    static func contains(_ name: ArraySlice<UInt8>) -> Bool {
        guard let word = canonical(name) else { return false }
        return whole.contains(word) || ends.contains(where: word.hasSuffix) || parts.contains { word.firstRange(of: $0) != nil }
    }

    static func isStrong(_ name: ArraySlice<UInt8>) -> Bool { canonical(name).map(strong.contains) ?? false }
    static func isHeader(_ name: ArraySlice<UInt8>) -> Bool { canonical(name).map(headers.contains) ?? false }
    /// A code is one of a person's only where it is long: errors have codes too.
    static func isCode(_ name: ArraySlice<UInt8>) -> Bool { canonical(name) == "code" }

    /// Lower-case letters alone: `X-Api_Key2` is `xapikey`.
    private static func canonical(_ name: ArraySlice<UInt8>) -> String? {
        guard !name.isEmpty, name.count <= longest else { return nil }
        return String(decoding: name.filter(Byte.isLetter).map { $0 | 0x20 }, as: UTF8.self)
    }
}
