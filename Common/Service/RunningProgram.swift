package import Logging
package import Posix
package import Systemd

/// The parts of a program, in the order in which they were started, and its life until somebody ends it.
///
/// A Main starts its parts through `start`, then calls `untilStopped`; parts end in the reverse order. A part that
/// cannot start ends those before it.
package actor RunningProgram {
    private typealias Part = (name: StaticString, stop: @Sendable () async -> Void)

    private let loop: Loop
    private let log: Log
    private let notify: NotifySocket?
    private var parts: [Part] = []

    package init(loop: Loop, log: Log, notify: NotifySocket?) {
        self.loop = loop
        self.log = log
        self.notify = notify
    }

    /// Starts a part and keeps what ends it.
    ///
    /// - Throws: what `start` throws, after the earlier parts have ended.
    package func start<Value: Sendable>(
        _ name: StaticString, _ start: @Sendable () async throws -> Value, stop: @escaping @Sendable (Value) async -> Void
    ) async throws -> Value {
        do {
            let value = try await start()
            parts.append((name, { await stop(value) }))
            return value
        } catch {
            log.error("cannot start", ["what": "\(name)", "error": "\(error)"])
            await stopAll()
            throw error
        }
    }

    /// Says READY to systemd, serves its watchdog, and returns once SIGTERM or SIGINT came and every part has ended.
    ///
    /// - Parameter reload: what SIGHUP does; nil where it does nothing, which is said then.
    package func untilStopped(_ signals: Signals, reload: (@Sendable () async -> Void)? = nil) async {
        notify?.ready()
        log.notice("started")
        let watchdog = notify.flatMap { notify in notify.watchdogInterval.map { watch(notify, each: $0) } }
        for await signal in signals.events {
            if signal == .stop { break }
            guard let reload else {
                log.notice("SIGHUP changes nothing here: a changed configuration is read at the next start")
                continue
            }
            log.notice("reloading")
            await reload()
        }
        notify?.stopping()
        log.notice("stopping")
        await stopAll()
        watchdog?.cancel()
        log.notice("stopped")
    }

    private func stopAll() async {
        while let part = parts.popLast() {
            log.debug("stopping a part", ["what": "\(part.name)"])
            await part.stop()
        }
    }

    /// On the loop, so that the watchdog hears of a loop that hangs.
    private func watch(_ notify: NotifySocket, each interval: Duration) -> Task<Void, Never> {
        let loop = loop
        return loop.spawn {
            // Ends by cancellation only.
            while (try? await loop.sleep(for: interval)) != nil { notify.watchdog() }
        }
    }
}
