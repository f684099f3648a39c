@testable import Store
import Testing
import Units

@Suite struct HealthSnapshotTests {
    @Test("are read part for part, the newest first, and are gone after 90 days")
    func history() async throws {
        let fixture = try await Fixture()
        let snapshots = fixture.store.healthSnapshots
        var made: [HealthSnapshot] = []
        for number in 0..<7 {
            made.append(try await snapshots.add(.scheduled, status: number == 3 ? "unhealthy" : "healthy", probes: "[\(number)]"))
            fixture.clock.advance(.seconds(300))
        }
        var found: [HealthSnapshot] = []
        while true {
            let part = try await snapshots.page(after: found.last?.id, limit: 3)
            guard !part.isEmpty else { break }
            found += part
        }
        #expect(found == made.reversed() && found[3].status == "unhealthy" && found[3].probes == "[3]")
        fixture.clock.advance(.seconds(90 * 86_400 - 5 * 300))
        try await fixture.store.operations.removeExpired()
        #expect(try await snapshots.page(after: nil, limit: 99).map(\.probes) == ["[6]", "[5]", "[4]", "[3]", "[2]"])
        // Or as long as the operator says.
        var retention = Retention()
        retention.health = .seconds(90 * 86_400 - 2 * 300)
        try await fixture.store.operations.removeExpired(retention)
        #expect(try await snapshots.page(after: nil, limit: 99).map(\.probes) == ["[6]", "[5]", "[4]"])
    }

    @Test("of those that somebody asked for so many are kept, and the others stay")
    func manual() async throws {
        let fixture = try await Fixture()
        let snapshots = fixture.store.healthSnapshots
        _ = try await snapshots.add(.scheduled, status: "healthy", probes: "[]")
        for number in 0..<HealthSnapshots.manualLimit + 5 {
            fixture.clock.advance(.milliseconds(1))
            _ = try await snapshots.add(.manual, status: "degraded", probes: "[\(number)]")
        }
        let all = try await snapshots.page(after: nil, limit: 5000)
        #expect(all.count == HealthSnapshots.manualLimit + 1 && all.last?.occasion == .scheduled)
        #expect(all.dropLast().last?.probes == "[5]")
    }
}
