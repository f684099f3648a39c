package import Wire

/// What takes a meeting from one state to another (MTG-09).
package enum MeetingMove: String, Sendable, CaseIterable { case schedule, start, end, cancel }

extension MeetingState {
    /// - Returns: nil where a meeting in this state cannot do that.
    package func after(_ move: MeetingMove) -> MeetingState? {
        switch (self, move) {
        // Again, for another time.
        case (.draft, .schedule), (.scheduled, .schedule): .scheduled
        case (.draft, .start), (.scheduled, .start): .active
        case (.active, .end): .ended
        case (.draft, .cancel), (.scheduled, .cancel), (.active, .cancel), (.ended, .cancel): .cancelled
        case (.draft, .end), (.scheduled, .end): nil
        case (.active, .schedule), (.active, .start): nil
        case (.ended, .schedule), (.ended, .start), (.ended, .end): nil
        case (.cancelled, _): nil
        }
    }

    /// Whether nobody has met yet, so that what it will be may still be changed.
    package var isAhead: Bool { self == .draft || self == .scheduled }
    package var isOver: Bool { self == .ended || self == .cancelled }
}

/// How much of its time a running meeting has used (MTG-49).
package enum MeetingTerm: Hashable, Sendable {
    case running
    /// It ends within so many minutes.
    case ending(minutes: Int)
    case over

    /// Source: decisions 23.
    private static let warnings = [1, 10]

    /// - Parameters:
    ///   - elapsed: since it began; less than nothing where the clock was set back.
    ///   - limit: in minutes.
    package init(after elapsed: Duration, limit: Int) {
        let left = Duration.seconds(limit * 60) - elapsed
        if left <= .zero {
            self = .over
        } else if let minutes = Self.warnings.first(where: { left <= .seconds($0 * 60) }) {
            self = .ending(minutes: minutes)
        } else {
            self = .running
        }
    }
}
