import FoundationEssentials
import Glibc
import Logging
import Posix
import Service
import Units
import Wire

/// What the pool and its receiver say to each other.
extension ReceiverKeeper {
    /// - Returns: why the receiver says that it ends.
    func heard(_ line: [UInt8]) -> String? {
        let message: ReceiverMessage
        do {
            message = try JSONDecoder().decode(ReceiverMessage.self, from: Data(line))
        } catch {
            log.warning("malformed line from the receiver", ["bytes": .integer(line.count), "error": "\(error)"])
            return nil
        }
        switch message {
        case .described(let description): described(description)
        case .listening: nowListening()
        case .report(let report): forward(report)
        case .thumbnail(let thumbnail): forward(thumbnail)
        case .outcome(let outcome): finished(outcome)
        case .ended(let report): return String(report.reason.prefix(WireLimits.textCharacters))
        case .unknown(let type): log.debug("unknown message from the receiver", ["type": .text(type)])
        }
        return nil
    }

    private func described(_ description: ReceiverDescription) {
        guard let running = description.start else {
            moved = [:]
            unmoved = []
            if let line = encode(.open(start)) { connection?.send(line) }
            return
        }
        guard running.spec.lease == lease, running.port == start.port, running.spec.streamKey == start.spec.streamKey else {
            log.error("another stream's receiver has this socket, killing it")
            process?.signal(SIGKILL)
            return
        }
        if isListening { return holdMoves(running.spec.outputs) }
        reconcile(running.spec.outputs)
        nowListening()
    }

    func nowListening() {
        guard !isListening else { return }
        isListening = true
        wasListening = true
        log.notice("receiver listens", ["receiver.pid": .integer(Int(process?.pid ?? 0)), "restarts": .integer(budget.total)])
        for waiter in waiters { waiter.resume(returning: nil) }
        waiters.removeAll()
        // It was opened with all that was changed meanwhile.
        for (id, change) in changes { change.resume(returning: CommandOutcome(id: id, result: .done)) }
        changes.removeAll()
    }

    func encode(_ order: ReceiverOrder, id: CommandID = .fresh()) -> [UInt8]? {
        do {
            return try Array(JSONEncoder().encode(Command(id: id, order: order)))
        } catch {
            log.error("cannot encode an order", ["order": .text(order.type), "error": "\(error)"])
            return nil
        }
    }

    private func finished(_ outcome: CommandOutcome) {
        if let change = changes.removeValue(forKey: outcome.id) { return change.resume(returning: outcome) }
        guard !isListening, outcome.result != .done else { return }
        refusal = Failure(step: "receiver.open", reason: String((outcome.reason ?? "refused").prefix(WireLimits.textCharacters)))
        process?.signal(SIGTERM)
    }

    /// Carries out a change of the outputs: at once, or with the next start of the receiver.
    func change(_ order: ReceiverOrder, id: CommandID) async -> CommandOutcome {
        let before = start.spec.outputs
        apply(order)
        var outcome: CommandOutcome
        if phase != .running || changes.count >= 64 {
            outcome = CommandOutcome(id: id, result: .refused, reason: phase == .running ? "64 changes wait already" : "the lease ends")
        } else {
            outcome = await withCheckedContinuation { continuation in
                changes[id] = continuation
                if isListening, let connection, let line = encode(order, id: id) { connection.send(line) }
            }
        }
        if outcome.result != .done { undo(order, before) }
        if outcome.result == .done, case .addOutput(let change) = order,
            before.contains(where: { $0.id == change.output.id && $0 != change.output })
        {
            expectMoves([change.output])
        }
        outcome.id = id
        return outcome
    }

    private func apply(_ order: ReceiverOrder) {
        switch order {
        case .addOutput(let change):
            start.spec.outputs.removeAll { $0.id == change.output.id }
            start.spec.outputs.append(change.output)
        case .removeOutput(let reference): start.spec.outputs.removeAll { $0.id == reference.output }
        case .open, .describe, .retryOutput, .stop, .unknown: break
        }
    }

    /// Leaves alone what other changes did meanwhile.
    private func undo(_ order: ReceiverOrder, _ before: [OutputSpec]) {
        let id: OutputID
        switch order {
        case .addOutput(let change): id = change.output.id
        case .removeOutput(let reference): id = reference.output
        case .open, .describe, .retryOutput, .stop, .unknown: return
        }
        start.spec.outputs.removeAll { $0.id == id }
        start.spec.outputs += before.filter { $0.id == id }
    }

    /// An adopted receiver may have missed changes whose lines were lost with the connection.
    private func reconcile(_ running: [OutputSpec]) {
        let wanted = start.spec.outputs
        // Or goes elsewhere by now.
        let missing = takeUp(wanted.filter { !running.contains($0) }, beside: running)
        let extra = running.filter { output in !wanted.contains { $0.id == output.id } }
        let orders =
            missing.map { ReceiverOrder.addOutput(OutputChange(lease: lease, output: $0)) }
            + extra.map { ReceiverOrder.removeOutput(OutputReference(lease: lease, output: $0.id)) }
        for line in orders.compactMap({ encode($0) }) { connection?.send(line) }
        expectMoves(missing.filter { output in running.contains { $0.id == output.id } })
    }

    // MARK: Receivers that do not move outputs
    //
    // One of before 2026-11-21, which outlived an upgrade, says done to the id that it has and goes where it went before: it is asked.

    private func expectMoves(_ outputs: [OutputSpec]) {
        guard !outputs.isEmpty else { return }
        for output in outputs { moved[output.id] = output }
        if let line = encode(.describe) { connection?.send(line) }
    }

    private func holdMoves(_ running: [OutputSpec]) {
        for (id, output) in moved {
            guard let there = running.first(where: { $0.id == id }) else { continue }
            moved[id] = nil
            if there == output { unmoved.remove(id) } else { unmoved.insert(id) }
        }
        replaceUnmoved()
    }

    /// Takes them off and adds them again: at once where they are not connected, since a connection that holds is left alone.
    func replaceUnmoved() {
        guard isListening, !unmoved.isEmpty else { return }
        let away = (lastReport?.outputs ?? []).filter { $0.state != .connected }.map(\.id)
        for id in unmoved.intersection(away) {
            unmoved.remove(id)
            // It may have been taken off meanwhile.
            guard let output = start.spec.outputs.first(where: { $0.id == id }) else { continue }
            log.notice("the receiver is an older one: an output is made anew at its new address", ["output": .text(id.text)])
            let orders: [ReceiverOrder] = [
                .removeOutput(OutputReference(lease: lease, output: id)), .addOutput(OutputChange(lease: lease, output: output)),
            ]
            for line in orders.compactMap({ encode($0) }) { connection?.send(line) }
        }
    }
}

extension CommandID {
    fileprivate static func fresh() -> CommandID {
        var random = SystemRandomNumberGenerator()
        return CommandID(ULID(unixMs: unixMilliseconds(), random: &random))
    }
}
