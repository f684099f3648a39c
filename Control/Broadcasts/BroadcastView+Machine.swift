import Logging
import Units
import Wire

extension BroadcastView {
    /// What people see of a broadcast.
    static func of(_ machine: BroadcastMachine, createdAtMs: Int64, endedAtMs: Int64?, thumbnailAtMs: Int64? = nil) -> BroadcastView {
        let report = machine.report
        let outputs = machine.outputs.map {
            Output(id: $0.id, destination: $0.destination, name: $0.name, report: machine.shown($0.id), room: $0.room)
        }
        // A change that is on its way to the sender is a wish: shown is what it has agreed to.
        let media = machine.mediaBefore ?? machine.media
        let graceSeconds = if case .seconds(let seconds) = machine.grace { seconds } else { 0 }
        return BroadcastView(
            id: machine.id, sender: machine.sender, state: machine.state.name, step: machine.state.step?.rawValue,
            reason: machine.state.reason, since: since(machine.state), createdAt: Log.timestamp(unixMs: createdAtMs),
            endedAt: endedAtMs.map(Log.timestamp(unixMs:)),
            input: media.input, encoder: media.encoder, bufferMs: media.bufferMs, graceSeconds: graceSeconds,
            outputs: outputs, ingest: report?.ingest, receiver: receiver(machine), notes: notes(machine),
            thumbnailAt: thumbnailAtMs.map(Log.timestamp(unixMs:)))
    }

    private static func notes(_ machine: BroadcastMachine) -> [String]? {
        switch machine.phase {
        case .choosing, .leasing, .sending, .media, .outputs, .running:
            let notes = [machine.hostNote, machine.senderNote, machine.report?.slateFault, machine.report?.recording?.reason].compactMap {
                $0?.bounded()
            }
            return notes.isEmpty ? nil : notes
        case .stopping, .ended: return nil
        }
    }

    private static func receiver(_ machine: BroadcastMachine) -> Receiver? {
        machine.host.map { host in
            Receiver(
                host: host, port: machine.port, pid: machine.report?.pid, uptimeSeconds: machine.report?.uptimeSeconds,
                restarts: machine.report?.restarts)
        }
    }

    private static func since(_ state: BroadcastState) -> String? {
        if case .interrupted(let sinceMs, _) = state { Log.timestamp(unixMs: sinceMs) } else { nil }
    }
}
