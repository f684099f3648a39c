/// Packets sent again on a source of their own, with the number of the original before the payload. Source: RFC 4588 section 4.
package enum Retransmission {
    /// The original's number.
    package static let headerBytes = 2

    /// Writes the retransmission of `packet` into `bytes`: `fields` are of the retransmission (its payload type, source and number, with
    /// the original's timestamp and marker), `extensions` those that it bears. Padding of the original is left out.
    /// - Returns: the bytes written.
    package static func wrap(
        _ packet: Span<UInt8>, _ header: RTPHeader, original: UInt16, as fields: RTPFields,
        _ extensions: ExtensionValues = ExtensionValues(), _ map: ExtensionMap = ExtensionMap(), into bytes: inout MutableSpan<UInt8>
    ) throws(RTPFault) -> Int {
        let start = try fields.write(into: &bytes, extensions, map)
        guard start + headerBytes + header.payload.count <= bytes.count else { throw .room }
        bytes.set16(original, at: start)
        var index = start + headerBytes
        for place in header.payload {
            bytes[index] = packet[place]
            index += 1
        }
        return index
    }

    /// Turns the retransmission in `bytes` back into the original, in place: the payload moves down by two bytes, extensions and
    /// contributors stay, padding goes.
    ///
    /// - Parameters:
    ///   - header: of `bytes`.
    ///   - source: of the original.
    /// - Returns: the original's bytes, counted from the start; nil where there is none inside, as in a probe for bandwidth.
    package static func unwrap(
        _ bytes: inout MutableSpan<UInt8>, _ header: RTPHeader, source: UInt32, payloadType: UInt8
    ) -> Int? {
        let payload = header.payload
        guard payload.count > headerBytes, payload.upperBound <= bytes.count else { return nil }
        var fields = header.fields
        fields.sequence = bytes.span.integer16(payload.lowerBound)
        fields.source = source
        fields.payloadType = payloadType & 0x7f
        fields.rewrite(&bytes)
        bytes[0] &= ~0x20
        for index in payload.lowerBound..<payload.upperBound - headerBytes { bytes[index] = bytes[index + headerBytes] }
        return payload.upperBound - headerBytes
    }
}
