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

package struct Transport: Codable, Sendable, Hashable {
    /// Every address of the receiver, IPv4 and IPv6; each link picks one that it reaches.
    package var receivers: [Endpoint]
    /// The fresh passphrase of this broadcast: RIST main profile, AES-256.
    package var streamKey: SecretOnWire
    /// Milliseconds between the encoder and the receiver's output.
    package var bufferMs: Int
    /// Names of the links to use; nil uses every link that is up.
    package var links: [String]?

    package init(receivers: [Endpoint], streamKey: SecretOnWire, bufferMs: Int, links: [String]? = nil) {
        self.receivers = receivers
        self.streamKey = streamKey
        self.bufferMs = bufferMs
        self.links = links
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
