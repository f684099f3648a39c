import DNS
package import Logging
package import Posix

/// Finds the addresses of hosts over every link of the board at once, each pinned to its interface and by the link's own name
/// servers, and by the system's resolver beside them.
///
/// The first good answer ends the wait; what comes later is kept for the next time. Where nobody answers, the addresses of before
/// are used. On its loop.
package actor LinkNames {
    package nonisolated let loop: Loop
    private let directory: ServerDirectory
    private let log: Log
    private var links: [String] = []
    /// Of bearers, by interface: no directory knows them where the agent has connected the modem itself.
    private var bearers: [String: [SocketAddress]] = [:]
    private var networkManager: [String: [SocketAddress]] = [:]
    private var resolved: [String: [SocketAddress]] = [:]
    private var book = NameBook()
    private var searches: [Int: Search] = [:]
    private var serial = 0
    private var saysStale = false
    private var isOver = false

    package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    private struct Search {
        let host: String
        let port: Int
        /// The book's number when it began.
        let number: Int
        /// Ways that have not answered.
        var waiting = 1
        var queries: [NameQuery] = []
        var hasAnswer = false
        var reasons: [String] = []
        var continuation: CheckedContinuation<[SocketAddress], any Error>?
        var timers: [LoopTimer] = []
    }

    /// Other links' answers are waited for after the first one: one that lies is rarely alone.
    private static let grace = Duration.milliseconds(100)
    /// Then the addresses of before are used, where there are any.
    private static let patience = Duration.seconds(1)
    private static let limit = Duration.milliseconds(3500)
    /// Then nobody is listened to any more.
    private static let end = Duration.seconds(8)
    /// At the same time: the sixteen receivers of a plan, control and its proxy.
    private static let searchLimit = 20
    private static let linkLimit = 32
    /// Of a link that are asked, and questions of one search.
    private static let serverLimit = 3
    private static let queryLimit = 96

    /// - Parameter bus: the address of the system's bus.
    package init(bus: String, loop: Loop, log: Log) {
        self.loop = loop
        self.log = log
        directory = ServerDirectory(address: bus, loop: loop)
    }

    /// For whoever connects to hosts.
    package nonisolated var lookup: NameLookup {
        NameLookup(
            find: { [self] host, port in try await find(host, port) },
            judged: { [self] address, isRight in loop.submit { self.assumeIsolated { $0.book.judged(address, isRight: isRight) } } })
    }

    /// The links that are up, best first; from any thread.
    package nonisolated func update(links: [String]) {
        loop.submit {
            self.assumeIsolated { names in
                let new = links.prefix(Self.linkLimit).filter { !names.links.contains($0) }
                names.links = Array(links.prefix(Self.linkLimit))
                for link in new { names.join(link) }
            }
        }
    }

    /// The name servers that a modem's network gave it; from any thread.
    package nonisolated func update(bearer interface: String, servers: [String]) {
        let servers = LinkServers.ofBearer(servers)
        loop.submit {
            self.assumeIsolated { names in
                // An interface that is gone is not asked over: what is left here of it does no harm.
                guard names.bearers.count < 64 || names.bearers[interface] != nil else { return }
                guard names.bearers.updateValue(servers, forKey: interface) != servers, names.links.contains(interface) else { return }
                names.join(interface)
            }
        }
    }

    /// Ends every search: nobody who asked is answered after it.
    package func close() {
        isOver = true
        for id in Array(searches.keys) { settle(id) }
        for search in searches.values {
            for query in search.queries { query.cancel() }
            for timer in search.timers { timer.cancel() }
        }
        searches = [:]
    }

    private func find(_ host: String, _ port: Int) async throws -> [SocketAddress] {
        if let literal = SocketAddress(host, port: port) { return [literal] }
        guard (0...65535).contains(port), (1...254).contains(host.utf8.count), !host.utf8.contains(0) else {
            throw ResolveError(host: host, reason: "not a host name and port")
        }
        let told = await directory.ask()
        if let value = told.networkManager { networkManager = LinkServers.ofNetworkManager(value) }
        if let value = told.resolved { resolved = LinkServers.ofResolved(value, name: interfaceName) }
        guard !isOver else { throw CancellationError() }
        guard searches.count < Self.searchLimit else {
            let known = book.addresses(of: host, since: book.number)
            guard !known.isEmpty else { throw ResolveError(host: host, reason: "\(Self.searchLimit) look-ups run already") }
            return known.map { $0.with(port: port) }
        }
        return try await withCheckedThrowingContinuation { begin(host, port, $0) }
    }

    // MARK: One search

    private func begin(_ host: String, _ port: Int, _ continuation: CheckedContinuation<[SocketAddress], any Error>) {
        serial += 1
        let id = serial
        var search = Search(host: host, port: port, number: book.number)
        search.continuation = continuation
        search.timers = [
            loop.timer(after: Self.patience) { [weak self] in self?.assumeIsolated { $0.lostPatience(id) } },
            loop.timer(after: Self.limit) { [weak self] in self?.assumeIsolated { $0.settle(id) } },
            loop.timer(after: Self.end) { [weak self] in self?.assumeIsolated { $0.forget(id) } },
        ]
        searches[id] = search
        for link in links { ask(id, over: link) }
        Task {
            do {
                heard(id, .system, .success(try await resolve(host: host, port: port)))
            } catch {
                heard(id, .system, .failure(Reason(description: "\(error)")))
            }
        }
    }

    /// A link that has come, or has other name servers now, is asked at once for what is searched for.
    private func join(_ link: String) {
        for id in Array(searches.keys) { ask(id, over: link) }
    }

    /// Each of its name servers by itself: one that is dead or talks nonsense holds up none of the others.
    private func ask(_ id: Int, over link: String) {
        let own = servers(of: link)
        for servers in own.isEmpty ? [[]] : own.prefix(Self.serverLimit).map({ [$0] }) {
            guard let search = searches[id], search.queries.count < Self.queryLimit else { return }
            let query = NameQuery(host: search.host, servers: servers, device: link, loop: loop) { [weak self] answer in
                self?.assumeIsolated { $0.heard(id, over: link, answer) }
            }
            searches[id]?.queries.append(query)
            searches[id]?.waiting += 1
            query.start()
        }
    }

    private func heard(_ id: Int, over link: String, _ answer: NameQuery.Answer) {
        switch answer {
        case .success(let addresses): heard(id, .link(link), .success(addresses.filter(\.canBeElsewhere)))
        case .failure(let error): heard(id, .link(link), .failure(Reason(description: error.reason)))
        }
    }

    private func servers(of link: String) -> [SocketAddress] {
        for source in [bearers, networkManager, resolved] {
            if let servers = source[link], !servers.isEmpty { return servers }
        }
        return []
    }

    private func heard(_ id: Int, _ way: NameWay, _ answer: Heard) {
        guard var search = searches[id] else { return }
        search.waiting -= 1
        switch answer {
        case .success(let addresses) where !addresses.isEmpty:
            book.heard(search.host, way, addresses)
            if !search.hasAnswer {
                search.timers.append(loop.timer(after: Self.grace) { [weak self] in self?.assumeIsolated { $0.settle(id) } })
            }
            search.hasAnswer = true
        case .success: search.reasons.append("\(way): no address that can be right")
        case .failure(let reason): search.reasons.append("\(way): \(reason)")
        }
        searches[id] = search
        if search.waiting == 0 { forget(id) }
    }

    private func lostPatience(_ id: Int) {
        guard let search = searches[id], !book.addresses(of: search.host, since: search.number).isEmpty else { return }
        settle(id)
    }

    /// Answers whoever waits.
    private func settle(_ id: Int) {
        guard let search = searches[id], let continuation = search.continuation else { return }
        searches[id]?.continuation = nil
        let addresses = book.addresses(of: search.host, since: search.number)
        log.debug(
            "a name is looked up",
            [
                "host": .text(search.host), "addresses": .text("\(addresses)"), "fresh": .text("\(search.hasAnswer)"),
                "without": .text(search.reasons.joined(separator: "; ")),
            ])
        if !search.hasAnswer, !addresses.isEmpty, !saysStale {
            log.warning("no name server answers: the addresses of before are used", ["host": .text(search.host)])
        }
        saysStale = !search.hasAnswer
        if addresses.isEmpty {
            let reason = search.reasons.isEmpty ? "no name server answers" : search.reasons.joined(separator: "; ")
            continuation.resume(throwing: ResolveError(host: search.host, reason: String(reason.prefix(500))))
        } else {
            continuation.resume(returning: addresses.map { $0.with(port: search.port) })
        }
    }

    private func forget(_ id: Int) {
        settle(id)
        guard let search = searches.removeValue(forKey: id) else { return }
        for query in search.queries { query.cancel() }
        for timer in search.timers { timer.cancel() }
    }
}

/// What one way said.
private typealias Heard = Result<[SocketAddress], Reason>

private struct Reason: Error, CustomStringConvertible {
    let description: String
}

extension NameWay: CustomStringConvertible {
    package var description: String {
        switch self {
        case .link(let name): name
        case .system: "the system's resolver"
        }
    }
}

extension SocketAddress {
    fileprivate func with(port: Int) -> SocketAddress {
        var address = self
        address.port = port
        return address
    }

    /// Whether another machine can have it: a name server that says anything else lies, or means its own.
    fileprivate var canBeElsewhere: Bool { !Self.nowhere.contains { $0.contains(unmapped) } }

    /// Source: RFC 6890: this network, loopback, link-local (which needs its link), multicast, broadcast.
    private static let nowhere = ["0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3", "::/127", "fe80::/10", "ff00::/8"]
        .compactMap { AddressRange($0) }
}
