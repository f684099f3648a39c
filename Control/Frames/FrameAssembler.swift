package import Forwarding
import TrackLog

/// Makes frames of the packets of one source. What is damaged is left out, and with it all that was made of it, to the next key frame: a
/// picture that stands is better than one that is torn.
package struct FrameAssembler: Sendable {
    /// The codecs that it can take apart.
    package static let codecs: [Codec] = [.opus, .vp8, .h264]
    /// Of a frame: none of a room is larger.
    private static let most = 8 << 20

    private let codec: Codec
    private var reader: PictureReader
    private var picture: Picture?
    private var awaitsKey = true
    private var isGap = false
    private var hasParameters = false
    /// Frames that were left out.
    package private(set) var dropped = 0

    private struct Picture {
        var frame: EncodedFrame
        /// Of H.264: a unit that goes on with the next packet.
        var isOpen = false
        var isBroken: Bool
    }

    /// - Parameter codec: one of `codecs`.
    package init(_ codec: Codec) {
        self.codec = codec
        reader = PictureReader(codec)
    }

    /// - Returns: the frames that are whole with it.
    package mutating func take(_ ordered: PacketOrder.Ordered) -> [EncodedFrame] {
        let packet = ordered.packet
        guard codec.isVideo else { return sound(ordered) }
        var frames: [EncodedFrame] = []
        if ordered.followsGap {
            lose()
            picture?.isBroken = true
        }
        // Padding alone: it has its number and nothing else.
        guard !packet.payload.isEmpty else { return frames }
        if let picture, picture.frame.timestamp != packet.fields.timestamp { frames += close() }
        let mark = reader.read(packet.payload.span, timestamp: packet.fields.timestamp)
        if picture == nil { begin(packet, startsPicture: mark?.startsPicture == true) }
        if mark == nil { picture?.isBroken = true }
        if codec == .vp8, mark?.isKey == true { picture?.frame.isKey = true }
        if !append(packet.payload) { picture?.isBroken = true }
        if packet.fields.marker { frames += close() }
        return frames
    }

    /// Nothing more comes of this source. What has no end yet is no frame.
    package mutating func end() {
        picture = nil
        lose()
    }

    private mutating func sound(_ ordered: PacketOrder.Ordered) -> [EncodedFrame] {
        let packet = ordered.packet
        if ordered.followsGap { isGap = true }
        guard OpusPacket.duration(packet.payload) != nil else { return [] }
        defer { isGap = false }
        return [
            EncodedFrame(bytes: packet.payload, timestamp: packet.fields.timestamp, at: packet.at, isKey: true, followsGap: isGap)
        ]
    }

    private mutating func begin(_ packet: LoggedPacket, startsPicture: Bool) {
        let frame = EncodedFrame(bytes: [], timestamp: packet.fields.timestamp, at: packet.at, isKey: false, followsGap: false)
        picture = Picture(frame: frame, isBroken: !startsPicture)
    }

    /// What comes depends on what is missing.
    private mutating func lose() {
        awaitsKey = true
        isGap = true
    }

    private mutating func close() -> [EncodedFrame] {
        guard var picture else { return [] }
        self.picture = nil
        if picture.isBroken || picture.isOpen || picture.frame.bytes.isEmpty {
            dropped += 1
            lose()
            return []
        }
        if picture.frame.isKey, codec != .h264 || hasParameters { awaitsKey = false }
        guard !awaitsKey else {
            dropped += 1
            return []
        }
        picture.frame.followsGap = isGap
        isGap = false
        return [picture.frame]
    }

    // MARK: Payloads

    /// - Returns: whether the payload is one.
    private mutating func append(_ payload: [UInt8]) -> Bool {
        guard let size = picture?.frame.bytes.count, size + payload.count <= Self.most else { return false }
        switch codec {
        case .vp8:
            guard let start = Self.descriptor(payload), start < payload.count else { return false }
            picture?.frame.bytes += payload[start...]
            return true
        case .h264: return appendUnits(payload)
        case .opus, .vp9, .av1: return false
        }
    }

    /// Bytes of VP8's payload descriptor; nil where there are fewer. Source: RFC 7741, 4.2.
    private static func descriptor(_ payload: [UInt8]) -> Int? {
        guard let first = payload.first else { return nil }
        guard first & 0x80 != 0 else { return 1 }
        guard payload.count > 1 else { return nil }
        let extensions = payload[1]
        var count = 2
        if extensions & 0x80 != 0 {
            guard payload.count > count else { return nil }
            count += payload[count] & 0x80 != 0 ? 2 : 1
        }
        if extensions & 0x40 != 0 { count += 1 }
        if extensions & 0x30 != 0 { count += 1 }
        return count <= payload.count ? count : nil
    }

    /// Source: RFC 6184, 5.6 to 5.8.
    private mutating func appendUnits(_ payload: [UInt8]) -> Bool {
        let header = payload[0]
        switch header & 0x1f {
        case 1...23: return appendUnit(payload[...])
        case 24:
            var rest = payload.dropFirst()
            while rest.count > 2 {
                let size = Int(rest[rest.startIndex]) << 8 | Int(rest[rest.startIndex + 1])
                rest = rest.dropFirst(2)
                guard size > 0, size <= rest.count, appendUnit(rest.prefix(size)) else { return false }
                rest = rest.dropFirst(size)
            }
            return rest.isEmpty
        case 28: return appendFragment(payload, header)
        default: return false
        }
    }

    private mutating func appendUnit(_ unit: ArraySlice<UInt8>) -> Bool {
        guard let header = unit.first, picture?.isOpen == false else { return false }
        note(header)
        picture?.frame.bytes += [0, 0, 0, 1]
        picture?.frame.bytes += unit
        return true
    }

    private mutating func appendFragment(_ payload: [UInt8], _ header: UInt8) -> Bool {
        guard payload.count > 2, let isOpen = picture?.isOpen else { return false }
        let fragment = payload[1]
        let begins = fragment & 0x80 != 0
        guard begins != isOpen else { return false }
        if begins {
            let unit = header & 0xe0 | fragment & 0x1f
            note(unit)
            picture?.frame.bytes += [0, 0, 0, 1, unit]
        }
        picture?.frame.bytes += payload[2...]
        picture?.isOpen = fragment & 0x40 == 0
        return true
    }

    /// Source: ITU-T H.264, table 7-1.
    private mutating func note(_ header: UInt8) {
        switch header & 0x1f {
        case 5: picture?.frame.isKey = true
        case 7: hasParameters = true
        default: break
        }
    }
}
