import Crypto
import SQLite
package import Units
package import Wire

/// An output to be: where it goes, and its name in the list.
package struct NewOutput: Sendable, Hashable {
    package var destination: DestinationID?
    package var name: String

    package init(destination: DestinationID?, name: String) {
        self.destination = destination
        self.name = name
    }
}

/// An organisation's broadcasts. Every wish is on the disk before its function returns.
package struct Broadcasts: Sendable {
    let store: Store
    let scope: OrganizationScope

    /// Writes the wish for a broadcast down, with its outputs waiting.
    ///
    /// - Throws: `.senderBusy` while the sender has one that has not ended; `.missing` for a sender or a destination that is
    ///   not there or was revoked; `.invalid` for settings out of range.
    package func create(
        sender: DeviceID, title: String, settings: BroadcastSettings, outputs: [NewOutput]
    ) async throws -> Broadcast {
        let title = try checked(title, "broadcast.title")
        try settings.check()
        guard outputs.count <= Self.maximumOutputs else {
            throw StoreError.invalid(field: "broadcast.outputs", expected: "at most \(Self.maximumOutputs)")
        }
        return try await store.write(.durable) { transaction in
            _ = try transaction.row(Device.self, in: scope, where: "id = \(sender) AND revoked_at IS NULL", or: "sender")
            let id: BroadcastID = transaction.newID()
            try transaction.insertBroadcast(id, sender: sender, title: title, settings: settings, in: scope)
            for output in outputs { _ = try transaction.insertOutput(output, of: id, in: scope) }
            try transaction.note(.broadcastStarted, id.text, detail: title, in: scope)
            return try transaction.broadcast(id, in: scope)
        }
    }

    package static let maximumOutputs = 16

    package func find(_ id: BroadcastID) async throws -> Broadcast {
        try await store.read { try $0.broadcast(id, in: scope) }
    }

    /// Broadcasts that have not ended, the newest first.
    package func running() async throws -> [Broadcast] {
        try await store.read { try $0.rows(Broadcast.self, in: scope, where: "ended_at IS NULL", order: "id DESC") }
    }

    /// All broadcasts, the newest first.
    ///
    /// - Parameter before: the id of the last one of the page before.
    package func history(before: BroadcastID? = nil, limit: Int = 50) async throws -> [Broadcast] {
        try await store.read { transaction in
            try transaction.rows(
                Broadcast.self, in: scope, where: before.map { "id < \($0)" } ?? "TRUE", order: "id DESC", limit: min(max(limit, 1), 500))
        }
    }

    /// The broadcast of a sender that has not ended.
    package func running(of sender: DeviceID) async throws -> Broadcast? {
        try await store.read { try $0.row(Broadcast.self, in: scope, where: "sender = \(sender) AND ended_at IS NULL") }
    }

    /// Wishes it to end; wishing it again changes nothing.
    package func wishEnd(_ id: BroadcastID) async throws {
        try await store.write(.durable) { transaction in
            let broadcast = try transaction.broadcast(id, in: scope)
            guard broadcast.wish == .live else { return }
            try transaction.update(.broadcasts, in: scope, set: ["wish": BroadcastWish.ended], where: "id = \(id)")
            try transaction.note(.broadcastStopped, id.text, in: scope)
        }
    }

    /// Changes what is wished of a broadcast that has not ended.
    ///
    /// - Returns: it, with its new revision; the old one where nothing changed.
    package func change(_ id: BroadcastID, _ settings: BroadcastSettings) async throws -> Broadcast {
        try settings.check()
        return try await store.write(.durable) { transaction in
            let before = try transaction.runningBroadcast(id, in: scope)
            guard before.settings != settings else { return before }
            try transaction.update(
                .broadcasts, in: scope, set: ["settings": try JSONColumn(settings), "revision": before.revision + 1], where: "id = \(id)")
            try transaction.note(.broadcastChanged, id.text, detail: "revision \(before.revision + 1)", in: scope)
            return try transaction.broadcast(id, in: scope)
        }
    }

    /// Writes down what was observed. Ending has its own function, `end`.
    package func observe(_ id: BroadcastID, _ state: BroadcastState) async throws {
        precondition(!state.isEnded, "a broadcast ends through `end`, which gives back what it holds")
        try await store.write { transaction in
            let before = try transaction.runningBroadcast(id, in: scope)
            guard before.state != state else { return }
            var since = transaction.now
            if case .interrupted(let moment) = state { since = moment }
            let liveAt: Timestamp? = state == .live ? before.liveAt ?? transaction.now : before.liveAt
            try transaction.update(
                .broadcasts, in: scope,
                set: [
                    "state": state.name, "step": state.step, "reason": state.reason.map { clipped($0, to: 1000) }, "since": since,
                    "live_at": liveAt,
                ], where: "id = \(id)")
        }
    }

    /// Ends it: its stream key, its outputs' secrets and its lease are gone with the same transaction. Ending it again
    /// changes nothing.
    package func end(_ id: BroadcastID, reason: String?) async throws {
        try await store.write(.durable) { transaction in
            let broadcast = try transaction.broadcast(id, in: scope)
            guard broadcast.endedAt == nil else { return }
            let now = transaction.now
            try transaction.update(
                .broadcasts, in: scope,
                set: [
                    "state": "ended", "wish": BroadcastWish.ended, "step": String?.none, "reason": reason.map { clipped($0, to: 1000) },
                    "since": now, "ended_at": now, "stream_key": [UInt8]?.none, "receivers": String?.none,
                ], where: "id = \(id)")
            try transaction.update(.outputs, in: scope, set: ["spec": [UInt8]?.none], where: "broadcast = \(id)")
            try transaction.update(.leases, in: scope, set: ["released_at": now], where: "broadcast = \(id) AND released_at IS NULL")
            try transaction.note(.broadcastEnded, id.text, detail: reason, in: scope)
        }
    }
}

extension Broadcasts {
    /// Keeps the fresh stream key, sealed, and where the receiver listens: all that the plan needs besides the settings.
    package func setTransport(_ id: BroadcastID, streamKey: Secret, receivers: [Endpoint]) async throws {
        let sealed = try store.keyring.seal(Array(streamKey.revealed.utf8), for: place("broadcasts.stream_key", id.text))
        let column = try JSONColumn(receivers)
        try await store.write(.durable) { transaction in
            try transaction.updateOne(
                .broadcasts, in: scope, set: ["stream_key": sealed, "receivers": column], where: "id = \(id) AND ended_at IS NULL",
                or: "running broadcast")
        }
    }

    /// The stream key, while the broadcast lasts.
    package func streamKey(_ id: BroadcastID) async throws -> Secret? {
        let sealed: [UInt8]?? = try await store.read { try $0.column("stream_key", of: .broadcasts, in: scope, where: "id = \(id)") }
        guard let sealed else { throw StoreError.missing("broadcast") }
        return try sealed.map {
            Secret(String(decoding: try store.keyring.open($0, for: place("broadcasts.stream_key", id.text)), as: UTF8.self))
        }
    }

    /// The plan to send to the agent; nil while it has no stream key.
    package func plan(_ id: BroadcastID) async throws -> Plan? {
        let broadcast = try await find(id)
        guard let key = try await streamKey(id) else { return nil }
        let settings = broadcast.settings
        return Plan(
            broadcast: id, revision: broadcast.revision, input: settings.input, encoder: settings.encoder,
            transport: Transport(
                receivers: broadcast.receivers, streamKey: SecretOnWire(key), bufferMs: settings.bufferMs, links: settings.links))
    }

    func place(_ column: String, _ row: String) -> SealedPlace {
        SealedPlace(organization: scope.organization.text, column: column, row: row)
    }
}

extension Store {
    package func broadcasts(in scope: OrganizationScope) -> Broadcasts { Broadcasts(store: self, scope: scope) }
}

extension Transaction {
    func broadcast(_ id: BroadcastID, in scope: OrganizationScope) throws -> Broadcast {
        try row(Broadcast.self, in: scope, where: "id = \(id)", or: "broadcast")
    }

    func runningBroadcast(_ id: BroadcastID, in scope: OrganizationScope) throws -> Broadcast {
        try row(Broadcast.self, in: scope, where: "id = \(id) AND ended_at IS NULL", or: "running broadcast")
    }

    fileprivate func insertBroadcast(
        _ id: BroadcastID, sender: DeviceID, title: String, settings: BroadcastSettings, in scope: OrganizationScope
    ) throws {
        var author: UserID?
        if case .user(let user, _) = scope.author { author = user }
        do {
            try insert(
                into: .broadcasts, in: scope,
                [
                    "id": id, "sender": sender, "title": title, "wish": BroadcastWish.live, "state": "idle", "since": now,
                    "settings": try JSONColumn(settings), "revision": 1, "created_at": now, "created_by": author,
                ])
        } catch let error as SQLiteError where error.kind == .duplicate {
            throw StoreError.senderBusy
        }
    }
}
