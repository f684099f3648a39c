import Posix
import Wire

/// Which link is looked at next, and when. Holds no clock and opens nothing.
///
/// Those that are up and over which nothing is proven: soon after that has become so, and again after pauses that double. What is in
/// the way is looked at more often: somebody may be signing in.
struct Rounds: Sendable {
    private struct Entry: Hashable {
        var addresses: [String]
        var due: Instant
        var looks = 0
        var obstacle: Obstacle?
    }

    private var entries: [String: Entry] = [:]
    /// How many times faster than on a board it goes.
    private let pace: Int

    init(pace: Int = 1) { self.pace = pace }

    /// Until then the server is usually reached.
    static let grace = Duration.seconds(3)
    private static let pause = Duration.seconds(60)
    private static let longPause = Duration.seconds(900)
    private static let obstructedPause = Duration.seconds(20)
    private static let longObstructedPause = Duration.seconds(60)

    /// By the links' names.
    var obstacles: [String: Obstacle] { entries.compactMapValues(\.obstacle) }

    /// - Parameter proven: links over which the server or a receiver answers now.
    mutating func update(_ links: [Link], proven: Set<String>, at now: Instant) {
        let doubtful = links.filter { $0.state == .up && !proven.contains($0.name) }
        let names = Set(doubtful.map(\.name))
        entries = entries.filter { names.contains($0.key) }
        for link in doubtful where entries[link.name]?.addresses != link.addresses {
            // With another address it is another network.
            entries[link.name] = Entry(addresses: link.addresses, due: now + Self.grace / pace)
        }
    }

    /// The first link that is due; nil where none is.
    func due(at now: Instant) -> String? {
        entries.filter { $0.value.due <= now }.min { ($0.value.due, $0.key) < ($1.value.due, $1.key) }?.key
    }

    /// When the next one is; nil where there is none.
    var next: Instant? { entries.values.map(\.due).min() }

    mutating func looked(at link: String, _ obstacle: Obstacle?, at now: Instant) {
        guard var entry = entries[link] else { return }
        if (entry.obstacle == nil) != (obstacle == nil) { entry.looks = 0 }
        let (first, longest) =
            obstacle == nil ? (Self.pause, Self.longPause) : (Self.obstructedPause, Self.longObstructedPause)
        entry.due = now + min(first * (1 << min(entry.looks, 8)), longest) / pace
        entry.looks = min(entry.looks + 1, 100)
        entry.obstacle = obstacle
        entries[link] = entry
    }
}
