import Crypto

/// Which keys a machine trusts: the root keys, which sign the next such list and nothing else, and the release keys, which sign releases.
///
///     strata release keys 1
///     number 2
///     root <public key>                     1 to 8, base64url
///     release <public key> 1830000000       1 to 8; until which Unix second it is in use
///
/// Keys are in the order in which they were brought in. A list replaces the one with the number before its own. Source of the rules: The
/// Update Framework's specification, 5.3 (the root role) and 6.1 (how keys are replaced).
package struct KeyList: Hashable, Sendable {
    package struct ReleaseKey: Hashable, Sendable {
        /// 32 bytes.
        package let key: [UInt8]
        /// Unix seconds: from then on no signature of it is taken.
        package let end: Int64

        package init(key: [UInt8], end: Int64) {
            self.key = key
            self.end = end
        }
    }

    package let number: Int
    package let roots: [[UInt8]]
    package let releases: [ReleaseKey]

    package static let keyLimit = 8
    package static let numberLimit = 1_000_000
    static let header = "strata release keys 1"
    private static let byteLimit = 2048

    /// - Throws: `.malformed`; also where a key is a root and a release key: the one in daily use must not replace the other.
    package init(number: Int, roots: [[UInt8]], releases: [ReleaseKey]) throws(ReleaseFault) {
        self.number = number
        self.roots = roots
        self.releases = releases
        func check(_ isGood: Bool, _ what: String) throws(ReleaseFault) {
            guard isGood else { throw .malformed(line: 0, what) }
        }
        let keys = roots + releases.map(\.key)
        try check((1...Self.numberLimit).contains(number), "a list of keys has a number from 1 to \(Self.numberLimit)")
        try check((1...Self.keyLimit).contains(roots.count), "a list has 1 to \(Self.keyLimit) root keys")
        try check((1...Self.keyLimit).contains(releases.count), "a list has 1 to \(Self.keyLimit) release keys")
        try check(keys.allSatisfy(Ed25519.isPublicKey), "what is no public key of Ed25519")
        try check(Set(keys).count == keys.count, "each key is there once, as a root key or as a release key")
        try check(releases.allSatisfy { (0...ReleaseManifest.timeLimit).contains($0.end) }, "a time is of the years 1970 to 9999")
    }

    package var bytes: [UInt8] {
        var lines = [Self.header, "number \(number)"]
        lines += roots.map { "root \(Base64URL.encode($0))" }
        lines += releases.map { "release \(Base64URL.encode($0.key)) \($0.end)" }
        return Array((lines.joined(separator: "\n") + "\n").utf8)
    }

    package init(bytes: [UInt8]) throws(ReleaseFault) {
        var reader = try LineReader(bytes, upTo: Self.byteLimit, first: Self.header)
        let number = Int(try reader.number("number", upTo: Int64(Self.numberLimit)))
        var roots: [[UInt8]] = []
        for text in try reader.all("root", atMost: Self.keyLimit) {
            guard let key = Base64URL.decode(text) else { throw reader.fault("'root KEY' expected") }
            roots.append(key)
        }
        var releases: [ReleaseKey] = []
        for text in try reader.all("release", atMost: Self.keyLimit) {
            let fields = text.split(separator: " ", omittingEmptySubsequences: false)
            guard fields.count == 2, let key = Base64URL.decode(fields[0]),
                let end = LineReader.number(String(fields[1]), upTo: ReleaseManifest.timeLimit)
            else { throw reader.fault("'release KEY END' expected") }
            releases.append(ReleaseKey(key: key, end: end))
        }
        try self.init(number: number, roots: roots, releases: releases)
        try reader.finish(bytes, written: self.bytes)
    }
}
