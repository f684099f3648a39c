// Outputs that come, go, are tried again and follow their destinations while it runs.
import Units
import Wire

extension BroadcastMachine {
    /// One output for each destination: a platform would refuse the second one's key, or end the first one's session.
    mutating func added(_ output: PlannedOutput, nowMs: Int64) -> [Action] {
        if case .stopping = phase { return [] }
        guard !outputs.contains(where: { $0.id == output.id || $0.destination == output.destination }) else { return [] }
        outputs.append(output)
        return isUp ? give(output.id, .plainly, nowMs: nowMs) : []
    }

    mutating func removed(_ output: OutputID) -> [Action] {
        guard isPlanned(output) else { return [] }
        outputs.removeAll { $0.id == output }
        observed.handovers[output] = nil
        return isUp ? [remove(output)] : []
    }

    private mutating func remove(_ output: OutputID) -> Action {
        observed.leaving[output] = Self.leavingReports
        return .removeOutput(output)
    }

    /// An output may take a while to end, some 5 s of reports.
    private static let leavingReports = 5

    /// Brings what an adopted receiver has to what is wanted.
    mutating func reconcile(_ present: Set<OutputID>, nowMs: Int64) -> [Action] {
        let wanted = Set(outputs.map(\.id))
        let wrong = wanted.filter { !present.contains($0) || observed.handovers[$0]?.fault != nil }
        var actions: [Action] = []
        for output in wrong.sorted() { actions += give(output, .plainly, nowMs: nowMs) }
        return actions + present.subtracting(wanted).sorted().map { remove($0) }
    }

    /// Has it tried at once, where its destination is by now. Whoever asks for it again and again has asked once a second.
    mutating func retried(_ output: OutputID, nowMs: Int64) -> [Action] {
        guard isUp, isPlanned(output) else { return [] }
        observed.handovers[output, default: Handover()].forgetFailures()
        return give(output, .asked, nowMs: nowMs)
    }

    /// Tells the outputs of a destination its name; those that are not connected follow it to its place at once, the others with
    /// their next attempt, or when a person asks for one.
    mutating func changed(
        _ destination: DestinationID, _ name: String, isElsewhere: Bool, _ listener: ListenerPlace?, nowMs: Int64
    ) -> [Action] {
        if case .stopping = phase { return [] }
        guard let index = outputs.firstIndex(where: { $0.destination == destination }) else { return [] }
        outputs[index].name = name
        guard isElsewhere else { return [] }
        let output = outputs[index].id
        outputs[index].follow(to: listener, isConnected: isUp && isConnected(output))
        // A lease that is under way has the old place, and says so when it is answered.
        observed.handovers[output, default: Handover()].edition += 1
        guard isUp else { return [] }
        return give(output, .plainly, nowMs: nowMs)
    }

    /// How often each output's destination has gone elsewhere, for `outputLeased`; 0 where one is not named.
    var editions: [OutputID: Int] { observed.handovers.mapValues(\.edition) }

    /// A lease is answered. Whether the host has what was given meanwhile, or what the lease had, depends on which came first.
    mutating func leased(_ output: OutputID, _ edition: Int, _ fault: String?, nowMs: Int64) -> [Action] {
        guard isUp, isPlanned(output) else { return [] }
        let handover = observed.handovers[output] ?? Handover()
        guard handover.edition == edition else { return give(output, .plainly, nowMs: nowMs) }
        // What is under way has an answer of its own.
        guard !handover.isUnderWay else { return [] }
        return fault.map { failed(output, $0) } ?? given(output, nowMs: nowMs)
    }

    /// Only one at a time is under way for an output.
    mutating func give(_ output: OutputID, _ manner: Handover.Manner, nowMs: Int64) -> [Action] {
        var handover = observed.handovers[output] ?? Handover()
        defer { observed.handovers[output] = handover }
        if handover.isUnderWay {
            handover.next = handover.next == .asked ? .asked : manner
            return []
        }
        if manner == .asked, let pause = handover.pause(nowMs: nowMs) {
            handover.next = .asked
            handover.isTimed = true
            return [.set(.output(output), afterMs: pause)]
        }
        handover.begin(nowMs: nowMs)
        guard manner == .asked else { return [.addOutput(output)] }
        let mustEnd = isConnected(output) && outputs.contains { $0.id == output && $0.isElsewhere }
        return [mustEnd ? .replaceOutput(output) : .retryOutput(output)]
    }

    mutating func given(_ output: OutputID, nowMs: Int64) -> [Action] {
        guard isUp, isPlanned(output) else { return [] }
        observed.handovers[output, default: Handover()].fault = nil
        return answered(output, nowMs: nowMs)
    }

    /// Tried again for as long as the broadcast lasts.
    mutating func failed(_ output: OutputID, _ reason: String) -> [Action] {
        guard isUp, isPlanned(output) else { return [] }
        var handover = observed.handovers[output] ?? Handover()
        handover.isUnderWay = false
        handover.fault = reason
        handover.failed()
        handover.isTimed = true
        observed.handovers[output] = handover
        let waitMs = handover.next == .asked ? Handover.paceMs : handover.waitMs(output)
        return [.set(.output(output), afterMs: waitMs)]
    }

    private mutating func answered(_ output: OutputID, nowMs: Int64) -> [Action] {
        observed.handovers[output]?.isUnderWay = false
        guard let next = observed.handovers[output]?.next else { return [] }
        observed.handovers[output]?.next = nil
        return give(output, next, nowMs: nowMs)
    }

    /// After a report: outputs that do not connect are looked after, wherever that is due, and those that nobody wants have to go: one
    /// that was taken off while the lease was under way, or whose removal got lost.
    mutating func watchOutputs(_ report: StreamReport) -> [Action] {
        guard isUp else { return [] }
        var actions = removeUnwanted(report)
        for (index, output) in outputs.map(\.id).enumerated() {
            var handover = observed.handovers[output] ?? Handover()
            switch report.outputs.first(where: { $0.id == output })?.state {
            case .connected:
                handover.fault = nil
                handover.forgetFailures()
            case .connecting: outputs[index].isElsewhere = false
            case .retrying, .failed, nil:
                outputs[index].isElsewhere = false
                guard !handover.isUnderWay, !handover.isTimed else { break }
                handover.isTimed = true
                actions.append(.set(.output(output), afterMs: handover.waitMs(output)))
            }
            observed.handovers[output] = handover
        }
        return actions
    }

    private mutating func removeUnwanted(_ report: StreamReport) -> [Action] {
        let unwanted = report.outputs.map(\.id).filter { !isPlanned($0) }
        var leaving: [OutputID: Int] = [:]
        for output in unwanted { leaving[output] = (observed.leaving[output] ?? 0) - 1 }
        observed.leaving = leaving
        return unwanted.filter { leaving[$0] ?? 0 < 0 }.map { remove($0) }
    }

    /// Its time has come: given again where it is still needed, with its name resolved anew.
    mutating func handoverDue(_ output: OutputID, nowMs: Int64) -> [Action] {
        guard var handover = observed.handovers[output] else { return [] }
        handover.isTimed = false
        let next = handover.next
        if next == nil, handover.fault == nil { handover.failed() }
        if !handover.isUnderWay { handover.next = nil }
        observed.handovers[output] = handover
        // One that is under way is answered first; a host that is away is given what it lacks when it connects again.
        guard isUp, isPlanned(output), observed.hostConnected, !handover.isUnderWay else { return [] }
        guard next != nil || handover.fault != nil || !isConnected(output) else { return [] }
        return give(output, next ?? .plainly, nowMs: nowMs)
    }

    // MARK: Showing

    /// What a report says of the outputs that are wanted now: the receiver may still be ending others.
    func wanted(of report: StreamReport) -> [OutputReport] { report.outputs.filter { isPlanned($0.id) } }

    /// The outputs that are wanted, as far as something is known of them.
    var shownOutputs: [OutputReport] { outputs.compactMap { shown($0.id) } }

    /// Why it was not given comes before what the receiver says of where it tries meanwhile.
    func shown(_ output: OutputID) -> OutputReport? {
        let report = observed.report?.outputs.first { $0.id == output }
        guard let fault = observed.handovers[output]?.fault, report?.state != .connected else { return report }
        guard var report else {
            return OutputReport(
                id: output, state: .retrying, reason: fault.bounded(), sentBytesTotal: 0, droppedUnitsTotal: 0, reconnectsTotal: 0)
        }
        report.reason = [fault, report.reason.map { "where it was before: \($0)" }].compactMap { $0 }.listed()
        return report
    }

    var outputReasons: String {
        let reasons = shownOutputs.filter { $0.state != .connected }.compactMap { output in
            output.reason.map { "\(name(of: output.id)): \($0)" }
        }
        return reasons.isEmpty ? "no output connected" : reasons.listed()
    }

    func name(of output: OutputID) -> String { "'\(outputs.first { $0.id == output }?.name ?? output.text)'" }

    private func isPlanned(_ output: OutputID) -> Bool { outputs.contains { $0.id == output } }

    private func isConnected(_ output: OutputID) -> Bool {
        observed.report?.outputs.contains { $0.id == output && $0.state == .connected } == true
    }
}
