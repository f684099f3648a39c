import Blobs
import Crypto
import Logging
import Mail
import Recordings
import Store
import Tracing
import Webhooks

/// What control does by itself, through the job queue, so that a restart forgets none of it (CTL-16): each hour it removes
/// what nobody can use any more, each five minutes it looks whether the server is well, and whether a meeting was forgotten,
/// each minute it goes on with the rollouts of releases, and each hour it looks for releases of its own, and for what ends soon.
struct Housekeeping: Sendable {
    private let store: ControlStore
    private let postman: Postman?
    private let courier: Courier
    private let blobs: BlobStore
    private let recordings: RecordingDesk
    private let tracer: Tracer?
    private let folder: StateFolder
    private let retention: Retention
    private let log: Log
    private let check: @Sendable () async throws -> Void
    private let endMeetings: @Sendable () async throws -> Void
    private let lookForReleases: @Sendable () async -> Void
    private let warnOfEnds: @Sendable () async throws -> Void

    /// - Parameters:
    ///   - check: asks the parts of the server how they are, and keeps it.
    ///   - endMeetings: ends those that have lasted as long as they may.
    ///   - lookForReleases: of this server itself, where that is set up.
    ///   - warnOfEnds: tells people of certificates, keys and tokens that end soon.
    init(
        store: ControlStore, postman: Postman?, courier: Courier, blobs: BlobStore, recordings: RecordingDesk, tracer: Tracer?,
        folder: StateFolder, retention: Retention, log: Log,
        check: @escaping @Sendable () async throws -> Void, endMeetings: @escaping @Sendable () async throws -> Void,
        lookForReleases: @escaping @Sendable () async -> Void, warnOfEnds: @escaping @Sendable () async throws -> Void
    ) {
        self.store = store
        self.postman = postman
        self.courier = courier
        self.blobs = blobs
        self.recordings = recordings
        self.tracer = tracer
        self.folder = folder
        self.retention = retention
        self.log = log.part("jobs")
        self.check = check
        self.endMeetings = endMeetings
        self.lookForReleases = lookForReleases
        self.warnOfEnds = warnOfEnds
    }

    private static let cleanup = "cleanup"
    private static let hourMs: Int64 = 3_600_000
    /// So long nobody puts an upload together of whose parts none has come.
    private static let daySeconds: Int64 = 86_400
    private static let health = "health"
    private static let healthMs: Int64 = 300_000
    private static let meetings = "forgotten meetings"
    private static let meetingsMs: Int64 = 300_000
    private static let rollouts = "rollouts"
    private static let rolloutsMs: Int64 = 60_000
    private static let releases = "releases"
    /// After a start: its pool hosts are back by then.
    private static let settleTime = Duration.seconds(30)
    /// Each plans the next one when it is done: one that was given up, on a disk that is full for long, would be the last.
    private static let attempts = Int(Int32.max)

    /// Between two attempts to plan, where the disk is full or the database locked when control starts.
    private static let planTime = Duration.seconds(5)

    /// Runs until its task is cancelled.
    func run() async throws {
        let log = self.log
        async let planning: Void = planAhead()
        var work: [String: JobQueue.Work] = [
            Self.cleanup: { try await clean($0) }, Self.health: { try await lookAfterHealth($0) },
            Self.meetings: { try await lookAfterMeetings($0) }, Self.rollouts: { try await lookAfterRollouts($0) },
            Self.releases: { try await lookAfterReleases($0) },
            Deletions.kind: { try await delete($0) },
        ]
        if let postman { work[Outbox.kind] = { try await postman.deliver($0) } }
        if let tracer {
            for (kind, carryOut) in work { work[kind] = { job in try await tracer.follow("job \(kind)") { try await carryOut(job) } } }
        }
        let holder = Hex.encode(randomBytes(8))
        // By themselves: what is slow for others holds up nothing of the server's own.
        async let carrying: Void = courier.run(holder: holder)
        let queue = JobQueue(
            store, holder: holder, taking: .allBut(EventOutbox.kind), work: work,
            sleep: { try await Task.sleep(for: $0) }, trouble: { log.error("the job queue failed", ["error": "\($0)"]) })
        await queue.run()
        await carrying
        try await planning
    }

    /// As often as it takes: what cannot be stored at the start must not cost control its jobs, nor others theirs.
    private func planAhead() async throws {
        while true {
            do {
                try await plan(Self.cleanup, each: Self.hourMs, at: store.now)
                try await plan(Self.meetings, each: Self.meetingsMs, at: store.now + Self.settleTime)
                try await plan(Self.rollouts, each: Self.rolloutsMs, at: store.now + Self.settleTime)
                try await plan(Self.releases, each: Self.hourMs, at: store.now + Self.settleTime)
                return try await plan(Self.health, each: Self.healthMs, at: store.now + Self.settleTime)
            } catch {
                log.error("what control does by itself could not be planned; it is tried again", ["error": "\(error)"])
                try await Task.sleep(for: Self.planTime)
            }
        }
    }

    private func clean(_ job: Job) async throws -> String? {
        try await store.operations.removeExpired(retention)
        // Before what a disk can refuse: until that is well again nobody would be told.
        try await warnOfEnds()
        try store.removeExpiredCopies()
        try await removeUnusedFiles()
        try await recordings.tidy()
        try await planNext(after: job, each: Self.hourMs)
        return nil
    }

    /// Rows first: a file that has none is nobody's, unless it was written a moment ago.
    private func removeUnusedFiles() async throws {
        try await store.forgetUnusedFiles()
        let limit = (store.now - Files.patience).unixSeconds
        let unknown = try await store.unknown(among: blobs.settled(before: limit))
        try await blobs.remove(unknown, writtenBefore: limit)
        try await blobs.sweep(before: store.now.unixSeconds - Self.daySeconds)
    }

    private func delete(_ job: Job) async throws -> String? {
        let result = try await store.deletions.carryOut(job)
        try await blobs.removeAll(of: Deletions.organization(of: job))
        try await recordings.removeAll(of: Deletions.organization(of: job))
        // That was the last one: the server is nobody's, as at its first run.
        guard try await store.setup.isOpen() else { return result }
        try await store.setup.issue(folder.setupSecret())
        log.notice("nobody owns this server any more: register with the setup secret", ["file": "\(folder.setupSecretFile)"])
        return result
    }

    private func lookAfterHealth(_ job: Job) async throws -> String? {
        try await check()
        try await planNext(after: job, each: Self.healthMs)
        return nil
    }

    private func lookAfterMeetings(_ job: Job) async throws -> String? {
        try await endMeetings()
        try await planNext(after: job, each: Self.meetingsMs)
        return nil
    }

    private func lookAfterRollouts(_ job: Job) async throws -> String? {
        try await store.passRollouts()
        try await planNext(after: job, each: Self.rolloutsMs)
        return nil
    }

    private func lookAfterReleases(_ job: Job) async throws -> String? {
        await lookForReleases()
        try await planNext(after: job, each: Self.hourMs)
        return nil
    }

    /// The beginning of the next stretch of time. One that runs before its own has begun, because the clock was set back, has that one's key as
    /// long as it runs: what it plans is the one behind.
    private func planNext(after job: Job, each length: Int64) async throws {
        let next = store.now.unixMs / length + 1
        let isItself = job.uniqueKey == Self.key(next)
        try await plan(job.kind, each: length, at: Timestamp(unixMs: (isItself ? next + 1 : next) * length))
    }

    /// One for each stretch of time, however often it is asked for.
    private func plan(_ kind: String, each length: Int64, at time: Timestamp) async throws {
        _ = try await store.jobs.add(kind, uniqueKey: Self.key(time.unixMs / length), runAt: time, maxAttempts: Self.attempts)
    }

    private static func key(_ stretch: Int64) -> String { "slot \(stretch)" }
}
