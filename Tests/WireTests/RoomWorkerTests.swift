import Foundation
import Testing
import Units
import Wire

/// What control and its room workers say to each other.
@Suite struct RoomWorkerTests {
    private static let peer = PeerID(ULID("01ARZ3NDEKTSV4RRFFQ69G5FAV")!)
    private static let room = RoomID(ULID("01ARZ3NDEKTSV4RRFFQ69G5FAW")!)

    private static let owner = ParticipantID(ULID("01ARZ3NDEKTSV4RRFFQ69G5FAX")!)

    private func again<Value: Codable>(_ value: Value) throws -> Value {
        try JSONDecoder().decode(Value.self, from: JSONEncoder().encode(value))
    }

    @Test("each order arrives as it was given", arguments: WorkerOrder.Kind.allCases)
    func orders(_ kind: WorkerOrder.Kind) throws {
        let order: WorkerOrder =
            switch kind {
            case .describe: .describe
            case .publish: .publish(PeerOffer(peer: Self.peer, room: Self.room, owner: Self.owner, offer: "v=0\r\n"))
            case .play: .play(PeerOffer(peer: Self.peer, room: Self.room, offer: "v=0\r\n"))
            case .subscribe: .subscribe(PeerSubscription(peer: Self.peer, room: Self.room, owner: Self.owner))
            case .answer: .answer(PeerReply(peer: Self.peer, number: 3, answer: "v=0\r\n"))
            case .trickle: .trickle(PeerFragment(peer: Self.peer, fragment: "a=ice-ufrag:x\r\n", tag: "x"))
            case .hold: .hold(PeerHold(peer: Self.peer, kinds: [.audio], spared: ["1"]))
            case .close: .close(PeerReference(peer: Self.peer))
            case .record: .record(RoomTakeOrder(room: Self.room, recording: RecordingID(Self.peer.ulid)))
            case .endTake: .endTake(RoomReference(room: Self.room))
            case .stop: .stop
            }
        let read = try again(order)
        #expect(read.type == kind.rawValue && "\(read)" == "\(order)")
    }

    @Test("each message arrives as it was given, and one that nobody knows is kept by its name", arguments: WorkerMessage.Kind.allCases)
    func messages(_ kind: WorkerMessage.Kind) throws {
        let command = CommandID(Self.peer.ulid)
        let message: WorkerMessage =
            switch kind {
            case .described:
                .described(
                    WorkerDescription(
                        port: 8189, rooms: [Self.room], peers: [Self.peer],
                        takes: [RoomTakeOrder(room: Self.room, recording: RecordingID(Self.peer.ulid))]))
            case .answered:
                .answered(
                    PeerAnswer(
                        command: command, peer: Self.peer, answer: "v=0\r\n", tag: "x", tracks: [PublishedTrack(mid: "0", kind: .audio)]))
            case .offered:
                .offered(
                    PeerOffered(
                        peer: Self.peer, number: 3, offer: "v=0\r\n",
                        tracks: [SubscribedTrack(mid: "1", participant: Self.owner, track: "0")]))
            case .outcome: .outcome(CommandOutcome(id: command, result: .refused, reason: "full"))
            case .report:
                .report(
                    WorkerReport(
                        packetsIn: 1, packetsOut: 2, packetsLost: 4, refused: 3,
                        takes: [
                            RoomTakeReport(
                                room: Self.room, recording: RecordingID(Self.peer.ulid), state: .failing, reason: "no room", bytesTotal: 5,
                                lostTotal: 6)
                        ]))
            case .left: .left(PeerEnd(peer: Self.peer, reason: "it has left"))
            case .ended: .ended(EndReport(reason: "stopped"))
            }
        let read = try again(message)
        #expect(read.type == kind.rawValue && "\(read)" == "\(message)")
        let newer = try JSONDecoder().decode(WorkerMessage.self, from: Data(#"{"type":"newer","body":{}}"#.utf8))
        #expect(newer.type == "newer")
    }
}
