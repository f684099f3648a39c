import SQLite

/// A step of the schema that this database has, with the program that brought it.
package struct SchemaUpgrade: Sendable, Hashable {
    package let step: Int
    package let name: String
    /// ISO 8601.
    package let appliedAt: String
    package let program: String

    init(_ row: borrowing Row) throws {
        step = try row["version"]
        name = try row["name"]
        appliedAt = try row["applied_at"]
        program = try row["platform_version"]
    }
}

extension Operations {
    /// The newest first.
    package func upgrades() async throws -> [SchemaUpgrade] {
        try await store.read { try $0.shared.all("SELECT * FROM migrations ORDER BY version DESC", SchemaUpgrade.init) }
    }
}
