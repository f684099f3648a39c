import Foundation
import Testing
import Units
import Wire

@testable import Broadcasts

/// Control is killed in the middle of a start and comes back with what it had stored.
@Suite("A broadcast that was starting when control was killed")
struct ResumeTests {
    private static func id<Kind>(_ letter: String) -> ID<Kind> { ID("0000000000000000000000000" + letter)! }

    private let host: DeviceID = Self.id("H")
    private let output = PlannedOutput(id: Self.id("1"), destination: Self.id("D"), name: "platform")

    /// The way up, event by event; each but the first is what the step before it waits for.
    private var climb: [BroadcastMachine.Event] {
        [
            .resumed, .hostChosen(host), .leased(port: 5000), .senderStarted(revision: 1), .report(report(.retrying)),
            .report(report(.connected)),
        ]
    }

    private func report(_ state: OutputReport.State, keyFrames: Int = 1) -> StreamReport {
        StreamReport(
            lease: Self.id("K"), broadcast: Self.id("B"), port: 5000, pid: 1, uptimeSeconds: 1,
            ingest: IngestReport(
                state: .flowing, bitrate: .kilobits(2500), keyFramesTotal: keyFrames, lostPacketsTotal: 0, recoveredPacketsTotal: 0,
                guardDroppedTotal: 0, video: .h264, width: 1280, height: 720, paths: []),
            outputs: [
                OutputReport(
                    id: output.id, state: state, reason: state == .connected ? nil : "connection refused (111)", sentBytesTotal: 0,
                    droppedUnitsTotal: 0, reconnectsTotal: 0)
            ], restarts: 0)
    }

    /// As it is read from the database after `events` and a kill, and resumed.
    private func restarted(after events: Int) throws -> (broadcast: BroadcastMachine, actions: [BroadcastMachine.Action]) {
        var broadcast = BroadcastMachine(
            id: Self.id("B"), organization: Self.id("A"), sender: Self.id("S"), lease: Self.id("K"),
            media: MediaChoice(
                input: InputChoice(video: "test"), encoder: EncoderChoice(bitrate: .kilobits(2500)), bufferMs: 1000, links: nil),
            outputs: [output], grace: .seconds(60))
        for event in climb.prefix(events) { _ = broadcast.event(event, nowMs: 0) }
        var read = try JSONDecoder().decode(BroadcastMachine.self, from: JSONEncoder().encode(broadcast))
        let actions = read.event(.resumed, nowMs: 1000)
        return (read, actions)
    }

    private func report(of broadcast: BroadcastMachine) -> LeaseReport {
        LeaseReport(lease: broadcast.lease, broadcast: broadcast.id, port: 5000, pid: 7, outputs: [output.id])
    }

    @Test("takes what is wanted as the next change where the sender has one that was not stored, and believes no absurd number")
    func unstored() throws {
        for (told, expected) in [(4, 5), (1, 1), (Int.max, 1)] {
            var broadcast = try restarted(after: 6).broadcast
            let sending = SendingReport(broadcast: Self.id("B"), revision: told, state: .sending)
            let actions = broadcast.event(.senderConnected(sending), nowMs: 2000)
            #expect(broadcast.revision == expected)
            #expect(actions.contains(.order(.start)) == (told != 1))
        }
    }

    private static let waits: [(events: Int, step: Step, limitMs: Int64)] = [
        (1, .lease, 12_000), (2, .lease, 12_000), (3, .sender, 15_000), (4, .media, 20_000), (5, .outputs, 20_000),
    ]

    @Test("is at the step where it was, with that step's whole time", arguments: Self.waits)
    func step(_ events: Int, _ step: Step, _ limitMs: Int64) throws {
        let (broadcast, actions) = try restarted(after: events)
        #expect(broadcast.state == .starting(step))
        #expect(actions == [.set(.step, afterMs: limitMs)] + (events == 1 ? [.chooseHost] : []))
    }

    @Test("asks each side again for what is uncertain, and goes on to live", arguments: 1...5)
    func goesOn(_ events: Int) throws {
        var (broadcast, _) = try restarted(after: events)
        if events == 1 { _ = broadcast.event(.hostChosen(host), nowMs: 1001) }
        // The host lost its answer's way, or the lease itself: it is ordered again by the same id.
        let hostBack = broadcast.event(.hostConnected(host, events < 3 ? nil : report(of: broadcast)), nowMs: 1002)
        #expect(hostBack.contains(.order(.lease)) == (events < 3))
        if events < 3 { #expect(broadcast.event(.leased(port: 5000), nowMs: 1003).contains(.order(.start))) }
        #expect(broadcast.event(.senderConnected(nil), nowMs: 1004) == [.order(.start)])
        _ = broadcast.event(.senderStarted(revision: broadcast.revision), nowMs: 1005)
        for event in climb.suffix(2) { _ = broadcast.event(event, nowMs: 1006) }
        #expect(broadcast.state == .live)
    }

    @Test("takes a sender that sends already, and a host that has the lease already, as they are")
    func adopts() throws {
        var (broadcast, _) = try restarted(after: 3)
        let sending = SendingReport(broadcast: broadcast.id, revision: 1, state: .sending)
        #expect(broadcast.event(.hostConnected(host, report(of: broadcast)), nowMs: 1001).isEmpty)
        #expect(broadcast.event(.senderConnected(sending), nowMs: 1002) == [.set(.step, afterMs: 20_000)])
        #expect(broadcast.state == .starting(.media))
        _ = broadcast.event(.report(report(.connected)), nowMs: 1003)
        #expect(broadcast.state == .live)
    }

    @Test("ends at that step where nobody comes back, and undoes what was begun", arguments: Self.waits)
    func givesUp(_ events: Int, _ step: Step, _ limitMs: Int64) throws {
        var (broadcast, _) = try restarted(after: events)
        let actions = broadcast.event(.timer(.step), nowMs: 1000 + limitMs)
        if step == .lease, events > 1 {
            #expect(broadcast.state == .starting(.lease) && actions.contains(.leave(host)) && actions.contains(.chooseHost))
            _ = broadcast.event(.noHost(reason: "no pool host is connected"), nowMs: 60_000)
        } else if events > 1 {
            #expect(broadcast.state == .stopping && actions.contains(.order(.release)))
            #expect(actions.contains(.order(.stop)))
            // Neither side is there to answer: it ends all the same.
            _ = broadcast.event(.timer(.undo), nowMs: 60_000)
        }
        guard case .ended(.failed(let named, _, _)) = broadcast.state else {
            Issue.record("\(broadcast.state)")
            return
        }
        #expect(named == step)
    }

    @Test("ends where no host is there to be chosen: nothing was begun")
    func noHost() throws {
        var (broadcast, _) = try restarted(after: 1)
        let actions = broadcast.event(.noHost(reason: "no pool host is connected"), nowMs: 1001)
        #expect(!actions.contains { if case .order = $0 { true } else { false } })
        #expect(broadcast.state == .ended(.failed(step: .lease, detail: nil, reason: "no pool host is connected")))
    }
}
