import SQLite
package import Units
package import Wire

extension Role: ColumnValue {}

package struct User: Sendable, Hashable, Encodable, OrganizationRow {
    package let id: UserID
    package let organization: OrganizationID
    /// In lower case; unique in its organisation.
    package let email: String
    package let displayName: String
    package let role: Role
    package let isActive: Bool
    package let createdAt: Timestamp
    package let lastLoginAt: Timestamp?
    /// The name of a file; nil for none.
    package let avatar: String?

    static var table: OrganizationTable { .users }
    /// Nobody has removed them.
    static let present: SQL = "removed_at IS NULL"

    init(_ row: borrowing Row) throws {
        id = try row["id"]
        organization = try row["organization"]
        email = try row["email"]
        displayName = try row["display_name"]
        role = try row["role"]
        isActive = try row["is_active"]
        createdAt = try row["created_at"]
        lastLoginAt = try row["last_login_at"]
        avatar = try row["avatar"]
    }
}

/// A user to be made: the password is hashed already, nothing else ever reaches the store.
package struct NewUser: Sendable {
    package let email: String
    package let displayName: String
    /// Argon2id in its own text form.
    package let passwordHash: Secret

    /// - Throws: `StoreError.invalid` for an address or a name that cannot be one.
    package init(email: String, displayName: String, passwordHash: Secret) throws {
        self.email = try NewUser.normalized(email)
        self.displayName = try DisplayName.checked(displayName)
        self.passwordHash = passwordHash
    }

    /// The form addresses are stored and looked up in. Whether one is reachable only a mail can tell; this refuses what
    /// cannot be one.
    package static func normalized(_ email: String) throws(StoreError) -> String {
        let address = email.lowercased()
        let parts = address.split(separator: "@", omittingEmptySubsequences: false)
        let isPlain = address.unicodeScalars.allSatisfy { $0.value > 0x20 && $0.value != 0x7F && !$0.properties.isWhitespace }
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty, isPlain, address.utf8.count <= 254 else {
            throw .invalid(field: "user.email", expected: "name@host, at most 254 bytes")
        }
        return address
    }
}

/// An organisation's users.
package struct Users: Sendable {
    let store: ControlStore
    let scope: OrganizationScope

    /// - Throws: `.taken("email")`; `.ownerStays` for the role `owner`, which only a transfer gives.
    package func create(_ user: NewUser, role: Role) async throws -> User {
        guard role != .owner else { throw StoreError.ownerStays }
        return try await store.write(.durable) { transaction in
            try transaction.admit(.users, of: .users, where: "is_active = 1", by: store.quotas, in: scope)
            return try transaction.createUser(user, role: role, in: scope)
        }
    }

    package func all() async throws -> [User] {
        try await store.read { try $0.rows(User.self, in: scope, where: User.present) }
    }

    package func find(_ id: UserID) async throws -> User {
        try await store.read { try $0.user(id, in: scope) }
    }

    /// What users are called, those who were removed too: for what they did.
    ///
    /// - Parameter ids: whatever may be a user's id; of what is none there is no name.
    package func names(of ids: Set<String>) async throws -> [String: String] {
        try await store.read { transaction in
            try ids.reduce(into: [:]) { names, id in
                names[id] = try transaction.column("display_name", of: .users, in: scope, where: "id = \(id)")
            }
        }
    }

    package func rename(_ id: UserID, to displayName: String) async throws {
        let displayName = try DisplayName.checked(displayName)
        try await store.write { transaction in
            try transaction.updateOne(
                .users, in: scope, set: ["display_name": displayName], where: "id = \(id) AND \(part: User.present)", or: "user")
            try transaction.note(.userRenamed, id.text, in: scope)
        }
    }

    /// Gives another role; a link for a new password, which somebody may have who could make it for the old one alone, is good for nothing.
    ///
    /// - Throws: `.ownerStays` where it would make or unmake an owner.
    package func setRole(_ id: UserID, _ role: Role) async throws {
        try await store.write(.durable) { transaction in
            let user = try transaction.user(id, in: scope)
            guard user.role != .owner, role != .owner else { throw StoreError.ownerStays }
            try transaction.update(.users, in: scope, set: ["role": role], where: "id = \(id)")
            try transaction.endReset(of: id, in: scope)
            try transaction.note(.userRoleChanged, id.text, detail: "\(user.role.rawValue) to \(role.rawValue)", in: scope)
        }
    }

    /// Whether there is room for a user who is let in again.
    ///
    /// - Throws: `.quota`.
    package func admitActivation(of id: UserID) async throws {
        try await store.read { try $0.admitActivation(of: id, by: store.quotas, in: scope) }
    }

    /// Lets a user in again.
    ///
    /// - Throws: `.quota`.
    package func activate(_ id: UserID) async throws {
        try await store.write(.durable) { transaction in
            try transaction.admitActivation(of: id, by: store.quotas, in: scope)
            try transaction.updateOne(
                .users, in: scope, set: ["is_active": true], where: "id = \(id) AND \(part: User.present)", or: "user")
            try transaction.note(.userActivated, id.text, in: scope)
        }
    }

    /// Shuts a user out, and ends all of the user's sessions and API tokens.
    ///
    /// - Returns: the sessions that ended, so that their sockets close.
    /// - Throws: `.ownerStays` for the owner.
    package func deactivate(_ id: UserID) async throws -> [SessionID] {
        try await store.write(.durable) { transaction in
            let user = try transaction.user(id, in: scope)
            guard user.role != .owner else { throw StoreError.ownerStays }
            try transaction.update(.users, in: scope, set: ["is_active": false], where: "id = \(id)")
            try transaction.note(.userDeactivated, id.text, in: scope)
            try transaction.endReset(of: id, in: scope)
            try transaction.endTokens(of: id, in: scope, because: .deactivated)
            return try transaction.endSessions(of: id, in: scope, because: .deactivated)
        }
    }

    /// Removes a user for good (ORG-04): ends what `deactivate` ends, and all that they want to be told of. The row stays, since others name it, with the
    /// name and without the address, the password and the picture: the address is anybody's again.
    ///
    /// - Returns: the sessions that ended, so that their sockets close.
    /// - Throws: `.ownerStays` for the owner.
    package func remove(_ id: UserID) async throws -> [SessionID] {
        try await store.write(.durable) { transaction in
            let user = try transaction.user(id, in: scope)
            guard user.role != .owner else { throw StoreError.ownerStays }
            try transaction.note(.userRemoved, id.text, detail: "\(user.displayName), \(user.email)", in: scope)
            try transaction.endReset(of: id, in: scope)
            try transaction.endEmailChange(of: id, in: scope)
            try transaction.endAlerts(of: id, in: scope)
            try transaction.endTokens(of: id, in: scope, because: .deactivated)
            try transaction.update(
                .users, in: scope,
                set: [
                    "is_active": false, "removed_at": transaction.now, "email": "\(id.text)@removed.invalid",
                    "password_hash": String?.none, "avatar": String?.none,
                ], where: "id = \(id)")
            return try transaction.endSessions(of: id, in: scope, because: .deactivated)
        }
    }

    /// Changes the password hash, and ends every session but `keeping` and every API token.
    ///
    /// - Parameters:
    ///   - old: what the password until now was checked against.
    ///   - notice: is sent to the user.
    /// - Returns: the sessions that ended.
    /// - Throws: `.missing` where the user has another hash by now.
    package func setPassword(
        _ id: UserID, from old: Secret, to hash: Secret, keeping: SessionID? = nil, notice: NewMail? = nil
    ) async throws -> [SessionID] {
        return try await store.write(.durable) { transaction in
            try transaction.setPassword(
                of: id, from: old, to: hash, keeping: keeping, noting: .userPasswordChanged, notice: notice, in: scope, of: store)
        }
    }

    /// Replaces a hash by one of the same password at another cost, unless it was changed meanwhile.
    ///
    /// - Returns: whether it was replaced.
    package func renewHash(_ id: UserID, from old: Secret, to new: Secret) async throws -> Bool {
        try await store.write { transaction in
            try transaction.update(
                .users, in: scope, set: ["password_hash": new.revealed], where: "id = \(id) AND password_hash = \(old.revealed)") == 1
        }
    }

    /// The hash, to check a password against: nil for a user who has none.
    package func passwordHash(_ id: UserID) async throws -> Secret? {
        try await store.read { transaction in
            let hash: String?? = try transaction.column("password_hash", of: .users, in: scope, where: "id = \(id)")
            return hash?.map(Secret.init)
        }
    }

    /// Makes another active user the owner, as `setRole` does; the owner before becomes an admin.
    package func transferOwnership(to id: UserID) async throws {
        try await store.write(.durable) { transaction in
            let user = try transaction.row(User.self, in: scope, where: "id = \(id) AND is_active = 1", or: "active user")
            guard user.role != .owner else { return }
            try transaction.updateOne(.users, in: scope, set: ["role": Role.admin], where: "role = 'owner'", or: "owner")
            try transaction.updateOne(.users, in: scope, set: ["role": Role.owner], where: "id = \(id)", or: "user")
            try transaction.endReset(of: id, in: scope)
            try transaction.note(.ownershipTransferred, id.text, in: scope)
        }
    }
}

extension ControlStore {
    package func users(in scope: OrganizationScope) -> Users { Users(store: self, scope: scope) }
}

extension Transaction {
    /// Somebody who belongs to the organisation, shut out or not.
    func user(_ id: UserID, in scope: OrganizationScope) throws -> User {
        try row(User.self, in: scope, where: "id = \(id) AND \(part: User.present)", or: "user")
    }

    fileprivate func admitActivation(of id: UserID, by quotas: Quotas, in scope: OrganizationScope) throws {
        try admit(.users, of: .users, where: "is_active = 1 AND id <> \(id)", by: quotas, in: scope)
    }

    /// Changes a password hash; every session but `keeping` and every API token ends, since whoever knew the one before may have made them, and a
    /// link for a new password is good for nothing.
    ///
    /// - Parameter old: the hash that it replaces; nil for whichever there is.
    func setPassword(
        of id: UserID, from old: Secret?, to hash: Secret, keeping: SessionID? = nil, noting action: AuditAction, notice: NewMail?,
        in scope: OrganizationScope,
        of store: ControlStore
    ) throws -> [SessionID] {
        let condition: SQL = old.map { "id = \(id) AND password_hash = \($0.revealed)" } ?? "id = \(id)"
        try updateOne(.users, in: scope, set: ["password_hash": hash.revealed], where: condition, or: "user")
        try endReset(of: id, in: scope)
        try note(action, id.text, in: scope)
        if let notice { try postNotice(notice, about: id.text, in: scope, of: store) }
        try endTokens(of: id, in: scope, because: .passwordChanged)
        return try endSessions(of: id, in: scope, because: .passwordChanged, but: keeping)
    }

    func createUser(_ user: NewUser, role: Role, in scope: OrganizationScope) throws -> User {
        let id: UserID = newID()
        try naming("email") {
            try insert(
                into: .users, in: scope,
                [
                    "id": id, "email": user.email, "display_name": user.displayName, "role": role, "is_active": true,
                    "password_hash": user.passwordHash.revealed, "created_at": now,
                ])
        }
        try note(.userCreated, id.text, detail: role.rawValue, in: scope)
        return try row(User.self, in: scope, where: "id = \(id)", or: "user")
    }
}
