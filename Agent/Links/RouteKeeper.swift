import Glibc
package import Logging
import Netlink
package import Posix

/// Keeps a routing table and a rule for each link, where the program may (CAP_NET_ADMIN).
///
/// It compares what there is to what there should be, so that what a crash left behind goes at the next start. On its loop.
package final class RouteKeeper: @unchecked Sendable {
    // Sendable: everything is touched on the loop's thread only.
    private let loop: Loop
    private let log: Log
    private let socket: RouteSocket
    private var links: [Int: String] = [:]
    private var watch: Watch?
    private var timer: LoopTimer?
    private var isAllowed = true

    /// Routes change in groups.
    private static let pause = Duration.milliseconds(100)

    /// - Throws: `SystemError` where no netlink socket can be opened.
    package init(loop: Loop, log: Log) throws {
        self.loop = loop
        self.log = log
        socket = try RouteSocket(hearsRoutes: true)
    }

    /// Begins, and removes what another one left.
    package func begin() {
        loop.run { [self] in
            do {
                watch = try loop.watch(socket.descriptor, .read) { [weak self] _ in self?.hear() }
            } catch {
                log.error("routes cannot be watched", ["error": "\(error)"])
            }
            later()
        }
    }

    /// - Parameter indices: of the links that are there, by name.
    package func update(_ indices: [String: Int]) {
        loop.run { [self] in
            links = Dictionary(indices.map { ($0.value, $0.key) }) { $1 }
            later()
        }
    }

    /// Removes all of it.
    package func end() {
        loop.run { [self] in
            watch?.cancel()
            watch = nil
            timer?.cancel()
            timer = nil
            guard isAllowed else { return }
            links = [:]
            reconcile()
            isAllowed = false
        }
    }

    private func hear() {
        do {
            while true {
                switch try socket.receive() {
                case .messages(let messages): if messages.contains(where: Self.isForeign) { later() }
                case .overrun: later()
                case .nothing: return
                }
            }
        } catch {
            log.error("routes cannot be watched any more", ["error": "\(error)"])
            watch?.cancel()
            watch = nil
        }
    }

    /// Not what we did ourselves.
    private static func isForeign(_ message: RouteMessage) -> Bool {
        switch message {
        case .route(let route), .routeGone(let route): route.table == RouteEntry.mainTable
        default: false
        }
    }

    private func later() {
        guard isAllowed, timer == nil else { return }
        timer = loop.timer(after: Self.pause) { [weak self] in
            self?.timer = nil
            self?.reconcile()
        }
    }

    private func reconcile() {
        do {
            let messages = try RouteSocket.list(.routes) + RouteSocket.list(.rules)
            let wanted = OwnRoutes(links: links, from: messages)
            for change in wanted.changes(from: OwnRoutes(of: messages)) { try carryOut(change) }
        } catch let error as SystemError where error.code == EAGAIN {
            later()
        } catch let error as SystemError where error.code == EPERM || error.code == EACCES {
            isAllowed = false
            log.notice("links have no routing tables of their own: that takes CAP_NET_ADMIN")
        } catch {
            log.warning("links' own routes could not be set", ["reason": .text("\(error)")])
        }
    }

    private func carryOut(_ change: RouteChange) throws {
        do {
            try RouteSocket.carryOut(change)
        } catch let error as SystemError {
            switch (change, error.code) {
            // It went, or came, meanwhile.
            case (.noRoute, ESRCH), (.noRule, ENOENT), (.rule, EEXIST), (.route, ENODEV), (.route, ENETDOWN), (.noRoute, ENODEV): break
            default: throw error
            }
        }
    }
}
