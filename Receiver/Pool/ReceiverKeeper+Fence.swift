import Logging
import Wire

/// Outputs that are taken off while nobody says that the stream is still this host's.
extension ReceiverKeeper {
    /// Once a second.
    func look(isControlThere: Bool) {
        // Until then nobody knows what the sender does.
        guard let lastReport else { return }
        let before = fence.verdict
        let verdict = fence.look(isControlThere: isControlThere, isDark: lastReport.ingest.state == .interrupted)
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

    /// Of what a receiver lacks when it is adopted, what is given to it at once; the rest when the fence is open, or has been so.
    func takeUp(_ missing: [OutputSpec], beside running: [OutputSpec]) -> [OutputSpec] {
        guard fence.verdict != .open else { return missing }
        // Those that only go elsewhere are there.
        let absent = missing.filter { output in !running.contains { $0.id == output.id } }
        held.formUnion(absent.map(\.id))
        return missing.filter { !held.contains($0.id) }
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
