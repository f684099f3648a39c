package import Units
package import Wire

/// What a board is told to be: the TOML that control keeps for it in versions, and that both sides check with this.
///
/// It names choices, never an element, a path, a command or a library (THREATS 7).
package struct SenderConfiguration: Sendable, Hashable {
    /// What a broadcast shows where its start names nothing else.
    package var input: InputChoice
    package var encoder: EncoderChoice
    package var bufferMs: Int
    /// Names of the links to use; nil uses every one that is up.
    package var links: [String]?
    package var protection: Protection
    package var linkRules: [String: LinkRule] = [:]
    /// No plan may ask for more video than this.
    package var maximumBitrate: Bitrate
    /// Where the board is, in its owner's words; nil where nobody said so.
    package var location: String?

    /// Of a board that was told nothing.
    package static let standard = SenderConfiguration(
        input: InputChoice(video: "test"), encoder: EncoderChoice(bitrate: .kilobits(2500)), bufferMs: 1000, links: nil,
        protection: .throughput, maximumBitrate: .kilobits(50_000))

    package static let encoderSizes = (width: 160...3840, height: 120...2160, frameRate: 1...60)
    package static let bitrates = 100...50_000
    package static let buffers = 100...10_000

    /// - Throws: every fault of the text at once.
    package static func parse(_ toml: String) throws(ConfigurationFaults) -> SenderConfiguration {
        let reader = try ConfigurationReader(toml, source: "configuration")
        var result = SenderConfiguration.standard
        let video = reader.section("video")
        result.input.video = video.string("input", default: result.input.video, inputForm, where: isInput)
        result.encoder.id = video.choice("encoder", default: result.encoder.id, placeholder: .automatic)
        result.encoder.codec = video.choice("codec", default: result.encoder.codec, placeholder: .h264)
        result.encoder.bitrate = video.bitrate("bitrate_kbit", default: result.encoder.bitrate.kilobits, in: bitrates)
        result.encoder.width = video.integer("width", default: result.encoder.width, in: encoderSizes.width)
        result.encoder.height = video.integer("height", default: result.encoder.height, in: encoderSizes.height)
        result.encoder.frameRate = video.integer("frame_rate", default: result.encoder.frameRate, in: encoderSizes.frameRate)
        let audio = reader.section("audio")
        result.input.audio = audio.optionalString("input", inputForm, where: isInput)
        result.encoder.audioBitrate = audio.bitrate("bitrate_kbit", default: result.encoder.audioBitrate.kilobits, in: 32...320)
        let transport = reader.section("transport")
        result.bufferMs = transport.integer("buffer_ms", default: result.bufferMs, in: buffers)
        result.links = links(of: transport, "transport", reader)
        result.protection = transport.choice("protection", default: result.protection, placeholder: .throughput)
        result.linkRules = LinkRule.read(reader, plan: DataPlan.init)
        let limits = reader.section("limits")
        result.maximumBitrate = limits.bitrate("video_kbit", default: result.maximumBitrate.kilobits, in: bitrates)
        result.location = reader.section("sender").optionalString("location", "1 to 200 characters on one line") {
            (1...200).contains($0.count) && $0.isPlain
        }
        if result.encoder.bitrate > result.maximumBitrate {
            reader.note("video.bitrate_kbit", "\(result.encoder.bitrate.kilobits)", "at most limits.video_kbit")
        }
        if result.encoder.width % 2 != 0 { reader.note("video.width", "\(result.encoder.width)", "an even number") }
        if result.encoder.height % 2 != 0 { reader.note("video.height", "\(result.encoder.height)", "an even number") }
        try reader.finish()
        return result
    }

    /// Names of the links to use, each once; nil without the key: every one that is up.
    package static func links(of section: ConfigurationSection, _ path: String, _ reader: ConfigurationReader) -> [String]? {
        guard section.isGiven("links") else { return nil }
        let links = section.strings(
            "links", "names of interfaces, at least one, or no such key for all that are up", isFilled: true, where: isLink)
        if Set(links).count < links.count { reader.note("\(path).links", links.joined(separator: ", "), "each link once") }
        return links
    }

    private static let inputForm = "an input's id, as the board reports it"

    /// An id is compared with those of the board's own inputs; this only keeps nonsense out of logs and pages.
    package static func isInput(_ text: String) -> Bool {
        (1...200).contains(text.utf8.count) && text.isPlain && !text.contains("/")
    }

    /// As the kernel names interfaces: 1 to 15 bytes without slash and space (`dev_valid_name`).
    package static func isLink(_ text: String) -> Bool {
        (1...15).contains(text.utf8.count) && text != "." && text != ".."
            && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != 0x2f && $0 != 0x3a }
    }
}
