import HTTP
package import Logging
package import Posix
package import TLS
import Web
package import Wire

/// Tells what is in the way on links over which the server does not answer: sign-in pages, and whoever answers in its place.
///
/// It asks the server itself, over the link alone (SO_BINDTODEVICE): TLS at its own port, and where that does not end at the server, plain HTTP
/// at port 80 of the same host, which a sign-in page intercepts to whomever it goes. No redirect is followed, nothing secret is sent, and
/// nobody else is asked.
package actor PortalWatcher {
    /// Whom it asks.
    package struct Server: Sendable {
        package var host: String
        package var port: Int
        package var trust: Trust
        package var timeFloor: Int
        /// Of port 80, but for tests that may not have it.
        package var pagePort: Int

        package init(host: String, port: Int, trust: Trust, timeFloor: Int, pagePort: Int = 80) {
            self.host = host
            self.port = port
            self.trust = trust
            self.timeFloor = timeFloor
            self.pagePort = pagePort
        }

        var authority: String { host.contains(":") ? "[\(host)]" : host }
    }

    package nonisolated let loop: Loop
    /// What is in the way, by the links' names, whenever it changes; a slow reader gets the latest only.
    package nonisolated let snapshots: AsyncStream<[String: Obstacle]>
    private let out: AsyncStream<[String: Obstacle]>.Continuation
    private let server: Server
    private let log: Log
    private var rounds: Rounds
    /// A link that reaches the server.
    private var comparison: String?
    /// The last one that a look reached it over.
    private var reached: String?
    /// Where the server answered last; with port 0.
    private var known: SocketAddress?
    private var told: [String: Obstacle] = [:]
    private var work: Task<Void, Never>?
    private var timer: LoopTimer?
    private var isOver = false

    package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    private static let connectTime = Duration.seconds(4)
    private static let answerTime = Duration.seconds(4)
    private static let bodyLimit = 64 << 10

    /// - Parameter pace: how many times faster than on a board it looks again, for tests.
    package init(server: Server, loop: Loop, log: Log, pace: Int = 1) {
        rounds = Rounds(pace: pace)
        let (snapshots, continuation) = AsyncStream.makeStream(of: [String: Obstacle].self, bufferingPolicy: .bufferingNewest(1))
        self.snapshots = snapshots
        out = continuation
        self.server = server
        self.loop = loop
        self.log = log
    }

    /// - Parameters:
    ///   - links: as they are now.
    ///   - proven: those over which the server or a receiver answers now: nothing is in their way.
    ///   - control: the one of them that reaches the server; nil where none does.
    package func update(links: [Link], proven: Set<String>, control: String?) {
        rounds.update(links, proven: proven, at: .now)
        comparison = control
        publish()
        schedule()
    }

    package func end() {
        isOver = true
        work?.cancel()
        timer?.cancel()
        out.finish()
    }

    private func schedule() {
        timer?.cancel()
        timer = nil
        guard work == nil, !isOver, let next = rounds.next else { return }
        timer = loop.timer(after: max(.zero, next - .now)) { [weak self] in self?.assumeIsolated { $0.look() } }
    }

    /// One link at a time.
    private func look() {
        guard work == nil, !isOver else { return }
        guard let link = rounds.due(at: .now) else { return schedule() }
        work = Task {
            let obstacle = await examine(link)
            work = nil
            guard !isOver else { return }
            rounds.looked(at: link, obstacle, at: .now)
            publish()
            schedule()
        }
    }

    private func publish() {
        let obstacles = rounds.obstacles
        guard obstacles != told else { return }
        for (link, obstacle) in obstacles where told[link] != obstacle {
            log.warning("something is in the way of a link", ["link": .text(link), "reason": .text(obstacle.words(on: link))])
        }
        for link in told.keys where obstacles[link] == nil { log.notice("nothing is in the way of a link any more", ["link": .text(link)]) }
        told = obstacles
        out.yield(obstacles)
    }

    // MARK: Looking

    private func examine(_ link: String) async -> Obstacle? {
        // The name of no page that a server has, so that one is nobody's but the network's.
        let path = "/strata-link-check-" + SystemRandom.bytes(8).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        var examination = Examination()
        examination.server = await askServer(path, over: link)
        if examination.server == .itself {
            reached = link
            return nil
        }
        if reached == link { reached = nil }
        examination.page = await askPage(path, over: link)
        if examination.isSuspicious, let other = comparison ?? reached, other != link { examination.usual = await usual(path, over: other) }
        return examination.obstacle
    }

    /// What the server's host says at port 80 over a link that reaches it; nil where it does not reach it now: its silence would say nothing.
    private func usual(_ path: String, over link: String) async -> PageSighting? {
        let page = await askPage(path, over: link)
        return await askServer(path, over: link) == .itself ? page : nil
    }

    /// - Throws: as `Client.request`.
    private func ask(_ method: HTTP.Method, _ url: String, over link: String) async throws -> ClientResponse {
        do {
            return try await client(over: link, at: nil).request(method, url)
        } catch {
            // No name service is one more thing that is in the way: where the server was is known all the same.
            guard Self.isOfName(error), let known else { throw error }
            return try await client(over: link, at: known).request(method, url)
        }
    }

    private static func isOfName(_ error: any Error) -> Bool {
        if case ClientError.timedOut(let what) = error { return what.hasPrefix("resolving") }
        return error is ResolveError
    }

    private func client(over link: String, at address: SocketAddress?) -> Client {
        var options = ClientOptions()
        options.trust = server.trust
        options.timeFloor = server.timeFloor
        options.bindToDevice = link
        options.addresses = address.map { [$0] }
        options.connectTimeout = Self.connectTime
        options.responseTimeout = Self.answerTime
        options.bodyLimit = Self.bodyLimit
        return Client(loop: loop, options: options)
    }

    private func askServer(_ path: String, over link: String) async -> ServerSighting {
        do {
            known = try await ask(.head, "https://\(server.authority):\(server.port)\(path)", over: link).address
            known?.port = 0
            return .itself
        } catch ClientError.untrusted(let reason) {
            return .somebodyElse(reason.bounded(to: 160))
        } catch {
            return .nothing
        }
    }

    private func askPage(_ path: String, over link: String) async -> PageSighting {
        do {
            let response = try await ask(.get, "http://\(server.authority):\(server.pagePort)\(path)", over: link)
            return PageSighting(status: response.status.code, location: response.headers["Location"], host: server.host)
        } catch ClientError.bodyTooLarge {
            // No answer to what is not there is as long.
            return .page
        } catch {
            return .ordinary
        }
    }
}
