import Crypto
import SQLite
package import Units

extension Kind {
    package enum HomeCall {}
}

/// One time that somebody was told how the server is, with all that they were told.
package struct HomeCall: Sendable, Hashable {
    package enum Occasion: String, Sendable, CaseIterable, ColumnValue {
        /// With the health check of the timetable.
        case scheduled
        /// The owner asked for it.
        case manual
    }

    package let id: ID<Kind.HomeCall>
    package let at: Timestamp
    package let occasion: Occasion
    /// `home.example.org`.
    package let place: String
    /// JSON, as it was sent.
    package let body: String
    /// What it answered; nil where it did not.
    package let status: Int?
    /// Why it did not; nil where it did.
    package let fault: String?

    init(_ row: borrowing Row) throws {
        id = try row["id"]
        at = try row["at"]
        occasion = try row["occasion"]
        place = try row["place"]
        body = try row["body"]
        status = try row["status"]
        fault = try row["fault"]
    }
}

/// How much there is on the whole server, for whoever is told of it.
package struct ServerCounts: Sendable, Hashable {
    package let organizations: Int
    package let senders: Int
    package let broadcasts: Int
    package let meetings: Int
}

/// Who is told how the server is, where its owner wants somebody to be (DIA-13), and each time that they were.
package struct PhoneHome: Sendable {
    let store: ControlStore

    static let name = "phone home"
    /// Calls that are kept, of which there is one each five minutes; older ones go with the snapshots of health (`Retention.health`).
    static let kept = 30_000
    // Sealed, as an address may have a key in it; beside the server's own keys, so that a rotation seals it again with them.
    private static let setting = SealedPlace(organization: "", column: "server_keys.sealed", row: name)

    /// The address; nil where nobody is told.
    package func find() async throws -> Secret? {
        let sealed: [UInt8]? = try await store.read { transaction in
            try transaction.shared.first("SELECT sealed FROM server_keys WHERE name = \(Self.name)") { try $0["sealed"] }
        }
        return try sealed.map { Secret(String(decoding: try store.keyring.open($0, for: Self.setting), as: UTF8.self)) }
    }

    /// - Parameters:
    ///   - url: checked; nil tells nobody from now on.
    ///   - shown: of it, for the audit logs.
    package func change(to url: Secret?, shown: String, in scope: OrganizationScope) async throws {
        let sealed = try url.map { try store.keyring.seal(Array($0.revealed.utf8), for: Self.setting) }
        try await store.write(.durable) { transaction in
            try transaction.shared.run("DELETE FROM server_keys WHERE name = \(Self.name)")
            if let sealed {
                try transaction.shared.run(
                    "INSERT INTO server_keys (name, sealed, created_at) VALUES (\(Self.name), \(sealed), \(transaction.now))")
            }
            try transaction.noteOfOperator(.phoneHomeChanged, Self.name, detail: shown)
            try transaction.note(.phoneHomeChanged, Self.name, detail: shown, in: scope)
        }
    }

    /// Writes down that somebody was told, or was not reached.
    package func add(
        _ occasion: HomeCall.Occasion, to place: String, body: String, status: Int?, fault: String?
    ) async throws -> HomeCall {
        try await store.write { transaction in
            let (id, fault) = (transaction.newID(Kind.HomeCall.self), fault.map { clipped($0, to: 500) })
            try transaction.shared.run(
                """
                INSERT INTO phone_home_calls (id, at, occasion, place, body, status, fault)
                VALUES (\(id), \(transaction.now), \(occasion), \(clipped(place, to: 300)), \(body), \(status), \(fault))
                """)
            try transaction.shared.run(
                """
                DELETE FROM phone_home_calls
                WHERE id <= (SELECT id FROM phone_home_calls ORDER BY id DESC LIMIT 1 OFFSET \(Self.kept))
                """)
            let made = try transaction.shared.first("SELECT * FROM phone_home_calls WHERE id = \(id)", HomeCall.init)
            guard let made else { throw StoreError.missing("call") }
            return made
        }
    }

    /// The newest first.
    package func calls(limit: Int = 100) async throws -> [HomeCall] {
        try await store.read { transaction in
            try transaction.shared.all("SELECT * FROM phone_home_calls ORDER BY id DESC LIMIT \(limit)", HomeCall.init)
        }
    }

    /// What lasts now, of all organisations.
    package func counts() async throws -> ServerCounts {
        try await store.read { transaction in
            let all = transaction.across(.operation)
            func count(_ rows: SQL) throws -> Int { try all.first("SELECT count(*) AS value FROM \(part: rows)") { try $0["value"] } ?? 0 }
            return ServerCounts(
                organizations: try count("organizations"), senders: try count("devices WHERE kind = 'sender' AND revoked_at IS NULL"),
                broadcasts: try count("broadcasts WHERE ended_at IS NULL AND state NOT GLOB 'rehearsal.*'"),
                meetings: try count("meetings WHERE state = 'active'"))
        }
    }
}

extension ControlStore {
    package var phoneHome: PhoneHome { PhoneHome(store: self) }
}
