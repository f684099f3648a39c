package import BondWire

/// What a decoder takes at once: a picture, or a piece of sound.
package struct EncodedFrame: Hashable, Sendable {
    /// As a file has it: H.264 with start codes (ITU-T H.264, annex B).
    package var bytes: [UInt8]
    package var timestamp: UInt32
    /// When its first packet came.
    package var at: Microseconds
    /// A decoder that has nothing can begin with it.
    package var isKey: Bool
    /// Something that belongs before it is missing.
    package var followsGap: Bool

    package init(bytes: [UInt8], timestamp: UInt32, at: Microseconds, isKey: Bool, followsGap: Bool) {
        self.bytes = bytes
        self.timestamp = timestamp
        self.at = at
        self.isKey = isKey
        self.followsGap = followsGap
    }
}
