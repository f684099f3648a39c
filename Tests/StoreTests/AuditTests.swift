import SQLite
@testable import Store
import Testing

@Suite struct AuditTests {
    @Test("the log is read newest first, part for part, and as far as is asked for alone, however long it is")
    func order() async throws {
        let fixture = try await Fixture()
        let sender = try await fixture.sender()
        let devices = fixture.store.devices(in: fixture.scope)
        for number in 0..<10 {
            fixture.clock.advance(.milliseconds(1))
            try await devices.rename(sender.id, to: "name \(number)")
        }
        let log = fixture.store.audit(in: fixture.scope)
        let newest = try await log.entries(limit: 4)
        #expect(newest.map(\.detail) == ["name 9", "name 8", "name 7", "name 6"])
        let next = try await log.entries(before: newest.last?.id, limit: 2)
        #expect(next.map(\.detail) == ["name 5", "name 4"])
        let plan = try await fixture.store.read { transaction in
            try transaction.across(.operation).all(
                "EXPLAIN QUERY PLAN SELECT * FROM audit WHERE organization = \("o") ORDER BY \(part: AuditLog.order) LIMIT \(4)"
            ) { row -> String in try row["detail"] }
        }
        // What is left to sort is what came in one millisecond.
        #expect(plan.first?.contains("audit_by_time") == true && !plan.contains("USE TEMP B-TREE FOR ORDER BY"), "\(plan)")
    }
}
