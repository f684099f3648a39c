import Blobs
import Crypto
@testable import Store
import Testing
import Units
import Wire

@Suite("What an organisation did and has")
struct AnalyticsTests {
    @Test("stands under the day on which it began, with the days on which nothing did, and has nothing of anybody else's")
    func days() async throws {
        let fixture = try await Fixture()
        let (store, scope, stranger) = (fixture.store, fixture.scope, try await fixture.stranger())
        let (a, b) = (try await fixture.sender("a"), try await fixture.sender("b"))
        let broadcasts = store.broadcasts(in: scope)
        let first = try await BroadcastTests.start(fixture, a)
        fixture.clock.advance(.seconds(600))
        try await broadcasts.save(first, state: "ended", document: "{}", hasEnded: true)
        for sender in [a, b] {
            var random = SystemRandomNumberGenerator()
            let id = BroadcastID(ULID(unixMs: fixture.clock.now.unixMs, random: &random))
            try await broadcasts.create(id, .rehearsal, sender: sender.id, state: "running", document: "{}", streamKey: Secret("k"))
            try await broadcasts.save(id, .rehearsal, state: "ended", document: "{}", hasEnded: true)
        }
        // Over midnight: it is the first day's.
        _ = try await BroadcastTests.start(fixture, b)
        fixture.clock.advance(.seconds(86_400))
        let meetings = store.meetings(in: scope)
        let meeting = try await meetings.create(CreateMeetingRequest(title: "Stand-up"))
        _ = try await store.meetings(in: stranger).create(CreateMeetingRequest(title: "Theirs"))
        fixture.clock.advance(.seconds(90))
        _ = try await meetings.end(meeting.id)
        let days = try await store.analytics(in: scope).days(3)
        #expect(days.map(\.day) == ["2027-01-14", "2027-01-15", "2027-01-16"])
        #expect(days.map(\.broadcasts) == [0, 2, 0] && days.map(\.senders) == [0, 2, 0] && days.map(\.rehearsals) == [0, 2, 0])
        // One has ended, one still runs.
        #expect(days[1].broadcastSeconds == 600 + 86_490)
        #expect(days.map(\.meetings) == [0, 0, 1] && days.map(\.meetingSeconds) == [0, 0, 90])
        #expect(try await store.analytics(in: stranger).days(1).map(\.meetings) == [1])
        #expect(try await store.analytics(in: stranger).days(1).map(\.broadcasts) == [0])
        // What lies before the first day is in none.
        #expect(try await store.analytics(in: scope).days(1).map(\.broadcasts) == [0])
    }

    @Test("takes of the disk what its own files are, by what they are for")
    func storage() async throws {
        let fixture = try await Fixture()
        let (store, scope) = (fixture.store, fixture.scope)
        for (area, letter, bytes) in [(BlobArea.branding, "a", 10), (.branding, "b", 20), (.avatars, "c", 5)] {
            let key = try #require(BlobKey(String(repeating: letter, count: 64) + ".png", in: area, of: scope.organization))
            try await store.files(in: scope).add(key, bytes: bytes)
        }
        let shares = try await store.storageShares(in: scope)
        #expect(shares.map(\.area) == [.branding, .avatars, nil])
        #expect(shares.map(\.files) == [2, 1, 0] && shares.map(\.bytes) == [30, 5, 0])
        #expect(try await store.storageShares(in: try await fixture.stranger()).allSatisfy { $0.bytes == 0 })
    }
}
