package import Releases
import Rollouts
import SQLite
package import Units
package import Wire

extension ReleaseChannel: ColumnValue {}
extension RolloutState: ColumnValue {}
extension BoardFate: ColumnValue {}

/// A release on its way through an organisation's boards.
package struct StoredRollout: Sendable, Hashable, OrganizationRow {
    package let id: RolloutID
    package let organization: OrganizationID
    package let version: String
    /// SHA-256 of the manifest.
    package let digest: [UInt8]
    package let channel: ReleaseChannel
    /// What kinds of boards it has files for.
    package let machines: [String]
    package let plan: RolloutPlanBody
    package let isForced: Bool
    package let state: RolloutState
    /// Why it halted.
    package let reason: String?
    /// From 0.
    package let step: Int
    package let createdAt: Timestamp
    package let endedAt: Timestamp?
    fileprivate let stepBeganAt: Int64
    fileprivate let forgiven: Int

    static var table: OrganizationTable { .rollouts }

    init(_ row: borrowing Row) throws {
        id = try row["id"]
        organization = try row["organization"]
        version = try row["version"]
        digest = try row["digest"]
        channel = try row["channel"]
        let machines: JSONColumn<[String]> = try row["machines"]
        self.machines = machines.value
        let plan: JSONColumn<RolloutPlanBody> = try row["plan"]
        self.plan = plan.value
        isForced = try row["forced"]
        state = try row["state"]
        reason = try row["reason"]
        step = try row["step"]
        stepBeganAt = try row["step_began_at"]
        forgiven = try row["forgiven"]
        createdAt = try row["created_at"]
        endedAt = try row["ended_at"]
    }
}

/// What somebody wants to have on their boards.
package struct NewRollout: Sendable {
    package var version: ReleaseVersion
    package var digest: [UInt8]
    package var channel: ReleaseChannel
    package var machines: [String]
    package var plan: RolloutPlanBody
    package var isForced: Bool

    package init(
        version: ReleaseVersion, digest: [UInt8], channel: ReleaseChannel, machines: [String], plan: RolloutPlanBody, isForced: Bool
    ) {
        self.version = version
        self.digest = digest
        self.channel = channel
        self.machines = machines
        self.plan = plan
        self.isForced = isForced
    }
}

/// An organisation's rollouts, of which one at a time is not over.
package struct StoredRollouts: Sendable {
    let store: ControlStore
    let scope: OrganizationScope

    private static let pageLimit = 50

    /// The newest ones, the newest first.
    package func newest() async throws -> [(rollout: StoredRollout, boards: [RolloutBoard])] {
        try await store.read { transaction in
            try transaction.rows(StoredRollout.self, in: scope, order: "id DESC", limit: Self.pageLimit).map { stored in
                (rollout: stored, boards: try transaction.boards(of: stored.id, in: scope).map(\.view))
            }
        }
    }

    /// - Throws: `.missing`.
    package func find(_ id: RolloutID) async throws -> (rollout: StoredRollout, boards: [RolloutBoard]) {
        try await store.read { transaction in
            let stored = try transaction.row(StoredRollout.self, in: scope, where: "id = \(id)", or: "rollout")
            return (rollout: stored, boards: try transaction.boards(of: id, in: scope).map(\.view))
        }
    }

    /// Begins one.
    ///
    /// - Throws: `.invalid` for a plan that is none, `.missing` for a canary that is no sender, `.rolloutRuns`.
    package func create(_ new: NewRollout) async throws -> RolloutID {
        guard let creator = scope.author.user else { throw StoreError.missing("user") }
        let plan = try RolloutPlan(new.plan)
        let (columnOfPlan, columnOfMachines) = (try JSONColumn(new.plan), try JSONColumn(new.machines))
        return try await store.write(.durable) { transaction in
            guard try transaction.count(of: .rollouts, in: scope, where: "ended_at IS NULL") == 0 else { throw StoreError.rolloutRuns }
            for canary in plan.canaries {
                let isThere = try transaction.count(of: .devices, in: scope, where: "id = \(canary) AND revoked_at IS NULL") == 1
                guard isThere else { throw StoreError.missing("sender") }
            }
            let id: RolloutID = transaction.newID()
            let progress = Rollout(plan, of: new.digest, at: transaction.now.unixSeconds).progress
            try transaction.insert(
                into: .rollouts, in: scope,
                [
                    "id": id, "version": new.version.description, "digest": new.digest, "channel": new.channel,
                    "machines": columnOfMachines, "plan": columnOfPlan, "forced": new.isForced, "state": RolloutState.running,
                    "step": progress.step, "step_began_at": progress.stepBeganAt, "forgiven": progress.forgiven, "created_by": creator,
                    "created_at": transaction.now,
                ])
            try transaction.note(.rolloutCreated, id.text, detail: "\(new.version)\(new.isForced ? ", forced" : "")", in: scope)
            return id
        }
    }

    /// - Throws: `.missing`; `.rolloutOver` for what is over, but that it may be rolled back where no other came after it.
    package func carryOut(_ move: RolloutMove, on id: RolloutID) async throws {
        try await store.write(.durable) { transaction in
            let stored = try transaction.row(StoredRollout.self, in: scope, where: "id = \(id)", or: "rollout")
            let isNewest = try transaction.newestRollout(in: scope)?.id == id
            guard stored.endedAt == nil || move == .rollBack && isNewest && stored.state != .rolledBack else {
                throw StoreError.rolloutOver
            }
            let old = try transaction.rollout(stored, in: scope)
            var new = old
            switch move {
            case .pause: new.pause()
            case .resume: new.resume(at: transaction.now.unixSeconds)
            case .halt: new.halt("a person has halted it")
            case .end: new.end()
            case .rollBack: new.rollBack()
            }
            try transaction.save(new, over: old, stored, in: scope)
        }
    }
}

extension ControlStore {
    package func rollouts(in scope: OrganizationScope) -> StoredRollouts { StoredRollouts(store: self, scope: scope) }

    /// Goes on with what time alone brings, in every rollout that is not over.
    package func passRollouts() async throws {
        let open = try await read { try $0.across(.operation).all("SELECT * FROM rollouts WHERE ended_at IS NULL", StoredRollout.init) }
        for rollout in open {
            let scope = OrganizationScope(rollout.organization, by: .system)
            try await write(.durable) { transaction in
                // It may have ended meanwhile.
                guard let stored = try transaction.row(StoredRollout.self, in: scope, where: "id = \(rollout.id) AND ended_at IS NULL")
                else { return }
                let old = try transaction.rollout(stored, in: scope)
                var new = old
                let boards = try transaction.boardUpdates(in: scope)
                let known = Set(boards.map(\.sender))
                for board in old.fates.keys where !known.contains(board) { new.gone(board) }
                new.pass(to: transaction.now.unixSeconds, fleet: Set(boards.filter { $0.mayTake(stored) }.map(\.sender)))
                try transaction.save(new, over: old, stored, in: scope)
            }
        }
    }
}

// MARK: Rows

/// A board's part in a rollout.
struct StoredRolloutBoard: OrganizationRow {
    let sender: DeviceID
    let fate: BoardFate
    let at: Int64
    let reason: String?

    static var table: OrganizationTable { .rolloutBoards }

    init(_ row: borrowing Row) throws {
        sender = try row["sender"]
        fate = try row["fate"]
        at = try row["at"]
        reason = try row["reason"]
    }

    var view: RolloutBoard { RolloutBoard(sender: sender, fate: fate, reason: reason) }

    fileprivate var value: Rollout.Fate {
        switch fate {
        case .offered: .offered(at: at)
        case .switched: .switched(at: at)
        case .installed: .installed
        case .failed: .failed(reason ?? "")
        case .returned: .returned
        }
    }
}

extension Transaction {
    private static let boardLimit = 100_000

    func newestRollout(in scope: OrganizationScope) throws -> StoredRollout? {
        try rows(StoredRollout.self, in: scope, order: "id DESC", limit: 1).first
    }

    func boards(of rollout: RolloutID, in scope: OrganizationScope) throws -> [StoredRolloutBoard] {
        try rows(StoredRolloutBoard.self, in: scope, where: "rollout = \(rollout)", order: "sender", limit: Self.boardLimit)
    }

    /// Of the boards whose identities stand.
    func boardUpdates(in scope: OrganizationScope) throws -> [BoardUpdate] {
        let condition: SQL = "sender IN (SELECT id FROM devices WHERE organization = \(scope.organization) AND revoked_at IS NULL)"
        return try rows(BoardUpdate.self, in: scope, where: condition, order: "sender", limit: Self.boardLimit)
    }

    func rollout(_ stored: StoredRollout, in scope: OrganizationScope) throws -> Rollout {
        let fates = try boards(of: stored.id, in: scope).map { ($0.sender, $0.value) }
        let state: Rollout.State =
            switch stored.state {
            case .running: .running
            case .paused: .paused
            case .halted: .halted(stored.reason ?? "")
            case .done: .done
            case .rolledBack: .rolledBack
            }
        let progress = Rollout.Progress(state: state, step: stored.step, stepBeganAt: stored.stepBeganAt, forgiven: stored.forgiven)
        return Rollout(try RolloutPlan(stored.plan), of: stored.digest, progress, fates: Dictionary(uniqueKeysWithValues: fates))
    }

    /// Writes down what has changed, and tells of a new state.
    func save(_ new: Rollout, over old: Rollout, _ stored: StoredRollout, in scope: OrganizationScope) throws {
        let id = stored.id
        for board in Set(old.fates.keys).union(new.fates.keys).sorted() where old.fates[board] != new.fates[board] {
            try delete(from: .rolloutBoards, in: scope, where: "rollout = \(id) AND sender = \(board)")
            guard let fate = new.fates[board] else { continue }
            let (name, at, reason) = fate.columns(at: now.unixSeconds)
            try insert(
                into: .rolloutBoards, in: scope,
                ["rollout": id, "sender": board, "fate": name, "at": at, "reason": reason])
        }
        guard new.progress != old.progress else { return }
        let (state, reason) = new.state.columns
        let end: Timestamp? = new.isOver ? stored.endedAt ?? now : nil
        try updateOne(
            .rollouts, in: scope,
            set: [
                "state": state, "reason": reason, "step": new.progress.step, "step_began_at": new.progress.stepBeganAt,
                "forgiven": new.progress.forgiven, "ended_at": end,
            ], where: "id = \(id)", or: "rollout")
        guard new.state != old.state else { return }
        let detail = "\(stored.version): \(state.rawValue)\(reason.map { ", \($0)" } ?? "")"
        try note(.rolloutChanged, id.text, detail: detail, in: scope)
    }
}

extension Rollout.State {
    fileprivate var columns: (state: RolloutState, reason: String?) {
        switch self {
        case .running: (.running, nil)
        case .paused: (.paused, nil)
        case .halted(let reason): (.halted, clipped(reason, to: 300))
        case .done: (.done, nil)
        case .rolledBack: (.rolledBack, nil)
        }
    }
}

extension Rollout.Fate {
    fileprivate func columns(at now: Int64) -> (fate: BoardFate, at: Int64, reason: String?) {
        switch self {
        case .offered(let at): (.offered, at, nil)
        case .switched(let at): (.switched, at, nil)
        case .installed: (.installed, now, nil)
        case .failed(let reason): (.failed, now, clipped(reason, to: 300))
        case .returned: (.returned, now, nil)
        }
    }
}

extension RolloutPlan {
    /// - Throws: `.invalid`.
    init(_ body: RolloutPlanBody) throws(StoreError) {
        do throws(Fault) {
            try self.init(
                canaries: Set(body.canaries), percentages: body.percentages, soakSeconds: Int64(body.soakSeconds), atOnce: body.atOnce,
                failureCount: body.failureCount, failurePercent: body.failurePercent, silenceSeconds: Int64(body.silenceSeconds))
        } catch {
            throw .invalid(field: "rollout.plan", expected: error.description)
        }
    }
}
