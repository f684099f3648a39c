package import Store
package import Units
package import Wire

/// Programs that act in a user's place: API tokens.
extension Gate {
    /// What begins every API token and no access token: it is told apart by it, and found where it should not lie.
    static let tokenPrefix = "strata_"

    /// Makes a token for the principal's own programs.
    ///
    /// - Parameter password: the principal's: whoever stole a session makes nothing that outlives it.
    /// - Returns: the token, and its secret, which is nowhere else.
    /// - Throws: `.notInScope` where a token asks; `.notAllowed` for a scope whose purpose the role does not allow; `.wrongPassword`, `.tooMany`,
    ///   `.busy`; `StoreError.quota`, `.invalid` for the name.
    package func createToken(
        name: String, scopes: Set<APITokenScope>, lifetime: Duration, password: Secret, by principal: Principal, from origin: Origin
    ) async throws -> (token: APIToken, secret: Secret) {
        let scope = try principal.scope(for: .manageOwnAccount, from: origin.address)
        for one in APITokenScope.allCases where scopes.contains(one) { try principal.demand(Policy.purpose(of: one)) }
        let proven = try await prove(password, of: principal)
        let secret = Secret(Self.tokenPrefix + fresh().revealed)
        do {
            let token = try await store.apiTokens(in: scope).create(
                secret, name: name, scopes: scopes, lifetime: lifetime, of: principal.user.id, proven: proven)
            return (token, secret)
        } catch StoreError.missing {
            // Another one since.
            throw AuthError.wrongPassword
        }
    }

    /// The tokens that nobody has ended, the newest first: the principal's own, and those of all others for whoever manages users.
    package func tokens(for principal: Principal) async throws -> [APIToken] {
        let scope = try principal.scope(for: .manageOwnAccount, from: nil)
        return try await store.apiTokens(in: scope).all(of: principal.may(.manageUsers) ? nil : principal.user.id)
    }

    /// Ends a token: the principal's own or, for whoever manages users, anybody's of the organisation, since it can only take away.
    ///
    /// - Throws: `StoreError.missing`.
    package func endToken(_ id: APITokenID, by principal: Principal, from origin: Origin) async throws {
        let scope = try principal.scope(for: .manageOwnAccount, from: origin.address)
        try await store.apiTokens(in: scope).end(id, of: principal.may(.manageUsers) ? nil : principal.user.id)
    }

    /// Writes down where and when an API token was used; nothing for whoever has signed in.
    package func noteUse(of principal: Principal, from origin: Origin) async throws {
        guard let token = principal.token else { return }
        do {
            try await store.apiTokens(in: principal.scope(from: origin.address)).used(token, from: origin.address)
        } catch StoreError.diskFull {
            // It is let in all the same, as everybody is who stops a broadcast: what it does is written down or refused by itself.
        }
    }

    /// Every bad token is looked up by its hash and refused alike: nothing that it is compared with is secret.
    func principal(ofToken secret: Secret) async throws -> Principal {
        guard let (user, token) = try await store.identities.holder(of: secret) else { throw AuthError.tokenRefused }
        return Principal(user, token)
    }
}
