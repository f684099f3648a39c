import Glibc

/// The one thread that a database is used on, as the executor of its actor: SQLite waits for the disk, and the pool's
/// threads must not.
final class DatabaseThread: SerialExecutor, @unchecked Sendable {
    // Sendable by `mutex`: `jobs` and `isStopping` are touched only with it held; `thread` is set before the first job.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let changed: UnsafeMutablePointer<pthread_cond_t>
    private var jobs: [UnownedJob] = []
    private var isStopping = false
    private var thread = pthread_t()

    /// Starts the thread; it ends after `stop`.
    init() throws(SQLiteError) {
        mutex = .allocate(capacity: 1)
        mutex.initialize(to: pthread_mutex_t())
        changed = .allocate(capacity: 1)
        changed.initialize(to: pthread_cond_t())
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(changed, nil)
        let context = Unmanaged.passRetained(self)
        let code = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                Unmanaged<DatabaseThread>.fromOpaque(context).takeRetainedValue().work()
                return nil
            }, context.toOpaque())
        guard code == 0 else {
            context.release()
            throw SQLiteError("pthread_create", code: code, message: String(cString: strerror(code)))
        }
        pthread_detach(thread)
    }

    deinit {
        pthread_mutex_destroy(mutex)
        pthread_cond_destroy(changed)
        mutex.deallocate()
        changed.deallocate()
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        pthread_mutex_lock(mutex)
        jobs.append(job)
        pthread_cond_signal(changed)
        pthread_mutex_unlock(mutex)
    }

    func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }

    func checkIsolated() {
        precondition(pthread_equal(pthread_self(), thread) != 0, "the database is used on its own thread only")
    }

    /// Lets the thread end once it has done what is queued.
    func stop() {
        pthread_mutex_lock(mutex)
        isStopping = true
        pthread_cond_signal(changed)
        pthread_mutex_unlock(mutex)
    }

    private func work() {
        while let batch = next() {
            for job in batch { job.runSynchronously(on: asUnownedSerialExecutor()) }
        }
    }

    /// The jobs that are queued, waiting for the first; nil when it is over.
    private func next() -> [UnownedJob]? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while jobs.isEmpty {
            if isStopping { return nil }
            pthread_cond_wait(changed, mutex)
        }
        defer { jobs.removeAll(keepingCapacity: true) }
        return jobs
    }
}
