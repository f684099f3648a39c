import Posix

/// What one end of a WebSocket asks the other for, and what came of it. Holds no clock and no socket; on the socket's loop.
struct SignsOfLife {
    /// A ping of ours has no answer yet, and nothing else came either.
    private var question: Question?
    private var waits: [Wait] = []
    private var count: UInt64 = 0

    /// How often within its timeout a question is looked at.
    static let looks = 6

    /// Bytes are those of the connection since it began.
    private struct Question {
        let asked: Instant
        /// The first after the question.
        let end: Int
        var acknowledged: Int
        /// When the peer's system was seen to take more of what goes up to the question.
        var progressed: Instant
    }

    /// Somebody who wants to know the round trip.
    private struct Wait {
        let number: UInt64
        let sent: Instant
        let continuation: CheckedContinuation<Duration, any Error>
    }

    // MARK: The question

    var isAsking: Bool { question != nil }

    /// Something came.
    mutating func heard() { question = nil }

    /// - Parameters:
    ///   - end: the first byte after the question.
    ///   - acknowledged: bytes that the peer's system has.
    mutating func asked(upTo end: Int, acknowledged: Int, at now: Instant) {
        question = Question(asked: now, end: end, acknowledged: acknowledged, progressed: now)
    }

    /// Whether the answer may still come. Figures that wait on a slow modem hold the question up; what the peer's system acknowledges
    /// meanwhile tells that modem from one that is gone. Once it has the question, the answer is the program's.
    mutating func mayStillAnswer(_ options: WebSocketOptions, acknowledged: Int, at now: Instant) -> Bool {
        guard var question else { return true }
        if acknowledged > question.acknowledged, question.acknowledged < question.end { question.progressed = now }
        question.acknowledged = acknowledged
        self.question = question
        return now - question.progressed < options.pongTimeout && now - question.asked < max(options.pongTimeout, options.slowPongTimeout)
    }

    // MARK: Pings

    /// A ping's number, and its payload.
    mutating func next() -> (number: UInt64, payload: [UInt8]) {
        count += 1
        return (count, (0..<8).map { UInt8(truncatingIfNeeded: count >> (56 - 8 * UInt64($0))) })
    }

    mutating func wait(for number: UInt64, since sent: Instant, _ continuation: CheckedContinuation<Duration, any Error>) {
        waits.append(Wait(number: number, sent: sent, continuation: continuation))
    }

    mutating func giveUp(_ number: UInt64) {
        guard let index = waits.firstIndex(where: { $0.number == number }) else { return }
        waits.remove(at: index).continuation.resume(throwing: WebSocketError.silent)
    }

    /// An answer counts for all questions before it (RFC 6455 section 5.5.3).
    mutating func took(_ payload: [UInt8], at now: Instant) {
        guard payload.count == 8 else { return }
        let number = payload.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let answered = waits.filter { $0.number <= number }
        waits.removeAll { $0.number <= number }
        for wait in answered { wait.continuation.resume(returning: now - wait.sent) }
    }

    mutating func end(_ error: WebSocketError) {
        for wait in waits { wait.continuation.resume(throwing: error) }
        waits = []
    }
}
