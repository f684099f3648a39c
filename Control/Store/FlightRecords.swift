import SQLite
package import Units

/// An entry of a flight recorder as it is kept: its text is JSON, whole, as it is downloaded.
package struct StoredFlightRecord: Sendable, Hashable {
    package var run: Int64
    package var number: Int
    /// By the recording side's clock.
    package var at: Timestamp
    /// One of those that come by the clock, and not because something happened.
    package var isSample: Bool
    package var text: String

    package init(run: Int64, number: Int, at: Timestamp, isSample: Bool, text: String) {
        self.run = run
        self.number = number
        self.at = at
        self.isSample = isSample
        self.text = text
    }
}

/// What the flight recorders of an organisation's broadcasts wrote down, for 30 days after their end.
package struct FlightRecords: Sendable {
    let store: ControlStore
    let scope: OrganizationScope

    /// Who recorded.
    package enum Source: String, Sendable, ColumnValue {
        case sender, control
    }

    /// Per broadcast, of its sender: fourteen hours with a sample each 5 s. Events may come beside as many.
    package static let sampleLimit = 10_000
    package static let limit = 12_000
    /// Of control's own, which are written at a pace that comes to so many in a day: beyond it the oldest go.
    package static let ownLimit = 2000

    /// Adds what is not there yet. A sender's samples over their limit are passed over, then everything of it is; of control's own the oldest go.
    ///
    /// - Parameter sender: whose broadcast it must be.
    /// - Returns: what was added.
    /// - Throws: `.missing` for a broadcast that is not the sender's.
    @discardableResult
    package func add(
        _ records: [StoredFlightRecord], by source: Source, to broadcast: BroadcastID, of sender: DeviceID
    ) async throws -> [StoredFlightRecord] {
        try await store.write { transaction in
            _ = try transaction.row(
                StoredBroadcast.self, in: scope, where: "id = \(broadcast) AND sender = \(sender)", or: "broadcast")
            var count = try transaction.count(
                of: .flightRecords, in: scope, where: "broadcast = \(broadcast) AND source = \(source)")
            var added: [StoredFlightRecord] = []
            for record in records where source == .control || count < (record.isSample ? Self.sampleLimit : Self.limit) {
                let isThere = try transaction.count(
                    of: .flightRecords, in: scope,
                    where:
                        "broadcast = \(broadcast) AND source = \(source) AND run = \(record.run) AND number = \(record.number)")
                guard isThere == 0 else { continue }
                try transaction.insert(
                    into: .flightRecords, in: scope,
                    [
                        "broadcast": broadcast, "source": source, "run": record.run, "number": record.number, "at": record.at,
                        "text": record.text,
                    ])
                added.append(record)
                count += 1
            }
            if source == .control, count > Self.ownLimit {
                try transaction.deleteOldest(count - Self.ownLimit, by: source, of: broadcast, in: scope)
            }
            return added
        }
    }

    /// A broadcast's, by time: the next after `last`, the first without it.
    package func page(_ broadcast: BroadcastID, after last: FlightLine?, limit: Int = 500) async throws -> [FlightLine] {
        try await lines(broadcast, "TRUE", .oldestFirst, after: last?.place, limit)
    }

    package enum Order: String, Sendable, CaseIterable { case newestFirst = "newest", oldestFirst = "oldest" }

    /// The same without the samples, from an index of its own.
    package func events(_ broadcast: BroadcastID, _ order: Order, after last: FlightPlace?, limit: Int) async throws -> [FlightLine] {
        // As the migration 'flight events' has it, to the letter: the index is of these alone.
        try await lines(broadcast, "instr(text, '\"kind\":\"sample\"') = 0", order, after: last, limit)
    }

    private func lines(
        _ broadcast: BroadcastID, _ which: SQL, _ order: Order, after last: FlightPlace?, _ limit: Int
    ) async throws -> [FlightLine] {
        let isAscending = order == .oldestFirst
        let beyond: SQL =
            last.map { place -> SQL in
                let values: SQL = "(\(place.at), \(place.source), \(place.run), \(place.number))"
                return isAscending
                    ? "(at, source, run, number) > \(part: values)" : "(at, source, run, number) < \(part: values)"
            } ?? "TRUE"
        return try await store.read { transaction in
            try transaction.rows(
                FlightLine.self, in: scope, where: "broadcast = \(broadcast) AND \(part: which) AND \(part: beyond)",
                order: isAscending ? "at, source, run, number" : "at DESC, source DESC, run DESC, number DESC", limit: limit)
        }
    }
}

/// Where an entry stands in the time of its broadcast.
package struct FlightPlace: Sendable, Hashable, CustomStringConvertible {
    package let at: Timestamp
    package let source: FlightRecords.Source
    package let run: Int64
    package let number: Int

    package init(at: Timestamp, source: FlightRecords.Source, run: Int64, number: Int) {
        self.at = at
        self.source = source
        self.run = run
        self.number = number
    }

    /// Reads what `description` writes.
    package init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard text.utf8.count <= 80, parts.count == 4, let at = Int64(parts[0]),
            let source = FlightRecords.Source(rawValue: String(parts[1])), let run = Int64(parts[2]), let number = Int(parts[3])
        else { return nil }
        self.init(at: Timestamp(unixMs: at), source: source, run: run, number: number)
        guard description == text else { return nil }
    }

    /// `1800000000000.control.1799999999000.7`
    package var description: String { "\(at.unixMs).\(source.rawValue).\(run).\(number)" }
}

/// A line of the download, and its place in it.
package struct FlightLine: Sendable, Hashable, OrganizationRow {
    package let text: String
    package let place: FlightPlace

    static var table: OrganizationTable { .flightRecords }

    init(_ row: borrowing Row) throws {
        text = try row["text"]
        place = FlightPlace(at: try row["at"], source: try row["source"], run: try row["run"], number: try row["number"])
    }
}

extension ControlStore {
    package func flightRecords(in scope: OrganizationScope) -> FlightRecords { FlightRecords(store: self, scope: scope) }
}

extension Transaction {
    /// By the order in which they were written.
    fileprivate func deleteOldest(
        _ count: Int, by source: FlightRecords.Source, of broadcast: BroadcastID, in scope: OrganizationScope
    ) throws {
        let these: SQL = "broadcast = \(broadcast) AND source = \(source)"
        try delete(
            from: .flightRecords, in: scope,
            where: """
                \(part: these) AND (run, number) IN (SELECT run, number FROM flight_records
                    WHERE organization = \(scope.organization) AND \(part: these) ORDER BY run, number LIMIT \(count))
                """)
    }
}
