import Crypto
import FoundationEssentials
import Posix
import SQLite
package import Units

extension Kind {
    package enum Mail {}
}

package typealias MailID = ID<Kind.Mail>

/// What a mail is about; once shipped a name is never changed.
package enum MailPurpose: String, Sendable, Codable, ColumnValue {
    case passwordReset = "password_reset"
    case passwordChanged = "password_changed"
    case invitation
}

/// A mail to one person, which may have a link in it that opens an account.
package struct NewMail: Sendable, Hashable, Codable {
    package let purpose: MailPurpose
    package let to: String
    package let subject: String
    package let text: String
    package let html: String

    package init(purpose: MailPurpose, to: String, subject: String, text: String, html: String) {
        self.purpose = purpose
        self.to = to
        self.subject = subject
        self.text = text
        self.html = html
    }
}

/// A mail that waits to be sent.
package struct StoredMail: Sendable {
    package let id: MailID
    package let content: NewMail
    package let createdAt: Timestamp
    /// Not sent any more from then on.
    package let expiresAt: Timestamp
    let organization: OrganizationID
}

/// The mails that wait, each with its job. Recipient and words lie sealed, and go once it is over: a copy of the database has no link.
package struct Outbox: Sendable {
    let store: ControlStore

    /// The kind of its jobs.
    package static let kind = "mail"
    /// How long it is tried to send a mail whose words stay good for longer.
    package static let patience = Duration.seconds(86_400)

    /// What a job says.
    struct Reference: Codable {
        let mail: MailID
        let organization: OrganizationID
    }

    /// The mail of a job; nil where it is over, or was withdrawn.
    package func find(_ job: Job) async throws -> StoredMail? {
        let reference = try JSONDecoder().decode(Reference.self, from: Data(job.payload.utf8))
        let scope = OrganizationScope(reference.organization, by: .system)
        let keyring = store.keyring
        return try await store.read { transaction in
            guard let row = try transaction.row(MailRow.self, in: scope, where: "id = \(reference.mail)"), let sealed = row.sealed else {
                return nil
            }
            let bytes = try keyring.open(sealed, for: MailRow.place(row.id, in: reference.organization))
            return StoredMail(
                id: row.id, content: try JSONDecoder().decode(NewMail.self, from: Data(bytes)), createdAt: row.createdAt,
                expiresAt: row.expiresAt, organization: reference.organization)
        }
    }

    /// It was taken by its server: its words are forgotten.
    package func sent(_ mail: StoredMail) async throws {
        try await store.write(.durable) { try $0.finish(mail, "sent") }
    }

    /// It could not be sent; the audit log says so.
    package func giveUp(_ mail: StoredMail, because reason: String) async throws {
        try await store.write(.durable) { transaction in
            try transaction.finish(mail, "given_up")
            try transaction.note(
                .mailGivenUp, mail.id.text, detail: "\(mail.content.purpose.rawValue): \(reason)",
                in: OrganizationScope(mail.organization, by: .system))
        }
    }
}

extension ControlStore {
    package var outbox: Outbox { Outbox(store: self) }
}

private struct MailRow: OrganizationRow {
    let id: MailID
    let sealed: [UInt8]?
    let createdAt: Timestamp
    let expiresAt: Timestamp

    static var table: OrganizationTable { .mails }

    init(_ row: borrowing Row) throws {
        id = try row["id"]
        sealed = try row["sealed"]
        createdAt = try row["created_at"]
        expiresAt = try row["expires_at"]
    }

    static func place(_ id: MailID, in organization: OrganizationID) -> SealedPlace {
        SealedPlace(organization: organization.text, column: "mails.sealed", row: id.text)
    }
}

extension Transaction {
    /// Has a mail sent once this transaction is stored, by a job of its own.
    ///
    /// - Parameters:
    ///   - subject: the id of what it is about, by which it is taken back.
    ///   - end: when its words are good for nothing; it is given up after a day at most.
    func post(
        _ mail: NewMail, about subject: String, until end: Timestamp? = nil, sealedBy keyring: Keyring, in scope: OrganizationScope
    ) throws {
        let id: MailID = newID()
        let last = min(end ?? now + Outbox.patience, now + Outbox.patience)
        let words = Array(try JSONEncoder().encode(mail))
        try insert(
            into: .mails, in: scope,
            [
                "id": id, "purpose": mail.purpose, "about": subject, "created_at": now, "expires_at": last,
                "sealed": try keyring.seal(words, for: MailRow.place(id, in: scope.organization)),
            ])
        let reference = try JSONColumn(Outbox.Reference(mail: id, organization: scope.organization))
        // Its end is a time and not a number: with 5 s doubling to an hour, less up to half, a day has 60 attempts at most.
        try addJob(Outbox.kind, payload: reference, uniqueKey: id.text, runAt: now, maxAttempts: 1000)
    }

    /// Takes the mails back that wait and are about this.
    func unpost(about subject: String, in scope: OrganizationScope) throws {
        try update(
            .mails, in: scope, set: ["sealed": nil as [UInt8]?, "finished_at": now, "outcome": "withdrawn"],
            where: "about = \(subject) AND finished_at IS NULL")
    }

    fileprivate func finish(_ mail: StoredMail, _ outcome: String) throws {
        try update(
            .mails, in: OrganizationScope(mail.organization, by: .system),
            set: ["sealed": nil as [UInt8]?, "finished_at": now, "outcome": outcome], where: "id = \(mail.id) AND finished_at IS NULL")
    }
}

/// Tells job queues that there is something new to do, once it is stored.
final class JobBell: Sendable {
    private let listeners = Guarded<[AsyncStream<Void>.Continuation]>([])

    func attach(_ listener: AsyncStream<Void>.Continuation) { listeners.withLock { $0.append(listener) } }
    func ring() { for listener in listeners.withLock({ $0 }) { listener.yield() } }
}
