/// One link of one session at the acceptor: pending until its first datagram authenticates, then live.
final class Association {
    let greeting: Greeting
    /// What the same `open` is answered with again.
    let accept: [UInt8]
    let secure: SecureLink
    let born: Microseconds
    /// When something authentic came last.
    var heard: Microseconds?
    private(set) var path: Path

    /// Where its datagrams come from and go to.
    struct Path {
        var address: [UInt8]
        /// Where they went before, and can go again, as long as nobody has answered from the new address.
        var unproven: Unproven?
    }

    /// An address that an authentic datagram came from and that has not answered a challenge. Source: RFC 9000 sections 8.2 and 9.3.
    struct Unproven {
        var proven: [UInt8]
        var challenge: UInt64
        var since: Microseconds
        var challengedAt: Microseconds?
        var receivedBytes = 0
        var sentBytes = 0
    }

    /// To an unproven address goes at most this many times what came from it.
    private static let amplification = 3
    private static let challengeSpacing: Microseconds = 100_000
    /// Then datagrams go to the proven address again.
    private static let proofLimit: Microseconds = 1_000_000

    init(_ greeting: Greeting, accept: [UInt8], secure: SecureLink, from address: [UInt8], at now: Microseconds) {
        self.greeting = greeting
        self.accept = accept
        self.secure = secure
        born = now
        path = Path(address: address)
    }

    /// An authentic datagram came.
    /// - Parameter isNewest: only such a one moves the path, so that a late copy does not.
    /// - Returns: a challenge to send back to where it came from.
    func received(_ byteCount: Int, from source: [UInt8], isNewest: Bool, at now: Microseconds, _ crypto: BondCrypto) -> UInt64? {
        if source != path.address {
            guard isNewest else { return nil }
            let proven = path.unproven?.proven ?? path.address
            var reader = ByteReader(crypto.random(8))
            path = Path(address: source)
            if source != proven { path.unproven = Unproven(proven: proven, challenge: reader.u64() ?? 0, since: now) }
        }
        guard var unproven = path.unproven else { return nil }
        unproven.receivedBytes += byteCount
        defer { path.unproven = unproven }
        if let last = unproven.challengedAt, now - last < Self.challengeSpacing { return nil }
        unproven.challengedAt = now
        return unproven.challenge
    }

    func answered(_ challenge: UInt64) {
        if path.unproven?.challenge == challenge { path.unproven = nil }
    }

    /// Where `byteCount` bytes may go now; nil where an unproven address has had enough.
    func destination(_ byteCount: Int, at now: Microseconds) -> [UInt8]? {
        guard let unproven = path.unproven else { return path.address }
        if now - unproven.since >= Self.proofLimit {
            path = Path(address: unproven.proven)
            return path.address
        }
        guard unproven.sentBytes + byteCount <= Self.amplification * unproven.receivedBytes else { return nil }
        path.unproven?.sentBytes += byteCount
        return path.address
    }
}
