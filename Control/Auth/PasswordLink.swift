import Crypto
package import Mail
package import Store
package import Units
package import Wire

/// A link for a new password that the operator makes in the server's own shell, for a user of any role: the way back of an owner
/// where no mail is sent, or where it does not come.
package struct PasswordLink: Sendable {
    /// Opens the account: it goes to its user on a way that nobody else reads.
    package let link: Secret
    package let user: User
    package let organizationName: String

    /// Who it cannot be made for; the operator may know who has an account.
    package enum Failure: Error, Hashable, CustomStringConvertible {
        case noAddress
        case noOrganization(known: [String])
        case noUser(in: String)
        case shutOut(Role)

        package var description: String {
            switch self {
            case .noAddress: "--email takes a mail address: name@host, at most 254 bytes"
            case .noOrganization(let known):
                known.isEmpty
                    ? "there is no organisation yet: its first owner registers with the setup secret"
                    : "no organisation has that slug; there are: \(known.joined(separator: ", "))"
            case .noUser(let slug): "nobody in '\(slug)' has that mail address"
            case .shutOut(let role): "this \(role.rawValue) is shut out, and no link lets them in: an admin of theirs can"
            }
        }
    }

    /// Of the organisations that are named to somebody who mistook one.
    private static let shownOrganizations = 20

    /// Makes it, in place of any that the user was given before, and writes that down in the organisation's audit log and in the operator's.
    ///
    /// - Throws: `Failure`, `StoreError`, `SQLiteError`: nothing has changed then.
    package static func make(
        for email: String, in slug: String, links: AccountLinks, by store: ControlStore
    ) async throws -> PasswordLink {
        let address: String
        do {
            address = try NewUser.normalized(email)
        } catch {
            throw Failure.noAddress
        }
        guard try await store.organizations.find(slug: slug) != nil else {
            throw Failure.noOrganization(known: try await store.organizations.all().prefix(shownOrganizations).map(\.slug))
        }
        guard let login = try await store.identities.logins(email: address, slug: slug).first else { throw Failure.noUser(in: slug) }
        guard login.user.isActive else { throw Failure.shutOut(login.user.role) }
        let token = Secret(Base64URL.encode(randomBytes(32)))
        let scope = OrganizationScope(login.user.organization, by: .operator)
        // Without a mail nothing holds it back.
        _ = try await store.passwordResets.issue(token, for: login.user.id, mail: nil, in: scope)
        return PasswordLink(link: links.newPassword(token), user: login.user, organizationName: login.organizationName)
    }
}
