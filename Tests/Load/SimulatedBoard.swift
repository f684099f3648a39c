import Crypto
import FoundationEssentials
import Identity
import Posix
import Web
import Wire

/// A board as control sees one: proves who it is, says a sample each second on a beat of its own, and answers every order as done.
///
/// It keeps to its beat, though a board that somebody watches is asked for five samples a second: the bench asks for one.
struct SimulatedBoard: Sendable {
    let number: Int
    let plan: LoadPlan.Board
    let identity: DeviceIdentity?
    let client: Client
    let loop: Loop
    let samples: SampleTexts
    let tally: Tally

    static let interval: Int64 = 1_000_000

    /// Connects, with proof and hello where somebody asks for them, and talks on by itself until the connection ends.
    ///
    /// - Parameter count: of all boards, whose beats are spread evenly.
    func begin(of count: Int) async throws {
        let socket = try await client.webSocket(plan.url)
        if let identity { try await prove(identity, over: socket) }
        // Both end with the connection, and that with the process.
        loop.spawn { await listen(socket) }
        loop.spawn { await speak(over: socket, beat: Self.interval * Int64(number) / Int64(count)) }
    }

    private func prove(_ identity: DeviceIdentity, over socket: WebSocket) async throws {
        guard case .text(let text)? = try await socket.receive() else {
            throw LoadFault(description: "no challenge: \(socket.closeReason ?? "the connection ended")")
        }
        let challenge = try JSONDecoder().decode(Challenge.self, from: Data(text.utf8))
        let proof = try Proof.answering(challenge, identity: identity, exporter: socket.tlsExporter)
        try await socket.send(String(decoding: encoded(proof), as: UTF8.self))
        try await socket.send(String(decoding: encoded(SampleTexts.hello()), as: UTF8.self))
    }

    private func listen(_ socket: WebSocket) async {
        do {
            while let message = try await socket.receive() {
                guard case .text(let text) = message else { continue }
                let command = try JSONDecoder().decode(Command<AgentOrder>.self, from: Data(text.utf8))
                let outcome = CommandOutcome(id: command.id, result: .done, step: nil, reason: nil)
                socket.trySend(text: try encoded(AgentMessage.outcome(outcome)))
            }
            tally.lost("a board: closed, \(socket.closeReason ?? "")")
        } catch {
            tally.lost("a board: \(error)")
        }
    }

    /// - Parameter beat: microseconds into each second.
    private func speak(over socket: WebSocket, beat: Int64) async {
        let start = Instant.now.microseconds
        var due = start - start % Self.interval + beat
        if due < start { due += Self.interval }
        var second = number
        while socket.closeCode == nil {
            let wait = due - Instant.now.microseconds
            if wait > 0 {
                // try?: nobody cancels it.
                try? await loop.sleep(for: .microseconds(wait))
            }
            let now = Instant.now
            let isTaken = socket.trySend(text: samples.text(of: number, second: second, at: now))
            tally.sent(at: now, late: now.microseconds - due, to: plan.pages, isTaken: isTaken)
            due += Self.interval
            second += 1
        }
    }
}

/// A page of the web application, which is told of its organisation's boards.
struct SimulatedPage: Sendable {
    let url: String
    let client: Client
    let loop: Loop
    let tally: Tally

    func begin() async throws {
        let socket = try await client.webSocket(url)
        // It ends with the connection, and that with the process.
        loop.spawn { await listen(socket) }
    }

    private func listen(_ socket: WebSocket) async {
        do {
            while let message = try await socket.receive() {
                guard case .text(let text) = message else { continue }
                tally.came(PageMessage(text), at: .now)
            }
            tally.lost("a page: closed, \(socket.closeReason ?? "")")
        } catch {
            tally.lost("a page: \(error)")
        }
    }
}
