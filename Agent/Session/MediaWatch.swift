import Capture
import Posix
import Wire

/// Which alarms picture and sound of a broadcast raise. Holds no clock.
///
/// What was not seen, e.g. how dark a picture is that does not come, leaves its alarm as it is.
struct MediaWatch: Sendable {
    private var alarms: [MediaAlarm: Lasting] = [
        .silence: Lasting(raisedAfter: .seconds(10), clearedAfter: .seconds(2)),
        .black: Lasting(raisedAfter: .seconds(5), clearedAfter: .seconds(1)),
        .frozen: Lasting(raisedAfter: .seconds(10), clearedAfter: .seconds(1)),
        .noSignal: Lasting(raisedAfter: .seconds(3), clearedAfter: .seconds(1)),
    ]
    /// As it was seen last.
    private(set) var levels: SoundLevels?

    /// The slowest pictures that may be asked for are a second apart.
    private static let pictureGap = Duration.milliseconds(1500)

    /// In the order of `MediaAlarm.all`.
    var raised: [MediaAlarm] { MediaAlarm.all.filter { alarms[$0]?.isRaised == true } }

    /// - Parameters:
    ///   - signs: of the capture that runs; nil between two.
    ///   - hasSignal: what the input's device says of itself; nil where it says nothing.
    /// - Returns: the alarms that were raised or cleared by it.
    mutating func note(_ signs: MediaSigns?, hasSignal: Bool? = nil, at now: Instant) -> [MediaAlarm] {
        let before = raised
        let isThere = hasSignal != false && signs.map { now - $0.pictureAt < Self.pictureGap } ?? false
        note(.noSignal, !isThere, at: now)
        if let signs, isThere {
            note(.black, signs.isDark, at: now)
            note(.frozen, signs.isStill && !signs.isDark, at: now)
        }
        levels = signs?.levels
        if let signs { note(.silence, signs.hasSound && signs.levels?.isSilent ?? true, at: now) }
        return MediaAlarm.all.filter { before.contains($0) != raised.contains($0) }
    }

    private mutating func note(_ alarm: MediaAlarm, _ holds: Bool, at now: Instant) { alarms[alarm]?.note(holds, at: now) }
}

/// A condition that counts once it has lasted, and is over once it has been broken for a shorter time. Holds no clock.
///
/// A click in the silence does not end it; a tone each second does.
struct Lasting: Sendable, Equatable {
    let raisedAfter: Duration
    let clearedAfter: Duration
    private(set) var isRaised = false
    /// Since when it has held without a break.
    private var since: Instant?
    /// The first break of those that follow each other.
    private var brokenAt: Instant?

    init(raisedAfter: Duration, clearedAfter: Duration) {
        self.raisedAfter = raisedAfter
        self.clearedAfter = clearedAfter
    }

    mutating func note(_ holds: Bool, at now: Instant) {
        guard holds else { return broken(at: now) }
        let began = since ?? now
        since = began
        // It has held for longer than breaks may lie apart: the one before was a single one.
        if now - began > clearedAfter { brokenAt = nil }
        if now - began >= raisedAfter { isRaised = true }
    }

    private mutating func broken(at now: Instant) {
        since = nil
        let first = brokenAt ?? now
        brokenAt = first
        if now - first >= clearedAfter { isRaised = false }
    }
}
