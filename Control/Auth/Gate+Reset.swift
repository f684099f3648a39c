import Mail
import Store
package import Units

/// Somebody who says that they forgot the password of an address.
struct ResetRequest: Sendable, Hashable {
    /// In the form that addresses are stored in; empty for what cannot be one.
    let email: String
    let slug: String?
    /// Where it came from.
    let address: String
}

/// The requests that wait to be carried out.
final class ResetRequests: Sendable {
    /// More than come in the time that the longest takes: places and addresses are limited before.
    private static let bound = 64

    let stream: AsyncStream<ResetRequest>
    private let entry: AsyncStream<ResetRequest>.Continuation

    init() { (stream, entry) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Self.bound)) }

    /// - Throws: `.busy` where as many wait as may.
    func add(_ request: ResetRequest) throws(AuthError) {
        if case .dropped = entry.yield(request) { throw .busy }
    }
}

/// Passwords that were forgotten (SEC-06).
extension Gate {
    /// Takes a request for a mail with a link for a new password. It is carried out later, by `sendResetLinks`: neither the answer nor its time
    /// can tell whether the address has an account, since nobody has looked by then.
    ///
    /// - Parameter slug: the organisation; nil for all in which the address has an account.
    /// - Throws: `.sendsNoMail`, `.tooMany`, `.busy`.
    package func requestReset(email: String, slug: String?, from origin: Origin) async throws {
        guard letters != nil else { throw AuthError.sendsNoMail }
        // try?: an address that cannot be one is nobody's.
        let address = (try? NewUser.normalized(email)) ?? ""
        let atPlace = try await take("reset at place", "address \(origin.subscriber)", limits.resetAtPlace)
        // With what it names, as it is carried out: a name that leads nowhere uses nothing up. An empty one is not none.
        let asked = try await take("reset", "email \(address)\(slug.map { " in \($0)" } ?? "")", limits.reset)
        do {
            try resets.add(ResetRequest(email: address, slug: slug, address: origin.address))
        } catch {
            for attempt in [atPlace, asked] { try await refund(attempt) }
            throw error
        }
    }

    /// Carries requests out, one after the other, until its task is cancelled.
    ///
    /// - Parameter trouble: told of each that failed: whoever asked asks again.
    package func sendResetLinks(trouble: @Sendable (any Error) -> Void) async {
        for await request in resets.stream {
            do { try await sendResetLinks(for: request) } catch { trouble(error) }
        }
    }

    func sendResetLinks(for request: ResetRequest) async throws {
        guard let letters else { return }
        for login in try await store.identities.logins(email: request.email, slug: request.slug).prefix(Self.candidates)
        where login.user.isActive {
            let token = fresh()
            guard let mail = letters.passwordReset(of: login.user, in: login.organizationName, token: token) else { continue }
            let scope = OrganizationScope(login.user.organization, by: .visitor(address: request.address))
            // Where there are too many mails the audit log says so.
            _ = try await store.passwordResets.issue(token, for: login.user.id, mail: mail, in: scope)
        }
    }

    /// Changes a password by a link; every session of its user ends.
    ///
    /// - Throws: `StoreError.linkRefused`; `.weakPassword` and `.busy`, which leave the link as it is.
    package func resetPassword(_ token: Secret, to password: Secret, from origin: Origin) async throws {
        guard try await store.passwordResets.accepts(token) else { throw StoreError.linkRefused }
        let (letters, time) = (letters, store.now)
        let (user, ended) = try await store.passwordResets.redeem(
            token, hash: try await hasher.hash(password), from: origin.address,
            notice: { letters?.passwordChanged(of: $0, at: time) })
        revoked.tell((ended + unstored.closeAll(of: user)).map(Revocation.session))
    }

    /// A link for a user of a lower role who cannot get in.
    ///
    /// - Returns: its token where it is to be handed over, because no mail is sent; nil where one goes to the user.
    /// - Throws: `.notAllowed`; `StoreError.ownerStays`, `.missing` for a user who is shut out, `.enoughMails`.
    package func resetLink(for user: UserID, by principal: Principal, from origin: Origin) async throws -> Secret? {
        let scope = try principal.scope(for: .setPasswords, from: origin.address)
        let found = try await managing(user, as: principal, from: origin).find(user)
        let token = fresh()
        let mail = letters?.passwordReset(of: found, in: try await organizationName(of: principal), token: token)
        if let refusal = try await store.passwordResets.issue(token, for: user, mail: mail, in: scope) { throw refusal }
        return mail == nil ? token : nil
    }
}
