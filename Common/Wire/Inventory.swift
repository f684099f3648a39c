/// What a board has: sent in the hello and again, whole, whenever it changes.
package struct Inventory: Codable, Sendable, Hashable {
    package var links: [Link]
    package var inputs: [Input]
    package var encoders: [VideoEncoder]

    package init(links: [Link] = [], inputs: [Input] = [], encoders: [VideoEncoder] = []) {
        self.links = links
        self.inputs = inputs
        self.encoders = encoders
    }
}

/// A network interface that can carry media.
package struct Link: Codable, Sendable, Hashable {
    /// The interface's name, e.g. `wwan0`.
    package var name: String
    package var kind: Kind
    package var state: State
    /// Addresses in text form, IPv4 and global IPv6.
    package var addresses: [String]
    package var mtu: Int
    /// What is in the way on it, for a person: a sign-in page; nil where nothing is known to be.
    package var reason: String?

    package enum Kind: String, Codable, Sendable { case ethernet, wifi, cellular, virtual, other }

    package enum State: String, Codable, Sendable {
        /// Carrier and an address: can be used.
        case up
        /// Carrier, no address yet.
        case unaddressed
        case down
    }

    package init(name: String, kind: Kind, state: State, addresses: [String], mtu: Int, reason: String? = nil) {
        self.name = name
        self.kind = kind
        self.state = state
        self.addresses = addresses
        self.mtu = mtu
        self.reason = reason
    }
}

/// Something a broadcast can show.
package struct Input: Codable, Sendable, Hashable {
    /// Stable over restarts and replugging into the same port: `test`, `v4l2:usb-xhci-1.2`, `file:clip.mp4`, `alsa:card1,0`.
    package var id: String
    package var kind: Kind
    /// For a person.
    package var name: String
    package var media: Media
    /// Picture modes of a camera or grabber; empty for others.
    package var modes: [VideoMode]

    package enum Kind: String, Codable, Sendable { case test, v4l2, alsa, file }
    package enum Media: String, Codable, Sendable { case video, audio, both }

    package init(id: String, kind: Kind, name: String, media: Media, modes: [VideoMode] = []) {
        self.id = id
        self.kind = kind
        self.name = name
        self.media = media
        self.modes = modes
    }
}

package struct VideoMode: Codable, Sendable, Hashable {
    package var width: Int
    package var height: Int
    /// Frames in `frameSeconds` seconds: 30000/1001 is exact.
    package var frames: Int
    package var frameSeconds: Int
    /// The pixel format as the device names it, four characters: `YUYV`, `MJPG`, `H264`.
    package var format: String

    package init(width: Int, height: Int, frames: Int, frameSeconds: Int, format: String) {
        self.width = width
        self.height = height
        self.frames = frames
        self.frameSeconds = frameSeconds
        self.format = format
    }
}

package struct VideoEncoder: Codable, Sendable, Hashable {
    /// The choice as configuration names it.
    package var id: EncoderID
    package var codec: VideoCodec
    package var hardware: Bool

    package init(id: EncoderID, codec: VideoCodec, hardware: Bool) {
        self.id = id
        self.codec = codec
        self.hardware = hardware
    }
}

package enum VideoCodec: String, Codable, Sendable, CaseIterable { case h264, h265 }

package enum EncoderID: String, Codable, Sendable, CaseIterable {
    /// The best the board has, hardware first.
    case automatic
    case v4l2h264, v4l2h265, vah264, x264, openh264, x265
}
