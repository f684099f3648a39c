extension Operations {
    private static let server = "server"

    /// Writes down who has asked for another version of the server, or for a copy of its database: a restored copy does not know of it, and
    /// neither does anybody who asks the copy.
    package func noteServerUpdate(_ detail: String, in scope: OrganizationScope) async throws {
        try await store.write(.durable) { transaction in
            try transaction.noteOfOperator(.serverUpdateAsked, Self.server, detail: detail)
            try transaction.note(.serverUpdateAsked, Self.server, detail: detail, in: scope)
        }
    }
}
