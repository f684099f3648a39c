package import ControlLink
package import Identity
package import Logging
package import Posix
import Wire

/// A pool host at work: its streams, and its connection to control.
package final class PoolService: Sendable {
    private let host: ReceiverHost
    private let control: ControlConnection<PoolMessage, PoolOrder>
    private let orders: Task<Void, Never>

    /// Adopts what runs, then dials control.
    ///
    /// - Throws: `SystemError` where the folders cannot be had.
    package init(settings: PoolSettings, identity: DeviceIdentity, loop: Loop, log: Log, times: ControlLinkTimes = ControlLinkTimes())
        async throws
    {
        let outgoing = Outgoing()
        var settings = settings
        let proxy = settings.proxy.map { ["--proxy", "http://\($0.host):\($0.port)"] } ?? []
        settings.control = ["--control", identity.server.text, "--authority", identity.authority.text] + proxy
        let previews = Previews(identity: identity, loop: loop, proxy: settings.proxy, log: log)
        let takes = try settings.recordings.map { folder in
            try Takes(folder, identity: identity, loop: loop, proxy: settings.proxy, log: log) { outgoing.send($0, .figures) }
        }
        let host = try ReceiverHost(
            settings: settings, loop: loop, log: log.part("host"), previews: previews, takes: takes, tell: { outgoing.send($0, $1) })
        let control = ControlConnection<PoolMessage, PoolOrder>(
            identity: identity, loop: loop, log: log.part("control"), times: times, proxy: settings.proxy,
            routes: { [.any] }, hello: { .hello(await host.hello()) }, outcome: { .outcome($0) })
        outgoing.control.withLock { $0 = control }
        try await host.adoptAll()
        self.host = host
        self.control = control
        orders = loop.spawn { await PoolService.carryOut(control, host, log) }
        await control.start()
    }

    /// Lets the receivers go on, for the next pool.
    package func stop() async {
        await control.stop()
        await orders.value
        await host.leave()
    }

    /// Each order in a task of its own: a lease that takes seconds holds nobody up; the host keeps what must be in order.
    private static func carryOut(_ control: ControlConnection<PoolMessage, PoolOrder>, _ host: ReceiverHost, _ log: Log) async {
        await withDiscardingTaskGroup { group in
            for await event in control.events {
                switch event {
                case .connected: await host.setControl(isThere: true)
                case .disconnected, .refused, .revoked: await host.setControl(isThere: false)
                case .order: break
                }
                if case .revoked = event { group.addTask { await host.releaseAll() } }
                guard case .order(let order, let id) = event else { continue }
                guard let id else {
                    log.warning("order without an id", ["type": .text(order.type)])
                    continue
                }
                group.addTask { control.answer(await host.carryOut(Command(id: id, order: order))) }
            }
        }
    }

    /// Where the host's messages go, once there is a connection to send them over.
    private final class Outgoing: Sendable {
        let control = Guarded<ControlConnection<PoolMessage, PoolOrder>?>(nil)

        func send(_ message: PoolMessage, _ importance: ReceiverHost.Importance) {
            let control = control.withLock { $0 }
            switch importance {
            case .figures: control?.trySend(message)
            case .change: control?.send(message)
            }
        }
    }
}
