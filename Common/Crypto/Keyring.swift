/// The master keys that secrets are sealed with at rest, and the door to sealing and opening.
///
/// A sealed blob is `0x01`, the key's id (4 bytes, big-endian), a random nonce (12 bytes), ciphertext and tag (16 bytes).
/// The associated data binds it to its place: a blob copied to another organisation's row or another column does not
/// open. Random nonces: NIST SP 800-38D, 8.3, allows 2^32 of them for a key, far more than rows that hold a secret.
package struct Keyring: Sendable, CustomStringConvertible, CustomReflectable {
    private var keys: [UInt32: [UInt8]]
    /// The id that new blobs are sealed under: the highest.
    package private(set) var current: UInt32

    private static let version: UInt8 = 1
    private static let headBytes = 5

    /// A ring of one fresh key.
    package init() {
        keys = [1: randomBytes(AESGCM.keyBytes)]
        current = 1
    }

    /// Reads what `text` wrote: a line `id hex` for each key, ids ascending, `#` begins a comment line.
    package init(text: String) throws(CryptoError) {
        keys = [:]
        current = 0
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            let parts = line.split(separator: " ")
            guard parts.count == 2, let id = UInt32(parts[0]), id > current, let key = Hex.decode(parts[1]),
                key.count == AESGCM.keyBytes
            else { throw .malformed("a line of a key file is 'id hex', ids ascending from 1, 64 digits") }
            keys[id] = key
            current = id
        }
        guard current > 0 else { throw .malformed("a key file without a key") }
    }

    /// All keys, secret: what a key file holds.
    package var text: String {
        let lines = keys.sorted { $0.key < $1.key }.map { "\($0.key) \(Hex.encode($0.value))\n" }
        return "# Strata's master keys. Back this file up apart from the database; without it stored secrets are lost.\n" + lines.joined()
    }

    /// Adds a fresh key and makes it the current one; older blobs still open until they are sealed again.
    package mutating func rotate() {
        current += 1
        keys[current] = randomBytes(AESGCM.keyBytes)
    }

    /// Forgets every key but the current one: after everything was sealed again.
    package mutating func retireOldKeys() {
        keys = keys.filter { $0.key == current }
    }

    /// How many keys only open what was sealed before.
    package var olderKeys: Int { keys.count - 1 }

    /// Seals under the current key, bound to a place.
    package func seal(_ secret: [UInt8], for place: SealedPlace) throws(CryptoError) -> [UInt8] {
        guard let key = keys[current] else { throw .unknownKey(current) }
        let head = [Self.version] + withUnsafeBytes(of: current.bigEndian, Array.init)
        let nonce = randomBytes(AESGCM.nonceBytes)
        return head + nonce + (try AESGCM.seal(secret, key: key, nonce: nonce, additionalData: head + place.bytes))
    }

    /// Opens what was sealed for the same place.
    ///
    /// - Throws: `.notAuthentic` for another place or changed bytes, `.unknownKey` after its key was retired.
    package func open(_ sealed: [UInt8], for place: SealedPlace) throws(CryptoError) -> [UInt8] {
        let id = try Self.keyID(of: sealed)
        guard let key = keys[id] else { throw .unknownKey(id) }
        let head = Array(sealed.prefix(Self.headBytes))
        let nonce = Array(sealed[Self.headBytes..<Self.headBytes + AESGCM.nonceBytes])
        return try AESGCM.open(
            Array(sealed.dropFirst(Self.headBytes + AESGCM.nonceBytes)), key: key, nonce: nonce, additionalData: head + place.bytes)
    }

    /// Which key a blob was sealed under: what a rotation looks for.
    package static func keyID(of sealed: [UInt8]) throws(CryptoError) -> UInt32 {
        guard sealed.count >= headBytes + AESGCM.nonceBytes + AESGCM.tagBytes, sealed[0] == version else {
            throw .malformed("a sealed blob of \(sealed.count) bytes, version \(sealed.first ?? 0)")
        }
        return sealed[1..<headBytes].reduce(0) { $0 << 8 | UInt32($1) }
    }

    package var description: String { "\(keys.count) keys, current \(current)" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// Where a sealed secret lies: the organisation, the column and the row it belongs to.
package struct SealedPlace: Hashable, Sendable {
    package let organization: String
    /// Table and column: `destinations.secret`.
    package let column: String
    package let row: String

    package init(organization: String, column: String, row: String) {
        self.organization = organization
        self.column = column
        self.row = row
    }

    /// Unambiguous: each part with its length before it.
    var bytes: [UInt8] {
        [organization, column, row].flatMap { part in
            withUnsafeBytes(of: UInt32(part.utf8.count).bigEndian, Array.init) + Array(part.utf8)
        }
    }
}
