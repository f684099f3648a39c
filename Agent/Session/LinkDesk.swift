import Links
import Logging
import Modems
import Names
import Portals
import Posix
import Sticks
import Wire

/// Watches what the board is connected by, and does what follows for the links themselves: their own routes, their name servers, who is
/// asked behind them. What a broadcast makes of it is the session's.
///
/// On the session's loop.
actor LinkDesk {
    nonisolated let loop: Loop
    /// At first and after each change; a slow reader gets the latest only.
    nonisolated let snapshots: AsyncStream<Surroundings>
    private let out: AsyncStream<Surroundings>.Continuation
    nonisolated let watcher: LinkWatcher
    private let routes: RouteKeeper
    private let modemWatcher: ModemWatcher
    private let stickWatcher: StickWatcher
    private let portals: PortalWatcher?
    private let names: LinkNames
    private var surroundings = Surroundings()
    /// The link that control is connected over.
    private var controlLink: String?
    private var readers: [Task<Void, Never>] = []

    /// What the board's own talk with sticks has carried, by the interfaces' indices.
    nonisolated var stickTraffic: [Int: OwnTraffic] { stickWatcher.ownTraffic }

    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// - Parameter names: is told of the links, and of the name servers that modems' networks give.
    /// - Throws: `SystemError` where no netlink socket can be opened.
    init(settings: SessionSettings, loop: Loop, names: LinkNames, log: Log) throws {
        self.loop = loop
        self.names = names
        (snapshots, out) = AsyncStream.makeStream(of: Surroundings.self, bufferingPolicy: .bufferingNewest(1))
        watcher = try LinkWatcher(loop: loop, policy: settings.links, log: log.part("links"))
        routes = try RouteKeeper(loop: loop, log: log.part("routes"))
        modemWatcher = ModemWatcher(
            address: settings.bus, loop: loop, usesSatellites: settings.usesSatellites, accounts: settings.modems,
            stateFolder: settings.stateFolder,
            apply: { [setter = BearerSetter()] addresses in
                names.update(bearer: addresses.interface, servers: addresses.nameServers)
                try setter.apply(addresses)
            }, log: log.part("modems"))
        stickWatcher = StickWatcher(loop: loop, named: settings.sticks, log: log.part("sticks"))
        portals = settings.server.map { PortalWatcher(server: $0, loop: loop, log: log.part("portals")) }
    }

    /// Begins to watch.
    /// - Returns: what is known so far.
    func begin() async -> Surroundings {
        surroundings.links = watcher.links
        names.update(links: surroundings.upLinks)
        routes.begin()
        let changes = watcher.snapshots
        readers.append(Task { [weak self] in for await snapshot in changes { await self?.linksChanged(snapshot) } })
        if let obstacles = portals?.snapshots {
            readers.append(Task { [weak self] in for await snapshot in obstacles { await self?.obstaclesChanged(snapshot) } })
        }
        let modems = modemWatcher.snapshots
        readers.append(Task { [weak self] in for await snapshot in modems { await self?.modemsChanged(snapshot) } })
        await modemWatcher.begin()
        let sticks = stickWatcher.snapshots
        readers.append(Task { [weak self] in for await snapshot in sticks { await self?.sticksChanged(snapshot) } })
        return surroundings
    }

    /// Ends watching, and takes back what was set up for the links.
    func end() async {
        for reader in readers { reader.cancel() }
        await modemWatcher.end()
        await stickWatcher.end()
        await portals?.end()
        routes.end()
        out.finish()
    }

    /// - Returns: how, where that was not by its own reset.
    /// - Throws: the reason, for a person.
    func reset(_ device: Surroundings.Device) async throws(StepFault) -> String? {
        switch device {
        case .modem(let modem):
            do throws(ModemFault) { return try await modemWatcher.reset(modem) } catch { throw StepFault(.modem, error.reason) }
        case .stick(let stick):
            do throws(StickFault) { try await stickWatcher.reset(stick) } catch { throw StepFault(.modem, error.reason) }
            return nil
        }
    }

    /// Control is connected over this link; nil: over none that has a name, or not at all.
    func controlMoved(to link: String?) { controlLink = link }

    /// Looks for what is in the way on links over which nothing answers.
    /// - Parameter live: links over which a receiver answers.
    func watchPortals(besides live: Set<String>) async {
        guard let portals else { return }
        var proven = live
        if let controlLink { proven.insert(controlLink) }
        await portals.update(links: surroundings.links, proven: proven, control: controlLink)
    }

    // MARK: What changes

    private func linksChanged(_ links: [Link]) async {
        let indices = watcher.indices
        routes.update(indices)
        (surroundings.links, surroundings.indices) = (links, indices)
        names.update(links: surroundings.upLinks)
        out.yield(surroundings)
        await watchSticks()
    }

    private func obstaclesChanged(_ obstacles: [String: Obstacle]) {
        surroundings.obstacles = obstacles
        out.yield(surroundings)
    }

    private func modemsChanged(_ modems: [Modem]) async {
        surroundings.modems = modems
        out.yield(surroundings)
        await watchSticks()
    }

    private func sticksChanged(_ sticks: [Stick]) {
        surroundings.sticks = sticks
        out.yield(surroundings)
    }

    private func watchSticks() async {
        await stickWatcher.update(links: surroundings.links, indices: surroundings.indices, taken: surroundings.modemInterfaces)
    }
}
