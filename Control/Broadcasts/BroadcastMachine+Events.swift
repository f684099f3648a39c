// What of a broadcast is told to webhooks.
import Store
import Units
import Wire

extension BroadcastMachine {
    /// What has changed since a state before that others want to know: not each report, and no reason that only changed its words.
    func events(since before: BroadcastMachine) -> [NewEvent] {
        if let rehearsal { return rehearsalEvents(rehearsal, since: before) }
        var events: [NewEvent] = []
        let (was, state) = (before.state, state)
        if was.name != state.name || was.step != state.step {
            events.append(
                .broadcast(
                    .init(
                        broadcast: id, sender: sender, state: state.name, was: was.name, step: state.step?.rawValue, reason: state.reason)))
        }
        for alarm in MediaAlarm.all where has(alarm) != before.has(alarm) {
            events.append(
                .alarm(.init(broadcast: id, sender: sender, alarm: alarm.rawValue, state: has(alarm) ? .raised : .cleared)))
        }
        for output in outputs {
            guard let shown = shown(output.id), isNews(shown.state, after: before.shown(output.id)?.state) else { continue }
            events.append(
                .output(
                    .init(
                        broadcast: id, output: output.id, destination: output.destination, name: output.name, state: shown.state.rawValue,
                        reason: shown.reason)))
        }
        return events
    }

    /// Of a rehearsal its end alone: nobody is to take it for a broadcast.
    private func rehearsalEvents(_ rehearsal: Rehearsal, since before: BroadcastMachine) -> [NewEvent] {
        guard before.state.name != state.name, case .ended = phase else { return [] }
        let report = rehearsal.report
        return [
            .rehearsalEnded(
                .init(
                    rehearsal: id, sender: sender, verdict: report?.verdict.rawValue,
                    recommendedBitrate: report?.recommendation?.bitrate.bitsPerSecond, reason: report?.findings.first?.text))
        ]
    }

    private func has(_ alarm: MediaAlarm) -> Bool { alarms?.contains(alarm) ?? false }

    /// An output that is tried again and again is told once.
    private func isNews(_ state: OutputReport.State, after before: OutputReport.State?) -> Bool {
        switch state {
        case .connected, .failed: state != before
        case .connecting, .retrying: before == .connected
        }
    }
}
