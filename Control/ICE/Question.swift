import STUN

/// A check of ours: it asks whether what we send over a path arrives at who sends to us. To be sent over that path.
///
/// A lite agent need not ask (RFC 8445 section 2.5), and a full one answers whoever asks with its fragment and password (section 7.3): so it
/// costs one round trip to know what no check of theirs can say. It nominates nothing and moves nothing.
package struct Question: Hashable, Sendable {
    package let path: Path
    package let bytes: [UInt8]

    /// Of a peer-reflexive candidate, as good as none: 110 for the type, nothing else. Source: RFC 8445 section 5.1.2.1 and 7.1.1.
    private static let priority: UInt32 = 110 << 24 | 255

    init(_ transaction: TransactionID, over path: Path, from local: [UInt8], to remote: [UInt8], _ code: IntegrityCode) {
        var writer = STUNWriter(.request, transaction)
        writer.append(.username, remote + [UInt8(ascii: ":")] + local)
        writer.append(.priority, Self.priority)
        // The tie-breaker decides nothing: a lite agent's role never changes.
        writer.append(.iceControlled, transaction.low)
        self.path = path
        bytes = writer.finished(code)
    }
}

extension TransactionID {
    /// Bytes that nobody can foretell: who names them has read our question.
    init(_ crypto: STUNCrypto) {
        let bytes = crypto.random(Self.byteCount)
        self.init(
            high: bytes.prefix(4).reduce(0) { $0 << 8 | UInt32($1) },
            low: bytes.dropFirst(4).prefix(8).reduce(0) { $0 << 8 | UInt64($1) })
    }
}
