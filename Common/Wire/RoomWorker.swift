package import Units

// Between control and a room worker (`strata-sfu`), over its Unix socket: a JSON line each.

extension Kind {
    package enum Room {}
    package enum Peer {}
    package enum Participant {}
}

package typealias RoomID = ID<Kind.Room>
/// One PeerConnection of somebody in a room.
package typealias PeerID = ID<Kind.Peer>
/// Somebody in a room, with all that is theirs there.
package typealias ParticipantID = ID<Kind.Participant>

/// From control, each in a `Command`. What opens a peer is answered by `answered`, or by an `outcome` that says why not; the others by an `outcome`.
package enum WorkerOrder: Message {
    /// Answered by `described`: for the parent that adopts.
    case describe
    /// A peer that sends: its offer (RFC 9725 section 4.2), or, of one that is there, its next one.
    case publish(PeerOffer)
    /// A peer that receives what the room's publishers send, and offers itself (WHEP).
    case play(PeerOffer)
    /// A peer that receives what the room's participants send, and is offered it (`offered`) as it comes and goes.
    case subscribe(PeerSubscription)
    /// To the offer that was made last.
    case answer(PeerReply)
    /// Candidates, or new credentials (RFC 8840 section 9).
    case trickle(PeerFragment)
    /// What of a peer goes on to nobody from now on, of its later offers too; all else does.
    case hold(PeerHold)
    case close(PeerReference)
    /// All that is sent in a room is written down from now on, track by track; of one that is recorded as this take nothing changes.
    case record(RoomTakeOrder)
    /// No more of it; done once it is on the disk, and where there is no take.
    case endTake(RoomReference)
    case stop
    case unknown(String)
}

package enum WorkerMessage: Message {
    case described(WorkerDescription)
    case answered(PeerAnswer)
    /// What a subscriber is to answer; no second one before that.
    case offered(PeerOffered)
    case outcome(CommandOutcome)
    /// Each second.
    case report(WorkerReport)
    /// A peer is gone by itself, or for what it did.
    case left(PeerEnd)
    /// The last line: why it ends.
    case ended(EndReport)
    case unknown(String)
}

/// Where somebody was not let in, by a stable name in the `outcome`.
package enum WorkerStep: String, Sendable {
    /// Nobody sends into the room: a player may come again.
    case noPublisher = "room.publisher"
    /// The offer is one, and nothing comes of it here: another may be taken.
    case unanswerable = "room.unanswerable"
    /// There is no room for anybody: another time there may be.
    case full = "room.full"
}

package struct PeerOffer: Codable, Sendable, Hashable {
    package var peer: PeerID
    package var room: RoomID
    /// Whose it is; nil for a program's.
    package var owner: ParticipantID?
    /// SDP.
    package var offer: String

    package init(peer: PeerID, room: RoomID, owner: ParticipantID? = nil, offer: String) {
        self.peer = peer
        self.room = room
        self.owner = owner
        self.offer = offer
    }
}

package struct PeerSubscription: Codable, Sendable, Hashable {
    package var peer: PeerID
    package var room: RoomID
    /// Whose it is: their own tracks do not come back to them.
    package var owner: ParticipantID

    package init(peer: PeerID, room: RoomID, owner: ParticipantID) {
        self.peer = peer
        self.room = room
        self.owner = owner
    }
}

package struct PeerOffered: Codable, Sendable, Hashable {
    package var peer: PeerID
    /// Of the peer's offers.
    package var number: Int
    /// SDP.
    package var offer: String
    /// What lies in its sections; those that are not here are empty.
    package var tracks: [SubscribedTrack]

    package init(peer: PeerID, number: Int, offer: String, tracks: [SubscribedTrack]) {
        self.peer = peer
        self.number = number
        self.offer = offer
        self.tracks = tracks
    }
}

/// A section of an offer to a subscriber.
package struct SubscribedTrack: Codable, Sendable, Hashable {
    package var mid: String
    package var participant: ParticipantID
    /// The mid under which they send it.
    package var track: String

    package init(mid: String, participant: ParticipantID, track: String) {
        self.mid = mid
        self.participant = participant
        self.track = track
    }
}

package struct PeerReply: Codable, Sendable, Hashable {
    package var peer: PeerID
    /// Of the offer that it answers.
    package var number: Int
    /// SDP.
    package var answer: String

    package init(peer: PeerID, number: Int, answer: String) {
        self.peer = peer
        self.number = number
        self.answer = answer
    }
}

/// What somebody sends in one section of their offer.
package struct PublishedTrack: Codable, Sendable, Hashable {
    package var mid: String
    package var kind: TrackKind

    package init(mid: String, kind: TrackKind) {
        self.mid = mid
        self.kind = kind
    }
}

package enum TrackKind: String, Codable, Sendable, Hashable, CaseIterable { case audio, video }

package struct PeerAnswer: Codable, Sendable, Hashable {
    package var command: CommandID
    package var peer: PeerID
    /// SDP, or the fragment that answers one.
    package var answer: String
    /// Of the ICE session (RFC 9725 section 4.3.1): another after each restart.
    package var tag: String
    /// What is received by it, of a peer that sends.
    package var tracks: [PublishedTrack]?

    package init(command: CommandID, peer: PeerID, answer: String, tag: String, tracks: [PublishedTrack]? = nil) {
        self.command = command
        self.peer = peer
        self.answer = answer
        self.tag = tag
        self.tracks = tracks
    }
}

package struct PeerFragment: Codable, Sendable, Hashable {
    package var peer: PeerID
    package var fragment: String
    /// The session that the fragment is meant for; nil: whichever there is.
    package var tag: String?

    package init(peer: PeerID, fragment: String, tag: String?) {
        self.peer = peer
        self.fragment = fragment
        self.tag = tag
    }
}

package struct PeerHold: Codable, Sendable, Hashable {
    package var peer: PeerID
    /// Whatever is of these,
    package var kinds: [TrackKind]
    /// but what is sent under these mids.
    package var spared: [String]

    package init(peer: PeerID, kinds: [TrackKind], spared: [String]) {
        self.peer = peer
        self.kinds = kinds
        self.spared = spared
    }
}

package struct PeerReference: Codable, Sendable, Hashable {
    package var peer: PeerID
    package init(peer: PeerID) { self.peer = peer }
}

package struct RoomReference: Codable, Sendable, Hashable {
    package var room: RoomID
    package init(room: RoomID) { self.room = room }
}

/// A room, and the recording that is made of it.
package struct RoomTakeOrder: Codable, Sendable, Hashable {
    package var room: RoomID
    package var recording: RecordingID

    package init(room: RoomID, recording: RecordingID) {
        self.room = room
        self.recording = recording
    }
}

/// How a room's recording goes.
package struct RoomTakeReport: Codable, Sendable, Hashable {
    package var room: RoomID
    package var recording: RecordingID
    package var state: RecordingReport.State
    /// Why it fails, for a person.
    package var reason: String?
    /// Written by this worker.
    package var bytesTotal: Int
    /// Packets and reports that the disk did not take.
    package var lostTotal: Int

    package init(
        room: RoomID, recording: RecordingID, state: RecordingReport.State, reason: String?, bytesTotal: Int, lostTotal: Int
    ) {
        self.room = room
        self.recording = recording
        self.state = state
        self.reason = reason
        self.bytesTotal = bytesTotal
        self.lostTotal = lostTotal
    }
}

package struct PeerEnd: Codable, Sendable, Hashable {
    package var peer: PeerID
    package var reason: String

    package init(peer: PeerID, reason: String) {
        self.peer = peer
        self.reason = reason
    }
}

package struct WorkerDescription: Codable, Sendable, Hashable {
    /// UDP, of all its addresses.
    package var port: Int
    package var rooms: [RoomID]
    package var peers: [PeerID]
    /// What it records; nil: nothing.
    package var takes: [RoomTakeOrder]?

    package init(port: Int, rooms: [RoomID], peers: [PeerID], takes: [RoomTakeOrder]? = nil) {
        self.port = port
        self.rooms = rooms
        self.peers = peers
        self.takes = takes
    }
}

/// Of the second before, of all peers together: what each of them sends and gets nobody has asked for, and to tell it of a thousand takes
/// the thread of their media for milliseconds.
package struct WorkerReport: Codable, Sendable, Hashable {
    /// Datagrams.
    package var packetsIn: Int
    /// That the kernel took, and that it did not take; nil of a worker of before.
    package var packetsOut: Int
    package var packetsLost: Int?
    /// Datagrams that are nobody's, or that nobody with the keys has sent.
    package var refused: Int
    /// Of each room that is recorded; nil: none is.
    package var takes: [RoomTakeReport]?

    package init(packetsIn: Int, packetsOut: Int, packetsLost: Int?, refused: Int, takes: [RoomTakeReport]? = nil) {
        self.packetsIn = packetsIn
        self.packetsOut = packetsOut
        self.packetsLost = packetsLost
        self.refused = refused
        self.takes = takes
    }
}

extension WorkerOrder {
    package enum Kind: String, CaseIterable, Sendable {
        case describe, publish, play, subscribe, answer, trickle, hold, close, record, endTake, stop
    }

    package var name: MessageName<Kind> {
        switch self {
        case .describe: .known(.describe)
        case .publish: .known(.publish)
        case .play: .known(.play)
        case .subscribe: .known(.subscribe)
        case .answer: .known(.answer)
        case .trickle: .known(.trickle)
        case .hold: .known(.hold)
        case .close: .known(.close)
        case .record: .known(.record)
        case .endTake: .known(.endTake)
        case .stop: .known(.stop)
        case .unknown(let type): .unknown(type)
        }
    }

    package func encodeBody(to container: inout KeyedEncodingContainer<MessageKeys>) throws {
        switch self {
        case .publish(let body), .play(let body): try container.encode(body, forKey: .body)
        case .subscribe(let body): try container.encode(body, forKey: .body)
        case .answer(let body): try container.encode(body, forKey: .body)
        case .trickle(let body): try container.encode(body, forKey: .body)
        case .hold(let body): try container.encode(body, forKey: .body)
        case .close(let body): try container.encode(body, forKey: .body)
        case .record(let body): try container.encode(body, forKey: .body)
        case .endTake(let body): try container.encode(body, forKey: .body)
        case .describe, .stop, .unknown: break
        }
    }

    package init(kind: Kind, body: KeyedDecodingContainer<MessageKeys>) throws {
        switch kind {
        case .describe: self = .describe
        case .publish: self = .publish(try body.decode(PeerOffer.self, forKey: .body))
        case .play: self = .play(try body.decode(PeerOffer.self, forKey: .body))
        case .subscribe: self = .subscribe(try body.decode(PeerSubscription.self, forKey: .body))
        case .answer: self = .answer(try body.decode(PeerReply.self, forKey: .body))
        case .trickle: self = .trickle(try body.decode(PeerFragment.self, forKey: .body))
        case .hold: self = .hold(try body.decode(PeerHold.self, forKey: .body))
        case .close: self = .close(try body.decode(PeerReference.self, forKey: .body))
        case .record: self = .record(try body.decode(RoomTakeOrder.self, forKey: .body))
        case .endTake: self = .endTake(try body.decode(RoomReference.self, forKey: .body))
        case .stop: self = .stop
        }
    }
}

extension WorkerMessage {
    package enum Kind: String, CaseIterable, Sendable { case described, answered, offered, outcome, report, left, ended }

    package var name: MessageName<Kind> {
        switch self {
        case .described: .known(.described)
        case .answered: .known(.answered)
        case .offered: .known(.offered)
        case .outcome: .known(.outcome)
        case .report: .known(.report)
        case .left: .known(.left)
        case .ended: .known(.ended)
        case .unknown(let type): .unknown(type)
        }
    }

    package func encodeBody(to container: inout KeyedEncodingContainer<MessageKeys>) throws {
        switch self {
        case .described(let body): try container.encode(body, forKey: .body)
        case .answered(let body): try container.encode(body, forKey: .body)
        case .offered(let body): try container.encode(body, forKey: .body)
        case .outcome(let body): try container.encode(body, forKey: .body)
        case .report(let body): try container.encode(body, forKey: .body)
        case .left(let body): try container.encode(body, forKey: .body)
        case .ended(let body): try container.encode(body, forKey: .body)
        case .unknown: break
        }
    }

    package init(kind: Kind, body: KeyedDecodingContainer<MessageKeys>) throws {
        switch kind {
        case .described: self = .described(try body.decode(WorkerDescription.self, forKey: .body))
        case .answered: self = .answered(try body.decode(PeerAnswer.self, forKey: .body))
        case .offered: self = .offered(try body.decode(PeerOffered.self, forKey: .body))
        case .outcome: self = .outcome(try body.decode(CommandOutcome.self, forKey: .body))
        case .report: self = .report(try body.decode(WorkerReport.self, forKey: .body))
        case .left: self = .left(try body.decode(PeerEnd.self, forKey: .body))
        case .ended: self = .ended(try body.decode(EndReport.self, forKey: .body))
        }
    }
}
