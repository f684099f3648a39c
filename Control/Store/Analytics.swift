import SQLite
import Units

/// What an organisation did on one day, by UTC: what began then, however long it lasted.
package struct DayFigures: Sendable, Hashable {
    /// `2026-11-23`
    package let day: String
    package fileprivate(set) var broadcasts = 0
    /// From the start to the end of each, or until now.
    package fileprivate(set) var broadcastSeconds = 0
    /// That sent them.
    package fileprivate(set) var senders = 0
    package fileprivate(set) var rehearsals = 0
    package fileprivate(set) var meetings = 0
    package fileprivate(set) var meetingSeconds = 0

    fileprivate init(day: String) { self.day = day }
}

/// What an organisation did, day by day.
package struct Analytics: Sendable {
    let store: ControlStore
    let scope: OrganizationScope

    /// How many days may be asked for.
    package static let dayBounds = 1...366
    private static let dayMs: Int64 = 86_400_000

    /// What the rows of one day come to.
    private struct Slot {
        let day: Int
        let rows: Int
        let seconds: Int
        let senders: Int

        init(_ row: borrowing Row) throws {
            day = try row["slot"]
            rows = try row["found"]
            let ms: Int = try row["ms"]
            seconds = ms / 1000
            senders = try row["senders"]
        }
    }

    /// The last days up to today, the oldest first; those on which nothing happened too.
    package func days(_ count: Int) async throws -> [DayFigures] {
        precondition(Self.dayBounds.contains(count), "the route's schema bounds how many days are asked for")
        return try await store.read { transaction in
            let last = transaction.now.unixMs / Self.dayMs
            let first = last - Int64(count) + 1
            let start = Timestamp(unixMs: first * Self.dayMs)
            var days = (first...last).map { DayFigures(day: String(Timestamp(unixMs: $0 * Self.dayMs).text.prefix(10))) }
            func add(_ slots: [Slot], _ note: (Slot, inout DayFigures) -> Void) {
                for slot in slots {
                    let index = slot.day - Int(first)
                    // A clock that was set back leaves days to come.
                    if days.indices.contains(index) { note(slot, &days[index]) }
                }
            }
            add(try broadcasts("state NOT GLOB 'rehearsal.*'", since: start, transaction)) {
                ($1.broadcasts, $1.broadcastSeconds, $1.senders) = ($0.rows, $0.seconds, $0.senders)
            }
            add(try broadcasts("state GLOB 'rehearsal.*'", since: start, transaction)) { $1.rehearsals = $0.rows }
            add(try meetings(since: start, transaction)) { ($1.meetings, $1.meetingSeconds) = ($0.rows, $0.seconds) }
            return days
        }
    }

    private func broadcasts(_ kind: SQL, since start: Timestamp, _ transaction: Transaction) throws -> [Slot] {
        // Ids begin with the time: by them the index leaves out what is older. An id may be made some moments before its row.
        var zeros = Zeros()
        let oldest = BroadcastID(ULID(unixMs: max(0, start.unixMs - 3_600_000), random: &zeros))
        return try transaction.grouped(
            """
            count(*) AS found, count(DISTINCT sender) AS senders,
            sum(max(coalesce(ended_at, \(transaction.now)) - created_at, 0)) AS ms
            """, of: .broadcasts, in: scope, where: "id >= \(oldest) AND created_at >= \(start) AND \(part: kind)",
            by: "created_at / 86400000", Slot.init)
    }

    private func meetings(since start: Timestamp, _ transaction: Transaction) throws -> [Slot] {
        try transaction.grouped(
            "count(*) AS found, 0 AS senders, sum(max(coalesce(ended_at, \(transaction.now)) - started_at, 0)) AS ms", of: .meetings,
            in: scope, where: "started_at >= \(start)", by: "started_at / 86400000", Slot.init)
    }
}

/// For the lowest id of a moment.
private struct Zeros: RandomNumberGenerator {
    mutating func next() -> UInt64 { 0 }
}

extension ControlStore {
    package func analytics(in scope: OrganizationScope) -> Analytics { Analytics(store: self, scope: scope) }
}
