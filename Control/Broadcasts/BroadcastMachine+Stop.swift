// The way down: what was begun is undone, on both sides.
import Units
import Wire

extension BroadcastMachine {
    mutating func stop(_ reason: EndReason) -> [Action] {
        if case .stopping = phase { return [] }
        // Who is revoked takes no order any more, and ends by itself what it did; the other side ends what it could still do (THREATS 3).
        let undo = Undo(sender: port != nil && reason != .revoked, host: host != nil && reason != .hostRevoked)
        phase = .stopping(reason, undo)
        guard !undo.isDone else { return finish() }
        var actions: [Action] = [.cancel(.step), .cancel(.grace), .set(.undo, afterMs: 10_000)]
        if undo.sender { actions.append(.order(.stop)) }
        if undo.host { actions.append(.order(.release)) }
        return actions
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
