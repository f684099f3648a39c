/// What a forwarder changes in the fixed header of a packet. Source: RFC 3550 section 5.1.
package struct RTPFields: Hashable, Sendable {
    package var marker: Bool
    /// 0...127.
    package var payloadType: UInt8
    package var sequence: UInt16
    /// In the clock of the payload type.
    package var timestamp: UInt32
    /// The synchronization source (SSRC).
    package var source: UInt32

    package init(marker: Bool = false, payloadType: UInt8, sequence: UInt16, timestamp: UInt32, source: UInt32) {
        self.marker = marker
        self.payloadType = payloadType & 0x7f
        self.sequence = sequence
        self.timestamp = timestamp
        self.source = source
    }
}

/// The header of an RTP packet and where its parts lie; holds no bytes.
///
/// Every range lies within the packet that was read. Source: RFC 3550 section 5.1, RFC 8285 section 4.
package struct RTPHeader: Hashable, Sendable {
    /// How the extensions are written.
    package enum ExtensionForm: Hashable, Sendable {
        case none
        /// 0xbede: ids 1...14, values of 1...16 bytes.
        case oneByte
        /// 0x100x: ids 1...255, values of 0...255 bytes.
        case twoByte
        /// Another profile's; they are passed over.
        case foreign(UInt16)
    }

    package static let fixedBytes = 12

    package let fields: RTPFields
    /// 0...15 contributing sources lie behind the fixed header.
    package let contributorCount: Int
    package let extensionForm: ExtensionForm
    /// The elements, behind the four bytes that name their form and length; empty where there are none.
    package let extensionRange: Range<Int>
    /// Without padding; empty in a packet of padding alone.
    package let payload: Range<Int>
    /// 0...255, of which the last byte tells the count.
    package let paddingBytes: Int

    /// Reads the header of the whole packet `bytes`.
    package init(_ bytes: Span<UInt8>) throws(RTPFault) {
        guard bytes.count >= Self.fixedBytes else { throw .short }
        let first = bytes[0]
        guard first >> 6 == 2 else { throw .version }
        fields = RTPFields(
            marker: bytes[1] & 0x80 != 0, payloadType: bytes[1], sequence: bytes.integer16(2), timestamp: bytes.integer32(4),
            source: bytes.integer32(8))
        contributorCount = Int(first & 0x0f)
        var start = Self.fixedBytes + 4 * contributorCount
        guard start <= bytes.count else { throw .short }
        if first & 0x10 != 0 {
            guard start + 4 <= bytes.count else { throw .short }
            extensionForm = Self.form(bytes.integer16(start))
            let end = start + 4 + 4 * Int(bytes.integer16(start + 2))
            guard end <= bytes.count else { throw .extensionLength }
            extensionRange = start + 4..<end
            start = end
        } else {
            extensionForm = .none
            extensionRange = start..<start
        }
        var end = bytes.count
        if first & 0x20 != 0 {
            let padding = start < end ? Int(bytes[end - 1]) : 0
            guard padding > 0, start + padding <= end else { throw .padding }
            end -= padding
        }
        payload = start..<end
        paddingBytes = bytes.count - end
    }

    /// Nothing to decode: a probe for bandwidth, or what keeps a way open.
    package var isPaddingOnly: Bool { payload.isEmpty }

    private static func form(_ profile: UInt16) -> ExtensionForm {
        switch profile {
        case 0xbede: .oneByte
        case 0x1000...0x100f: .twoByte
        default: .foreign(profile)
        }
    }
}

extension RTPFields {
    /// Writes these fields over those of the packet `bytes`; version, padding, extension and contributors stay.
    ///
    /// `bytes` holds a packet whose header was read, so at least `RTPHeader.fixedBytes`.
    package func rewrite(_ bytes: inout MutableSpan<UInt8>) {
        bytes[1] = (marker ? 0x80 : 0) | payloadType
        bytes.set16(sequence, at: 2)
        bytes.set32(timestamp, at: 4)
        bytes.set32(source, at: 8)
    }

    /// Writes a header without contributors and padding, with `extensions` where there are any.
    /// - Returns: the header's bytes: where the payload goes.
    package func write(
        into bytes: inout MutableSpan<UInt8>, _ extensions: ExtensionValues = ExtensionValues(), _ map: ExtensionMap = ExtensionMap()
    ) throws(RTPFault) -> Int {
        guard bytes.count >= RTPHeader.fixedBytes else { throw .room }
        rewrite(&bytes)
        let count = try extensions.write(into: &bytes, at: RTPHeader.fixedBytes, map)
        bytes[0] = count > 0 ? 0x90 : 0x80
        return RTPHeader.fixedBytes + count
    }
}
