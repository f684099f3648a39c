import Posix
import Service
import Units
import Wire

/// What control is told of the receiver.
extension ReceiverKeeper {
    func forward(_ received: StreamReport) {
        var report = received
        // What the pool knows better than its child.
        report.lease = lease
        report.broadcast = start.spec.broadcast
        report.port = start.port
        report.pid = process.map { Int($0.pid) }
        report.restarts = budget.total
        let isChange = lastReport.map { $0.differsInState(from: report) } ?? true
        lastReport = report
        replaceUnmoved()
        tell(report, isChange)
    }

    /// One a second at most, whatever has become of the receiver: they are made each 5 s.
    func forward(_ received: StreamThumbnail) {
        guard var thumbnail = received.bounded(), lastThumbnail.map({ Instant.now - $0 >= .seconds(1) }) ?? true else { return }
        lastThumbnail = .now
        thumbnail.lease = lease
        thumbnail.broadcast = start.spec.broadcast
        show(thumbnail)
    }

    /// Nothing flows until the receiver is back: says so instead of it.
    func tellGap(_ reason: String) {
        let outputs = start.spec.outputs.map { output in
            let last = lastReport?.outputs.first { $0.id == output.id }
            return OutputReport(
                id: output.id, state: .retrying, reason: reason, sentBytesTotal: last?.sentBytesTotal ?? 0,
                droppedUnitsTotal: last?.droppedUnitsTotal ?? 0, reconnectsTotal: last?.reconnectsTotal ?? 0)
        }
        let last = lastReport?.ingest
        let ingest = IngestReport(
            state: last == nil || last?.state == .waiting ? .waiting : .interrupted, bitrate: .kilobits(0),
            keyFramesTotal: last?.keyFramesTotal ?? 0, lostPacketsTotal: last?.lostPacketsTotal ?? 0,
            recoveredPacketsTotal: last?.recoveredPacketsTotal ?? 0, guardDroppedTotal: last?.guardDroppedTotal ?? 0, video: last?.video,
            width: last?.width, height: last?.height, paths: [], deliveredPacketsTotal: last?.deliveredPacketsTotal)
        let report = StreamReport(
            lease: lease, broadcast: start.spec.broadcast, port: start.port, pid: nil, uptimeSeconds: 0, ingest: ingest, outputs: outputs,
            restarts: budget.total)
        lastReport = report
        tell(report, true)
    }
}

extension StreamReport {
    /// Whether more has changed than figures.
    func differsInState(from other: StreamReport) -> Bool {
        if recording?.state != other.recording?.state || recording?.reason != other.recording?.reason { return true }
        let areOutputsTheSame = outputs.elementsEqual(other.outputs) {
            $0.id == $1.id && $0.state == $1.state && $0.reason == $1.reason && $0.keyFramesWantedTotal == $1.keyFramesWantedTotal
        }
        return !areOutputsTheSame || pid != other.pid || restarts != other.restarts || ingest.state != other.ingest.state
            || ingest.video != other.ingest.video || slateFault != other.slateFault || ingest.width != other.ingest.width
            || ingest.height != other.ingest.height
    }
}
