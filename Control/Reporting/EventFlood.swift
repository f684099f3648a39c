import Posix

/// How many events go out: of one kind a few in a minute, so that an error that comes with each request neither fills a tracker nor hides
/// others. Holds no clock.
struct EventFlood: Sendable, Equatable {
    private struct Kind: Hashable {
        let component: String
        let message: String
    }

    /// Of one kind, and of all, within a minute.
    static let ofOne = 5
    static let ofAll = 60
    private static let window = Duration.seconds(60)

    private var since: Instant?
    private var all = 0
    private var counts: [Kind: Int] = [:]

    /// Whether one more may go.
    mutating func admits(_ event: ErrorEvent, at now: Instant) -> Bool {
        if since.map({ now - $0 >= Self.window }) ?? true { (since, all, counts) = (now, 0, [:]) }
        let kind = Kind(component: event.component, message: event.message)
        guard all < Self.ofAll, counts[kind, default: 0] < Self.ofOne else { return false }
        all += 1
        counts[kind, default: 0] += 1
        return true
    }
}
