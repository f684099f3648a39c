package import Units

// Between control and the page of somebody in a room, over a WebSocket. `PROTOCOL.md` tells the conversation.

/// From the page; answered by exactly one `done` or `refused` with the same id.
package struct RoomRequest: Codable, Sendable {
    /// Counted by the page; any number that it does not use twice at once.
    package var id: Int
    package var order: RoomOrder

    package init(id: Int, order: RoomOrder) {
        self.id = id
        self.order = order
    }
}

package enum RoomOrder: Message {
    /// The first of a socket: with a pass.
    case join(RoomJoin)
    /// The first of a socket: somebody comes back after theirs was lost.
    case resume(RoomResume)
    /// The offer of a new PeerConnection, in place of the one that there was.
    case publish(RoomPublication)
    /// The next offer of the same PeerConnection.
    case renegotiate(RoomPublication)
    case unpublish
    /// From now on offers come of what the others send, for a new PeerConnection in place of the one that there was.
    case subscribe
    case answer(RoomAnswer)
    /// Sends somebody away, for good as far as their pass goes unless it is said otherwise.
    case remove(RoomRemoval)
    /// Stops what somebody sends, or everybody.
    case stop(RoomStop)
    /// Stops what one sends oneself, or has it go on.
    case turn(RoomTurn)
    case rename(RoomRename)
    case promote(RoomPromotion)
    case spotlight(RoomSpotlight)
    case lock(RoomSwitch)
    /// Ends the meeting for all.
    case end
    case hand(RoomHand)
    case allow(RoomLeave)
    case react(RoomReacting)
    case cast(RoomCast)
    case say(RoomSaying)
    case unsay(RoomUnsaying)
    case pin(RoomPin)
    case history(RoomHistory)
    case search(RoomSearch)
    case muteChat(RoomChatMute)
    /// Whether anybody writes.
    case switchChat(RoomSwitch)
    case leave
    case unknown(String)
}

/// To the page.
package enum RoomMessage: Message {
    case done(RoomDone)
    case refused(RoomRefused)
    /// Everybody who is there: what was known before is over.
    case snapshot(RoomSnapshot)
    /// Somebody is new, or not as before.
    case participant(RoomParticipantChange)
    case left(RoomLeaving)
    /// What holds in the room is not as before.
    case conditions(RoomConditionsChange)
    /// A message is new, or not as before.
    case chat(RoomChatChange)
    /// A message is no more.
    case unsaid(RoomUnsaid)
    case reaction(RoomReacted)
    case cast(RoomCasted)
    /// Changes that are not for this page.
    case passed(RoomPassed)
    /// What oneself may do is not as before.
    case rights(RoomRights)
    case offer(RoomOffer)
    /// A PeerConnection is over by itself.
    case ended(RoomEnding)
    /// The last one.
    case over(RoomOver)
    /// Each two seconds: a page cannot see pings.
    case alive
    case unknown(String)
}

/// What somebody is in a room.
package enum RoomRole: String, Codable, Sendable, Hashable, CaseIterable { case host, member, guest }

package struct RoomJoin: Codable, Sendable, Hashable {
    /// The pass.
    package var token: SecretOnWire
    package init(token: Secret) { self.token = SecretOnWire(token) }
}

package struct RoomResume: Codable, Sendable, Hashable {
    /// Of the `done` that let somebody in.
    package var token: SecretOnWire
    /// The number of the last change that the page has; nil for none.
    package var seq: Int?

    package init(token: Secret, seq: Int?) {
        self.token = SecretOnWire(token)
        self.seq = seq
    }
}

package struct RoomPublication: Codable, Sendable, Hashable {
    /// SDP.
    package var offer: String
    /// What its sections show; one that is not named is `other`.
    package var tracks: [RoomTrackSource]

    package init(offer: String, tracks: [RoomTrackSource]) {
        self.offer = offer
        self.tracks = tracks
    }
}

package struct RoomTrackSource: Codable, Sendable, Hashable {
    package var mid: String
    package var source: TrackSource

    package init(mid: String, source: TrackSource) {
        self.mid = mid
        self.source = source
    }
}

package enum TrackSource: String, Codable, Sendable, Hashable, CaseIterable {
    case camera, microphone, screen
    case screenSound = "screen-sound"
    case other
}

package struct RoomAnswer: Codable, Sendable, Hashable {
    /// Of the `offer`.
    package var number: Int
    /// SDP.
    package var answer: String

    package init(number: Int, answer: String) {
        self.number = number
        self.answer = answer
    }
}

package struct RoomDone: Codable, Sendable, Hashable {
    package var id: Int
    /// Of `join` and `resume`.
    package var entry: RoomEntry?
    /// Of `publish` and `renegotiate`: SDP.
    package var answer: String?
    /// Of `history` and `search`: the oldest first.
    package var messages: [RoomChatMessage]?

    package init(id: Int, entry: RoomEntry? = nil, answer: String? = nil, messages: [RoomChatMessage]? = nil) {
        self.id = id
        self.entry = entry
        self.answer = answer
        self.messages = messages
    }
}

/// What somebody who was let in is told; a `snapshot`, or the changes that they missed, come behind it.
package struct RoomEntry: Codable, Sendable, Hashable {
    package var room: RoomID
    /// Who they are in it.
    package var participant: ParticipantID
    package var role: RoomRole
    /// To come back by, until they leave: for this page alone.
    package var resume: SecretOnWire
    /// How long the seat is kept for them while their socket is lost.
    package var graceSeconds: Int
    /// Whether a PeerConnection of theirs is there: after a `resume` it goes on.
    package var publishes: Bool
    package var subscribes: Bool
    /// To make PeerConnections with; TURN's credentials are good for 12 hours, and whoever comes back has new ones.
    package var iceServers: [ICEServer]

    package init(
        room: RoomID, participant: ParticipantID, role: RoomRole, resume: Secret, graceSeconds: Int, publishes: Bool, subscribes: Bool,
        iceServers: [ICEServer] = []
    ) {
        self.room = room
        self.participant = participant
        self.role = role
        self.resume = SecretOnWire(resume)
        self.graceSeconds = graceSeconds
        self.publishes = publishes
        self.subscribes = subscribes
        self.iceServers = iceServers
    }
}

package struct RoomRefused: Codable, Sendable, Hashable {
    /// Why something is not done; once shipped a name is never changed.
    package enum Reason: String, Codable, Sendable, Hashable, CaseIterable {
        /// The pass lets nobody in: it is none, over, of a room that is no more, or of somebody who was sent away.
        case pass
        /// Nobody's seat is kept under this token: join again.
        case resume
        /// As many are in the room as may be.
        case full
        /// Not theirs to do, or not to whomever it would be done to.
        case forbidden
        /// The meeting does without it.
        case off
        /// Too often, or too much of it: it may be done again in a while.
        case limited
        /// A host has locked the room.
        case locked
        /// What was sent is not to be used; nothing changed.
        case malformed
        /// Something newer has taken its place.
        case outdated
        /// There is no such participant, or nothing of that kind to change.
        case missing
        /// The worker of the room is away at the moment: come again.
        case away
        /// This version knows no such order, or it may not stand here.
        case order
    }

    package var id: Int
    package var reason: Reason
    /// For a person.
    package var text: String

    package init(id: Int, reason: Reason, text: String) {
        self.id = id
        self.reason = reason
        self.text = text
    }
}

package struct RoomParticipant: Codable, Sendable, Hashable {
    package var id: ParticipantID
    package var name: String
    package var role: RoomRole
    /// Their page's socket is lost, and their seat is kept.
    package var isAway: Bool
    /// In the order of their offer.
    package var tracks: [RoomTrack]
    /// In the meeting, where `role` is what that comes to.
    package var meetingRole: MeetingRole
    /// What of theirs goes on to nobody, in the order of `RoomMedia`.
    package var off: [RoomMedia]
    /// The host who has stopped some of it last; nil where they have turned it off themselves.
    package var stoppedBy: ParticipantID?
    /// Their hand is raised: the lower, the longer.
    package var hand: Int?
    /// nil for a person with a page.
    package var kind: Kind?

    package enum Kind: String, Codable, Sendable, Hashable, CaseIterable {
        /// A live broadcast, named after its sender: it is seen and heard, and does nothing else.
        case field
        /// A program that sends by WHIP, by a pass with its name.
        case encoder
    }

    package init(
        id: ParticipantID, name: String, role: RoomRole, isAway: Bool, tracks: [RoomTrack], meetingRole: MeetingRole, off: [RoomMedia] = [],
        stoppedBy: ParticipantID? = nil, hand: Int? = nil, kind: Kind? = nil
    ) {
        self.id = id
        self.name = name
        self.role = role
        self.isAway = isAway
        self.tracks = tracks
        self.meetingRole = meetingRole
        self.off = off
        self.stoppedBy = stoppedBy
        self.hand = hand
        self.kind = kind
    }
}

/// What somebody sends.
package struct RoomTrack: Codable, Sendable, Hashable {
    /// Of the publisher's PeerConnection: a name among their tracks.
    package var mid: String
    package var kind: TrackKind
    package var source: TrackSource

    package init(mid: String, kind: TrackKind, source: TrackSource) {
        self.mid = mid
        self.kind = kind
        self.source = source
    }
}

package struct RoomSnapshot: Codable, Sendable, Hashable {
    /// Of the last change that is in it.
    package var seq: Int
    /// In the order in which they came; of those whom whoever asks may see.
    package var participants: [RoomParticipant]
    package var conditions: RoomConditions
    /// The newest messages that are theirs to read, the oldest first, behind those that are pinned.
    package var chat: [RoomChatMessage]

    package init(
        seq: Int, participants: [RoomParticipant], conditions: RoomConditions = RoomConditions(), chat: [RoomChatMessage] = []
    ) {
        self.seq = seq
        self.participants = participants
        self.conditions = conditions
        self.chat = chat
    }
}

package struct RoomParticipantChange: Codable, Sendable, Hashable {
    package var seq: Int
    package var participant: RoomParticipant

    package init(seq: Int, participant: RoomParticipant) {
        self.seq = seq
        self.participant = participant
    }
}

package struct RoomLeaving: Codable, Sendable, Hashable {
    package enum Reason: String, Codable, Sendable, Hashable, CaseIterable {
        case left
        /// Their socket was lost, and they did not come back.
        case lost
        case removed
        /// They are there, and not shown to whoever is told.
        case unseen
    }

    package var seq: Int
    package var participant: ParticipantID
    package var reason: Reason

    package init(seq: Int, participant: ParticipantID, reason: Reason) {
        self.seq = seq
        self.participant = participant
        self.reason = reason
    }
}

package struct RoomOffer: Codable, Sendable, Hashable {
    /// To be named by the answer. The offer with the highest is the one that waits; it may come twice.
    package var number: Int
    /// The first of a new PeerConnection.
    package var isFirst: Bool
    /// SDP.
    package var offer: String
    package var tracks: [SubscribedTrack]

    package init(number: Int, isFirst: Bool, offer: String, tracks: [SubscribedTrack]) {
        self.number = number
        self.isFirst = isFirst
        self.offer = offer
        self.tracks = tracks
    }
}

package struct RoomEnding: Codable, Sendable, Hashable {
    package enum Side: String, Codable, Sendable, Hashable, CaseIterable { case publish, subscribe }

    package var side: Side
    package var reason: String

    package init(side: Side, reason: String) {
        self.side = side
        self.reason = reason
    }
}

package struct RoomOver: Codable, Sendable, Hashable {
    package enum Reason: String, Codable, Sendable, Hashable, CaseIterable {
        case left
        /// A host has sent them away.
        case removed
        /// They came in again by another socket.
        case replaced
        /// The room is no more.
        case closed
        /// The session of their account has ended.
        case signedOut = "signed-out"
    }

    package var reason: Reason
    package init(reason: Reason) { self.reason = reason }
}

extension RoomOrder {
    package enum Kind: String, CaseIterable, Sendable {
        case join, resume, publish, renegotiate, unpublish, subscribe, answer, remove, stop, turn, rename, promote, spotlight, lock, end
        case hand, allow, react, cast, say, unsay, pin, history, search
        case muteChat = "mute-chat"
        case switchChat = "switch-chat"
        case leave
    }

    package var name: MessageName<Kind> {
        switch self {
        case .join: .known(.join)
        case .resume: .known(.resume)
        case .publish: .known(.publish)
        case .renegotiate: .known(.renegotiate)
        case .unpublish: .known(.unpublish)
        case .subscribe: .known(.subscribe)
        case .answer: .known(.answer)
        case .remove: .known(.remove)
        case .stop: .known(.stop)
        case .turn: .known(.turn)
        case .rename: .known(.rename)
        case .promote: .known(.promote)
        case .spotlight: .known(.spotlight)
        case .lock: .known(.lock)
        case .end: .known(.end)
        case .hand: .known(.hand)
        case .allow: .known(.allow)
        case .react: .known(.react)
        case .cast: .known(.cast)
        case .say: .known(.say)
        case .unsay: .known(.unsay)
        case .pin: .known(.pin)
        case .history: .known(.history)
        case .search: .known(.search)
        case .muteChat: .known(.muteChat)
        case .switchChat: .known(.switchChat)
        case .leave: .known(.leave)
        case .unknown(let type): .unknown(type)
        }
    }

    package func encodeBody(to container: inout KeyedEncodingContainer<MessageKeys>) throws {
        switch self {
        case .join(let body): try container.encode(body, forKey: .body)
        case .resume(let body): try container.encode(body, forKey: .body)
        case .publish(let body), .renegotiate(let body): try container.encode(body, forKey: .body)
        case .answer(let body): try container.encode(body, forKey: .body)
        case .remove(let body): try container.encode(body, forKey: .body)
        case .stop(let body): try container.encode(body, forKey: .body)
        case .turn(let body): try container.encode(body, forKey: .body)
        case .rename(let body): try container.encode(body, forKey: .body)
        case .promote(let body): try container.encode(body, forKey: .body)
        case .spotlight(let body): try container.encode(body, forKey: .body)
        case .lock(let body), .switchChat(let body): try container.encode(body, forKey: .body)
        case .hand(let body): try container.encode(body, forKey: .body)
        case .allow(let body): try container.encode(body, forKey: .body)
        case .react(let body): try container.encode(body, forKey: .body)
        case .cast(let body): try container.encode(body, forKey: .body)
        case .say(let body): try container.encode(body, forKey: .body)
        case .unsay(let body): try container.encode(body, forKey: .body)
        case .pin(let body): try container.encode(body, forKey: .body)
        case .history(let body): try container.encode(body, forKey: .body)
        case .search(let body): try container.encode(body, forKey: .body)
        case .muteChat(let body): try container.encode(body, forKey: .body)
        case .unpublish, .subscribe, .end, .leave, .unknown: break
        }
    }

    package init(kind: Kind, body: KeyedDecodingContainer<MessageKeys>) throws {
        switch kind {
        case .join: self = .join(try body.decode(RoomJoin.self, forKey: .body))
        case .resume: self = .resume(try body.decode(RoomResume.self, forKey: .body))
        case .publish: self = .publish(try body.decode(RoomPublication.self, forKey: .body))
        case .renegotiate: self = .renegotiate(try body.decode(RoomPublication.self, forKey: .body))
        case .unpublish: self = .unpublish
        case .subscribe: self = .subscribe
        case .answer: self = .answer(try body.decode(RoomAnswer.self, forKey: .body))
        case .remove: self = .remove(try body.decode(RoomRemoval.self, forKey: .body))
        case .stop: self = .stop(try body.decode(RoomStop.self, forKey: .body))
        case .turn: self = .turn(try body.decode(RoomTurn.self, forKey: .body))
        case .rename: self = .rename(try body.decode(RoomRename.self, forKey: .body))
        case .promote: self = .promote(try body.decode(RoomPromotion.self, forKey: .body))
        case .spotlight: self = .spotlight(try body.decode(RoomSpotlight.self, forKey: .body))
        case .lock: self = .lock(try body.decode(RoomSwitch.self, forKey: .body))
        case .hand: self = .hand(try body.decode(RoomHand.self, forKey: .body))
        case .allow: self = .allow(try body.decode(RoomLeave.self, forKey: .body))
        case .react: self = .react(try body.decode(RoomReacting.self, forKey: .body))
        case .cast: self = .cast(try body.decode(RoomCast.self, forKey: .body))
        case .say: self = .say(try body.decode(RoomSaying.self, forKey: .body))
        case .unsay: self = .unsay(try body.decode(RoomUnsaying.self, forKey: .body))
        case .pin: self = .pin(try body.decode(RoomPin.self, forKey: .body))
        case .history: self = .history(try body.decode(RoomHistory.self, forKey: .body))
        case .search: self = .search(try body.decode(RoomSearch.self, forKey: .body))
        case .muteChat: self = .muteChat(try body.decode(RoomChatMute.self, forKey: .body))
        case .switchChat: self = .switchChat(try body.decode(RoomSwitch.self, forKey: .body))
        case .end: self = .end
        case .leave: self = .leave
        }
    }
}

extension RoomMessage {
    package enum Kind: String, CaseIterable, Sendable {
        case done, refused, snapshot, participant, left, conditions, chat, unsaid, reaction, cast, passed, rights, offer, ended, over, alive
    }

    package var name: MessageName<Kind> {
        switch self {
        case .done: .known(.done)
        case .refused: .known(.refused)
        case .snapshot: .known(.snapshot)
        case .participant: .known(.participant)
        case .left: .known(.left)
        case .conditions: .known(.conditions)
        case .chat: .known(.chat)
        case .unsaid: .known(.unsaid)
        case .reaction: .known(.reaction)
        case .cast: .known(.cast)
        case .passed: .known(.passed)
        case .rights: .known(.rights)
        case .offer: .known(.offer)
        case .ended: .known(.ended)
        case .over: .known(.over)
        case .alive: .known(.alive)
        case .unknown(let type): .unknown(type)
        }
    }

    package func encodeBody(to container: inout KeyedEncodingContainer<MessageKeys>) throws {
        switch self {
        case .done(let body): try container.encode(body, forKey: .body)
        case .refused(let body): try container.encode(body, forKey: .body)
        case .snapshot(let body): try container.encode(body, forKey: .body)
        case .participant(let body): try container.encode(body, forKey: .body)
        case .left(let body): try container.encode(body, forKey: .body)
        case .conditions(let body): try container.encode(body, forKey: .body)
        case .chat(let body): try container.encode(body, forKey: .body)
        case .unsaid(let body): try container.encode(body, forKey: .body)
        case .reaction(let body): try container.encode(body, forKey: .body)
        case .cast(let body): try container.encode(body, forKey: .body)
        case .passed(let body): try container.encode(body, forKey: .body)
        case .rights(let body): try container.encode(body, forKey: .body)
        case .offer(let body): try container.encode(body, forKey: .body)
        case .ended(let body): try container.encode(body, forKey: .body)
        case .over(let body): try container.encode(body, forKey: .body)
        case .alive, .unknown: break
        }
    }

    package init(kind: Kind, body: KeyedDecodingContainer<MessageKeys>) throws {
        switch kind {
        case .done: self = .done(try body.decode(RoomDone.self, forKey: .body))
        case .refused: self = .refused(try body.decode(RoomRefused.self, forKey: .body))
        case .snapshot: self = .snapshot(try body.decode(RoomSnapshot.self, forKey: .body))
        case .participant: self = .participant(try body.decode(RoomParticipantChange.self, forKey: .body))
        case .left: self = .left(try body.decode(RoomLeaving.self, forKey: .body))
        case .conditions: self = .conditions(try body.decode(RoomConditionsChange.self, forKey: .body))
        case .chat: self = .chat(try body.decode(RoomChatChange.self, forKey: .body))
        case .unsaid: self = .unsaid(try body.decode(RoomUnsaid.self, forKey: .body))
        case .reaction: self = .reaction(try body.decode(RoomReacted.self, forKey: .body))
        case .cast: self = .cast(try body.decode(RoomCasted.self, forKey: .body))
        case .passed: self = .passed(try body.decode(RoomPassed.self, forKey: .body))
        case .rights: self = .rights(try body.decode(RoomRights.self, forKey: .body))
        case .offer: self = .offer(try body.decode(RoomOffer.self, forKey: .body))
        case .ended: self = .ended(try body.decode(RoomEnding.self, forKey: .body))
        case .over: self = .over(try body.decode(RoomOver.self, forKey: .body))
        case .alive: self = .alive
        }
    }
}
