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
    package enum Source: String, Sendable {
        case sender, control
    }

    /// Per broadcast: fourteen hours with a sample each 5 s. Events may come beside as many.
    package static let sampleLimit = 10_000
    package static let limit = 12_000

    /// Adds what is not there yet. Samples over their limit are passed over, then everything is.
    ///
    /// - Parameter sender: whose broadcast it must be.
    /// - Throws: `.missing` for a broadcast that is not the sender's.
    package func add(_ records: [StoredFlightRecord], by source: Source, to broadcast: BroadcastID, of sender: DeviceID) async throws {
        try await store.write { transaction in
            _ = try transaction.row(
                StoredBroadcast.self, in: scope, where: "id = \(broadcast) AND sender = \(sender)", or: "broadcast")
            var count = try transaction.count(of: .flightRecords, in: scope, where: "broadcast = \(broadcast)")
            for record in records where count < (record.isSample ? Self.sampleLimit : Self.limit) {
                let isThere = try transaction.count(
                    of: .flightRecords, in: scope,
                    where:
                        "broadcast = \(broadcast) AND source = \(source.rawValue) AND run = \(record.run) AND number = \(record.number)")
                guard isThere == 0 else { continue }
                try transaction.insert(
                    into: .flightRecords, in: scope,
                    [
                        "broadcast": broadcast, "source": source.rawValue, "run": record.run, "number": record.number, "at": record.at,
                        "text": record.text,
                    ])
                count += 1
            }
        }
    }

    /// A broadcast's, by time: the next after `last`, the first without it.
    package func page(_ broadcast: BroadcastID, after last: FlightLine?, limit: Int = 500) async throws -> [FlightLine] {
        let place: SQL =
            last.map { "(at, source, run, number) > (\($0.at), \($0.source), \($0.run), \($0.number))" as SQL } ?? "TRUE"
        return try await store.read { transaction in
            try transaction.rows(
                FlightLine.self, in: scope, where: "broadcast = \(broadcast) AND \(part: place)", order: "at, source, run, number",
                limit: limit)
        }
    }
}

/// A line of the download, and its place in it.
package struct FlightLine: Sendable, Hashable, OrganizationRow {
    package let text: String
    fileprivate let at: Timestamp
    fileprivate let source: String
    fileprivate let run: Int64
    fileprivate let number: Int

    static var table: OrganizationTable { .flightRecords }

    init(_ row: borrowing Row) throws {
        text = try row["text"]
        at = try row["at"]
        source = try row["source"]
        run = try row["run"]
        number = try row["number"]
    }
}

extension ControlStore {
    package func flightRecords(in scope: OrganizationScope) -> FlightRecords { FlightRecords(store: self, scope: scope) }
}
