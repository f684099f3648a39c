package import Logging
package import Posix
package import Store
package import Units
import Web
package import Wire

/// All devices: who is there, what each has, and the way to give it an order.
package actor Roster {
    let store: ControlStore
    package nonisolated let speed = SpeedDesk()
    package nonisolated let previews: PreviewDesk
    package nonisolated let players: PlayerDesk
    package nonisolated let pictures = PictureDesk()
    package nonisolated let flights: FlightArchive
    package nonisolated let takes = TakeTickets()
    private let feed: Feed
    let log: Log
    private var connections: [DeviceID: Connection] = [:]
    private var senders: [DeviceID: AgentHello] = [:]
    private var hosts: [DeviceID: PoolHello] = [:]
    /// Percent of its processors that each connected host said last.
    package private(set) var loads: [DeviceID: Int] = [:]
    /// When each connected host that tells its load last said anything.
    private var heardAt: [DeviceID: Instant] = [:]
    /// Hosts that take no new streams, connected or not: as the store has it.
    package private(set) var draining: Set<DeviceID> = []
    /// Senders whose last sample said that nobody answers them.
    private var unanswered: Set<DeviceID> = []
    /// What was wrong with picture and sound of each sender that sends, in its last sample.
    private var alarms: [DeviceID: [MediaAlarm]] = [:]
    /// Senders whose telemetry comes faster though nobody watches.
    private var hurried: Set<DeviceID> = []
    /// Why a sender refused its newest configuration.
    private var configurationFaults: [DeviceID: String] = [:]
    /// The last sample of each sender, with what it had from those before.
    private var telemetry: [DeviceID: AgentTelemetry] = [:]
    /// Of senders with a satellite receiver, as they were told last.
    private var positions: [DeviceID: Position] = [:]
    private var watched: Set<OrganizationID> = []
    private let eventSink: AsyncStream<FleetEvent>.Continuation

    /// In order, for one reader: `Broadcasts`. Reports are at most one a second for each stream, and telemetry is not among them but where
    /// a sender has no answer.
    package nonisolated let events: AsyncStream<FleetEvent>
    private let recordingSink: AsyncStream<HostRecordings>.Continuation
    /// What hosts have recorded, as they say it again and again; for one reader: `Recordings`.
    package nonisolated let recordings: AsyncStream<HostRecordings>

    static let telemetryInterval = TelemetryInterval(ms: 1000)
    static let watchedInterval = TelemetryInterval(ms: 200)
    static let hurryTime = Duration.seconds(10)
    static let silence = Duration.milliseconds(1800)
    /// How long an old connection has to prove that it still answers when its device dials again.
    static let rivalLimit = Duration.milliseconds(1200)
    /// How long a revoked device may take to answer the close of its connection.
    static let revocationLimit = Duration.milliseconds(500)

    package init(store: ControlStore, feed: Feed, log: Log) {
        self.store = store
        self.feed = feed
        self.log = log.part("fleet")
        previews = PreviewDesk()
        players = PlayerDesk(previews)
        flights = FlightArchive(store: store, feed: feed, log: self.log)
        (events, eventSink) = AsyncStream.makeStream(of: FleetEvent.self)
        // What is lost comes again within a minute.
        (recordings, recordingSink) = AsyncStream.makeStream(of: HostRecordings.self, bufferingPolicy: .bufferingNewest(64))
    }

    // MARK: Who is there

    package func isOnline(_ device: DeviceID) -> Bool { connections[device] != nil }
    /// The present state of a connected sender.
    package func hello(of sender: DeviceID) -> AgentHello? { senders[sender] }
    package func offer(of host: DeviceID) -> PoolHello? { hosts[host] }
    var onlineSenders: Set<DeviceID> { Set(senders.keys) }
    package var onlineHosts: [DeviceID: PoolHello] { hosts }
    /// Whether a host is away, or has said nothing for longer than one does that is there: it tells its load each second. One of an older
    /// version does not, and is there for as long as its connection.
    package func isSilent(_ host: DeviceID) -> Bool {
        guard hosts[host] != nil else { return true }
        return heardAt[host].map { Instant.now - $0 > Self.silence } ?? false
    }
    /// What each connected sender measured last.
    package var latestTelemetry: [DeviceID: AgentTelemetry] { telemetry.filter { senders[$0.key] != nil } }
    /// What a connected sender measured last.
    package func telemetry(of sender: DeviceID) -> AgentTelemetry? { senders[sender] == nil ? nil : telemetry[sender] }
    /// Where a modem of a sender saw it last.
    func position(of sender: DeviceID) -> Position? { positions[sender] }
    /// When a pool host went last; most come back at once.
    package private(set) var hostLostAt: Instant?
    package var counts: (senders: Int, hosts: Int) { (senders.count, hosts.count) }

    func configurationFault(of sender: DeviceID) -> String? { configurationFaults[sender] }
    func setConfigurationFault(_ reason: String?, of sender: DeviceID) { configurationFaults[sender] = reason }

    /// What the store knows of hosts that control has to know before the first of them connects.
    package func recall() async throws { draining = Set(try await store.pools.all().filter(\.isDraining).map(\.id)) }

    /// Has a host take no new streams any more, or again, from the next choice on.
    package func setDraining(_ isDraining: Bool, _ host: DeviceID) {
        if isDraining { draining.insert(host) } else { draining.remove(host) }
    }

    // MARK: Orders

    package func order(_ order: AgentOrder, to sender: DeviceID) async -> Answer {
        await connections[sender]?.order(order) ?? .unknown
    }

    package func order(_ order: PoolOrder, to host: DeviceID) async -> Answer {
        await connections[host]?.order(order) ?? .unknown
    }

    /// Ends a device's connection at once and refuses it from now on (the store has it as revoked): nothing that it still
    /// says is heard, and its socket is gone within 1 s, whether it answers the close or not (THREATS 3).
    package func revoke(_ device: DeviceID) async {
        eventSink.yield(.revoked(device))
        speed.forget(device)
        previews.forget(device)
        takes.forget(device)
        guard let connection = connections[device] else { return }
        await leave(connection)
        await connection.socket.close(.revoked, "revoked", within: Self.revocationLimit)
    }

    /// Ends a device's connection where it was proven with another key than the device has now: whoever has the old one, the board itself
    /// or a copy of it, is refused when it comes again.
    package func rekeyed(_ device: Device) async {
        guard let connection = connections[device.id], connection.publicKey != device.publicKey else { return }
        speed.forget(device.id)
        previews.forget(device.id)
        await leave(connection)
        await connection.socket.close(.policyViolation, "this device has another key by now", within: Self.revocationLimit)
    }

    // MARK: Coming and going

    /// Whether a newly proven connection may take the device's place: not while the old one still answers (THREATS 3).
    func admit(_ connection: Connection) async -> Bool {
        if let old = connections[connection.device] {
            if await answers(old) {
                log.warning("one identity from two places", ["device": "\(connection.device)"])
                await flag(connection)
                return false
            }
            await leave(old)
        }
        // Another one may have taken the place while this one waited.
        guard connections[connection.device] == nil else { return false }
        connections[connection.device] = connection
        return true
    }

    private func answers(_ connection: Connection) async -> Bool {
        // try?: a ping that fails is no answer.
        (try? await connection.socket.ping(timeout: Self.rivalLimit)) != nil
    }

    private func flag(_ connection: Connection) async {
        do {
            switch connection.organization {
            case let organization?: try await store.devices(in: connection.scope(organization)).flag(connection.device)
            case nil: try await store.pools.flag(connection.device)
            }
        } catch {
            log.error("a device could not be flagged", ["device": "\(connection.device)", "error": "\(error)"])
        }
        await publish(connection)
    }

    func arrived(_ connection: Connection, hello: AgentHello) async {
        guard isCurrent(connection) else { return }
        senders[connection.device] = hello
        await remember(connection) { store, organization in
            let devices = store.devices(in: connection.scope(organization))
            try await devices.connected(connection.device, version: hello.agentVersion, inventory: hello.inventory)
        }
        eventSink.yield(.senderConnected(connection.device, hello))
        if connection.organization.map(watched.contains) == true { setPace(of: connection) }
        await publish(connection)
    }

    func arrived(_ connection: Connection, hello: PoolHello) async {
        guard isCurrent(connection) else { return }
        hosts[connection.device] = hello
        do {
            try await store.pools.connected(connection.device, hello: hello)
        } catch {
            log.error("a pool host's state could not be stored", ["device": "\(connection.device)", "error": "\(error)"])
        }
        eventSink.yield(.hostConnected(connection.device, hello))
    }

    func leave(_ connection: Connection) async {
        guard connections[connection.device] === connection else { return }
        connections[connection.device] = nil
        await connection.ended()
        let wasSender = senders.removeValue(forKey: connection.device) != nil
        let wasHost = hosts.removeValue(forKey: connection.device) != nil
        (loads[connection.device], heardAt[connection.device]) = (nil, nil)
        if wasHost { hostLostAt = .now }
        if wasSender {
            eventSink.yield(.senderDisconnected(connection.device))
            await pictures.forget(connection.device)
        }
        if wasHost { eventSink.yield(.hostDisconnected(connection.device)) }
        await note([connection.device])
        if wasSender { await publish(connection) }
    }

    /// Writes down when devices were last there.
    private func note(_ devices: [DeviceID]) async {
        do {
            try await store.identities.seen(devices)
        } catch {
            log.error("the time a device was seen could not be stored", ["error": "\(error)"])
        }
    }

    /// Has telemetry come faster from the senders that somebody watches, until cancelled.
    package func followWatchers() async {
        for await _ in feed.watchChanges {
            let now = await feed.watched
            let changed = watched.symmetricDifference(now)
            watched = now
            for connection in connections.values where senders[connection.device] != nil {
                if connection.organization.map(changed.contains) == true { setPace(of: connection) }
            }
        }
    }

    /// A sender that does not hear it goes on as before: it hears it again with the next change or connection.
    private func setPace(of connection: Connection) {
        let interval = connection.organization.map(watched.contains) == true ? Self.watchedInterval : Self.telemetryInterval
        Task { _ = await connection.order(AgentOrder.watch(interval)) }
    }

    /// Every half minute: who is there, so that a power cut of the server loses little of it.
    package func keepNoting() async {
        // try?: a cancelled wait ends the loop.
        while (try? await Task.sleep(for: .seconds(30))) != nil { await note(Array(connections.keys)) }
    }

    /// Has a sender's telemetry come faster for a while, though nobody watches: whether it has answers decides about its stream.
    package func hurry(_ sender: DeviceID) {
        guard let connection = connections[sender], connection.organization.map(watched.contains) != true, hurried.insert(sender).inserted
        else { return }
        Task {
            _ = await connection.order(AgentOrder.watch(Self.watchedInterval))
            // try?: nobody cancels it.
            try? await Task.sleep(for: Self.hurryTime)
            hurried.remove(sender)
            setPace(of: connection)
        }
    }

    /// Version and inventory survive a restart of control.
    private func remember(_ connection: Connection, _ write: (ControlStore, OrganizationID) async throws -> Void) async {
        guard let organization = connection.organization else { return }
        do {
            try await write(store, organization)
        } catch {
            log.error("a sender's state could not be stored", ["device": "\(connection.device)", "error": "\(error)"])
        }
    }

    // MARK: Messages

    /// Whether a connection speaks for its device: not any more once it left or was revoked.
    private func isCurrent(_ connection: Connection) -> Bool { connections[connection.device] === connection }

    func received(_ message: AgentMessage, from connection: Connection) async {
        guard isCurrent(connection) else { return }
        switch message {
        case .hello: break  // only the first message is one
        case .inventory(let inventory): await changed(inventory.bounded(), connection)
        case .telemetry(let sample): await measured(sample.bounded(), connection)
        case .outcome(let outcome): await connection.finished(outcome.bounded())
        case .sending(let report):
            senders[connection.device]?.sending = report.state == .stopped ? nil : report.bounded()
            eventSink.yield(.sender(connection.device, .sending(report.bounded())))
        case .configured(let message):
            let report = message.bounded()
            senders[connection.device]?.configuration = report
            eventSink.yield(.sender(connection.device, .configured(report)))
            await applied(report.version, connection)
        case .flight(let flight): recorded(flight.bounded(), connection)
        case .picture(let picture): if let bounded = picture.bounded() { await pictures.arrived(bounded, from: connection.device) }
        case .unknown(let type): log.info("a message of an unknown type", ["type": "\(type.bounded(to: 64))"])
        }
    }

    func received(_ message: PoolMessage, from connection: Connection) async {
        guard isCurrent(connection) else { return }
        if heardAt[connection.device] != nil { heardAt[connection.device] = .now }
        switch message {
        case .hello: break  // only the first message is one
        case .outcome(let outcome): await connection.finished(outcome.bounded())
        case .report(let report): eventSink.yield(.host(connection.device, .report(report.bounded())))
        case .thumbnail(let thumbnail):
            if let bounded = thumbnail.bounded() { eventSink.yield(.host(connection.device, .thumbnail(bounded))) }
        case .released: eventSink.yield(.host(connection.device, message))
        case .recordings(let list): recordingSink.yield(HostRecordings(host: connection.device, list: list.bounded()))
        case .load(let load): (loads[connection.device], heardAt[connection.device]) = (load.bounded().cpuPercent, .now)
        case .unknown(let type): log.info("a message of an unknown type", ["type": "\(type.bounded(to: 64))"])
        }
    }

    private func changed(_ inventory: Inventory, _ connection: Connection) async {
        senders[connection.device]?.inventory = inventory
        await remember(connection) { store, organization in
            try await store.devices(in: connection.scope(organization)).setInventory(connection.device, inventory)
        }
        await publish(connection)
    }

    private func recorded(_ flight: FlightLog, _ connection: Connection) {
        guard let organization = connection.organization else { return }
        let records = flight.entries.map { FlightRecord(source: .sender, run: flight.run, entry: $0) }
        flights.keep(records, of: flight.broadcast, connection.device, in: organization)
    }

    private func measured(_ sample: AgentTelemetry, _ connection: Connection) async {
        var sample = sample
        if let last = telemetry[connection.device] {
            sample.interfaces = sample.interfaces ?? last.interfaces
            if sample.pipeline != nil { sample.takeBond(of: last) }
            sample.modems = sample.modems ?? last.modems
            sample.usage = sample.usage ?? last.usage
        }
        if let position = sample.modems?.lazy.compactMap(\.position).first { positions[connection.device] = position }
        telemetry[connection.device] = sample
        tellAnswered(sample, connection.device)
        tellAlarms(sample, connection.device)
        guard let organization = connection.organization else { return }
        await feed.publish(organization, topic: "telemetry/\(connection.device)", encoding: sample)
    }

    private func tellAnswered(_ sample: AgentTelemetry, _ sender: DeviceID) {
        // Without links nothing is sent.
        guard !sample.links.isEmpty else { return }
        let isAnswered = sample.links.contains { $0.state == .live }
        guard !isAnswered || unanswered.contains(sender) else { return }
        if isAnswered { unanswered.remove(sender) } else { unanswered.insert(sender) }
        eventSink.yield(.senderSampled(sender, isAnswered: isAnswered))
    }

    private func tellAlarms(_ sample: AgentTelemetry, _ sender: DeviceID) {
        // Nothing is sent: there is nothing to be wrong with.
        guard let pipeline = sample.pipeline else { return alarms[sender] = nil }
        let now = pipeline.alarms ?? []
        guard alarms.updateValue(now, forKey: sender) != now else { return }
        eventSink.yield(.senderAlarmed(sender, now))
    }

    /// Tells the browsers of its organisation what a sender is now.
    private func publish(_ connection: Connection) async {
        guard let organization = connection.organization else { return }
        await publish(sender: connection.device, in: organization)
    }

    package func publish(sender: DeviceID, in organization: OrganizationID) async {
        do {
            let scope = OrganizationScope(organization, by: .system)
            let device = try await store.devices(in: scope).find(sender)
            let view = device.isRevoked ? nil : try await view(of: device, in: scope)
            await feed.publish(organization, topic: "sender/\(sender)", body: view.map(Feed.json))
        } catch {
            log.error("a sender could not be read", ["device": "\(sender)", "error": "\(error)"])
        }
    }
}
