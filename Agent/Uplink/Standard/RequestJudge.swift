import Posix

/// Which requests of a stock receiver are for packets that are lost, and which for some that are on their way. Holds no clock, socket or key.
///
/// A receiver asks for what is missing some 35 ms after a later packet came, over the link with the least round trip and again with each of those. What goes
/// over a link that is 300 ms longer is asked for three times before it is there, and librist sends it again each time, over the quickest link: of
/// 3.4 Mbit/s over three links of 1.6 that was 2.6 Mbit/s more, whatever the weights were.
///
/// So a request is due once its packet had the time to get there and the request to come back: the round trip of the link that it was sent over last. What is
/// due too late to be repaired, or is on a link that has fallen silent, is due at once.
struct RequestJudge: Sendable {
    private struct Sending: Sendable {
        var number: UInt16 = 0
        /// Requests that were not due.
        var held: UInt8 = 0
        var link: Int32 = -1
        var at = Instant(nanoseconds: 0)
    }

    private struct Way: Sendable {
        var heardAt: Instant
        /// The newest round trips, the last one the newest.
        var trips: [(took: Duration, at: Instant)] = []
        /// Questions without an answer, and no later one has one.
        var open: [(mark: UInt64, at: Instant)] = []
    }

    private let buffer: Duration
    private var sendings = [Sending](repeating: Sending(), count: Self.kept)
    private var ways: [Int: Way] = [:]

    /// More than a second of 100 Mbit/s.
    private static let kept = 1 << 14
    /// Beside the round trip: one link's jitter and the loop's.
    private static let margin = Duration.milliseconds(20)
    /// The receiver says something over each link every 100 ms.
    private static let silent = Duration.milliseconds(250)
    /// A question that is open for longer says nothing more.
    private static let longest = Duration.milliseconds(700)
    /// A round trip counts for so long where no newer one is there: a receiver that does not answer echoes.
    private static let stale = Duration.seconds(2)
    private static let tripsKept = 5
    private static let openKept = 32
    /// For a repair that needs a second try, beside two round trips.
    private static let reserve = Duration.milliseconds(100)
    /// librist's receiver asks twenty times for a packet and never again.
    private static let mostHeld: UInt8 = 15

    init(buffer: Duration) { self.buffer = buffer }

    // MARK: What happens

    /// A media packet left, for the first time or again.
    mutating func sent(_ number: UInt16, over link: Int, at now: Instant) {
        sendings[Int(number) % Self.kept] = Sending(number: number, link: Int32(truncatingIfNeeded: link), at: now)
    }

    /// An echo was asked for.
    mutating func asked(_ mark: UInt64, over link: Int, at now: Instant) {
        ways[link, default: Way(heardAt: now)].open.append((mark, now))
        if ways[link, default: Way(heardAt: now)].open.count > Self.openKept { ways[link]?.open.removeFirst() }
    }

    /// Anything came.
    mutating func heard(over link: Int, at now: Instant) { ways[link, default: Way(heardAt: now)].heardAt = now }

    /// An echo came back; of one that was not asked for nothing is believed.
    mutating func answered(_ mark: UInt64, over link: Int, at now: Instant) {
        guard var way = ways[link], let place = way.open.firstIndex(where: { $0.mark == mark }) else { return }
        way.trips = way.trips.suffix(Self.tripsKept - 1) + [(now - way.open[place].at, now)]
        way.open.removeFirst(place + 1)
        ways[link] = way
    }

    mutating func closed(_ link: Int) { ways[link] = nil }

    // MARK: Judgement

    /// A request came: whether its packet is to be sent again.
    mutating func isDue(_ number: UInt16, at now: Instant) -> Bool {
        let place = Int(number) % Self.kept
        let sending = sendings[place]
        // What is not known, or no more, is librist's to refuse.
        guard sending.number == number, sending.link >= 0, let trip = trip(over: Int(sending.link), at: now) else { return true }
        let age = now - sending.at
        if age >= trip + Self.margin || age >= latest(at: now) { return true }
        sendings[place].held = (sending.held + 1) % Self.mostHeld
        return sendings[place].held == 0
    }

    /// How long the longest of the last half second took, or the question that is open takes already; nil where nothing is known, or the link is silent.
    private func trip(over link: Int, at now: Instant) -> Duration? {
        guard let way = ways[link], now - way.heardAt < Self.silent, let last = way.trips.last, now - last.at < Self.stale else {
            return nil
        }
        let open = way.open.first.map { min(now - $0.at, Self.longest) } ?? .zero
        return max(way.trips.map(\.took).max() ?? .zero, open)
    }

    /// The age at which a packet must be sent again to be there in time, if it needs two tries.
    private func latest(at now: Instant) -> Duration {
        let shortest = ways.keys.compactMap { trip(over: $0, at: now) }.min() ?? .zero
        return max(.zero, buffer - shortest * 2 - Self.reserve)
    }
}
