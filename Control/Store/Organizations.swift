import Crypto
import SQLite
package import Units

/// A client of the service: senders, destinations, broadcasts and users belong to exactly one.
package struct Organization: Sendable, Hashable, Encodable {
    package let id: OrganizationID
    package let name: String
    /// Its part of URLs: 1 to 40 of `a-z`, `0-9` and `-`.
    package let slug: String
    package let createdAt: Timestamp

    init(_ row: borrowing Row) throws {
        id = try row["id"]
        name = try row["name"]
        slug = try row["slug"]
        createdAt = try row["created_at"]
    }

    init(id: OrganizationID, name: String, slug: String, createdAt: Timestamp) throws {
        self.id = id
        self.name = try checked(name, "organization.name")
        self.slug = slug
        self.createdAt = createdAt
        let fits = slug.utf8.allSatisfy { character in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(character) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(character)
                || character == UInt8(ascii: "-")
        }
        guard fits, (1...40).contains(slug.utf8.count), !slug.hasPrefix("-"), !slug.hasSuffix("-") else {
            throw StoreError.invalid(field: "organization.slug", expected: "1 to 40 of a-z, 0-9 and -, not at its ends")
        }
    }
}

/// All organisations: the operator's list.
package struct Organizations: Sendable {
    let store: ControlStore

    /// Makes an organisation with its owner, whom every organisation has from its first moment on.
    package func create(name: String, slug: String, owner: NewUser, by author: Author) async throws -> (Organization, User) {
        try await store.write(.durable) { transaction in
            let made = try transaction.createOrganization(name: name, slug: slug, owner: owner, by: author)
            // The organisation's own log has it as well; the operator reads this one only.
            if author == .operator { try transaction.noteOfOperator(.organizationCreated, made.0.id.text, detail: slug) }
            return made
        }
    }

    package func all() async throws -> [Organization] {
        try await store.read { try $0.shared.all("SELECT * FROM organizations ORDER BY id", Organization.init) }
    }

    package func find(_ id: OrganizationID) async throws -> Organization? {
        try await store.read { try $0.shared.first("SELECT * FROM organizations WHERE id = \(id)", Organization.init) }
    }

    package func find(slug: String) async throws -> Organization? {
        try await store.read { try $0.shared.first("SELECT * FROM organizations WHERE slug = \(slug)", Organization.init) }
    }

    /// nil where there are several, or none.
    package func only() async throws -> Organization? {
        let some = try await store.read { try $0.shared.all("SELECT * FROM organizations ORDER BY id LIMIT 2", Organization.init) }
        return some.count == 1 ? some[0] : nil
    }

    /// The one that the server was set up with; nil where it is gone, or the server was set up in another way.
    package func house() async throws -> OrganizationID? { try await store.read { try $0.house() } }

    /// Whether it is the one that the server was set up with: whoever did that runs the server, and its admins look after the pool.
    package func isHouse(_ id: OrganizationID) async throws -> Bool {
        try await store.read { try $0.house() == id }
    }

    package func rename(_ name: String, in scope: OrganizationScope) async throws {
        let name = try checked(name, "organization.name")
        try await store.write { try $0.renameOrganization(to: name, in: scope) }
    }
}

/// The first run: until an owner exists, a one-time secret opens registration (THREATS 1).
package struct Setup: Sendable {
    let store: ControlStore

    /// Whether nobody owns this server yet.
    package func isOpen() async throws -> Bool {
        try await store.read { try $0.isUnowned() }
    }

    /// Makes `secret` the one that opens the first registration; an earlier one opens nothing any more.
    ///
    /// - Throws: `.setupClosed` once there is an owner.
    package func issue(_ secret: Secret) async throws {
        let hash = SHA256.hash(secret.revealed)
        try await store.write(.durable) { transaction in
            guard try transaction.isUnowned() else { throw StoreError.setupClosed }
            try transaction.shared.run(
                """
                INSERT INTO setup (id, secret_hash, created_at) VALUES (1, \(hash), \(transaction.now))
                ON CONFLICT (id) DO UPDATE SET secret_hash = excluded.secret_hash, created_at = excluded.created_at, used_at = NULL
                """)
        }
    }

    /// Whether `secret` would open the first registration now: asked before the cost of hashing a password is spent.
    package func accepts(_ secret: Secret) async throws -> Bool {
        let hash = SHA256.hash(secret.revealed)
        return try await store.read { try $0.setupAccepts(hash) }
    }

    /// Makes the first organisation and its owner, once.
    ///
    /// - Throws: `.setupClosed` for another secret, a used one, or where an owner exists.
    package func claim(_ secret: Secret, name: String, slug: String, owner: NewUser) async throws -> (Organization, User) {
        let hash = SHA256.hash(secret.revealed)
        return try await store.write(.durable) { transaction in
            guard try transaction.setupAccepts(hash) else { throw StoreError.setupClosed }
            let made = try transaction.createOrganization(name: name, slug: slug, owner: owner, by: .operator)
            try transaction.shared.run("UPDATE setup SET used_at = \(transaction.now), organization = \(made.0.id) WHERE id = 1")
            return made
        }
    }
}

extension ControlStore {
    package var organizations: Organizations { Organizations(store: self) }
    package var setup: Setup { Setup(store: self) }
}

extension Transaction {
    func renameOrganization(to name: String, in scope: OrganizationScope) throws {
        try shared.run("UPDATE organizations SET name = \(name) WHERE id = \(scope.organization)")
        guard shared.changes == 1 else { throw StoreError.missing("organization") }
        try note(.organizationRenamed, scope.organization.text, detail: name, in: scope)
    }

    fileprivate func createOrganization(
        name: String, slug: String, owner: NewUser, by author: Author
    ) throws -> (Organization, User) {
        let organization = try Organization(id: newID(), name: name, slug: slug, createdAt: now)
        try naming("slug") {
            try shared.run(
                """
                INSERT INTO organizations (id, name, slug, created_at)
                VALUES (\(organization.id), \(organization.name), \(organization.slug), \(organization.createdAt))
                """)
        }
        let scope = OrganizationScope(organization.id, by: author)
        try note(.organizationCreated, organization.id.text, detail: organization.slug, in: scope)
        return (organization, try createUser(owner, role: .owner, in: scope))
    }

    /// nil where the server was set up in no browser, or with an organisation that was deleted since. A server of before this was written
    /// down has the organisation that was made first.
    func house() throws -> OrganizationID? {
        try shared.first(
            """
            SELECT coalesce(organization, (SELECT id FROM organizations ORDER BY rowid LIMIT 1)) AS house
            FROM setup WHERE id = 1 AND used_at IS NOT NULL
            """
        ) { try $0["house"] }
    }

    fileprivate func isUnowned() throws -> Bool {
        try across(.operation).first("SELECT 1 AS found FROM users WHERE role = 'owner' LIMIT 1") { row -> Int in try row["found"] } == nil
    }

    fileprivate func setupAccepts(_ hash: [UInt8]) throws -> Bool {
        guard try isUnowned() else { return false }
        let stored: [UInt8]? = try shared.first("SELECT secret_hash FROM setup WHERE id = 1 AND used_at IS NULL") { try $0["secret_hash"] }
        return stored.map { constantTimeEqual($0, hash) } ?? false
    }
}
