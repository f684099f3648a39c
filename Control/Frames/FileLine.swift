package import BondWire

/// Where frames of one sound and one picture lie in a file: in step with each other, sound without holes, and no time in which there is
/// nothing.
package struct FileLine: Sendable {
    /// What a player is to jump over.
    package struct Skip: Hashable, Sendable {
        /// In the file.
        package var at: Microseconds
        package var missing: Microseconds
    }

    package struct Placed: Hashable, Sendable {
        /// In the file, from 0.
        package var time: Microseconds
        /// When to put silence before it, `OpusPacket.silenceTime` each.
        package var silences: [Microseconds] = []
    }

    /// Without a frame of either for longer there is nothing to be shown.
    private static let longest: Microseconds = 5_000_000
    /// Between the two sides of what is jumped over.
    private static let seam: Microseconds = 40_000
    /// Sound that is late by less is not missing: clocks and reports are so exact.
    private static let tolerance: Microseconds = 60_000
    /// How far sound may be behind the picture before it is taken to be silent: whoever writes the file waits for it, and holds all pictures
    /// of so long meanwhile.
    private static let lag: Microseconds = 200_000

    private let hasSound: Bool
    package private(set) var zero: Microseconds?
    package private(set) var skips: [Skip] = []
    /// By the take's clock: the end of what has been placed.
    private var end: Microseconds = 0
    private var cut: Microseconds = 0
    private var soundEnd: Microseconds = 0
    private var last: (sound: Microseconds, picture: Microseconds) = (-1000, -1000)
    /// Of the file.
    package private(set) var length: Microseconds = 0

    package init(hasSound: Bool) { self.hasSound = hasSound }

    /// Frames of both together come in the order of their times.
    ///
    /// - Parameters:
    ///   - time: by the take's clock.
    ///   - duration: of a picture nobody knows it: 0.
    package mutating func sound(at time: Microseconds, duration: Microseconds) -> Placed {
        var placed = Placed(time: max(place(time, duration), last.sound + 1000))
        if placed.time - soundEnd > Self.tolerance { placed.silences = fill(to: placed.time) }
        placed.time = max(placed.time, last.sound + 1000)
        last.sound = placed.time
        soundEnd = max(soundEnd, placed.time + duration)
        length = max(length, soundEnd)
        return placed
    }

    package mutating func picture(at time: Microseconds) -> Placed {
        var placed = Placed(time: max(place(time, 0), last.picture + 1000))
        if hasSound, placed.time - soundEnd > Self.lag { placed.silences = fill(to: placed.time - Self.lag) }
        last.picture = placed.time
        length = max(length, placed.time)
        return placed
    }

    /// What sound is put at the end, so that both end together.
    package mutating func finish() -> [Microseconds] { hasSound ? fill(to: length) : [] }

    private mutating func place(_ time: Microseconds, _ duration: Microseconds) -> Microseconds {
        guard let zero else {
            self.zero = time
            end = time + duration
            return 0
        }
        if time - end > Self.longest {
            let missing = time - end - Self.seam
            skips.append(Skip(at: max(0, end - zero - cut), missing: missing))
            cut += missing
        }
        end = max(end, time + duration)
        return max(0, time - zero - cut)
    }

    private mutating func fill(to time: Microseconds) -> [Microseconds] {
        var silences: [Microseconds] = []
        while soundEnd + OpusPacket.silenceTime <= time {
            silences.append(soundEnd)
            last.sound = soundEnd
            soundEnd += OpusPacket.silenceTime
        }
        return silences
    }
}
