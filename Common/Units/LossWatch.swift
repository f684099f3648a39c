/// Whether a stream loses so much that a person is to be told, by running totals. Holds no clock.
///
/// A packet now and then is no news, nor is one hole, which is over when it is told. So a loss begins when of the last ten seconds one packet
/// in a hundred is missing, five at least and in two of the seconds at least: a third of the stream is told after two seconds, 5 % of
/// 200 kbit/s after five. It ends when fewer than one in five hundred is missing of the last ten.
package struct LossWatch: Hashable, Sendable {
    /// What is told. It stays as it is for a minute while the figure changes by no more than a third: each one is a line in a log.
    package struct Loss: Hashable, Sendable {
        /// 0 to 1.
        package var share: Double
        /// In which it was lost.
        package var seconds: Int
    }

    package static let window = 10
    /// Packets, of which the first is enough for none.
    package static let least = 5
    package static let beginsAt = 0.01
    package static let endsBelow = 0.002
    /// Seconds in which something is lost.
    private static let leastSeconds = 2
    /// After a beginning that counts for nothing: links find their pace then.
    private static let settling = 2
    /// Without a total for longer it begins anew.
    private static let gap = 3
    /// Between two warnings, and two figures that are nearly the same.
    private static let pause = 60

    private struct Totals: Hashable {
        var second: Int
        var lost: Int
        var all: Int
    }

    /// The last that is told of; nil while there is no loss.
    package private(set) var loss: Loss?
    /// Of each second the last; the first is where the window begins.
    private var totals: [Totals] = []
    private var began: Int?
    private var last: Int?
    private var told = 0
    private var warned: Int?

    package init() {}

    /// - Parameters:
    ///   - lost: packets in all; fewer than before are another count, which begins anew.
    ///   - delivered: packets in all.
    ///   - second: of a clock that only goes forward.
    package mutating func note(lost: Int, delivered: Int, at second: Int) {
        let now = Totals(second: second, lost: lost, all: lost + delivered)
        if let last, second < last || second - last > Self.gap { forget() }
        if let before = totals.last, now.lost < before.lost || now.all < before.all { forget() }
        last = second
        let began = self.began ?? second
        self.began = began
        guard second - began >= Self.settling else { return }
        // The first stays what it is: the window begins there.
        if totals.count > 1, totals.last?.second == second { totals.removeLast() }
        if totals.last?.second != second { totals.append(now) }
        while totals.count > 1, totals[1].second <= second - Self.window { totals.removeFirst() }
        judge()
    }

    /// It is dark, or another one: what comes next is a beginning.
    package mutating func forget() {
        (loss, totals, began, last) = (nil, [], nil, nil)
    }

    /// What to warn of now: at once, then once a minute for as long as it lasts.
    package mutating func warning(at second: Int) -> Loss? {
        guard let loss, warned.map({ second - $0 >= Self.pause }) ?? true else { return nil }
        warned = second
        return loss
    }

    private mutating func judge() {
        guard let first = totals.first, let now = totals.last, now.all > first.all else { return }
        let lost = now.lost - first.lost
        let share = Double(lost) / Double(now.all - first.all)
        if loss == nil {
            let seconds = zip(totals, totals.dropFirst()).count { $0.lost < $1.lost }
            guard lost >= Self.least, share >= Self.beginsAt, seconds >= Self.leastSeconds else { return }
        } else if share < Self.endsBelow {
            loss = nil
            return
        }
        let seconds = min(now.second - first.second, Self.window)
        if let loss, abs(loss.share - share) * 3 <= loss.share, loss.seconds == Self.window || seconds < Self.window,
            now.second - told < Self.pause
        {
            return
        }
        loss = Loss(share: share, seconds: seconds)
        told = now.second
    }
}

extension LossWatch.Loss: CustomStringConvertible {
    /// `8 % of the stream was lost in the last 10 s`
    package var description: String {
        let percent = share < 0.005 ? "less than 1" : "\(Int((share * 100).rounded()))"
        return "\(percent) % of the stream was lost in the last \(seconds) s"
    }
}
