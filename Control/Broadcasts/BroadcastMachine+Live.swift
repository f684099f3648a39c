// Media, interruption, reconnects and changes while it runs.
import Units
import Wire

extension BroadcastMachine {
    mutating func reported(_ report: StreamReport, nowMs: Int64) -> [Action] {
        observed.report = report
        observed.hostConnected = true
        for output in report.outputs { observed.outputFaults[output.id] = nil }
        var actions = phase == .leasing ? leased(report.port) : climb()
        guard phase == .running else { return actions }
        if report.ingest.state == .flowing {
            if interruptedSinceMs != nil {
                interruptedSinceMs = nil
                actions.append(.cancel(.grace))
            }
        } else if interruptedSinceMs == nil {
            interruptedSinceMs = nowMs
            if case .seconds(let seconds) = grace { actions.append(.set(.grace, afterMs: Int64(seconds) * 1000)) }
        }
        return actions
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
        return [.order(.start)]
    }

    mutating func sending(_ report: SendingReport) -> [Action] {
        guard report.broadcast == id else { return [] }
        observed.senderConnected = true
        observed.sending = report
        return []
    }

    mutating func hostConnected(_ device: DeviceID?, _ report: LeaseReport?) -> [Action] {
        guard let device, device == host else { return [] }
        observed.hostConnected = true
        if case .stopping(_, let undo) = phase { return undo.host && !undo.sender ? [.order(.release)] : [] }
        guard isWanted(.lease) else { return [] }
        guard let report else { return [.order(.lease)] }
        let wanted = Set(outputs.map(\.id))
        let present = Set(report.outputs)
        var actions = leased(report.port)
        actions += wanted.subtracting(present).sorted().map { .addOutput($0) }
        actions += present.subtracting(wanted).sorted().map { .removeOutput($0) }
        return actions
    }

    /// Whether a receiver is there to take changes; else they go with the lease.
    var isUp: Bool {
        switch phase {
        case .sending, .media, .outputs, .running: true
        case .choosing, .leasing, .stopping, .ended: false
        }
    }

    /// One output for each destination: a platform would refuse the second one's key, or end the first one's session.
    mutating func added(_ output: PlannedOutput) -> [Action] {
        if case .stopping = phase { return [] }
        guard !outputs.contains(where: { $0.id == output.id || $0.destination == output.destination }) else { return [] }
        outputs.append(output)
        return isUp ? [.addOutput(output.id)] : []
    }

    mutating func removed(_ output: OutputID) -> [Action] {
        guard outputs.contains(where: { $0.id == output }) else { return [] }
        outputs.removeAll { $0.id == output }
        observed.outputFaults[output] = nil
        return isUp ? [.removeOutput(output)] : []
    }

    /// Tried again for as long as the broadcast lasts: after 1 s, twice as long each time, and each 30 s at last.
    mutating func failed(_ output: OutputID, _ reason: String) -> [Action] {
        guard isUp, outputs.contains(where: { $0.id == output }) else { return [] }
        let failures = min((observed.outputFaults[output]?.failures ?? 0) + 1, 6)
        observed.outputFaults[output] = OutputFault(reason: reason, failures: failures)
        return [.set(.output(output), afterMs: min(30_000, 1000 << Int64(failures - 1)))]
    }

    /// The receiver tries again what it has; what it does not have is given to it.
    mutating func retried(_ output: OutputID) -> [Action] {
        guard isUp else { return [] }
        guard observed.outputFaults[output] != nil else { return [.retryOutput(output)] }
        observed.outputFaults[output]?.failures = 0
        return [.cancel(.output(output)), .addOutput(output)]
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
