import Posix
@testable import Store
import Testing
import Units

@Suite struct JobTests {
    @Test("a job is leased to one worker, comes back when the worker is lost, and is given up after its attempts")
    func leases() async throws {
        let fixture = try await Fixture()
        let jobs = fixture.store.jobs
        let job = try await jobs.add("cleanup", runAt: fixture.clock.now + .seconds(10), maxAttempts: 2)
        #expect(try await jobs.claim(holder: "a", for: .seconds(60), limit: 9).isEmpty)
        #expect(try await jobs.nextMoment() == fixture.clock.now + .seconds(10))
        fixture.clock.advance(.seconds(10))
        #expect(try await jobs.claim(holder: "a", for: .seconds(60), limit: 9).map(\.id) == [job.id])
        #expect(try await jobs.claim(holder: "b", for: .seconds(60), limit: 9).isEmpty)
        fixture.clock.advance(.seconds(60))
        #expect(try await jobs.claim(holder: "b", for: .seconds(60), limit: 9).map(\.attempts) == [2])
        await #expect(throws: StoreError.missing("leased job")) { try await jobs.finish(job.id, holder: "a") }
        fixture.clock.advance(.seconds(60))
        #expect(try await jobs.claim(holder: "c", for: .seconds(60), limit: 9).isEmpty)
        #expect(try await jobs.find(job.id)?.outcome == .failed)
        #expect(try await jobs.nextMoment() == nil)
    }

    @Test("a failed job runs again after its wait, with its reason kept")
    func retries() async throws {
        let fixture = try await Fixture()
        let jobs = fixture.store.jobs
        let job = try await jobs.add("mail", maxAttempts: 2)
        _ = try await jobs.claim(holder: "a", for: .seconds(60), limit: 1)
        try await jobs.fail(job.id, holder: "a", reason: "no route", retryAfter: .seconds(5))
        #expect(try await jobs.find(job.id)?.result == "no route")
        #expect(try await jobs.claim(holder: "a", for: .seconds(60), limit: 1).isEmpty)
        fixture.clock.advance(.seconds(5))
        _ = try await jobs.claim(holder: "a", for: .seconds(60), limit: 1)
        try await jobs.fail(job.id, holder: "a", reason: "no route", retryAfter: .seconds(5))
        #expect(try await jobs.find(job.id)?.outcome == .failed)
    }

    @Test("while a job with a key is unfinished, adding it again gives the same one")
    func uniqueKeys() async throws {
        let fixture = try await Fixture()
        let jobs = fixture.store.jobs
        let first = try await jobs.add("cleanup", uniqueKey: "daily")
        #expect(try await jobs.add("cleanup", uniqueKey: "daily").id == first.id)
        #expect(try await jobs.add("other", uniqueKey: "daily").id != first.id)
        #expect(try await jobs.add("cleanup").id != first.id)
        _ = try await jobs.claim(holder: "a", for: .seconds(60), limit: 9)
        try await jobs.finish(first.id, holder: "a", result: "12 rows")
        #expect(try await jobs.find(first.id)?.result == "12 rows")
        let second = try await jobs.add("cleanup", uniqueKey: "daily")
        #expect(second.id != first.id)
        try await jobs.withdraw(second.id)
        await #expect(throws: StoreError.missing("unfinished job")) { try await jobs.withdraw(second.id) }
    }

    @Test("the schedule claims what there is room for, waits for the next moment, and rests without one")
    func schedule() {
        var schedule = JobSchedule(capacity: 2)
        let now = Timestamp(unixMs: 0)
        #expect(schedule.next(at: now, next: nil) == .rest)
        #expect(schedule.next(at: now, next: now) == .claim(2))
        #expect(schedule.next(at: now, next: now + .seconds(3)) == .wait(.seconds(3)))
        #expect(schedule.next(at: now, next: now + .seconds(86_400)) == .wait(.seconds(3600)))
        schedule.started(1)
        #expect(schedule.next(at: now, next: now) == .claim(1))
        schedule.started(1)
        #expect(schedule.next(at: now, next: now) == .rest)
        schedule.finished()
        #expect(schedule.next(at: now, next: now) == .claim(1))
    }

    @Test("the wait doubles from 5 s to an hour, less up to half")
    func backoff() {
        #expect(JobSchedule.retry(after: 1, jitter: 0) == .seconds(5))
        #expect(JobSchedule.retry(after: 2, jitter: 0) == .seconds(10))
        #expect(JobSchedule.retry(after: 100, jitter: 0) == .seconds(3600))
        #expect(JobSchedule.retry(after: 1, jitter: 0.999) > .milliseconds(2500))
    }

    @Test("the queue runs what is due, tries again what fails, and says why a kind without work failed", .timeLimit(.minutes(1)))
    func queue() async throws {
        let fixture = try await Fixture()
        let (done, signal) = AsyncStream.makeStream(of: JobID.self)
        let failures = Guarded(1)
        struct Broken: Error {}
        let clock = fixture.clock
        let queue = JobQueue(
            fixture.store, holder: "test",
            work: [
                "good": { job in
                    signal.yield(job.id)
                    return "done"
                },
                "flaky": { job in
                    let failing = failures.withLock { left in
                        defer { left -= 1 }
                        return left > 0
                    }
                    if failing { throw Broken() }
                    signal.yield(job.id)
                    return nil
                },
            ],
            sleep: { duration in
                // Leases are renewed every 30 s of real time; retries, up to 5 s, happen at once on the test's clock.
                if duration >= .seconds(30) { return try await Task.sleep(for: duration) }
                clock.advance(duration + .milliseconds(1))
            }, trouble: { Issue.record($0) })
        let lost = try await fixture.store.jobs.add("nobody's", maxAttempts: 1)
        let good = try await fixture.store.jobs.add("good")
        let flaky = try await fixture.store.jobs.add("flaky")
        let running = Task { await queue.run() }
        var finished: Set<JobID> = []
        for await id in done {
            finished.insert(id)
            if finished.count == 2 { break }
        }
        running.cancel()
        await running.value
        #expect(finished == [good.id, flaky.id])
        #expect(try await fixture.store.jobs.find(good.id)?.outcome == .done)
        #expect(try await fixture.store.jobs.find(flaky.id)?.attempts == 2)
        #expect(try await fixture.store.jobs.find(lost.id)?.result?.contains("nobody's") == true)
    }
}
