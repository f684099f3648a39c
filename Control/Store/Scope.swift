import SQLite
import Synchronization
package import Units

/// One organisation, and who acts in it: the value without which no query of an organisation's rows can be written.
///
/// Made from a checked access token, a device's proven identity, or by the system for itself.
package struct OrganizationScope: Hashable, Sendable {
    package let organization: OrganizationID
    package let author: Author

    package init(_ organization: OrganizationID, by author: Author) {
        self.organization = organization
        self.author = author
    }
}

/// Who did something, for the audit log.
package enum Author: Hashable, Sendable {
    /// A user, the address the request came from, and the API token by which a program of theirs made it.
    case user(UserID, address: String?, token: APITokenID? = nil)
    /// Nobody knows who, at an address: somebody who has not signed in.
    case visitor(address: String)
    case device(DeviceID)
    /// The operator, from the shell of the server.
    case `operator`
    /// The program by itself: the scheduler, a reconciliation.
    case system

    var kind: String {
        switch self {
        case .user: "user"
        case .visitor: "visitor"
        case .device: "device"
        case .operator: "operator"
        case .system: "system"
        }
    }

    /// The person who did it.
    package var user: UserID? { if case .user(let id, _, _) = self { id } else { nil } }

    var id: String? {
        switch self {
        case .user(let id, _, _): id.text
        case .device(let id): id.text
        case .visitor, .operator, .system: nil
        }
    }

    var address: String? {
        switch self {
        case .user(_, let address, _): address.map { clipped($0, to: 64) }
        case .visitor(let address): clipped(address, to: 64)
        case .device, .operator, .system: nil
        }
    }

    var token: String? {
        if case .user(_, _, let token) = self { token?.text } else { nil }
    }
}

/// A table whose every row belongs to an organisation: reached through a scope, or through a named crossing.
struct OrganizationTable: Hashable, Sendable {
    let name: String
    let sql: SQL

    private init(_ name: StaticString) {
        self.name = "\(name)"
        sql = "\(name: name)"
    }

    static func == (left: OrganizationTable, right: OrganizationTable) -> Bool { left.name == right.name }
    func hash(into hasher: inout Hasher) { hasher.combine(name) }

    static let users = OrganizationTable("users")
    static let sessions = OrganizationTable("sessions")
    static let refreshTokens = OrganizationTable("refresh_tokens")
    static let devices = OrganizationTable("devices")
    static let enrollmentTokens = OrganizationTable("enrollment_tokens")
    static let destinations = OrganizationTable("destinations")
    static let configurations = OrganizationTable("configurations")
    static let broadcasts = OrganizationTable("broadcasts")
    static let audit = OrganizationTable("audit")
    static let flightRecords = OrganizationTable("flight_records")
    static let slates = OrganizationTable("slates")
    static let mails = OrganizationTable("mails")
    static let invitations = OrganizationTable("invitations")
    static let passwordResets = OrganizationTable("password_resets")
    static let apiTokens = OrganizationTable("api_tokens")
    static let organizationSettings = OrganizationTable("organization_settings")
    static let webhooks = OrganizationTable("webhooks")
    static let events = OrganizationTable("events")
    static let deliveries = OrganizationTable("deliveries")
    static let blobs = OrganizationTable("blobs")
    /// Of backups: empty everywhere else.
    static let blobCopies = OrganizationTable("blob_copies")
    static let branding = OrganizationTable("organization_branding")
    static let emailChanges = OrganizationTable("email_changes")
    static let wordings = OrganizationTable("wordings")
    static let alertSettings = OrganizationTable("alert_settings")
    static let incidents = OrganizationTable("incidents")
    static let rooms = OrganizationTable("rooms")
    static let meetings = OrganizationTable("meetings")
    static let guestLinks = OrganizationTable("guest_links")
    static let meetingDefaults = OrganizationTable("meeting_defaults")
    static let chatMessages = OrganizationTable("chat_messages")
    static let meetingEvents = OrganizationTable("meeting_events")
    static let boardUpdates = OrganizationTable("board_updates")
    static let rollouts = OrganizationTable("rollouts")
    static let rolloutBoards = OrganizationTable("rollout_boards")
    static let recordings = OrganizationTable("recordings")
    static let recordingTakes = OrganizationTable("recording_takes")
    static let recordingFiles = OrganizationTable("recording_files")
    static let recordingParts = OrganizationTable("recording_parts")
    static let recordingSettings = OrganizationTable("recording_settings")

    static let all = [
        users, sessions, refreshTokens, devices, enrollmentTokens, destinations, configurations, broadcasts, audit, flightRecords, slates,
        mails, passwordResets, invitations, apiTokens, organizationSettings, webhooks, events, deliveries,
        blobs, blobCopies, branding, emailChanges, wordings, alertSettings, incidents, rooms, meetings, guestLinks, meetingDefaults,
        chatMessages, meetingEvents,
        boardUpdates, rollouts, rolloutBoards, recordings, recordingTakes, recordingFiles, recordingParts, recordingSettings,
    ]
}

/// A value that is a row of an organisation's table.
protocol OrganizationRow {
    static var table: OrganizationTable { get }
    init(_ row: borrowing Row) throws
}

/// Why a query looks at more than one organisation's rows: every such reason there is.
enum Crossing: CaseIterable {
    /// The organisation is not known yet: a login, a refresh token, an enrollment token, a device's proof.
    case identification
    /// Pool hosts belong to the operator and serve every organisation; their ports are one set.
    case pool
    /// What a restarted control has to take up again.
    case reconciliation
    /// Who is to be told of what goes wrong, whosever it is.
    case alerts
    /// The operator's own view: the first owner, the operator's audit entries, keys that rotate, rows that expire.
    case operation
}

/// What a transaction's closure works with. It lives on the database's thread and must not leave the closure.
struct Transaction {
    private let connection: Connection
    let now: Timestamp
    let quotas: Quotas
    private let ids: IDMaker
    private let pending = PendingJobs()

    init(_ connection: Connection, at now: Timestamp, quotas: Quotas, ids: IDMaker) {
        self.connection = connection
        self.now = now
        self.quotas = quotas
        self.ids = ids
    }

    /// Whether a job was stored or put forward: the store's bell is rung for it.
    var hasNewJobs: Bool {
        get { pending.isSet }
        nonmutating set { pending.isSet = newValue }
    }

    private final class PendingJobs {
        var isSet = false
    }

    /// Tables that belong to no organisation.
    var shared: Unscoped { Unscoped(connection, isShared: true) }

    /// All organisations' rows, for a reason that has a name.
    func across(_ crossing: Crossing) -> Unscoped { Unscoped(connection, isShared: false) }

    func rows<Value: OrganizationRow>(
        _ type: Value.Type, in scope: OrganizationScope, where condition: SQL = "TRUE", order: SQL = "id", limit: Int = 10_000
    ) throws -> [Value] {
        try connection.all(
            """
            SELECT * FROM \(part: Value.table.sql) WHERE organization = \(scope.organization) AND (\(part: condition))
            ORDER BY \(part: order) LIMIT \(limit)
            """, Value.init)
    }

    func row<Value: OrganizationRow>(_ type: Value.Type, in scope: OrganizationScope, where condition: SQL) throws -> Value? {
        try rows(type, in: scope, where: condition, order: "1", limit: 1).first
    }

    /// The row that must be there.
    func row<Value: OrganizationRow>(
        _ type: Value.Type, in scope: OrganizationScope, where condition: SQL, or what: String
    ) throws -> Value {
        guard let value = try row(type, in: scope, where: condition) else { throw StoreError.missing(what) }
        return value
    }

    /// One column of one row: for what is no part of a domain value, such as a sealed secret.
    func column<Value: ColumnValue>(
        _ name: StaticString, of table: OrganizationTable, in scope: OrganizationScope, where condition: SQL
    ) throws -> Value? {
        try connection.first(
            "SELECT \(name: name) AS value FROM \(part: table.sql) WHERE organization = \(scope.organization) AND (\(part: condition))"
        ) { row in try row["value"] }
    }

    func count(of table: OrganizationTable, in scope: OrganizationScope, where condition: SQL) throws -> Int {
        try connection.first(
            "SELECT count(*) AS value FROM \(part: table.sql) WHERE organization = \(scope.organization) AND (\(part: condition))"
        ) { row in try row["value"] } ?? 0
    }

    func sum(_ name: StaticString, of table: OrganizationTable, in scope: OrganizationScope, where condition: SQL) throws -> Int {
        try connection.first(
            "SELECT coalesce(sum(\(name: name)), 0) AS value FROM \(part: table.sql) WHERE organization = \(scope.organization) AND (\(part: condition))"
        ) { row in try row["value"] } ?? 0
    }

    /// Figures of rows, for each value of `group`, which is the column `slot` of what `make` reads.
    func grouped<Value>(
        _ figures: SQL, of table: OrganizationTable, in scope: OrganizationScope, where condition: SQL, by group: SQL,
        _ make: (borrowing Row) throws -> Value
    ) throws -> [Value] {
        try connection.all(
            """
            SELECT \(part: group) AS slot, \(part: figures) FROM \(part: table.sql)
            WHERE organization = \(scope.organization) AND (\(part: condition)) GROUP BY slot ORDER BY slot
            """, make)
    }

    func insert(
        into table: OrganizationTable, in scope: OrganizationScope, _ values: KeyValuePairs<StaticString, any ColumnValue>
    ) throws {
        let names = values.reduce("organization" as SQL) { "\(part: $0), \(name: $1.key)" }
        let bound = values.reduce("\(scope.organization)" as SQL) { "\(part: $0), \(any: $1.value)" }
        try connection.run("INSERT INTO \(part: table.sql) (\(part: names)) VALUES (\(part: bound))")
    }

    /// - Returns: how many rows were changed.
    @discardableResult
    func update(
        _ table: OrganizationTable, in scope: OrganizationScope, set values: KeyValuePairs<StaticString, any ColumnValue>,
        where condition: SQL
    ) throws -> Int {
        let assignments = values.map { "\(name: $0.key) = \(any: $0.value)" as SQL }
        guard let first = assignments.first else { return 0 }
        let list = assignments.dropFirst().reduce(first) { "\(part: $0), \(part: $1)" }
        try connection.run(
            "UPDATE \(part: table.sql) SET \(part: list) WHERE organization = \(scope.organization) AND (\(part: condition))")
        return connection.changes
    }

    /// Updates exactly one row, which must be there.
    func updateOne(
        _ table: OrganizationTable, in scope: OrganizationScope, set values: KeyValuePairs<StaticString, any ColumnValue>,
        where condition: SQL, or what: String
    ) throws {
        guard try update(table, in: scope, set: values, where: condition) == 1 else { throw StoreError.missing(what) }
    }

    @discardableResult
    func delete(from table: OrganizationTable, in scope: OrganizationScope, where condition: SQL) throws -> Int {
        try connection.run("DELETE FROM \(part: table.sql) WHERE organization = \(scope.organization) AND (\(part: condition))")
        return connection.changes
    }

    /// Writes down who did what, in the same transaction, and tells the webhooks that want to know. Of an organisation that was deleted while it
    /// was under way nothing is kept.
    func note(_ action: AuditAction, _ subject: String? = nil, detail: String? = nil, in scope: OrganizationScope) throws {
        let id: OrganizationID? = try shared.first("SELECT id FROM organizations WHERE id = \(scope.organization)") { try $0["id"] }
        guard id != nil else { return }
        let detail = detail.map { clipped($0, to: 500) }
        try insert(
            into: .audit, in: scope,
            [
                "id": newID(Kind.Audit.self), "at": now, "author_kind": scope.author.kind, "author": scope.author.id,
                "address": scope.author.address, "token": scope.author.token, "action": action, "subject": subject,
                "detail": detail,
            ])
        if let kind = EventKind(action) { try tell(.done(kind, subject, detail, by: scope.author), in: scope) }
    }

    /// Writes down what was done to what belongs to the operator: pool hosts and their tokens.
    func noteOfOperator(_ action: AuditAction, _ subject: String, detail: String? = nil) throws {
        try across(.operation).run(
            """
            INSERT INTO audit (id, at, author_kind, action, subject, detail)
            VALUES (\(newID(Kind.Audit.self)), \(now), \(Author.operator.kind), \(action), \(subject), \(detail.map { clipped($0, to: 500) }))
            """)
    }

    /// Rows of one millisecond are sorted by their ids, and are then in the order in which they were made.
    func newID<Kind>(_ kind: Kind.Type = Kind.self) -> ID<Kind> { ID(ids.next(at: now)) }
}

/// Makes the ids of a store's rows, for whichever thread.
final class IDMaker: Sendable {
    private let sequence = Mutex(ULIDSequence())

    func next(at now: Timestamp) -> ULID {
        var generator = SystemRandomNumberGenerator()
        return sequence.withLock { $0.next(unixMs: now.unixMs, random: &generator) }
    }
}

/// Queries as they are written, for tables without an organisation and for crossings.
struct Unscoped {
    private let connection: Connection
    private let isShared: Bool

    fileprivate init(_ connection: Connection, isShared: Bool) {
        self.connection = connection
        self.isShared = isShared
    }

    func run(_ sql: SQL) throws {
        check(sql)
        try connection.run(sql)
    }

    func first<Value>(_ sql: SQL, _ make: (borrowing Row) throws -> Value) throws -> Value? {
        check(sql)
        return try connection.first(sql, make)
    }

    func all<Value>(_ sql: SQL, _ make: (borrowing Row) throws -> Value) throws -> [Value] {
        check(sql)
        return try connection.all(sql, make)
    }

    var changes: Int { connection.changes }

    /// An organisation's table in a query that claims to need no organisation is a mistake of ours; every query runs in a
    /// debug build's tests.
    private func check(_ sql: SQL) {
        assert(
            !isShared || !OrganizationTable.all.contains { sql.text.contains($0.name) },
            "a query without a scope names an organisation's table: \(sql.text)")
    }
}
