import BondWire
import ICE
import SDP
import Wire

/// Somebody who gets what the others of a room send: the offers to them, and what of theirs is sent by which source of ours.
///
/// Its PeerConnection comes of the first answer; without a track there is nothing to offer, and none.
final class Subscriber {
    let id: PeerID
    let room: RoomID
    let owner: ParticipantID
    /// Since the first offer.
    private(set) var session: SessionNumber?
    /// Since the first answer.
    private(set) var peer: Peer?
    /// As the first answer told it; it stays.
    private var remote: RemoteTransport?
    private var offers: SubscriptionOffer?
    private var lines: [Line] = []
    /// Those that it has no decoder for.
    private var refused: [IncomingTrack] = []
    /// Something was left out, because there was no place for it.
    private var isShort = false
    /// The offer that awaits its answer.
    private var number: Int?

    /// A track on its way to the subscriber.
    private struct Line {
        let mid: String
        let sent: SentTrack
        let publisher: ParticipantID
        let source: IncomingTrack
        /// Since the answer that took it.
        var outgoing: OutgoingTrack?
    }

    /// Of one subscriber; with what is on its way out so many sections are within a line of the worker's socket (`LineChannel.lineBytes`).
    static let trackLimit = 64

    init(id: PeerID, room: RoomID, owner: ParticipantID) {
        self.id = id
        self.room = room
        self.owner = owner
    }

    var hasTracks: Bool { !lines.isEmpty }

    /// From now on there are offers.
    func begin(_ session: SessionNumber, _ local: LocalTransport, sessionID: UInt64) {
        self.session = session
        offers = SubscriptionOffer(local: local, places: .reused, hasData: false, sessionID: sessionID)
    }

    // MARK: Tracks

    /// Whether `source` would be another one of its tracks.
    func takes(_ source: IncomingTrack, of publisher: ParticipantID) -> Bool {
        guard publisher != owner, !lines.contains(where: { $0.source === source }), !refused.contains(where: { $0 === source }) else {
            return false
        }
        if lines.count >= Self.trackLimit { isShort = true }
        return lines.count < Self.trackLimit
    }

    /// Whether there may be a place for what was left out; once for each time that something was.
    func hasPlaceAgain() -> Bool {
        guard isShort, lines.count < Self.trackLimit, offers?.isPending != true else { return false }
        isShort = false
        return true
    }

    /// The next offer has it.
    func add(_ source: IncomingTrack, _ sent: SentTrack, of publisher: ParticipantID) {
        guard let mid = offers?.add(sent) else {
            isShort = true
            return
        }
        lines.append(Line(mid: mid, sent: sent, publisher: publisher, source: source, outgoing: nil))
    }

    /// It is sent no more, and the next offer says so.
    func drop(_ source: IncomingTrack) {
        for line in lines where line.source === source {
            offers?.remove(line.mid)
            silence(line)
        }
        lines.removeAll { $0.source === source }
        refused.removeAll { $0 === source }
    }

    private func silence(_ line: Line) {
        guard let outgoing = line.outgoing else { return }
        line.source.remove(outgoing)
        outgoing.pause()
        outgoing.starve()
        peer?.drop(outgoing)
    }

    // MARK: Offers and answers

    /// The offers that are due, as far as they are taken now; the others are due the next time. Whoever comes into a full room is another
    /// offer of 80 kB to each of those who are there: all at once they would end the worker's connection to its parent.
    static func offer(to subscribers: some Sequence<Subscriber>, while mayOffer: () -> Bool, _ tell: (PeerOffered) -> Void) {
        for subscriber in subscribers {
            guard mayOffer() else { return }
            if let offer = subscriber.offer() { tell(offer) }
        }
    }

    /// What the subscriber is to answer now; nil where nothing changed, or while an answer is awaited.
    func offer() -> PeerOffered? {
        guard offers?.hasChanges == true, let offer = offers?.offer() else { return nil }
        let number = Int(truncatingIfNeeded: offer.version)
        self.number = number
        return PeerOffered(
            peer: id, number: number, offer: offer.text,
            tracks: lines.map { SubscribedTrack(mid: $0.mid, participant: $0.publisher, track: $0.source.name) })
    }

    /// What an answer came to.
    struct Answered {
        /// Of the first answer: the peer is to be opened with it.
        let opening: RemoteTransport?
        /// What is to be sent from now on.
        let begins: [(agreed: AgreedSection, sent: SentTrack)]
    }

    /// - Throws: `RoomWorker.Refusal`; the offer still awaits an answer then.
    func take(_ answer: SessionDescription, to number: Int) throws -> Answered {
        guard number == self.number else { throw RoomWorker.Refusal(reason: "another offer awaits an answer") }
        guard var next = offers else { throw RoomWorker.Refusal(reason: "nothing is offered") }
        let agreed: SubscriptionOffer.Agreed
        do throws(NegotiationFault) {
            agreed = try next.take(answer)
        } catch {
            throw RoomWorker.Refusal(reason: "the answer is of no use: \(error)")
        }
        if let remote, let again = agreed.remote {
            // One transport from its first answer on: a connection with other keys or credentials is another one.
            guard !again.isRestart(after: remote), again.fingerprints == remote.fingerprints else {
                throw RoomWorker.Refusal(reason: "the answer is another connection's: its credentials or its fingerprint are others")
            }
        }
        offers = next
        self.number = nil
        for track in agreed.refused { forget(track) }
        let opening = remote == nil ? agreed.remote : nil
        remote = remote ?? agreed.remote
        return Answered(opening: opening, begins: begins(agreed.sections))
    }

    private func begins(_ sections: [AgreedSection]) -> [(agreed: AgreedSection, sent: SentTrack)] {
        sections.compactMap { section in
            guard let line = lines.first(where: { $0.mid == section.mid }), line.outgoing == nil else { return nil }
            return (section, line.sent)
        }
    }

    /// A track that it has no decoder for is not offered again.
    private func forget(_ track: SentTrack) {
        for line in lines where line.sent == track {
            silence(line)
            refused.append(line.source)
        }
        lines.removeAll { $0.sent == track }
    }

    func open(_ peer: Peer) { self.peer = peer }

    /// What `take` said is on its way.
    func began(_ outgoing: OutgoingTrack) {
        guard let index = lines.firstIndex(where: { $0.sent.source == outgoing.source }) else { return }
        lines[index].outgoing = outgoing
        peer?.add(outgoing)
    }

    /// Feeds whatever is agreed on and not fed yet.
    func feed() {
        for line in lines {
            if let outgoing = line.outgoing, outgoing.track == nil { outgoing.feed(from: line.source) }
        }
    }
}
