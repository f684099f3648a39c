import Logging
import Units
import Wire

extension RehearsalView {
    /// What people see of a rehearsal; nil of a broadcast.
    static func of(_ machine: BroadcastMachine, createdAtMs: Int64, endedAtMs: Int64?) -> RehearsalView? {
        guard let rehearsal = machine.rehearsal else { return nil }
        // A change that is on its way to the sender is a wish: shown is what it has agreed to.
        let media = machine.mediaBefore ?? machine.media
        var encoder = media.encoder
        encoder.bitrate = rehearsal.wish
        return RehearsalView(
            id: machine.id, sender: machine.sender, state: state(machine.state), step: machine.state.step?.rawValue,
            reason: reason(machine),
            createdAt: Log.timestamp(unixMs: createdAtMs),
            endsAt: rehearsal.sinceMs.map { Log.timestamp(unixMs: $0 + Int64(rehearsal.seconds) * 1000) },
            endedAt: endedAtMs.map(Log.timestamp(unixMs:)), seconds: rehearsal.seconds, input: media.input, encoder: encoder,
            asked: media.encoder.bitrate, heldBack: rehearsal.heldBack, bufferMs: media.bufferMs, mostBytes: rehearsal.mostBytes,
            report: rehearsal.report)
    }

    private static func state(_ state: BroadcastState) -> State {
        switch state {
        case .starting: .starting
        case .live, .degraded: .running
        case .interrupted: .interrupted
        case .stopping: .stopping
        case .ended: .ended
        }
    }

    private static func reason(_ machine: BroadcastMachine) -> String? {
        guard case .ended(.stopped) = machine.state else { return machine.state.reason ?? machine.hostNote }
        switch machine.rehearsal?.ending {
        case .overtaken: return "the broadcast began"
        case .restarted: return "the server was started again"
        case .complete, nil: return nil
        case .stopped: return "stopped"
        }
    }
}

extension BroadcastMachine {
    /// It is over: what it has shown is made a report, which is stored with its end.
    mutating func conclude(_ figures: RehearsalFigures, inventory: Inventory?) {
        guard let rehearsal, case .ended(let reason) = phase else { return }
        let end: RehearsalVerdict.End =
            switch reason {
            case .stopped: .of(rehearsal.ending ?? .stopped)
            case .failed(let step, let detail, let reason): .failed(step: step, detail: detail, reason: reason)
            case .vanished(let seconds): .vanished(seconds: seconds)
            case .revoked, .hostRevoked: .revoked(reason.text)
            }
        self.rehearsal?.report = RehearsalReport(
            figures, of: rehearsal, end: end, audio: media.encoder.audioBitrate, bufferMs: media.bufferMs, inventory: inventory)
    }
}
