import Foundation
import Testing
import Units
import Wire

@testable import Broadcasts

/// Outputs that are given to a receiver, again and again where it must be.
@Suite("An output")
struct HandoverTests {
    private static func id<Kind>(_ letter: String) -> ID<Kind> { ID("0000000000000000000000000" + letter)! }

    private let host: DeviceID = Self.id("H")
    private let steady = PlannedOutput(id: Self.id("1"), destination: Self.id("D"), name: "steady")
    private let moving = PlannedOutput(id: Self.id("2"), destination: Self.id("E"), name: "moving")

    private func report(_ state: OutputReport.State?, reason: String? = nil) -> StreamReport {
        func one(_ id: OutputID, _ state: OutputReport.State, _ reason: String?) -> OutputReport {
            OutputReport(id: id, state: state, reason: reason, sentBytesTotal: 0, droppedUnitsTotal: 0, reconnectsTotal: 0)
        }
        return StreamReport(
            lease: Self.id("K"), broadcast: Self.id("B"), port: 5000, pid: 1, uptimeSeconds: 1,
            ingest: IngestReport(
                state: .flowing, bitrate: .kilobits(2500), keyFramesTotal: 1, lostPacketsTotal: 0, recoveredPacketsTotal: 0,
                guardDroppedTotal: 0, video: .h264, width: 1280, height: 720, paths: []),
            outputs: [one(steady.id, .connected, nil)] + (state.map { [one(moving.id, $0, reason)] } ?? []), restarts: 0)
    }

    /// Live, with both outputs connected.
    private func running() -> BroadcastMachine {
        var broadcast = BroadcastMachine(
            id: Self.id("B"), organization: Self.id("A"), sender: Self.id("S"), lease: Self.id("K"),
            media: MediaChoice(
                input: InputChoice(video: "test"), encoder: EncoderChoice(bitrate: .kilobits(2500)), bufferMs: 1000, links: nil),
            outputs: [steady, moving], grace: .seconds(60))
        for event: BroadcastMachine.Event in [
            .resumed, .senderConnected(nil), .hostChosen(host), .leased(port: 5000), .senderStarted(revision: 1),
            .report(report(.connected)),
        ] {
            _ = broadcast.event(event, nowMs: 0)
        }
        return broadcast
    }

    private let due = BroadcastMachine.Event.timer(.output(Self.id("2")))

    private func wait(_ actions: [BroadcastMachine.Action]) -> Int64? {
        guard actions.work.count == 1, case .set(.output(moving.id), let afterMs)? = actions.work.first else { return nil }
        return afterMs
    }

    @Test(
        "that does not connect is given again with its name resolved anew, after 5 s, later each time, and never more often than each 2.5 s"
    )
    func resolvedAgain() throws {
        var broadcast = running()
        for wholeMs: Int64 in [5000, 10_000, 20_000, 30_000, 30_000] {
            let afterMs = try #require(wait(broadcast.event(.report(report(.retrying)), nowMs: 0)))
            #expect((wholeMs / 2...wholeMs).contains(afterMs))
            // The reports of each second meanwhile change nothing.
            #expect(broadcast.event(.report(report(.retrying)), nowMs: 0).work.isEmpty)
            #expect(broadcast.event(due, nowMs: 0) == [.addOutput(moving.id)])
            #expect(broadcast.event(.report(report(.retrying)), nowMs: 0).work.isEmpty, "one at a time")
            #expect(broadcast.event(.outputGiven(moving.id), nowMs: 0).isEmpty)
        }
        // A platform that takes every connection and drops it does not make it faster.
        for _ in 0..<3 {
            _ = broadcast.event(.report(report(.connected)), nowMs: 0)
            let actions = broadcast.event(.report(report(.retrying)), nowMs: 0)
            if let afterMs = wait(actions) { #expect(afterMs >= 2500) }
            #expect(actions.allSatisfy { $0 != .addOutput(moving.id) })
        }
    }

    @Test("that connects meanwhile is left alone")
    func connectsMeanwhile() {
        var broadcast = running()
        _ = broadcast.event(.report(report(.failed)), nowMs: 0)
        _ = broadcast.event(.report(report(.connected)), nowMs: 0)
        #expect(broadcast.event(due, nowMs: 0).isEmpty)
        #expect(broadcast.state == .live)
    }

    @Test("that a receiver never got, for whatever reason, is given to it")
    func missing() {
        var broadcast = running()
        #expect(wait(broadcast.event(.report(report(nil)), nowMs: 0)) != nil)
        #expect(broadcast.event(due, nowMs: 0) == [.addOutput(moving.id)])
    }

    @Test("whose name leads nowhere now says so, beside what the receiver says of where it was, until it is connected again")
    func refusedLater() {
        var broadcast = running()
        _ = broadcast.event(.report(report(.retrying, reason: "Connection refused")), nowMs: 0)
        _ = broadcast.event(due, nowMs: 0)
        let actions = broadcast.event(.outputFailed(moving.id, reason: "m.example leads to 10.1.2.3, which is private"), nowMs: 0)
        #expect(wait(actions) != nil && !actions.contains(.removeOutput(moving.id)))
        _ = broadcast.event(.report(report(.retrying, reason: "Connection refused")), nowMs: 0)
        let words = "m.example leads to 10.1.2.3, which is private; where it was before: Connection refused"
        #expect(broadcast.state == .degraded(reason: "output 'moving' retrying: \(words)"))
        _ = broadcast.event(.report(report(.connected)), nowMs: 0)
        #expect(broadcast.state == .live)
        _ = broadcast.event(.report(report(.retrying, reason: "Connection refused")), nowMs: 0)
        #expect(broadcast.state == .degraded(reason: "output 'moving' retrying: Connection refused"))
    }

    @Test("is tried at once where a person asks, and once a second where they ask a hundred times", arguments: [0, -3_600_000] as [Int64])
    func askedOften(clockJump: Int64) {
        var broadcast = running()
        _ = broadcast.event(.report(report(.retrying)), nowMs: 0)
        #expect(broadcast.event(.outputRetried(moving.id), nowMs: 10_000) == [.retryOutput(moving.id)])
        var attempts = 0
        for _ in 0..<100 { #expect(broadcast.event(.outputRetried(moving.id), nowMs: 10_001 + clockJump).isEmpty) }
        var actions = broadcast.event(.outputGiven(moving.id), nowMs: 10_050 + clockJump)
        for _ in 0..<100 { actions += broadcast.event(.outputRetried(moving.id), nowMs: 10_100 + clockJump) }
        for action in actions {
            if case .set(.output(moving.id), let afterMs) = action { #expect((800...1000).contains(afterMs)) } else { attempts += 1 }
        }
        #expect(attempts == 0)
        #expect(broadcast.event(due, nowMs: 11_100 + clockJump).filter { $0 == .retryOutput(moving.id) }.count == (clockJump == 0 ? 1 : 0))
    }

    @Test("follows its destination with its next attempt; only a person's wish ends a connection for it")
    func destinationChanged() {
        var broadcast = running()
        func change(_ name: String, isElsewhere: Bool) -> [BroadcastMachine.Action] {
            broadcast.event(.destinationChanged(moving.destination, name: name, isElsewhere: isElsewhere), nowMs: 5000)
        }
        #expect(change("another name", isElsewhere: false).isEmpty)
        #expect(broadcast.event(.outputRetried(moving.id), nowMs: 6000) == [.retryOutput(moving.id)], "nothing to move for")
        _ = broadcast.event(.outputGiven(moving.id), nowMs: 6001)
        // The receiver is told, and goes on as it is.
        #expect(change("another name", isElsewhere: true) == [.addOutput(moving.id)])
        _ = broadcast.event(.outputGiven(moving.id), nowMs: 6002)
        #expect(broadcast.state == .live)
        #expect(broadcast.event(.outputRetried(moving.id), nowMs: 8000) == [.replaceOutput(moving.id)])
        _ = broadcast.event(.outputGiven(moving.id), nowMs: 8001)
        _ = broadcast.event(.report(report(.connecting)), nowMs: 8002)
        _ = broadcast.event(.report(report(.connected)), nowMs: 8003)
        #expect(broadcast.event(.outputRetried(moving.id), nowMs: 10_000) == [.retryOutput(moving.id)], "it is there by now")
        _ = broadcast.event(.report(report(.retrying)), nowMs: 10_001)
        #expect(broadcast.state == .degraded(reason: "output 'another name' retrying"))
    }

    @Test("a person's wish ends the connection for a destination that changed before control was restarted too")
    func changedBeforeARestart() throws {
        var broadcast = running()
        _ = broadcast.event(.destinationChanged(moving.destination, name: "moving", isElsewhere: true), nowMs: 5000)
        _ = broadcast.event(.outputGiven(moving.id), nowMs: 5001)
        var again = try JSONDecoder().decode(BroadcastMachine.self, from: JSONEncoder().encode(broadcast))
        _ = again.event(.resumed, nowMs: 6000)
        _ = again.event(.report(report(.connected)), nowMs: 6001)
        #expect(again.event(.outputRetried(moving.id), nowMs: 8000) == [.replaceOutput(moving.id)])
        _ = again.event(.outputGiven(moving.id), nowMs: 8001)
        _ = again.event(.report(report(.connecting)), nowMs: 8002)
        _ = again.event(.report(report(.connected)), nowMs: 8003)
        #expect(again.event(.outputRetried(moving.id), nowMs: 10_000) == [.retryOutput(moving.id)], "it is there by now")
    }

    @Test("whose destination changes while it is on its way is given again afterwards")
    func changedOnTheWay() {
        var broadcast = running()
        _ = broadcast.event(.report(report(.retrying)), nowMs: 0)
        #expect(broadcast.event(due, nowMs: 5000) == [.addOutput(moving.id)])
        #expect(broadcast.event(.destinationChanged(moving.destination, name: "moving", isElsewhere: true), nowMs: 5001).isEmpty)
        #expect(broadcast.event(.outputGiven(moving.id), nowMs: 5002) == [.addOutput(moving.id)])
        #expect(broadcast.event(.outputGiven(moving.id), nowMs: 5003).isEmpty)
    }

    private func leasing() -> BroadcastMachine {
        var broadcast = BroadcastMachine(
            id: Self.id("B"), organization: Self.id("A"), sender: Self.id("S"), lease: Self.id("K"),
            media: MediaChoice(
                input: InputChoice(video: "test"), encoder: EncoderChoice(bitrate: .kilobits(2500)), bufferMs: 1000, links: nil),
            outputs: [steady, moving], grace: .seconds(60))
        for event: BroadcastMachine.Event in [.resumed, .senderConnected(nil), .hostChosen(host)] { _ = broadcast.event(event, nowMs: 0) }
        return broadcast
    }

    @Test("that is taken off while the lease is under way goes with the receiver's first word of it, and is told so again if it stays")
    func removedWhileLeasing() {
        var broadcast = leasing()
        #expect(broadcast.event(.outputRemoved(moving.id), nowMs: 1).isEmpty)
        _ = broadcast.event(.leased(port: 5000), nowMs: 2)
        #expect(broadcast.event(.report(report(.connecting)), nowMs: 3).contains(.removeOutput(moving.id)))
        var told = 0
        for second: Int64 in 1...12
        where broadcast.event(.report(report(.connected)), nowMs: second * 1000).contains(.removeOutput(moving.id)) {
            told += 1
        }
        #expect(told == 2, "an output may take some seconds to end")
        #expect(!broadcast.event(.report(report(nil)), nowMs: 13_000).contains(.removeOutput(moving.id)))
    }

    @Test("that is taken off while it runs is told so once while it ends")
    func removedWhileRunning() {
        var broadcast = running()
        #expect(broadcast.event(.outputRemoved(moving.id), nowMs: 1) == [.removeOutput(moving.id)])
        for second: Int64 in 1...4 {
            #expect(!broadcast.event(.report(report(.connected)), nowMs: second * 1000).contains(.removeOutput(moving.id)))
        }
    }

    @Test("whose destination changes while the lease is under way is given again after it")
    func changedWhileLeasing() {
        var broadcast = leasing()
        #expect(broadcast.event(.destinationChanged(moving.destination, name: "moving", isElsewhere: true), nowMs: 1).isEmpty)
        #expect(!broadcast.event(.leased(port: 5000), nowMs: 2).contains(.addOutput(moving.id)))
        #expect(broadcast.event(.outputLeased(steady.id, edition: 0), nowMs: 2).isEmpty)
        #expect(broadcast.event(.outputLeased(moving.id, edition: 0), nowMs: 2) == [.addOutput(moving.id)])
        #expect(broadcast.event(.outputGiven(moving.id), nowMs: 3).isEmpty)
        // The lease was asked for after the change.
        var later = leasing()
        _ = later.event(.destinationChanged(moving.destination, name: "moving", isElsewhere: true), nowMs: 1)
        #expect(later.editions[moving.id] == 1)
        _ = later.event(.leased(port: 5000), nowMs: 2)
        #expect(later.event(.outputLeased(moving.id, edition: 1), nowMs: 2).isEmpty)
    }

    /// The lease was lost, and is being made again; the output's destination changes after it was asked for.
    private func leasingAgain() -> BroadcastMachine {
        var broadcast = running()
        _ = broadcast.event(.hostConnected(host, nil), nowMs: 0)
        let actions = broadcast.event(.destinationChanged(moving.destination, name: "moving", isElsewhere: true), nowMs: 1)
        #expect(actions == [.addOutput(moving.id)])
        return broadcast
    }

    @Test("whose destination changes while a lost lease is made again ends up at its new place, whichever the host hears first")
    func changedWhileLeasingAgain() {
        // The host hears of the output before it has the lease, which brings the old place.
        var refused = leasingAgain()
        _ = refused.event(.outputFailed(moving.id, reason: "no such lease"), nowMs: 2)
        _ = refused.event(.leased(port: 5000), nowMs: 3)
        #expect(refused.event(.outputLeased(moving.id, edition: 0), nowMs: 3) == [.addOutput(moving.id)])
        #expect(refused.event(.outputGiven(moving.id), nowMs: 4).isEmpty)
        // The lease is answered first: what is under way may have been before it at the host, or after.
        var first = leasingAgain()
        _ = first.event(.leased(port: 5000), nowMs: 2)
        #expect(first.event(.outputLeased(moving.id, edition: 0), nowMs: 2).isEmpty, "one at a time")
        #expect(first.event(.outputGiven(moving.id), nowMs: 3) == [.addOutput(moving.id)])
        #expect(first.event(.outputGiven(moving.id), nowMs: 4).isEmpty)
    }

    @Test("that is on its way has its own answer: a lease's does not let another one go beside it")
    func answersOfItsOwn() {
        var broadcast = running()
        _ = broadcast.event(.report(report(.retrying)), nowMs: 0)
        #expect(broadcast.event(due, nowMs: 5000) == [.addOutput(moving.id)])
        for fault in [nil, "m.example cannot be resolved"] as [String?] {
            #expect(broadcast.event(.outputLeased(moving.id, edition: 0, fault: fault), nowMs: 5001).isEmpty)
            #expect(broadcast.event(.outputRetried(moving.id), nowMs: 7000).isEmpty, "one at a time")
        }
        #expect(broadcast.event(.outputGiven(moving.id), nowMs: 8000) == [.retryOutput(moving.id)])
        _ = broadcast.event(.outputGiven(moving.id), nowMs: 8001)
        #expect(wait(broadcast.event(.outputLeased(moving.id, edition: 0, fault: "cannot be resolved"), nowMs: 8002)) != nil)
    }

    @Test("that a lease was made without is given to the host after it, and to a host that comes back where it was refused")
    func afterTheLease() {
        var broadcast = running()
        #expect(broadcast.event(.hostConnected(host, nil), nowMs: 0).contains(.order(.lease)))
        _ = broadcast.event(.leased(port: 5000), nowMs: 1)
        #expect(broadcast.event(.outputLeftOut(moving.id), nowMs: 2) == [.addOutput(moving.id)])
        _ = broadcast.event(.outputFailed(moving.id, reason: "the port is taken"), nowMs: 3)
        _ = broadcast.event(.hostDisconnected(host), nowMs: 4)
        #expect(broadcast.event(due, nowMs: 5).isEmpty, "nobody is there to be given it")
        let lease = LeaseReport(lease: Self.id("K"), broadcast: Self.id("B"), port: 5000, pid: 7, outputs: [steady.id, moving.id])
        #expect(broadcast.event(.hostConnected(host, lease), nowMs: 6).work == [.addOutput(moving.id)])
    }

    @Test("comes back out of step with the others of its platform, the same each time")
    func jitter() {
        let ids = (0..<100).map { number in
            var random = SystemRandomNumberGenerator()
            return OutputID(ULID(unixMs: Int64(number), random: &random))
        }
        let drawn = ids.map { Handover.jitter($0, 1) }
        #expect(drawn.allSatisfy { (0..<1).contains($0) } && drawn == ids.map { Handover.jitter($0, 1) })
        #expect(Set(drawn.map { Int($0 * 10) }).count == 10, "each tenth is drawn by somebody")
        // Two outputs that were made in one moment differ, and are not the same distance apart after each failure.
        #expect(Handover.jitter(steady.id, 1) != Handover.jitter(moving.id, 1))
        #expect(Set((0..<6).map { Handover.jitter(steady.id, $0) }).count == 6)
    }
}

extension [BroadcastMachine.Action] {
    /// But for the clock that each word of the host winds up.
    fileprivate var work: Self { filter { if case .set(.silence, _) = $0 { false } else { true } } }
}
