import Capture
import Posix
import Units

/// Whether the frames that a broadcast asks for are made, and what they wait for where they are not. Holds no clock.
///
/// Counted is by the second, and what holds is the middle one of the last five: a start, a stall or another input touches two of them.
struct FramePace: Sendable {
    /// Why fewer frames are made than were asked for.
    struct Lag: Hashable, Sendable {
        enum Cause: Hashable, Sendable {
            /// It is given more than it makes.
            case encoder
            /// It makes what it is given.
            case input
            /// They are left out, as the links carry too little.
            case links
        }

        var cause: Cause
        var made: Int
        var asked: Int
    }

    /// nil while the frames are made that were asked for, give or take a tenth.
    private(set) var lag: Lag?
    private var seconds: [Second] = []
    private var last: (figures: CaptureFigures, at: Instant)?

    private struct Second {
        var made = 0.0
        var offered = 0.0
        var input = 0.0
        var thinned = 0.0
        /// Whether this was as good as what was asked for: at most one frame in twenty is missing, or one at all.
        var isWhole = false
    }

    static let window = 5

    /// Frames in the last second that was counted.
    var made: Double { seconds.last?.made ?? 0 }
    var input: Double { seconds.last?.input ?? 0 }

    /// - Parameters:
    ///   - figures: of one capture, from call to call.
    ///   - asked: frames a second.
    /// - Returns: whether another second was counted.
    mutating func note(_ figures: CaptureFigures, asked: Int, at now: Instant) -> Bool {
        guard let before = last else {
            last = (figures, now)
            return false
        }
        let elapsed = (now - before.at).seconds
        guard elapsed >= 1 else { return false }
        last = (figures, now)
        let made = figures.framesTotal - before.figures.framesTotal
        if seconds.count == Self.window { seconds.removeFirst() }
        seconds.append(
            Second(
                made: Double(made) / elapsed, offered: Double(figures.offeredFramesTotal - before.figures.offeredFramesTotal) / elapsed,
                input: Double(figures.inputFramesTotal - before.figures.inputFramesTotal) / elapsed,
                thinned: Double(figures.thinnedFramesTotal - before.figures.thinnedFramesTotal) / elapsed,
                isWhole: Double(made + 1) >= 0.95 * Double(asked) * elapsed))
        judge(asked)
        return true
    }

    /// It is gone only when all of the window were whole: what is on the edge does not come and go.
    private mutating func judge(_ asked: Int) {
        guard seconds.count == Self.window else { return }
        if seconds.allSatisfy(\.isWhole) { lag = nil }
        let made = middle(\.made)
        guard made < 0.9 * Double(asked) - 1 else { return }
        let thinned = middle(\.thinned)
        let cause: Lag.Cause = middle(\.offered) * 0.95 <= made ? .input : made + thinned >= 0.9 * Double(asked) - 1 ? .links : .encoder
        let new = Lag(cause: cause, made: Int(made.rounded()), asked: asked)
        // Each one that is told is an entry of the flight recorder: a frame more or less is none.
        if let lag, lag.cause == new.cause, lag.asked == asked, abs(lag.made - new.made) * 5 <= lag.made { return }
        lag = new
    }

    private func middle(_ rate: KeyPath<Second, Double>) -> Double { seconds.map { $0[keyPath: rate] }.sorted()[seconds.count / 2] }
}

extension FramePace.Lag: CustomStringConvertible {
    var description: String {
        switch cause {
        case .encoder: "the encoder makes \(made) of \(asked) frames a second: choose a smaller size or frame rate"
        case .input: "this machine gets only \(made) of \(asked) frames a second ready for the encoder: choose a smaller size or frame rate"
        case .links: "the links carry so little that \(made) of \(asked) frames a second are sent"
        }
    }
}
