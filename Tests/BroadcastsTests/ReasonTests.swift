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
}
