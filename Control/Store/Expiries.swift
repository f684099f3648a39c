import SQLite
import Units

/// Something that is good until a moment, and how long before it somebody is told so.
package struct Expiry: Sendable, Hashable {
    package enum Credential: String, Sendable, CaseIterable {
        /// What the server presents.
        case certificate
        /// The server's own authority, which boards pin.
        case authority
        /// To the bucket of recordings.
        case storeKey = "store_key"
        case apiToken = "api_token"
    }

    package let credential: Credential
    /// What its owner calls it; empty where there is one only.
    package let name: String
    package let end: Timestamp
    /// The notice that this is: less than so many days are left.
    package let days: Int

    package init(_ credential: Credential, name: String = "", end: Timestamp, days: Int) {
        self.credential = credential
        self.name = name
        self.end = end
        self.days = days
    }

    /// Days before the end from which on one notice each is given, the first one first (PRV-19).
    static let notices = [30, 7, 1]
    private static let day = Duration.seconds(86_400)
    /// What machines renew they renew from 30 days before its end on, certbot twice a day: a mail that wants nothing done would teach
    /// people to read none.
    private static let renewalTime = day

    /// Which notice is due now: the last one whose time has come. Holds no clock.
    ///
    /// - Parameter begin: when it was made; what was made for a shorter time than a notice is long gets none of that one. nil: a machine
    ///   renews it.
    /// - Returns: its days; nil before the first one, and after the end.
    static func due(end: Timestamp, since begin: Timestamp?, at now: Timestamp) -> Int? {
        let left = end - now
        func isReached(_ days: Int) -> Bool {
            let isAwaited = begin == nil && days == notices[0]
            return left <= (isAwaited ? day * days - renewalTime : day * days)
        }
        guard left > .zero, let days = notices.last(where: isReached) else { return nil }
        if let begin, end - begin <= day * days { return nil }
        return days
    }
}

/// Mails before something ends. Each is written down with the mail itself, so whatever restarts in between, nobody gets one twice.
package struct Expiries: Sendable {
    let store: ControlStore

    /// Makes the mail of a notice for a user; nil where none can be sent.
    package typealias Writer = @Sendable (User, Expiry) -> NewMail?

    /// Tokens that are looked at in one go.
    private static let atOnce = 10_000

    /// Tells whoever has not been told yet: of the server's own things the owner and the admins of the organisation that it was set up
    /// with, of an API token its user.
    ///
    /// - Parameter ends: of the server's own.
    package func tell(of ends: [Expiry.Credential: Timestamp], writing mail: @escaping Writer) async throws {
        try await store.write(.durable) { transaction in
            if let house = try transaction.house() {
                let scope = OrganizationScope(house, by: .system)
                let readers = try transaction.rows(User.self, in: scope, where: "is_active = 1 AND role IN ('owner', 'admin')")
                for (credential, end) in ends {
                    // Authorities and keys are renewed by people alone; how long they were good for nobody asks.
                    let begin = credential == .certificate ? nil : Timestamp(unixMs: 0)
                    guard let days = Expiry.due(end: end, since: begin, at: transaction.now) else { continue }
                    let expiry = Expiry(credential, end: end, days: days)
                    for reader in readers { try transaction.tell(expiry, reader.id.text, to: reader, mail, in: scope, of: store) }
                }
            }
            let soon = transaction.now + .seconds(Expiry.notices[0] * 86_400)
            let tokens = try transaction.across(.alerts).all(
                """
                SELECT * FROM api_tokens WHERE ended_at IS NULL AND expires_at > \(transaction.now) AND expires_at <= \(soon)
                ORDER BY expires_at LIMIT \(Self.atOnce)
                """, APIToken.init)
            for token in tokens {
                guard let days = Expiry.due(end: token.expiresAt, since: token.createdAt, at: transaction.now),
                    let user = try transaction.activeUser(token.user, of: token.organization)
                else { continue }
                let expiry = Expiry(.apiToken, name: token.name, end: token.expiresAt, days: days)
                let scope = OrganizationScope(token.organization, by: .system)
                try transaction.tell(expiry, token.id.text, to: user, mail, in: scope, of: store)
            }
        }
    }
}

extension ControlStore {
    package var expiries: Expiries { Expiries(store: self) }
}

extension Transaction {
    /// A mail that was sent stays in the list of mails for 30 days without its words, and no notice is due for longer than 23.
    fileprivate func tell(
        _ expiry: Expiry, _ subject: String, to user: User, _ write: Expiries.Writer, in scope: OrganizationScope, of store: ControlStore
    ) throws {
        let about = "\(expiry.credential.rawValue) \(subject) \(expiry.end.unixMs) \(expiry.days)"
        let told = try count(of: .mails, in: scope, where: "purpose = \(MailPurpose.expiry) AND about = \(about)")
        guard told == 0, let mail = write(user, expiry) else { return }
        try postNotice(mail, about: about, in: scope, of: store)
    }
}
