/// Keeps a stream that may be on another host by now from its platforms here. Holds no clock; looks once a second.
///
/// A host that neither control nor the stream's sender is heard by may be the only one who believes that it still has the stream. What is
/// connected stays so for half a minute: control is started again in less, and a platform's session with its slate is worth keeping.
/// What is not connected does not become so: where the network was gone, the platform has the stream from elsewhere.
struct Fence: Equatable, Sendable {
    enum Verdict: Equatable, Sendable {
        /// All outputs are wanted.
        case open
        /// Those that are connected, and are well, stay.
        case narrow
        /// None is wanted.
        case closed
    }

    private(set) var verdict: Verdict
    /// Looks in a row without control and without the sender.
    private var dark = 0
    /// Looks in a row with control.
    private var light = 0

    /// A sender is declared silent after 1 s, and control's connection dead after 2.5 s: less is no news.
    static let narrowAfter = 3
    static let closedAfter = 30
    /// Control has had the hello for so long and has left the lease here.
    static let confirmed = 3

    /// - Parameter verdict: until something is known.
    init(_ verdict: Verdict = .open) { self.verdict = verdict }

    /// - Parameters:
    ///   - isControlThere: whether the pool is connected to control.
    ///   - isDark: whether there was media, and none comes; a receiver that never had any opens no output.
    mutating func look(isControlThere: Bool, isDark: Bool) -> Verdict {
        light = isControlThere ? min(light + 1, Self.confirmed) : 0
        dark = !isDark || light == Self.confirmed ? 0 : isControlThere ? dark : min(dark + 1, Self.closedAfter)
        // A sender knows the newest lease only: where it sends is where the stream is.
        switch dark {
        case 0: verdict = .open
        case Self.closedAfter...: verdict = .closed
        case Self.narrowAfter...: verdict = .narrow
        default: break
        }
        return verdict
    }
}
