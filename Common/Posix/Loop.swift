import CPosix
import Glibc

/// One thread that waits for descriptors, timers and work, and runs all of it in turn (epoll).
///
/// It is an executor for actors (`SerialExecutor`) and for tasks (`TaskExecutor`): continuations land here and nowhere else
/// (measured: 8 us per echo against 15 us by way of the global pool). A failed or closed peer must not kill the process:
/// the first loop sets SIGPIPE to be ignored.
package final class Loop: SerialExecutor, TaskExecutor, @unchecked Sendable {
    // Sendable: `inbox` is behind its lock; all else is touched by the loop's thread only, or before it starts.
    package let name: String
    private let epoll: CInt
    private let wake: CInt
    private let inbox = Guarded(Inbox())
    private var thread = pthread_t()
    /// Work of the turn that runs, and of the next one; two arrays that keep their capacity.
    private var ready: [Work] = []
    private var local: [Work] = []
    private var timers = TimerHeap()
    /// By descriptor.
    private var watches: [Watch?] = []
    private var serial: UInt32 = 0
    private var events: UnsafeMutablePointer<cposix_event>
    private var isStopping = false

    private static let eventCount = 256
    private static let wakeMark = UInt64.max

    fileprivate enum Work {
        /// Of an actor on the loop, or of a task that prefers the loop itself.
        case job(UnownedJob)
        /// Of a task that prefers `tasks`.
        case task(UnownedJob)
        case call(@Sendable () -> Void)
    }

    private struct Inbox {
        var work: [Work] = []
        var isWoken = false
        var isClosed = false
        var isJoined = false
    }

    /// Starts the thread; throws `SystemError` where the system has no descriptors or threads left.
    package init(name: String) throws {
        signal(SIGPIPE, SIG_IGN)
        self.name = name
        epoll = cposix_epoll_create()
        guard epoll >= 0 else { throw SystemError("epoll_create1") }
        wake = cposix_eventfd()
        guard wake >= 0 else {
            let error = SystemError("eventfd")
            close(epoll)
            throw error
        }
        events = .allocate(capacity: Loop.eventCount)
        _ = cposix_epoll_add(epoll, wake, UInt32(Interest.read.rawValue), Loop.wakeMark)
        tasks.loop = self
        let context = Unmanaged.passRetained(self)
        let code = pthread_create(&thread, nil, loopThread, context.toOpaque())
        guard code == 0 else {
            context.release()
            throw SystemError("pthread_create", code)
        }
    }

    deinit {
        // The thread holds the loop until it has ended, so nobody waits on these any more.
        close(epoll)
        close(wake)
        events.deallocate()
    }

    /// Whether the caller runs on this loop's thread.
    package var isCurrent: Bool { cposix_current_loop() == Unmanaged.passUnretained(self).toOpaque() }

    /// Runs `work` on the loop, after what was submitted before; from any thread. Dropped after `stop`.
    package func submit(_ work: @escaping @Sendable () -> Void) { add(.call(work)) }

    /// Runs `work` at once where the caller is on the loop, else submits it.
    package func run(_ work: @escaping @Sendable () -> Void) {
        if isCurrent { work() } else { submit(work) }
    }

    /// Starts a task whose code outside of actors runs on this loop.
    @discardableResult
    package func spawn(_ body: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
        Task(executorPreference: tasks, operation: body)
    }

    /// Ends the thread after the current event and joins it, unless called on it. What is still queued does not run.
    package func stop() {
        let mustJoin = inbox.withLock { inbox in
            inbox.isClosed = true
            defer { inbox.isJoined = true }
            return !inbox.isJoined
        }
        if isCurrent {
            isStopping = true
            if mustJoin { pthread_detach(thread) }
            return
        }
        signalWake()
        if mustJoin { pthread_join(thread, nil) }
    }

    // MARK: Executor

    package func enqueue(_ job: consuming ExecutorJob) { add(.job(UnownedJob(job))) }

    /// The loop as an executor of tasks only.
    ///
    /// A task that prefers the loop itself runs as if isolated to it, and is queued again for each call into code that is not
    /// isolated; one that prefers this is not (measured: a sixth of the user time of a request).
    package let tasks = LoopTasks()

    package func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }

    package func checkIsolated() { precondition(isCurrent, "this code runs on the thread of loop \(name)") }

    // MARK: Descriptors and timers, on the loop's thread

    /// Calls `ready` on the loop whenever the descriptor is ready (level-triggered), until the watch is cancelled.
    ///
    /// Loop thread. The descriptor stays the caller's, who cancels the watch before closing it. One watch per descriptor.
    package func watch(
        _ descriptor: CInt, _ interest: Interest, _ ready: @escaping (Readiness) -> Void
    ) throws -> Watch {
        checkIsolated()
        serial &+= 1
        let watch = Watch(loop: self, descriptor: descriptor, serial: serial, interest: interest, ready: ready)
        guard cposix_epoll_add(epoll, descriptor, UInt32(interest.rawValue), watch.mark) == 0 else {
            throw SystemError("epoll_ctl", on: "descriptor \(descriptor)")
        }
        while watches.count <= Int(descriptor) { watches.append(nil) }
        watches[Int(descriptor)] = watch
        return watch
    }

    fileprivate func update(_ watch: Watch) {
        let code = cposix_epoll_change(epoll, watch.descriptor, UInt32(watch.interest.rawValue), watch.mark)
        precondition(code == 0, "a watch is cancelled before its descriptor is closed: \(SystemError("epoll_ctl"))")
    }

    fileprivate func remove(_ watch: Watch) {
        _ = cposix_epoll_remove(epoll, watch.descriptor)
        if watches[Int(watch.descriptor)] === watch { watches[Int(watch.descriptor)] = nil }
    }

    /// Calls `fire` once on the loop, after the duration (to the next millisecond). Loop thread.
    @discardableResult
    package func timer(after duration: Duration, _ fire: @escaping () -> Void) -> LoopTimer {
        checkIsolated()
        let timer = LoopTimer(deadline: Instant.now + max(.zero, duration), loop: self, fire: fire)
        timers.insert(timer)
        return timer
    }

    fileprivate func cancel(_ timer: LoopTimer) { timers.remove(timer) }

    /// Waits by a timer of this loop; from any thread. Throws `CancellationError` as soon as the task is cancelled.
    package func sleep(for duration: Duration) async throws {
        let sleeper = Sleeper(loop: self)
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                run { sleeper.start(duration, continuation) }
            }
        } onCancel: {
            submit { sleeper.cancel() }
        }
    }

    // MARK: The thread

    fileprivate func add(_ work: Work) {
        if isCurrent {
            local.append(work)
            return
        }
        let mustWake = inbox.withLock { inbox in
            if inbox.isClosed { return false }
            inbox.work.append(work)
            defer { inbox.isWoken = true }
            return !inbox.isWoken
        }
        if mustWake { signalWake() }
    }

    private func signalWake() {
        var one: UInt64 = 1
        // It fails only where the counter is full, which means that a wake-up is pending.
        _ = write(wake, &one, 8)
    }

    fileprivate func run() {
        cposix_set_current_loop(Unmanaged.passUnretained(self).toOpaque())
        cposix_name_thread(name)
        while !isStopping {
            runWork()
            if isStopping { break }
            wait(timeout: timeoutMs())
            fireTimers()
        }
        cposix_set_current_loop(nil)
        // A watch refers to this loop: let go of those that their owners did not cancel.
        for watch in watches { watch?.forget() }
        watches = []
        timers = TimerHeap()
        local = []
    }

    /// Runs what is queued now; what that queues in turn waits until descriptors were looked at.
    private func runWork() {
        swap(&ready, &local)
        for work in ready {
            switch work {
            case .task(let job): job.runSynchronously(on: tasks.asUnownedTaskExecutor())
            case .job(let job): job.runSynchronously(isolatedTo: asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
            case .call(let call): call()
            }
        }
        ready.removeAll(keepingCapacity: true)
    }

    private func timeoutMs() -> CInt {
        if !local.isEmpty { return 0 }
        guard let deadline = timers.first?.deadline else { return -1 }
        let left = deadline.nanoseconds - Instant.now.nanoseconds
        if left <= 0 { return 0 }
        return CInt(clamping: (left + 999_999) / 1_000_000)
    }

    private func wait(timeout: CInt) {
        let count = Int(cposix_epoll_wait(epoll, events, CInt(Loop.eventCount), timeout))
        guard count > 0 else { return }
        for index in 0..<count {
            let event = events[index]
            if event.data == Loop.wakeMark {
                takeInbox()
                continue
            }
            let descriptor = Int(event.data & 0xffff_ffff)
            // The serial tells a new watch from one that was cancelled by an earlier event of this batch.
            guard let watch = watches[descriptor], watch.mark == event.data else { continue }
            watch.ready(Readiness(rawValue: UInt8(truncatingIfNeeded: event.events)))
        }
    }

    private func takeInbox() {
        var count: UInt64 = 0
        _ = read(wake, &count, 8)
        inbox.withLock { inbox in
            local.append(contentsOf: inbox.work)
            inbox.work.removeAll(keepingCapacity: true)
            inbox.isWoken = false
            if inbox.isClosed { isStopping = true }
        }
    }

    private func fireTimers() {
        guard let first = timers.first else { return }
        let now = Instant.now
        guard first.deadline <= now else { return }
        while let timer = timers.first, timer.deadline <= now, !isStopping {
            timers.remove(timer)
            timer.take()?()
        }
    }
}

/// Runs tasks on a loop; see `Loop.tasks`.
package final class LoopTasks: TaskExecutor, @unchecked Sendable {
    // Sendable: `loop` is set once, before the loop is handed to anybody, and outlives what is queued on it.
    fileprivate weak var loop: Loop?

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        loop?.add(.task(job))
    }
}

/// The thread's entry; it owns one reference to the loop.
private func loopThread(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context else { return nil }
    Unmanaged<Loop>.fromOpaque(context).takeRetainedValue().run()
    return nil
}

/// What a watch waits for.
package struct Interest: OptionSet, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let read = Interest(rawValue: 1)
    package static let write = Interest(rawValue: 2)
}

/// What a descriptor is ready for. `hangup` and `error` come without being asked for, again and again until the watch ends.
package struct Readiness: OptionSet, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let read = Readiness(rawValue: 1)
    package static let write = Readiness(rawValue: 2)
    package static let hangup = Readiness(rawValue: 4)
    package static let error = Readiness(rawValue: 8)
}

/// A descriptor that a loop watches. Loop thread only.
package final class Watch {
    private weak var loop: Loop?
    fileprivate let descriptor: CInt
    /// The number that epoll returns: descriptor and serial.
    fileprivate let mark: UInt64
    fileprivate private(set) var ready: (Readiness) -> Void

    /// What to wait for from now on.
    package var interest: Interest {
        didSet { if interest != oldValue { loop?.update(self) } }
    }

    fileprivate init(loop: Loop, descriptor: CInt, serial: UInt32, interest: Interest, ready: @escaping (Readiness) -> Void) {
        self.loop = loop
        self.descriptor = descriptor
        self.interest = interest
        self.ready = ready
        mark = UInt64(serial) << 32 | UInt64(UInt32(bitPattern: descriptor))
    }

    /// Ends the watch: no call comes after it, and the closure is released.
    package func cancel() {
        loop?.remove(self)
        forget()
    }

    fileprivate func forget() {
        loop = nil
        ready = { _ in }
    }
}

/// A timer of a loop. Loop thread only.
package final class LoopTimer {
    let deadline: Instant
    /// Its place in the heap; -1 when it is not there.
    var place = -1
    private weak var loop: Loop?
    private var fire: (() -> Void)?

    init(deadline: Instant, loop: Loop?, fire: @escaping () -> Void) {
        self.deadline = deadline
        self.loop = loop
        self.fire = fire
    }

    /// The timer does not fire after this, and its closure is released.
    package func cancel() {
        if place >= 0 { loop?.cancel(self) }
        fire = nil
    }

    fileprivate func take() -> (() -> Void)? {
        defer { fire = nil }
        return fire
    }
}

/// One `sleep`; confined to the loop's thread.
private final class Sleeper: @unchecked Sendable {
    // Sendable: only the loop's thread touches the fields.
    private let loop: Loop
    private var continuation: CheckedContinuation<Void, any Error>?
    private var timer: LoopTimer?
    private var isCancelled = false

    init(loop: Loop) { self.loop = loop }

    func start(_ duration: Duration, _ continuation: CheckedContinuation<Void, any Error>) {
        if isCancelled { return continuation.resume(throwing: CancellationError()) }
        self.continuation = continuation
        timer = loop.timer(after: duration) { [self] in
            self.continuation?.resume()
            self.continuation = nil
        }
    }

    func cancel() {
        isCancelled = true
        timer?.cancel()
        continuation?.resume(throwing: CancellationError())
        continuation = nil
    }
}
