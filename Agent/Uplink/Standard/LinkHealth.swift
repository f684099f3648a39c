package import Posix

/// Whether one link's peer is heard. Holds no clock.
///
/// The receiver sends a report over each link every 100 ms; they are counted every 100 ms. Silence of 350 ms is at least
/// two that are missing, and is acted on within 500 ms of the last.
package struct LinkHealth: Equatable, Sendable {
    package enum State: Equatable, Sendable {
        /// Not answered yet.
        case connecting
        case live
        /// Silent: it gets no share.
        case suspect
        /// Silent for so long that another address is worth a try.
        case dead
    }

    package static let suspectAfter = Duration.milliseconds(350)
    package static let deadAfter = Duration.seconds(2)
    /// How long an address may take for its first answer.
    package static let connectLimit = Duration.seconds(2)

    package private(set) var state = State.connecting
    package private(set) var heardAt: Instant?
    private var openedAt: Instant

    package init(openedAt: Instant) { self.openedAt = openedAt }

    /// The link has its carrier and address again: its silence counts from here.
    package mutating func resumed(at now: Instant) { openedAt = now }

    package mutating func heard(at now: Instant) {
        heardAt = now
        state = .live
    }

    /// The link is known to be down: no need to wait for silence.
    package mutating func lostCarrier() {
        if state == .live { state = .suspect }
    }

    package mutating func tick(at now: Instant) {
        guard let heardAt else {
            if now - openedAt >= Self.connectLimit { state = .dead }
            return
        }
        let silence = now - heardAt
        if silence >= Self.deadAfter, now - openedAt >= Self.deadAfter {
            state = .dead
        } else if silence >= Self.suspectAfter {
            state = .suspect
        }
    }
}
