import Foundation
import Testing
import Units
import Wire

/// What a page in a room and control say to each other, as it lies on the wire.
@Suite struct RoomMessageTests {
    private static let somebody = ParticipantID(ULID("01ARZ3NDEKTSV4RRFFQ69G5FAV")!)
    private static let room = RoomID(ULID("01ARZ3NDEKTSV4RRFFQ69G5FAW")!)
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
            case .remove: .remove(ParticipantReference(participant: Self.somebody))
            case .leave: .leave
            }
        let read = try again(RoomRequest(id: 7, order: order))
        #expect(read.id == 7 && read.order.type == kind.rawValue && "\(read.order)" == "\(order)")
    }

    @Test("each message arrives as it was given, and one that nobody knows is kept by its name", arguments: RoomMessage.Kind.allCases)
    func messages(_ kind: RoomMessage.Kind) throws {
        let participant = RoomParticipant(
            id: Self.somebody, name: "Anna", role: .host, isAway: false, tracks: [RoomTrack(mid: "0", kind: .video, source: .camera)])
        let entry = RoomEntry(
            room: Self.room, participant: Self.somebody, role: .host, resume: Secret("x"), graceSeconds: 60, publishes: true,
            subscribes: false)
        let message: RoomMessage =
            switch kind {
            case .done: .done(RoomDone(id: 7, entry: entry, answer: nil))
            case .refused: .refused(RoomRefused(id: 7, reason: .outdated, text: "another one waits"))
            case .snapshot: .snapshot(RoomSnapshot(seq: 12, participants: [participant]))
            case .participant: .participant(RoomParticipantChange(seq: 13, participant: participant))
            case .left: .left(RoomLeaving(seq: 14, participant: Self.somebody, reason: .lost))
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

    @Test("a token is shown to nobody who prints a message")
    func secrets() {
        #expect(!"\(RoomOrder.join(RoomJoin(token: Secret("a.b.c"))))".contains("a.b.c"))
    }
}
