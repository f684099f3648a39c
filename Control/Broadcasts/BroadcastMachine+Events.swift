// What of a broadcast is told to webhooks.
import Store
import Units
import Wire

extension BroadcastMachine {
    /// What has changed since a state before that others want to know: not each report, and no reason that only changed its words.
    func events(since before: BroadcastMachine) -> [NewEvent] {
        var events: [NewEvent] = []
        let (was, state) = (before.state, state)
        if was.name != state.name || was.step != state.step {
            events.append(
                .broadcast(
                    .init(
                        broadcast: id, sender: sender, state: state.name, was: was.name, step: state.step?.rawValue, reason: state.reason)))
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

    /// An output that is tried again and again is told once.
    private func isNews(_ state: OutputReport.State, after before: OutputReport.State?) -> Bool {
        switch state {
        case .connected, .failed: state != before
        case .connecting, .retrying: before == .connected
        }
    }
}
