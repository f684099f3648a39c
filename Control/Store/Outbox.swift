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
    case registration
    case emailChange = "email_change"
    case emailChanged = "email_changed"
    /// What its reader asked to be told of.
    case alert
    /// A meeting is over that its reader made, or was in.
    case meetingEnded = "meeting_ended"
    /// Something ends that its reader has to see to.
    case expiry

    /// Mails that one address gets of an organisation within a day, whoever asks for them: nobody fills a mailbox by ours.
    package var dailyToOne: Int {
        switch self {
        // As many as requests may ask for (`Gate.Limits.reset`), by the organisation's name and without: a lower number could be used up by others.
        case .passwordReset: 144
        // Each is an incident of its own; a day that has more is told by the page.
        case .alert: 100
        // As often as somebody begins and ends them; three of each API token.
        case .meetingEnded, .expiry: 50
        case .passwordChanged, .emailChanged: 10
        case .invitation, .registration, .emailChange: 5
        }
    }
}

/// Why a mail was given up, as its organisation's audit log says it. What the server said is the operator's to know.
package enum MailEnd: String, Sendable {
    case refused = "the mail server refused it"
    case unwritable = "its address or its subject cannot be written in a mail"
    case late = "it could not be sent in its time"
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
    package static let patience = day
    /// In which mails are counted.
    static let day = Duration.seconds(86_400)

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
    package func giveUp(_ mail: StoredMail, because end: MailEnd) async throws {
        try await store.write(.durable) { transaction in
            try transaction.finish(mail, "given_up")
            try transaction.note(
                .mailGivenUp, mail.id.text, detail: "\(mail.content.purpose.rawValue): \(end.rawValue)",
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
    /// Counts a mail against its recipient's day, and an invitation or a registration against its organisation's, each by itself: the others go to
    /// users, who are so many already, and what strangers ask for must not use up anybody else's.
    ///
    /// - Throws: `.quota(.mails)`, `.enoughMails`.
    func admitMail(_ mail: NewMail, by quotas: Quotas, in scope: OrganizationScope) throws {
        let day = Outbox.day
        if [.invitation, .registration].contains(mail.purpose) {
            try admit(
                .mails, of: .mails, where: "purpose = \(mail.purpose) AND created_at > \(now - day) AND created_at <= \(now)", by: quotas,
                in: scope)
        }
        let limit = mail.purpose.dailyToOne
        let wait = try takeAttempt("mail \(mail.purpose.rawValue)", "\(scope.organization) \(mail.to)", limit: limit, within: day)
        guard wait == nil else { throw StoreError.enoughMails(limit: limit) }
    }

    /// As `admitMail`; the audit log says where there were too many, of each kind and address once within a day: whoever asks on does not fill it.
    ///
    /// - Returns: why there are too many; nil where the mail may be sent.
    func holdBack(_ mail: NewMail, about subject: String, by quotas: Quotas, in scope: OrganizationScope) throws -> StoreError? {
        do {
            try admitMail(mail, by: quotas, in: scope)
            return nil
        } catch let refusal as StoreError {
            let said = try takeAttempt(
                "held back \(mail.purpose.rawValue)", "\(scope.organization) \(mail.to)", limit: 1, within: Outbox.day)
            if said == nil { try note(.mailHeldBack, subject, detail: "\(mail.purpose.rawValue): \(refusal)", in: scope) }
            return refusal
        }
    }

    /// Has somebody told by mail of what is done in this transaction. Where there were too many mails it is done all the same, and the audit
    /// log says that nobody was told.
    func postNotice(_ mail: NewMail, about subject: String, in scope: OrganizationScope, of store: ControlStore) throws {
        guard try holdBack(mail, about: subject, by: store.quotas, in: scope) == nil else { return }
        try post(mail, about: subject, sealedBy: store.keyring, in: scope)
    }

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

    /// Takes the mails of a kind back that wait and are about this.
    func unpost(_ purpose: MailPurpose, about subject: String, in scope: OrganizationScope) throws {
        try update(
            .mails, in: scope, set: ["sealed": nil as [UInt8]?, "finished_at": now, "outcome": "withdrawn"],
            where: "about = \(subject) AND purpose = \(purpose) AND finished_at IS NULL")
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
