@testable import Store
import Testing
import Units

@Suite struct FlightRecordTests {
    private func record(_ number: Int, run: Int64 = 1, at ms: Int64 = 0, isSample: Bool = false) -> StoredFlightRecord {
        StoredFlightRecord(
            run: run, number: number, at: Timestamp(unixMs: ms), isSample: isSample, text: "{\"run\":\(run),\"number\":\(number)}")
    }

    @Test("what is told twice is there once, and pages give all of it by time")
    func order() async throws {
        let fixture = try await Fixture()
        let sender = try await fixture.sender()
        let id = try await BroadcastTests.start(fixture, sender)
        let records = fixture.store.flightRecords(in: fixture.scope)
        let first = (0..<7).map { record($0, at: Int64(100 - $0)) }
        try await records.add(first, by: .sender, to: id, of: sender.id)
        try await records.add(first + [record(7, at: 93)], by: .sender, to: id, of: sender.id)
        try await records.add([record(0, run: 2, at: 98)], by: .sender, to: id, of: sender.id)
        var lines: [FlightLine] = []
        while true {
            let page = try await records.page(id, after: lines.last, limit: 2)
            guard !page.isEmpty else { break }
            lines += page
        }
        let expected = [(1, 7), (1, 6), (1, 5), (1, 4), (1, 3), (1, 2), (2, 0), (1, 1), (1, 0)]
        #expect(lines.map(\.text) == expected.map { "{\"run\":\($0.0),\"number\":\($0.1)}" })
    }

    @Test("a sender writes into its own broadcasts only, and another organisation reads nothing")
    func owners() async throws {
        let fixture = try await Fixture()
        let (sender, other) = (try await fixture.sender(), try await fixture.sender("other"))
        let id = try await BroadcastTests.start(fixture, sender)
        let records = fixture.store.flightRecords(in: fixture.scope)
        await #expect(throws: StoreError.missing("broadcast")) {
            try await records.add([record(0)], by: .sender, to: id, of: other.id)
        }
        try await records.add([record(0)], by: .sender, to: id, of: sender.id)
        let stranger = fixture.store.flightRecords(in: try await fixture.stranger())
        #expect(try await stranger.page(id, after: nil).isEmpty)
        await #expect(throws: StoreError.missing("broadcast")) {
            try await stranger.add([record(1)], by: .sender, to: id, of: sender.id)
        }
    }

    @Test("samples stop at their limit and leave room for events, which have one too")
    func limits() async throws {
        let fixture = try await Fixture()
        let sender = try await fixture.sender()
        let id = try await BroadcastTests.start(fixture, sender)
        let records = fixture.store.flightRecords(in: fixture.scope)
        let samples = (0..<FlightRecords.sampleLimit + 10).map { record($0, isSample: true) }
        try await records.add(samples, by: .sender, to: id, of: sender.id)
        let events = (0..<FlightRecords.limit).map { record(20_000 + $0) }
        try await records.add(events, by: .sender, to: id, of: sender.id)
        let all = try await records.page(id, after: nil, limit: 20_000)
        #expect(all.count == FlightRecords.limit)
        #expect(all.contains { $0.text == "{\"run\":1,\"number\":20000}" })
    }

    @Test("they are gone 30 days after the end of their broadcast")
    func expiry() async throws {
        let fixture = try await Fixture()
        let sender = try await fixture.sender()
        let id = try await BroadcastTests.start(fixture, sender)
        let records = fixture.store.flightRecords(in: fixture.scope)
        try await records.add([record(0)], by: .sender, to: id, of: sender.id)
        fixture.clock.advance(.seconds(40 * 86_400))
        try await fixture.store.operations.removeExpired()
        #expect(try await records.page(id, after: nil).count == 1)
        try await fixture.store.broadcasts(in: fixture.scope).save(id, state: "ended", document: "{}", hasEnded: true)
        fixture.clock.advance(.seconds(31 * 86_400))
        try await fixture.store.operations.removeExpired()
        #expect(try await records.page(id, after: nil).isEmpty)
    }
}
