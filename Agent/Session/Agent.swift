import ControlLink
package import Identity
package import Logging
import Names
import Portals
import Posix
import Web
import Wire

/// The agent as a whole: the session, and the connection over which control speaks to it.
package final class Agent: Sendable {
    private typealias Connection = ControlConnection<AgentMessage, AgentOrder>

    private let session: AgentSession
    private let connection: Connection
    private let names: LinkNames
    private let reader = Guarded<Task<Void, Never>?>(nil)
    private let loops: [Loop]
    private let stateFolder: String
    private let log: Log

    /// Makes the folders and opens the watches; nothing is sent before `start`.
    /// - Throws: `SystemError`.
    package init(settings: SessionSettings, identity: DeviceIdentity, log: Log) throws {
        let sessionLoop = try Loop(name: "session")
        let controlLoop = try Loop(name: "control")
        loops = [sessionLoop, controlLoop]
        stateFolder = settings.stateFolder
        self.log = log
        var settings = settings
        settings.timeFloor = identity.timeFloor
        settings.name = identity.name
        settings.serverAddress = identity.servers.map(\.text).joined(separator: ", ")
        // Behind a proxy of its owner's a board need not reach the server by itself.
        if settings.proxy == nil, identity.server.isTLS {
            settings.server = PortalWatcher.Server(
                host: identity.server.host, port: identity.server.port, trust: identity.trust, timeFloor: identity.timeFloor)
        }
        // Not on the session's loop, which librist may hold for a while.
        let names = LinkNames(bus: settings.bus, loop: controlLoop, log: log.part("names"))
        let outlet = Guarded<Connection?>(nil)
        let speed = SpeedUpload(identity: identity, loop: controlLoop, proxy: settings.proxy, names: names.lookup)
        let session = try AgentSession(settings: settings, loop: sessionLoop, names: names, speed: speed, log: log) { message, importance in
            guard let connection = outlet.withLock({ $0 }) else { return }
            switch importance {
            case .figures: connection.trySend(message)
            case .record(let answered): connection.sendWhereIdle(message, answered: answered)
            case .change:
                connection.send(message)
                if case .inventory = message { connection.routesChanged() }
            }
        }
        let isLocal = Self.isLocal(settings.proxy?.host ?? identity.server.host)
        connection = Connection(
            identity: identity, loop: controlLoop, log: log.part("control"), proxy: settings.proxy, names: names.lookup,
            // What is on this machine is not behind any link; anything else is also tried as the routing table says.
            routes: { isLocal ? [.any] : await session.upLinks().map { Route(interface: $0) } + [.any] },
            hello: { .hello(await session.hello()) }, outcome: { .outcome($0) })
        self.session = session
        self.names = names
        outlet.withLock { $0 = connection }
    }

    /// Goes on with what was being sent, then dials control.
    package func start() async {
        await session.begin()
        let (session, connection) = (session, connection)
        let task = Task { [self] in
            for await event in connection.events {
                switch event {
                case .order(let order, let id): await session.carryOut(order, id: id) { connection.answer($0) }
                case .revoked:
                    await session.controlReached(false, because: "the server has revoked this board: it takes a new token")
                    await session.controlMoved(to: nil)
                    await session.revoked()
                // Without control it goes on.
                case .connected(let route):
                    prefer(await connection.server)
                    session.flight.connected()
                    await session.controlReached(true)
                    await session.controlMoved(to: route.interface)
                case .disconnected(let reason):
                    session.flight.disconnected()
                    await session.controlReached(false, because: reason)
                    await session.controlMoved(to: nil)
                case .refused(let reason):
                    await session.controlReached(false, because: reason)
                    await session.controlMoved(to: nil)
                }
            }
        }
        reader.withLock { $0 = task }
        await connection.start()
    }

    /// Where control was found is where the updater asks as well, and where it is looked for first after a restart.
    private func prefer(_ server: ServerOrigin) {
        do throws(IdentityError) {
            try DeviceIdentity.prefer(server, state: stateFolder)
        } catch {
            log.warning("the server's address cannot be kept", ["error": "\(error)"])
        }
    }

    /// Ends the connection and the sending; a plan that is being sent is kept for the next agent.
    package func stop() async {
        await connection.stop()
        reader.withLock { $0?.cancel() }
        await session.end()
        await names.close()
        for loop in loops { loop.stop() }
    }

    package static func isLocal(_ host: String) -> Bool { host == "localhost" || host == "::1" || host.hasPrefix("127.") }
}
