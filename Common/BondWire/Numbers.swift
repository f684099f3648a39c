/// Microseconds of one end's monotonic clock. The two ends' clocks have nothing to do with each other.
package typealias Microseconds = Int64

/// Which link of a session: the sender numbers its own.
package struct LinkNumber: Hashable, Sendable, Comparable {
    package let value: UInt8

    package static let limit = 16

    /// nil outside of 0..<16.
    package init?(_ value: Int) {
        guard (0..<Self.limit).contains(value) else { return nil }
        self.value = UInt8(value)
    }

    package static func < (left: LinkNumber, right: LinkNumber) -> Bool { left.value < right.value }
}

/// Which association of a receiver a sealed datagram belongs to: 24 bits, chosen at random by the receiver.
package struct ConnectionNumber: Hashable, Sendable {
    package let value: UInt32

    /// No association has it.
    package static let none = ConnectionNumber(0)

    /// The low 24 bits of `value`.
    package init(_ value: UInt32) { self.value = value & 0xff_ffff }
}

/// One run of a sender: 16 random bytes, the same on all its links.
package struct SessionID: Hashable, Sendable {
    package let bytes: [UInt8]

    package static let byteCount = 16

    /// nil unless there are 16 bytes.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        self.bytes = bytes
    }

    /// A new one.
    package init(_ crypto: BondCrypto) { bytes = crypto.random(Self.byteCount) }
}
