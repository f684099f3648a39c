/// Something that is wrong with picture or sound in front of the encoder.
///
/// An open list: a reader passes over what it does not know.
package struct MediaAlarm: RawRepresentable, Codable, Sendable, Hashable {
    package let rawValue: String
    package init(rawValue: String) { self.rawValue = rawValue }

    /// There should be sound, and no channel of it is louder than `SoundLevels.silence`.
    package static let silence = MediaAlarm(rawValue: "silence")
    /// The picture is dark all over.
    package static let black = MediaAlarm(rawValue: "black")
    /// One picture is like the other, and not black.
    package static let frozen = MediaAlarm(rawValue: "frozen")
    /// The input gives no pictures, or says that it has none to give.
    package static let noSignal = MediaAlarm(rawValue: "no_signal")

    package static let all = [silence, black, frozen, noSignal]
}

/// How loud the channels are, in whole dBFS from `floor` to 0: what is told five times a second has to be short.
package struct SoundLevels: Sendable, Hashable {
    /// The loudest sample of the last interval, of each channel.
    package var peak: [Int]
    /// Root mean square of the same.
    package var rms: [Int]

    /// Quieter is told as this: the noise of 16 bits lies there.
    package static let floor = -96
    /// At or below it nobody hears anything.
    package static let silence = -60
    /// Channels that are told.
    package static let channels = 8

    package init(peak: [Int], rms: [Int]) {
        self.peak = peak
        self.rms = rms
    }

    /// - Parameters: in dBFS, as they were measured; minus infinity is digital silence.
    package init(peak: [Double], rms: [Double]) {
        self.init(peak: peak.prefix(Self.channels).map(Self.whole), rms: rms.prefix(Self.channels).map(Self.whole))
    }

    package var isSilent: Bool { peak.allSatisfy { $0 <= Self.silence } }

    private static func whole(_ decibel: Double) -> Int {
        decibel.isNaN ? floor : Int(min(max(decibel, Double(floor)), 0).rounded())
    }
}
