import Glibc

/// Time since boot, not moved by anybody who sets the wall clock.
package struct Instant: Hashable, Comparable, Sendable {
    package var nanoseconds: Int64

    package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// CLOCK_MONOTONIC.
    package static var now: Instant {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Instant(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    package static func < (left: Instant, right: Instant) -> Bool { left.nanoseconds < right.nanoseconds }

    package static func - (left: Instant, right: Instant) -> Duration { .nanoseconds(left.nanoseconds - right.nanoseconds) }

    package static func + (left: Instant, right: Duration) -> Instant {
        let parts = right.components
        return Instant(nanoseconds: left.nanoseconds + parts.seconds * 1_000_000_000 + parts.attoseconds / 1_000_000_000)
    }
}

/// Wall-clock time in milliseconds since 1970: for ids, records and people, never for measuring.
package func unixMilliseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
}

/// Both clocks at one moment, for comparing with what the kernel stamped.
struct ClockPair: Hashable, Sendable {
    let now: Instant
    /// CLOCK_REALTIME in nanoseconds.
    let wall: Int64

    /// Reads both. A thread that is put aside between two readings would make all that was stamped older than it is, and the least delay of a
    /// link, which is kept for seconds, too short: they are read again then, and of five the closest is taken.
    init(now: () -> Instant = { .now }, wall: () -> Int64 = wallNanoseconds) {
        var (best, least): ((now: Instant, wall: Int64)?, Int64) = (nil, .max)
        for _ in 0..<5 where least > 20_000 {
            let (before, between, after) = (now().nanoseconds, wall(), now().nanoseconds)
            guard after - before < least else { continue }
            least = after - before
            best = (Instant(nanoseconds: before + least / 2), between)
        }
        (self.now, self.wall) = best ?? (now(), wall())
    }
}

private func wallNanoseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}
