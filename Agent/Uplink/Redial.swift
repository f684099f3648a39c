import Posix

/// Whether the receiver is dialled again over a line that carries media, beside the keys that are there. Holds no clock.
struct Redial: Equatable {
    /// An authentic datagram came then; nil before the line has keys.
    var heardAt: Instant?
    /// Nothing of what the line was given arrives since then, as the reports over it or over others say.
    var lostSince: Instant?

    /// Silence after which a receiver is taken to have lost its keys, as one that was started again has.
    static let afterSilence = Duration.milliseconds(1200)
    /// Where only the way up is dark, what comes down says that the keys work. Some minutes more of it and they do not: the sender's epoch goes on with
    /// what it hears, and the receiver believes none that is more than 7 ahead of what came.
    static let afterLoss = Duration.seconds(60)

    func isDue(at now: Instant) -> Bool { heardAt.map { now - $0 >= Self.afterSilence } ?? false || isLost(at: now) }

    /// Whether a datagram that the keys open shows that another handshake is not needed.
    func isOver(at now: Instant) -> Bool { !isLost(at: now) }

    private func isLost(at now: Instant) -> Bool { lostSince.map { now - $0 >= Self.afterLoss } ?? false }
}
