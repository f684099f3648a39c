/// What an acceptor makes of a datagram.
package enum AcceptStep {
    /// Send this to where the datagram came from.
    case answer([UInt8])
    case frame(AcceptedFrame)
    case dropped(DropReason)
}

/// What came over a link of the stream.
package struct AcceptedFrame {
    package enum Change: Hashable, Sendable {
        /// The link is new, or was dialled anew: its sequence numbers began again.
        case opened
        /// So it is, and it is the first of another session: everything that was known of the flow is of the past.
        case newSession
        /// The link's datagrams come from another address.
        case moved
        /// The sender has closed this link.
        case closed
        /// The sender has ended the session.
        case ended
    }

    package var link: LinkNumber
    package var connection: ConnectionNumber
    package var opened: SecureLink.Opened
    /// To be sent to where the datagram came from.
    package var answers: [[UInt8]] = []
    package var change: Change?
}

/// Why a datagram went no further.
package enum DropReason: Int, Hashable, Sendable, CaseIterable {
    /// No message of this protocol.
    case malformed
    /// A handshake for another stream, or with another key.
    case unknownStream
    case unknownConnection
    case notAuthentic
    case replayed
    case unknownEpoch
    /// The cookie is too old, of another address, or not ours.
    case badCookie
    /// More hellos than are answered.
    case tooMany
    /// Of a session that came while another was alive.
    case sessionBusy
}

/// A datagram and where it goes.
package struct Outgoing: Hashable, Sendable {
    package var datagram: [UInt8]
    package var address: [UInt8]
    package var sequence: UInt64
}

/// What an acceptor has seen.
package struct AcceptorFigures: Hashable, Sendable {
    /// Sealed datagrams that were authentic.
    package internal(set) var accepted: UInt64 = 0
    /// Retries and accepts.
    package internal(set) var answered: UInt64 = 0
    package internal(set) var refused: UInt64 = 0
    /// Not sent, because their path was not proven yet, or nobody was heard there for long.
    package internal(set) var withheld: UInt64 = 0
    private var dropped = [UInt64](repeating: 0, count: DropReason.allCases.count)

    package subscript(reason: DropReason) -> UInt64 {
        get { dropped[reason.rawValue] }
        _modify { yield &dropped[reason.rawValue] }
    }
}

/// The receiver's end of all links of one stream: handshakes, associations, paths. Holds no clock and opens nothing.
///
/// An address is bytes to it, of any form, as long as one peer's are always the same.
package struct Acceptor {
    /// A session that was heard in this time is not replaced by another.
    private static let busyTime: Microseconds = 500_000
    /// How long an association waits for its first datagram.
    private static let pendingLife: Microseconds = 10_000_000
    private static let pendingLimit = 64
    /// A link that has said nothing for so long is told nothing: its address may be somebody else's by now.
    private static let quietLife: Microseconds = 30_000_000

    private let key: StreamKey
    private let crypto: BondCrypto
    private var door: HelloDoor
    private var pending: [ConnectionNumber: Association] = [:]
    private var live: [ConnectionNumber: Association] = [:]
    private var byLink: [LinkNumber: Association] = [:]
    private var hasEnded = false

    /// The session whose links are live.
    package private(set) var session: SessionID?
    package private(set) var figures = AcceptorFigures()

    package init(key: StreamKey, crypto: BondCrypto, at now: Microseconds) {
        self.key = key
        self.crypto = crypto
        door = HelloDoor(crypto, at: now)
    }

    /// The live links.
    package var links: [LinkNumber] { byLink.keys.sorted() }

    package func connection(of link: LinkNumber) -> ConnectionNumber? { byLink[link]?.secure.connection }

    /// When something authentic came over a live link last.
    package func heard(_ link: LinkNumber) -> Microseconds? { byLink[link]?.heard }

    /// Where a live link's datagrams come from.
    package func address(of link: LinkNumber) -> [UInt8]? { byLink[link]?.path.address }

    /// Takes any datagram of the stream's port.
    package mutating func take(_ datagram: [UInt8], from source: [UInt8], at now: Microseconds) -> AcceptStep {
        let step: AcceptStep
        if let connection = SecureLink.connection(of: datagram) {
            step = takeSealed(datagram, connection, source, now)
        } else {
            switch Handshake.kind(datagram) {
            case .hello: step = takeHello(datagram, source, now)
            case .open: step = takeOpen(datagram, source, now)
            case .retry, .accept, .refuse, nil: step = .dropped(.malformed)
            }
        }
        if case .dropped(let reason) = step { figures[reason] += 1 }
        return step
    }

    /// Seals a frame for a live link.
    /// - Returns: nil where there is no such link, where it was not heard for half a minute, and where its new address has not proven itself
    ///   and was sent enough.
    package mutating func seal(_ frame: Frame, for link: LinkNumber, at now: Microseconds) -> Outgoing? {
        guard let association = byLink[link] else { return nil }
        guard now - (association.heard ?? association.born) < Self.quietLife else {
            figures.withheld += 1
            return nil
        }
        let sealed = association.secure.seal(frame, at: now)
        guard let address = association.destination(sealed.datagram.count, at: now) else {
            figures.withheld += 1
            return nil
        }
        return Outgoing(datagram: sealed.datagram, address: address, sequence: sealed.sequence)
    }

    /// Takes no more of the stream: who opens now is refused.
    /// - Returns: a goodbye for each live link.
    package mutating func end(at now: Microseconds) -> [Outgoing] {
        hasEnded = true
        let goodbyes = links.compactMap { seal(.goodbye(.streamEnded), for: $0, at: now) }
        endSession()
        pending = [:]
        return goodbyes
    }

    private mutating func endSession() {
        live = [:]
        byLink = [:]
        session = nil
    }

    // MARK: - Handshake

    private func greeting(_ datagram: [UInt8]) -> Result<Greeting, DropError> {
        guard let greeting = Greeting(datagram) else { return .failure(DropError(reason: .malformed)) }
        guard greeting.stream == key.stream else { return .failure(DropError(reason: .unknownStream)) }
        guard Handshake.isAuthentic(datagram, key.handshake, crypto) else { return .failure(DropError(reason: .notAuthentic)) }
        return .success(greeting)
    }

    private mutating func takeHello(_ datagram: [UInt8], _ source: [UInt8], _ now: Microseconds) -> AcceptStep {
        switch greeting(datagram) {
        case .failure(let drop): return .dropped(drop.reason)
        case .success(let greeting):
            guard door.mayAnswer(greeting.random, at: now) else { return .dropped(.tooMany) }
            guard greeting.version == Handshake.version else { return refuse(greeting, .version) }
            figures.answered += 1
            let retry = AnswerHead(link: greeting.link, random: greeting.random).message(.retry) + door.cookie(greeting, source, at: now)
            return .answer(key.signing(retry, crypto))
        }
    }

    private mutating func takeOpen(_ datagram: [UInt8], _ source: [UInt8], _ now: Microseconds) -> AcceptStep {
        switch greeting(datagram) {
        case .failure(let drop): return .dropped(drop.reason)
        case .success(let greeting):
            let cookie = datagram[Handshake.Kind.hello.byteCount - Handshake.macBytes..<datagram.count - Handshake.macBytes]
            guard door.isGood(Array(cookie), greeting, source, at: now) else { return .dropped(.badCookie) }
            guard greeting.version == Handshake.version else { return refuse(greeting, .version) }
            guard !hasEnded else { return refuse(greeting, .ended) }
            guard !isBusy(for: greeting.session, now) else { return refuse(greeting, .sessionBusy) }
            figures.answered += 1
            let known = (Array(pending.values) + Array(live.values)).first { $0.greeting == greeting }
            if let known { return .answer(known.accept) }
            pending = pending.filter { now - $0.value.born < Self.pendingLife }
            guard pending.count < Self.pendingLimit else { return refuse(greeting, .full) }
            let association = associate(greeting, source, now)
            pending[association.secure.connection] = association
            return .answer(association.accept)
        }
    }

    private func associate(_ greeting: Greeting, _ source: [UInt8], _ now: Microseconds) -> Association {
        let random = crypto.random(Handshake.randomBytes)
        let number = freeNumber()
        let secret = AssociationSecret(
            key, dialer: greeting.random, acceptor: random, session: greeting.session, link: greeting.link, crypto: crypto)
        var accept = AnswerHead(link: greeting.link, random: greeting.random).message(.accept) + random
        accept.append24(number.value)
        accept.append(0)
        let secure = SecureLink(connection: number, sealing: secret.down, opening: secret.up, crypto: crypto)
        return Association(
            greeting, accept: Handshake.signed(accept, secret.confirmation, crypto), secure: secure, from: source, at: now)
    }

    private func freeNumber() -> ConnectionNumber {
        while true {
            var reader = ByteReader(crypto.random(3))
            let number = ConnectionNumber(reader.u24() ?? 0)
            if number != .none, pending[number] == nil, live[number] == nil { return number }
        }
    }

    private mutating func refuse(_ greeting: Greeting, _ code: RefusalCode) -> AcceptStep {
        figures.refused += 1
        let message = AnswerHead(link: greeting.link, code: code, random: greeting.random).message(.refuse)
        return .answer(key.signing(message, crypto))
    }

    private func isBusy(for newcomer: SessionID, _ now: Microseconds) -> Bool {
        guard let session, session != newcomer else { return false }
        return live.values.contains { now - ($0.heard ?? $0.born) < Self.busyTime }
    }

    // MARK: - Sealed datagrams

    private mutating func takeSealed(
        _ datagram: [UInt8], _ connection: ConnectionNumber, _ source: [UInt8], _ now: Microseconds
    ) -> AcceptStep {
        guard let association = live[connection] ?? pending[connection] else { return .dropped(.unknownConnection) }
        let opened: SecureLink.Opened
        do throws(SecureLink.Rejection) {
            opened = try association.secure.open(datagram, at: now)
        } catch {
            return .dropped(DropReason(error))
        }
        var frame = AcceptedFrame(link: association.greeting.link, connection: connection, opened: opened)
        if live[connection] == nil {
            guard !isBusy(for: association.greeting.session, now) else {
                pending[connection] = nil
                figures[.sessionBusy] += 1
                return .answer(association.secure.seal(.goodbye(.sessionBusy), at: now).datagram)
            }
            frame.change = promote(association)
        }
        figures.accepted += 1
        association.heard = now
        follow(association, datagram.count, source, &frame, now)
        return .frame(frame)
    }

    /// The first datagram of an association has shown that its dialer has the keys: now it counts.
    private mutating func promote(_ association: Association) -> AcceptedFrame.Change {
        let (greeting, connection) = (association.greeting, association.secure.connection)
        pending[connection] = nil
        let isNew = session != greeting.session
        if isNew { endSession() }
        session = greeting.session
        if let older = byLink[greeting.link] { live[older.secure.connection] = nil }
        live[connection] = association
        byLink[greeting.link] = association
        return isNew ? .newSession : .opened
    }

    /// What an authentic datagram means for the path and the association.
    private mutating func follow(
        _ association: Association, _ byteCount: Int, _ source: [UInt8], _ frame: inout AcceptedFrame, _ now: Microseconds
    ) {
        let before = association.path.address
        if let challenge = association.received(byteCount, from: source, isNewest: frame.opened.isNewest, at: now, crypto) {
            frame.answers += answer(.challenge(challenge), association, source, now)
        }
        if association.path.address != before, frame.change == nil { frame.change = .moved }
        switch frame.opened.frame {
        case .challenge(let number): frame.answers += answer(.response(number), association, source, now)
        case .response(let number): association.answered(number)
        case .goodbye(.linkClosed):
            live[association.secure.connection] = nil
            byLink[association.greeting.link] = nil
            frame.change = .closed
        case .goodbye:
            endSession()
            frame.change = .ended
        case .probe, .media, .control, .report, .status: break
        }
    }

    /// Seals an answer if the path may have it, and it is the one the datagram came by.
    private mutating func answer(_ frame: Frame, _ association: Association, _ source: [UInt8], _ now: Microseconds) -> [[UInt8]] {
        guard association.path.address == source else { return [] }
        let datagram = association.secure.seal(frame, at: now).datagram
        guard association.destination(datagram.count, at: now) == source else {
            figures.withheld += 1
            return []
        }
        return [datagram]
    }
}

private struct DropError: Error { let reason: DropReason }

extension DropReason {
    init(_ rejection: SecureLink.Rejection) {
        switch rejection {
        case .malformed: self = .malformed
        case .unknownEpoch: self = .unknownEpoch
        case .replayed: self = .replayed
        case .notAuthentic: self = .notAuthentic
        }
    }
}
