import Posix

/// How often something may be done: so many times within a span that slides. Holds no clock.
struct Turns: Sendable, Hashable {
    let limit: Int
    let span: Duration
    private var times: [Instant] = []

    init(_ limit: Int, per span: Duration) {
        self.limit = limit
        self.span = span
    }

    /// - Returns: nil where it may be done, and is counted; else how long until it may be.
    mutating func take(at now: Instant) -> Duration? {
        forget(at: now)
        if times.count >= limit, let first = times.first { return span - (now - first) }
        times.append(now)
        return nil
    }

    mutating func forget(at now: Instant) { times.removeAll { now - $0 >= span } }
    var isUnused: Bool { times.isEmpty }
    /// When it was looked at last.
    var isHalfSpent: Bool { times.count * 2 >= limit }
}

/// What one person may do how often in a room, by whichever seat: coming again gives nobody new turns.
struct PersonalTurns: Sendable, Hashable {
    /// New seats: each is told to everybody when it comes and when it goes, and is kept with the meeting.
    var arrivals = Turns(60, per: .seconds(60))
    /// Source: CHT-10.
    var messages = Turns(30, per: .seconds(60))
    var reactions = Turns(10, per: .seconds(10))
    var casts = Turns(10, per: .seconds(10))
    /// Hands, names and one's own sound and picture.
    var signs = Turns(30, per: .seconds(30))
    /// What hosts do to others and to the room.
    var commands = Turns(60, per: .seconds(30))
    /// Histories and searches: they are read from the disk.
    var readings = Turns(20, per: .seconds(20))

    mutating func forget(at now: Instant) {
        arrivals.forget(at: now)
        messages.forget(at: now)
        reactions.forget(at: now)
        casts.forget(at: now)
        signs.forget(at: now)
        commands.forget(at: now)
        readings.forget(at: now)
    }

    var isUnused: Bool {
        [arrivals, messages, reactions, casts, signs, commands, readings].allSatisfy(\.isUnused)
    }
}
