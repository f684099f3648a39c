// The way down: what was begun is undone, on both sides.
import Units
import Wire

extension BroadcastMachine {
    mutating func stop(_ reason: EndReason) -> [Action] {
        if case .stopping = phase { return [] }
        // One whose stream moves has a plan, though there is no port yet.
        let undo = Undo(sender: (port != nil || isUp) && reaches(reason), host: host != nil && reason != .hostRevoked)
        phase = .stopping(reason, undo)
        guard !undo.isDone else { return finish() }
        var actions: [Action] = [.cancel(.step), .cancel(.grace), .set(.undo, afterMs: undoLimitMs)]
        if undo.sender { actions.append(.order(.stop)) }
        return actions + releaseWhenSent()
    }

    /// The receiver goes after the sender has sent the last of it; where that is not heard of, after as long as it could take.
    func releaseWhenSent() -> [Action] {
        guard case .stopping(_, let undo) = phase, undo.host else { return [] }
        let awaitsSender = undo.sender && observed.senderConnected && rehearsal == nil
        return awaitsSender ? [.set(.drain, afterMs: Int64(media.bufferMs) + 4000)] : [.cancel(.drain), .order(.release)]
    }

    /// Each side may take its buffer's length to send, and to pass on, what it holds.
    private var undoLimitMs: Int64 { rehearsal == nil ? 10_000 + 2 * Int64(media.bufferMs) : Rehearsal.undoMs + Int64(media.bufferMs) }

    /// Whether the sender is to be asked. Who is revoked takes no order any more, and ends by itself what it did; the other side
    /// ends what it could still do (THREATS 3). One that vanished is told when it connects again: nobody waits for it.
    private func reaches(_ reason: EndReason) -> Bool {
        switch reason {
        case .revoked: false
        case .vanished: observed.senderConnected
        case .stopped, .failed, .hostRevoked: true
        }
    }

    mutating func undone(_ event: Event) -> [Action] {
        guard case .stopping(let reason, var undo) = phase else { return [] }
        if case .released = event { undo.host = false } else { undo.sender = false }
        phase = .stopping(reason, undo)
        if undo.isDone { return finish() }
        // A rehearsal's was let go of at once.
        if case .senderStopped = event, rehearsal == nil { return releaseWhenSent() }
        return []
    }

    /// Ends, also where a side did not answer in time: what it still runs is stopped when it next connects.
    mutating func finish() -> [Action] {
        guard case .stopping(let reason, _) = phase else { return [] }
        phase = .ended(reason)
        interruptedSinceMs = nil
        return [.cancel(.step), .cancel(.grace), .cancel(.drain), .cancel(.undo)]
    }

    func resume(nowMs: Int64) -> [Action] {
        switch phase {
        case .choosing: return [.set(.step, afterMs: Self.limitMs(of: .lease)), .chooseHost]
        case .leasing: return [.set(.step, afterMs: Self.limitMs(of: .lease))]
        case .sending: return [.set(.step, afterMs: Self.limitMs(of: .sender))] + resumeMove()
        case .media: return [.set(.step, afterMs: Self.limitMs(of: .media))] + resumeMove()
        case .outputs: return [.set(.step, afterMs: Self.limitMs(of: .outputs))] + resumeMove()
        case .running: return resumeGrace(nowMs: nowMs) + resumeMove()
        case .stopping(_, let undo):
            // The devices connect within a moment: what each still has to do is asked then.
            return [.set(.undo, afterMs: undoLimitMs)] + (undo.host ? [.set(.drain, afterMs: Int64(media.bufferMs) + 4000)] : [])
        case .ended: return []
        }
    }

    private func resumeGrace(nowMs: Int64) -> [Action] {
        guard let since = interruptedSinceMs, case .seconds(let seconds) = grace else { return [] }
        // No longer than the whole of it, whatever became of the wall clock meanwhile.
        let graceMs = Int64(seconds) * 1000
        return [.set(.grace, afterMs: min(graceMs, max(0, since + graceMs - nowMs)))]
    }
}
