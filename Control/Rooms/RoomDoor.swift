import FoundationEssentials
package import Logging
import Posix
import Units
package import Web
import Wire

/// Where a page's WebSocket becomes somebody in a room: a pass or a resume token first, then requests and what there is to tell, until
/// it ends.
package struct RoomDoor: Sendable {
    private let sessions: RoomSessions
    private let passes: RoomPasses
    private let log: Log
    /// Sockets of each network that have shown nothing yet.
    private let strangers = Guarded<[String: Int]>([:])

    /// In which the first message has to come.
    private static let entryLimit = Duration.seconds(10)
    /// Attempts of one socket: a token that is good no more, then the pass.
    private static let attempts = 3
    private static let strangersOfNetwork = 100
    private static let strangersOfAll = 2000
    private static let aliveInterval = Duration.seconds(2)
    /// Between two looks for what is new: what changes together is told together.
    private static let pace = Duration.milliseconds(20)

    package init(sessions: RoomSessions, passes: RoomPasses, log: Log) {
        self.sessions = sessions
        self.passes = passes
        self.log = log.part("rooms")
    }

    /// A page that is silent for 5 s and then for 5 s more is gone; one whose system still answers is only slow.
    package static var webSocket: WebSocketOptions {
        var options = WebSocketOptions()
        options.messageLimit = WireLimits.roomMessageBytes
        options.pingInterval = .seconds(5)
        options.pongTimeout = .seconds(5)
        return options
    }

    /// Serves one socket until it ends.
    ///
    /// - Parameter isGood: whether the room of a pass is there still, and the session of its holder's account.
    package func serve(_ socket: WebSocket, isGood: @escaping @Sendable (RoomPass) async -> Bool) async {
        let network = socket.remote.unmapped.network.host
        guard enter(network) else { return await socket.close(.tryAgainLater, "too many connections have shown no pass yet") }
        let admitted = await admit(socket, isGood)
        leave(network)
        guard let (admission, since) = admitted else { return await socket.close(.policyViolation, "nobody was let in") }
        if let stay = await admission.session.stay(of: admission.participant) {
            // try?: cancelled, the connection is over.
            _ = try? await Task.sleep(for: stay)
        }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await listen(socket, admission) }
            group.addTask { await tell(socket, admission, since) }
            group.addTask { await keepAlive(socket) }
            await group.next()
            group.cancelAll()
        }
        guard let reason = await admission.session.dropped(admission.connection) else { return await socket.close(.normal) }
        socket.trySend(Self.text(.over(RoomOver(reason: reason))))
        await socket.close([.removed, .signedOut].contains(reason) ? .policyViolation : .normal, reason.rawValue)
    }

    private func enter(_ network: String) -> Bool {
        strangers.withLock { counts in
            guard counts[network, default: 0] < Self.strangersOfNetwork, counts.values.reduce(0, +) < Self.strangersOfAll else {
                return false
            }
            counts[network, default: 0] += 1
            return true
        }
    }

    private func leave(_ network: String) {
        strangers.withLock { counts in
            let left = counts[network, default: 1] - 1
            counts[network] = left > 0 ? left : nil
        }
    }

    // MARK: Coming in

    /// - Returns: who it is and the last change that they have; nil where the socket is to be closed.
    private func admit(
        _ socket: WebSocket, _ isGood: @Sendable (RoomPass) async -> Bool
    ) async -> (RoomSession.Admission, since: Int?)? {
        let end = Instant.now + Self.entryLimit
        for _ in 0..<Self.attempts {
            // try?: what ended the socket is no news of anybody's. The time is the message's alone: whoever is let in is not forgotten at
            // its end.
            guard let request = try? await Self.within(end - Instant.now, { try await Self.request(from: socket) }) else { return nil }
            do {
                let (admission, since) = try await open(request.order, isGood)
                if await send(.done(RoomDone(id: request.id, entry: admission.entry)), to: socket) { return (admission, since) }
                _ = await admission.session.dropped(admission.connection)
                return nil
            } catch {
                log.info("a page was not let into a room", ["reason": "\(error.reason)", "remote": "\(socket.remote)"])
                let refused = RoomRefused(id: request.id, reason: error.reason, text: error.text)
                guard await send(.refused(refused), to: socket) else { return nil }
            }
        }
        return nil
    }

    private func open(
        _ order: RoomOrder, _ isGood: @Sendable (RoomPass) async -> Bool
    ) async throws(RoomRefusal) -> (RoomSession.Admission, since: Int?) {
        switch order {
        case .join(let join):
            // The same for a pass that is none, of another purpose or over, and for a room that is no more.
            let refusal = RoomRefusal(.pass, "this pass lets nobody in: it is over, or its room is no more")
            guard let pass = passes.read(join.token.secret, at: unixMilliseconds() / 1000), pass.use == .join else { throw refusal }
            guard await isGood(pass) else { throw refusal }
            let admission = try await sessions.join(pass)
            // Once more: what ended meanwhile has not found it in the room.
            guard await isGood(pass) else {
                await admission.session.expel(admission.participant)
                _ = await admission.session.dropped(admission.connection)
                throw refusal
            }
            return (admission, nil)
        case .resume(let resume): return (try await sessions.resume(resume.token.secret), resume.seq)
        default: throw RoomRefusal(.order, "join or resume comes first")
        }
    }

    // MARK: Being in

    /// One request after the other: a page that floods waits for itself.
    private func listen(_ socket: WebSocket, _ admission: RoomSession.Admission) async {
        var pace = MessagePace(perSecond: 20, burst: 100)
        // try?: a connection that broke is over; who it was keeps the seat for a while.
        while let request = try? await Self.request(from: socket) {
            let waits = [pace.take(at: .now), await admission.session.wait(for: request.order, by: admission.participant)]
            if let wait = waits.compactMap({ $0 }).max() {
                // try?: cancelled, the connection is over.
                guard (try? await Task.sleep(for: wait)) != nil else { return }
            }
            let answer = await admission.session.perform(request, over: admission.connection)
            guard await send(answer, to: socket) else { return }
            if case .leave = request.order, case .done = answer { return }
        }
    }

    /// Tells what there is, from the last change on that the page has, at the pace at which it reads.
    private func tell(_ socket: WebSocket, _ admission: RoomSession.Admission, _ since: Int?) async {
        var cursor = RoomState.Cursor(seq: since)
        for await _ in admission.wakes {
            let (messages, next) = await admission.session.next(of: admission.participant, after: cursor)
            cursor = next
            for message in messages {
                guard await send(message, to: socket) else { return }
            }
            // try?: cancelled, the connection is over.
            guard (try? await Task.sleep(for: Self.pace)) != nil else { return }
        }
    }

    private func keepAlive(_ socket: WebSocket) async {
        let alive = Self.text(.alive)
        // try?: cancelled with the connection.
        while (try? await Task.sleep(for: Self.aliveInterval)) != nil { socket.trySend(alive) }
    }

    // MARK: Messages

    /// - Returns: false where nobody is left to read it.
    private func send(_ message: RoomMessage, to socket: WebSocket) async -> Bool {
        // try?: that it broke is told by the answer.
        (try? await socket.send(Self.text(message))) != nil
    }

    /// The next request; nil at the end, and after what is none: the socket is told so.
    private static func request(from socket: WebSocket) async throws -> RoomRequest? {
        guard case .text(let text)? = try await socket.receive() else { return nil }
        do {
            return try JSONDecoder().decode(RoomRequest.self, from: Data(text.utf8))
        } catch {
            await socket.close(.unsupportedData, "malformed message")
            return nil
        }
    }

    private static func text(_ message: RoomMessage) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // try?: nothing of it is a number that JSON has not.
        guard let data = try? encoder.encode(message) else {
            preconditionFailure("our wire types encode: their fields are texts and integers")
        }
        return String(decoding: data, as: UTF8.self)
    }

    private static func within<Result: Sendable>(
        _ limit: Duration, _ body: @escaping @Sendable () async throws -> Result?
    ) async throws -> Result? {
        try await withThrowingTaskGroup(of: Result?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                try await Task.sleep(for: limit)
                return nil
            }
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
    }
}
