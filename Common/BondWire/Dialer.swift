/// What a dialer makes of a datagram.
package enum DialStep {
    /// Send this to the receiver.
    case send([UInt8])
    /// The link is open: seal something at once, since the receiver counts on a link only after its first datagram.
    case open(SecureLink)
    /// The receiver said no. After `sessionBusy` and `full` the dialer begins anew by itself at `nextTick`.
    case refused(RefusalCode)
    /// It was not for this dialer, not authentic, or came too late.
    case nothing
}

/// Opens one link from the sender's end. Holds no clock and opens nothing.
///
///     hello ->   <- retry (cookie)   open ->   <- accept
package struct Dialer {
    private enum Phase {
        case idle
        case hello
        case open(message: [UInt8], since: Microseconds)
        case refused
        case done
    }

    /// From the first copy to the second; doubles to `longestWait`.
    private static let firstWait: Microseconds = 100_000
    private static let longestWait: Microseconds = 1_000_000
    /// Then the cookie is too old to be worth another try: less than the 10 s that it lives.
    private static let openLimit: Microseconds = 8_000_000

    private let key: StreamKey
    private let session: SessionID
    private let link: LinkNumber
    private let crypto: BondCrypto

    private var phase = Phase.idle
    private var random: [UInt8] = []
    private var message: [UInt8] = []
    private var wait = firstWait
    private var firstSent: Microseconds = 0
    private var copies = 0
    private var exact: Microseconds?
    private var rough: Microseconds?

    /// When `tick` has something to do; nil where nothing is waited for.
    package private(set) var nextTick: Microseconds?

    /// The least round trip of the handshake. Only a message that was sent once gives an exact one (Karn); else it is an upper bound.
    package var roundTrip: Microseconds? { exact ?? rough }

    package init(key: StreamKey, session: SessionID, link: LinkNumber, crypto: BondCrypto) {
        self.key = key
        self.session = session
        self.link = link
        self.crypto = crypto
    }

    /// Begins, or begins anew, with a fresh random.
    package mutating func start(at now: Microseconds) -> [UInt8] {
        random = crypto.random(Handshake.randomBytes)
        phase = .hello
        let hello = Greeting(key, session: session, link: link, random: random).message(.hello)
        return first(key.signing(hello, crypto), now)
    }

    /// - Returns: what is to be sent again, or anew.
    package mutating func tick(at now: Microseconds) -> [UInt8]? {
        guard let due = nextTick, now >= due else { return nil }
        switch phase {
        case .idle, .done: return nil
        case .refused: return start(at: now)
        case .open(_, let since) where now - since >= Self.openLimit: return start(at: now)
        case .hello, .open:
            copies += 1
            wait = min(2 * wait, Self.longestWait)
            nextTick = now + wait
            return message
        }
    }

    package mutating func take(_ datagram: [UInt8], at now: Microseconds) -> DialStep {
        guard let kind = Handshake.kind(datagram), let head = AnswerHead(datagram), head.link == link.value, head.random == random else {
            return .nothing
        }
        switch (kind, phase) {
        case (.retry, .hello): return retried(datagram, now)
        case (.accept, .open(let open, _)): return accepted(datagram, open, now)
        case (.refuse, .hello), (.refuse, .open): return refused(datagram, head, now)
        default: return .nothing
        }
    }

    private mutating func retried(_ datagram: [UInt8], _ now: Microseconds) -> DialStep {
        guard Handshake.isAuthentic(datagram, key.handshake, crypto) else { return .nothing }
        measure(now)
        let cookie = datagram[AnswerHead.byteCount..<AnswerHead.byteCount + Handshake.cookieBytes]
        let open = Greeting(key, session: session, link: link, random: random).message(.open) + cookie
        let signed = key.signing(open, crypto)
        phase = .open(message: signed, since: now)
        return .send(first(signed, now))
    }

    private mutating func accepted(_ datagram: [UInt8], _ open: [UInt8], _ now: Microseconds) -> DialStep {
        var reader = ByteReader(datagram, from: AnswerHead.byteCount)
        guard let theirs = reader.take(Handshake.randomBytes), let number = reader.u24(), reader.u8() == 0 else { return .nothing }
        let secret = AssociationSecret(key, dialer: random, acceptor: theirs, session: session, link: link, crypto: crypto)
        guard Handshake.isAuthentic(datagram, secret.confirmation, crypto) else { return .nothing }
        measure(now)
        phase = .done
        nextTick = nil
        return .open(SecureLink(connection: ConnectionNumber(number), sealing: secret.up, opening: secret.down, crypto: crypto))
    }

    private mutating func refused(_ datagram: [UInt8], _ head: AnswerHead, _ now: Microseconds) -> DialStep {
        guard Handshake.isAuthentic(datagram, key.handshake, crypto), let code = RefusalCode(rawValue: head.code) else { return .nothing }
        switch code {
        case .version, .ended:
            phase = .done
            nextTick = nil
        case .sessionBusy, .full:
            phase = .refused
            nextTick = now + Self.longestWait
        }
        return .refused(code)
    }

    private mutating func first(_ bytes: [UInt8], _ now: Microseconds) -> [UInt8] {
        message = bytes
        wait = Self.firstWait
        firstSent = now
        copies = 1
        nextTick = now + wait
        return bytes
    }

    private mutating func measure(_ now: Microseconds) {
        let time = max(0, now - firstSent)
        if copies == 1 { exact = min(exact ?? time, time) } else { rough = min(rough ?? time, time) }
    }
}
