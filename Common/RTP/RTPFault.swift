/// Why bytes are no packet that we forward; the packet is dropped and counted by the case.
package enum RTPFault: Error, Hashable, Sendable, CaseIterable {
    /// Fewer bytes than the fixed header, the contributors or the header of the extensions need.
    case short
    /// Not version 2.
    case version
    /// The extensions' length goes past the packet.
    case extensionLength
    /// An element goes past the extensions, or its value has another length than its kind.
    case extensionElement
    /// The last byte names no padding, or more than there is payload.
    case padding
    /// The place to write to is too small.
    case room
}

extension Span where Element == UInt8 {
    /// Big endian; the caller has looked that the bytes are there.
    func integer16(_ index: Int) -> UInt16 { UInt16(self[index]) << 8 | UInt16(self[index + 1]) }

    func integer24(_ index: Int) -> UInt32 { UInt32(self[index]) << 16 | UInt32(self[index + 1]) << 8 | UInt32(self[index + 2]) }

    func integer32(_ index: Int) -> UInt32 { UInt32(integer16(index)) << 16 | UInt32(integer16(index + 2)) }
}

extension MutableSpan where Element == UInt8 {
    /// Big endian; the caller has looked that there is room.
    mutating func set16(_ value: UInt16, at index: Int) {
        self[index] = UInt8(truncatingIfNeeded: value >> 8)
        self[index + 1] = UInt8(truncatingIfNeeded: value)
    }

    /// The low 24 bits.
    mutating func set24(_ value: UInt32, at index: Int) {
        self[index] = UInt8(truncatingIfNeeded: value >> 16)
        set16(UInt16(truncatingIfNeeded: value), at: index + 1)
    }

    mutating func set32(_ value: UInt32, at index: Int) {
        set16(UInt16(truncatingIfNeeded: value >> 16), at: index)
        set16(UInt16(truncatingIfNeeded: value), at: index + 2)
    }
}
