/// One end of an association over one link: seals what it sends, opens what comes.
///
/// A class, because the next sequence number must exist once: two copies of it would use a nonce twice.
package final class SecureLink {
    /// What an authentic datagram held.
    package struct Opened: Hashable, Sendable {
        /// The link sequence number.
        package var sequence: UInt64
        /// The low 32 bits of the sending end's clock, in microseconds.
        package var sentAt: UInt32
        package var frame: Frame
        /// Whether no datagram before it had a higher sequence number.
        package var isNewest: Bool
    }

    /// Why a datagram was not let in.
    package enum Rejection: Error, Hashable, Sendable {
        /// Too short, another connection's, or authentic and yet no frame.
        case malformed
        /// The epoch is over, or too far ahead.
        case unknownEpoch
        /// Seen before, or too old to tell.
        case replayed
        case notAuthentic
    }

    package static let headerBytes = 8
    /// Of the whole envelope: header, send time, kind and tag.
    package static let overheadBytes = 29
    static let tagBytes = 16
    static let mark: UInt8 = 0x40

    /// An epoch ends after this many datagrams, or this long after its first.
    static let epochPackets: UInt64 = 1 << 22
    static let epochLife: Microseconds = 600_000_000
    /// For so long an epoch that is over is still opened.
    static let epochGrace: Microseconds = 3_000_000
    /// An epoch that is farther ahead than this is refused: of 16 that the header can tell apart.
    private static let epochsAhead = 7

    package let connection: ConnectionNumber
    private let crypto: BondCrypto
    private let epochPackets: UInt64

    private var sealing: EpochKey
    private var nextSequence: UInt64 = 0
    private var epochStart: (sequence: UInt64, at: Microseconds)?
    /// The own epoch goes on only when the peer was heard in it: on a dark link both ends stay where they are.
    private var heardInEpoch = false

    private var opening: EpochKey
    private var previous: (key: EpochKey, until: Microseconds)?
    /// The epochs behind `opening`, as far as they were asked for.
    private var ahead: [EpochKey] = []
    private var window = ReplayWindow()

    init(
        connection: ConnectionNumber, sealing: EpochKey, opening: EpochKey, crypto: BondCrypto, epochPackets: UInt64 = epochPackets
    ) {
        self.connection = connection
        self.sealing = sealing
        self.opening = opening
        self.crypto = crypto
        self.epochPackets = epochPackets
    }

    /// - Returns: the datagram, and the sequence number that reports call it by.
    package func seal(_ frame: Frame, at now: Microseconds) -> (datagram: [UInt8], sequence: UInt64) {
        let sequence = nextSequence
        nextSequence += 1
        turnEpoch(sequence, now)
        var datagram: [UInt8] = []
        datagram.reserveCapacity(Self.overheadBytes + frame.roughBytes)
        datagram.append32(UInt32(Self.mark | sealing.bits) << 24 | connection.value)
        datagram.append32(UInt32(truncatingIfNeeded: sequence))
        datagram.append32(UInt32(truncatingIfNeeded: now))
        frame.append(to: &datagram)
        sealing.cipher.seal(&datagram, clear: Self.headerBytes, nonce: sealing.nonce(sequence))
        return (datagram, sequence)
    }

    package func open(_ datagram: [UInt8], at now: Microseconds) throws(Rejection) -> Opened {
        guard datagram.count >= Self.overheadBytes, datagram[0] & 0xf0 == Self.mark, Self.connection(of: datagram) == connection else {
            throw .malformed
        }
        var reader = ByteReader(datagram, from: 4)
        let sequence = window.rebuilt(reader.u32() ?? 0)
        guard window.isNew(sequence) else { throw .replayed }
        guard let key = key(datagram[0] & 0x0f, now) else { throw .unknownEpoch }
        var bytes = datagram
        guard key.cipher.open(&bytes, clear: Self.headerBytes, nonce: key.nonce(sequence)) else { throw .notAuthentic }
        let isNewest = window.highest.map { sequence > $0 } ?? true
        window.insert(sequence)
        heardInEpoch = true
        if key.epoch > opening.epoch { move(to: key.epoch, now) }
        var lead = ByteReader(bytes, from: Self.headerBytes)
        guard let sentAt = lead.u32(), let frame = Frame.decode(bytes, from: Self.headerBytes + 4) else { throw .malformed }
        return Opened(sequence: sequence, sentAt: sentAt, frame: frame, isNewest: isNewest)
    }

    /// Whose a sealed datagram is, by its header; nil where it is none.
    static func connection(of datagram: [UInt8]) -> ConnectionNumber? {
        guard datagram.count >= overheadBytes, datagram[0] & 0xf0 == mark else { return nil }
        return ConnectionNumber(UInt32(datagram[1]) << 16 | UInt32(datagram[2]) << 8 | UInt32(datagram[3]))
    }

    /// Goes to the next epoch of the own direction when it is time.
    private func turnEpoch(_ sequence: UInt64, _ now: Microseconds) {
        guard let start = epochStart else {
            epochStart = (sequence, now)
            return
        }
        guard heardInEpoch, sequence - start.sequence >= epochPackets || now - start.at >= Self.epochLife else { return }
        sealing = sealing.next(crypto)
        epochStart = (sequence, now)
        heardInEpoch = false
    }

    private func key(_ bits: UInt8, _ now: Microseconds) -> EpochKey? {
        if bits == opening.bits { return opening }
        if let previous, previous.key.bits == bits { return now <= previous.until ? previous.key : nil }
        let distance = Int((bits &- opening.bits) & 0x0f)
        guard distance <= Self.epochsAhead else { return nil }
        while ahead.count < distance { ahead.append((ahead.last ?? opening).next(crypto)) }
        return ahead[distance - 1]
    }

    /// The peer has gone to a later epoch.
    private func move(to epoch: UInt64, _ now: Microseconds) {
        let steps = Int(epoch - opening.epoch)
        previous = (opening, now + Self.epochGrace)
        opening = ahead[steps - 1]
        ahead.removeFirst(steps)
    }
}
