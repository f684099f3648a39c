import Crypto
import SQLite
package import Units
package import Wire

/// A sender or a pool host: whatever dials control with an identity of its own.
package struct Device: Sendable, Hashable, Encodable, OrganizationRow {
    package let id: DeviceID
    /// Nil for a pool host: those are the operator's.
    package let organization: OrganizationID?
    package let kind: DeviceKind
    package let name: String
    /// Raw Ed25519, 32 bytes.
    package let publicKey: [UInt8]
    package let createdAt: Timestamp
    package let firstConnectedAt: Timestamp?
    package let lastSeenAt: Timestamp?
    package let revokedAt: Timestamp?
    /// When its identity was last seen from two places at once (THREATS 3).
    package let flaggedAt: Timestamp?
    /// Since when a pool host takes no new streams.
    package let drainingAt: Timestamp?
    package let softwareVersion: String?
    /// Of a sender, as it was last told.
    package let inventory: Inventory?
    /// Of a pool host, as it was last told, without its leases.
    package let pool: PoolHello?
    /// The version of the configuration that the sender last said to run; 0 on its defaults.
    package let appliedConfiguration: Int

    package var isRevoked: Bool { revokedAt != nil }
    package var isDraining: Bool { drainingAt != nil }

    static var table: OrganizationTable { .devices }

    init(_ row: borrowing Row) throws {
        id = try row["id"]
        organization = try row["organization"]
        let kind: String = try row["kind"]
        self.kind = kind == DeviceKind.pool.rawValue ? .pool : .sender
        name = try row["name"]
        publicKey = try row["public_key"]
        createdAt = try row["created_at"]
        firstConnectedAt = try row["first_connected_at"]
        lastSeenAt = try row["last_seen_at"]
        revokedAt = try row["revoked_at"]
        flaggedAt = try row["flagged_at"]
        drainingAt = try row["draining_at"]
        softwareVersion = try row["software_version"]
        let inventory: JSONColumn<Inventory>? = try row["inventory"]
        self.inventory = inventory?.value
        let pool: JSONColumn<PoolHello>? = try row["pool"]
        self.pool = pool?.value
        appliedConfiguration = try row["applied_configuration"]
    }

    private enum CodingKeys: String, CodingKey {
        case id, organization, kind, name, createdAt, firstConnectedAt, lastSeenAt, revokedAt, flaggedAt, drainingAt, softwareVersion,
            inventory, pool, appliedConfiguration
    }
}

/// An organisation's senders.
package struct Devices: Sendable {
    let store: ControlStore
    let scope: OrganizationScope

    /// All senders, the revoked ones too.
    package func all() async throws -> [Device] {
        try await store.read { try $0.rows(Device.self, in: scope) }
    }

    package func find(_ id: DeviceID) async throws -> Device {
        try await store.read { try $0.row(Device.self, in: scope, where: "id = \(id)", or: "sender") }
    }

    package func rename(_ id: DeviceID, to name: String) async throws {
        let name = try checked(name, "sender.name", upTo: 100)
        try await store.write { transaction in
            try transaction.updateOne(.devices, in: scope, set: ["name": name], where: "id = \(id)", or: "sender")
            try transaction.note(.deviceRenamed, id.text, detail: name, in: scope)
        }
    }

    /// Takes the identity away for good; its sockets and link keys are the caller's to close within 1 s (THREATS 3).
    package func revoke(_ id: DeviceID) async throws {
        try await store.write(.durable) { transaction in
            try transaction.updateOne(
                .devices, in: scope, set: ["revoked_at": transaction.now], where: "id = \(id) AND revoked_at IS NULL", or: "sender")
            try transaction.note(.deviceRevoked, id.text, in: scope)
        }
    }

    /// What a sender says of itself when it has proven its identity; from its first time on its enrollment token is spent.
    package func connected(_ id: DeviceID, version: String, inventory: Inventory) async throws {
        let column = try JSONColumn(inventory)
        try await store.write(.durable) { transaction in
            let now = transaction.now
            let first: Timestamp?? = try transaction.column("first_connected_at", of: .devices, in: scope, where: "id = \(id)")
            try transaction.updateOne(
                .devices, in: scope,
                set: [
                    "last_seen_at": now, "first_connected_at": (first ?? nil) ?? now, "software_version": clipped(version, to: 64),
                    "inventory": column,
                ], where: "id = \(id) AND revoked_at IS NULL", or: "sender")
        }
    }

    package func setInventory(_ id: DeviceID, _ inventory: Inventory) async throws {
        let column = try JSONColumn(inventory)
        try await store.write { try $0.updateOne(.devices, in: scope, set: ["inventory": column], where: "id = \(id)", or: "sender") }
    }

    /// Writes down what somebody had a sender do.
    package func note(_ action: AuditAction, _ id: DeviceID, detail: String) async throws {
        try await store.write { try $0.note(action, id.text, detail: detail, in: scope) }
    }

    /// Marks an identity that was used from two places at once.
    package func flag(_ id: DeviceID) async throws {
        try await store.write(.durable) { transaction in
            try transaction.updateOne(.devices, in: scope, set: ["flagged_at": transaction.now], where: "id = \(id)", or: "sender")
            try transaction.note(.deviceFlagged, id.text, in: scope)
        }
    }
}

/// The operator's pool hosts.
package struct Pools: Sendable {
    let store: ControlStore

    package func all() async throws -> [Device] {
        try await store.read { try $0.across(.pool).all("SELECT * FROM devices WHERE kind = 'pool' ORDER BY id", Device.init) }
    }

    package func find(_ id: DeviceID) async throws -> Device {
        let found = try await store.read {
            try $0.across(.pool).first("SELECT * FROM devices WHERE kind = 'pool' AND id = \(id)", Device.init)
        }
        guard let found else { throw StoreError.missing("pool host") }
        return found
    }

    /// What a pool host says of itself when it has proven its identity.
    package func connected(_ id: DeviceID, hello: PoolHello) async throws {
        var hello = hello
        hello.leases = []
        let column = try JSONColumn(hello)
        try await change(id, noting: nil) { now in
            """
            last_seen_at = \(now), first_connected_at = coalesce(first_connected_at, \(now)),
            software_version = \(clipped(column.value.poolVersion, to: 64)), pool = \(column)
            """
        }
    }

    package func rename(_ id: DeviceID, to name: String) async throws {
        let name = try checked(name, "pool.name", upTo: 100)
        try await change(id, noting: .deviceRenamed) { _ in "name = \(name)" }
    }

    /// Takes the identity away for good.
    package func revoke(_ id: DeviceID) async throws { try await change(id, noting: .deviceRevoked) { now in "revoked_at = \(now)" } }

    /// Has it take no new streams from now on, or again; nothing happens where it is so already.
    ///
    /// - Parameter scope: of the user who wants it; nil for the operator.
    package func setDraining(_ isDraining: Bool, _ id: DeviceID, by scope: OrganizationScope? = nil) async throws {
        try await store.write(.durable) { transaction in
            let pools = transaction.across(.pool)
            let found = try pools.first("SELECT * FROM devices WHERE kind = 'pool' AND revoked_at IS NULL AND id = \(id)", Device.init)
            guard let host = found else { throw StoreError.missing("pool host") }
            guard host.isDraining != isDraining else { return }
            let since: Timestamp? = isDraining ? transaction.now : nil
            try pools.run("UPDATE devices SET draining_at = \(since) WHERE id = \(id)")
            let action: AuditAction = isDraining ? .hostDrained : .hostTakenBack
            try transaction.noteOfOperator(action, id.text, detail: host.name)
            if let scope { try transaction.note(action, id.text, detail: host.name, in: scope) }
        }
    }

    package func flag(_ id: DeviceID) async throws { try await change(id, noting: .deviceFlagged) { now in "flagged_at = \(now)" } }

    private func change(
        _ id: DeviceID, noting action: AuditAction?, _ assignments: @Sendable (Timestamp) -> SQL
    ) async throws {
        try await store.write(.durable) { transaction in
            let pools = transaction.across(.pool)
            try pools.run(
                "UPDATE devices SET \(part: assignments(transaction.now)) WHERE kind = 'pool' AND revoked_at IS NULL AND id = \(id)")
            guard pools.changes == 1 else { throw StoreError.missing("pool host") }
            if let action { try transaction.noteOfOperator(action, id.text) }
        }
    }
}

extension Identities {
    /// The device that a proof names, revoked or not; nil for an unknown one.
    package func device(_ id: DeviceID) async throws -> Device? {
        try await store.read { try $0.across(.identification).first("SELECT * FROM devices WHERE id = \(id)", Device.init) }
    }

    /// Devices that answered just now: one write for all, every few seconds.
    package func seen(_ devices: [DeviceID]) async throws {
        guard !devices.isEmpty else { return }
        try await store.write { transaction in
            for id in devices {
                try transaction.across(.reconciliation).run("UPDATE devices SET last_seen_at = \(transaction.now) WHERE id = \(id)")
            }
        }
    }
}

/// Which senders events were told of as online: their comings and goings are told once, whatever restarts in between.
package struct Presences: Sendable {
    let store: ControlStore

    package func online() async throws -> Set<DeviceID> {
        Set(try await store.read { try $0.across(.reconciliation).all("SELECT id FROM devices WHERE online_told = 1") { try $0["id"] } })
    }

    /// Tells what has changed; nothing of who is gone from the database, or is a pool host.
    package func tell(came: Set<DeviceID>, gone: Set<DeviceID>) async throws {
        try await store.write(.durable) { transaction in
            for (id, isOnline) in came.sorted().map({ ($0, true) }) + gone.sorted().map({ ($0, false) }) {
                let all = transaction.across(.reconciliation)
                try all.run("UPDATE devices SET online_told = \(isOnline) WHERE id = \(id) AND online_told <> \(isOnline)")
                guard all.changes == 1, let device = try all.first("SELECT * FROM devices WHERE id = \(id)", Device.init),
                    let organization = device.organization
                else { continue }
                try transaction.tell(.sender(device, isOnline: isOnline), in: OrganizationScope(organization, by: .device(id)))
            }
        }
    }
}

extension ControlStore {
    package var presences: Presences { Presences(store: self) }
    package func devices(in scope: OrganizationScope) -> Devices { Devices(store: self, scope: scope) }
    package var pools: Pools { Pools(store: self) }
}
