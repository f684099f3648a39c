import Crypto
import SQLite
package import Units

/// A broadcast as it is kept: what it is made of is one document, which `Control/Broadcasts` reads and writes whole.
package struct StoredBroadcast: Sendable, Hashable, OrganizationRow {
    package let id: BroadcastID
    package let organization: OrganizationID
    package let sender: DeviceID
    /// JSON; never holds a secret.
    package let document: String
    package let createdAt: Timestamp
    package let endedAt: Timestamp?

    static var table: OrganizationTable { .broadcasts }

    init(_ row: borrowing Row) throws {
        id = try row["id"]
        organization = try row["organization"]
        sender = try row["sender"]
        document = try row["document"]
        createdAt = try row["created_at"]
        endedAt = try row["ended_at"]
    }
}

/// An organisation's broadcasts, and its rehearsals beside them: what keeps the one keeps the other, and a sender has one of both. Every step is on
/// the disk before its function returns.
package struct StoredBroadcasts: Sendable {
    let store: ControlStore
    let scope: OrganizationScope

    /// A rehearsal's row has this in front of its state. A column of its own would have needed a step of the schema and told nothing more: a
    /// program of before shows such a row as a broadcast without outputs that is over.
    package enum Kind: String, Sendable, CaseIterable {
        case broadcast = ""
        case rehearsal = "rehearsal."

        fileprivate var condition: SQL {
            switch self {
            case .broadcast: "state NOT GLOB 'rehearsal.*'"
            case .rehearsal: "state GLOB 'rehearsal.*'"
            }
        }
    }

    private static let hourMs: Int64 = 3_600_000

    /// Writes a wish down, with the stream key sealed beside it, and whether it is recorded.
    ///
    /// - Parameter wish: nil where nothing is to be recorded, whatever the organisation has decided.
    /// - Throws: `.quota`; `.senderBusy` while the sender has one that has not ended; `.missing` for a sender that is not there or was
    ///   revoked.
    package func create(
        _ id: BroadcastID, _ kind: Kind = .broadcast, sender: DeviceID, state: String, document: String, streamKey: Secret,
        recording wish: RecordingWish? = nil
    ) async throws {
        let sealed = try store.keyring.seal(Array(streamKey.revealed.utf8), for: place(id))
        try await store.write(.durable) { transaction in
            _ = try transaction.row(Device.self, in: scope, where: "id = \(sender) AND revoked_at IS NULL", or: "sender")
            guard try transaction.row(StoredBroadcast.self, in: scope, where: "sender = \(sender) AND ended_at IS NULL") == nil else {
                throw StoreError.senderBusy
            }
            try admit(kind, transaction)
            try transaction.insert(
                into: .broadcasts, in: scope,
                [
                    "id": id, "sender": sender, "state": kind.rawValue + state, "document": document, "stream_key": sealed,
                    "created_at": transaction.now,
                ])
            switch kind {
            case .broadcast:
                try transaction.note(.broadcastStarted, id.text, in: scope)
                try transaction.tell(.broadcast(.init(broadcast: id, sender: sender, state: state, was: nil)), in: scope)
                if let wish { try transaction.beginRecording(of: id, sender: sender, wish, in: scope) }
            case .rehearsal:
                try transaction.note(.rehearsalStarted, id.text, in: scope)
                try transaction.tell(.rehearsalStarted(.init(rehearsal: id, sender: sender)), in: scope)
            }
        }
    }

    private func admit(_ kind: Kind, _ transaction: Transaction) throws {
        switch kind {
        case .broadcast:
            try transaction.admit(
                .broadcasts, of: .broadcasts, where: "ended_at IS NULL AND \(part: kind.condition)", by: store.quotas, in: scope)
        case .rehearsal:
            let since = Timestamp(unixMs: transaction.now.unixMs - Self.hourMs)
            try transaction.admit(
                .rehearsals, of: .broadcasts, where: "created_at > \(since) AND \(part: kind.condition)", by: store.quotas, in: scope)
        }
    }

    /// Keeps a step, and tells what it changed. With the end, the stream key is gone in the same transaction.
    package func save(
        _ id: BroadcastID, _ kind: Kind = .broadcast, state: String, document: String, hasEnded: Bool, telling events: [NewEvent] = []
    ) async throws {
        try await store.write(.durable) { transaction in
            let sealed: [UInt8]?? = try transaction.column("stream_key", of: .broadcasts, in: scope, where: "id = \(id)")
            try transaction.updateOne(
                .broadcasts, in: scope,
                set: [
                    "state": kind.rawValue + state, "document": document, "stream_key": hasEnded ? nil : sealed ?? nil,
                    "ended_at": hasEnded ? transaction.now : Timestamp?.none,
                ], where: "id = \(id) AND ended_at IS NULL", or: "running broadcast")
            if hasEnded { try transaction.note(kind == .rehearsal ? .rehearsalEnded : .broadcastEnded, id.text, in: scope) }
            for event in events { try transaction.tell(event, in: scope) }
            if hasEnded, kind == .broadcast { try transaction.endRecording(of: id, in: scope) }
        }
    }

    /// The key that the broadcast's media is encrypted with, while it lasts.
    package func streamKey(of id: BroadcastID) async throws -> Secret {
        let sealed: [UInt8]?? = try await store.read { transaction in
            try transaction.column("stream_key", of: .broadcasts, in: scope, where: "id = \(id)")
        }
        guard let sealed = sealed ?? nil else { throw StoreError.missing("running broadcast") }
        return Secret(String(decoding: try store.keyring.open(sealed, for: place(id)), as: UTF8.self))
    }

    /// Notes who asked for what in the audit log.
    package func note(_ action: AuditAction, _ id: BroadcastID, detail: String? = nil) async throws {
        try await store.write(.durable) { try $0.note(action, id.text, detail: detail, in: scope) }
    }

    package func find(_ id: BroadcastID) async throws -> StoredBroadcast? {
        try await store.read { try $0.row(StoredBroadcast.self, in: scope, where: "id = \(id)") }
    }

    /// The newest first.
    package func newest(_ limit: Int = 100, _ kind: Kind = .broadcast) async throws -> [StoredBroadcast] {
        try await store.read { try $0.rows(StoredBroadcast.self, in: scope, where: kind.condition, order: "id DESC", limit: limit) }
    }

    private func place(_ id: BroadcastID) -> SealedPlace {
        SealedPlace(organization: scope.organization.text, column: "broadcasts.stream_key", row: id.text)
    }
}

extension ControlStore {
    package func broadcasts(in scope: OrganizationScope) -> StoredBroadcasts { StoredBroadcasts(store: self, scope: scope) }

    /// What a restarted control takes up again, of every organisation.
    package func unfinishedBroadcasts() async throws -> [StoredBroadcast] {
        try await read {
            try $0.across(.reconciliation).all("SELECT * FROM broadcasts WHERE ended_at IS NULL ORDER BY id", StoredBroadcast.init)
        }
    }
}
