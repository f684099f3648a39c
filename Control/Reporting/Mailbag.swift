import HTTP
import Posix

/// What waits to be sent to one tracker, and what became of it. Holds no clock and sends nothing.
struct Mailbag: Sendable {
    /// Events since the start, by what became of them.
    struct Counts: Sendable, Hashable {
        var taken = 0
        /// The tracker took them for nothing it wants.
        var refused = 0
        /// It was away, or wanted to be left alone, for too long, or too many came at once.
        var dropped = 0
    }

    enum Step: Sendable, Equatable {
        case send(ErrorEvent, DSN)
        case wait(Duration)
        case rest
    }

    enum Outcome: Sendable {
        case answered(Status, Headers)
        /// Nobody was reached, or nobody that is believed.
        case failed
    }

    /// Events that wait.
    static let capacity = 100
    /// How often one is tried.
    static let attempts = 5

    private(set) var counts = Counts()
    private var dsn: DSN?
    private var waiting: [(event: ErrorEvent, attempts: Int)] = []
    private var pause = SendingPause()
    private var flood = EventFlood()

    var isOpen: Bool { dsn != nil }
    var waitingCount: Int { waiting.count }

    /// From now on events go there, or nowhere: what waits for another place goes to nobody.
    mutating func direct(to dsn: DSN?) {
        guard dsn != self.dsn else { return }
        counts.dropped += waiting.count
        (self.dsn, waiting, pause, flood) = (dsn, [], SendingPause(), EventFlood())
    }

    /// - Returns: whether it waits to be sent now.
    mutating func add(_ event: ErrorEvent, at now: Instant) -> Bool {
        guard dsn != nil else { return false }
        guard flood.admits(event, at: now) else {
            counts.dropped += 1
            return false
        }
        // The oldest says most of how it began; what came last is what is lost.
        guard waiting.count < Self.capacity else {
            counts.dropped += 1
            return false
        }
        waiting.append((event, 0))
        return true
    }

    func next(at now: Instant) -> Step {
        guard let dsn, let first = waiting.first else { return .rest }
        if let until = pause.until, until > now { return .wait(until - now) }
        return .send(first.event, dsn)
    }

    /// What became of the event that `next` gave.
    mutating func ended(_ event: ErrorEvent, for dsn: DSN, _ outcome: Outcome, at now: Instant, unixSeconds: Int64) {
        // The place was changed meanwhile.
        guard dsn == self.dsn, waiting.first?.event.id == event.id else { return }
        switch outcome {
        case .answered(let status, let headers):
            pause.answered(status, headers, at: now, unixSeconds: unixSeconds)
            if status.code >= 500 { return tryAgain(at: now) }
            if status.isSuccess {
                counts.taken += 1
            } else if status == .tooManyRequests {
                counts.dropped += 1
            } else {
                counts.refused += 1
            }
            waiting.removeFirst()
        case .failed: tryAgain(at: now)
        }
    }

    private mutating func tryAgain(at now: Instant) {
        if pause.until.map({ $0 <= now }) ?? true { pause.failed(at: now) }
        waiting[0].attempts += 1
        guard waiting[0].attempts >= Self.attempts else { return }
        waiting.removeFirst()
        counts.dropped += 1
    }
}
