import Logging
import Wire

/// Outputs that are taken off while nobody says that the stream is still this host's.
extension ReceiverKeeper {
    /// Once a second.
    func look(isControlThere: Bool) {
        let before = fence.verdict
        let verdict = fence.look(isControlThere: isControlThere, isDark: lastReport?.ingest.state == .interrupted)
        if verdict != before, verdict != .open {
            log.warning(
                "neither control nor the sender is heard: outputs of this stream are held back, since it may be on another host",
                ["verdict": "\(verdict)"])
        }
        switch verdict {
        case .open: putBack()
        // One that is connected and says why it is not well sends nothing that arrives: it would connect again with the network.
        case .narrow: hold { $0.state != .connected || $0.reason != nil }
        case .closed: hold { _ in true }
        }
    }

    private func hold(where isHeld: (OutputReport) -> Bool) {
        guard phase == .running, isListening, let connection else { return }
        for output in lastReport?.outputs ?? [] where isHeld(output) && !held.contains(output.id) {
            held.insert(output.id)
            if let line = encode(.removeOutput(OutputReference(lease: lease, output: output.id))) { connection.send(line) }
        }
    }

    private func putBack() {
        guard !held.isEmpty, phase == .running, isListening, let connection else { return }
        log.notice("outputs of this stream are wanted here after all", ["outputs": .integer(held.count)])
        for output in start.spec.outputs where held.contains(output.id) {
            if let line = encode(.addOutput(OutputChange(lease: lease, output: output))) { connection.send(line) }
        }
        held.removeAll()
    }
}
