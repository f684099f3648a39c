import FoundationEssentials
import Testing
import Units
import Wire

@testable import Broadcasts

/// A broadcast that is a participant of a room: an output as any other, and key frames for whoever is there.
@Suite("A broadcast in a room")
struct BroadcastInRoomTests {
    private static func id<Kind>(_ letter: String) -> ID<Kind> { ID("0000000000000000000000000" + letter)! }

    private static let host: DeviceID = id("H")
    private let platform = PlannedOutput(id: Self.id("1"), destination: Self.id("D"), name: "platform")
    private let studio = PlannedOutput(id: Self.id("2"), room: Self.id("R"), name: "Studio")

    private func report(wanted: Int?, ingest: IngestReport.State = .flowing) -> StreamReport {
        StreamReport(
            lease: Self.id("K"), broadcast: Self.id("B"), port: 5000, pid: 1, uptimeSeconds: 1,
            ingest: IngestReport(
                state: ingest, bitrate: .kilobits(2500), keyFramesTotal: 1, lostPacketsTotal: 0, recoveredPacketsTotal: 0,
                guardDroppedTotal: 0, video: .h264, width: 1280, height: 720, paths: []),
            outputs: [platform, studio].map {
                OutputReport(
                    id: $0.id, state: .connected, reason: nil, sentBytesTotal: 0, droppedUnitsTotal: 0, reconnectsTotal: 0,
                    keyFramesWantedTotal: $0.room == nil ? nil : wanted)
            }, restarts: 0)
    }

    private func running() -> BroadcastMachine {
        var broadcast = BroadcastMachine(
            id: Self.id("B"), organization: Self.id("A"), sender: Self.id("S"), lease: Self.id("K"),
            media: MediaChoice(
                input: InputChoice(video: "test"), encoder: EncoderChoice(bitrate: .kilobits(2500)), bufferMs: 1000, links: nil),
            outputs: [platform, studio], grace: .seconds(60))
        for event: BroadcastMachine.Event in [
            .resumed, .senderConnected(nil), .hostChosen(Self.host), .leased(port: 5000), .senderStarted(revision: 1),
            .report(report(wanted: nil)),
        ] {
            _ = broadcast.event(event, nowMs: 0)
        }
        return broadcast
    }

    @Test("asks the sender for a key frame when somebody there cannot go on, once a second at most")
    func keyFrames() {
        var broadcast = running()
        func asks(_ wanted: Int?, at nowMs: Int64, _ ingest: IngestReport.State = .flowing) -> Bool {
            broadcast.event(.report(report(wanted: wanted, ingest: ingest)), nowMs: nowMs).contains(.requestKeyFrame)
        }
        #expect(!asks(nil, at: 1000))
        #expect(asks(1, at: 2000))
        #expect(!asks(1, at: 4000), "nobody has asked since")
        #expect(asks(2, at: 5000))
        #expect(!asks(3, at: 5500), "too soon")
        #expect(asks(4, at: 6000))
        #expect(asks(5, at: 1000), "the clock was set back")
        #expect(!asks(1, at: 9000), "a process that was started again counts anew")
        #expect(!asks(2, at: 12_000, .interrupted), "there is no picture to make one of")
        _ = broadcast.event(.senderDisconnected, nowMs: 13_000)
        #expect(!asks(9, at: 14_000), "nobody hears it")
    }

    @Test("goes into each room once, and out of it as out of any other")
    func once() {
        var broadcast = running()
        let again = PlannedOutput(id: Self.id("3"), room: Self.id("R"), name: "Studio")
        #expect(broadcast.event(.outputAdded(again), nowMs: 0).isEmpty)
        let other = PlannedOutput(id: Self.id("4"), room: Self.id("Q"), name: "Other")
        #expect(broadcast.event(.outputAdded(other), nowMs: 0) == [.addOutput(other.id)])
        #expect(broadcast.event(.outputRemoved(studio.id), nowMs: 0) == [.removeOutput(studio.id)])
        #expect(broadcast.outputs == [platform, other])
        let shown = BroadcastView.of(broadcast, createdAtMs: 0, endedAtMs: nil).outputs
        #expect(shown.map(\.room) == [nil, Self.id("Q")])
    }

    @Test("is stored with its rooms, and one of before has none")
    func stored() throws {
        let text = try JSONEncoder().encode([platform, studio])
        #expect(try JSONDecoder().decode([PlannedOutput].self, from: text) == [platform, studio])
        let old = #"[{"id":"00000000000000000000000001","destination":"0000000000000000000000000D","name":"platform"}]"#
        #expect(try JSONDecoder().decode([PlannedOutput].self, from: Data(old.utf8)) == [platform])
    }
}
