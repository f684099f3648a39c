package import Units

/// Everything an agent needs to send one broadcast; it lies in /run (0600) while the broadcast lasts.
package struct Plan: Codable, Sendable, Hashable {
    package var broadcast: BroadcastID
    /// Grows with each change of a running broadcast; an older revision is ignored.
    package var revision: Int
    package var input: InputChoice
    package var encoder: EncoderChoice
    package var transport: Transport

    package init(broadcast: BroadcastID, revision: Int, input: InputChoice, encoder: EncoderChoice, transport: Transport) {
        self.broadcast = broadcast
        self.revision = revision
        self.input = input
        self.encoder = encoder
        self.transport = transport
    }
}

package struct InputChoice: Codable, Sendable, Hashable {
    /// `Input.id` of the picture.
    package var video: String
    /// `Input.id` of the sound; nil takes the picture's own, or silence where it has none.
    package var audio: String?

    package init(video: String, audio: String? = nil) {
        self.video = video
        self.audio = audio
    }
}

package struct EncoderChoice: Codable, Sendable, Hashable {
    package var id: EncoderID
    package var codec: VideoCodec
    /// Of the video alone.
    package var bitrate: Bitrate
    package var audioBitrate: Bitrate
    package var width: Int
    package var height: Int
    /// Frames per second; the input's own rate is converted.
    package var frameRate: Int

    package init(
        id: EncoderID = .automatic, codec: VideoCodec = .h264, bitrate: Bitrate, audioBitrate: Bitrate = .kilobits(128),
        width: Int = 1280, height: Int = 720, frameRate: Int = 30
    ) {
        self.id = id
        self.codec = codec
        self.bitrate = bitrate
        self.audioBitrate = audioBitrate
        self.width = width
        self.height = height
        self.frameRate = frameRate
    }
}

/// What carries a stream from a board to its receiver.
package enum Carrier: String, Codable, Sendable, CaseIterable {
    /// Strata's own bonded links, between our agent and our receiver.
    case bond
    /// Stock RIST, main profile.
    case rist
}

/// What travels twice, over different links, so that not even a link that fails at once takes it along. With our own carrier only.
package enum Protection: String, Codable, Sendable, CaseIterable {
    /// Everything once, and again where it was lost.
    case throughput
    /// Key frames, tables and sound twice.
    case balanced
    /// Everything twice.
    case bulletproof
}

package struct Transport: Codable, Sendable, Hashable {
    package var carrier: Carrier
    /// Every address of the receiver, IPv4 and IPv6; each link picks one that it reaches.
    package var receivers: [Endpoint]
    /// The fresh key of this broadcast; with stock RIST its passphrase (main profile, AES-256).
    package var streamKey: SecretOnWire
    /// Milliseconds between the encoder and the receiver's output.
    package var bufferMs: Int
    /// Names of the links to use; nil uses every link that is up.
    package var links: [String]?
    /// nil is `throughput`.
    package var protection: Protection?

    package init(
        carrier: Carrier, receivers: [Endpoint], streamKey: SecretOnWire, bufferMs: Int, links: [String]? = nil,
        protection: Protection? = nil
    ) {
        self.carrier = carrier
        self.receivers = receivers
        self.streamKey = streamKey
        self.bufferMs = bufferMs
        self.links = links
        self.protection = protection
    }
}

/// A host, as an address in text form or a name, and a UDP port.
package struct Endpoint: Codable, Sendable, Hashable {
    package var host: String
    package var port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }
}

/// A plan that was kept by an agent before there was a choice is one of stock RIST.
extension Transport {
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        carrier = try values.decodeIfPresent(Carrier.self, forKey: .carrier) ?? .rist
        receivers = try values.decode([Endpoint].self, forKey: .receivers)
        streamKey = try values.decode(SecretOnWire.self, forKey: .streamKey)
        bufferMs = try values.decode(Int.self, forKey: .bufferMs)
        links = try values.decodeIfPresent([String].self, forKey: .links)
        protection = try values.decodeIfPresent(Protection.self, forKey: .protection)
    }
}
