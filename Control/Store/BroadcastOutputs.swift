import Crypto
import FoundationEssentials
import SQLite
package import Units
package import Wire

/// The outputs of an organisation's broadcasts, and the leases of their receivers.
extension Broadcasts {
    /// The outputs of a broadcast in the order they were added, without the removed ones.
    package func outputs(of id: BroadcastID) async throws -> [BroadcastOutput] {
        try await store.read { transaction in
            _ = try transaction.broadcast(id, in: scope)
            return try transaction.rows(BroadcastOutput.self, in: scope, where: "broadcast = \(id) AND removed_at IS NULL")
        }
    }

    package func addOutput(_ output: NewOutput, to id: BroadcastID) async throws -> BroadcastOutput {
        try await store.write(.durable) { transaction in
            _ = try transaction.runningBroadcast(id, in: scope)
            let count = try transaction.rows(BroadcastOutput.self, in: scope, where: "broadcast = \(id) AND removed_at IS NULL").count
            guard count < Self.maximumOutputs else {
                throw StoreError.invalid(field: "broadcast.outputs", expected: "at most \(Self.maximumOutputs)")
            }
            let made = try transaction.insertOutput(output, of: id, in: scope)
            try transaction.note(.outputAdded, id.text, detail: output.name, in: scope)
            return made
        }
    }

    package func removeOutput(_ output: OutputID, of id: BroadcastID) async throws {
        try await store.write(.durable) { transaction in
            try transaction.updateOne(
                .outputs, in: scope, set: ["removed_at": transaction.now, "state": OutputState.removed, "spec": [UInt8]?.none],
                where: "id = \(output) AND broadcast = \(id) AND removed_at IS NULL", or: "output")
            try transaction.note(.outputRemoved, id.text, detail: output.text, in: scope)
        }
    }

    /// Keeps what a receiver was told, sealed, so that a lease can be made again with the address that passed the guard.
    package func setSpec(_ spec: OutputSpec, of id: BroadcastID) async throws {
        let sealed = try store.keyring.seal([UInt8](try JSONEncoder().encode(spec)), for: place("broadcast_outputs.spec", spec.id.text))
        try await store.write(.durable) { transaction in
            _ = try transaction.runningBroadcast(id, in: scope)
            try transaction.updateOne(
                .outputs, in: scope, set: ["spec": sealed],
                where: "id = \(spec.id) AND broadcast = \(id) AND removed_at IS NULL", or: "output")
        }
    }

    /// What a receiver of this broadcast is to be told: the outputs that have been prepared.
    package func specs(of id: BroadcastID) async throws -> [OutputSpec] {
        let sealed = try await store.read { transaction in
            try transaction.rows(SealedSpec.self, in: scope, where: "broadcast = \(id) AND removed_at IS NULL AND spec IS NOT NULL")
        }
        return try sealed.map { row in
            let text = try store.keyring.open(row.spec, for: place("broadcast_outputs.spec", row.id.text))
            return try JSONDecoder().decode(OutputSpec.self, from: Data(text))
        }
    }

    /// Writes down what a receiver reports of an output.
    package func observeOutput(_ output: OutputID, of id: BroadcastID, _ state: OutputState, reason: String?) async throws {
        try await store.write { transaction in
            try transaction.updateOne(
                .outputs, in: scope, set: ["state": state, "reason": reason.map { clipped($0, to: 1000) }],
                where: "id = \(output) AND broadcast = \(id) AND removed_at IS NULL", or: "output")
        }
    }

    /// Takes a place on a pool host for a broadcast that has none.
    ///
    /// - Throws: `.taken("lease")` where it has one.
    package func lease(_ id: BroadcastID, on pool: DeviceID) async throws -> Lease {
        try await store.write(.durable) { transaction in
            _ = try transaction.runningBroadcast(id, in: scope)
            let lease: LeaseID = transaction.newID()
            try naming("lease") {
                try transaction.insert(
                    into: .leases, in: scope, ["id": lease, "broadcast": id, "pool": pool, "created_at": transaction.now])
            }
            return try transaction.row(Lease.self, in: scope, where: "id = \(lease)", or: "lease")
        }
    }

    /// Writes down the port that the pool host granted.
    ///
    /// - Throws: `.taken("port")` where another open lease of this host has it.
    package func granted(_ lease: LeaseID, port: Int) async throws {
        try await store.write(.durable) { transaction in
            try naming("port") {
                try transaction.updateOne(
                    .leases, in: scope, set: ["port": port, "granted_at": transaction.now],
                    where: "id = \(lease) AND released_at IS NULL", or: "open lease")
            }
        }
    }

    /// Gives a lease back; giving it back again changes nothing.
    package func release(_ lease: LeaseID) async throws {
        try await store.write(.durable) { transaction in
            _ = try transaction.row(Lease.self, in: scope, where: "id = \(lease)", or: "lease")
            try transaction.update(
                .leases, in: scope, set: ["released_at": transaction.now], where: "id = \(lease) AND released_at IS NULL")
        }
    }

    /// The open lease of a broadcast.
    package func lease(of id: BroadcastID) async throws -> Lease? {
        try await store.read { try $0.row(Lease.self, in: scope, where: "broadcast = \(id) AND released_at IS NULL") }
    }
}

/// What a restarted control takes up again, in all organisations.
package struct Reconciliation: Sendable {
    let store: Store

    /// Every broadcast that has not ended.
    package func broadcasts() async throws -> [Broadcast] {
        try await store.read { transaction in
            try transaction.across(.reconciliation).all("SELECT * FROM broadcasts WHERE ended_at IS NULL ORDER BY id", Broadcast.init)
        }
    }

    /// Every open lease, or those of one pool host: what is compared with its hello.
    package func leases(on pool: DeviceID? = nil) async throws -> [Lease] {
        try await store.read { transaction in
            try transaction.across(.pool).all(
                "SELECT * FROM leases WHERE released_at IS NULL AND (\(pool) IS NULL OR pool = \(pool)) ORDER BY id", Lease.init)
        }
    }

    /// A lease that a pool host names, whoever's it is; nil for an unknown one, whose receiver has no broadcast.
    package func lease(_ id: LeaseID, on pool: DeviceID) async throws -> Lease? {
        try await store.read { transaction in
            try transaction.across(.pool).first("SELECT * FROM leases WHERE id = \(id) AND pool = \(pool)", Lease.init)
        }
    }
}

extension Store {
    package var reconciliation: Reconciliation { Reconciliation(store: self) }
}

/// The sealed column of an output, apart from the output itself.
private struct SealedSpec: OrganizationRow {
    let id: OutputID
    let spec: [UInt8]

    static var table: OrganizationTable { .outputs }

    init(_ row: borrowing Row) throws {
        id = try row["id"]
        spec = try row["spec"]
    }
}

extension Transaction {
    func insertOutput(_ output: NewOutput, of id: BroadcastID, in scope: OrganizationScope) throws -> BroadcastOutput {
        let name = try checked(output.name, "output.name", upTo: 100)
        if let destination = output.destination { _ = try self.destination(destination, in: scope) }
        let made: OutputID = newID()
        try insert(
            into: .outputs, in: scope,
            [
                "id": made, "broadcast": id, "destination": output.destination, "name": name, "state": OutputState.waiting,
                "created_at": now,
            ])
        return try row(BroadcastOutput.self, in: scope, where: "id = \(made)", or: "output")
    }
}
