import SQLite
package import Units

package typealias JobID = ID<Kind.Job>

/// Something to do later, once: it survives a restart (CTL-16).
package struct Job: Sendable, Hashable, Encodable {
    package let id: JobID
    /// Names what does it.
    package let kind: String
    /// JSON, of the kind's own shape.
    package let payload: String
    package let runAt: Timestamp
    /// How often it was begun, this time included.
    package let attempts: Int
    package let maxAttempts: Int
    package let leaseUntil: Timestamp?
    package let createdAt: Timestamp
    package let finishedAt: Timestamp?
    package let outcome: JobOutcome?
    /// What it returned, or why it failed last.
    package let result: String?

    init(_ row: borrowing Row) throws {
        id = try row["id"]
        kind = try row["kind"]
        payload = try row["payload"]
        runAt = try row["run_at"]
        attempts = try row["attempts"]
        maxAttempts = try row["max_attempts"]
        leaseUntil = try row["lease_until"]
        createdAt = try row["created_at"]
        finishedAt = try row["finished_at"]
        outcome = try row["outcome"]
        result = try row["result"]
    }
}

package enum JobOutcome: String, Sendable, Codable, ColumnValue { case done, failed, withdrawn }

/// The jobs: leased to one worker at a time, tried again with a growing wait, given up after a number of attempts.
package struct Jobs: Sendable {
    let store: ControlStore

    /// Adds a job.
    ///
    /// - Parameters:
    ///   - uniqueKey: while a job of this kind with this key is unfinished, it is returned instead.
    ///   - runAt: the store's now where nil.
    package func add(
        _ kind: String, payload: String = "{}", uniqueKey: String? = nil, runAt: Timestamp? = nil, maxAttempts: Int = 5
    ) async throws -> Job {
        try await store.write(.durable) { transaction in
            let id = try transaction.addJob(
                kind, payload: payload, uniqueKey: uniqueKey, runAt: runAt ?? transaction.now, maxAttempts: maxAttempts)
            let found = try transaction.shared.first(
                "SELECT * FROM jobs WHERE id = \(id) OR (kind = \(kind) AND unique_key = \(uniqueKey) AND finished_at IS NULL)", Job.init)
            guard let found else { throw StoreError.missing("job") }
            return found
        }
    }

    /// How many there are of each kind, waiting or under way (nil) and ended.
    package func counts() async throws -> [(kind: String, outcome: JobOutcome?, count: Int)] {
        try await store.read { transaction in
            try transaction.shared.all("SELECT kind, outcome, count(*) AS count FROM jobs GROUP BY kind, outcome ORDER BY kind, outcome") {
                (try $0["kind"], try $0["outcome"], try $0["count"])
            }
        }
    }

    package func find(_ id: JobID) async throws -> Job? {
        try await store.read { try $0.shared.first("SELECT * FROM jobs WHERE id = \(id)", Job.init) }
    }

    /// Which kinds a queue looks at.
    package enum Kinds: Sendable, Hashable {
        case all
        case only(String)
        case allBut(String)

        fileprivate var condition: SQL {
            switch self {
            case .all: "TRUE"
            case .only(let kind): "kind = \(kind)"
            case .allBut(let kind): "kind <> \(kind)"
            }
        }
    }

    /// Leases the jobs that are due, the longest due first: those that nobody holds, and those whose holder's lease ran out.
    ///
    /// A job whose lease ran out on its last attempt is finished as failed here.
    package func claim(_ kinds: Kinds = .all, holder: String, for lease: Duration, limit: Int) async throws -> [Job] {
        try await store.write(.durable) { transaction in
            let now = transaction.now
            let jobs = transaction.shared
            try jobs.run(
                """
                UPDATE jobs SET finished_at = \(now), outcome = 'failed', lease_holder = NULL, lease_until = NULL,
                    result = coalesce(result, 'its worker did not come back')
                WHERE finished_at IS NULL AND lease_until <= \(now) AND attempts >= max_attempts
                """)
            let due = try jobs.all(
                """
                SELECT id FROM jobs WHERE finished_at IS NULL AND run_at <= \(now) AND (lease_until IS NULL OR lease_until <= \(now))
                    AND \(part: kinds.condition)
                ORDER BY run_at, id LIMIT \(limit)
                """
            ) { row -> JobID in try row["id"] }
            return try due.compactMap { id in
                try jobs.run(
                    """
                    UPDATE jobs SET attempts = attempts + 1, lease_holder = \(holder), lease_until = \(now + lease) WHERE id = \(id)
                    """)
                return try jobs.first("SELECT * FROM jobs WHERE id = \(id)", Job.init)
            }
        }
    }

    /// Keeps a job that takes longer than its lease.
    ///
    /// - Throws: `.missing` where the lease was lost: the worker must stop.
    package func extend(_ id: JobID, holder: String, for lease: Duration) async throws {
        try await change(id, holder) { now in "lease_until = \(now + lease)" }
    }

    /// - Throws: `.missing` where the lease was lost: somebody else has the job.
    package func finish(_ id: JobID, holder: String, result: String? = nil) async throws {
        try await change(id, holder) { now in
            "finished_at = \(now), outcome = 'done', result = \(result), lease_holder = NULL, lease_until = NULL"
        }
    }

    /// Gives a job back after a failure: it runs again after `wait`, or is finished as failed where that was its last attempt.
    package func fail(_ id: JobID, holder: String, reason: String, retryAfter wait: Duration) async throws {
        let reason = clipped(reason, to: 1000)
        try await change(id, holder) { now in
            """
            lease_holder = NULL, lease_until = NULL, result = \(reason), run_at = \(now + wait),
            finished_at = CASE WHEN attempts >= max_attempts THEN \(now) END,
            outcome = CASE WHEN attempts >= max_attempts THEN 'failed' END
            """
        }
    }

    /// Takes an unfinished job back; whoever runs it loses its lease.
    package func withdraw(_ id: JobID) async throws {
        try await store.write(.durable) { transaction in
            try transaction.shared.run(
                """
                UPDATE jobs SET finished_at = \(transaction.now), outcome = 'withdrawn', lease_holder = NULL, lease_until = NULL
                WHERE id = \(id) AND finished_at IS NULL
                """)
            guard transaction.shared.changes == 1 else { throw StoreError.missing("unfinished job") }
        }
    }

    /// When the next job is due or the next lease runs out; nil with nothing to do.
    package func nextMoment(_ kinds: Kinds = .all) async throws -> Timestamp? {
        try await store.read { transaction in
            let moment: Timestamp?? = try transaction.shared.first(
                """
                SELECT min(max(run_at, coalesce(lease_until, run_at))) AS moment FROM jobs
                WHERE finished_at IS NULL AND \(part: kinds.condition)
                """
            ) { try $0["moment"] }
            return moment ?? nil
        }
    }

    private func change(_ id: JobID, _ holder: String, _ assignments: @Sendable (Timestamp) -> SQL) async throws {
        try await store.write(.durable) { transaction in
            try transaction.shared.run(
                """
                UPDATE jobs SET \(part: assignments(transaction.now))
                WHERE id = \(id) AND lease_holder = \(holder) AND finished_at IS NULL
                """)
            guard transaction.shared.changes == 1 else { throw StoreError.missing("leased job") }
        }
    }
}

extension ControlStore {
    package var jobs: Jobs { Jobs(store: self) }
}

extension Transaction {
    /// Adds a job, unless there is an unfinished one of the kind with this key.
    @discardableResult
    func addJob(_ kind: String, payload: any ColumnValue, uniqueKey: String?, runAt: Timestamp, maxAttempts: Int) throws -> JobID {
        let id: JobID = newID()
        try shared.run(
            """
            INSERT INTO jobs (id, kind, payload, unique_key, run_at, max_attempts, created_at)
            VALUES (\(id), \(kind), \(any: payload), \(uniqueKey), \(runAt), \(maxAttempts), \(now))
            ON CONFLICT (kind, unique_key) WHERE finished_at IS NULL AND unique_key IS NOT NULL DO NOTHING
            """)
        hasNewJobs = true
        return id
    }
}
