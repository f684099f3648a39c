package import Posix
package import Wire

/// What picture and sound of a capture are like, in front of the encoder.
package struct MediaSigns: Sendable, Hashable {
    /// When the last picture came.
    package var pictureAt: Instant
    package var isDark: Bool
    package var isStill: Bool
    /// nil where there is no source of sound, or nothing was measured for a second.
    package var levels: SoundLevels?
    /// There is a source of sound, at work or lost.
    package var hasSound: Bool

    package init(pictureAt: Instant, isDark: Bool = false, isStill: Bool = false, levels: SoundLevels? = nil, hasSound: Bool = false) {
        self.pictureAt = pictureAt
        self.isDark = isDark
        self.isStill = isStill
        self.levels = levels
        self.hasSound = hasSound
    }
}

/// Looks at what goes to the encoder, five times a second, on the threads that bring it; nothing here waits.
final class MediaLook: Sendable {
    private struct State {
        var grid = PictureGrid()
        var lookedAt: Instant?
        var levels: (levels: SoundLevels, at: Instant)?
        var hasSound = false
    }

    private let state = Guarded(State())
    private let width: Int
    private let height: Int

    private static let interval = Duration.milliseconds(200)
    /// A figure that is older is none: the sound has stopped.
    private static let patience = Duration.seconds(1)

    init(width: Int, height: Int) {
        self.width = width
        self.height = height
    }

    /// Other sources are shown.
    func changed(hasSound: Bool) {
        state.withLock { state in
            state.hasSound = hasSound
            state.grid.forget()
            state.lookedAt = nil
        }
    }

    /// - Parameter bytes: gives the picture to whoever reads it; it is not called for most pictures.
    func picture(at now: Instant, _ bytes: ((UnsafeRawBufferPointer) -> Void) -> Void) {
        state.withLock { state in
            if let last = state.lookedAt, now - last < Self.interval { return }
            state.lookedAt = now
            bytes { state.grid.look(at: $0, width: width, height: height) }
        }
    }

    func sound(_ levels: SoundLevels, at now: Instant) { state.withLock { $0.levels = (levels, now) } }

    func signs(pictureAt: Instant, at now: Instant) -> MediaSigns {
        state.withLock { state in
            let levels = state.levels.flatMap { now - $0.at <= Self.patience ? $0.levels : nil }
            return MediaSigns(
                pictureAt: pictureAt, isDark: state.grid.look?.isDark ?? false, isStill: state.grid.look?.isStill ?? false,
                levels: state.hasSound ? levels : nil, hasSound: state.hasSound)
        }
    }
}
