import Foundation
import Testing
import Units
import Wire

@testable import Broadcasts

/// A broadcast whose host is gone, or seems so.
@Suite("A host that is gone")
struct MoveTests {
    private static func id<Kind>(_ letter: String) -> ID<Kind> { ID("0000000000000000000000000" + letter)! }

    private let first: DeviceID = Self.id("H")
    private let second: DeviceID = Self.id("J")
    private let third: DeviceID = Self.id("X")
    private let old: LeaseID = Self.id("K")
    private let fresh: LeaseID = Self.id("M")
    private let output = PlannedOutput(id: Self.id("1"), destination: Self.id("D"), name: "platform")

    private func report(_ lease: LeaseID, port: Int = 5000, _ ingest: IngestReport.State = .flowing) -> StreamReport {
        StreamReport(
            lease: lease, broadcast: Self.id("B"), port: port, pid: 1, uptimeSeconds: 1,
            ingest: IngestReport(
                state: ingest, bitrate: .kilobits(2500), keyFramesTotal: 1, lostPacketsTotal: 0, recoveredPacketsTotal: 0,
                guardDroppedTotal: 0, video: .h264, width: 1280, height: 720, paths: []),
            outputs: [
                OutputReport(
                    id: output.id, state: .connected, reason: nil, sentBytesTotal: 0, droppedUnitsTotal: 0, reconnectsTotal: 0)
            ], restarts: 0)
    }

    /// Live on the first host.
    private func live() -> BroadcastMachine {
        var broadcast = BroadcastMachine(
            id: Self.id("B"), organization: Self.id("A"), sender: Self.id("S"), lease: old,
            media: MediaChoice(
                input: InputChoice(video: "test"), encoder: EncoderChoice(bitrate: .kilobits(2500)), bufferMs: 1000, links: nil),
            outputs: [output], grace: .seconds(60))
        for event: BroadcastMachine.Event in [
            .resumed, .senderConnected(nil), .hostChosen(first), .leased(port: 5000), .senderStarted(revision: 1), .report(report(old)),
        ] { _ = broadcast.event(event, nowMs: 0) }
        return broadcast
    }

    /// The sender says for some seconds that nobody answers, and the host is looked at after each.
    /// - Returns: at which sample another host was asked for.
    private func unanswered(_ broadcast: inout BroadcastMachine, samples: Int, isSilent: Bool = true) -> Int? {
        for sample in 1...samples {
            if broadcast.event(.sampled(isAnswered: false), nowMs: Int64(sample) * 1000).contains(.chooseHost) { return sample }
            _ = broadcast.event(.looked(isSilent: isSilent), nowMs: Int64(sample) * 1000 + 900)
        }
        return nil
    }

    @Test("whose connection has ended and whose stream is not answered is left with the second sample, and another is asked")
    func dies() {
        var broadcast = live()
        _ = broadcast.event(.hostDisconnected(first), nowMs: 100)
        #expect(broadcast.event(.sampled(isAnswered: false), nowMs: 300) == [.set(.host, afterMs: 900)])
        #expect(broadcast.event(.sampled(isAnswered: false), nowMs: 500) == [])
        #expect(broadcast.event(.timer(.host), nowMs: 1200) == [.look])
        #expect(broadcast.event(.looked(isSilent: true), nowMs: 1200) == [.set(.host, afterMs: 900)])
        #expect(broadcast.state == .degraded(reason: "no word from the receiver's host"))
        #expect(broadcast.event(.sampled(isAnswered: false), nowMs: 1300) == [.set(.grace, afterMs: 60_000), .chooseHost])
        #expect(broadcast.state == .interrupted(sinceMs: 1300, reason: "the receiver is gone: its host is gone"))
        let actions = broadcast.event(.hostChosen(second, lease: fresh), nowMs: 1310)
        #expect(actions.contains(.abandon(first, old)) && actions.contains(.order(.lease)) && broadcast.isOn(second, fresh))
        #expect(broadcast.state == .interrupted(sinceMs: 1300, reason: "the receiver is gone: it is being started on another host"))
        // The same port of another host is another place: the sender has to follow.
        #expect(broadcast.event(.leased(port: 5000, by: second), nowMs: 1700) == [.cancel(.move), .order(.start)])
        #expect(broadcast.revision == 2)
        _ = broadcast.event(.report(report(fresh)), nowMs: 3000)
        #expect(broadcast.state == .live)
    }

    @Test("that only its pool is, is none: the sender is answered, for however long the pool is away")
    func poolAway() {
        var broadcast = live()
        _ = broadcast.event(.hostDisconnected(first), nowMs: 100)
        for second: Int64 in 1...60 { #expect(broadcast.event(.sampled(isAnswered: true), nowMs: second * 1000) == []) }
        // All links stall for a moment, as mobile ones do.
        #expect(broadcast.event(.sampled(isAnswered: false), nowMs: 61_000) == [.set(.host, afterMs: 900)])
        #expect(broadcast.event(.sampled(isAnswered: true), nowMs: 61_200) == [.cancel(.host)])
        #expect(broadcast.event(.looked(isSilent: true), nowMs: 61_900) == [])
        #expect(broadcast.event(.sampled(isAnswered: false), nowMs: 62_000) == [.set(.host, afterMs: 900)])
        #expect(broadcast.isOn(first, old))
    }

    @Test("for its sender alone is none: a board without a net has no answers either, and the host speaks")
    func senderAway() {
        var broadcast = live()
        #expect(unanswered(&broadcast, samples: 100, isSilent: false) == nil)
        #expect(broadcast.isOn(first, old))
    }

    @Test("is one whose connection stands and that says nothing any more; not one that has spoken since it was looked at")
    func silent() {
        var broadcast = live()
        #expect(unanswered(&broadcast, samples: 1) == nil)
        _ = broadcast.event(.report(report(old, .interrupted)), nowMs: 1950)
        #expect(unanswered(&broadcast, samples: 1) == nil)
        #expect(unanswered(&broadcast, samples: 1) == 1)
    }

    @Test("where control has just begun is waited for: it is on its way")
    func restartedControl() throws {
        var broadcast = try JSONDecoder().decode(BroadcastMachine.self, from: JSONEncoder().encode(live()))
        for event: BroadcastMachine.Event in [.resumed, .senderConnected(nil)] { _ = broadcast.event(event, nowMs: 0) }
        var patient = broadcast
        #expect(unanswered(&patient, samples: 11) == nil)
        #expect(unanswered(&broadcast, samples: 20) == 12)
    }

    @Test("has what it still says of the stream ignored, and is told to let go of it when it comes back")
    func comesBack() {
        var broadcast = moved()
        let before = broadcast
        #expect(broadcast.event(.leased(port: 7000, by: first), nowMs: 9000) == [.leave(first)])
        #expect(broadcast.event(.leaseRefused(reason: "busy", by: first), nowMs: 9000) == [])
        let lease = LeaseReport(lease: old, broadcast: broadcast.id, port: 5000, pid: 7, outputs: [output.id])
        #expect(broadcast.event(.hostConnected(first, lease), nowMs: 9000) == [])
        #expect(broadcast == before && !broadcast.isOn(first, old) && !broadcast.isOn(first, fresh) && !broadcast.isOn(second, old))
    }

    @Test("and comes back to the stream has a lease of its own again: what it kept of the first one is none")
    func thereAndBack() {
        var broadcast = moved()
        _ = broadcast.event(.hostDisconnected(second), nowMs: 9000)
        #expect(unanswered(&broadcast, samples: 9) == 2)
        let third: LeaseID = Self.id("N")
        _ = broadcast.event(.hostChosen(first, lease: third), nowMs: 12_000)
        #expect(broadcast.isOn(first, third))
        let stale = LeaseReport(lease: old, broadcast: broadcast.id, port: 5000, pid: 7, outputs: [output.id])
        #expect(broadcast.event(.hostConnected(first, stale), nowMs: 12_100).contains(.order(.lease)))
    }

    @Test("stays the stream's where there is no other, with that reason, and others are asked for as long as it is away")
    func nowhere() {
        var broadcast = live()
        _ = broadcast.event(.hostDisconnected(first), nowMs: 100)
        #expect(unanswered(&broadcast, samples: 9) == 2)
        #expect(broadcast.event(.noHost(reason: "no pool host is connected"), nowMs: 2100) == [.set(.host, afterMs: 900)])
        let state = broadcast.state
        #expect(
            state
                == .interrupted(
                    sinceMs: 2000, reason: "the receiver is gone: its host is gone, and there is no other: no pool host is connected"))
        #expect(unanswered(&broadcast, samples: 9) != nil && broadcast.state == state)
        _ = broadcast.event(.noHost(reason: "no pool host is connected"), nowMs: 9000)
        // It boots again, and has lost the stream.
        #expect(broadcast.event(.hostConnected(first, nil), nowMs: 10_000).contains(.order(.lease)))
        #expect(broadcast.event(.leased(port: 5000, by: first), nowMs: 10_500) == [])
        _ = broadcast.event(.report(report(old)), nowMs: 11_000)
        #expect(broadcast.state == .live && broadcast.isOn(first, old))
    }

    @Test("is followed by the next where the one that was chosen refuses or says nothing, and by all again after three seconds")
    func refusals() {
        var broadcast = live()
        _ = broadcast.event(.hostDisconnected(first), nowMs: 100)
        _ = unanswered(&broadcast, samples: 9)
        _ = broadcast.event(.hostChosen(second, lease: fresh), nowMs: 2100)
        #expect(broadcast.event(.leaseRefused(reason: "full", by: second), nowMs: 2200) == [.chooseHost])
        #expect(broadcast.observed.refusing == [second])
        let next = broadcast.event(.hostChosen(third, lease: Self.id("N")), nowMs: 2300)
        #expect(next.contains(.abandon(second, fresh)) && broadcast.isOn(third, Self.id("N")))
        #expect(broadcast.event(.timer(.move), nowMs: 8300) == [.chooseHost])
        let waiting = broadcast.event(.noHost(reason: "no pool host is connected"), nowMs: 8400)
        #expect(waiting == [.set(.again(.lease), afterMs: 3000), .set(.move, afterMs: 9000)] && broadcast.observed.refusing.isEmpty)
        #expect(broadcast.event(.timer(.again(.lease)), nowMs: 11_400) == [.order(.lease)])
        // Whoever reports has it, though its answer got lost.
        #expect(broadcast.event(.report(report(Self.id("N"), .interrupted)), nowMs: 11_900).contains(.order(.start)))
    }

    @Test("in the middle of a start costs the start nothing but time")
    func starting() {
        var broadcast = live()
        for event: BroadcastMachine.Event in [.stopRequested(.stopped)] { _ = broadcast.event(event, nowMs: 0) }
        #expect(unanswered(&broadcast, samples: 9) == nil)
        var young = BroadcastMachine(
            id: Self.id("B"), organization: Self.id("A"), sender: Self.id("S"), lease: old,
            media: MediaChoice(
                input: InputChoice(video: "test"), encoder: EncoderChoice(bitrate: .kilobits(2500)), bufferMs: 1000, links: nil),
            outputs: [output], grace: .seconds(60))
        for event: BroadcastMachine.Event in [.resumed, .hostChosen(first), .leased(port: 5000), .senderStarted(revision: 1)] {
            _ = young.event(event, nowMs: 0)
        }
        _ = young.event(.hostDisconnected(first), nowMs: 100)
        #expect(unanswered(&young, samples: 9) == 2)
        _ = young.event(.hostChosen(second, lease: fresh), nowMs: 2100)
        #expect(young.event(.leased(port: 6000, by: second), nowMs: 2500).contains(.order(.start)) && young.state == .starting(.media))
        _ = young.event(.report(report(fresh, port: 6000)), nowMs: 4000)
        #expect(young.state == .live)
    }

    @Test("and whose broadcast is stopped meanwhile: the sender and the host that was asked are told, and no other is asked")
    func stopped() {
        var broadcast = live()
        _ = broadcast.event(.hostDisconnected(first), nowMs: 100)
        #expect(unanswered(&broadcast, samples: 9) == 2)
        var seeking = broadcast
        #expect(seeking.event(.stopRequested(.stopped), nowMs: 2000).contains(.order(.stop)))
        #expect(seeking.event(.hostChosen(second, lease: fresh), nowMs: 2010) == [] && seeking.isOn(first, old))
        _ = broadcast.event(.hostChosen(second, lease: fresh), nowMs: 2100)
        #expect(broadcast.event(.stopRequested(.stopped), nowMs: 2200).contains(.order(.stop)))
        #expect(broadcast.event(.leased(port: 6000, by: second), nowMs: 2300) == [])
        #expect(broadcast.event(.senderStopped, nowMs: 2400).contains(.order(.release)) && broadcast.isOn(second, fresh))
    }

    @Test("and speaks again before another is found has lost nothing, and is not said to be gone later")
    func speaksAgain() {
        var broadcast = live()
        #expect(unanswered(&broadcast, samples: 9) == 2)
        _ = broadcast.event(.noHost(reason: "no pool host is connected"), nowMs: 2100)
        _ = broadcast.event(.report(report(old)), nowMs: 3000)
        #expect(broadcast.state == .live)
        _ = broadcast.event(.report(report(old, .interrupted)), nowMs: 4000)
        #expect(broadcast.state == .interrupted(sinceMs: 4000, reason: "nothing arrives from the sender"))
    }

    @Test("and the next one, which control's restart came before: it is waited for, and left for another where it does not come")
    func restartedMove() throws {
        var broadcast = live()
        _ = broadcast.event(.hostDisconnected(first), nowMs: 100)
        _ = unanswered(&broadcast, samples: 9)
        _ = broadcast.event(.hostChosen(second, lease: fresh), nowMs: 2100)
        broadcast = try JSONDecoder().decode(BroadcastMachine.self, from: JSONEncoder().encode(broadcast))
        #expect(broadcast.event(.resumed, nowMs: 5000).contains(.set(.move, afterMs: 15_900)))
        var patient = broadcast
        #expect(broadcast.event(.timer(.move), nowMs: 20_900) == [.chooseHost])
        #expect(patient.event(.hostConnected(second, nil), nowMs: 6000).contains(.order(.lease)))
        #expect(patient.event(.leased(port: 6000, by: second), nowMs: 6500) == [.cancel(.move), .order(.start)])
    }

    /// Live on the second host, after the first was gone.
    private func moved() -> BroadcastMachine {
        var broadcast = live()
        _ = broadcast.event(.hostDisconnected(first), nowMs: 100)
        _ = unanswered(&broadcast, samples: 9)
        for event: BroadcastMachine.Event in [
            .hostChosen(second, lease: fresh), .leased(port: 6000, by: second), .senderStarted(revision: 2),
            .sampled(isAnswered: true), .report(report(fresh, port: 6000)),
        ] { _ = broadcast.event(event, nowMs: 3000) }
        return broadcast
    }
}
