/// What a track is encoded with.
package enum Codec: UInt8, Hashable, Sendable, CaseIterable {
    case opus, vp8, vp9, h264, av1

    package var isVideo: Bool { self != .opus }
    /// Ticks of its RTP clock in a second. Source: RFC 7587, 4.1; RFC 7741, 4.1; RFC 9628, 4.1; RFC 6184, 8.2.1.
    package var clockRate: Int64 { self == .opus ? 48_000 : 90_000 }
}

/// A number on the wire that has to be another one for each subscriber.
package struct PictureNumber: Hashable, Sendable {
    package var value: UInt16
    /// How wide it is: 7 or 15 for a picture id, 16 for the frame number of a dependency descriptor.
    package var bits: UInt8
    /// Of its first byte: in the payload, or of 16 bits in the dependency descriptor.
    package var place: UInt8

    package init(value: UInt16, bits: UInt8, place: UInt8) {
        self.value = value
        self.bits = bits
        self.place = place
    }

    package var mask: UInt16 { bits >= 16 ? .max : 1 << UInt16(bits) - 1 }
}

/// A byte of the payload that has to be another one for each subscriber.
package struct PictureByte: Hashable, Sendable {
    package var value: UInt8
    package var place: UInt8

    package init(value: UInt8, place: UInt8) {
        self.value = value
        self.place = place
    }
}

/// What one packet's payload says of the picture that it is a part of.
package struct PictureMark: Hashable, Sendable {
    /// It is the first packet of a picture, or of one with several spatial layers.
    package var startsPicture = false
    /// It is the last packet of its spatial layer's frame. Where the codec does not say so the marker bit alone does.
    package var endsFrame = false
    /// A decoder that has nothing can begin with it. Only the first packet of a key frame knows.
    package var isKey = false
    /// Who did not get this temporal layer before may get it from this picture on.
    package var isSwitchUp = false
    /// No other picture needs it.
    package var isDiscardable = false
    package var temporal: UInt8 = 0
    package var spatial: UInt8 = 0
    package var number: PictureNumber?
    /// TL0PICIDX: which picture of the lowest temporal layer it needs.
    package var base: PictureByte?
    /// KEYIDX of VP8, the low 5 bits of its byte.
    package var keyIndex: PictureByte?

    package init() {}

    /// Of sound: each packet stands for itself.
    package static let sound = {
        var mark = PictureMark()
        mark.startsPicture = true
        mark.isKey = true
        return mark
    }()
}
