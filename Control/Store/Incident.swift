import SQLite
package import Units
package import Wire

extension AlertKind: ColumnValue {}

/// Something that one user was told of once, from when it began to when it is over.
package struct Incident: Sendable, Hashable, OrganizationRow {
    package let id: IncidentID
    package let organization: OrganizationID
    package let user: UserID
    package let kind: AlertKind
    /// What it is about: the id of a broadcast or an output, the name of a part of the server.
    package let subject: String
    package let name: String
    package let broadcast: BroadcastID?
    package let reason: String?
    package let openedAt: Timestamp
    /// nil while it lasts.
    package let closedAt: Timestamp?

    static var table: OrganizationTable { .incidents }

    init(_ row: borrowing Row) throws {
        id = try row["id"]
        organization = try row["organization"]
        user = try row["user"]
        kind = try row["kind"]
        subject = try row["subject"]
        name = try row["name"]
        broadcast = try row["broadcast"]
        reason = try row["reason"]
        openedAt = try row["opened_at"]
        closedAt = try row["closed_at"]
    }
}

/// One that begins.
package struct NewIncident: Sendable, Hashable {
    package let kind: AlertKind
    package let subject: String
    /// Whose broadcast it is: its name stands first.
    package let sender: DeviceID?
    /// Of what of it.
    package let part: String?
    package let broadcast: BroadcastID?
    package let reason: String?

    package init(kind: AlertKind, subject: String, sender: DeviceID?, part: String?, broadcast: BroadcastID?, reason: String?) {
        self.kind = kind
        self.subject = subject
        self.sender = sender
        self.part = part
        self.broadcast = broadcast
        self.reason = reason
    }
}

/// The incidents of all users. One is opened and its messages are put into their queues in the same transaction, and so with its end:
/// whatever restarts in between, nobody is told twice, and nobody not at all.
package struct Incidents: Sendable {
    let store: ControlStore

    /// Makes the mail of an incident for a user; nil where none can be sent.
    package typealias Writer = @Sendable (User, Incident) -> NewMail?

    /// In which earlier ones of the same count against a new one.
    package static let memory = Duration.seconds(3600)
    /// Of one user, those that are over; the oldest go.
    static let kept = 1000

    /// Those that last, with how many of the same began within `memory` before each.
    package func open() async throws -> [(incident: Incident, earlier: Int)] {
        try await store.read { transaction in
            try transaction.across(.alerts).all("SELECT * FROM incidents WHERE closed_at IS NULL", Incident.init).map { incident in
                (incident: incident, earlier: try transaction.earlier(incident))
            }
        }
    }

    /// Opens an incident and tells its user, where they still want to be told; one that is open already is returned as it is.
    ///
    /// - Returns: nil where they do not.
    package func begin(
        _ new: NewIncident, for user: UserID, in organization: OrganizationID, writing mail: Writer
    ) async throws -> (incident: Incident, earlier: Int)? {
        let scope = OrganizationScope(organization, by: .system)
        return try await store.write(.durable) { transaction in
            guard let reader = try transaction.reader(user, of: new.kind, in: scope) else { return nil }
            if let there = try transaction.row(
                Incident.self, in: scope,
                where: "user = \(user) AND kind = \(new.kind) AND subject = \(new.subject) AND closed_at IS NULL")
            {
                return (there, try transaction.earlier(there))
            }
            let id: IncidentID = transaction.newID()
            let sender: String? = try new.sender.flatMap { try transaction.column("name", of: .devices, in: scope, where: "id = \($0)") }
            let name = [sender, new.part].compactMap { $0 }.joined(separator: ": ")
            try transaction.insert(
                into: .incidents, in: scope,
                [
                    "id": id, "user": user, "kind": new.kind, "subject": clipped(new.subject), "name": clipped(name),
                    "broadcast": new.broadcast, "reason": new.reason.map { clipped($0, to: 500) }, "opened_at": transaction.now,
                ])
            let incident = try transaction.row(Incident.self, in: scope, where: "id = \(id)", or: "incident")
            try transaction.tell(incident, to: reader, mail, in: scope, of: store)
            try transaction.forgetOld(of: user, in: scope)
            return (incident, try transaction.earlier(incident))
        }
    }

    /// It is over.
    ///
    /// - Parameter quietly: it ended with what it was about: nobody is told.
    package func end(_ incident: Incident, quietly: Bool, writing mail: Writer) async throws {
        let scope = OrganizationScope(incident.organization, by: .system)
        try await store.write(.durable) { transaction in
            let changed = try transaction.update(
                .incidents, in: scope, set: ["closed_at": transaction.now], where: "id = \(incident.id) AND closed_at IS NULL")
            guard changed == 1, !quietly, let reader = try transaction.reader(incident.user, of: incident.kind, in: scope),
                reader.settings.tellsRecovery
            else { return }
            let over = try transaction.row(Incident.self, in: scope, where: "id = \(incident.id)", or: "incident")
            try transaction.tell(over, to: reader, mail, in: scope, of: store)
        }
    }
}

extension StoredAlerts {
    /// What a user was told of, the newest first.
    package func incidents(of user: UserID, limit: Int = 100) async throws -> [Incident] {
        try await store.read { transaction in
            try transaction.rows(Incident.self, in: scope, where: "user = \(user)", order: "opened_at DESC, id DESC", limit: limit)
        }
    }
}

extension ControlStore {
    package var incidents: Incidents { Incidents(store: self) }
}

extension Transaction {
    /// A user who wants to be told of a kind and is not shut out.
    fileprivate func reader(
        _ user: UserID, of kind: AlertKind, in scope: OrganizationScope
    ) throws -> (user: User, settings: AlertSettings)? {
        let settings = try alerts(of: user, in: scope)
        guard settings.rules.contains(where: { $0.kind == kind }),
            let reader = try row(User.self, in: scope, where: "id = \(user) AND is_active = 1")
        else { return nil }
        return (reader, settings)
    }

    fileprivate func tell(
        _ incident: Incident, to reader: (user: User, settings: AlertSettings), _ mail: Incidents.Writer, in scope: OrganizationScope,
        of store: ControlStore
    ) throws {
        if reader.settings.byMail, let mail = mail(reader.user, incident) {
            try postNotice(mail, about: incident.id.text, in: scope, of: store)
        }
        if let webhook = reader.settings.webhook, webhook.active { try tell(.alert(incident), to: [webhook], in: scope) }
    }

    fileprivate func earlier(_ incident: Incident) throws -> Int {
        let scope = OrganizationScope(incident.organization, by: .system)
        return try count(
            of: .incidents, in: scope,
            where: """
                user = \(incident.user) AND kind = \(incident.kind) AND subject = \(incident.subject) AND id <> \(incident.id)
                AND opened_at > \(incident.openedAt - Incidents.memory) AND opened_at <= \(incident.openedAt)
                """)
    }

    fileprivate func forgetOld(of user: UserID, in scope: OrganizationScope) throws {
        try delete(
            from: .incidents, in: scope,
            where: """
                user = \(user) AND closed_at IS NOT NULL AND id NOT IN (SELECT id FROM incidents
                WHERE organization = \(scope.organization) AND user = \(user) ORDER BY opened_at DESC, id DESC LIMIT \(Incidents.kept))
                """)
    }
}
