import Crypto
import Fleet
import Logging
import Store
import Testing
import Units
import Web
import Wire

@testable import Broadcasts

/// A destination that somebody changes while an output to it is being planned: the director does not know of the output yet.
@Suite("An output whose destination changed unseen")
struct FollowTests {
    private static func id<Kind>(_ letter: String) -> ID<Kind> { ID("0000000000000000000000000" + letter)! }

    @Test("is called by its new name, and holds its new port and not the old one")
    func follows() async throws {
        let store = try await ControlStore.open(.memory, keyring: Keyring(), platformVersion: "1.0-test")
        let user = try NewUser(email: "owner@first.example", displayName: "Somebody", passwordHash: Secret("$argon2id$test"))
        let (organization, _) = try await store.organizations.create(name: "First", slug: "first", owner: user, by: .operator)
        let destinations = store.destinations(in: OrganizationScope(organization.id, by: .system))
        let listener = DestinationEndpoint.srt(.init(mode: .listener, host: "", port: 9001))
        let moved = try await destinations.create(name: "moved", endpoint: listener, secret: Secret("long enough"))
        let same = try await destinations.create(
            name: "same", endpoint: .rtmp(.init(tls: false, host: "a.example", port: 1935, application: "live")), secret: Secret("show"))
        let log = Log("broadcasts", threshold: .error)
        let feed = Feed()
        let fleet = Roster(store: store, feed: feed, log: log)
        let parts = LiveBroadcast.Parts(
            store: BroadcastStore(store: store), fleet: fleet, feed: feed,
            outputs: OutputPlanner(store: store, lookups: Lookups(OutboundGuard())), hosts: HostChoice(fleet: fleet), log: log)
        let token = Secret(Hex.encode(randomBytes(16)))
        _ = try await store.enrollmentTokens(in: OrganizationScope(organization.id, by: .system)).create(
            token, label: "board", lifetime: .seconds(3600))
        let sender = try await store.identities.redeem(token, publicKey: randomBytes(32), name: "board", kind: .sender)
        // Planned before the change: by the name and the port of then.
        let machine = BroadcastMachine(
            id: Self.id("B"), organization: organization.id, sender: sender.id, lease: Self.id("K"),
            media: MediaChoice(
                input: InputChoice(video: "test"), encoder: EncoderChoice(bitrate: .kilobits(2500)), bufferMs: 1000, links: nil),
            outputs: [
                PlannedOutput(
                    id: Self.id("1"), destination: moved.id, name: "before", listener: ListenerPlace(address: "", port: 9000)),
                PlannedOutput(id: Self.id("2"), destination: same.id, name: "same"),
                PlannedOutput(id: Self.id("3"), destination: Self.id("X"), name: "gone"),
            ], grace: .seconds(60))
        try await parts.store.create(machine, streamKey: token, by: .system)
        let broadcast = LiveBroadcast(machine, createdAtMs: 0, endedAtMs: nil, origin: .resumed, parts: parts)
        let run = Task { await broadcast.run() }
        defer { run.cancel() }
        await broadcast.followDestinations()
        _ = await broadcast.settledView()
        let outputs = await broadcast.machine.outputs
        #expect(outputs.map(\.name) == ["moved", "same", "gone"])
        #expect(outputs[0].heldPlaces == [ListenerPlace(address: "", port: 9001)])
        #expect(await broadcast.machine.editions == [outputs[0].id: 1], "what has not changed is not given again")
    }
}
