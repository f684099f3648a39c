// The way up: lease, sender, media, outputs.
import Units
import Wire

extension BroadcastMachine {
    mutating func chosen(_ device: DeviceID, _ lease: LeaseID?) -> [Action] {
        guard phase == .choosing else { return lease.map { moved(to: device, $0) } ?? [] }
        host = device
        (observed.hostFault, observed.hostCame) = (nil, false)
        observed.hostConnected = true
        observed.watch.moved()
        phase = .leasing
        return [.set(.step, afterMs: Self.limitMs(of: .lease)), .order(.lease)]
    }

    /// A host that is expected is waited for, once and for so long; where one has refused already, its words are the answer.
    mutating func noHost(_ reason: String, waitMs: Int64, nowMs: Int64) -> [Action] {
        if isUp, observed.isSeeking { return nowhere(reason) }
        guard phase == .choosing else { return leaseFailed(reason, nowMs: nowMs) }
        let until = observed.awaitsHostUntilMs ?? nowMs + waitMs
        // A wall clock that was set back meanwhile does not make it longer than what is left.
        let leftMs = min(waitMs, until - nowMs)
        guard leftMs > 0, observed.leaseFault == nil else { return leaseFailed(reason, nowMs: nowMs) }
        observed.awaitsHostUntilMs = until
        observed.hostFault = reason
        return [.set(.step, afterMs: leftMs)] + (observed.hostCame ? hostCame() : [])
    }

    /// Chooses again; a choice that is being made now may have missed it, and is followed by another.
    mutating func hostCame() -> [Action] {
        observed.hostCame = observed.hostFault == nil
        guard observed.hostFault != nil else { return [] }
        observed.hostFault = nil
        return [.set(.step, afterMs: Self.limitMs(of: .lease)), .chooseHost]
    }

    mutating func leaseFailed(_ reason: String, nowMs: Int64) -> [Action] {
        switch phase {
        // What a host said of itself tells more than that there is no other.
        case .choosing: return fail(.lease, nil, observed.leaseFault ?? observed.hostFault ?? reason)
        case .leasing: return elsewhere(reason)
        // A lease that is being made again after a loss is asked for until the grace time is over.
        case .sending, .media, .outputs, .running:
            guard port != nil else { return moveFailed(reason, nowMs: nowMs) }
            observed.leaseFault = reason
            return [.set(.again(.lease), afterMs: 3000)]
        case .stopping, .ended: return []
        }
    }

    /// A start whose host does not take it asks the next one.
    private mutating func elsewhere(_ reason: String) -> [Action] {
        observed.leaseFault = reason
        guard let refusing = host, observed.refusing.count + 1 < Self.hostLimit else { return fail(.lease, nil, reason) }
        observed.refusing.insert(refusing)
        host = nil
        phase = .choosing
        return [.leave(refusing), .set(.step, afterMs: Self.limitMs(of: .lease)), .chooseHost]
    }

    mutating func leased(_ port: Int, nowMs: Int64) -> [Action] {
        let before = self.port
        self.port = port
        observed.leaseFault = nil
        switch phase {
        case .leasing:
            phase = .sending
            return [.set(.step, afterMs: Self.limitMs(of: .sender)), .order(.start)]
        case .sending, .media, .outputs, .running:
            guard before != port else { return [] }
            revision += 1
            return (before == nil ? [.cancel(.move)] : []) + [.order(.start)]
        case .choosing, .stopping, .ended:
            return []
        }
    }

    mutating func started(_ revision: Int, _ note: String?) -> [Action] {
        guard revision <= self.revision else { return [] }
        senderNote = note
        return started(revision)
    }

    mutating func started(_ revision: Int) -> [Action] {
        guard revision <= self.revision else { return [] }
        if revision == self.revision { mediaBefore = nil }
        // An older plan is sent too: the answer to the change of it is another one.
        guard phase == .sending else { return [] }
        phase = .media
        return [.set(.step, afterMs: Self.limitMs(of: .media))] + climb()
    }

    mutating func refused(_ revision: Int, _ detail: String?, _ reason: String, nowMs: Int64) -> [Action] {
        guard revision == self.revision else { return [] }
        switch phase {
        case .sending where mediaBefore == nil: return fail(.sender, detail, reason)
        case .sending: return [.set(.step, afterMs: Self.limitMs(of: .sender))] + takeBack()
        case .media, .outputs, .running:
            if mediaBefore != nil { return takeBack() }
            // A plan given again after a loss: the sender says what it lacks and is asked again.
            observed.sending = SendingReport(broadcast: id, revision: revision, state: .failed, reason: reason)
            return [.set(.again(.start), afterMs: 5000)]
        case .choosing, .leasing, .stopping, .ended: return []
        }
    }

    /// The change that was refused is none: what was there before goes on.
    private mutating func takeBack() -> [Action] {
        guard let before = mediaBefore else { return [] }
        media = before
        mediaBefore = nil
        revision += 1
        return [.order(.start)]
    }

    /// From the media's first key frame to the first connected output.
    mutating func climb() -> [Action] {
        guard let report = observed.report else { return [] }
        var actions: [Action] = []
        if phase == .media, report.ingest.keyFramesTotal > 0 {
            phase = .outputs
            actions.append(.set(.step, afterMs: Self.limitMs(of: .outputs)))
        }
        guard phase == .outputs else { return actions }
        let shown = wanted(of: report)
        if shown.contains(where: { $0.state == .connected }) {
            phase = .running
            return actions + [.cancel(.step)]
        }
        if !shown.isEmpty, shown.count >= outputs.count, shown.allSatisfy({ $0.state == .failed }) {
            return fail(.outputs, nil, outputReasons)
        }
        return actions
    }

    mutating func fail(_ step: Step, _ detail: String?, _ reason: String) -> [Action] {
        stop(.failed(step: step, detail: detail, reason: reason))
    }

    mutating func fired(_ timer: Timer, nowMs: Int64) -> [Action] {
        switch timer {
        case .step: return stepTimedOut(nowMs: nowMs)
        case .grace: return graceOver(nowMs: nowMs)
        case .undo: return finish()
        case .drain: return isWanted(.release) ? [.order(.release)] : []
        case .again(let order): return isWanted(order) ? [.order(order)] : []
        case .output(let output): return handoverDue(output, nowMs: nowMs)
        case .silence: return silent()
        case .raise: return raiseRate()
        case .rehearsal: return endRehearsal(.complete)
        case .host: return isUp ? [.look] : []
        case .move: return moveFailed("the pool host did not answer within \(Self.moveLimitMs / 1000) s", nowMs: nowMs)
        }
    }

    /// The host was heard just now: the next report is due within `silenceMs`.
    func awaitReport() -> [Action] { phase == .running ? [.set(.silence, afterMs: Self.silenceMs)] : [] }

    /// What the receiver said last is not how it is; where the host has lost it, the lease brings it back.
    private mutating func silent() -> [Action] {
        guard phase == .running, observed.hostConnected else { return [] }
        observed.report = nil
        return [.order(.lease), .set(.silence, afterMs: 4 * Self.silenceMs)]
    }

    mutating func stepTimedOut(nowMs: Int64) -> [Action] {
        switch phase {
        case .choosing, .leasing:
            leaseFailed("the pool host did not answer within \(Self.limitMs(of: .lease) / 1000) s", nowMs: nowMs)
        case .sending: fail(.sender, nil, "the sender did not answer within \(Self.limitMs(of: .sender) / 1000) s")
        case .media: fail(.media, nil, "no key frame arrived within \(Self.limitMs(of: .media) / 1000) s")
        case .outputs:
            fail(.outputs, nil, outputReasons)
        case .running, .stopping, .ended: []
        }
    }

    /// Whether an order still serves the wish.
    func isWanted(_ order: Order) -> Bool {
        switch (order, phase) {
        case (.lease, .leasing), (.lease, .sending), (.lease, .media), (.lease, .outputs), (.lease, .running): true
        case (.start, .sending), (.start, .media), (.start, .outputs), (.start, .running): port != nil
        case (.release, .stopping(_, let undo)): undo.host
        case (.stop, .stopping(_, let undo)): undo.sender
        default: false
        }
    }

    func unanswered(_ order: Order) -> [Action] {
        isWanted(order) ? [.set(.again(order), afterMs: 1000)] : []
    }
}
