import Logging
import Posix
import Store
package import Units
package import Wire

/// Writes flight records into the store, off the way of whoever has them: nobody waits for a disk. What cannot be stored now (a full disk, a
/// database that somebody locks) is kept in memory, so much of each sender's, and stored later.
///
/// Every method may be called on any thread, and none but `run` waits.
package final class FlightArchive: Sendable {
    private let store: ControlStore
    private let feed: Feed
    private let log: Log
    private let queue = Guarded(FlightQueue())
    /// There may be something to store; for one reader.
    private let news: AsyncStream<Void>
    private let newsSink: AsyncStream<Void>.Continuation

    /// Records of one transaction: a few milliseconds in which others wait for the database.
    private static let partLimit = 100

    init(store: ControlStore, feed: Feed, log: Log) {
        self.store = store
        self.feed = feed
        self.log = log
        (news, newsSink) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    /// Takes records to be stored.
    ///
    /// - Parameter sender: whose broadcast it is, or says that it is.
    package func keep(_ records: [FlightRecord], of broadcast: BroadcastID, _ sender: DeviceID, in organization: OrganizationID) {
        guard let source = records.first?.source else { return }
        let place = FlightQueue.Place(organization: organization, sender: sender, source: source)
        queue.withLock { $0.add(records, of: broadcast, at: place) }
        newsSink.yield()
    }

    /// How many records wait, and how many there was no room for.
    package var counts: (waiting: Int, dropped: Int) { queue.withLock { ($0.waiting, $0.dropped) } }

    /// Stores what comes until its task is cancelled, and then once more what is there.
    package func run() async {
        var failures = 0
        for await _ in news {
            // Of what was kept meanwhile, too.
            var isLate = false
            while let part = queue.withLock({ $0.take(Self.partLimit) }) {
                do {
                    try await write(part, isLate: isLate)
                    if failures > 0 { log.notice("flight records are stored again", ["waiting": "\(counts.waiting)"]) }
                    failures = 0
                } catch {
                    queue.withLock { $0.giveBack(part) }
                    isLate = true
                    if failures == 0 { log.error("flight records cannot be stored: they are kept and tried again", ["error": "\(error)"]) }
                    failures = min(failures + 1, 6)
                    // A locked database is waited for by everybody who uses it: not too often.
                    // try?: a cancelled wait ends the loop.
                    guard (try? await Task.sleep(for: .seconds(min(30, 1 << (failures - 1))))) != nil else { break }
                }
            }
        }
        await writeRest()
    }

    private func writeRest() async {
        while let part = queue.withLock({ $0.take(Self.partLimit) }) {
            do {
                try await write(part, isLate: false)
            } catch {
                let left = part.records.count + counts.waiting
                return log.error("flight records are lost", ["count": "\(left)", "error": "\(error)"])
            }
        }
    }

    private func write(_ part: FlightQueue.Part, isLate: Bool) async throws {
        let records = store.flightRecords(in: OrganizationScope(part.place.organization, by: .system))
        let source: FlightRecords.Source = part.place.source == .sender ? .sender : .control
        let added: [StoredFlightRecord]
        do {
            added = try await records.add(part.records.map(\.stored), by: source, to: part.broadcast, of: part.place.sender)
        } catch StoreError.missing {
            return log.info("a flight record of no broadcast of its sender", ["device": "\(part.place.sender)"])
        }
        // Control's own were told when they were made.
        guard source == .sender || isLate else { return }
        let places = Set(added.map { [$0.run, Int64($0.number)] })
        let events = part.records.filter { $0.entry.kind != .sample && places.contains([$0.run, Int64($0.entry.number)]) }
        await tell(events, of: part.broadcast, in: part.place.organization)
    }

    /// Shows events to whoever watches.
    package func tell(_ records: [FlightRecord], of broadcast: BroadcastID, in organization: OrganizationID) async {
        guard !records.isEmpty else { return }
        await feed.publish(organization, topic: "events/\(broadcast)", encoding: records.map { BroadcastEvent($0) }, isState: false)
    }
}

extension FlightRecord {
    var stored: StoredFlightRecord {
        StoredFlightRecord(
            run: run, number: entry.number, at: Timestamp(unixMs: entry.atMs), isSample: entry.kind == .sample, text: Feed.json(self))
    }
}

extension BroadcastEvent {
    /// The last moment of the year 9999: a board's clock may say anything.
    private static let lastMs: Int64 = 253_402_300_799_999

    package init(_ record: FlightRecord) {
        let source: FlightRecords.Source = record.source == .sender ? .sender : .control
        let at = Timestamp(unixMs: record.entry.atMs)
        self.init(
            record, id: FlightPlace(at: at, source: source, run: record.run, number: record.entry.number).description,
            at: Timestamp(unixMs: min(max(record.entry.atMs, 0), Self.lastMs)).text)
    }
}
