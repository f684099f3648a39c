import Configuration
import Crypto
package import Fleet
package import Logging
import Posix
package import Store
package import Units
package import Web
package import Wire

/// All broadcasts that are not over: starts, changes and stops them, and passes them what the devices report.
package actor BroadcastDirector {
    let parts: LiveBroadcast.Parts
    var live: [BroadcastID: LiveBroadcast] = [:]
    var runs: [BroadcastID: Task<Void, Never>] = [:]
    let quotas: Quotas
    var claims = DestinationClaims()
    /// Destinations that are just being tried.
    var trials: Set<DestinationID> = []
    /// How many starts of each sender are under way: no rehearsal comes before them.
    var starts: [DeviceID: Int] = [:]
    /// Rehearsals that are just being stored, by their senders.
    var beginnings: [DeviceID: Task<Void, any Error>] = [:]
    /// What was running is taken up.
    private(set) var isComplete = false

    package enum Failure: Error, Sendable, Hashable {
        case noSuchSender, noSuchBroadcast, noSuchDestination(DestinationID), noSuchOutput, isOver
        case senderOffline
        /// The sender has a broadcast already.
        case busy(BroadcastID)
        case noSuchRehearsal
        /// The sender has a rehearsal already.
        case rehearsing
        /// A broadcast of the sender is just being started.
        case isStarting
        /// A start that names a destination twice.
        case twice(DestinationID, name: String)
        /// The broadcast has an output to this destination.
        case isOutput(DestinationID, name: String)
        /// An output cannot be made: its address is refused, or cannot be resolved.
        case unfit(name: String, reason: String)
        /// An SRT listener whose port is not to be had on the receiver's host; the request's field that asks for it.
        case held(field: String, name: String, HeldPorts.Holder)
        /// A destination that is just being made another kind: what it can carry is known in a moment.
        case isChanging(DestinationID)
        /// A destination that broadcasts go to; who they are, in words.
        case inUse(name: String, by: [String])
        /// A destination that cannot be tried now.
        case untried(reason: String)
        case unsupported(String)
        case refused(step: String?, reason: String)
        /// As many changes of the broadcast wait for the sender as may.
        case tooManyChanges(limit: Int)
        /// The sender did not answer in time; what it does is shown when it is known.
        case unknown
    }

    /// - Parameters:
    ///   - rooms: makes passes for outputs into rooms; nil where there are none.
    ///   - place: where the files of recordings go that begin from here on.
    package init(
        store: ControlStore, fleet: Roster, feed: Feed, lookups: Lookups, rooms: RoomPassMaker? = nil, place: RecordingPlace = .disk,
        log: Log
    ) {
        quotas = store.quotas
        parts = LiveBroadcast.Parts(
            store: BroadcastStore(store: store, place: place), fleet: fleet, feed: feed,
            outputs: OutputPlanner(store: store, lookups: lookups, rooms: rooms),
            hosts: HostChoice(fleet: fleet), log: log.part("broadcasts"))
    }

    // MARK: Running

    /// Takes up every broadcast that was not over, then passes on what the devices do, until cancelled.
    package func run() async throws {
        for record in try await parts.store.unfinished() {
            if let host = record.machine.host { await parts.hosts.keep(record.machine.id, on: host) }
            await begin(record.machine, createdAtMs: record.createdAtMs, origin: .resumed)
        }
        isComplete = true
        // Once all of them are known: each read lets others in.
        for one in live.values { await one.followDestinations() }
        for await event in parts.fleet.events { await take(event) }
    }

    func begin(_ machine: BroadcastMachine, createdAtMs: Int64, origin: LiveBroadcast.Origin) async {
        let broadcast = LiveBroadcast(machine, createdAtMs: createdAtMs, endedAtMs: nil, origin: origin, parts: parts)
        live[machine.id] = broadcast
        runs[machine.id] = Task {
            await broadcast.run()
            await finished(broadcast.id)
        }
        // What it had shown went with the control before.
        if origin == .resumed, broadcast.isRehearsal { broadcast.post(.rehearsalOver(.restarted)) }
        broadcast.post(.resumed)
        if await parts.fleet.isOnline(machine.sender) {
            broadcast.post(.senderConnected(await parts.fleet.hello(of: machine.sender)?.sending))
        }
    }

    private func take(_ event: FleetEvent) async {
        switch event {
        case .senderConnected(let device, let hello): await senderConnected(device, hello)
        case .senderDisconnected(let device): for one in broadcasts(of: device) { one.post(.senderDisconnected) }
        case .sender(let device, .sending(let report)):
            // A board speaks only for its own broadcast (THREATS 3).
            if let one = live[report.broadcast], one.sender == device {
                one.post(.sending(report))
            } else if report.state != .stopped {
                end(report.broadcast, on: device)
            }
        case .sender: break
        case .senderSampled(let device, let isAnswered):
            if !isAnswered, !broadcasts(of: device).isEmpty { await parts.fleet.hurry(device) }
            for one in broadcasts(of: device) { one.post(.sampled(isAnswered: isAnswered)) }
        case .senderAlarmed(let device, let alarms): for one in broadcasts(of: device) { one.post(.alarmed(alarms)) }
        case .hostConnected(let device, let hello): await hostConnected(device, hello)
        case .hostDisconnected(let device):
            for one in live.values {
                one.post(.hostDisconnected(device))
                if await one.machine.host == device { await parts.fleet.hurry(one.sender) }
            }
        case .host(let device, .report(let report)): await reported(report, by: device)
        case .host(let device, .thumbnail(let thumbnail)): await pictured(thumbnail, by: device)
        case .host(let device, .released(let lease)): await released(lease.lease, by: device)
        case .host: break
        case .revoked(let device): await revoked(device)
        }
    }

    private func revoked(_ device: DeviceID) async {
        for one in broadcasts(of: device) { one.post(.stopRequested(.revoked)) }
        for one in live.values where await one.machine.host == device { one.post(.stopRequested(.hostRevoked)) }
    }

    /// With a rehearsal, of which there is none beside a broadcast.
    func broadcasts(of sender: DeviceID) -> [LiveBroadcast] { live.values.filter { $0.sender == sender } }

    private func senderConnected(_ device: DeviceID, _ hello: AgentHello) async {
        let own = broadcasts(of: device)
        for one in own { one.post(.senderConnected(hello.sending)) }
        // It sends something that is over, or that was never its own.
        if let sending = hello.sending, !own.contains(where: { $0.id == sending.broadcast }) { end(sending.broadcast, on: device) }
    }

    /// What a board sends though it is over.
    private func end(_ broadcast: BroadcastID, on device: DeviceID) {
        let fleet = parts.fleet
        Task { _ = await fleet.order(AgentOrder.stop(BroadcastReference(broadcast: broadcast)), to: device) }
    }

    private func hostConnected(_ device: DeviceID, _ hello: PoolHello) async {
        for one in live.values {
            let lease = await one.machine.lease
            one.post(.hostConnected(device, hello.leases.first { $0.lease == lease }))
        }
        let fleet = parts.fleet
        for lease in hello.leases {
            // A start that it did not answer, or a stream that it was lost with, has gone to another host meanwhile.
            if let one = live[lease.broadcast], await one.machine.isOn(device, lease.lease) { continue }
            Task { _ = await fleet.order(PoolOrder.release(LeaseReference(lease: lease.lease)), to: device) }
        }
    }

    private func reported(_ report: StreamReport, by device: DeviceID) async {
        // A host speaks only for the streams that are on it.
        guard let one = live[report.broadcast], await one.machine.isOn(device, report.lease) else { return }
        one.post(.report(report))
    }

    private func pictured(_ thumbnail: StreamThumbnail, by device: DeviceID) async {
        guard let one = live[thumbnail.broadcast], await one.machine.isOn(device, thumbnail.lease) else { return }
        await one.show(thumbnail)
    }

    private func released(_ lease: LeaseID, by device: DeviceID) async {
        for one in live.values where await one.machine.isOn(device, lease) { one.post(.leaseLost) }
    }

    /// Lets go of what is over: the store has it, and what a side still runs of it is ended when that side connects.
    private func finished(_ id: BroadcastID) async {
        parts.fleet.players.end(id)
        live[id] = nil
        runs[id] = nil
        await parts.hosts.free(id)
    }
}

// MARK: What people ask for

extension BroadcastDirector {
    package func start(
        _ request: StartRequest, in organization: OrganizationID, by author: Author
    ) async throws -> BroadcastView {
        guard request.destinations.count <= quotas[.outputs] else { throw StoreError.quota(.outputs, limit: quotas[.outputs]) }
        guard let hello = await parts.fleet.hello(of: request.sender) else { throw Failure.senderOffline }
        for one in broadcasts(of: request.sender) where !one.isRehearsal { throw Failure.busy(one.id) }
        starts[request.sender, default: 0] += 1
        defer { finishedStart(of: request.sender) }
        if let twice = request.destinations.firstRepeated {
            throw Failure.twice(twice, name: try await parts.outputs.name(of: twice, in: organization))
        }
        try claim(request.destinations)
        defer { claims.release(request.destinations) }
        let defaults = try await parts.store.configuration(hello.configuration.version, of: request.sender, in: organization)
        var machine = try machine(for: request, hello: hello, defaults: defaults, in: organization)
        let codec = machine.media.encoder.codec
        for destination in request.destinations {
            machine.outputs.append(try await planned(destination, carrying: codec, in: organization))
        }
        await endRehearsals(of: request.sender)
        try await admitListeners(of: &machine)
        // Another start may have come first while addresses were resolved.
        for one in broadcasts(of: request.sender) { throw Failure.busy(one.id) }
        let createdAtMs = unixMilliseconds()
        try await parts.store.create(machine, streamKey: Secret(Hex.encode(randomBytes(32))), record: request.record, by: author)
        await begin(machine, createdAtMs: createdAtMs, origin: .started(by: author.user))
        await live[machine.id]?.followDestinations()
        return BroadcastView.of(machine, createdAtMs: createdAtMs, endedAtMs: nil)
    }

    /// Throws what no attempt of a receiver could mend.
    private func planned(
        _ destination: DestinationID, carrying codec: VideoCodec, in organization: OrganizationID
    ) async throws -> PlannedOutput {
        let place = try await parts.outputs.place(destination, in: organization)
        if codec == .h265, case .rtmp = place.target {
            throw Failure.unsupported("H.265 cannot be sent by RTMP: choose H.264, or an SRT destination")
        }
        let listener: ListenerPlace? = if case .srt(let target) = place.target { target.listenerPlace } else { nil }
        return PlannedOutput(id: .fresh(), destination: destination, name: place.name, listener: listener)
    }

    /// - Parameter defaults: what the sender is configured to be.
    private func machine(
        for request: StartRequest, hello: AgentHello, defaults: Configuration.SenderConfiguration, in organization: OrganizationID
    ) throws -> BroadcastMachine {
        let grace: Grace = request.graceSeconds.map { $0 == 0 ? .untilStopped : .seconds($0) } ?? .standard
        return BroadcastMachine(
            id: .fresh(), organization: organization, sender: request.sender, lease: .fresh(),
            media: try media(for: request, hello: hello, defaults: defaults), outputs: [], grace: grace)
    }

    /// What a start asks for, and what the sender is configured to be where it says nothing.
    func media(
        for request: StartRequest, hello: AgentHello, defaults: Configuration.SenderConfiguration
    ) throws -> MediaChoice {
        let input = request.input ?? defaults.input
        try check(input, of: hello)
        try check(request, of: hello)
        return MediaChoice(
            input: input, encoder: request.encoder ?? defaults.encoder, bufferMs: request.bufferMs ?? defaults.bufferMs,
            links: request.links ?? defaults.links, protection: request.protection ?? defaults.protection)
    }

    /// Stopping what is over already is no error.
    package func stop(_ id: BroadcastID, in organization: OrganizationID, by author: Author) async throws -> BroadcastView {
        guard let one = try await find(id, in: organization) else { return try await view(of: id, in: organization) }
        one.post(.stopRequested(.stopped), by: author.user)
        return await one.settledView()
    }

    package func change(
        _ id: BroadcastID, _ request: ChangeBroadcastRequest, in organization: OrganizationID, by author: Author
    ) async throws -> BroadcastView {
        guard let one = try await find(id, in: organization) else { throw Failure.isOver }
        // What a sender that is away has is not known: it says so itself when it is given the plan.
        if let input = request.input, let hello = await parts.fleet.hello(of: one.sender) { try check(input, of: hello) }
        switch await one.change(MediaChange(bitrate: request.bitrate, input: request.input), by: author.user) {
        case .done: return await one.view
        case .refused(let step, let reason): throw Failure.refused(step: step, reason: reason)
        case .unknown: throw Failure.unknown
        case .isOver: throw Failure.isOver
        case .tooMany: throw Failure.tooManyChanges(limit: LiveBroadcast.changeLimit)
        }
    }

    /// What only this sender cannot do, before it is asked to; the bounds of every sender are the schema's.
    private func check(_ request: StartRequest, of hello: AgentHello) throws {
        if let encoder = request.encoder, encoder.width % 2 != 0 || encoder.height % 2 != 0 {
            throw Failure.unsupported("a picture of \(encoder.width)x\(encoder.height): both must be even")
        }
        if let encoder = request.encoder, encoder.id != .automatic,
            !hello.inventory.encoders.contains(where: { $0.id == encoder.id && $0.codec == encoder.codec })
        {
            throw Failure.unsupported("the sender has no encoder '\(encoder.id.rawValue)' for \(encoder.codec.rawValue)")
        }
        var named: Set<String> = []
        if let twice = request.links?.first(where: { !named.insert($0).inserted }) {
            throw Failure.unsupported("each link once: '\(twice)' is named twice")
        }
        let known = hello.inventory.links.map(\.name)
        if let stranger = request.links?.first(where: { !known.contains($0) }) {
            throw Failure.unsupported("the sender has no link '\(stranger)'; it has \(known.sorted().listed(by: ", ", within: 800))")
        }
    }

    private func check(_ input: InputChoice, of hello: AgentHello) throws {
        guard hello.inventory.inputs.contains(where: { $0.id == input.video }) else {
            throw Failure.unsupported("the sender has no input '\(input.video)'")
        }
    }

    package func addOutput(
        _ destination: DestinationID, to id: BroadcastID, in organization: OrganizationID, by author: Author
    ) async throws -> BroadcastView {
        guard let one = try await find(id, in: organization) else { throw Failure.isOver }
        try claim([destination])
        defer { claims.release([destination]) }
        try await admit(destination, to: one)
        let output = try await planned(destination, carrying: await one.machine.media.encoder.codec, in: organization)
        // Others may have been added, or the broadcast stopped, while the address was resolved and since.
        try await admit(destination, to: one)
        try await admitListener(output, to: one)
        one.post(.outputAdded(output), by: author.user)
        _ = await one.settledView()
        await one.followDestinations()
        let view = await one.settledView()
        guard view.outputs.contains(where: { $0.id == output.id }) else {
            try await admit(destination, to: one)
            throw Failure.isOver
        }
        return view
    }

    /// Whether a broadcast takes one more output, to this destination.
    private func admit(_ destination: DestinationID, to one: LiveBroadcast) async throws {
        let outputs = await one.machine.outputs
        guard !outputs.contains(where: { $0.destination == destination }) else {
            throw Failure.isOutput(destination, name: try await parts.outputs.name(of: destination, in: one.organization))
        }
        try quotas.admit(.outputs, beside: outputs.count)
    }

    package func removeOutput(
        _ output: OutputID, from id: BroadcastID, in organization: OrganizationID, by author: Author
    ) async throws -> BroadcastView {
        let one = try await withOutput(output, of: id, in: organization)
        one.post(.outputRemoved(output), by: author.user)
        return await one.settledView()
    }

    package func retryOutput(
        _ output: OutputID, of id: BroadcastID, in organization: OrganizationID, by author: Author
    ) async throws -> BroadcastView {
        let one = try await withOutput(output, of: id, in: organization)
        one.post(.outputRetried(output), by: author.user)
        return await one.settledView()
    }

    private func withOutput(_ output: OutputID, of id: BroadcastID, in organization: OrganizationID) async throws -> LiveBroadcast {
        guard let one = try await find(id, in: organization) else { throw Failure.isOver }
        guard await one.machine.outputs.contains(where: { $0.id == output }) else { throw Failure.noSuchOutput }
        return one
    }

    /// The running broadcast; nil where it is over.
    func find(_ id: BroadcastID, in organization: OrganizationID) async throws -> LiveBroadcast? {
        guard let one = live[id], one.organization == organization else {
            guard let record = try await parts.store.find(id, in: organization), record.machine.rehearsal == nil else {
                throw Failure.noSuchBroadcast
            }
            return nil
        }
        guard !one.isRehearsal else { throw Failure.noSuchBroadcast }
        return one
    }

    package func view(of id: BroadcastID, in organization: OrganizationID) async throws -> BroadcastView {
        if let one = live[id], one.organization == organization, !one.isRehearsal { return await one.view }
        guard let record = try await parts.store.find(id, in: organization), record.machine.rehearsal == nil else {
            throw Failure.noSuchBroadcast
        }
        return BroadcastView.of(record.machine, createdAtMs: record.createdAtMs, endedAtMs: record.endedAtMs)
    }

    /// The newest picture of a running broadcast; nil where there is none yet, or the broadcast is over.
    package func thumbnail(of id: BroadcastID, in organization: OrganizationID) async throws -> ShownThumbnail? {
        try await find(id, in: organization)?.thumbnail
    }

    /// Where the pictures of a running broadcast are; nil where no host has it yet.
    package func previewPlace(of id: BroadcastID, in organization: OrganizationID) async throws -> PreviewDesk.Place? {
        guard let one = try await find(id, in: organization) else { throw Failure.isOver }
        let machine = await one.machine
        return machine.host.map { PreviewDesk.Place(broadcast: id, organization: organization, host: $0, lease: machine.lease) }
    }

    /// The newest first.
    package func list(in organization: OrganizationID) async throws -> [BroadcastView] {
        var views: [BroadcastView] = []
        for record in try await parts.store.all(in: organization) { views.append(try await view(of: record.machine.id, in: organization)) }
        return views
    }

    /// The broadcast that a sender has now.
    package func current(of sender: DeviceID) -> BroadcastID? { broadcasts(of: sender).first { !$0.isRehearsal }?.id }

    package func streams(on host: DeviceID) async -> Int { await parts.hosts.streams(on: host) }

    package func streams(on host: DeviceID, of organization: OrganizationID) async -> Int {
        var count = 0
        for one in live.values where one.organization == organization { if await one.machine.host == host { count += 1 } }
        return count
    }
}

extension BroadcastDirector {
    /// How many broadcasts are in each state, over all organisations.
    package func countByState() async -> [(state: String, count: Int)] {
        var counts: [String: Int] = [:]
        for one in live.values where !one.isRehearsal { counts[await one.machine.state.name, default: 0] += 1 }
        return counts.sorted { $0.key < $1.key }.map { (state: $0.key, count: $0.value) }
    }

    /// What each receiver of a broadcast said last, over all organisations.
    package func reports() async -> [(broadcast: BroadcastID, sender: DeviceID, report: StreamReport)] {
        var reports: [(broadcast: BroadcastID, sender: DeviceID, report: StreamReport)] = []
        for one in live.values where !one.isRehearsal {
            if let report = await one.machine.report { reports.append((one.id, one.sender, report)) }
        }
        return reports.sorted { $0.broadcast < $1.broadcast }
    }
}

extension ID {
    static func fresh() -> ID {
        var random = SystemRandomNumberGenerator()
        return ID(ULID(unixMs: unixMilliseconds(), random: &random))
    }
}

extension [DestinationID] {
    /// The first that stands here a second time.
    var firstRepeated: DestinationID? {
        var seen: Set<DestinationID> = []
        return first { !seen.insert($0).inserted }
    }
}
