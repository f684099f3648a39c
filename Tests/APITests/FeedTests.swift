import Fleet
import Posix
import Testing
import Units

@testable import API

/// What a browser that comes back is sent.
@Suite("The feed")
struct FeedTests {
    private let organization = OrganizationID("01ARZ3NDEKTSV4RRFFQ69G5FAV")!

    /// A feed with so many changes of a topic that is a log, and the number of the last one.
    private func feed(changes: Int) async throws -> (feed: Feed, last: Int) {
        let feed = Feed()
        for _ in 0..<changes { await feed.publish(organization, topic: "events/A", body: "[]", isState: false) }
        return (feed, try #require(await picture(feed, nil)))
    }

    /// The number of the whole picture that comes after another; nil where changes do.
    private func picture(_ feed: Feed, _ last: Int?) async -> Int? {
        guard case .picture(let number)? = await feed.next(of: organization, after: last) else { return nil }
        return number
    }

    /// The texts of the changes that come after a number, and the number of the last one.
    private func changes(_ feed: Feed, _ last: Int) async -> (texts: [String], upTo: Int)? {
        guard case .changes(let texts, let number)? = await feed.next(of: organization, after: last) else { return nil }
        return (texts.map(\.text), number)
    }

    private func text(_ number: Int, _ topic: String = "events/A", _ body: String = "[]") -> String {
        "{\"seq\":\(number),\"topic\":\"\(topic)\",\"body\":\(body)}"
    }

    @Test("begins with the whole picture, and goes on without a gap")
    func begins() async throws {
        let (feed, last) = try await feed(changes: 3)
        #expect(await feed.next(of: organization, after: last) == nil)
        await feed.publish(organization, topic: "sender/A", body: nil)
        let changes = try #require(await changes(feed, last))
        #expect(changes == ([text(last + 1, "sender/A", "null")], last + 1))
    }

    @Test("resumes with all that was missed", arguments: [0, 1, 8191, 8192])
    func resumes(_ missed: Int) async throws {
        let (feed, last) = try await feed(changes: 20_000)
        guard missed > 0 else { return #expect(await feed.next(of: organization, after: last) == nil) }
        let changes = try #require(await changes(feed, last - missed))
        #expect(changes == ((last - missed + 1..<last + 1).map { text($0) }, last))
    }

    @Test("begins anew where too much was missed, or the number is of another run", arguments: [-1, 8193, 1 << 53, .min, .max])
    func anew(_ missed: Int) async throws {
        let (feed, last) = try await feed(changes: 20_000)
        #expect(await picture(feed, last &- missed) == last)
    }

    @Test("tells whoever was away the newest of each state, and all of what is a log, in the order in which they came")
    func newest() async throws {
        let (feed, last) = try await feed(changes: 1)
        for round in 0..<3 {
            for topic in ["telemetry/A", "telemetry/B"] { await feed.publish(organization, topic: topic, body: "\(round)") }
            await feed.publish(organization, topic: "events/A", body: "[]", isState: false)
        }
        await feed.publish(organization, topic: "telemetry/A", body: nil)
        let changes = try #require(await changes(feed, last))
        #expect(
            changes.texts == [
                text(last + 3), text(last + 6), text(last + 8, "telemetry/B", "2"), text(last + 9), text(last + 10, "telemetry/A", "null"),
            ])
        #expect(changes.upTo == last + 10)
    }

    @Test("a page that is slow is told the newest of 2,000 boards, not all that they said meanwhile, and nothing anew")
    func slow() async throws {
        let (feed, last) = try await feed(changes: 1)
        for second in 0..<4 {
            for board in 0..<2000 { await feed.publish(organization, topic: "telemetry/\(board)", body: "\(second)") }
        }
        let changes = try #require(await changes(feed, last))
        #expect(changes.texts.count == 2000)
        #expect(changes.texts.first == text(last + 6001, "telemetry/0", "3") && changes.upTo == last + 8000)
    }

    @Test("an organisation that says much is not kept in memory: what is too much is forgotten from its beginning on")
    func bounded() async throws {
        let (feed, last) = try await feed(changes: 1)
        let body = "\"" + String(repeating: "a", count: 1 << 20) + "\""
        for board in 0..<20 { await feed.publish(organization, topic: "telemetry/\(board)", body: body) }
        #expect(await picture(feed, last) == last + 20)
        let changes = try #require(await changes(feed, last + 5))
        #expect(changes.texts.count == 15)
        // What was forgotten is nobody's newest any more.
        await feed.publish(organization, topic: "telemetry/0", body: "1")
        #expect(await self.changes(feed, last + 20)?.texts == [text(last + 21, "telemetry/0", "1")])
    }

    @Test("pages that begin together share one picture, and one that fails is read anew by the next")
    func shared() async throws {
        let pictures = WholePictures()
        let readings = Guarded(0)
        func read(_ number: Int) async throws -> WholePictures.Picture {
            try await pictures.picture(of: organization, from: number) {
                let count = readings.withLock { count in
                    count += 1
                    return count
                }
                try await Task.sleep(for: .milliseconds(50))
                if count == 1 { throw CancellationError() }
                return ["\(count)"]
            }
        }
        await #expect(throws: CancellationError.self) { try await read(7) }
        async let one = read(8)
        async let other = read(9)
        let both = try await [one, other]
        #expect(both.map { $0.texts.map(\.text) } == [["2"], ["2"]] && both[0].number == both[1].number)
        #expect(readings.withLock { $0 } == 2)
        try await Task.sleep(for: .milliseconds(1100))
        #expect(try await read(30).number == 30)
    }
}
