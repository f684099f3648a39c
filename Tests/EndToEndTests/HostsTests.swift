import Foundation
import Lab
import Posix
import Support
import Testing
import Units
import Wire

/// A pool of two hosts: this machine, and another one with a network of its own.
@Suite(.serialized, .unlessStolen)
struct HostsTests {
    private static let outbound = ["127.0.0.0/8", "10.0.0.0/8"]

    @Test(
        "a second host joins; a drained one takes nothing new; a dead one's streams go on elsewhere within 5 s, and are carried once",
        .row("CTL-19"))
    func twoHosts() async throws {
        var settings = Installation.Settings()
        (settings.capacity, settings.outbound) = (2, Self.outbound)
        try await inStudio(settings) { studio in
            let network = try HostNetwork(beside: studio.network, links: 0..<3)
            defer { network.remove() }
            let pool = try await Pool(studio, network)
            let (one, two) = try await spread(pool)
            try await slow(pool, two)
            try await restarts(pool, one, two)
            try await networkGoes(pool, one, two)
            try await dies(pool, one, two)
            async let stopped: Void = studio.stop(one)
            try await studio.stop(two)
            try await stopped
            try await eventually(within: .seconds(5), "no receiver is left anywhere") { studio.receivers.isEmpty }
        }
    }

    /// The two hosts, as the owner sees them.
    private struct Pool {
        let studio: Studio
        let network: HostNetwork
        let first: DeviceID
        let second: DeviceID
        let boards: [DeviceID]

        init(_ studio: Studio, _ network: HostNetwork) async throws {
            async let board = studio.secondSender().id
            try await studio.installation.addHost(
                "far", address: network.address, capacity: 2, outbound: HostsTests.outbound, inside: network.host.command([]))
            let hosts = try await eventually(within: .seconds(5), "both hosts are online") {
                let list: ListView<HostView> = try await studio.owner.call(.get, "/pool")
                return list.items.filter(\.online).count == 2 ? list.items : nil
            }
            #expect(hosts.allSatisfy { $0.capacity == 2 && $0.hasRoom && !$0.draining && $0.allStreams == 0 })
            self.studio = studio
            self.network = network
            first = try #require(hosts.first { $0.name == "pool" }?.id)
            second = try #require(hosts.first { $0.name == "far" }?.id)
            boards = [try await studio.sender().id, try await board]
        }

        func view(_ host: DeviceID) async throws -> HostView {
            let list: ListView<HostView> = try await studio.owner.call(.get, "/pool")
            return try #require(list.items.first { $0.id == host })
        }

        /// On the other machine, or on this one.
        func receivers(onSecond: Bool) -> [Int32] { studio.receivers.filter { network.holds($0) == onSecond } }

        func host(of id: BroadcastID) throws -> DeviceID? { try studio.owner.broadcast(id)?.receiver?.host }

        /// Nothing comes in or leaves the other machine, and nobody is told.
        func setCut(_ isCut: Bool) async throws {
            let chains = ["prerouting", "output"].map { "chain \($0) {\ntype filter hook \($0) priority -300;\ndrop\n}" }
            let rules = isCut ? "table ip strata_test_cut {\n\(chains.joined(separator: "\n"))\n}\n" : "delete table ip strata_test_cut\n"
            let line = network.host.command(["nft", rules])
            _ = try await runTool(line[0], Array(line.dropFirst()))
        }

        func start(_ name: String, _ sender: DeviceID) async throws -> BroadcastID {
            // A platform that ends sessions without media, as most do.
            let url = "rtmp://\(studio.network.cloudAddress):\(studio.nginx.rtmpPort)/dropping"
            let platform = try await studio.destination(name, url: url, secret: name)
            return try await studio.start(StartRequest(sender: sender, destinations: [platform], encoder: Studio.small()))
        }
    }

    /// Which host takes a stream is told by what is drained: this machine's load is the same for both.
    private func spread(_ pool: Pool) async throws -> (BroadcastID, BroadcastID) {
        let studio = pool.studio
        let drained: HostView = try await studio.installation.provision(["pool", "drain", pool.second.text])
        #expect(drained.draining && !drained.hasRoom && drained.online)
        let one = try await pool.start("one", pool.boards[0])
        try await eventually(within: .seconds(5), "the first has it") { try pool.host(of: one) == pool.first }

        let _: HostView = try await studio.owner.call(.patch, "/pool/\(pool.second)", ChangeHostRequest(draining: false))
        let left: HostView = try await studio.owner.call(.patch, "/pool/\(pool.first)", ChangeHostRequest(draining: true))
        #expect(left.draining && left.allStreams == 1)
        let two = try await pool.start("two", pool.boards[1])
        for id in [one, two] { try await studio.owner.wait(id, for: ["live"]) }
        #expect(try pool.host(of: two) == pool.second && pool.receivers(onSecond: true).count == 1)
        #expect(try pool.host(of: one) == pool.first && pool.receivers(onSecond: false).count == 1)
        return (one, two)
    }

    /// A pool that is told to stop leaves its receivers to the next; that the host drains is known to control, after its own restart too. The
    /// other one goes on just then.
    private func restarts(_ pool: Pool, _ one: BroadcastID, _ two: BroadcastID) async throws {
        let (studio, before) = (pool.studio, Set(pool.studio.receivers))
        try studio.installation.program("far").signal(SIGCONT)
        try await studio.installation.program("pool").stop()
        try await studio.installation.program("control").kill9()
        studio.owner.forget()
        try await studio.installation.startControl()
        try await studio.installation.startPool()
        for id in [one, two] { try await studio.owner.wait(id, for: ["live"], within: .seconds(10)) }
        #expect(Set(studio.receivers) == before)
        #expect(try pool.host(of: one) == pool.first && pool.host(of: two) == pool.second)
        try await eventually(within: .seconds(5), "it drains still, and has one left") {
            let view = try await pool.view(pool.first)
            return view.draining && view.online && view.allStreams == 1
        }
        let back: HostView = try await studio.owner.call(.patch, "/pool/\(pool.first)", ChangeHostRequest(draining: false))
        #expect(!back.draining && back.hasRoom)
    }

    /// A pool that answers nobody is shown; its stream goes on where it is, though the other host would take it.
    private func slow(_ pool: Pool, _ id: BroadcastID) async throws {
        let other: HostView = try await pool.studio.owner.call(.patch, "/pool/\(pool.first)", ChangeHostRequest(draining: false))
        #expect(other.hasRoom)
        let before = Set(pool.studio.receivers)
        try pool.studio.installation.program("far").signal(SIGSTOP)
        try await eventually(within: .seconds(6), "its host is said to be away") {
            let view = try pool.studio.owner.broadcast(id)
            return view?.state == "degraded" && view?.reason?.contains("host") == true
        }
        try await always(for: .seconds(2), "it stays where it is") { try pool.host(of: id) == pool.second }
        #expect(Set(pool.studio.receivers) == before)
        let _: HostView = try await pool.studio.owner.call(.patch, "/pool/\(pool.first)", ChangeHostRequest(draining: true))
    }

    /// The second machine has no network any more: its receiver lives, and believes to have the stream.
    private func networkGoes(_ pool: Pool, _ one: BroadcastID, _ two: BroadcastID) async throws {
        let studio = pool.studio
        let witness = Witness(studio.owner, two)
        let cut = Instant.now
        try await pool.setCut(true)
        try await eventually(within: .seconds(8), "the stream is on this machine") { try pool.host(of: two) == pool.first }
        measured("a host without network: its stream has another after", Instant.now - cut)
        try await eventually(within: .seconds(15), "it is live there") { try studio.owner.broadcast(two)?.state == "live" }
        measured("a host without network: live elsewhere after", Instant.now - cut)
        measured("states", "\(witness.seen)")
        // By its silence: a second more than what a kill takes.
        expectShown(witness, since: cut, within: .seconds(5))
        let sessions = try studio.nginx.recordings("two").count
        try await pool.setCut(false)
        try await eventually(within: .seconds(20), "its leftovers end") { pool.receivers(onSecond: true).isEmpty }
        try await eventually(within: .seconds(5), "it is empty") { try await pool.view(pool.second).allStreams == 0 }
        #expect(try pool.host(of: two) == pool.first && studio.owner.broadcast(one)?.state == "live")
        #expect(try studio.nginx.recordings("two").count == sessions, "the platform had it from both")
    }

    /// This machine's pool and all of its receivers are killed.
    private func dies(_ pool: Pool, _ one: BroadcastID, _ two: BroadcastID) async throws {
        let studio = pool.studio
        let sessions = try studio.nginx.recordings("one").count
        let witness = Witness(studio.owner, one)
        let killed = Instant.now
        try await studio.installation.program("pool").kill9()
        for receiver in pool.receivers(onSecond: false) { kill(receiver, SIGKILL) }
        try await eventually(within: .seconds(10), "both are live on the other machine") {
            try [one, two].allSatisfy { try pool.host(of: $0) == pool.second && studio.owner.broadcast($0)?.state == "live" }
        }
        let took = Instant.now - killed
        measured("a host that died: both streams are live elsewhere after", took)
        measured("states", "\(witness.seen)")
        expectShown(witness, since: killed, within: .seconds(3))
        #expect(took < .seconds(5))
        try await eventually(within: .seconds(5), "it is written down") {
            let events: BroadcastEvents = try await studio.owner.call(.get, "/broadcasts/\(one)/events")
            // The newest first.
            let hosts = events.items.filter { $0.source == .control && $0.kind == .host }.prefix(2)
            return hosts.map(\.state) == ["chosen", "lost"] && hosts.map(\.subject) == [pool.second.text, pool.first.text]
        }
        let there = Set(pool.receivers(onSecond: true))
        async let recorded: Void = studio.record(.seconds(1), of: "one", by: studio.nginx)
        try await studio.installation.startPool()
        try await recorded
        try await eventually(within: .seconds(5), "what it found of its own is over") { pool.receivers(onSecond: false).isEmpty }
        try await always(for: .seconds(1), "nothing is carried twice") {
            Set(studio.receivers) == there && pool.receivers(onSecond: false).isEmpty
        }
        for id in [one, two] { #expect(try pool.host(of: id) == pool.second && studio.owner.broadcast(id)?.state == "live") }
        #expect(try studio.nginx.recordings("one").count == sessions + 1)
    }

    /// Something is said to be missing in time.
    private func expectShown(_ witness: Witness, since start: Instant, within limit: Duration) {
        let first = witness.seen.first { $0.at > start && $0.state != "live" }
        measured("it is shown after", first.map { $0.at - start })
        #expect(first.map { $0.at - start < limit } == true, "\(witness.seen)")
    }
}
