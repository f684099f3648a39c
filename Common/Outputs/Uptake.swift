import Posix
import Units

/// Whether a peer takes what it is sent. Holds no clock and opens nothing.
///
/// A program that hangs is not seen by what its kernel confirms: that goes on until its buffer is full. But the room it offers stands
/// still at once, while a program that reads makes room for as much as it was sent, however narrow its line is.
struct Uptake: Sendable {
    struct Counts: Sendable, Hashable {
        /// Confirmed by the peer's side.
        var taken: Int
        /// Up to here it has offered to take.
        var room: Int
        /// Something waits to be confirmed.
        var isOwed = false
        /// What it was sent, where nobody says what is owed.
        var sent = 0
    }

    /// It has taken nothing for `limit`, and did not begin to take again for as long.
    private(set) var hangs = false
    private var last: Counts?
    /// When it took something last, or had nothing to take.
    private var movedAt: Instant?
    /// When it was seen not to take last.
    private var stuckAt: Instant?

    /// Longer than a round trip and its repetition, shorter than what a viewer of the broadcast's state puts up with.
    static let limit: Duration = .seconds(2)
    /// Of what it confirms, the part that it must have made room for: each confirmation may round its room up (by less than its
    /// window's unit, 4 % of the bytes at most).
    private static let share = 8

    mutating func note(_ counts: Counts, at now: Instant) {
        guard let before = last, let moved = movedAt else {
            (last, movedAt) = (counts, now)
            return
        }
        let taken = counts.taken - before.taken
        let isTaking = taken > 0 && (counts.room - before.room) * Self.share >= taken
        if isTaking || (taken == 0 && !counts.isOwed && counts.sent == before.sent) {
            (last, movedAt) = (counts, now)
        } else if now - moved >= .milliseconds(500) {
            stuckAt = now
        }
        if let moved = movedAt, now - moved >= Self.limit { hangs = true }
        if hangs, let stuckAt, now - stuckAt >= Self.limit { hangs = false }
    }
}
