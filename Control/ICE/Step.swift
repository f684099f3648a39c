/// What an agent makes of a message.
package enum Step: Hashable, Sendable {
    /// An authentic check: the answer goes back over the path by which it came; nil where the session had enough answers in this second.
    case checked(SessionNumber, answer: [UInt8]?, change: Change?)
    /// The answer to a question of ours: the path leads back.
    case answered(SessionNumber)
    /// Anything else: the answer, where there is one, is an error for who sent it.
    case refused(Refusal, answer: [UInt8]?)

    /// To be sent back over the path by which the message came. Never longer than the message.
    package var answer: [UInt8]? {
        switch self {
        case .checked(_, let answer, _), .refused(_, let answer): answer
        case .answered: nil
        }
    }
}

/// Where a session's media go from now on.
package enum Change: Hashable, Sendable {
    /// The first path was nominated.
    case connected(Path)
    case moved(from: Path, to: Path)
}

/// Why a message moved nothing.
package enum Refusal: Int, Hashable, Sendable, CaseIterable {
    /// No STUN message.
    case malformed
    /// No Binding request: an indication, an answer to what we did not ask, another method. No keep-alive is taken for a consent.
    case notACheck
    /// FINGERPRINT is missing or wrong.
    case badFingerprint
    /// USERNAME or MESSAGE-INTEGRITY is missing: 400.
    case unsigned
    /// For no session that is open: 401.
    case unknownUser
    /// Of another password: 401.
    case notAuthentic
    /// Authentic, with attributes that must be understood: 420.
    case unknownAttributes
    /// Authentic, without a priority or with both roles: 400.
    case incomplete
    /// Authentic, of who believes to be controlled: so are we, and a lite agent stays it. 487.
    case roleConflict
    /// Came by another path before. No answer.
    case replayed
    /// Authentic, over a path that is another session's and alive there. No answer: the source may be forged.
    case pathTaken
}

/// What time has done to a session.
package enum Lapse: Hashable, Sendable {
    /// Nothing authentic came for `Limits.quiet`.
    case quiet(SessionNumber)
    /// It is heard again.
    case back(SessionNumber)
    /// The path of its media died and another that was nominated has its place; nil where there is none.
    case moved(SessionNumber, from: Path, to: Path?)
    /// It is closed: nothing authentic came for `Limits.consent`.
    case expired(SessionNumber)
}

/// What an agent has seen.
package struct Figures: Hashable, Sendable {
    /// Authentic checks that were answered with success, those that came twice included.
    package internal(set) var checked: UInt64 = 0
    /// Paths that were shown to lead back, by an answer to a question of ours.
    package internal(set) var proven: UInt64 = 0
    /// Datagrams that were held back: their path was silent, or had not shown that it leads back.
    package internal(set) var withheld: UInt64 = 0
    /// Error answers that were sent.
    package internal(set) var errors: UInt64 = 0
    private var refused = [UInt64](repeating: 0, count: Refusal.allCases.count)

    package subscript(reason: Refusal) -> UInt64 { refused[reason.rawValue] }

    mutating func count(_ step: Step) {
        switch step {
        case .checked: checked += 1
        case .answered: proven += 1
        case .refused(let reason, let answer):
            refused[reason.rawValue] += 1
            if answer != nil { errors += 1 }
        }
    }
}
