import Crypto
package import Releases
import Rollouts
import SQLite
package import Units
package import Wire

/// Which release a board has, as its updater said last, and which channel it follows.
package struct BoardUpdate: Sendable, Hashable, OrganizationRow {
    package let sender: DeviceID
    package let channel: ReleaseChannel
    /// nil: its updater has never asked.
    package let report: UpdateReport?
    package let reportedAt: Timestamp?

    static var table: OrganizationTable { .boardUpdates }

    init(_ row: borrowing Row) throws {
        sender = try row["sender"]
        channel = try row["channel"]
        let report: JSONColumn<UpdateReport>? = try row["report"]
        self.report = report?.value
        reportedAt = try row["reported_at"]
    }

    /// Whether a release is for this board: by its channel, its kind, and no older than what it has.
    func mayTake(_ rollout: StoredRollout) -> Bool {
        guard let report, let installed = ReleaseVersion(report.installed), let version = ReleaseVersion(rollout.version) else {
            return false
        }
        return rollout.channel <= channel && rollout.machines.contains(report.machine) && installed <= version
    }
}

/// What an organisation's boards have, and what they are told.
package struct BoardUpdates: Sendable {
    let store: ControlStore
    let scope: OrganizationScope

    /// nil: it follows the steadiest channel, and its updater has never asked.
    ///
    /// - Throws: `.missing` for what is no sender.
    package func find(_ sender: DeviceID) async throws -> BoardUpdate? {
        try await store.read { transaction in
            _ = try transaction.row(Device.self, in: scope, where: "id = \(sender) AND revoked_at IS NULL", or: "sender")
            return try transaction.row(BoardUpdate.self, in: scope, where: "sender = \(sender)")
        }
    }

    /// - Throws: `.missing`.
    package func setChannel(_ channel: ReleaseChannel, of sender: DeviceID) async throws {
        try await store.write(.durable) { transaction in
            _ = try transaction.row(Device.self, in: scope, where: "id = \(sender) AND revoked_at IS NULL", or: "sender")
            let old = try transaction.row(BoardUpdate.self, in: scope, where: "sender = \(sender)")
            guard old?.channel ?? .stable != channel else { return }
            if old == nil {
                try transaction.insert(into: .boardUpdates, in: scope, ["sender": sender, "channel": channel])
            } else {
                try transaction.update(.boardUpdates, in: scope, set: ["channel": channel], where: "sender = \(sender)")
            }
            try transaction.note(.channelChanged, sender.text, detail: channel.rawValue, in: scope)
        }
    }

    /// Keeps what a board says of itself, and says what it is to do. Asked twice it says the same.
    ///
    /// - Parameter report: bounded.
    /// - Throws: `.missing` for a board that is none any more.
    package func hear(_ report: UpdateReport, from sender: DeviceID) async throws -> UpdateOrder {
        let column = try JSONColumn(report)
        return try await store.write { transaction in
            _ = try transaction.row(Device.self, in: scope, where: "id = \(sender) AND revoked_at IS NULL", or: "sender")
            let said: KeyValuePairs<StaticString, any ColumnValue> = ["report": column, "reported_at": transaction.now]
            if try transaction.update(.boardUpdates, in: scope, set: said, where: "sender = \(sender)") == 0 {
                try transaction.insert(
                    into: .boardUpdates, in: scope,
                    ["sender": sender, "channel": ReleaseChannel.stable, "report": column, "reported_at": transaction.now])
            }
            let board = try transaction.row(BoardUpdate.self, in: scope, where: "sender = \(sender)", or: "sender")
            return try transaction.order(for: board, report, in: scope)
        }
    }
}

extension Transaction {
    fileprivate func order(for board: BoardUpdate, _ report: UpdateReport, in scope: OrganizationScope) throws -> UpdateOrder {
        let nothing = UpdateOrder(wish: .nothing, channel: board.channel.rawValue)
        guard let stored = try newestRollout(in: scope), board.mayTake(stored),
            try matters(report, from: board.sender, to: stored, in: scope)
        else { return nothing }
        let old = try rollout(stored, in: scope)
        var new = old
        let answer = new.answer(board.sender, report.word(of: stored), at: now.unixSeconds)
        try save(new, over: old, stored, in: scope)
        let wish: UpdateOrder.Wish =
            switch answer {
            case .nothing: .nothing
            case .install: .install
            case .withdraw: .withdraw
            case .goBack: .goBack
            }
        guard wish != .nothing else { return nothing }
        return UpdateOrder(
            wish: wish, version: stored.version, release: Hex.encode(stored.digest), isForced: stored.isForced,
            channel: board.channel.rawValue)
    }

    /// Whether what a board says can change anything: the whole rollout is looked at for that alone.
    private func matters(
        _ report: UpdateReport, from sender: DeviceID, to stored: StoredRollout, in scope: OrganizationScope
    ) throws -> Bool {
        let own = try row(StoredRolloutBoard.self, in: scope, where: "rollout = \(stored.id) AND sender = \(sender)")
        switch (stored.state, own?.fate) {
        case (.done, _): return false
        case (_, .offered?), (_, .switched?), (.rolledBack, .installed?), (.running, nil): return true
        case (_, .installed?): return false
        // It has it, or is at it, for whatever reason.
        case (_, .failed?), (_, .returned?), (_, nil): return report.underWay != nil || report.installed == stored.version
        }
    }
}

extension UpdateReport {
    fileprivate func word(of rollout: StoredRollout) -> BoardWord {
        let name = Hex.encode(rollout.digest)
        switch phase {
        case .preparing where underWay == name: return .preparing
        case .proving where underWay == name: return .proving
        case .preparing, .proving, .returning: return .busy
        case .idle: break
        }
        if installed == rollout.version { return .with }
        if failed.contains(name) { return .failed(last ?? "it did not work") }
        if let outcome, outcome.release == name { return .failed(outcome.reason) }
        return .without
    }
}

extension ControlStore {
    package func boardUpdates(in scope: OrganizationScope) -> BoardUpdates { BoardUpdates(store: self, scope: scope) }
}
