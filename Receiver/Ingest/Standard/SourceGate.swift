import Posix

/// Which packets of a public port may reach librist, and as which of at most 64 sources. Holds no clock and no socket.
///
/// What an attacker without the key can cost is bounded here: librist derives a key (PBKDF2, some 0.5 ms) whenever the nonce
/// of a source changes, before it authenticates anything; 1,000 of them a second cost a good stream 9.8 % of its packets. So
/// every change is metered, 5 a second for each source and 20 in all, and the packets of the nonce that a source already
/// uses always pass. Until librist has answered a source, it shares one key with all others that it has not answered.
struct SourceGate {
    enum Verdict: Equatable {
        /// To librist, as this source. A new one wants its own socket; `replaced` tells that the slot had another owner.
        case forward(slot: Int, isNew: Bool)
        case drop(Reason)
    }

    enum Reason: Int, CaseIterable {
        case length, shape, plaintext, zeroNonce
        /// A nonce of another source that is still heard, or one that was used up to this sequence number before.
        case replayed
        /// More changes of key than the limits allow, or more packets of a source that librist has not answered yet.
        case rate
        /// All 64 sources are in use by senders that were answered.
        case full
    }

    static let sourceLimit = 64
    static let changesPerSecond = (source: 5.0, all: 20.0)
    /// Packets of a source that librist has not answered: a link that moved in the middle of a broadcast sends 1,900 a second at
    /// 20 Mbit/s, and is answered within 0.1 s; a made-up source is never.
    static let unansweredPackets = (rate: 250.0, burst: 500.0)
    /// A source that sent nothing for this long gives up its place.
    static let idleLimit = Duration.seconds(10)
    /// A nonce moves to another address (a NAT that bound again) once its old address was silent for this long, with a higher
    /// sequence number than was seen: captured packets do not qualify. A sender speaks every 50 ms at least.
    static let moveAfter = Duration.milliseconds(100)
    /// Answers of librist that make a source established: 2 s of RTCP, which junk that looks like RTCP does not reach.
    static let establishedAnswers = 20
    private static let rememberedNonces = 512
    /// A sequence number further ahead than this is not believed: else one forged packet would make a real move impossible.
    private static let believableStep: UInt32 = 10_000

    struct Source {
        let address: SocketAddress
        fileprivate(set) var heardAt: Instant
        fileprivate(set) var answers = 0
        fileprivate var nonce: UInt32
        fileprivate var changes: TokenBucket
        fileprivate var unanswered: TokenBucket
        fileprivate var isEstablished: Bool { answers >= SourceGate.establishedAnswers }
    }

    private struct Nonce {
        var owner: SocketAddress
        var highest: UInt32
        var heardAt: Instant
    }

    private(set) var sources: [Source?] = Array(repeating: nil, count: sourceLimit)
    private var slots: [SocketAddress: Int] = [:]
    private var nonces: [UInt32: Nonce] = [:]
    private var changes: TokenBucket
    /// The nonce that librist's listening peer has a key for: of the sources that it has not answered.
    private var sharedNonce: UInt32 = 0

    init(at now: Instant) {
        changes = TokenBucket(rate: Self.changesPerSecond.all, burst: Self.changesPerSecond.all, at: now)
    }

    /// Judges one packet by its header and where it came from.
    mutating func arrived(_ header: GREHeader, from address: SocketAddress, at now: Instant) -> Verdict {
        guard let slot = slots[address], let source = sources[slot] else { return admit(header, from: address, at: now) }
        if isForeign(header, to: address, at: now) { return .drop(.replayed) }
        if source.answers == 0 {
            sources[slot]?.unanswered.fill(at: now)
            guard sources[slot]?.unanswered.hasToken == true else { return .drop(.rate) }
            sources[slot]?.unanswered.take()
        }
        let current = source.answers > 0 ? source.nonce : sharedNonce
        if header.nonce != current {
            sources[slot]?.changes.fill(at: now)
            changes.fill(at: now)
            guard sources[slot]?.changes.hasToken == true, changes.hasToken else { return .drop(.rate) }
            sources[slot]?.changes.take()
            changes.take()
            if source.answers == 0 { sharedNonce = header.nonce }
        }
        sources[slot]?.nonce = header.nonce
        sources[slot]?.heardAt = now
        note(header, of: address, at: now)
        return .forward(slot: slot, isNew: false)
    }

    /// librist answered the source: it has a peer and a key of its own now.
    mutating func answered(slot: Int) { sources[slot]?.answers += 1 }

    /// Gives up the sources that were silent too long; returns their slots.
    mutating func expire(at now: Instant) -> [Int] {
        let expired = sources.indices.filter { slot in sources[slot].map { now - $0.heardAt > Self.idleLimit } ?? false }
        for slot in expired { release(slot) }
        return expired
    }

    private mutating func admit(_ header: GREHeader, from address: SocketAddress, at now: Instant) -> Verdict {
        if isForeign(header, to: address, at: now) { return .drop(.replayed) }
        changes.fill(at: now)
        guard changes.hasToken else { return .drop(.rate) }
        guard let slot = freeSlot() else { return .drop(.full) }
        changes.take()
        release(slot)
        var own = TokenBucket(rate: Self.changesPerSecond.source, burst: Self.changesPerSecond.source, at: now)
        own.take()
        let unanswered = TokenBucket(rate: Self.unansweredPackets.rate, burst: Self.unansweredPackets.burst, at: now)
        sources[slot] = Source(address: address, heardAt: now, nonce: header.nonce, changes: own, unanswered: unanswered)
        slots[address] = slot
        sharedNonce = header.nonce
        note(header, of: address, at: now)
        return .forward(slot: slot, isNew: true)
    }

    /// A place that is free, else that of the source which was silent longest among those never established.
    private func freeSlot() -> Int? {
        if let free = sources.firstIndex(where: { $0 == nil }) { return free }
        return sources.indices.filter { sources[$0]?.isEstablished == false }.min { left, right in
            guard let left = sources[left], let right = sources[right] else { return false }
            return left.heardAt < right.heardAt
        }
    }

    private mutating func release(_ slot: Int) {
        if let source = sources[slot] { slots[source.address] = nil }
        sources[slot] = nil
    }

    /// Whether the nonce is somebody else's: of a source that still uses it, or replayed from what was captured.
    private func isForeign(_ header: GREHeader, to address: SocketAddress, at now: Instant) -> Bool {
        guard let known = nonces[header.nonce], known.owner != address else { return false }
        if now - known.heardAt < Self.moveAfter { return true }
        let step = header.sequence &- known.highest
        return step == 0 || step > UInt32.max / 2
    }

    private mutating func note(_ header: GREHeader, of address: SocketAddress, at now: Instant) {
        guard var known = nonces[header.nonce] else {
            if nonces.count >= Self.rememberedNonces, let oldest = nonces.min(by: { $0.value.heardAt < $1.value.heardAt }) {
                nonces[oldest.key] = nil
            }
            nonces[header.nonce] = Nonce(owner: address, highest: header.sequence, heardAt: now)
            return
        }
        let step = header.sequence &- known.highest
        if step != 0, step < Self.believableStep || known.owner != address { known.highest = header.sequence }
        known.owner = address
        known.heardAt = now
        nonces[header.nonce] = known
    }
}

extension SourceGate.Reason {
    init(_ fault: GREHeader.Fault) {
        switch fault {
        case .length: self = .length
        case .shape: self = .shape
        case .plaintext: self = .plaintext
        case .zeroNonce: self = .zeroNonce
        }
    }
}
