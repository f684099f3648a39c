import Store
package import Units

/// The end of an organisation (ORG-03).
extension Gate {
    /// Deletes the principal's organisation: everybody's sessions end, and nobody gets in again.
    ///
    /// - Parameters:
    ///   - slug: the organisation's, typed by whoever means it (SEC-19).
    ///   - password: the owner's: a stolen session deletes nothing.
    /// - Returns: the senders whose connections have to end.
    /// - Throws: `.notAllowed`; `.wrongPassword`, `.tooMany`, `.busy`; `StoreError.invalid` for another slug; `.organizationBusy` while a broadcast runs.
    package func deleteOrganization(
        typed slug: String, password: Secret, by principal: Principal, from origin: Origin
    ) async throws -> [DeviceID] {
        let scope = try principal.scope(for: .deleteOrganization, from: origin.address)
        guard try await store.organizations.find(scope.organization)?.slug == slug else {
            throw StoreError.invalid(field: "deletion.slug", expected: "the short name of the organisation that is deleted")
        }
        _ = try await prove(password, of: principal)
        let (sessions, senders) = try await store.deletions.begin(in: scope)
        revoked.tell((sessions + unstored.closeAll(in: scope.organization)).map(Revocation.session))
        return senders
    }
}
