/// What rooms forward. Each has payload types of its own in our offers; in answers the offered ones stay.
package enum RoomCodec: String, Hashable, Sendable, CaseIterable {
    case opus
    case vp8
    case vp9
    /// Constrained baseline: what every browser decodes.
    case h264Baseline
    case h264Main
    case h264High
    case av1

    package var kind: MediaSection.Kind { self == .opus ? .audio : .video }

    package var encodingName: String {
        switch self {
        case .opus: "opus"
        case .vp8: "VP8"
        case .vp9: "VP9"
        case .h264Baseline, .h264Main, .h264High: "H264"
        case .av1: "AV1"
        }
    }

    /// In Hz.
    package var clockRate: Int { self == .opus ? 48_000 : 90_000 }

    /// In our offers: the numbers that browsers use themselves where they have one (RFC 9429 wants 96...127 first, then 35...63).
    package var payloadType: UInt8 {
        switch self {
        case .opus: 111
        case .vp8: 96
        case .vp9: 98
        case .h264Baseline: 102
        case .h264Main: 104
        case .h264High: 106
        case .av1: 45
        }
    }

    /// Of retransmissions, in our offers; sound has none.
    package var retransmissionType: UInt8? { self == .opus ? nil : payloadType + 1 }

    /// What our offers say of it.
    package var parameters: [MediaCodec.Parameter] {
        switch self {
        case .opus: [.init("minptime", "10"), .init("useinbandfec", "1")]
        case .vp8: []
        case .vp9: [.init("profile-id", "0")]
        case .h264Baseline: h264("42e01f")
        case .h264Main: h264("4d001f")
        case .h264High: h264("64001f")
        case .av1: [.init("level-idx", "5"), .init("profile", "0"), .init("tier", "0")]
        }
    }

    private func h264(_ profile: String) -> [MediaCodec.Parameter] {
        [.init("level-asymmetry-allowed", "1"), .init("packetization-mode", "1"), .init("profile-level-id", profile)]
    }

    /// Which one an offered or answered codec is; nil for those that rooms do not forward.
    package init?(_ codec: MediaCodec) {
        let name = codec.name.lowercased()
        // RFC 7587 section 7 wants two channels always; GStreamer may leave them out.
        guard codec.clockRate == (name == "opus" ? 48_000 : 90_000) else { return nil }
        switch name {
        case "opus": self = .opus
        case "vp8": self = .vp8
        case "vp9" where (codec["profile-id"] ?? "0") == "0": self = .vp9
        case "av1" where (codec["profile"] ?? "0") == "0": self = .av1
        case "h264":
            guard codec["packetization-mode"] == "1", let profile = Self.profile(codec["profile-level-id"]) else { return nil }
            self = profile
        default: return nil
        }
    }

    /// By profile_idc and profile-iop, at any level: RFC 6184 section 8.1, table 5.
    private static func profile(_ text: String?) -> RoomCodec? {
        // Without a profile it is baseline, which browsers do not promise to decode.
        guard let text, text.utf8.count == 6, text.utf8.allSatisfy({ $0 != 0x2b && $0 != 0x2d }), let value = UInt32(text, radix: 16) else {
            return nil
        }
        let flags = UInt8(value >> 8 & 0xff)
        switch (value >> 16, flags) {
        case (0x42, _) where flags & 0x4f == 0x40: return .h264Baseline
        case (0x4d, _) where flags & 0x8f == 0x80: return .h264Baseline
        case (0x58, _) where flags & 0xcf == 0xc0: return .h264Baseline
        case (0x4d, _) where flags & 0xaf == 0x00: return .h264Main
        case (0x64, 0x00): return .h264High
        // Constrained high, which a decoder of high decodes.
        case (0x64, 0x0c): return .h264High
        default: return nil
        }
    }
}

/// What one room takes, the preferred ones first.
package struct RoomCodecs: Hashable, Sendable {
    package var audio: [RoomCodec]
    package var video: [RoomCodec]

    package init(audio: [RoomCodec], video: [RoomCodec]) {
        self.audio = audio
        self.video = video
    }

    /// VP8 first: every browser has it, in hardware or not, and its layers switch at any key frame.
    package static let standard = RoomCodecs(audio: [.opus], video: [.vp8, .h264Baseline, .vp9, .av1, .h264High, .h264Main])

    func list(_ kind: MediaSection.Kind) -> [RoomCodec] {
        switch kind {
        case .audio: audio
        case .video: video
        case .application, .other: []
        }
    }
}

/// What a receiver of a stream may send back.
package struct FeedbackKinds: OptionSet, Hashable, Sendable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let nack = FeedbackKinds(rawValue: 1)
    package static let pictureLoss = FeedbackKinds(rawValue: 2)
    package static let fullIntra = FeedbackKinds(rawValue: 4)
    package static let bandwidth = FeedbackKinds(rawValue: 8)
    package static let transport = FeedbackKinds(rawValue: 16)

    /// As `a=rtcp-fb` writes them, in the order that browsers do.
    private static let names: [(FeedbackKinds, String)] = [
        (.bandwidth, "goog-remb"), (.transport, "transport-cc"), (.fullIntra, "ccm fir"), (.nack, "nack"), (.pictureLoss, "nack pli"),
    ]

    init(_ texts: [String]) {
        self = Self.names.reduce(into: []) { if texts.contains($1.1) { $0.insert($1.0) } }
    }

    var texts: [String] { Self.names.compactMap { contains($0.0) ? $0.1 : nil } }

    /// What we understand for a kind of media.
    static func known(_ kind: MediaSection.Kind) -> FeedbackKinds {
        kind == .audio ? [.transport, .nack] : [.bandwidth, .transport, .fullIntra, .nack, .pictureLoss]
    }
}
