import Logging
import Units
import Wire

extension BroadcastView {
    /// What people see of a broadcast.
    /// - Parameter unfit: outputs that could not be made, and why.
    static func of(_ machine: BroadcastMachine, createdAtMs: Int64, endedAtMs: Int64?, unfit: [OutputID: String]) -> BroadcastView {
        let report = machine.report
        let outputs = machine.outputs.map { planned in
            let shown = report?.outputs.first { $0.id == planned.id } ?? unfit[planned.id].map { failed(planned.id, $0) }
            return Output(id: planned.id, destination: planned.destination, report: shown)
        }
        // A change that is on its way to the sender is a wish: shown is what it has agreed to.
        let media = machine.mediaBefore ?? machine.media
        let graceSeconds = if case .seconds(let seconds) = machine.grace { seconds } else { 0 }
        return BroadcastView(
            id: machine.id, sender: machine.sender, state: machine.state.name, step: step(machine.state), reason: reason(machine.state),
            since: since(machine.state), createdAt: Log.timestamp(unixMs: createdAtMs), endedAt: endedAtMs.map(Log.timestamp(unixMs:)),
            input: media.input, encoder: media.encoder, bufferMs: media.bufferMs, graceSeconds: graceSeconds,
            outputs: outputs, ingest: report?.ingest, receiver: receiver(machine))
    }

    private static func failed(_ id: OutputID, _ reason: String) -> OutputReport {
        OutputReport(id: id, state: .failed, reason: reason, sentBytesTotal: 0, droppedUnitsTotal: 0, reconnectsTotal: 0)
    }

    private static func receiver(_ machine: BroadcastMachine) -> Receiver? {
        machine.host.map { host in
            Receiver(
                host: host, port: machine.port, pid: machine.report?.pid, uptimeSeconds: machine.report?.uptimeSeconds,
                restarts: machine.report?.restarts)
        }
    }

    private static func step(_ state: BroadcastState) -> String? {
        switch state {
        case .starting(let step): step.rawValue
        case .ended(.failed(let step, _, _)): step.rawValue
        default: nil
        }
    }

    private static func reason(_ state: BroadcastState) -> String? {
        switch state {
        case .degraded(let reason): reason
        case .ended(let reason): reason.text
        case .interrupted(_, let reason): reason
        case .starting, .live, .stopping: nil
        }
    }

    private static func since(_ state: BroadcastState) -> String? {
        if case .interrupted(let sinceMs, _) = state { Log.timestamp(unixMs: sinceMs) } else { nil }
    }
}
