import Units

/// Keeps the encoder's bit rate at what the links carry, below what was asked for. Holds no clock.
///
/// A cut is made at once; a rise only in steps that are worth telling the encoder. The floor is of the encoder, not of the
/// links: below it pictures are worthless, and what does not fit is dropped by deadline.
struct EncoderGovernor: Hashable, Sendable {
    /// Of the video, as the encoder was told last.
    private(set) var told: Bitrate

    static let floor = Bitrate.kilobits(150)
    /// A transport stream of a picture and sound is this much larger than its elementary streams (tables, PES, stuffing).
    static let muxOverhead = 1.06

    init(told: Bitrate) { self.told = told }

    /// The encoder was built again, or told by somebody else.
    mutating func set(_ bitrate: Bitrate) { told = bitrate }

    /// - Parameters:
    ///   - available: what the links carry, transport stream and all; nil while nobody knows.
    ///   - wanted: of the plan, video alone.
    ///   - audio: of the plan.
    /// - Returns: what to tell the encoder; nil where it stays.
    mutating func next(available: Bitrate?, wanted: Bitrate, audio: Bitrate) -> Bitrate? {
        guard let available else { return nil }
        let video = Int(Double(available.bitsPerSecond) / Self.muxOverhead) - audio.bitsPerSecond
        let target = Bitrate(bitsPerSecond: min(max(video, Self.floor.bitsPerSecond), wanted.bitsPerSecond))
        let change = Double(target.bitsPerSecond - told.bitsPerSecond) / Double(max(1, told.bitsPerSecond))
        let isWorthIt = change < -0.02 || change > 0.05 || (target == wanted && target != told)
        guard isWorthIt else { return nil }
        told = target
        return target
    }
}
