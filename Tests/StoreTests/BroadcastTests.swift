import Crypto
import SQLite
@testable import Store
import Testing
import Units
import Wire

@Suite struct BroadcastTests {
    static let settings = BroadcastSettings(input: InputChoice(video: "test"), encoder: EncoderChoice(bitrate: .kilobits(2500)))

    static func start(_ fixture: Fixture, _ sender: Device, outputs: [NewOutput] = []) async throws -> Broadcast {
        try await fixture.store.broadcasts(in: fixture.scope).create(
            sender: sender.id, title: "Match", settings: settings, outputs: outputs)
    }

    @Test("a sender has one broadcast at a time; of two who start at once, one is told it is busy")
    func onePerSender() async throws {
        let fixture = try await Fixture()
        let sender = try await fixture.sender()
        let results = await withTaskGroup(of: Result<Broadcast, any Error>.self) { group in
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
        try await fixture.store.broadcasts(in: fixture.scope).end(made[0].id, reason: nil)
        _ = try await Self.start(fixture, sender)
    }

    @Test("its life: idle, starting, live, interrupted, ended, each with what was observed")
    func life() async throws {
        let fixture = try await Fixture()
        let broadcasts = fixture.store.broadcasts(in: fixture.scope)
        let made = try await Self.start(fixture, try await fixture.sender())
        #expect(made.state == .idle && made.wish == .live && made.revision == 1 && made.createdBy == fixture.owner.id)
        let moment = fixture.clock.now
        for state in [.starting(step: "lease"), .live, .degraded(reason: "one link"), .interrupted(since: moment)] as [BroadcastState] {
            fixture.clock.advance(.seconds(1))
            try await broadcasts.observe(made.id, state)
            #expect(try await broadcasts.find(made.id).state == state)
        }
        let live = try await broadcasts.find(made.id)
        #expect(live.liveAt == moment + .seconds(2) && live.stateSince == moment)
        try await broadcasts.wishEnd(made.id)
        try await broadcasts.wishEnd(made.id)
        #expect(try await broadcasts.find(made.id).wish == .ended)
        try await broadcasts.end(made.id, reason: "the sender did not come back")
        try await broadcasts.end(made.id, reason: "again")
        let ended = try await broadcasts.find(made.id)
        #expect(ended.state == .ended(reason: "the sender did not come back") && ended.endedAt == fixture.clock.now)
        await #expect(throws: StoreError.missing("running broadcast")) { try await broadcasts.observe(made.id, .live) }
        #expect(try await fixture.store.reconciliation.broadcasts().isEmpty)
    }

    @Test("the plan holds the sealed stream key while the broadcast lasts, and a change is a new revision")
    func plan() async throws {
        let fixture = try await Fixture()
        let broadcasts = fixture.store.broadcasts(in: fixture.scope)
        let made = try await Self.start(fixture, try await fixture.sender())
        #expect(try await broadcasts.plan(made.id) == nil)
        let receivers = [Endpoint(host: "192.0.2.9", port: 10_000), Endpoint(host: "2001:db8::9", port: 10_000)]
        try await broadcasts.setTransport(made.id, streamKey: Secret("a stream key"), receivers: receivers)
        var settings = Self.settings
        settings.encoder.bitrate = .kilobits(1000)
        #expect(try await broadcasts.change(made.id, settings).revision == 2)
        #expect(try await broadcasts.change(made.id, settings).revision == 2)
        let plan = try #require(try await broadcasts.plan(made.id))
        #expect(plan.revision == 2 && plan.encoder.bitrate == .kilobits(1000) && plan.transport.receivers == receivers)
        #expect(plan.transport.streamKey.secret == Secret("a stream key"))
        try await broadcasts.end(made.id, reason: nil)
        #expect(try await broadcasts.streamKey(made.id) == nil)
        #expect(try await broadcasts.plan(made.id) == nil)
    }

    @Test("settings out of range are refused with the field's name")
    func ranges() async throws {
        let fixture = try await Fixture()
        let sender = try await fixture.sender()
        let broken: [(inout BroadcastSettings) -> Void] = [
            { $0.bufferMs = 0 }, { $0.encoder.bitrate = .kilobits(1) }, { $0.encoder.width = 1 }, { $0.encoder.frameRate = 0 },
            { $0.grace = .seconds(-1) }, { $0.links = [] }, { $0.input.video = "" }, { $0.input.video = "a\nb" },
        ]
        for change in broken {
            var settings = Self.settings
            change(&settings)
            let changed = settings
            await #expect(throws: StoreError.self) {
                try await fixture.store.broadcasts(in: fixture.scope).create(sender: sender.id, title: "x", settings: changed, outputs: [])
            }
        }
    }

    @Test("outputs are added, prepared, observed and removed; their secrets end with the broadcast")
    func outputs() async throws {
        let fixture = try await Fixture()
        let broadcasts = fixture.store.broadcasts(in: fixture.scope)
        let endpoint = try #require(DestinationEndpoint.preset(.twitch))
        let destination = try await fixture.store.destinations(in: fixture.scope).create(name: "T", endpoint: endpoint, secret: Secret("k"))
        let made = try await Self.start(
            fixture, try await fixture.sender(), outputs: [NewOutput(destination: destination.id, name: "Twitch")])
        let first = try #require(try await broadcasts.outputs(of: made.id).first)
        #expect(first.state == .waiting && first.destination == destination.id)
        let second = try await broadcasts.addOutput(NewOutput(destination: nil, name: "file"), to: made.id)
        let spec = OutputSpec(id: second.id, target: .file(FileTarget(name: "match.ts")))
        try await broadcasts.setSpec(spec, of: made.id)
        #expect(try await broadcasts.specs(of: made.id) == [spec])
        try await broadcasts.observeOutput(first.id, of: made.id, .retrying, reason: "already publishing")
        let observed = try await broadcasts.outputs(of: made.id)
        #expect(observed.first { $0.id == first.id }?.reason == "already publishing")
        try await broadcasts.removeOutput(first.id, of: made.id)
        #expect(try await broadcasts.outputs(of: made.id).map(\.id) == [second.id])
        try await broadcasts.end(made.id, reason: nil)
        #expect(try await broadcasts.specs(of: made.id).isEmpty)
        await #expect(throws: StoreError.missing("running broadcast")) {
            _ = try await broadcasts.addOutput(NewOutput(destination: nil, name: "late"), to: made.id)
        }
    }

    @Test("a port of a pool host belongs to one open lease")
    func leases() async throws {
        let fixture = try await Fixture()
        let broadcasts = fixture.store.broadcasts(in: fixture.scope)
        let pool = try await fixture.pool()
        let first = try await Self.start(fixture, try await fixture.sender("a"))
        let second = try await Self.start(fixture, try await fixture.sender("b"))
        let lease = try await broadcasts.lease(first.id, on: pool.id)
        await #expect(throws: StoreError.taken("lease")) { _ = try await broadcasts.lease(first.id, on: pool.id) }
        try await broadcasts.granted(lease.id, port: 10_000)
        let other = try await broadcasts.lease(second.id, on: pool.id)
        await #expect(throws: StoreError.taken("port")) { try await broadcasts.granted(other.id, port: 10_000) }
        let open = try await fixture.store.reconciliation.leases(on: pool.id)
        #expect(Set(open.map(\.id)) == [lease.id, other.id])
        try await broadcasts.end(first.id, reason: nil)
        try await broadcasts.granted(other.id, port: 10_000)
        #expect(try await fixture.store.reconciliation.lease(lease.id, on: pool.id)?.releasedAt != nil)
        try await broadcasts.release(other.id)
        try await broadcasts.release(other.id)
        #expect(try await broadcasts.lease(of: second.id) == nil)
    }

    @Test("a configuration gets the next version, and the sender's own report says which it runs")
    func configurations() async throws {
        let fixture = try await Fixture()
        let sender = try await fixture.sender()
        let configurations = fixture.store.configurations(in: fixture.scope)
        #expect(try await configurations.newest(of: sender.id) == nil)
        #expect(try await configurations.save("a = 1", for: sender.id).version == 1)
        #expect(try await configurations.save("a = 2", for: sender.id).version == 2)
        #expect(try await configurations.newest(of: sender.id)?.toml == "a = 2")
        #expect(try await configurations.history(of: sender.id).map(\.version) == [2, 1])
        try await configurations.applied(1, by: sender.id)
        #expect(try await fixture.store.devices(in: fixture.scope).find(sender.id).appliedConfiguration == 1)
        await #expect(throws: StoreError.self) {
            _ = try await configurations.save(String(repeating: "#", count: Configurations.maximumBytes + 1), for: sender.id)
        }
    }
}
