import Fleet
import Testing
import Units

/// What a browser that comes back is sent.
@Suite("The feed")
struct FeedTests {
    private let organization = OrganizationID("01ARZ3NDEKTSV4RRFFQ69G5FAV")!

    /// A feed with so many changes, and the number of the last one.
    private func feed(changes: Int) async throws -> (feed: Feed, last: Int) {
        let feed = Feed()
        for _ in 0..<changes { await feed.publish(organization, topic: "sender/A", body: "{}") }
        return (feed, try #require(await feed.subscribe(organization, since: nil).picture))
    }

    @Test("begins with the whole picture, and goes on without a gap")
    func begins() async throws {
        let (feed, last) = try await feed(changes: 3)
        let subscription = await feed.subscribe(organization, since: nil)
        #expect(subscription.picture == last)
        await feed.publish(organization, topic: "sender/A", body: nil)
        var updates = subscription.updates.makeAsyncIterator()
        let update = try #require(await updates.next())
        #expect(update.sequence == last + 1)
        #expect(update.text == "{\"seq\":\(last + 1),\"topic\":\"sender/A\",\"body\":null}")
    }

    @Test("resumes with all that was missed", arguments: [0, 1, 511, 512])
    func resumes(_ missed: Int) async throws {
        let (feed, last) = try await feed(changes: 1000)
        let subscription = await feed.subscribe(organization, since: last - missed)
        #expect(subscription.picture == nil)
        await feed.publish(organization, topic: "end", body: "{}")
        var numbers: [Int] = []
        for await update in subscription.updates {
            numbers.append(update.sequence)
            if update.sequence > last { break }
        }
        #expect(numbers == Array(last - missed + 1...last + 1))
    }

    @Test("begins anew where too much was missed, or the number is of another run", arguments: [-1, 513, 1 << 53])
    func anew(_ missed: Int) async throws {
        let (feed, last) = try await feed(changes: 1000)
        #expect(await feed.subscribe(organization, since: last - missed).picture == last)
        #expect(await feed.subscribe(organization, since: .min).picture == last)
        #expect(await feed.subscribe(organization, since: .max).picture == last)
    }
}
