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
    private var contesting: LoopTimer?
    private var retry: LoopTimer?
    private var refusals = RouteRefusals()
    private let ask: (RouteChange) throws -> Void
    private var isOver = false

    /// Routes change in groups.
    private static let pause = Duration.milliseconds(100)
    /// Before a rule that was removed is set again: whoever removes it at once each time has to work for it no more than we do.
    private static let contestPause = Duration.seconds(2)
    /// Before a change that was refused is asked for again.
    private static let patience = Duration.seconds(5)

    /// - Throws: `SystemError` where no netlink socket can be opened.
    package convenience init(loop: Loop, log: Log) throws { try self.init(loop: loop, log: log, ask: RouteSocket.carryOut) }

    /// - Parameter ask: asks the kernel for one change, throws `SystemError`.
    init(loop: Loop, log: Log, ask: @escaping (RouteChange) throws -> Void) throws {
        self.loop = loop
        self.log = log
        self.ask = ask
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

    /// Removes all of it, whatever was refused before.
    package func end() {
        loop.run { [self] in
            isOver = true
            watch?.cancel()
            watch = nil
            timer?.cancel()
            timer = nil
            contesting?.cancel()
            contesting = nil
            retry?.cancel()
            retry = nil
            links = [:]
            // Where routes change meanwhile there is no later.
            var attempts = 3
            while attempts > 0, !reconcile() { attempts -= 1 }
        }
    }

    private func hear() {
        do {
            while true {
                switch try socket.receive() {
                case .messages(let messages):
                    if messages.contains(where: Self.isForeign) { later() }
                    if messages.contains(where: Self.isOwnRuleGone) { contest() }
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

    /// By us, or by somebody who thinks that all rules are his, as systemd-networkd does by default.
    private static func isOwnRuleGone(_ message: RouteMessage) -> Bool {
        if case .ruleGone(let rule) = message { OwnRoutes.isOurs(rule) } else { false }
    }

    /// A timer of its own: a change of routes does not wait for it.
    private func contest() {
        guard refusals.isAllowed, !isOver, contesting == nil else { return }
        contesting = loop.timer(after: Self.contestPause) { [weak self] in
            self?.contesting = nil
            self?.reconcile()
        }
    }

    private func later() {
        guard refusals.isAllowed, !isOver, timer == nil else { return }
        timer = loop.timer(after: Self.pause) { [weak self] in
            self?.timer = nil
            self?.reconcile()
        }
    }

    /// - Returns: false where they changed while they were read.
    @discardableResult
    private func reconcile() -> Bool {
        do {
            let messages = try RouteSocket.list(.routes) + Self.rules()
            let present = OwnRoutes(of: messages)
            carryOut(OwnRoutes(links: links, from: messages).changes(from: present), present)
        } catch let error as SystemError where error.code == EAGAIN {
            later()
            return false
        } catch {
            log.warning("routes cannot be read", ["reason": .text("\(error)")])
        }
        return true
    }

    private static func rules() throws -> [RouteMessage] {
        do {
            return try RouteSocket.list(.rules)
        } catch let error as SystemError where error.code == EOPNOTSUPP {
            // A kernel without policy routing has none.
            return []
        }
    }

    private func carryOut(_ changes: [RouteChange], _ present: OwnRoutes) {
        let wasAllowed = refusals.isAllowed
        let refused = refusals.carryOut(changes, by: ask)
        if wasAllowed, !refusals.isAllowed {
            log.notice("links have no routing tables of their own: that takes CAP_NET_ADMIN")
            // Nobody looks after them any more: a link that was given another gateway since goes on by the one before.
            if let words = present.words {
                log.warning(
                    "an earlier run left routing rules and tables that this one may not change: links may go by routes that are no more",
                    ["left": .text(words), "remedy": .text(OwnRoutes.remedy)])
            }
        }
        for refusal in refused {
            log.warning(
                "a link's own route could not be changed", ["route": .text(refusal.change.words), "reason": .text(refusal.reason)])
        }
        guard !refused.isEmpty, refusals.isAllowed, !isOver, retry == nil else { return }
        // Once: what is refused again waits for the next change of routes.
        retry = loop.timer(after: Self.patience) { [weak self] in
            self?.retry = nil
            self?.reconcile()
        }
    }
}
