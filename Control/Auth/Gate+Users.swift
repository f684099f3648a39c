package import Store
package import Wire
package import Units

/// What admins do to accounts: each checks the role of whoever asks against the role of whom it is done to.
extension Gate {
    /// Makes a user of the principal's organisation.
    ///
    /// - Throws: `.notAllowed` for a role that is not below the principal's; `.weakPassword`; `StoreError.taken("email")`.
    package func createUser(
        email: String, displayName: String, role: Role, password: Secret, by principal: Principal, from origin: Origin
    ) async throws -> User {
        let scope = try principal.scope(for: .setPasswords, from: origin.address)
        guard Policy.manages(principal.role, role) else { throw AuthError.notAllowed(.manageUsers) }
        let user = try NewUser(email: email, displayName: displayName, passwordHash: try await hasher.hash(password))
        return try await store.users(in: scope).create(user, role: role)
    }

    /// Changes what is given of a user; nothing where one of the changes is not allowed.
    ///
    /// - Throws: `.notAllowed` for a user or a role that is not below the principal's, but everybody may rename themselves;
    ///   `StoreError.ownerStays`; `StoreError.invalid` for the name.
    package func change(
        _ user: UserID, role: Role?, displayName: String?, active: Bool?, by principal: Principal, from origin: Origin
    ) async throws -> User {
        let users = store.users(in: try principal.scope(for: .manageUsers, from: origin.address))
        if user != principal.user.id || role != nil || active != nil { _ = try await managing(user, as: principal, from: origin) }
        if let role, !Policy.manages(principal.role, role) { throw AuthError.notAllowed(.manageUsers) }
        // First what can still be refused.
        if active == true { try await users.admitActivation(of: user) }
        if let displayName { try await users.rename(user, to: displayName) }
        if let role { try await setRole(role, of: user, by: principal, from: origin) }
        switch active {
        case true?: try await activate(user, by: principal, from: origin)
        case false?: try await deactivate(user, by: principal, from: origin)
        case nil: break
        }
        return try await users.find(user)
    }

    /// Gives another role; open sockets of the user are told.
    package func setRole(_ role: Role, of user: UserID, by principal: Principal, from origin: Origin) async throws {
        let users = try await managing(user, as: principal, from: origin)
        guard Policy.manages(principal.role, role) else { throw AuthError.notAllowed(.manageUsers) }
        try await users.setRole(user, role)
        revoked.tell([.role(user)])
    }

    /// Shuts a user out at once: sessions end, sockets close.
    package func deactivate(_ user: UserID, by principal: Principal, from origin: Origin) async throws {
        var ended = try await managing(user, as: principal, from: origin).deactivate(user)
        ended += unstored.closeAll(of: user)
        revoked.tell(ended.map(Revocation.session))
    }

    package func activate(_ user: UserID, by principal: Principal, from origin: Origin) async throws {
        try await managing(user, as: principal, from: origin).activate(user)
    }

    /// Removes a user for good, as `deactivate` shuts one out.
    ///
    /// - Throws: `.notAllowed` for a user whose role is not below the principal's, so for oneself too; `StoreError.ownerStays`, `.missing`.
    package func remove(_ user: UserID, by principal: Principal, from origin: Origin) async throws {
        var ended = try await managing(user, as: principal, from: origin).remove(user)
        ended += unstored.closeAll(of: user)
        revoked.tell(ended.map(Revocation.session))
    }

    /// Ends all sessions of a user.
    package func endSessions(of user: UserID, by principal: Principal, from origin: Origin) async throws {
        _ = try await managing(user, as: principal, from: origin)
        let scope = try principal.scope(for: .manageUsers, from: origin.address)
        var ended = try await store.sessions(in: scope).endAll(of: user)
        ended += unstored.closeAll(of: user)
        revoked.tell(ended.map(Revocation.session))
    }

    /// Makes another user the owner; whoever was it becomes an admin.
    ///
    /// - Parameter password: the owner's: a stolen session hands nothing over.
    /// - Throws: `.notAllowed`; `.wrongPassword`, `.tooMany`, `.busy`; `StoreError.missing` for a user who is not there or shut out.
    package func transferOwnership(to user: UserID, password: Secret, by principal: Principal, from origin: Origin) async throws {
        let scope = try principal.scope(for: .transferOwnership, from: origin.address)
        _ = try await prove(password, of: principal)
        try await store.users(in: scope).transferOwnership(to: user)
        revoked.tell([.role(user), .role(principal.user.id)])
    }

    func managing(_ user: UserID, as principal: Principal, from origin: Origin) async throws -> Users {
        let users = store.users(in: try principal.scope(for: .manageUsers, from: origin.address))
        let found = try await users.find(user)
        // ORG-02 is told apart from a lack of rights: nobody may do this, the owner neither.
        if found.role == .owner { throw StoreError.ownerStays }
        guard Policy.manages(principal.role, found.role) else { throw AuthError.notAllowed(.manageUsers) }
        return users
    }
}
