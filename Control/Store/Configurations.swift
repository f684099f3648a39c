import SQLite
package import Units

/// One version of a sender's configuration.
package struct SenderConfiguration: Sendable, Hashable, Encodable, OrganizationRow {
    package let sender: DeviceID
    /// From 1 on, without gaps.
    package let version: Int
    package let toml: String
    package let createdAt: Timestamp
    /// Nil where it was not a user.
    package let createdBy: UserID?

    static var table: OrganizationTable { .configurations }

    init(_ row: borrowing Row) throws {
        sender = try row["sender"]
        version = try row["version"]
        toml = try row["toml"]
        createdAt = try row["created_at"]
        createdBy = try row["created_by"]
    }
}

/// An organisation's configurations of its senders: versions are kept (CTL-02), the newest `Quota.configurations` of each.
package struct Configurations: Sendable {
    let store: ControlStore
    let scope: OrganizationScope

    /// Largest configuration, in bytes of TOML: well within one message of the wire.
    package static let maximumBytes = 64 * 1024

    /// Adds the next version. Whether the text is a valid configuration is the caller's to check.
    package func save(_ toml: String, for sender: DeviceID) async throws -> SenderConfiguration {
        guard toml.utf8.count <= Self.maximumBytes else {
            throw StoreError.invalid(field: "configuration.toml", expected: "at most \(Self.maximumBytes) bytes")
        }
        return try await store.write(.durable) { transaction in
            _ = try transaction.row(Device.self, in: scope, where: "id = \(sender)", or: "sender")
            let version = (try transaction.newestConfiguration(of: sender, in: scope)?.version ?? 0) + 1
            var author: UserID?
            if case .user(let id, _, _) = scope.author { author = id }
            try transaction.insert(
                into: .configurations, in: scope,
                ["sender": sender, "version": version, "toml": toml, "created_at": transaction.now, "created_by": author])
            try transaction.delete(
                from: .configurations, in: scope, where: "sender = \(sender) AND version <= \(version - store.quotas[.configurations])")
            try transaction.note(.deviceConfigured, sender.text, detail: "version \(version)", in: scope)
            return try transaction.row(
                SenderConfiguration.self, in: scope, where: "sender = \(sender) AND version = \(version)", or: "configuration")
        }
    }

    /// The newest version: what the sender should run; nil while it has none.
    package func newest(of sender: DeviceID) async throws -> SenderConfiguration? {
        try await store.read { try $0.newestConfiguration(of: sender, in: scope) }
    }

    package func version(_ version: Int, of sender: DeviceID) async throws -> SenderConfiguration {
        try await store.read { transaction in
            try transaction.row(
                SenderConfiguration.self, in: scope, where: "sender = \(sender) AND version = \(version)", or: "configuration")
        }
    }

    /// The newest first.
    package func history(of sender: DeviceID, limit: Int = 50) async throws -> [SenderConfiguration] {
        try await store.read { transaction in
            try transaction.rows(
                SenderConfiguration.self, in: scope, where: "sender = \(sender)", order: "version DESC", limit: min(max(limit, 1), 500))
        }
    }

    /// Writes down which version the sender says it runs.
    package func applied(_ version: Int, by sender: DeviceID) async throws {
        try await store.write { transaction in
            try transaction.updateOne(
                .devices, in: scope, set: ["applied_configuration": version], where: "id = \(sender)", or: "sender")
        }
    }
}

extension ControlStore {
    package func configurations(in scope: OrganizationScope) -> Configurations { Configurations(store: self, scope: scope) }
}

extension Transaction {
    fileprivate func newestConfiguration(of sender: DeviceID, in scope: OrganizationScope) throws -> SenderConfiguration? {
        try rows(SenderConfiguration.self, in: scope, where: "sender = \(sender)", order: "version DESC", limit: 1).first
    }
}
