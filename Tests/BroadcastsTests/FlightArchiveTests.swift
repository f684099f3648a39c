import Crypto
import Foundation
import Logging
import Posix
import SQLite
import Store
import Support
import Testing
import Units
import Wire

@testable import Fleet

/// What flight recorders tell while it cannot be stored.
@Suite("The flight archive")
struct FlightArchiveTests {
    private static func id<Kind>(_ letter: String) -> ID<Kind> { ID("0000000000000000000000000" + letter)! }

    private static func event(_ number: Int, by source: FlightRecord.Source = .sender) -> FlightRecord {
        FlightRecord(source: source, run: 1, entry: FlightEntry(number: number, atMs: Int64(number), kind: .linkLive, link: "wwan0"))
    }

    private static func sample(_ number: Int) -> FlightRecord {
        let sample = FlightSample(links: [], bond: nil, pipeline: nil)
        return FlightRecord(source: .sender, run: 1, entry: FlightEntry(number: number, atMs: Int64(number), kind: .sample, sample: sample))
    }

    /// A store on a disk that fails when it is told to, with a running broadcast.
    private struct Bench {
        let folder = try! TemporaryFolder()
        let disk = FailingDisk()
        let feed = Feed()
        let store: ControlStore
        let archive: FlightArchive
        let organization: OrganizationID
        let sender: DeviceID
        let broadcast: BroadcastID = FlightArchiveTests.id("B")
        let lines = Guarded<[String]>([])

        init() async throws {
            store = try await ControlStore.open(
                .file(folder["strata.db"]), keyring: Keyring(), platformVersion: "1.0-test", on: disk.disk)
            let user = try NewUser(email: "owner@first.example", displayName: "Somebody", passwordHash: Secret("$argon2id$test"))
            organization = try await store.organizations.create(name: "First", slug: "first", owner: user, by: .operator).0.id
            let scope = OrganizationScope(organization, by: .system)
            _ = try await store.enrollmentTokens(in: scope).create(Secret("token"), label: "board", lifetime: .seconds(3600))
            sender = try await store.identities.redeem(Secret("token"), publicKey: randomBytes(32), name: "board", kind: .sender).id
            try await store.broadcasts(in: scope).create(
                broadcast, sender: sender, state: "live", document: "{}", streamKey: Secret("key"))
            let lines = lines
            archive = FlightArchive(
                store: store, feed: feed, log: Log("fleet", threshold: .notice, write: { line in lines.withLock { $0.append(line) } }))
        }

        func keep(_ records: [FlightRecord], of broadcast: BroadcastID? = nil, _ sender: DeviceID? = nil) {
            archive.keep(records, of: broadcast ?? self.broadcast, sender ?? self.sender, in: organization)
        }

        var stored: [Int] {
            get async throws {
                try await store.flightRecords(in: OrganizationScope(organization, by: .system)).page(broadcast, after: nil, limit: 20_000)
                    .map(\.place.number)
            }
        }

        func said(_ text: String) -> Bool { lines.withLock { $0.contains { $0.contains(text) } } }
    }

    @Test("what a full disk does not take is stored, in its order and once, when there is room; nobody has waited")
    func later() async throws {
        let bench = try await Bench()
        let run = Task { await bench.archive.run() }
        defer { run.cancel() }
        bench.keep([Self.event(0), Self.sample(1)])
        try await eventually(within: .seconds(10), "the first are stored") { try await bench.stored == [0, 1] }
        // What another device says of this broadcast, or of none, holds up nobody.
        bench.keep([Self.event(50)], of: bench.broadcast, Self.id("X"))
        bench.keep([Self.event(51)], of: Self.id("Y"))
        bench.disk.fail(0..<Int.max)
        for number in 2..<299 { bench.keep([number % 10 == 0 ? Self.event(number) : Self.sample(number)]) }
        bench.keep([Self.event(400, by: .control)])
        try await eventually(within: .seconds(10), "an attempt has failed") { bench.said("flight records cannot be stored") }
        bench.keep([Self.event(299), Self.event(300)])
        bench.disk.fail(0..<0)
        try await eventually(within: .seconds(20), "all is stored") { try await bench.stored == Array(0...300) + [400] }
        #expect(bench.archive.counts.waiting == 0 && bench.archive.counts.dropped == 0 && bench.said("stored again"))
        // Whoever watches has had each event of the sender's, once; what control told when it happened was told again, as it came late.
        try await eventually(within: .seconds(10), "all is told") { try await told(bench).count == 33 }
        #expect(try await told(bench).sorted() == [0] + Array(stride(from: 10, through: 290, by: 10)) + [299, 300, 400])
    }

    /// The numbers of the events that the feed has told.
    private func told(_ bench: Bench) async throws -> [Int] {
        var told: [Int] = []
        guard case .picture(let first)? = await bench.feed.next(of: bench.organization, after: nil) else { throw SupportFailure("no feed") }
        for last in max(first - 512, 0)..<first {
            guard case .changes(let texts, _)? = await bench.feed.next(of: bench.organization, after: last) else { continue }
            let message = try #require(try JSONSerialization.jsonObject(with: Data(texts[0].text.utf8)) as? [String: Any])
            #expect(message["topic"] as? String == "events/\(bench.broadcast)")
            let ids = (message["body"] as? [[String: Any]] ?? []).compactMap { $0["id"] as? String }
            told += ids.compactMap { FlightPlace($0)?.number }
        }
        return told
    }

    @Test("when control stops, what waits is stored; where that fails the log says how much is lost")
    func stopping() async throws {
        for hasRoom in [true, false] {
            let bench = try await Bench()
            bench.disk.fail(0..<Int.max)
            let run = Task { await bench.archive.run() }
            bench.keep((0..<250).map { Self.event($0) })
            try await eventually(within: .seconds(10), "an attempt has failed") { bench.said("flight records cannot be stored") }
            if hasRoom { bench.disk.fail(0..<0) }
            run.cancel()
            await run.value
            if hasRoom {
                #expect(try await bench.stored == Array(0..<250))
            } else {
                #expect(bench.said("flight records are lost") && bench.said("250"))
            }
        }
    }

    @Test("so much of each sender is kept and so much in all, samples less than events; others have their room")
    func bounds() {
        var queue = FlightQueue()
        func place(_ letter: String) -> FlightQueue.Place {
            FlightQueue.Place(organization: Self.id("A"), sender: Self.id(letter), source: .sender)
        }
        let (sample, event) = (FlightQueue.cost(of: Self.sample(0)), FlightQueue.cost(of: Self.event(0)))
        queue.add((0..<10_000).map { Self.sample($0) }, of: Self.id("B"), at: place("1"))
        let samples = FlightQueue.shareLimit / 4 * 3 / sample
        #expect(queue.waiting == samples && queue.dropped == 10_000 - samples)
        queue.add((0..<10_000).map { Self.event(20_000 + $0) }, of: Self.id("B"), at: place("1"))
        let events = (FlightQueue.shareLimit - samples * sample) / event
        #expect(queue.waiting == samples + events)
        queue.add([Self.event(1)], of: Self.id("C"), at: place("2"))
        #expect(queue.waiting == samples + events + 1)
        // By turns; what could not be stored comes again, first of its own.
        let first = queue.take(100), second = queue.take(100)
        #expect(first?.records.map(\.entry.number) == Array(0..<100) && second?.broadcast == Self.id("C"))
        if let first { queue.giveBack(first) }
        #expect(queue.take(50)?.records.map(\.entry.number) == Array(0..<50))
        while queue.take(1000) != nil {}
        #expect(queue.waiting == 0)
        // And it is all there again.
        queue.add((0..<10_000).map { Self.sample($0) }, of: Self.id("B"), at: place("1"))
        #expect(queue.waiting == samples)
        // A board that invents broadcasts has no more of it.
        queue.add([Self.sample(1)], of: Self.id("D"), at: place("1"))
        #expect(queue.waiting == samples)
    }
}
