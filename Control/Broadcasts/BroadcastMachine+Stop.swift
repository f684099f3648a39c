// The way down: what was begun is undone, on both sides.
import Units
import Wire

extension BroadcastMachine {
    mutating func stop(_ reason: EndReason) -> [Action] {
        if case .stopping = phase { return [] }
        let undo = Undo(sender: port != nil && reaches(reason), host: host != nil)
        phase = .stopping(reason, undo)
        guard !undo.isDone else { return finish() }
        var actions: [Action] = [.cancel(.step), .cancel(.grace), .set(.undo, afterMs: 10_000)]
        if undo.sender { actions.append(.order(.stop)) }
        if undo.host { actions.append(.order(.release)) }
        return actions
    }

    /// Whether the sender is to be asked. A revoked one takes no order any more; the end of its lease ends what it can do
    /// (THREATS 3). One that vanished is told when it connects again: nobody waits for it.
    private func reaches(_ reason: EndReason) -> Bool {
        switch reason {
        case .revoked: false
        case .vanished: observed.senderConnected
        case .stopped, .failed: true
        }
    }

    mutating func undone(_ event: Event) -> [Action] {
        guard case .stopping(let reason, var undo) = phase else { return [] }
        if case .released = event { undo.host = false } else { undo.sender = false }
        phase = .stopping(reason, undo)
        return undo.isDone ? finish() : []
    }

    /// Ends, also where a side did not answer in time: what it still runs is stopped when it next connects.
    mutating func finish() -> [Action] {
        guard case .stopping(let reason, _) = phase else { return [] }
        phase = .ended(reason)
        interruptedSinceMs = nil
        return [.cancel(.step), .cancel(.grace), .cancel(.undo)]
    }

    func resume(nowMs: Int64) -> [Action] {
        switch phase {
        case .choosing: return [.set(.step, afterMs: Self.limitMs(of: .lease)), .chooseHost]
        case .leasing: return [.set(.step, afterMs: Self.limitMs(of: .lease))]
        case .sending: return [.set(.step, afterMs: Self.limitMs(of: .sender))]
        case .media: return [.set(.step, afterMs: Self.limitMs(of: .media))]
        case .outputs: return [.set(.step, afterMs: Self.limitMs(of: .outputs))]
        case .running:
            guard let since = interruptedSinceMs, case .seconds(let seconds) = grace else { return [] }
            return [.set(.grace, afterMs: max(0, since + Int64(seconds) * 1000 - nowMs))]
        case .stopping: return [.set(.undo, afterMs: 10_000)]
        case .ended: return []
        }
    }
}
