// Media, interruption, reconnects and changes while it runs.
import Units
import Wire

extension BroadcastMachine {
    mutating func reported(_ report: StreamReport, nowMs: Int64) -> [Action] {
        noteLoss(report, after: observed.report)
        let request = keyFrameRequest(report, after: observed.report, nowMs: nowMs)
        observed.report = report
        // It was said to be gone, and no other has the stream.
        if !observed.hostConnected, port != nil, !observed.isSeeking { observed.leaseFault = nil }
        observed.hostConnected = true
        observed.watch.heard()
        // Whoever reports has the lease, also where its answer got lost.
        let isNews = phase == .leasing || isUp && port == nil
        var actions = request + (isNews ? leased(report.port, nowMs: nowMs) : climb()) + watchOutputs(report)
        guard phase == .running else { return actions }
        guard report.ingest.state == .flowing else { return actions + interrupted(nowMs: nowMs) }
        if interruptedSinceMs != nil {
            interruptedSinceMs = nil
            actions.append(.cancel(.grace))
        }
        return actions
    }

    /// By the receiver's own seconds. What silence costs is told as that; where some of the stream comes and no whole picture, the loss is why.
    private mutating func noteLoss(_ report: StreamReport, after last: StreamReport?) {
        let (now, before) = (report.ingest, last?.ingest)
        let comes = (now.deliveredPacketsTotal ?? 0) > (before?.deliveredPacketsTotal ?? Int.max)
        // The first report of an interruption still counts what came before it.
        observed.isInPieces = comes && now.state != .flowing && before?.state != .flowing
        guard let delivered = now.deliveredPacketsTotal, comes || now.state == .flowing else { return observed.loss.forget() }
        observed.loss.note(lost: now.lostPacketsTotal, delivered: delivered, at: report.uptimeSeconds)
    }

    /// Once a second at most, however many ask in however many rooms: whoever still wants one then asks again.
    private mutating func keyFrameRequest(_ report: StreamReport, after last: StreamReport?, nowMs: Int64) -> [Action] {
        guard isUp, report.ingest.state == .flowing, observed.senderConnected else { return [] }
        let isWanted = wanted(of: report).contains { output in
            let before = last?.outputs.first { $0.id == output.id }?.keyFramesWantedTotal ?? 0
            return output.keyFramesWantedTotal ?? 0 > before
        }
        guard isWanted else { return [] }
        // The wall clock may have been set back meanwhile.
        if let asked = observed.keyFrameAskedMs, (asked..<asked + Self.keyFramePaceMs).contains(nowMs) { return [] }
        observed.keyFrameAskedMs = nowMs
        return [.requestKeyFrame]
    }

    private static let keyFramePaceMs: Int64 = 1000

    mutating func interrupted(nowMs: Int64) -> [Action] {
        guard interruptedSinceMs == nil else { return [] }
        interruptedSinceMs = nowMs
        guard case .seconds(let seconds) = grace else { return [] }
        return [.set(.grace, afterMs: Int64(seconds) * 1000)]
    }

    mutating func graceOver(nowMs: Int64) -> [Action] {
        guard interruptedSinceMs != nil, case .seconds(let seconds) = grace else { return [] }
        return stop(.vanished(graceSeconds: seconds))
    }

    mutating func senderConnected(_ report: SendingReport?) -> [Action] {
        observed.senderConnected = true
        observed.sending = report?.broadcast == id ? report : nil
        if case .stopping(_, let undo) = phase { return undo.sender ? [.order(.stop)] : [] }
        guard isWanted(.start) else { return [] }
        if let report, report.broadcast == id, report.revision == revision, report.state != .stopped, report.state != .failed {
            return started(revision)
        }
        // The sender has a change that was not stored here before control ended: it takes what is wanted now as the next one.
        if let report, report.broadcast == id, report.revision > revision, report.revision < Self.revisionLimit {
            revision = report.revision + 1
        }
        return [.order(.start)]
    }

    mutating func sending(_ report: SendingReport) -> [Action] {
        guard report.broadcast == id else { return [] }
        observed.senderConnected = true
        observed.sending = report
        return []
    }

    mutating func hostConnected(_ device: DeviceID?, _ report: LeaseReport?, nowMs: Int64) -> [Action] {
        guard let device, device == host else { return [] }
        observed.hostConnected = true
        observed.watch.heard()
        if case .stopping(_, let undo) = phase { return undo.host && !undo.sender ? [.order(.release)] : [] }
        guard isWanted(.lease) else { return [] }
        guard let report, report.lease == lease else { return lost(nowMs: nowMs) + [.order(.lease)] }
        return leased(report.port, nowMs: nowMs) + reconcile(Set(report.outputs), nowMs: nowMs)
    }

    /// The host has no receiver for it any more: nothing is on air, whatever the last report said.
    private mutating func lost(nowMs: Int64) -> [Action] {
        guard phase == .running else { return [] }
        observed.report = nil
        observed.leaseFault = "it is being started again"
        return interrupted(nowMs: nowMs)
    }

    /// Whether a receiver is there to take changes; else they go with the lease.
    var isUp: Bool {
        switch phase {
        case .sending, .media, .outputs, .running: true
        case .choosing, .leasing, .stopping, .ended: false
        }
    }

    /// A change in front of the sender's first plan goes with it, and is refused by the sender like any other.
    mutating func changed(_ change: MediaChange) -> [Action] {
        if case .stopping = phase { return [] }
        let choice = change.applied(to: media)
        guard choice != media else { return [] }
        mediaBefore = mediaBefore ?? media
        media = choice
        guard isUp else { return [] }
        revision += 1
        return [.order(.start)]
    }
}
