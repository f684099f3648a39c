package import Crypto
import Glibc
package import SQLite
import Tracing
import Units

/// What control remembers, in one SQLite file: asynchronous transactions over domain values.
///
/// How it is read: rows that belong to an organisation are reached through an `OrganizationScope`, which carries who acts:
///
///     let scope = OrganizationScope(user.organization, by: .user(user.id, address: address))
///     let broadcast = try await store.broadcasts(in: scope).create(…)
///     let senders = try await store.devices(in: scope).all()
///
/// `organizations`, `identities` (logins, refresh tokens, device proofs), `pools`, `jobs`, `operations` and `attempts` belong
/// to the operator and take no scope. Each function is one transaction. Wishes, leases, tokens and the audit log are on
/// the disk before the function returns; each change by a person or a device writes its audit entry in the same
/// transaction. A row of another organisation is `StoreError.missing`, like one that does not exist.
package struct ControlStore: Sendable {
    let database: Database
    let keyring: Keyring
    let location: Location
    package let quotas: Quotas
    package let opening: Opening
    /// Rung where a job was stored.
    let bell = JobBell()
    private let ids = IDMaker()
    private let clock: @Sendable () -> Timestamp

    private init(
        _ database: Database, at location: Location, _ opening: Opening, keyring: Keyring, quotas: Quotas,
        clock: @escaping @Sendable () -> Timestamp
    ) {
        self.database = database
        self.location = location
        self.opening = opening
        self.keyring = keyring
        self.quotas = quotas
        self.clock = clock
    }

    /// Opens the database and brings its schema up to date.
    ///
    /// - Parameters:
    ///   - keyring: seals the secrets at rest.
    ///   - platformVersion: the program's version, for the table of migrations.
    ///   - quotas: what each organisation may have.
    ///   - clock: the wall clock; a test's own in tests.
    /// - Throws: `Unopenable`; `StoreError.newerDatabase`, `.foreignHistory`; `SQLiteError`.
    package static func open(
        _ location: Location, keyring: Keyring, platformVersion: String, quotas: Quotas = Quotas(), on disk: Disk = .system,
        clock: @escaping @Sendable () -> Timestamp = { .now }
    ) async throws -> ControlStore {
        try await open(
            location, keyring: keyring, platformVersion: platformVersion, quotas: quotas, on: disk, clock: clock,
            migrations: Schema.migrations)
    }

    static func open(
        _ location: Location, keyring: Keyring, platformVersion: String, quotas: Quotas = Quotas(), on disk: Disk = .system,
        clock: @escaping @Sendable () -> Timestamp = { .now }, migrations: [Migration]
    ) async throws -> ControlStore {
        var opening = Opening(of: location)
        do {
            let database = try await Database.open(location, on: disk)
            let run = MigrationRun(
                database: database, location: location, platformVersion: platformVersion, now: clock(), steps: migrations)
            try await run.bringUpToDate(&opening)
            return ControlStore(database, at: location, opening, keyring: keyring, quotas: quotas, clock: clock)
        } catch let error as SQLiteError {
            if let known = Unopenable(error, at: location) { throw known }
            throw error
        }
    }

    /// Why a database cannot be joined.
    package enum Unjoinable: Error, Hashable, CustomStringConvertible {
        case missing(String)
        /// What a process of another user writes beside it, control could not read.
        case otherUser(String)
        /// Its schema is of an older program, which may be running.
        case older(version: Int, known: Int)

        package var description: String {
            switch self {
            case .missing(let path): "there is no \(path): control never ran here"
            case .otherUser(let path): "\(path) belongs to another user: run this as the user of the service"
            case .older(let version, let known):
                "the database has version \(version), this program knows \(known): start strata-control of this version first"
            }
        }
    }

    /// Opens the database of a control that runs, or does not: for a short transaction beside it. Its schema stays as it is.
    ///
    /// - Throws: `Unjoinable`; `StoreError.newerDatabase`, `.foreignHistory`; `SQLiteError`.
    package static func join(
        _ path: String, keyring: Keyring, platformVersion: String, clock: @escaping @Sendable () -> Timestamp = { .now }
    ) async throws -> ControlStore {
        var status = stat()
        guard stat(path, &status) == 0 else { throw Unjoinable.missing(path) }
        guard status.st_uid == geteuid() else { throw Unjoinable.otherUser(path) }
        let opening = Opening(of: .file(path))
        let database = try await Database.open(.file(path))
        let run = MigrationRun(
            database: database, location: .file(path), platformVersion: platformVersion, now: clock(), steps: Schema.migrations)
        let (version, known) = (try await run.version(), Schema.migrations.last?.version ?? 0)
        guard version >= known else { throw Unjoinable.older(version: version, known: known) }
        return ControlStore(database, at: .file(path), opening, keyring: keyring, quotas: Quotas(), clock: clock)
    }

    /// Now, by the store's clock.
    package var now: Timestamp { clock() }

    /// Whether the database answers: for health probes.
    package func probe() async throws {
        _ = try await read { try $0.shared.first("SELECT 1 AS one") { row -> Int in try row["one"] } }
    }

    /// Ends the use of the database; every later call throws.
    package func close() async throws { try await database.close() }

    /// A consistent copy in a new file, while work goes on.
    package func backUp(to path: String) async throws { try await database.backUp(to: path) }

    /// - Parameter function: whose transaction it is, for traces.
    func read<Value: Sendable>(
        _ body: @Sendable (Transaction) throws -> Value, of function: StaticString = #function, in file: StaticString = #fileID
    ) async throws -> Value {
        let now = clock()
        let span = span("read", function, file)
        defer { span?.end() }
        do {
            return try await database.read { connection in
                span?.begun("db.wait_us")
                return try body(Transaction(connection, at: now, quotas: quotas, ids: ids))
            }
        } catch let error as SQLiteError where error.kind == .busy {
            span?.fail()
            throw StoreError.locked
        } catch {
            span?.fail()
            throw error
        }
    }

    /// - Parameter function: as above.
    func write<Value: Sendable>(
        _ durability: Durability = .normal, _ body: @Sendable (Transaction) throws -> Value, of function: StaticString = #function,
        in file: StaticString = #fileID
    ) async throws -> Value {
        let span = span("write", function, file)
        defer { span?.end() }
        do {
            return try await write(durability, following: span, body)
        } catch {
            span?.fail()
            throw error
        }
    }

    private func write<Value: Sendable>(
        _ durability: Durability, following span: Span?, _ body: @Sendable (Transaction) throws -> Value
    ) async throws -> Value {
        let now = clock()
        do {
            let (value, hasNewJobs) = try await database.write(durability) { connection in
                span?.begun("db.wait_us")
                let transaction = Transaction(connection, at: now, quotas: quotas, ids: ids)
                return (try body(transaction), transaction.hasNewJobs)
            }
            if hasNewJobs { bell.ring() }
            return value
        } catch let error as SQLiteError where error.kind == .diskFull {
            throw StoreError.diskFull
        } catch let error as SQLiteError where error.kind == .busy {
            throw StoreError.locked
        }
    }

    /// Of a transaction, where what it is for is followed: `Store/Webhook.swift find(_:)`.
    private func span(_ operation: String, _ function: StaticString, _ file: StaticString) -> Span? {
        guard let span = Tracer.current?.child("\(file) \(function)", .client) else { return nil }
        span.set("db.system.name", .text("sqlite"))
        span.set("db.operation.name", .text(operation))
        return span
    }
}
