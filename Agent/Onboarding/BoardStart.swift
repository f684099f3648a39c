import Boards
import Identity
package import Logging
import Names
import Panel
import Portals
import Posix
import Service
package import Session
import Web
import Wire

/// A board's program from its start: an agent at once where the board is enrolled, and otherwise as soon as control has taken its token.
///
/// The order that a loss of power cannot hurt: the token is in the state folder; control gives an identity for it, and the same one again
/// for the same key until the first connection; the identity is on the disk; the token is erased.
package actor BoardStart {
    private let configuration: AgentConfiguration
    private let log: Log
    private let failed: @Sendable (any Error) -> Void
    private var agent: Agent?
    private var watching: Watching?
    private var enrolling: Task<Void, Never>?
    private var isStopped = false

    /// What watches links and connects modems while there is no identity.
    private struct Watching {
        let session: AgentSession
        let names: LinkNames
        let loops: [Loop]

        func end() async {
            await session.end()
            await names.close()
            for loop in loops { loop.stop() }
        }
    }

    /// After what control cannot answer now, doubling; and after what only a person can change.
    private static let shortWait = Duration.seconds(2)
    private static let longWait = Duration.seconds(30)
    private static let refusedWait = Duration.seconds(600)

    /// - Parameter failed: takes what ends the program after it has started.
    package init(_ configuration: AgentConfiguration, log: Log, failed: @escaping @Sendable (any Error) -> Void) {
        self.configuration = configuration
        self.log = log
        self.failed = failed
    }

    /// - Throws: `IdentityError.state` where the board has neither an identity nor a token; what the agent throws.
    package func start() async throws {
        let known = try DeviceIdentity.load(state: configuration.stateFolder)
        let pending = try self.pending(known)
        switch (known, pending) {
        case (let known?, nil): try await run(known)
        case (nil, nil):
            throw IdentityError.state(
                file: configuration.stateFolder, reason: "this machine is not enrolled; run strata-agent enroll")
        case (let known, let pending?):
            enrolling = Task { await self.enroll(by: pending, known) }
        }
    }

    /// One that cannot be read keeps no board from its work that has an identity.
    private func pending(_ known: DeviceIdentity?) throws -> BoardFile? {
        do {
            return try PendingEnrollment.read(state: configuration.stateFolder)
        } catch {
            guard known != nil else { throw error }
            log.error("the kept token cannot be used", ["reason": .text("\(error)")])
            return nil
        }
    }

    package func stop() async {
        isStopped = true
        enrolling?.cancel()
        // One that is just being started.
        if agent != nil { await enrolling?.value }
        await agent?.stop()
        await watching?.end()
        watching = nil
    }

    private func run(_ identity: DeviceIdentity) async throws {
        let agent = try Agent(settings: configuration.session, identity: identity, log: log)
        self.agent = agent
        await agent.start()
    }

    private func enroll(by file: BoardFile, _ known: DeviceIdentity?) async {
        do {
            let identity: DeviceIdentity
            if known != nil {
                identity = try await renewed(by: file)
            } else {
                identity = try await enrolled(by: file)
                log.notice("enrolled", ["server": .text(identity.server.text), "device": .text(identity.device.text)])
            }
            guard !isStopped else { return }
            try await run(identity)
        } catch is CancellationError {
            // The program ends.
        } catch {
            failed(error)
        }
    }

    /// A board that has an identity is not kept from its work by a token that cannot be used now: the next start tries again.
    private func renewed(by file: BoardFile) async throws -> DeviceIdentity {
        let loop = try Loop(name: "enroll")
        defer { loop.stop() }
        var way = self.way(file)
        way.connectTimeout = .seconds(3)
        way.routes = {
            // try?: a system without sysfs has the way of its routing table.
            let names = (try? FileTree.names(in: "/sys/class/net")) ?? []
            return [nil] + names.sorted().filter { $0 != "lo" }.map(Optional.some)
        }
        do {
            return try await redeem(file, way, on: loop)
        } catch let error as CancellationError {
            throw error
        } catch {
            // Whatever it is, a disk that cannot be written as well.
            guard let present = try DeviceIdentity.load(state: configuration.stateFolder) else {
                guard error is IdentityError else { throw error }
                // Control has taken the key back, and did not answer a second time.
                log.warning("not enrolled yet", ["reason": .text("\(error)")])
                return try await enrolled(by: file)
            }
            log.error("the new token was not used up: this board goes on as who it is", ["reason": .text("\(error)")])
            if let refusal = error as? IdentityError, case .refused = refusal { dropToken() }
            return present
        }
    }

    private func dropToken() {
        do throws(SystemError) {
            try PendingEnrollment.erase(state: configuration.stateFolder)
        } catch {
            log.error("the refused token cannot be erased", ["reason": .text("\(error)")])
        }
    }

    /// Asks over each link, as often as it takes.
    private func enrolled(by file: BoardFile) async throws -> DeviceIdentity {
        let watching = try await watch(file)
        self.watching = watching
        let session = watching.session
        var way = self.way(file)
        way.names = watching.names.lookup
        let isLocal = Agent.isLocal(way.proxy?.host ?? file.servers[0].host)
        way.routes = {
            if isLocal { return [nil] }
            return await session.upLinks().map(Optional.some) + [nil]
        }
        var wait = Self.shortWait
        while true {
            do {
                let identity = try await redeem(file, way, on: watching.loops[1])
                await watching.end()
                self.watching = nil
                return identity
            } catch let error as IdentityError {
                let isRefusal: Bool
                switch error {
                case .unreachable, .untrusted: isRefusal = false
                case .refused, .enrolledKey, .revokedKey: isRefusal = true
                case .badServer, .badToken, .state, .alreadyEnrolled: throw error
                }
                log.warning("not enrolled yet", ["reason": .text("\(error)")])
                await session.enrolling(isRefusal ? .refused : .enrolling, because: "\(error)")
                try await watching.loops[1].sleep(for: (isRefusal ? Self.refusedWait : wait) * (1 - Double.random(in: 0..<1) / 4))
                wait = min(wait * 2, Self.longWait)
            }
        }
    }

    private func way(_ file: BoardFile) -> Enrollment.Way {
        var way = Enrollment.Way()
        way.others = Array(file.servers.dropFirst())
        // What stands in the configuration is what its owner wants.
        way.proxy = configuration.session.proxy ?? file.proxy.flatMap { ClientOptions.Proxy($0) }
        way.timeFloor = file.writtenAt
        return way
    }

    private func redeem(_ file: BoardFile, _ way: Enrollment.Way, on loop: Loop) async throws -> DeviceIdentity {
        let (runtime, state) = (configuration.runtimeFolder, configuration.stateFolder)
        let enrollment = Enrollment(
            server: file.servers[0], token: file.token, stateFolder: state, loop: loop, way: way, waits: [])
        let identity = try await enrollment.redeem(kind: .sender, name: file.boardName ?? ProgramContext.hostName) {
            try FormerOwner.forget(runtime: runtime, state: state)
        }
        try PendingEnrollment.erase(state: state)
        return identity
    }

    private func watch(_ file: BoardFile) async throws -> Watching {
        let (sessionLoop, networkLoop) = (try Loop(name: "session"), try Loop(name: "network"))
        var settings = configuration.session
        settings.standing = .enrolling
        settings.name = file.boardName
        settings.serverAddress = file.servers.map(\.text).joined(separator: ", ")
        settings.timeFloor = file.writtenAt
        let first = file.servers[0]
        // As the agent does it: behind a proxy of its owner's a board need not reach the server by itself.
        if way(file).proxy == nil, first.isTLS {
            settings.server = PortalWatcher.Server(
                host: first.host, port: first.port, trust: file.token.authority.trust, timeFloor: file.writtenAt)
        }
        let names = LinkNames(bus: settings.bus, loop: networkLoop, log: log.part("names"))
        let session = try AgentSession(settings: settings, loop: sessionLoop, names: names, log: log) { _, _ in }
        await session.begin()
        return Watching(session: session, names: names, loops: [sessionLoop, networkLoop])
    }
}
