import HTTP
import Logging
import Posix
import Testing

@testable import Reporting

@Suite("What waits for a tracker")
struct MailbagTests {
    private let start = Instant(nanoseconds: 1_000_000_000_000)
    private let dsn = DSN("https://k@errors.example.org/4")
    private let other = DSN("https://k@other.example.org/4")

    private func event(_ message: String = "failed") -> ErrorEvent {
        ErrorEvent(at: 1_800_000_000_000, component: "control", message: message)
    }

    private func sent(_ step: Mailbag.Step) throws -> ErrorEvent {
        guard case .send(let event, _) = step else { throw Unexpected(step: step) }
        return event
    }

    private struct Unexpected: Error { let step: Mailbag.Step }

    @Test("goes one by one to where it is directed, and nowhere where that is nowhere")
    func directed() throws {
        var bag = Mailbag()
        #expect(!bag.add(event(), at: start) && bag.next(at: start) == .rest && bag.counts == Mailbag.Counts())
        bag.direct(to: dsn)
        #expect(bag.add(event("a"), at: start) && bag.add(event("b"), at: start))
        for message in ["a", "b"] {
            let next = try sent(bag.next(at: start))
            #expect(next.message == message)
            bag.ended(next, for: try #require(dsn), .answered(.ok, [:]), at: start, unixSeconds: 0)
        }
        #expect(bag.next(at: start) == .rest && bag.counts.taken == 2)
        let isTaken = bag.add(event("c"), at: start)
        #expect(isTaken)
        let late = try sent(bag.next(at: start))
        bag.direct(to: other)
        #expect(bag.counts.dropped == 1 && bag.next(at: start) == .rest)
        bag.ended(late, for: try #require(dsn), .failed, at: start, unixSeconds: 0)
        #expect(bag.counts.dropped == 1, "what was under way to the place before changes nothing")
        bag.direct(to: nil)
        let isTakenForNobody = bag.add(event(), at: start)
        #expect(!isTakenForNobody)
    }

    @Test("is bounded, of one kind and of all within a minute and in number, and what is left out is counted")
    func bounded() {
        var bag = Mailbag()
        bag.direct(to: dsn)
        let one = (0..<10).filter { _ in bag.add(event(), at: start) }.count
        #expect(one == EventFlood.ofOne)
        let others = (0..<100).filter { bag.add(event("\($0)"), at: start) }.count
        #expect(others == EventFlood.ofAll - EventFlood.ofOne && bag.counts.dropped == 110 - EventFlood.ofAll)
        let later = (0..<100).filter { bag.add(event("\($0)"), at: start + .seconds(60)) }.count
        #expect(later == Mailbag.capacity - EventFlood.ofAll && bag.waitingCount == Mailbag.capacity)
        #expect(bag.counts.dropped == 210 - Mailbag.capacity)
    }

    @Test("waits where nobody is there, longer each time, and goes in the end")
    func away() throws {
        var bag = Mailbag()
        bag.direct(to: dsn)
        _ = bag.add(event(), at: start)
        var now = start
        var waits: [Duration] = []
        for _ in 0..<Mailbag.attempts - 1 {
            bag.ended(try sent(bag.next(at: now)), for: try #require(dsn), .failed, at: now, unixSeconds: 0)
            guard case .wait(let time) = bag.next(at: now) else { throw Unexpected(step: bag.next(at: now)) }
            waits.append(time)
            now = now + time
        }
        #expect(waits == [.seconds(5), .seconds(10), .seconds(20), .seconds(40)])
        bag.ended(try sent(bag.next(at: now)), for: try #require(dsn), .answered(Status(code: 502), [:]), at: now, unixSeconds: 0)
        #expect(bag.next(at: now) == .rest && bag.counts.dropped == 1)
    }

    @Test(
        "leaves a tracker alone that asks for it, for errors or for all, and no longer than a day",
        arguments: [
            (429, ["X-Sentry-Rate-Limits": "60:error:organization"], 60),
            (200, ["X-Sentry-Rate-Limits": "60:transaction;error:key, 10::project"], 60),
            (200, ["X-Sentry-Rate-Limits": "60::organization:quota:x"], 60), (200, ["X-Sentry-Rate-Limits": "60:transaction:key"], 0),
            (429, ["X-Sentry-Rate-Limits": "60:transaction:key"], 0), (429, [:], 60), (429, ["Retry-After": "7"], 7),
            (429, ["Retry-After": "Thu, 01 Jan 1970 00:00:30 GMT"], 20), (429, ["Retry-After": "soon"], 60), (200, ["Retry-After": "7"], 0),
            (429, ["X-Sentry-Rate-Limits": "99999999999999:error:key"], 86_400),
            (200, ["X-Sentry-Rate-Limits": "-5:error, x, :::, 9e9:"], 0),
        ] as [(Int, [String: String], Int)])
    func limits(status: Int, fields: [String: String], seconds: Int) throws {
        var bag = Mailbag()
        bag.direct(to: dsn)
        for message in ["a", "b"] { _ = bag.add(event(message), at: start) }
        let headers = Headers(fields.map { ($0.key, $0.value) })
        bag.ended(
            try sent(bag.next(at: start)), for: try #require(dsn), .answered(Status(code: status), headers), at: start, unixSeconds: 10)
        #expect(bag.counts.taken == (status == 200 ? 1 : 0) && bag.counts.dropped == (status == 200 ? 0 : 1))
        if seconds == 0 {
            #expect(try sent(bag.next(at: start)).message == "b")
        } else {
            #expect(bag.next(at: start) == .wait(.seconds(seconds)))
            #expect(try sent(bag.next(at: start + .seconds(seconds))).message == "b")
        }
    }

    @Test("keeps nothing that a tracker does not want")
    func refused() throws {
        var bag = Mailbag()
        bag.direct(to: dsn)
        _ = bag.add(event(), at: start)
        bag.ended(try sent(bag.next(at: start)), for: try #require(dsn), .answered(Status(code: 403), [:]), at: start, unixSeconds: 0)
        #expect(bag.next(at: start) == .rest && bag.counts.refused == 1)
    }
}
