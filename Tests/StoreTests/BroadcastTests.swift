import Crypto
import Posix
@testable import Store
import Testing
import Units

@Suite struct BroadcastTests {
    /// Starts one with the key "k" and returns its id.
    static func start(_ fixture: Fixture, _ sender: Device) async throws -> BroadcastID {
        var random = SystemRandomNumberGenerator()
        let id = BroadcastID(ULID(unixMs: fixture.clock.now.unixMs, random: &random))
        try await fixture.store.broadcasts(in: fixture.scope).create(
            id, sender: sender.id, state: "starting", document: "{}", streamKey: Secret("k"))
        return id
    }

    @Test("a sender has one broadcast at a time; of two who start at once, one is told it is busy")
    func onePerSender() async throws {
        let fixture = try await Fixture()
        let sender = try await fixture.sender()
        let results = await withTaskGroup(of: Result<BroadcastID, any Error>.self) { group in
            for _ in 0..<2 {
                group.addTask {
                    do { return .success(try await Self.start(fixture, sender)) } catch { return .failure(error) }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        let made = results.compactMap { try? $0.get() }
        #expect(made.count == 1)
        for case .failure(let error) in results { #expect(error as? StoreError == .senderBusy) }
        try await fixture.store.broadcasts(in: fixture.scope).save(made[0], state: "ended", document: "{}", hasEnded: true)
        _ = try await Self.start(fixture, sender)
    }

    @Test("the document is what was last saved, and with the end the key is gone")
    func life() async throws {
        let fixture = try await Fixture()
        let broadcasts = fixture.store.broadcasts(in: fixture.scope)
        let id = try await Self.start(fixture, try await fixture.sender())
        #expect(try await fixture.store.unfinishedBroadcasts().map(\.id) == [id])
        try await broadcasts.save(id, state: "live", document: "{\"port\":5000}", hasEnded: false)
        #expect(try await broadcasts.find(id)?.document == "{\"port\":5000}")
        #expect(try await broadcasts.streamKey(of: id).revealed == "k")
        fixture.clock.advance(.seconds(1))
        try await broadcasts.save(id, state: "ended", document: "{}", hasEnded: true)
        #expect(try await broadcasts.find(id)?.endedAt == fixture.clock.now)
        await #expect(throws: StoreError.missing("running broadcast")) { _ = try await broadcasts.streamKey(of: id) }
        await #expect(throws: StoreError.missing("running broadcast")) {
            try await broadcasts.save(id, state: "live", document: "{}", hasEnded: false)
        }
        #expect(try await fixture.store.unfinishedBroadcasts().isEmpty)
    }

    @Test("a rehearsal is listed by itself, takes the sender's one place, and an hour has so many")
    func rehearsals() async throws {
        var quotas = Quotas()
        (quotas[.rehearsals], quotas[.broadcasts]) = (2, 1)
        let fixture = try await Fixture(quotas: quotas)
        let (sender, broadcasts) = (try await fixture.sender(), fixture.store.broadcasts(in: fixture.scope))
        func rehearse() async throws -> BroadcastID {
            var random = SystemRandomNumberGenerator()
            let id = BroadcastID(ULID(unixMs: fixture.clock.now.unixMs, random: &random))
            try await broadcasts.create(id, .rehearsal, sender: sender.id, state: "starting", document: "{}", streamKey: Secret("k"))
            return id
        }
        let first = try await rehearse()
        await #expect(throws: StoreError.senderBusy) { _ = try await Self.start(fixture, sender) }
        try await broadcasts.save(first, .rehearsal, state: "ended", document: "{}", hasEnded: true)
        // One that is over, or of the other kind, takes no place of the broadcasts.
        let broadcast = try await Self.start(fixture, sender)
        #expect(try await broadcasts.newest().map(\.id) == [broadcast])
        #expect(try await broadcasts.newest(9, .rehearsal).map(\.id) == [first])
        try await broadcasts.save(broadcast, state: "ended", document: "{}", hasEnded: true)
        try await broadcasts.save(try await rehearse(), .rehearsal, state: "ended", document: "{}", hasEnded: true)
        await #expect(throws: StoreError.quota(.rehearsals, limit: 2)) { _ = try await rehearse() }
        fixture.clock.advance(.seconds(3601))
        _ = try await rehearse()
        let noted = try await fixture.store.audit(in: fixture.scope).entries().map(\.action.rawValue).filter { $0.hasSuffix("ed") }
        #expect(noted.count { $0 == "rehearsal.started" } == 3 && noted.count { $0 == "rehearsal.ended" } == 2)
        #expect(noted.count { $0 == "broadcast.started" } == 1 && noted.count { $0 == "broadcast.ended" } == 1)
    }

    @Test("a revoked sender starts nothing")
    func revoked() async throws {
        let fixture = try await Fixture()
        let sender = try await fixture.sender()
        try await fixture.store.devices(in: fixture.scope).revoke(sender.id)
        await #expect(throws: StoreError.missing("sender")) { _ = try await Self.start(fixture, sender) }
    }

    @Test("the stream key lies sealed in the file")
    func sealed() async throws {
        let fixture = try await Fixture()
        let id = try await Self.start(fixture, try await fixture.sender())
        let stored: [UInt8]? = try await fixture.store.read { transaction in
            let column: [UInt8]?? = try transaction.column("stream_key", of: .broadcasts, in: fixture.scope, where: "id = \(id)")
            return column ?? nil
        }
        let bytes = try #require(stored)
        #expect(bytes.count > 16 && !bytes.elementsEqual("k".utf8))
    }
}
