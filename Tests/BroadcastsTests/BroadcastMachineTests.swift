import FoundationEssentials
import Testing
import Units
import Wire

@testable import Broadcasts
@testable import Store

/// Ids with a readable last character: `id("S")`.
private func id<Kind>(_ letter: String) -> ID<Kind> {
    ID("0000000000000000000000000" + letter)!
}

private let host: DeviceID = id("H")
private let sender: DeviceID = id("S")
private let first = PlannedOutput(id: id("1"), destination: id("D"), name: "first")
private let second = PlannedOutput(id: id("2"), destination: id("E"), name: "second")

private func machine(outputs: [PlannedOutput] = [first], grace: Grace = .seconds(60)) -> BroadcastMachine {
    BroadcastMachine(
        id: id("B"), organization: id("A"), sender: sender, lease: id("K"),
        media: MediaChoice(
            input: InputChoice(video: "test"), encoder: EncoderChoice(bitrate: .kilobits(2500)), bufferMs: 1000, links: nil),
        outputs: outputs, grace: grace)
}

private func report(
    keyFrames: Int = 1, ingest: IngestReport.State = .flowing, outputs: [(PlannedOutput, OutputReport.State)]
) -> StreamReport {
    StreamReport(
        lease: id("K"), broadcast: id("B"), port: 5000, pid: 1, uptimeSeconds: 1,
        ingest: IngestReport(
            state: ingest, bitrate: .kilobits(2500), keyFramesTotal: keyFrames, lostPacketsTotal: 0, recoveredPacketsTotal: 0,
            guardDroppedTotal: 0, video: .h264, width: 1280, height: 720, paths: []),
        outputs: outputs.map {
            OutputReport(
                id: $0.0.id, state: $0.1, reason: $0.1 == .connected ? nil : "connection refused (111)", sentBytesTotal: 0,
                droppedUnitsTotal: 0, reconnectsTotal: 0)
        }, restarts: 0)
}

/// A broadcast that was started and is live.
private func running(outputs: [PlannedOutput] = [first], grace: Grace = .seconds(60)) -> BroadcastMachine {
    var broadcast = machine(outputs: outputs, grace: grace)
    for event: BroadcastMachine.Event in [
        .resumed, .senderConnected(nil), .hostChosen(host), .leased(port: 5000), .senderStarted(revision: 1),
        .report(report(outputs: outputs.map { ($0, .connected) })),
    ] {
        _ = broadcast.event(event, nowMs: 0)
    }
    return broadcast
}

@Suite("A broadcast")
struct BroadcastMachineTests {
    @Test("what the sender and the receiver lack though all goes as asked is a note beside the state, until it is made up for")
    func notes() throws {
        func notes(_ broadcast: BroadcastMachine) -> [String]? { BroadcastView.of(broadcast, createdAtMs: 0, endedAtMs: nil).notes }
        var broadcast = running()
        #expect(notes(broadcast) == nil)
        _ = broadcast.event(.senderStarted(revision: 1, note: "not kept"), nowMs: 1)
        var told = report(outputs: [(first, .connected)])
        told.slateFault = "no picture"
        _ = broadcast.event(.report(told), nowMs: 2)
        #expect(broadcast.state == .live && notes(broadcast) == ["not kept", "no picture"])
        // The receiver says so again; what the board said once is stored.
        broadcast = try JSONDecoder().decode(BroadcastMachine.self, from: try JSONEncoder().encode(broadcast))
        #expect(notes(broadcast) == ["not kept"])
        // It is back with the same plan: that says nothing of what it keeps.
        let sending = SendingReport(broadcast: broadcast.id, revision: 1, state: .sending)
        _ = broadcast.event(.senderConnected(sending), nowMs: 3)
        #expect(notes(broadcast) == ["not kept"])
        // A revision that nobody asked for changes nothing, one that is asked for does.
        _ = broadcast.event(.senderStarted(revision: 2), nowMs: 4)
        #expect(notes(broadcast) == ["not kept"])
        _ = broadcast.event(.mediaChanged(MediaChange(bitrate: .kilobits(1000))), nowMs: 5)
        _ = broadcast.event(.senderStarted(revision: 2), nowMs: 6)
        #expect(notes(broadcast) == nil)
        _ = broadcast.event(.senderStarted(revision: 2, note: "not kept"), nowMs: 7)
        _ = broadcast.event(.stopRequested(.stopped), nowMs: 8)
        #expect(notes(broadcast) == nil)
    }

    @Test("climbs step by step and is live with a key frame and one connected output")
    func start() {
        var broadcast = machine(outputs: [first, second])
        #expect(broadcast.event(.resumed, nowMs: 0).contains(.chooseHost))
        #expect(broadcast.state == .starting(.lease))
        #expect(broadcast.event(.hostChosen(host), nowMs: 1).contains(.order(.lease)))
        #expect(broadcast.event(.leased(port: 5000), nowMs: 2).contains(.order(.start)))
        #expect(broadcast.state == .starting(.sender))
        _ = broadcast.event(.senderStarted(revision: 1), nowMs: 3)
        #expect(broadcast.state == .starting(.media))
        _ = broadcast.event(.report(report(keyFrames: 0, ingest: .waiting, outputs: [(first, .connecting)])), nowMs: 4)
        #expect(broadcast.state == .starting(.media))
        _ = broadcast.event(.report(report(outputs: [(first, .connecting), (second, .connecting)])), nowMs: 5)
        #expect(broadcast.state == .starting(.outputs))
        let actions = broadcast.event(.report(report(outputs: [(first, .connected), (second, .retrying)])), nowMs: 6)
        #expect(actions.contains(.cancel(.step)))
        guard case .degraded(let reason) = broadcast.state else {
            Issue.record("a retrying output degrades: \(broadcast.state)")
            return
        }
        #expect(reason.contains("refused (111)"))
        _ = broadcast.event(.report(report(outputs: [(first, .connected), (second, .connected)])), nowMs: 7)
        #expect(broadcast.state == .live)
    }

    @Test("others are told of each state and step, and of an output once for each outage, in no words of its own that change")
    func told() throws {
        var broadcast = machine(outputs: [first, second])
        func kinds(_ event: BroadcastMachine.Event) -> [String] {
            let before = broadcast
            _ = broadcast.event(event, nowMs: 0)
            return broadcast.events(since: before).map { "\($0.kind.rawValue) \($0.summary)" }
        }
        #expect(kinds(.resumed) == [] && kinds(.hostChosen(host)) == [])
        #expect(kinds(.leased(port: 5000)) == ["broadcast.state_changed starting to starting"])
        _ = kinds(.senderStarted(revision: 1))
        _ = kinds(.report(report(outputs: [(first, .connecting), (second, .connecting)])))
        #expect(
            kinds(.report(report(outputs: [(first, .connected), (second, .retrying)])))
                == ["broadcast.state_changed starting to degraded", "output.state_changed connected"])
        #expect(kinds(.report(report(outputs: [(first, .connected), (second, .connecting)]))) == [])
        #expect(
            kinds(.report(report(outputs: [(first, .connected), (second, .connected)])))
                == ["broadcast.state_changed degraded to live", "output.state_changed connected"])
        #expect(
            kinds(.report(report(outputs: [(first, .connected), (second, .retrying)])))
                == ["broadcast.state_changed live to degraded", "output.state_changed retrying"])
        for state: OutputReport.State in [.connecting, .retrying] {
            #expect(kinds(.report(report(outputs: [(first, .connected), (second, state)]))) == [])
        }
        #expect(kinds(.report(report(outputs: [(first, .connected), (second, .failed)]))) == ["output.state_changed failed"])
        #expect(kinds(.alarmed([.silence, .black])) == ["broadcast.alarm silence raised", "broadcast.alarm black raised"])
        #expect(kinds(.alarmed([.silence, .black])) == [])
        // A restart of control takes it up as it was stored: nothing is told again.
        let stored = try JSONDecoder().decode(BroadcastMachine.self, from: try JSONEncoder().encode(broadcast))
        var again = stored
        _ = again.event(.alarmed([.silence, .black]), nowMs: 0)
        #expect(again.events(since: stored).isEmpty)
        #expect(kinds(.alarmed([.silence])) == ["broadcast.alarm black cleared"])
        #expect(kinds(.stopRequested(.stopped)) == ["broadcast.state_changed degraded to stopping"])
        _ = kinds(.released)
        let before = broadcast
        _ = broadcast.event(.senderStopped, nowMs: 0)
        let ended = try #require(broadcast.events(since: before).last)
        #expect(ended.kind == .broadcastEnded && ended.data.contains("\"reason\":\"stopped\""))
    }

    @Test("a start whose host refuses or says nothing asks the next, and fails with what a host said when there is no other")
    func elsewhere() {
        let other: DeviceID = id("J")
        var broadcast = machine()
        for event: BroadcastMachine.Event in [.resumed, .hostChosen(host)] { _ = broadcast.event(event, nowMs: 0) }
        #expect(broadcast.event(.leaseRefused(reason: "busy"), nowMs: 1).contains(.leave(host)))
        #expect(broadcast.state == .starting(.lease) && broadcast.host == nil && broadcast.observed.refusing == [host])
        #expect(broadcast.event(.hostChosen(other), nowMs: 2).contains(.order(.lease)))
        // What the first one says now is late.
        #expect(broadcast.event(.leaseRefused(reason: "busy", by: host), nowMs: 3) == [])
        #expect(broadcast.event(.leased(port: 6000, by: host), nowMs: 3) == [.leave(host)])
        #expect(broadcast.state == .starting(.lease) && broadcast.port == nil)
        var granted = broadcast
        #expect(granted.event(.leased(port: 5000, by: other), nowMs: 3).contains(.order(.start)))
        // The second says nothing.
        let actions = broadcast.event(.timer(.step), nowMs: 12_000)
        #expect(actions.contains(.leave(other)) && actions.contains(.chooseHost))
        _ = broadcast.event(.noHost(reason: "no pool host is connected"), nowMs: 12_001)
        let reason = "the pool host did not answer within 12 s"
        #expect(broadcast.state == .ended(.failed(step: .lease, detail: nil, reason: reason)))
    }

    @Test("a receiver that says nothing for 3 s is believed no longer, and its lease is asked for")
    func silence() {
        var broadcast = machine()
        for event: BroadcastMachine.Event in [
            .resumed, .senderConnected(nil), .hostChosen(host), .leased(port: 5000), .senderStarted(revision: 1),
            .report(report(outputs: [(first, .connected)])),
        ] { _ = broadcast.event(event, nowMs: 0) }
        let flowing = report(outputs: [(first, .connected)])
        #expect(broadcast.event(.report(flowing), nowMs: 1000).contains(.set(.silence, afterMs: 3000)))
        #expect(broadcast.state == .live)
        #expect(broadcast.event(.timer(.silence), nowMs: 4000) == [.order(.lease), .set(.silence, afterMs: 12_000)])
        #expect(broadcast.state == .degraded(reason: "no word from the receiver"))
        _ = broadcast.event(.leased(port: 5000), nowMs: 4001)
        #expect(broadcast.state == .degraded(reason: "no word from the receiver"))
        _ = broadcast.event(.report(flowing), nowMs: 4100)
        #expect(broadcast.state == .live)
        _ = broadcast.event(.hostDisconnected(host), nowMs: 5000)
        #expect(broadcast.event(.timer(.silence), nowMs: 7100) == [])
        // From its return on it has its time to say something; another host's return is nothing to it.
        #expect(broadcast.event(.hostConnected(id("J"), nil), nowMs: 8000) == [])
        #expect(broadcast.event(.hostConnected(host, nil), nowMs: 8000).contains(.set(.silence, afterMs: 3000)))
    }

    @Test("a lease that its host has lost is an interruption, with the host's reason for as long as it refuses to make it again")
    func lostLease() {
        var broadcast = running()
        let actions = broadcast.event(.hostConnected(host, nil), nowMs: 1000)
        #expect(actions == [.set(.grace, afterMs: 60_000), .order(.lease), .set(.silence, afterMs: 3000)])
        #expect(broadcast.state == .interrupted(sinceMs: 1000, reason: "the receiver is gone: it is being started again"))
        #expect(broadcast.event(.leaseRefused(reason: "the disk is full"), nowMs: 1100) == [.set(.again(.lease), afterMs: 3000)])
        #expect(broadcast.state == .interrupted(sinceMs: 1000, reason: "the receiver is gone: the disk is full"))
        _ = broadcast.event(.leased(port: 5000), nowMs: 4200)
        #expect(broadcast.state == .interrupted(sinceMs: 1000, reason: "nothing arrives from the sender"))
        _ = broadcast.event(.report(report(outputs: [(first, .connected)])), nowMs: 5000)
        #expect(broadcast.state == .live)
    }

    @Test("that fails at a step names it and undoes every step before it", arguments: Step.allCases)
    func failure(at step: Step) {
        var broadcast = machine()
        var events: [BroadcastMachine.Event] = [.resumed, .hostChosen(host), .leased(port: 5000), .senderStarted(revision: 1)]
        events.append(.report(report(outputs: [(first, .retrying)])))
        let count = Step.allCases.firstIndex(of: step)! + 2
        for event in events.prefix(count) { _ = broadcast.event(event, nowMs: 0) }
        #expect(broadcast.state == .starting(step))
        var actions = broadcast.event(.timer(.step), nowMs: 1)
        if step == .lease {
            // There might have been another host.
            #expect(actions.contains(.leave(host)))
            actions = broadcast.event(.noHost(reason: "no pool host is connected"), nowMs: 2)
            #expect(broadcast.state.name == "ended")
            return
        }
        #expect(broadcast.state == .stopping)
        #expect(actions.contains(.order(.release)))
        #expect(actions.contains(.order(.stop)))
        _ = broadcast.event(.released, nowMs: 2)
        _ = broadcast.event(.senderStopped, nowMs: 3)
        guard case .ended(.failed(let named, _, _)) = broadcast.state else {
            Issue.record("\(broadcast.state)")
            return
        }
        #expect(named == step)
    }

    @Test("names the sender's own step when its preflight fails")
    func preflight() {
        var broadcast = machine()
        for event: BroadcastMachine.Event in [.resumed, .hostChosen(host), .leased(port: 5000)] { _ = broadcast.event(event, nowMs: 0) }
        _ = broadcast.event(.senderRefused(revision: 1, detail: "preflight.input", reason: "no camera"), nowMs: 0)
        _ = broadcast.event(.released, nowMs: 0)
        _ = broadcast.event(.senderStopped, nowMs: 0)
        #expect(broadcast.state == .ended(.failed(step: .sender, detail: "preflight.input", reason: "no camera")))
    }

    @Test("without media is interrupted, and live by itself when it flows again")
    func interruption() {
        var broadcast = running()
        #expect(broadcast.state == .live)
        let actions = broadcast.event(.report(report(ingest: .interrupted, outputs: [(first, .connected)])), nowMs: 500)
        #expect(broadcast.state == .interrupted(sinceMs: 500, reason: "nothing arrives from the sender"))
        #expect(actions.contains(.set(.grace, afterMs: 60_000)))
        let back = broadcast.event(.report(report(outputs: [(first, .connected)])), nowMs: 20_500)
        #expect(back.contains(.cancel(.grace)))
        #expect(broadcast.state == .live)
    }

    @Test("without media says what the sender knows of it, as long as the sender is there to know")
    func causeOfInterruption() {
        var broadcast = running()
        let broken = SendingReport(broadcast: id("B"), revision: 1, state: .recovering, reason: "the file gives nothing any more")
        _ = broadcast.event(.sending(broken), nowMs: 0)
        #expect(broadcast.state == .degraded(reason: "sender recovering: the file gives nothing any more"))
        _ = broadcast.event(.report(report(ingest: .interrupted, outputs: [(first, .connected)])), nowMs: 500)
        #expect(broadcast.state == .interrupted(sinceMs: 500, reason: "sender recovering: the file gives nothing any more"))
        _ = broadcast.event(.senderDisconnected, nowMs: 600)
        #expect(broadcast.state == .interrupted(sinceMs: 500, reason: "nothing arrives from the sender"))
        _ = broadcast.event(.senderConnected(SendingReport(broadcast: id("B"), revision: 1, state: .sending)), nowMs: 700)
        #expect(broadcast.state == .interrupted(sinceMs: 500, reason: "nothing arrives from the sender"))
    }

    @Test("ends after its grace time, or never where it runs until stopped")
    func grace() {
        var broadcast = running()
        _ = broadcast.event(.report(report(ingest: .interrupted, outputs: [])), nowMs: 0)
        #expect(broadcast.event(.timer(.grace), nowMs: 60_000).contains(.order(.stop)))
        #expect(broadcast.state == .stopping)
        var patient = running(grace: .untilStopped)
        let actions = patient.event(.report(report(ingest: .interrupted, outputs: [])), nowMs: 0)
        #expect(!actions.contains { if case .set(.grace, _) = $0 { true } else { false } })
    }

    @Test(
        "after a restart of control it has what is left of its grace time, and never more than all of it",
        arguments: [
            (20_000, 40_000), (70_000, 0), (-7_200_000, 60_000), (3_600_000, 0),
        ])
    func graceOverRestart(_ laterMs: Int64, _ leftMs: Int64) {
        var broadcast = running()
        _ = broadcast.event(.report(report(ingest: .interrupted, outputs: [])), nowMs: 1_000_000)
        var restarted = broadcast.withoutObservations
        #expect(restarted.event(.resumed, nowMs: 1_000_000 + laterMs) == [.set(.grace, afterMs: leftMs)])
    }

    @Test("asks again for what an unanswered order left uncertain")
    func unknown() {
        var broadcast = machine()
        _ = broadcast.event(.resumed, nowMs: 0)
        _ = broadcast.event(.hostChosen(host), nowMs: 0)
        #expect(broadcast.event(.unknown(.lease), nowMs: 0) == [.set(.again(.lease), afterMs: 1000)])
        #expect(broadcast.event(.timer(.again(.lease)), nowMs: 0) == [.order(.lease)])
        _ = broadcast.event(.stopRequested(.stopped), nowMs: 0)
        #expect(broadcast.event(.timer(.again(.lease)), nowMs: 0).isEmpty)
    }

    @Test("gives its plan to a sender that comes back without it, and leaves one alone that still sends it")
    func senderReturns() {
        var broadcast = running()
        let sending = SendingReport(broadcast: id("B"), revision: 1, state: .sending)
        #expect(broadcast.event(.senderConnected(sending), nowMs: 0).isEmpty)
        #expect(broadcast.event(.senderConnected(nil), nowMs: 0) == [.order(.start)])
    }

    @Test("makes its lease again on a host that lost it, and sends to the new port")
    func hostReturns() {
        var broadcast = running()
        #expect(broadcast.event(.hostConnected(host, nil), nowMs: 0).contains(.order(.lease)))
        #expect(broadcast.event(.leased(port: 5000), nowMs: 0).isEmpty)
        #expect(broadcast.event(.leased(port: 5002), nowMs: 0) == [.order(.start)])
        #expect(broadcast.revision == 2)
    }

    @Test("brings the outputs of an adopted receiver to what is wanted")
    func outputsReconciled() {
        var broadcast = running()
        let lease = LeaseReport(lease: id("K"), broadcast: id("B"), port: 5000, pid: 7, outputs: [second.id])
        let actions = broadcast.event(.hostConnected(host, lease), nowMs: 0)
        #expect(actions == [.addOutput(first.id), .removeOutput(second.id), .set(.silence, afterMs: 3000)])
    }

    @Test("has one output for each destination, and another one to it once that was removed")
    func oneForEach() {
        var broadcast = running(outputs: [first, second])
        let again = PlannedOutput(id: id("3"), destination: first.destination, name: "again")
        #expect(broadcast.event(.outputAdded(again), nowMs: 0).isEmpty)
        #expect(broadcast.outputs == [first, second])
        #expect(broadcast.event(.outputRemoved(first.id), nowMs: 1) == [.removeOutput(first.id)])
        #expect(broadcast.event(.outputAdded(again), nowMs: 2) == [.addOutput(again.id)])
        #expect(broadcast.outputs == [second, again])
    }

    @Test("whose last output is removed goes on, degraded until there is another one")
    func withoutOutputs() {
        var broadcast = running()
        #expect(broadcast.event(.outputRemoved(first.id), nowMs: 0) == [.removeOutput(first.id)])
        // The receiver may report the old one until it has ended it.
        for outputs in [[(first, OutputReport.State.connected)], []] {
            _ = broadcast.event(.report(report(outputs: outputs)), nowMs: 1)
            #expect(broadcast.state == .degraded(reason: "it has no output: add one, or stop it"))
        }
        #expect(broadcast.event(.outputAdded(second), nowMs: 2) == [.addOutput(second.id)])
        #expect(broadcast.state == .degraded(reason: "no output is there yet"))
        _ = broadcast.event(.report(report(outputs: [(second, .connected)])), nowMs: 3)
        #expect(broadcast.state == .live)
    }

    @Test("whose outputs are all removed while it starts does not become live")
    func removedWhileStarting() {
        var broadcast = machine()
        for event: BroadcastMachine.Event in [
            .resumed, .hostChosen(host), .leased(port: 5000), .senderStarted(revision: 1), .outputRemoved(first.id),
            .report(report(outputs: [(first, .connected)])),
        ] {
            _ = broadcast.event(event, nowMs: 0)
        }
        #expect(broadcast.state == .starting(.outputs))
        #expect(broadcast.event(.timer(.step), nowMs: 20_000).contains(.order(.stop)))
    }

    @Test("that was stopped ends though a side stays silent")
    func silentSide() {
        var broadcast = running()
        _ = broadcast.event(.stopRequested(.stopped), nowMs: 0)
        _ = broadcast.event(.released, nowMs: 1)
        #expect(broadcast.state == .stopping)
        _ = broadcast.event(.timer(.undo), nowMs: 10_000)
        #expect(broadcast.state == .ended(.stopped))
    }

    @Test("that is stopped lets the sender send its last before the receiver goes")
    func drains() {
        var broadcast = running()
        let actions = broadcast.event(.stopRequested(.stopped), nowMs: 0)
        #expect(actions.contains(.order(.stop)) && !actions.contains(.order(.release)))
        #expect(actions.contains(.set(.drain, afterMs: 5000)))
        #expect(broadcast.event(.senderStopped, nowMs: 1500) == [.cancel(.drain), .order(.release)])
        _ = broadcast.event(.released, nowMs: 2000)
        #expect(broadcast.state == .ended(.stopped))
    }

    @Test("that is stopped while its sender is away, silent or revoked does not wait for it")
    func drainsWithoutSender() {
        var away = running()
        _ = away.event(.senderDisconnected, nowMs: 0)
        #expect(away.event(.stopRequested(.stopped), nowMs: 1).contains(.order(.release)))
        var revoked = running()
        #expect(revoked.event(.stopRequested(.revoked), nowMs: 0).contains(.order(.release)))
        var silent = running()
        _ = silent.event(.stopRequested(.stopped), nowMs: 0)
        #expect(silent.event(.unknown(.stop), nowMs: 10) == [.set(.again(.stop), afterMs: 1000)])
        #expect(silent.event(.timer(.drain), nowMs: 5000) == [.order(.release)])
        #expect(silent.event(.hostConnected(host, nil), nowMs: 5001).isEmpty, "a host that returns is asked by the order's own repetition")
    }

    @Test("that was stopping when control restarted goes on so")
    func drainsAfterRestart() {
        var broadcast = running()
        _ = broadcast.event(.stopRequested(.stopped), nowMs: 0)
        broadcast = broadcast.withoutObservations
        #expect(broadcast.event(.resumed, nowMs: 1).contains(.set(.drain, afterMs: 5000)))
        let lease = LeaseReport(lease: id("K"), broadcast: id("B"), port: 5000, pid: 7, outputs: [first.id])
        #expect(broadcast.event(.hostConnected(host, lease), nowMs: 2).isEmpty)
        #expect(broadcast.event(.senderConnected(nil), nowMs: 3) == [.order(.stop)])
        #expect(broadcast.event(.senderStopped, nowMs: 4).contains(.order(.release)))
    }

    @Test("stopping twice is stopping once")
    func idempotentStop() {
        var broadcast = running()
        #expect(!broadcast.event(.stopRequested(.stopped), nowMs: 0).isEmpty)
        #expect(broadcast.event(.stopRequested(.stopped), nowMs: 0).isEmpty)
    }

    @Test("a change of picture reaches the sender with a higher revision")
    func change() {
        var broadcast = running()
        #expect(broadcast.event(.mediaChanged(MediaChange(bitrate: .kilobits(1000))), nowMs: 0) == [.order(.start)])
        #expect(broadcast.revision == 2)
        #expect(broadcast.event(.senderStarted(revision: 1), nowMs: 0).isEmpty)
    }
}

extension BroadcastMachineTests {
    @Test("a change that the sender refuses is taken back")
    func refusedChange() {
        var broadcast = running()
        let before = broadcast.media
        _ = broadcast.event(.mediaChanged(MediaChange(input: InputChoice(video: "v4l2:gone"))), nowMs: 0)
        let actions = broadcast.event(.senderRefused(revision: 2, detail: "preflight.input", reason: "no camera"), nowMs: 0)
        #expect(actions == [.order(.start)])
        #expect(broadcast.media == before)
        #expect(broadcast.revision == 3)
        #expect(broadcast.state == .live)
    }

    @Test("two changes at once are both made")
    func changesTogether() {
        var broadcast = running()
        _ = broadcast.event(.mediaChanged(MediaChange(bitrate: .kilobits(1500))), nowMs: 0)
        _ = broadcast.event(.mediaChanged(MediaChange(input: InputChoice(video: "file:clip.mp4"))), nowMs: 0)
        #expect(broadcast.media.encoder.bitrate == .kilobits(1500))
        #expect(broadcast.media.input.video == "file:clip.mp4")
    }

    /// Up to the sender's answer, with a change of the input before or after it was given its first plan.
    private func changedWhileStarting(after events: Int) -> BroadcastMachine {
        var broadcast = machine()
        let climb: [BroadcastMachine.Event] = [.resumed, .senderConnected(nil), .hostChosen(host), .leased(port: 5000)]
        for event in climb.prefix(events) { _ = broadcast.event(event, nowMs: 0) }
        _ = broadcast.event(.mediaChanged(MediaChange(input: InputChoice(video: "v4l2:gone"))), nowMs: 0)
        for event in climb.dropFirst(events) { _ = broadcast.event(event, nowMs: 0) }
        return broadcast
    }

    @Test("a change that is refused while it starts is taken back, and the start goes on", arguments: [1, 3, 4])
    func refusedWhileStarting(_ events: Int) {
        var broadcast = changedWhileStarting(after: events)
        #expect(broadcast.media.input.video == "v4l2:gone" && broadcast.state == .starting(.sender))
        let asked = broadcast.revision
        let actions = broadcast.event(.senderRefused(revision: asked, detail: "preflight.input", reason: "no camera"), nowMs: 0)
        #expect(actions.contains(.order(.start)))
        #expect(broadcast.media.input.video == "test" && broadcast.revision == asked + 1)
        _ = broadcast.event(.senderStarted(revision: asked + 1), nowMs: 0)
        #expect(broadcast.state == .starting(.media))
    }

    @Test("what was wanted first is refused too: the start fails, by the sender's last word")
    func refusedTwice() {
        var broadcast = changedWhileStarting(after: 4)
        for revision in [2, 3] {
            _ = broadcast.event(.senderRefused(revision: revision, detail: "preflight.encoder", reason: "no encoder"), nowMs: 0)
        }
        #expect(broadcast.state == .stopping)
    }

    @Test("a sender that sends the plan from before a change is on the way up, and the change is still to be answered")
    func startedBeforeChange() {
        var broadcast = changedWhileStarting(after: 4)
        _ = broadcast.event(.senderStarted(revision: 1), nowMs: 0)
        #expect(broadcast.state == .starting(.media))
        _ = broadcast.event(.senderRefused(revision: 2, detail: "preflight.input", reason: "no camera"), nowMs: 0)
        #expect(broadcast.media.input.video == "test" && broadcast.state == .starting(.media))
    }

    @Test("an output that the receiver did not get degrades, and is given to it again, later each time")
    func outputNotTaken() {
        var broadcast = running()
        #expect(broadcast.event(.outputAdded(second), nowMs: 0) == [.addOutput(second.id)])
        for wholeMs: Int64 in [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000] {
            let afterMs = delay(broadcast.event(.outputFailed(second.id, reason: "the port is taken"), nowMs: 1))
            #expect(afterMs.map { (wholeMs / 2...wholeMs).contains($0) } == true, "\(String(describing: afterMs)) of \(wholeMs)")
            _ = broadcast.event(.report(report(outputs: [(first, .connected)])), nowMs: 2)
            #expect(broadcast.state == .degraded(reason: "output 'second' retrying: the port is taken"))
            #expect(broadcast.event(.timer(.output(second.id)), nowMs: 3) == [.addOutput(second.id)])
        }
        _ = broadcast.event(.report(report(outputs: [(first, .connected), (second, .connected)])), nowMs: 4)
        #expect(broadcast.state == .live)
        #expect(broadcast.event(.timer(.output(second.id)), nowMs: 5).isEmpty)
    }

    /// When the second output is given again.
    private func delay(_ actions: [BroadcastMachine.Action]) -> Int64? {
        guard actions.count == 1, case .set(.output(second.id), let afterMs)? = actions.first else { return nil }
        return afterMs
    }

    @Test("a retry gives the receiver an output as its destination is now, and has it try at once")
    func retryOfOutput() {
        var broadcast = running(outputs: [first, second])
        _ = broadcast.event(.outputFailed(second.id, reason: "cannot be resolved"), nowMs: 0)
        #expect(broadcast.event(.outputRetried(first.id), nowMs: 1) == [.retryOutput(first.id)])
        #expect(broadcast.event(.outputRetried(second.id), nowMs: 1) == [.retryOutput(second.id)])
        #expect(broadcast.event(.outputRemoved(second.id), nowMs: 2) == [.removeOutput(second.id)])
        #expect(broadcast.event(.outputFailed(second.id, reason: "cannot be resolved"), nowMs: 3).isEmpty)
        #expect(broadcast.state == .live)
    }

    @Test("a start that no output was made for ends with the reason why")
    func startWithoutOutput() {
        var broadcast = machine()
        for event: BroadcastMachine.Event in [
            .resumed, .hostChosen(host), .leased(port: 5000), .outputFailed(first.id, reason: "platform.example cannot be resolved"),
            .senderStarted(revision: 1), .report(report(outputs: [])),
        ] {
            _ = broadcast.event(event, nowMs: 0)
        }
        #expect(broadcast.state == .starting(.outputs))
        _ = broadcast.event(.timer(.step), nowMs: 20_000)
        _ = broadcast.event(.timer(.undo), nowMs: 40_000)
        #expect(broadcast.state == .ended(.failed(step: .outputs, detail: nil, reason: "'first': platform.example cannot be resolved")))
    }
}
