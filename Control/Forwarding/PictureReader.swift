/// Reads of each packet of one source what it says of its picture: VP8 (RFC 7741), VP9 (RFC 9628), H.264 (RFC 6184) and AV1 ("RTP
/// Payload Format For AV1", 1.0), and of any codec the dependency descriptor (its appendix A).
///
/// It looks at descriptors and never into coded pictures, except where a codec has none. The bytes are foreign: what does not fit
/// together is refused, nothing is read outside of them, and what is kept is bounded.
package struct PictureReader: Sendable {
    package let codec: Codec
    /// What dependency descriptors refer to; it came with a key frame.
    private var structure: DependencyStructure?
    /// The picture that has begun last, where only the timestamp tells one from the next; and the key frame.
    var begun: UInt32?
    var begunKey: UInt32?

    package init(_ codec: Codec) { self.codec = codec }

    /// - Parameters:
    ///   - payload: behind the RTP header and its extensions, without padding.
    ///   - descriptor: the dependency descriptor's extension; empty where there is none.
    ///   - timestamp: of the RTP header.
    /// - Returns: nil where the bytes are no payload of this codec. A packet of padding alone is one: it has nothing to forward.
    package mutating func read(_ payload: Span<UInt8>, descriptor: Span<UInt8>, timestamp: UInt32) -> PictureMark? {
        guard !payload.isEmpty else { return nil }
        if codec == .opus { return .sound }
        if !descriptor.isEmpty {
            guard let (mark, fresh) = DependencyStructure.read(descriptor, structure) else { return nil }
            if let fresh { structure = fresh }
            return mark
        }
        switch codec {
        case .opus: return .sound
        case .vp8: return Self.vp8(payload)
        case .vp9: return Self.vp9(payload)
        case .h264: return h264(payload, timestamp)
        case .av1: return av1(payload, timestamp)
        }
    }

    /// The same without a dependency descriptor.
    package mutating func read(_ payload: Span<UInt8>, timestamp: UInt32) -> PictureMark? {
        read(payload, descriptor: Span(), timestamp: timestamp)
    }

    // MARK: - VP8, RFC 7741, 4.2 and 4.3

    private static func vp8(_ payload: Span<UInt8>) -> PictureMark? {
        var mark = PictureMark()
        var bytes = ByteCursor()
        let first = bytes.next(payload)
        mark.isDiscardable = first & 0x20 != 0
        mark.startsPicture = first & 0x17 == 0x10  // S, and PID 0
        if first & 0x80 != 0 {
            let extensions = bytes.next(payload)
            if extensions & 0x80 != 0 { mark.number = bytes.pictureID(payload) }
            if extensions & 0x40 != 0 { mark.base = bytes.place(payload) }
            if extensions & 0x30 != 0 {
                let layer = bytes.place(payload)
                if extensions & 0x20 != 0 {
                    mark.temporal = layer.value >> 6
                    mark.isSwitchUp = layer.value & 0x20 != 0
                }
                if extensions & 0x10 != 0 { mark.keyIndex = PictureByte(value: layer.value & 0x1f, place: layer.place) }
            }
        }
        // Behind it there is something of the picture.
        guard bytes.index < payload.count else { return nil }
        if mark.startsPicture, payload[bytes.index] & 1 == 0 {
            // A key frame's header has ten bytes, with the start code in the fourth to sixth. Source: RFC 6386, 9.1.
            let header = bytes.index
            guard payload.count >= header + 10, payload[header + 3] == 0x9d, payload[header + 4] == 0x01, payload[header + 5] == 0x2a
            else { return nil }
            mark.isKey = true
        }
        return mark
    }

    // MARK: - VP9, RFC 9628, 4.2

    private static func vp9(_ payload: Span<UInt8>) -> PictureMark? {
        var mark = PictureMark()
        var bytes = ByteCursor()
        let first = bytes.next(payload)
        let hasNumber = first & 0x80 != 0
        let isPredicted = first & 0x40 != 0
        let hasLayers = first & 0x20 != 0
        // Without a picture id it is ignored.
        let isFlexible = first & 0x10 != 0 && hasNumber
        let begins = first & 0x08 != 0
        mark.endsFrame = first & 0x04 != 0
        if hasNumber { mark.number = bytes.pictureID(payload) }
        if hasLayers {
            let layer = bytes.next(payload)
            mark.temporal = layer >> 5
            mark.isSwitchUp = layer & 0x10 != 0
            mark.spatial = layer >> 1 & 7
            if !isFlexible { mark.base = bytes.place(payload) }
        }
        if isFlexible, isPredicted {
            // One to three references; each says whether another follows.
            var references = 0
            while true {
                let reference = bytes.next(payload)
                references += 1
                guard reference & 1 != 0 else { break }
                guard references < 3 else { return nil }
            }
        }
        if first & 0x02 != 0, !skipStructure(payload, &bytes) { return nil }
        guard bytes.index < payload.count else { return nil }
        mark.startsPicture = begins && mark.spatial == 0
        mark.isKey = mark.startsPicture && !isPredicted
        return mark
    }

    /// The scalability structure. Source: RFC 9628, 4.2.1.
    private static func skipStructure(_ payload: Span<UInt8>, _ bytes: inout ByteCursor) -> Bool {
        let head = bytes.next(payload)
        if head & 0x10 != 0 { bytes.skip(4 * (Int(head >> 5) + 1)) }
        guard head & 0x08 != 0 else { return bytes.index <= payload.count }
        let pictures = bytes.next(payload)
        for _ in 0..<pictures {
            let references = bytes.next(payload) >> 2 & 3
            bytes.skip(Int(references))
            guard bytes.index <= payload.count else { return false }
        }
        return bytes.index <= payload.count
    }
}

/// Where a reader is. Behind the end there are zeros, and the place moves on: whoever reads asks at the end whether it was too far.
struct ByteCursor {
    private(set) var index = 0

    mutating func next(_ bytes: Span<UInt8>) -> UInt8 {
        defer { index += 1 }
        return index < bytes.count ? bytes[index] : 0
    }

    mutating func place(_ bytes: Span<UInt8>) -> PictureByte {
        let place = UInt8(truncatingIfNeeded: index)
        return PictureByte(value: next(bytes), place: place)
    }

    mutating func skip(_ count: Int) { index += count }

    /// Of 7 or 15 bits: the first bit says which.
    mutating func pictureID(_ bytes: Span<UInt8>) -> PictureNumber {
        let place = UInt8(truncatingIfNeeded: index)
        let first = next(bytes)
        guard first & 0x80 != 0 else { return PictureNumber(value: UInt16(first), bits: 7, place: place) }
        return PictureNumber(value: UInt16(first & 0x7f) << 8 | UInt16(next(bytes)), bits: 15, place: place)
    }

    /// Seven bits in each byte, the lowest first. Source: AV1 specification, 4.10.5.
    /// - Returns: nil for more than 32 bits, or more than there are.
    mutating func leb128(_ bytes: Span<UInt8>) -> Int? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 56, by: 7) {
            guard index < bytes.count else { return nil }
            let byte = next(bytes)
            value |= UInt64(byte & 0x7f) << shift
            if byte & 0x80 == 0 { return value <= UInt64(UInt32.max) ? Int(value) : nil }
        }
        return nil
    }
}
