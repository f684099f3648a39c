import Testing
import Units
import Wire

@testable import Broadcasts

private func id<Kind>(_ letter: String) -> ID<Kind> { ID("0000000000000000000000000" + letter)! }

private let host: DeviceID = id("H")
private let first = PlannedOutput(id: id("1"), destination: id("D"), name: "first")

private func machine(outputs: [PlannedOutput] = [first]) -> BroadcastMachine {
    BroadcastMachine(
        id: id("B"), organization: id("A"), sender: id("S"), lease: id("K"),
        media: MediaChoice(
            input: InputChoice(video: "test"), encoder: EncoderChoice(bitrate: .kilobits(2500)), bufferMs: 1000, links: nil),
        outputs: outputs, grace: .seconds(60))
}

private func report(ingest: IngestReport.State = .flowing, outputs: [(PlannedOutput, OutputReport.State)]) -> StreamReport {
    StreamReport(
        lease: id("K"), broadcast: id("B"), port: 5000, pid: 1, uptimeSeconds: 1,
        ingest: IngestReport(
            state: ingest, bitrate: .kilobits(2500), keyFramesTotal: 1, lostPacketsTotal: 0, recoveredPacketsTotal: 0,
            guardDroppedTotal: 0, video: .h264, width: 1280, height: 720, paths: []),
        outputs: outputs.map {
            OutputReport(
                id: $0.0.id, state: $0.1, reason: $0.1 == .connected ? nil : "connection refused (111)", sentBytesTotal: 0,
                droppedUnitsTotal: 0, reconnectsTotal: 0)
        }, restarts: 0)
}

/// A broadcast that was started and is live.
private func running(outputs: [PlannedOutput] = [first]) -> BroadcastMachine {
    var broadcast = machine(outputs: outputs)
    for event: BroadcastMachine.Event in [
        .resumed, .senderConnected(nil), .hostChosen(host), .leased(port: 5000), .senderStarted(revision: 1),
        .report(report(outputs: outputs.map { ($0, .connected) })),
    ] {
        _ = broadcast.event(event, nowMs: 0)
    }
    return broadcast
}

/// What a person reads of a broadcast that is not as it should be.
@Suite("A broadcast's reason")
struct ReasonTests {
    @Test("a reason that is put together of many is within the bounds of the API, and says how many it leaves out")
    func bounded() throws {
        let outputs = (0..<9).map {
            PlannedOutput(id: id("\($0)"), destination: id("\($0)"), name: "\($0)" + String(repeating: "n", count: 99))
        }
        var broadcast = running(outputs: outputs)
        _ = broadcast.event(.report(report(outputs: outputs.map { ($0, .retrying) })), nowMs: 1)
        let view = BroadcastView.of(broadcast, createdAtMs: 0, endedAtMs: nil)
        let reason = try #require(view.reason)
        #expect(reason.unicodeScalars.count <= 1000 && reason.hasSuffix("; and 3 more"), "\(reason)")
        // What the receiver says of one, behind what control says of it, and both of any length.
        let long = String(repeating: "x", count: 1000)
        var told = report(outputs: [(first, .retrying)])
        told.outputs[0].reason = long
        var one = running()
        _ = one.event(.outputFailed(first.id, reason: long), nowMs: 1)
        _ = one.event(.report(told), nowMs: 2)
        let shown = try #require(BroadcastView.of(one, createdAtMs: 0, endedAtMs: nil).outputs.first?.report?.reason)
        #expect(shown.unicodeScalars.count <= 1000 && shown.contains("x; where it was before: x"))
        _ = one.event(.sending(SendingReport(broadcast: one.id, revision: 1, state: .recovering, reason: long)), nowMs: 3)
        _ = one.event(.report(report(ingest: .interrupted, outputs: [(first, .connected)])), nowMs: 4)
        #expect(BroadcastView.of(one, createdAtMs: 0, endedAtMs: nil).reason?.unicodeScalars.count == 1000)
        var failed = machine()
        for event: BroadcastMachine.Event in [.resumed, .hostChosen(host), .leased(port: 5000)] { _ = failed.event(event, nowMs: 0) }
        _ = failed.event(.senderRefused(revision: 1, detail: nil, reason: long), nowMs: 5)
        _ = failed.event(.senderStopped, nowMs: 6)
        _ = failed.event(.released, nowMs: 6)
        let end = BroadcastView.of(failed, createdAtMs: 0, endedAtMs: 6)
        #expect(end.state == "ended" && end.reason?.unicodeScalars.count == 1000)
    }

    @Test("a stream of which no picture is whole is interrupted with what is lost of it, and with the sender's own word for it")
    func inPieces() {
        var broadcast = running()
        var second = 0
        func pass(_ seconds: Int, losing share: Int, _ ingest: IngestReport.State) {
            for _ in 0..<seconds {
                second += 1
                let before = broadcast.report?.ingest
                var told = report(ingest: ingest, outputs: [(first, .connected)])
                told.uptimeSeconds = second
                told.ingest.lostPacketsTotal = (before?.lostPacketsTotal ?? 0) + share
                told.ingest.deliveredPacketsTotal = (before?.deliveredPacketsTotal ?? 0) + 30 - share
                _ = broadcast.event(.report(told), nowMs: Int64(second) * 1000)
            }
        }
        pass(12, losing: 0, .flowing)
        pass(1, losing: 15, .interrupted)
        #expect(broadcast.state.reason == "nothing arrives from the sender")
        pass(1, losing: 15, .interrupted)
        let cause = ": the links carry too little, or lose more than can be sent again in time"
        #expect(broadcast.state.reason == "no whole picture arrives; 10 % of the stream was lost in the last 10 s\(cause)")
        _ = broadcast.event(.senderConnected(nil), nowMs: 0)
        _ = broadcast.event(.sending(SendingReport(broadcast: broadcast.id, revision: 1, state: .degraded, reason: "4 of 25")), nowMs: 0)
        pass(1, losing: 15, .interrupted)
        #expect(broadcast.state.reason?.hasPrefix("no whole picture arrives; sender degraded: 4 of 25; 1") == true)
        #expect(broadcast.state.reason?.hasSuffix(" % of the stream was lost in the last 10 s") == true)
        #expect(broadcast.state.name == "interrupted")
        pass(1, losing: 30, .interrupted)
        #expect(broadcast.state.reason == "sender degraded: 4 of 25")
    }

    @Test("a stream that loses a third is degraded with the figure within three reports, and live again when ten seconds were whole")
    func lossy() {
        var broadcast = running()
        var (second, lost, delivered) = (0, 0, 0)
        func pass(_ seconds: Int, losing: Int = 0, _ ingest: IngestReport.State = .flowing, output: OutputReport.State = .connected) {
            for _ in 0..<seconds {
                (second, lost, delivered) = (second + 1, lost + losing, delivered + 30 - losing)
                var told = report(ingest: ingest, outputs: [(first, output)])
                told.uptimeSeconds = second
                (told.ingest.lostPacketsTotal, told.ingest.deliveredPacketsTotal) = (lost, delivered)
                _ = broadcast.event(.report(told), nowMs: Int64(second) * 1000)
            }
        }
        pass(12)
        #expect(broadcast.state == .live)
        pass(3, losing: 10)
        guard case .degraded(let reason) = broadcast.state else {
            Issue.record("a third is lost: \(broadcast.state)")
            return
        }
        #expect(
            reason.hasSuffix(
                " % of the stream was lost in the last 10 s: the links carry too little, or lose more than can be sent again in time"))
        #expect(BroadcastView.of(broadcast, createdAtMs: 0, endedAtMs: nil).reason == reason)
        // Where the sender says why, that is the cause.
        _ = broadcast.event(.sending(SendingReport(broadcast: broadcast.id, revision: 1, state: .degraded, reason: "no link")), nowMs: 0)
        #expect(
            broadcast.state.reason?.hasSuffix("in the last 10 s") == true
                && broadcast.state.reason?.hasPrefix("sender degraded: no link; ") == true)
        _ = broadcast.event(.sending(SendingReport(broadcast: broadcast.id, revision: 1, state: .sending)), nowMs: 0)
        pass(8)
        #expect(broadcast.state.name == "degraded")
        pass(3)
        #expect(broadcast.state == .live)
        // Dark links are told as that, and what it cost is not told again.
        pass(5, losing: 30, .interrupted)
        #expect(broadcast.state.reason == "nothing arrives from the sender")
        // What comes again, and is no picture yet.
        pass(1, .interrupted)
        #expect(broadcast.state.reason == "no whole picture arrives")
        pass(20)
        #expect(broadcast.state == .live)
        // One lost packet now and then, a receiver of before, and one that was started again.
        for _ in 0..<10 { pass(1, losing: 1); pass(5) }
        #expect(broadcast.state == .live)
        var old = report(outputs: [(first, .connected)])
        for seconds in 1...10 {
            (old.uptimeSeconds, old.ingest.lostPacketsTotal) = (second + seconds, seconds * 100)
            _ = broadcast.event(.report(old), nowMs: 0)
            #expect(broadcast.state == .live)
        }
        (second, lost, delivered) = (0, 0, 0)
        pass(5)
        #expect(broadcast.state == .live)
    }
}
