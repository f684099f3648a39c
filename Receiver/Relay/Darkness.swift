/// Whether the outputs are shown the sender or the slate. Holds no clock and no media; times are those of a steady clock.
struct Darkness: Equatable {
    /// Longer without a picture is darkness.
    static let limit: Duration = .milliseconds(1500)
    /// A sender that is seen again and again for less than this flaps: it is trusted again after `trial`.
    static let settled: Duration = .seconds(5)
    static let trial: Duration = .seconds(1)
    /// A longer pause while the sender is waited for begins the waiting anew.
    static let pause: Duration = .milliseconds(500)

    /// Since when the slate is shown; nil while it is not.
    private(set) var slateSince: Duration?
    /// When the last picture of the sender came; nil before the first, when nothing is known that a slate could be like.
    private(set) var lastPicture: Duration?

    private var joined: Duration?
    private var mediaSince: Duration?
    private var lastMedia: Duration?
    private var isFlapping = false

    /// A picture of the sender's was given out.
    mutating func picture(at now: Duration) { lastPicture = now }

    /// When it will be dark, if nothing comes: nil before the first picture, and while the slate is shown.
    /// - Parameter frame: from one picture to the next. A slow stream is not a dark one.
    func darkAt(frame: Duration) -> Duration? {
        guard slateSince == nil, let lastPicture else { return nil }
        return lastPicture + max(Darkness.limit, frame * 3)
    }

    /// The slate is shown from here on.
    mutating func showSlate(at now: Duration) {
        slateSince = now
        mediaSince = nil
        lastMedia = nil
        if let joined, let lastPicture { isFlapping = lastPicture - joined < Darkness.settled }
    }

    enum Return: Equatable {
        /// It begins, or begins anew: what was held of it before is worth nothing.
        case begins
        case goesOn
    }

    /// Something of the sender came while the slate is shown.
    mutating func media(at now: Duration) -> Return {
        defer { lastMedia = now }
        if let lastMedia, now - lastMedia <= Darkness.pause { return .goesOn }
        mediaSince = now
        return .begins
    }

    /// Whether a key frame that comes now may be shown.
    func trusts(at now: Duration) -> Bool {
        guard let mediaSince else { return false }
        return !isFlapping || now - mediaSince >= Darkness.trial
    }

    /// The sender's pictures are shown from here on.
    mutating func join(at now: Duration) {
        slateSince = nil
        joined = now
        lastPicture = now
    }
}
