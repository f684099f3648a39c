/// What the job queue does next. Holds no clock and runs nothing.
struct JobSchedule: Equatable {
    /// Jobs that may run at once.
    let capacity: Int
    private(set) var running = 0

    enum Step: Equatable {
        /// Lease up to this many jobs that are due.
        case claim(Int)
        /// Look again after this time, or when something changes.
        case wait(Duration)
        /// Look again when something changes.
        case rest
    }

    /// - Parameter next: when the next job is due or the next lease runs out; nil with nothing to do.
    func next(at now: Timestamp, next: Timestamp?) -> Step {
        guard running < capacity, let next else { return .rest }
        // At most an hour: the wall clock may be set meanwhile.
        return next <= now ? .claim(capacity - running) : .wait(min(next - now, .seconds(3600)))
    }

    mutating func started(_ count: Int) { running += count }
    mutating func finished() { running -= 1 }

    /// The wait before the next attempt: 5 s doubling to an hour, less up to half.
    ///
    /// - Parameters:
    ///   - attempts: how often it was tried, from 1 on.
    ///   - jitter: 0..<1, drawn by the caller.
    static func retry(after attempts: Int, jitter: Double) -> Duration {
        let seconds = min(3600, 5 << min(max(attempts, 1) - 1, 10))
        return .milliseconds(Int64(Double(seconds) * 1000 * (1 - jitter / 2)))
    }
}

/// Runs the jobs of a store: leases those that are due, gives each to its kind's work, and renews the lease while it runs.
package actor JobQueue {
    /// Does one job; its text result is stored. What it throws is stored as the reason, and the job is tried again. It must be
    /// able to run twice: a program that dies after the work and before the result begins it again.
    package typealias Work = @Sendable (Job) async throws -> String?

    private let store: ControlStore
    private let holder: String
    private let lease: Duration
    private let kinds: Jobs.Kinds
    private let work: [String: Work]
    private let sleep: @Sendable (Duration) async throws -> Void
    private let trouble: @Sendable (any Error) -> Void
    private let wakes: AsyncStream<Void>
    private let wake: AsyncStream<Void>.Continuation
    private var schedule: JobSchedule
    private var timer: Task<Void, Never>?

    /// - Parameters:
    ///   - holder: a name that no other run of a program has, so that a lease is only ever its own.
    ///   - kinds: another queue has the others.
    ///   - work: by the kind of job; a kind without work fails with that reason.
    ///   - sleep: waits on the caller's loop; throws when cancelled.
    ///   - trouble: told of every error of the store; the queue goes on after 5 s.
    package init(
        _ store: ControlStore, holder: String, capacity: Int = 4, lease: Duration = .seconds(60), taking kinds: Jobs.Kinds = .all,
        work: [String: Work],
        sleep: @escaping @Sendable (Duration) async throws -> Void, trouble: @escaping @Sendable (any Error) -> Void
    ) {
        self.store = store
        self.holder = holder
        self.lease = lease
        self.kinds = kinds
        self.work = work
        self.sleep = sleep
        self.trouble = trouble
        schedule = JobSchedule(capacity: capacity)
        (wakes, wake) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        store.bell.attach(wake)
    }

    /// Runs until its task is cancelled; then waits for the jobs that run.
    package func run() async {
        await withDiscardingTaskGroup { group in
            var changes = wakes.makeAsyncIterator()
            while !Task.isCancelled {
                do {
                    for job in try await due() {
                        group.addTask { await self.perform(job) }
                    }
                } catch {
                    trouble(error)
                    wakeUp(after: .seconds(5))
                }
                if await changes.next(isolation: self) == nil { break }
            }
            timer?.cancel()
        }
    }

    /// The jobs to begin now; sets the timer for the next look.
    private func due() async throws -> [Job] {
        switch schedule.next(at: store.now, next: try await store.jobs.nextMoment(kinds)) {
        case .claim(let limit):
            let jobs = try await store.jobs.claim(kinds, holder: holder, for: lease, limit: limit)
            schedule.started(jobs.count)
            // There may be more than the limit, or one that is due in a moment.
            wake.yield()
            return jobs
        case .wait(let time):
            wakeUp(after: time)
            return []
        case .rest: return []
        }
    }

    private func wakeUp(after time: Duration) {
        timer?.cancel()
        timer = Task { [sleep, wake] in
            // Cancelled: another timer has taken its place.
            guard (try? await sleep(time)) != nil else { return }
            wake.yield()
        }
    }

    private func perform(_ job: Job) async {
        let renewal = Task { [store, holder, lease, sleep] in
            // It ends by being cancelled, or by losing the lease, which `finish` then tells.
            while (try? await sleep(lease / 2)) != nil, (try? await store.jobs.extend(job.id, holder: holder, for: lease)) != nil {}
        }
        do {
            try await settle(job)
        } catch {
            trouble(error)
        }
        renewal.cancel()
        schedule.finished()
        wake.yield()
    }

    private func settle(_ job: Job) async throws {
        let outcome: Result<String?, any Error>
        do {
            guard let work = work[job.kind] else { throw StoreError.missing("work for jobs of kind '\(job.kind)'") }
            outcome = .success(try await work(job))
        } catch {
            outcome = .failure(error)
        }
        switch outcome {
        case .success(let result): try await store.jobs.finish(job.id, holder: holder, result: result)
        case .failure(let error):
            let wait = JobSchedule.retry(after: job.attempts, jitter: Double.random(in: 0..<1))
            try await store.jobs.fail(job.id, holder: holder, reason: "\(error)", retryAfter: wait)
        }
    }
}
