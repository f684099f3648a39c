import Crypto
package import Units

/// The way of one release through a fleet. Holds no clock and sends nothing: whoever talks to the boards asks whether one may have it, and
/// tells what became of it. Times are Unix seconds, as it lasts for days and outlives the program.
package struct Rollout: Hashable, Sendable {
    package enum State: Hashable, Sendable {
        case running
        /// By a person.
        case paused
        /// By itself, with the reason. Boards that have begun go on; no other begins.
        case halted(String)
        case done
        /// By a person: boards that have it go back to what they had.
        case rolledBack
    }

    /// What became of the release on one board.
    package enum Fate: Hashable, Sendable {
        case offered(at: Int64)
        /// It runs, or may: from here on silence is a bad sign.
        case switched(at: Int64)
        case installed
        case failed(String)
        /// It was there, and the board went back because a person wanted that.
        case returned
    }

    /// What is kept of a rollout beside its plan and its boards.
    package struct Progress: Hashable, Sendable {
        package var state: State
        package var step: Int
        package var stepBeganAt: Int64
        package var forgiven: Int

        package init(state: State, step: Int, stepBeganAt: Int64, forgiven: Int) {
            self.state = state
            self.step = step
            self.stepBeganAt = stepBeganAt
            self.forgiven = forgiven
        }
    }

    package let plan: RolloutPlan
    /// SHA-256 of the manifest.
    package let release: [UInt8]
    package private(set) var state: State = .running
    /// From 0.
    package private(set) var step = 0
    package private(set) var fates: [DeviceID: Fate] = [:]
    private var stepBeganAt: Int64
    /// Failures that a person has seen and gone on from.
    private var forgiven = 0

    private static let reasonBytes = 300

    package init(_ plan: RolloutPlan, of release: [UInt8], at now: Int64) {
        precondition(release.count == SHA256.byteCount, "a release is known by the SHA-256 of its manifest")
        self.plan = plan
        self.release = release
        stepBeganAt = now
    }

    /// One that was kept.
    package init(_ plan: RolloutPlan, of release: [UInt8], _ progress: Progress, fates: [DeviceID: Fate]) {
        self.init(plan, of: release, at: progress.stepBeganAt)
        (state, step, forgiven) = (progress.state, min(max(progress.step, 0), plan.steps - 1), progress.forgiven)
        self.fates = fates
    }

    package var progress: Progress { Progress(state: state, step: step, stepBeganAt: stepBeganAt, forgiven: forgiven) }

    /// Whether a board that is connected, idle and able to take it gets it now; it counts as offered from here on.
    package mutating func offer(to board: DeviceID, at now: Int64) -> Bool {
        guard state == .running, isLetIn(board), fates[board] == nil, underWay < plan.atOnce else { return false }
        fates[board] = .offered(at: now)
        return true
    }

    package mutating func switched(_ board: DeviceID, at now: Int64) {
        if case .offered? = fates[board] { fates[board] = .switched(at: now) }
    }

    /// The board is at it, whoever told it to.
    mutating func began(_ board: DeviceID, at now: Int64) { fates[board] = .offered(at: now) }

    /// It shows whether it works: silence counts from here on. A board that was offered the release and is live holds up nobody for longer
    /// than that, however often it says so.
    mutating func proves(_ board: DeviceID, at now: Int64) {
        if case .switched? = fates[board] { fates[board] = .switched(at: now) }
    }

    mutating func returned(_ board: DeviceID) { fates[board] = .returned }

    /// It works there; also where a person had put it before.
    package mutating func installed(_ board: DeviceID) {
        forgetFailure(of: board)
        fates[board] = .installed
    }

    /// The board went back.
    package mutating func failed(_ board: DeviceID, _ reason: String) {
        fates[board] = .failed(String(decoding: reason.escaped().utf8.prefix(Self.reasonBytes), as: UTF8.self))
        haltWhereDue()
    }

    /// The board did not begin: it is live, it was offered another, its disk is full. It may have it later.
    package mutating func notTaken(_ board: DeviceID) {
        if case .offered? = fates[board] { fates[board] = nil }
    }

    /// The board is no longer of the fleet.
    package mutating func gone(_ board: DeviceID) {
        forgetFailure(of: board)
        fates[board] = nil
    }

    /// A failure that counts no more is one of those that were gone on from, where there are any: so that the next one counts.
    private mutating func forgetFailure(of board: DeviceID) {
        if case .failed? = fates[board], forgiven > 0 { forgiven -= 1 }
    }

    /// Goes on with what time alone brings; to be called each minute or so.
    ///
    /// - Parameter fleet: the boards that the release is for, whether they are connected or not.
    package mutating func pass(to now: Int64, fleet: Set<DeviceID>) {
        for (board, fate) in fates {
            switch fate {
            // It is live, or was switched off before it had begun, and is offered it again when it is back.
            case .offered(let since) where now - since >= plan.silenceSeconds: fates[board] = nil
            case .switched(let since) where now - since >= plan.silenceSeconds:
                fates[board] = .failed("nothing was heard of it since it was switched")
            default: break
            }
        }
        haltWhereDue()
        haltWhereAllWentBack(fleet)
        guard state == .running else { return }
        while mayGoOn(at: now, fleet), step < plan.steps - 1 {
            step += 1
            stepBeganAt = now
        }
        if step == plan.steps - 1, fleet.allSatisfy(isFinished) { state = .done }
    }

    /// A step is over once it has soaked, nobody is at it, and somebody has it, or all went back and a person goes on nevertheless. A part
    /// of the fleet that has no board is over at once; canaries are waited for.
    private func mayGoOn(at now: Int64, _ fleet: Set<DeviceID>) -> Bool {
        let boards = fleet.filter(isLetIn)
        if boards.isEmpty { return plan.percentage(of: step) > 0 }
        guard now - stepBeganAt >= plan.soakSeconds, underWay == 0 else { return false }
        return boards.contains { fates[$0] == .installed } || boards.allSatisfy(isFinished)
    }

    /// A step that nobody has got through would last for ever, though too few have failed to end it.
    private mutating func haltWhereAllWentBack(_ fleet: Set<DeviceID>) {
        let boards = fleet.filter(isLetIn)
        guard state == .running, step < plan.steps - 1, failures > forgiven, !boards.isEmpty, boards.allSatisfy(isFinished),
            !boards.contains(where: { fates[$0] == .installed })
        else { return }
        state = .halted("all \(boards.count) boards of this step went back to their version before")
    }

    package mutating func pause() { if state == .running { state = .paused } }

    /// Goes on after a pause, and after a halt: failures until now no longer count.
    package mutating func resume(at now: Int64) {
        switch state {
        case .paused: break
        case .halted: forgiven = failures
        case .running, .done, .rolledBack: return
        }
        (state, stepBeganAt) = (.running, now)
    }

    package mutating func halt(_ reason: String) { if !isOver { state = .halted(reason) } }

    /// It is over, whoever has it and who has not.
    package mutating func end() { if !isOver { state = .done } }

    /// Boards that have it go back, also where it was over; nobody begins any more.
    package mutating func rollBack() { state = .rolledBack }

    package var isOver: Bool { state == .done || state == .rolledBack }

    package var failures: Int { fates.values.count { if case .failed = $0 { true } else { false } } }
    package var installations: Int { fates.values.count { $0 == .installed } }

    /// Boards that were offered it and have not finished.
    package var underWay: Int {
        fates.values.count { fate in
            switch fate {
            case .offered, .switched: true
            case .installed, .failed, .returned: false
            }
        }
    }

    /// Whether a board is of this step or of one before. Which part of the fleet a board is of is another for each release, so that it is
    /// not always the same boards that are first.
    package func isLetIn(_ board: DeviceID) -> Bool {
        plan.canaries.contains(board) || share(of: board) < plan.percentage(of: step)
    }

    /// 0 to 99, the same each time.
    private func share(of board: DeviceID) -> Int {
        let digest = SHA256.hash(release + Array(board.text.utf8))
        let number = digest.prefix(4).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return Int((number * 100) >> 32)
    }

    private func isFinished(_ board: DeviceID) -> Bool {
        switch fates[board] {
        case .installed?, .failed?, .returned?: true
        case .offered?, .switched?, nil: false
        }
    }

    private mutating func haltWhereDue() {
        guard state == .running || state == .paused else { return }
        let counted = failures - forgiven
        let finished = counted + installations
        guard counted >= plan.failureCount, counted * 100 >= plan.failurePercent * finished else { return }
        state = .halted("\(counted) of \(finished) boards that have finished went back to their version before")
    }
}
