import Foundation
import Testing
import Units
import Wire

/// What a page in a room and control say to each other, as it lies on the wire.
@Suite struct RoomMessageTests {
    private static let somebody = ParticipantID(ULID("01ARZ3NDEKTSV4RRFFQ69G5FAV")!)
    private static let room = RoomID(ULID("01ARZ3NDEKTSV4RRFFQ69G5FAW")!)
    private static let message = ChatMessageID(ULID("01ARZ3NDEKTSV4RRFFQ69G5FAX")!)
    private static let said = RoomChatMessage(
        id: message, from: somebody, name: "Anna", to: somebody, toName: "Ben", text: "tea?", atMs: 1_800_000_000_000, isPinned: false)
    private static let publication = RoomPublication(offer: "v=0\r\n", tracks: [RoomTrackSource(mid: "1", source: .screenSound)])

    private func again<Value: Codable>(_ value: Value) throws -> Value {
        try JSONDecoder().decode(Value.self, from: JSONEncoder().encode(value))
    }

    @Test("each order arrives as it was given", arguments: RoomOrder.Kind.allCases)
    func orders(_ kind: RoomOrder.Kind) throws {
        let order: RoomOrder =
            switch kind {
            case .join: .join(RoomJoin(token: Secret("a.b.c")))
            case .resume: .resume(RoomResume(token: Secret("x"), seq: 12))
            case .publish: .publish(Self.publication)
            case .renegotiate: .renegotiate(Self.publication)
            case .unpublish: .unpublish
            case .subscribe: .subscribe
            case .answer: .answer(RoomAnswer(number: 3, answer: "v=0\r\n"))
            case .remove: .remove(RoomRemoval(participant: Self.somebody, mayReturn: true))
            case .stop: .stop(RoomStop(participant: Self.somebody, media: .audio))
            case .turn: .turn(RoomTurn(media: .screen, isOn: false))
            case .rename: .rename(RoomRename(participant: nil, name: "Anna"))
            case .promote: .promote(RoomPromotion(participant: Self.somebody, role: .coHost))
            case .spotlight: .spotlight(RoomSpotlight(participants: [Self.somebody]))
            case .lock: .lock(RoomSwitch(isOn: true))
            case .end: .end
            case .hand: .hand(RoomHand(participant: nil, isUp: true))
            case .allow: .allow(RoomLeave(participant: Self.somebody, media: [.audio, .video]))
            case .react: .react(RoomReacting(reaction: .thumbsUp))
            case .cast: .cast(RoomCast(type: "board.stroke", payload: "{}"))
            case .say: .say(RoomSaying(text: "two\nlines", to: Self.somebody))
            case .unsay: .unsay(RoomUnsaying(message: Self.message))
            case .pin: .pin(RoomPin(message: Self.message, isPinned: true))
            case .history: .history(RoomHistory(before: Self.message))
            case .search: .search(RoomSearch(text: "tea"))
            case .muteChat: .muteChat(RoomChatMute(participant: Self.somebody, isMuted: true))
            case .switchChat: .switchChat(RoomSwitch(isOn: false))
            case .leave: .leave
            }
        let read = try again(RoomRequest(id: 7, order: order))
        #expect(read.id == 7 && read.order.type == kind.rawValue && "\(read.order)" == "\(order)")
    }

    @Test("each message arrives as it was given, and one that nobody knows is kept by its name", arguments: RoomMessage.Kind.allCases)
    func messages(_ kind: RoomMessage.Kind) throws {
        let participant = RoomParticipant(
            id: Self.somebody, name: "Anna", role: .host, isAway: false, tracks: [RoomTrack(mid: "0", kind: .video, source: .camera)],
            meetingRole: .coHost, off: [.audio], stoppedBy: Self.somebody, hand: 12, kind: .field)
        let entry = RoomEntry(
            room: Self.room, participant: Self.somebody, role: .host, resume: Secret("x"), graceSeconds: 60, publishes: true,
            subscribes: false, iceServers: [ICEServer(url: "turn:a", username: "1:b", credential: SecretOnWire(Secret("y")))])
        let message: RoomMessage =
            switch kind {
            case .done: .done(RoomDone(id: 7, entry: entry, answer: nil, messages: [Self.said]))
            case .refused: .refused(RoomRefused(id: 7, reason: .outdated, text: "another one waits"))
            case .snapshot:
                .snapshot(
                    RoomSnapshot(
                        seq: 12, participants: [participant], conditions: RoomConditions(isLocked: true, spotlight: [Self.somebody]),
                        chat: [Self.said]))
            case .participant: .participant(RoomParticipantChange(seq: 13, participant: participant))
            case .left: .left(RoomLeaving(seq: 14, participant: Self.somebody, reason: .lost))
            case .conditions: .conditions(RoomConditionsChange(seq: 15, conditions: RoomConditions(hasChat: false, endsAtMs: 1)))
            case .chat: .chat(RoomChatChange(seq: 16, message: Self.said))
            case .unsaid: .unsaid(RoomUnsaid(seq: 17, message: Self.message))
            case .reaction: .reaction(RoomReacted(seq: 18, participant: nil, reaction: .heart))
            case .cast: .cast(RoomCasted(seq: 19, participant: Self.somebody, type: "board.stroke", payload: "{}"))
            case .passed: .passed(RoomPassed(seq: 20))
            case .rights:
                .rights(
                    RoomRights(
                        role: .viewer, preset: .webinarViewer, audio: .denied, video: .onRequest, screenShare: .allowed, allowed: [.vote],
                        isChatMuted: true))
            case .offer:
                .offer(
                    RoomOffer(
                        number: 3, isFirst: true, offer: "v=0\r\n",
                        tracks: [SubscribedTrack(mid: "0", participant: Self.somebody, track: "1")]))
            case .ended: .ended(RoomEnding(side: .subscribe, reason: "the worker has ended"))
            case .over: .over(RoomOver(reason: .replaced))
            case .alive: .alive
            }
        let read = try again(message)
        #expect(read.type == kind.rawValue && "\(read)" == "\(message)")
        let newer = try JSONDecoder().decode(RoomMessage.self, from: Data(#"{"type":"newer","body":{}}"#.utf8))
        #expect(newer.type == "newer")
    }

    @Test("so does each of a page's that tries the network", arguments: NetworkTestMessage.Kind.allCases)
    func networkTest(_ kind: NetworkTestMessage.Kind) throws {
        let message: NetworkTestMessage =
            switch kind {
            case .ways: .ways(NetworkTestWays(hasRooms: true, iceServers: [ICEServer(url: "stun:a")], seconds: 30))
            case .answer: .answer(NetworkTestAnswer(answer: "v=0\r\n"))
            case .refused: .refused(NetworkTestRefused(text: "no rooms"))
            }
        let read = try again(message)
        #expect(read.type == kind.rawValue && "\(read)" == "\(message)")
    }

    @Test("a token is shown to nobody who prints a message")
    func secrets() {
        #expect(!"\(RoomOrder.join(RoomJoin(token: Secret("a.b.c"))))".contains("a.b.c"))
    }
}
