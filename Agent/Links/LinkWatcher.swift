import Glibc
package import Logging
import Netlink
package import Posix
package import Wire

/// Tells of this board's links whenever one of them changes, as rtnetlink announces it.
package final class LinkWatcher: Sendable {
    /// The links, at first and after every change; a slow reader gets the latest only.
    package let snapshots: AsyncStream<[Link]>
    private let watch: Watching

    /// - Parameters:
    ///   - loop: where the socket is read.
    /// - Throws: `SystemError` where no netlink socket can be opened.
    package init(loop: Loop, policy: LinkPolicy, log: Log) throws {
        let (snapshots, continuation) = AsyncStream.makeStream(of: [Link].self, bufferingPolicy: .bufferingNewest(1))
        self.snapshots = snapshots
        watch = try Watching(loop: loop, policy: policy, log: log, out: continuation)
    }

    /// The links as last known; empty until the first dump is complete.
    package var links: [Link] { watch.latest.withLock { $0.links } }

    /// What the kernel had counted on each of them at the last change or `refresh`.
    package var counters: [InterfaceTelemetry] { watch.latest.withLock { $0.counters } }

    /// The kernel's index of each of them, by name.
    package var indices: [String: Int] { watch.latest.withLock { $0.indices } }

    /// Asks the kernel for all links again, counters with them.
    package func refresh() { watch.refresh() }

    deinit { watch.stop() }
}

/// The socket and the table; on the loop's thread but for `latest`.
private final class Watching: @unchecked Sendable {
    // Sendable: `socket`, `table` and the rest are touched on the loop's thread only; `latest` is behind its lock.
    let latest = Guarded((links: [Link](), indices: [String: Int](), counters: [InterfaceTelemetry]()))
    private let loop: Loop
    private let log: Log
    private let out: AsyncStream<[Link]>.Continuation
    private let socket: RouteSocket
    private var table: LinkTable
    private var watch: Watch?
    private var dump = Dump.idle
    private var mustDumpAgain = false
    private var isComplete = false
    private var isFirst = true

    private enum Dump { case idle, links, addresses }

    init(loop: Loop, policy: LinkPolicy, log: Log, out: AsyncStream<[Link]>.Continuation) throws {
        self.loop = loop
        self.log = log
        self.out = out
        socket = try RouteSocket()
        table = LinkTable(policy: policy) { LinkClues(interface: $0) }
        loop.run { [self] in begin() }
    }

    func refresh() { loop.run { [weak self] in self?.beginDump() } }

    func stop() {
        out.finish()
        loop.run { [self] in
            watch?.cancel()
            watch = nil
        }
    }

    private func begin() {
        do {
            watch = try loop.watch(socket.descriptor, .read) { [weak self] _ in self?.receive() }
        } catch {
            log.error("network links cannot be watched", ["error": "\(error)"])
        }
        beginDump()
    }

    private func beginDump() {
        guard dump == .idle else {
            mustDumpAgain = true
            return
        }
        mustDumpAgain = false
        table.beginDump()
        ask(.links, .links)
    }

    private func ask(_ request: RouteSocket.Dump, _ next: Dump) {
        do {
            try socket.request(request)
            dump = next
        } catch {
            // Without memory in the kernel: the next change is heard all the same, so ask again a little later.
            log.warning("network links could not be listed", ["error": "\(error)"])
            retryLater()
        }
    }

    private func retryLater() {
        dump = .idle
        loop.timer(after: .seconds(1)) { [weak self] in self?.beginDump() }
    }

    private func receive() {
        do {
            while true {
                switch try socket.receive() {
                case .messages(let messages): messages.forEach(take)
                case .overrun:
                    log.notice("network changes came too fast, all links are listed again")
                    mustDumpAgain = true
                    if dump == .idle { beginDump() }
                case .nothing: return publish()
                }
            }
        } catch {
            log.error("network links cannot be read", ["error": "\(error)"])
            watch?.cancel()
            watch = nil
        }
    }

    private func take(_ message: RouteMessage) {
        switch message {
        case .done: dumped()
        case .failed(let code) where code == Int(EINTR):
            // The kernel marks a dump that changed on the way; its end still comes.
            mustDumpAgain = true
        case .failed(let code):
            log.warning("network links could not be listed", ["errno": .integer(code)])
            if dump != .idle { retryLater() }
        default: table.apply(message)
        }
    }

    private func dumped() {
        switch dump {
        case .links: ask(.addresses, .addresses)
        case .addresses:
            dump = .idle
            if mustDumpAgain { return beginDump() }
            table.endDump()
            isComplete = true
        case .idle: break
        }
    }

    private func publish() {
        guard isComplete else { return }
        let links = table.links
        let (indices, counters) = (table.indices, table.counters)
        let isChanged = latest.withLock { latest in
            defer { latest = (links, indices, counters) }
            return latest.links != links || latest.indices != indices
        }
        if isChanged || isFirst { out.yield(links) }
        isFirst = false
    }
}
