/// One of the two places that a version lies in. The link points to one, and only the other is ever written to.
package enum Slot: String, CaseIterable, Sendable {
    case a, b

    package var other: Slot { self == .a ? .b : .a }
}

/// When the agent may be stopped, and the line used.
package enum Urgency: String, Sendable {
    /// While it does not broadcast.
    case whenIdle
    /// Now: a person wants it, whatever is live.
    case now
}
