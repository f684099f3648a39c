import Crypto
import Posix
import Units

/// The keys of a flow, which librist derives of the passphrase for each nonce. Source: TR-06-2:2022 section 6; librist 0.2.7 `psk.c`.
struct FlowKeys {
    private let passphrase: [UInt8]
    private var keys: [(nonce: UInt32, key: AESCounter)] = []
    private var allowance = Self.most
    private var earnedAt: Instant?

    /// Of each link the nonce that is in use, and those before.
    private static let kept = 64
    /// Keys in a row, and a second; a nonce costs a millisecond, and anybody can send one.
    private static let most = 16
    private static let iterations = 1024

    init(_ passphrase: Secret) { self.passphrase = Array(passphrase.revealed.utf8) }

    /// - Returns: nil for a nonce that is new, while too many others were.
    mutating func key(of nonce: UInt32, at now: Instant) -> AESCounter? {
        if let place = keys.lastIndex(where: { $0.nonce == nonce }) {
            let known = keys[place]
            // What is used stays: others go first.
            if place < Self.kept / 2 { keys.append(keys.remove(at: place)) }
            return known.key
        }
        if let since = earnedAt, now - since >= .seconds(1) { allowance = Self.most }
        if allowance == Self.most { earnedAt = now }
        guard nonce != 0, allowance > 0 else { return nil }
        allowance -= 1
        let key = AESCounter(key: PBKDF2.derive(passphrase, salt: Self.bytes(nonce), iterations: Self.iterations, bytes: 32))
        keys.append((nonce, key))
        if keys.count > Self.kept { keys.removeFirst() }
        return key
    }

    private static func bytes(_ word: UInt32) -> [UInt8] {
        [UInt8(word >> 24), UInt8(word >> 16 & 0xff), UInt8(word >> 8 & 0xff), UInt8(word & 0xff)]
    }
}
