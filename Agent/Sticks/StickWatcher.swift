import HTTP
package import Logging
import Netlink
package import Posix
import Web
package import Wire

/// Tells of this board's HiLink sticks whenever one of them changes. Each is asked over its own interface (SO_BINDTODEVICE): several of
/// one make have the same address.
package actor StickWatcher {
    package nonisolated let loop: Loop
    /// The sticks, whenever they change; a slow reader gets the latest only.
    package nonisolated let snapshots: AsyncStream<[Stick]>
    private let out: AsyncStream<[Stick]>.Continuation
    private let named: Set<String>
    private let sysfs: String
    private let pace: Int
    private let log: Log
    /// By the interface's name.
    private var watched: [String: Watched] = [:]
    private var told: [Stick] = []
    private var resets: Set<String> = []
    private nonisolated let own = Guarded<[Int: OwnTraffic]>([:])

    /// What our questions have carried, by the interfaces' indices, since each link came up. Any thread.
    package nonisolated var ownTraffic: [Int: OwnTraffic] { own.withLock { $0 } }

    package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    private struct Watched {
        let index: Int
        var talk: StickTalk
        var address: String?
        /// As of the end of its last round: within one it is half known.
        var shown: Stick?
        var task: Task<Void, Never>?
    }

    /// A stick answers within milliseconds, and within a second while it looks for a network.
    private static let connectTime = Duration.seconds(2)
    private static let answerTime = Duration.seconds(3)

    /// - Parameters:
    ///   - named: interfaces that are taken for sticks whatever they are.
    ///   - pace: how many times faster than on a board it asks again, for tests.
    package init(loop: Loop, named: [String], log: Log, sysfs: String = "/sys", pace: Int = 1) {
        let (snapshots, continuation) = AsyncStream.makeStream(of: [Stick].self, bufferingPolicy: .bufferingNewest(1))
        self.snapshots = snapshots
        out = continuation
        self.loop = loop
        self.named = Set(named)
        self.log = log
        self.sysfs = sysfs
        self.pace = pace
    }

    /// - Parameters:
    ///   - links: as they are now; one that is not up is not asked.
    ///   - indices: of the links, by name.
    ///   - taken: interfaces of modems that ModemManager has.
    package func update(links: [Link], indices: [String: Int], taken: Set<String>) {
        let up = links.filter { $0.state == .up && !taken.contains($0.name) }.compactMap { link in
            indices[link.name].map { (link.name, $0) }
        }
        let present = Dictionary(up) { $1 }
        for (name, one) in watched where present[name] != one.index {
            one.task?.cancel()
            watched[name] = nil
            own.withLock { $0[one.index] = nil }
        }
        for (name, index) in up where watched[name] == nil {
            let isNamed = named.contains(name)
            guard isNamed || StickClues.isStick(name, sysfs: sysfs) else { continue }
            watched[name] = Watched(index: index, talk: StickTalk(isNamed: isNamed))
            watched[name]?.task = Task { [weak self] in await self?.watch(name, index) }
        }
        publish()
    }

    /// Ends all questions.
    package func end() {
        for one in watched.values { one.task?.cancel() }
        watched = [:]
        out.finish()
    }

    private func watch(_ name: String, _ index: Int) async {
        while !Task.isCancelled, watched[name]?.index == index {
            if watched[name]?.talk.isOpen == false { findGateway(name, index) }
            guard let step = watched[name]?.talk.next() else { return }
            switch step {
            case .ask(let page):
                guard let one = watched[name], let address = one.address else { return }
                let answer = await ask(page, over: name, at: address, one.talk.session)
                guard !Task.isCancelled, watched[name]?.index == index else { return }
                watched[name]?.talk.take(answer)
            case .wait(let pause):
                if let one = watched[name] {
                    watched[name]?.shown = one.talk.figures(link: name, address: one.address).map {
                        Stick(link: name, index: index, figures: $0, simNumber: one.talk.simNumber)
                    }
                }
                publish()
                do { try await loop.sleep(for: pause / pace) } catch { return }  // Cancelled: the interface is gone.
            }
        }
    }

    private func findGateway(_ name: String, _ index: Int) {
        do {
            watched[name]?.address = StickClues.gateway(of: index, in: try RouteSocket.list(.routes))?.host
        } catch {
            // They changed while they were read: where it was before is the best there is.
            log.debug("routes cannot be read", ["reason": .text("\(error)")])
        }
        if watched[name]?.address == nil { watched[name]?.talk.unreachable("there is no private gateway on \(name)") }
    }

    private func ask(
        _ page: StickPage, over name: String, at address: String, _ session: StickTalk.Session?, order: String? = nil
    ) async -> StickAnswer {
        var options = ClientOptions()
        options.bindToDevice = name
        options.connectTimeout = Self.connectTime
        options.responseTimeout = Self.answerTime
        options.bodyLimit = FlatXML.byteLimit
        var headers: Headers = [:]
        if let session { headers["Cookie"] = session.cookie }
        if order != nil {
            headers["Content-Type"] = "text/xml"
            headers["__RequestVerificationToken"] = session?.token
        }
        let index = watched[name]?.index
        do {
            let response = try await Client(loop: loop, options: options).request(
                order == nil ? .get : .post, "http://\(address)\(page.rawValue)", headers: headers, body: order.map { Array($0.utf8) })
            if let index, watched[name]?.index == index {
                own.withLock { $0[index, default: OwnTraffic()].add(question: response.sentBytes, answer: response.receivedBytes) }
            }
            return StickAnswer(status: response.status.code, body: response.body)
        } catch ClientError.timedOut(let what) {
            return .silent("timed out \(what.bounded(to: 80))")
        } catch ClientError.unreachable(let reason) {
            return .closed(reason.bounded(to: 120))
        } catch {
            return .foreign("\(error)".bounded(to: 120))
        }
    }

    // MARK: What it tells

    private func publish() {
        let sticks = watched.sorted { $0.key < $1.key }.compactMap(\.value.shown)
        guard sticks != told else { return }
        say(of: sticks)
        told = sticks
        out.yield(sticks)
    }

    private func say(of sticks: [Stick]) {
        let before = Dictionary(told.map { ($0.link, $0.figures) }) { $1 }
        for stick in sticks {
            let (old, new) = (before[stick.link], stick.figures)
            guard old?.state != new.state || old?.reason != new.reason || old?.id != new.id else { continue }
            log.notice(
                "a stick has changed",
                [
                    "link": .text(stick.link), "modem": .text(new.model), "id": .text(new.id), "state": .text(new.state.rawValue),
                    "reason": .text(new.reason ?? ""),
                ])
        }
        for (link, figures) in before where !sticks.contains(where: { $0.link == link }) {
            log.notice("a stick is gone", ["link": .text(link), "modem": .text(figures.model), "id": .text(figures.id)])
        }
    }
}

// MARK: - Restart

/// Why a stick did not do what a person wanted.
package struct StickFault: Error, Sendable {
    /// For a person.
    package let reason: String
}

extension StickWatcher {
    /// Restarts a stick: its interface goes and comes back. All of it is shorter than the patience of whoever ordered it
    /// (`WireLimits.commandSeconds`): a connection and an answer, first for the session, then for the order.
    package func reset(_ stick: Stick) async throws(StickFault) {
        guard resets.insert(stick.link).inserted else { throw StickFault(reason: "it is being reset") }
        defer { resets.remove(stick.link) }
        guard let one = watched[stick.link], one.index == stick.index, let address = one.address else {
            throw StickFault(reason: "it is gone")
        }
        log.notice("a stick is reset", ["link": .text(stick.link), "modem": .text(stick.figures.model), "id": .text(stick.figures.id)])
        // A session of its own: the token of one is good for one order.
        let opened = await ask(.session, over: stick.link, at: address, nil)
        let session = StickTalk.Session(opened)
        if session == nil, case .failure(let error) = opened, !error.isUnsupported {
            throw StickFault(reason: "it cannot be reset: \(error.words)")
        }
        let order = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><request><Control>1</Control></request>"
        let answer = await ask(.control, over: stick.link, at: address, session, order: order)
        watched[stick.link]?.talk.restarted()
        switch answer {
        case .text("OK"), .values: return
        case .failure(let error) where error.wantsLogin:
            throw StickFault(reason: "it cannot be reset: it asks for a login, which its page http://\(address) lets you switch off")
        case .failure(let error): throw StickFault(reason: "it cannot be reset: \(error.words)")
        case .text(let words): throw StickFault(reason: "it cannot be reset: it says \(words)")
        case .foreign(let words), .closed(let words), .silent(let words):
            throw StickFault(reason: "it did not answer the order: \(words)")
        }
    }
}
