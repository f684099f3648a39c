/// A point on a stream's timeline, in ticks of MPEG's 90 kHz clock, unwrapped to 64 bits.
package struct MediaTime: Hashable, Comparable, Sendable {
    package var ticks: Int64

    package init(ticks: Int64) { self.ticks = ticks }

    package static let ticksPerSecond: Int64 = 90_000

    package init(nanoseconds: Int64) {
        ticks = nanoseconds / 100_000 * 9 + nanoseconds % 100_000 * 9 / 100_000
    }

    package var nanoseconds: Int64 { ticks / 9 * 100_000 + ticks % 9 * 100_000 / 9 }

    package static func < (left: MediaTime, right: MediaTime) -> Bool { left.ticks < right.ticks }
    package static func + (left: MediaTime, right: MediaTime) -> MediaTime { MediaTime(ticks: left.ticks + right.ticks) }
    package static func - (left: MediaTime, right: MediaTime) -> MediaTime { MediaTime(ticks: left.ticks - right.ticks) }
}
