package import Units
package import Wire

/// What makes a broadcast a rehearsal: the same way from wish to end, without outputs and for so many seconds.
///
/// It is a part of `BroadcastMachine` and no machine of its own: whatever a real start can run into (a full pool, a camera that is taken, a link that
/// reaches nobody, a host that dies) a rehearsal has to run into as well, in the same code.
package struct Rehearsal: Codable, Sendable, Hashable {
    /// Of media, half of it as the broadcast would have it, half of it with more.
    package let seconds: Int
    /// Of the broadcast that is rehearsed, video alone.
    package let wish: Bitrate
    /// What the encoder is asked for in the second half; nil: the same.
    package let raised: Bitrate?
    /// Why not for more, for a person.
    package let heldBack: String?
    /// The most that the board's configuration allows.
    package let maximum: Bitrate
    /// Of all links together, at most.
    package let mostBytes: Int
    /// Whether there is anything to hear: a microphone, or an input that brings its own sound.
    package let hasSound: Bool
    /// Since when media arrives, in Unix milliseconds.
    package internal(set) var sinceMs: Int64?
    /// Why it was ended; nil while it was not, and where something failed.
    package internal(set) var ending: Ending?
    /// Once it is over.
    package internal(set) var report: RehearsalReport?

    package enum Ending: String, Codable, Sendable, CaseIterable {
        /// Its time was over.
        case complete
        /// Somebody stopped it.
        case stopped
        /// The broadcast itself began.
        case overtaken
        /// Control was started again: the figures until then were in memory.
        case restarted
    }

    /// How long nothing may arrive: a broadcast that is away for longer has been seen to be.
    static let grace = Grace.seconds(5)
    /// Both sides are told at once, as nobody is shown the last of it: a start that comes waits no longer for them than this and, for a board of before
    /// that sends the last of it all the same, the length of its buffer.
    static let undoMs: Int64 = 3000

    /// The links show no more than half again of what they are given (`Bonding`, headroom), so the second half gives them twice as much.
    static let raise = 2
    /// Of sound, pictures and transport stream, what goes over the links: headers (5 %) and repeats of a bad link (10 %).
    static let wireOverhead = 1.15

    init(
        seconds: Int, encoder: EncoderChoice, maximum: Bitrate, protection: Protection, hasSound: Bool, tightest: DataPlan?
    ) {
        self.seconds = seconds
        self.maximum = maximum
        self.hasSound = hasSound
        wish = encoder.bitrate
        let more = min(Bitrate(bitsPerSecond: encoder.bitrate.bitsPerSecond * Self.raise), maximum, Self.most)
        func bytes(_ second: Bitrate) -> Int {
            let copies = protection == .throughput ? 1.0 : 2
            let bits = (encoder.bitrate.bitsPerSecond + second.bitsPerSecond + 2 * encoder.audioBitrate.bitsPerSecond) * seconds / 2
            return Int(Double(bits) / 8 * RehearsalFigures.muxOverhead * Self.wireOverhead * copies)
        }
        if let tightest, tightest.leftBytes < bytes(more) {
            raised = nil
            mostBytes = bytes(encoder.bitrate)
            heldBack =
                "\(tightest.link) has \(tightest.leftBytes / 1_000_000) MB of its data plan left, and asking for more might take \(bytes(more) / 1_000_000)"
        } else {
            raised = more > encoder.bitrate ? more : nil
            mostBytes = bytes(max(more, encoder.bitrate))
            heldBack = nil
        }
    }

    /// What any start may ask for.
    private static let most = Bitrate.kilobits(50_000)

    /// What is left to a link.
    struct DataPlan: Hashable, Sendable {
        var link: String
        var leftBytes: Int

        /// The one with the least left, of the links that may be used.
        static func tightest(of usage: [UsageTelemetry], over links: [String]?) -> DataPlan? {
            usage.compactMap { plan in
                guard let cap = plan.capBytes, links?.contains(plan.link) != false else { return nil }
                return DataPlan(link: plan.link, leftBytes: max(0, cap - plan.sentBytes - plan.receivedBytes))
            }.min { $0.leftBytes < $1.leftBytes }
        }
    }
}
