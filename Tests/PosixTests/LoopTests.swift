import Glibc
@testable import Posix
import Testing

@Suite("Loop", .timeLimit(.minutes(1)))
struct LoopTests {
    let loop: Loop

    init() throws { loop = try Loop(name: "test") }

    /// Runs `body` on the loop and hands over its result.
    private func onLoop<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            loop.submit { continuation.resume(with: Swift.Result { try body() }) }
        }
    }

    @Test("work that is submitted runs in order, on the loop")
    func order() async throws {
        let seen = Guarded<[Int]>([])
        for number in 0..<1000 { loop.submit { [loop] in if loop.isCurrent { seen.withLock { $0.append(number) } } } }
        try await onLoop {}
        #expect(seen.withLock { $0 } == Array(0..<1000))
        #expect(!loop.isCurrent)
        loop.stop()
    }

    @Test("a spawned task and an actor on the loop stay on its thread across suspensions")
    func executors() async throws {
        actor Counter {
            let loop: Loop
            var count = 0
            init(loop: Loop) { self.loop = loop }
            nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
            func add() -> Bool {
                count += 1
                return loop.isCurrent
            }
        }
        let counter = Counter(loop: loop)
        let places = Guarded<[Bool]>([])
        await loop.spawn { [loop] in
            for _ in 0..<10 {
                let isThere = await counter.add()
                await Task.yield()
                places.withLock { $0.append(isThere && loop.isCurrent) }
            }
        }.value
        #expect(places.withLock { $0 } == Array(repeating: true, count: 10))
        #expect(await counter.count == 10)
        loop.stop()
    }

    @Test("timers fire by their deadlines, and a cancelled one never does")
    func timers() async throws {
        let fired = Guarded<[Int]>([])
        let due = Guarded<[Int]>([])
        let delays = [9, 3, 6, 1, 7, 2, 8, 4, 5]
        await withCheckedContinuation { continuation in
            loop.submit { [loop] in
                var timers: [Int: LoopTimer] = [:]
                for delay in delays {
                    timers[delay] = loop.timer(after: .milliseconds(delay)) { fired.withLock { $0.append(delay) } }
                }
                timers[3]?.cancel()
                timers[9]?.cancel()
                // On a machine that stands still between two calls a later one may be due later, though it asked for less.
                let left = timers.filter { ![3, 9].contains($0.key) }.sorted { $0.value.deadline < $1.value.deadline }
                due.withLock { $0 = left.map(\.key) }
                loop.timer(after: .milliseconds(12)) { continuation.resume() }
            }
        }
        #expect(fired.withLock { $0 } == due.withLock { $0 } && due.withLock { $0.sorted() } == [1, 2, 4, 5, 6, 7, 8])
        loop.stop()
    }

    @Test("sleep lasts at least its duration and ends at once when its task is cancelled")
    func sleeping() async throws {
        let start = Instant.now
        try await loop.sleep(for: .milliseconds(5))
        #expect(Instant.now - start >= .milliseconds(5))
        let loop = loop
        let sleeper = loop.spawn {
            await #expect(throws: CancellationError.self) { try await loop.sleep(for: .seconds(60)) }
        }
        sleeper.cancel()
        await sleeper.value
        loop.stop()
    }

    @Test("a watch reports what its descriptor is ready for, and hangups unasked")
    func watching() async throws {
        var ends: [CInt] = [0, 0]
        #expect(socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0, &ends) == 0)
        let (ours, theirs) = (ends[0], ends[1])
        let seen = AsyncStream<Readiness>.makeStream()
        let watch = Guarded<Watch?>(nil)
        try await onLoop { [loop] in
            let made = try loop.watch(ours, []) { readiness in
                seen.continuation.yield(readiness)
                watch.withLock { $0?.interest = [] }
                if readiness.contains(.hangup) {
                    watch.withLock { $0?.cancel() }
                    seen.continuation.finish()
                }
            }
            watch.withLock { $0 = made }
        }
        var readings = seen.stream.makeAsyncIterator()
        try await onLoop { watch.withLock { $0?.interest = .write } }
        #expect(await readings.next() == .write)
        #expect(write(theirs, "x", 1) == 1)
        try await onLoop { watch.withLock { $0?.interest = [.read] } }
        #expect(await readings.next() == .read)
        close(theirs)
        #expect(await readings.next()?.contains(.hangup) == true)
        #expect(await readings.next() == nil)
        close(ours)
        loop.stop()
    }

    @Test("a watch that an earlier event of the same turn cancelled is not called")
    func cancelledInTheSameTurn() async throws {
        var one: [CInt] = [0, 0]
        var other: [CInt] = [0, 0]
        #expect(socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0, &one) == 0)
        #expect(socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0, &other) == 0)
        #expect(write(one[1], "x", 1) == 1 && write(other[1], "x", 1) == 1)
        let calls = Guarded(0)
        let (first, second) = (one[0], other[0])
        let watches = Guarded<[Watch]>([])
        try await onLoop { [loop] in
            for descriptor in [first, second] {
                let watch = try loop.watch(descriptor, .read) { _ in
                    calls.withLock { $0 += 1 }
                    watches.withLock { for watch in $0 { watch.cancel() } }
                }
                watches.withLock { $0.append(watch) }
            }
        }
        try await loop.sleep(for: .milliseconds(2))
        try await onLoop {}
        #expect(calls.withLock { $0 } == 1)
        for descriptor in one + other { close(descriptor) }
        loop.stop()
    }

    @Test("a loop ends its thread when it stops, and takes no more work")
    func stopping() async throws {
        let ran = Guarded(false)
        loop.stop()
        loop.submit { ran.withLock { $0 = true } }
        loop.stop()
        #expect(!ran.withLock { $0 })
    }

    @Test("ten thousand timers in random order fire in the order of their deadlines")
    func manyTimers() async throws {
        /// The deadline of a timer lies between the instants before and after its making, plus its delay.
        let last = Guarded(Instant.now)
        let disorder = Guarded(0)
        await withCheckedContinuation { continuation in
            loop.submit { [loop] in
                for _ in 0..<10_000 {
                    let delay = Duration.microseconds(Int.random(in: 0..<20_000))
                    let earliest = Instant.now + delay
                    let latest = Guarded(earliest)
                    let timer = loop.timer(after: delay) {
                        last.withLock { last in
                            if latest.withLock({ $0 }) < last { disorder.withLock { $0 += 1 } }
                            last = max(last, earliest)
                        }
                    }
                    latest.withLock { $0 = Instant.now + delay }
                    if Bool.random() { timer.cancel() }
                }
                loop.timer(after: .milliseconds(60)) { continuation.resume() }
            }
        }
        #expect(disorder.withLock { $0 } == 0)
        loop.stop()
    }
}
