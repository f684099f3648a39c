/// The secret that the two ends of one stream share, with what the handshake derives from it.
package struct StreamKey: Sendable, CustomStringConvertible, CustomReflectable {
    /// Of 16 bytes at least, 32 is the rule; secret.
    let bytes: [UInt8]
    /// 8 bytes that name the key without telling anything about it.
    package let stream: [UInt8]
    /// Under which the messages of the handshake are authenticated.
    let handshake: [UInt8]

    package static let leastBytes = 16

    /// nil where the key is shorter than 16 bytes.
    package init?(_ bytes: [UInt8], _ crypto: BondCrypto) {
        guard bytes.count >= Self.leastBytes else { return nil }
        self.bytes = bytes
        let secret = crypto.extract(salt: [], secret: bytes)
        stream = crypto.expand(secret, "stream", count: Handshake.streamBytes)
        handshake = crypto.expand(secret, "handshake", count: 32)
    }

    /// Puts the code of a handshake's message behind it. For the two ends, and for what tests a receiver.
    package func signing(_ message: [UInt8], _ crypto: BondCrypto) -> [UInt8] { Handshake.signed(message, handshake, crypto) }

    package var description: String { "•••" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// What both randoms make of a stream key: the secrets of one association.
struct AssociationSecret {
    private let secret: [UInt8]
    private let context: [UInt8]
    private let crypto: BondCrypto

    init(_ key: StreamKey, dialer: [UInt8], acceptor: [UInt8], session: SessionID, link: LinkNumber, crypto: BondCrypto) {
        secret = crypto.extract(salt: dialer + acceptor, secret: key.bytes)
        context = session.bytes + [link.value]
        self.crypto = crypto
    }

    /// Under which the acceptor proves that it has the key and both randoms.
    var confirmation: [UInt8] { crypto.expand(secret, "accept", context, count: 32) }

    /// From the sender of the stream to its receiver, at epoch 0.
    var up: EpochKey { EpochKey(epoch: 0, secret: crypto.expand(secret, "up", context, count: 32), crypto) }

    /// From the receiver to the sender, at epoch 0.
    var down: EpochKey { EpochKey(epoch: 0, secret: crypto.expand(secret, "down", context, count: 32), crypto) }
}

/// Key and iv of one direction and one epoch.
struct EpochKey {
    let epoch: UInt64
    let cipher: any PacketCipher
    private let secret: [UInt8]
    private let iv: PacketNonce

    init(epoch: UInt64, secret: [UInt8], _ crypto: BondCrypto) {
        self.epoch = epoch
        self.secret = secret
        let bytes = crypto.expand(secret, "key", count: 28)
        cipher = crypto.makeCipher(Array(bytes[..<16]))
        var reader = ByteReader(Array(bytes[16...]))
        iv = PacketNonce(high: reader.u32() ?? 0, low: reader.u64() ?? 0)
    }

    /// What the header tells of the epoch.
    var bits: UInt8 { UInt8(truncatingIfNeeded: epoch) & 0x0f }

    func nonce(_ sequence: UInt64) -> PacketNonce { PacketNonce(high: iv.high, low: iv.low ^ sequence) }

    func next(_ crypto: BondCrypto) -> EpochKey {
        EpochKey(epoch: epoch + 1, secret: crypto.expand(secret, "next", count: 32), crypto)
    }
}
