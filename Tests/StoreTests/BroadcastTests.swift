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
