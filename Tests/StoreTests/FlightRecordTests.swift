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

    @Test("what happened is read without the samples, from both ends, part for part, by an index of its own")
    func events() async throws {
        let fixture = try await Fixture()
        let sender = try await fixture.sender()
        let id = try await BroadcastTests.start(fixture, sender)
        let records = fixture.store.flightRecords(in: fixture.scope)
        func told(_ number: Int, _ kind: String, at ms: Int64) -> StoredFlightRecord {
            StoredFlightRecord(
                run: 1, number: number, at: Timestamp(unixMs: ms), isSample: kind == "sample",
                text: "{\"entry\":{\"kind\":\"\(kind)\",\"number\":\(number),\"reason\":\"\\\"kind\\\":\\\"sample\\\"\"}}")
        }
        let board = (0..<20).map { told($0, $0 % 4 == 0 ? "link_live" : "sample", at: Int64($0)) }
        try await records.add(board, by: .sender, to: id, of: sender.id)
        // A clock of 1970 and one of far away.
        let own = [told(0, "state", at: 8), told(1, "state", at: .max), told(2, "state", at: .min)]
        try await records.add(own, by: .control, to: id, of: sender.id)
        let places = [
            "\(Int64.min).control.1.2", "0.sender.1.0", "4.sender.1.4", "8.control.1.0", "8.sender.1.8", "12.sender.1.12", "16.sender.1.16",
            "\(Int64.max).control.1.1",
        ]
        for (order, expected) in [(FlightRecords.Order.oldestFirst, places), (.newestFirst, Array(places.reversed()))] {
            var found: [FlightLine] = []
            while true {
                // As a page asks: by the text of the last one.
                let after = try found.last.map { try #require(FlightPlace($0.place.description)) }
                let part = try await records.events(id, order, after: after, limit: 3)
                guard !part.isEmpty else { break }
                found += part
            }
            #expect(found.map(\.place.description) == expected)
        }
        #expect(try await records.events(id, .oldestFirst, after: nil, limit: 200).count == 8)
        #expect(try await fixture.store.flightRecords(in: fixture.stranger()).events(id, .oldestFirst, after: nil, limit: 9).isEmpty)
        let plan = try await fixture.store.read { transaction in
            try transaction.across(.operation).all(
                """
                EXPLAIN QUERY PLAN SELECT * FROM flight_records WHERE organization = \("o") AND (broadcast = \("b")
                    AND instr(text, '"kind":"sample"') = 0 AND (at, source, run, number) < (\(1), \("s"), \(1), \(1)))
                ORDER BY at DESC, source DESC, run DESC, number DESC LIMIT \(3)
                """
            ) { row -> String in try row["detail"] }
        }
        #expect(plan.count == 1 && plan[0].contains("flight_events"), "\(plan)")
    }

    @Test("a place is read as it is written, and nothing else is one")
    func places() {
        for text in ["0.sender.0.0", "-5.control.9223372036854775807.3"] { #expect(FlightPlace(text)?.description == text) }
        for text in [
            "", ".", "...", "1.sender.1", "1.sender.1.1.1", "1.system.1.1", "01.sender.1.1", "+1.sender.1.1", "1.sender.1.x",
            "9223372036854775808.sender.1.1", " 1.sender.1.1", "1.sender.1.1\n", "1.sender.1." + String(repeating: "0", count: 100),
        ] { #expect(FlightPlace(text) == nil, "\(text)") }
    }

    @Test("of control's own the newest are kept, and neither side takes the other's room")
    func own() async throws {
        let fixture = try await Fixture()
        let sender = try await fixture.sender()
        let id = try await BroadcastTests.start(fixture, sender)
        let records = fixture.store.flightRecords(in: fixture.scope)
        let full = (0..<FlightRecords.limit).map { record($0) }
        #expect(try await records.add(full, by: .sender, to: id, of: sender.id).count == full.count)
        #expect(try await records.add([record(full.count)], by: .sender, to: id, of: sender.id).isEmpty)
        // Two runs of control; the second began by a clock that was set back.
        let before = (0..<FlightRecords.ownLimit - 10).map { record($0, run: 7) }
        #expect(try await records.add(before, by: .control, to: id, of: sender.id).count == before.count)
        let after = (0..<30).map { record($0, run: 8) }
        #expect(try await records.add(after + after, by: .control, to: id, of: sender.id).map(\.number) == Array(0..<30))
        let kept = try await records.page(id, after: nil, limit: 20_000).map(\.place).filter { $0.source == .control }
        #expect(kept.count == FlightRecords.ownLimit)
        #expect(kept.filter { $0.run == 8 }.count == 30 && kept.filter { $0.run == 7 }.map(\.number) == Array(20..<before.count))
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
