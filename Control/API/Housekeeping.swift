import Crypto
import Logging
import Store

/// What control does by itself, through the job queue, so that a restart forgets none of it (CTL-16): each hour it removes
/// what nobody can use any more.
struct Housekeeping: Sendable {
    private let store: ControlStore
    private let log: Log

    init(store: ControlStore, log: Log) {
        self.store = store
        self.log = log.part("jobs")
    }

    private static let cleanup = "cleanup"
    private static let hourMs: Int64 = 3_600_000

    /// Runs until its task is cancelled.
    func run() async throws {
        try await plan(at: store.now)
        let log = self.log
        let queue = JobQueue(
            store, holder: Hex.encode(randomBytes(8)), work: [Self.cleanup: { _ in try await clean() }],
            sleep: { try await Task.sleep(for: $0) }, trouble: { log.error("the job queue failed", ["error": "\($0)"]) })
        await queue.run()
    }

    private func clean() async throws -> String? {
        try await store.operations.removeExpired()
        try store.removeExpiredCopies()
        try await plan(at: Timestamp(unixMs: (store.now.unixMs / Self.hourMs + 1) * Self.hourMs))
        return nil
    }

    /// One for each hour, however often it is asked for.
    private func plan(at time: Timestamp) async throws {
        _ = try await store.jobs.add(Self.cleanup, uniqueKey: "hour \(time.unixMs / Self.hourMs)", runAt: time)
    }
}
