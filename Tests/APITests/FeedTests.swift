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
        return (feed, try #require(await picture(feed, nil)))
    }

    /// The number of the whole picture that comes after another; nil where an update does.
    private func picture(_ feed: Feed, _ last: Int?) async -> Int? {
        guard case .picture(let number)? = await feed.next(of: organization, after: last) else { return nil }
        return number
    }

    private func update(_ feed: Feed, _ last: Int) async -> Feed.Update? {
        guard case .update(let update)? = await feed.next(of: organization, after: last) else { return nil }
        return update
    }

    @Test("begins with the whole picture, and goes on without a gap")
    func begins() async throws {
        let (feed, last) = try await feed(changes: 3)
        #expect(await feed.next(of: organization, after: last) == nil)
        await feed.publish(organization, topic: "sender/A", body: nil)
        let update = try #require(await update(feed, last))
        #expect(update.sequence == last + 1)
        #expect(update.text == "{\"seq\":\(last + 1),\"topic\":\"sender/A\",\"body\":null}")
    }

    @Test("resumes with all that was missed", arguments: [0, 1, 511, 512])
    func resumes(_ missed: Int) async throws {
        let (feed, last) = try await feed(changes: 1000)
        var numbers: [Int] = []
        while let update = await update(feed, numbers.last ?? last - missed) { numbers.append(update.sequence) }
        #expect(numbers == Array(last - missed + 1..<last + 1))
    }

    @Test("begins anew where too much was missed, or the number is of another run", arguments: [-1, 513, 1 << 53, .min, .max])
    func anew(_ missed: Int) async throws {
        let (feed, last) = try await feed(changes: 1000)
        #expect(await picture(feed, last &- missed) == last)
    }
}
