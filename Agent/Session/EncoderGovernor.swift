import Units

/// Keeps the encoder's bit rate at what the links carry, below what was asked for. Holds no clock.
///
/// A cut is made at once; a rise only in steps that are worth telling the encoder. A picture needs bits: below `worthwhile` frames are left out in
/// front of the encoder, at even distances, and the others get as many as at that rate. One of `mostLeftOut` always goes: the multiplexer holds sound
/// back until the next. Sound yields to nothing, as no AAC encoder here changes its rate while it runs.
///
/// An encoder whose rate moves makes less than it is told, or for a while more. So what it really makes is held against what it should have
/// made, over the last second or so: who is behind is told more, who is ahead less. While the links carry all that was asked for, this rests.
struct EncoderGovernor: Hashable, Sendable {
    /// Of the video, as the encoder was told last.
    private(set) var told: Bitrate
    /// One frame of so many is to be encoded.
    private(set) var keepsOneOf = 1
    /// Each new rate costs a key frame: it is told only where it is worth one, and makes up for none.
    private var isRateCostly = false
    /// How long the encoder has had its rate.
    private var age = Duration.zero
    /// What was made more than the links were said to carry, in bits; older surplus is forgotten.
    private var ahead = 0.0

    static let worthwhile = Bitrate.kilobits(150)
    static let mostLeftOut = 6
    /// What is needed more to leave fewer out, so that this does not come and go.
    private static let regain = 1.2
    /// A transport stream of a picture and sound is this much larger than its elementary streams (tables, PES, stuffing).
    static let muxOverhead = 1.06
    private static let memory = 1.0
    /// Between a change and a rise, where each costs a key frame.
    private static let costlyPause = Duration.seconds(2)
    /// Seconds: what was made too little is caught up with in this time.
    private static let catchUp = 0.4
    /// Of a second, what may be left to catch up with: a still picture saves nothing for later.
    private static let credit = 0.3
    private static let correction = -0.3...0.35

    init(told: Bitrate) { self.told = told }

    /// The encoder was built again, or told by somebody else.
    /// - Parameter isRateCostly: each new rate costs a key frame.
    mutating func set(_ bitrate: Bitrate, isRateCostly: Bool) {
        told = bitrate
        keepsOneOf = 1
        self.isRateCostly = isRateCostly
        (ahead, age) = (0, .zero)
    }

    /// - Parameters:
    ///   - available: what the links carry, transport stream and all; nil while nobody knows.
    ///   - wanted: of the plan, video alone.
    ///   - audio: of the plan.
    ///   - made: of the transport stream, since the last time.
    ///   - passed: since then.
    /// - Returns: what to tell the encoder; nil where it stays. `keepsOneOf` may be another then.
    mutating func next(available: Bitrate?, wanted: Bitrate, audio: Bitrate, madeBytes made: Int, in passed: Duration) -> Bitrate? {
        guard let available else {
            keepsOneOf = 1
            return nil
        }
        let video = Double(available.bitsPerSecond) / Self.muxOverhead - Double(audio.bitsPerSecond)
        let whole = min(Self.worthwhile.bitsPerSecond, wanted.bitsPerSecond)
        let least = whole / Self.mostLeftOut
        var target = min(max(Int(video), least), wanted.bitsPerSecond)
        age += passed
        if target < wanted.bitsPerSecond, !isRateCostly {
            let late = account(made, Double(available.bitsPerSecond), passed.seconds)
            let corrected = Double(target) * (1 + min(max(-late / Self.catchUp, Self.correction.lowerBound), Self.correction.upperBound))
            target = min(max(Int(corrected), least), wanted.bitsPerSecond)
        } else {
            ahead = 0
        }
        thin(to: target, whole: whole, isAll: target == wanted.bitsPerSecond)
        // As many bits for each frame that is kept.
        target = min(target * keepsOneOf, wanted.bitsPerSecond)
        let change = Double(target - told.bitsPerSecond) / Double(max(1, told.bitsPerSecond))
        let isWhole = target == wanted.bitsPerSecond && target != told.bitsPerSecond
        let isWorthIt =
            isRateCostly
            ? change < -0.15 || (change > 0.15 || isWhole) && age >= Self.costlyPause
            : change < -0.02 || change > 0.05 || isWhole
        guard isWorthIt else { return nil }
        age = .zero
        told = Bitrate(bitsPerSecond: target)
        return told
    }

    /// Fewer are left out only where there is a margin, or nothing more to come.
    private mutating func thin(to target: Int, whole: Int, isAll: Bool) {
        func count(_ bits: Double) -> Int { min(max(1, Int((bits / Double(max(1, target))).rounded(.up))), Self.mostLeftOut) }
        keepsOneOf = max(count(Double(whole)), min(keepsOneOf, count(Double(whole) * (isAll ? 1 : Self.regain))))
    }

    /// - Returns: how long the links take for what was made too much, in seconds; negative where too little was made.
    private mutating func account(_ bytes: Int, _ rate: Double, _ passed: Double) -> Double {
        ahead = ahead * max(0, 1 - passed / Self.memory) + Double(bytes) * 8 - rate * passed
        ahead = max(ahead, -Self.credit * rate)
        return ahead / max(1, rate)
    }
}
