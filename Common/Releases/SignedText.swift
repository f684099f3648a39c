package import Crypto

/// A text and who has signed it, in one file, so that one rename replaces both:
///
///     strata signed 1
///     signature <public key> <signature>        1 to 8 of these, base64url
///
///     <the text, byte for byte as it was signed>
///
/// A signature is Ed25519's (RFC 8032) over the text. Each kind of text begins with a line of its own, so that a signature over one is
/// none over another; a device's proofs (Common/Identity) begin otherwise again. The text is not looked at before a signature is found
/// right.
package struct SignedText: Hashable, Sendable {
    package struct Signature: Hashable, Sendable {
        /// 32 bytes.
        package let key: [UInt8]
        /// 64 bytes.
        package let bytes: [UInt8]
    }

    package private(set) var signatures: [Signature]
    package let text: [UInt8]

    package static let signatureLimit = 8
    private static let header = "strata signed 1"
    /// Eight lines of 141 bytes, and the first.
    private static let headLimit = 2048
    package static let byteLimit = ReleaseManifest.byteLimit + headLimit

    package init(_ text: [UInt8], by keys: [Ed25519PrivateKey]) throws(CryptoError) {
        precondition((1...Self.signatureLimit).contains(keys.count), "a text is signed by 1 to 8 keys")
        self.text = text
        signatures = []
        for key in keys { signatures.append(Signature(key: key.publicKey, bytes: try key.sign(text))) }
    }

    /// Reads what `bytes` writes. Whether a signature is right is not asked.
    package init(bytes: [UInt8]) throws(ReleaseFault) {
        guard bytes.count <= Self.byteLimit else { throw .malformed(line: 0, "\(bytes.count) bytes; at most \(Self.byteLimit) are read") }
        guard let end = Self.endOfHead(bytes) else { throw .malformed(line: 0, "no signatures and an empty line before a text") }
        var reader = try LineReader(Array(bytes[..<end]), upTo: Self.headLimit, first: Self.header)
        var signatures: [Signature] = []
        for line in try reader.all("signature", atMost: Self.signatureLimit) {
            let fields = line.split(separator: " ", omittingEmptySubsequences: false)
            guard fields.count == 2, let key = Base64URL.decode(fields[0]), let signature = Base64URL.decode(fields[1]),
                key.count == 32, signature.count == 64, !signatures.contains(where: { $0.key == key })
            else { throw reader.fault("'signature KEY SIGNATURE' expected, each key once") }
            signatures.append(Signature(key: key, bytes: signature))
        }
        guard !signatures.isEmpty else { throw reader.fault("no signature") }
        self.signatures = signatures
        text = Array(bytes[(end + 1)...])
        try reader.finish(Array(bytes[..<end]), written: head)
    }

    package var bytes: [UInt8] { head + [0x0A] + text }

    private var head: [UInt8] {
        let lines = signatures.map { "signature \(Base64URL.encode($0.key)) \(Base64URL.encode($0.bytes))" }
        return Array((([Self.header] + lines).joined(separator: "\n") + "\n").utf8)
    }

    /// Whether `key`, a public one, has signed the text.
    package func isSigned(by key: [UInt8]) -> Bool {
        signatures.contains { $0.key == key && Ed25519.verify($0.bytes, of: text, publicKey: key) }
    }

    /// Where the empty line is that ends the signatures.
    private static func endOfHead(_ bytes: [UInt8]) -> Int? {
        var last: UInt8 = 0
        for (index, byte) in bytes.prefix(headLimit + 1).enumerated() {
            if byte == 0x0A, last == 0x0A { return index }
            last = byte
        }
        return nil
    }
}
