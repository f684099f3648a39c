/// The header of a PES packet: where its timestamps and its payload lie.
///
/// Source: ISO/IEC 13818-1, 2.4.3.6.
package struct PESHeader: Hashable {
    /// Bytes after the length field; 0 where the sender does not say (video only).
    package let length: Int
    package let presentationStart: Int?
    package let decodeStart: Int?
    package let payloadStart: Int

    /// - Parameters:
    ///   - start: of the start code prefix.
    ///   - end: one past the last byte that may be read.
    /// - Returns: nil where this is no PES packet with the optional header, or where its header is not whole.
    package init?(_ bytes: [UInt8], at start: Int, end: Int) {
        guard start + 9 <= end, bytes[start] == 0, bytes[start + 1] == 0, bytes[start + 2] == 1 else { return nil }
        guard PESHeader.hasOptionalHeader(bytes[start + 3]), bytes[start + 6] & 0xC0 == 0x80 else { return nil }
        length = Int(bytes[start + 4]) << 8 | Int(bytes[start + 5])
        let flags = bytes[start + 7] >> 6
        let headerLength = Int(bytes[start + 8])
        payloadStart = start + 9 + headerLength
        guard payloadStart <= end else { return nil }
        presentationStart = flags & 2 != 0 && headerLength >= 5 ? start + 9 : nil
        decodeStart = flags == 3 && headerLength >= 10 ? start + 14 : nil
    }

    /// Program stream map, padding, private stream 2, ECM, EMM, directory, DSM-CC and H.222.1 type E have none.
    private static func hasOptionalHeader(_ streamID: UInt8) -> Bool {
        switch streamID {
        case 0xBC, 0xBE, 0xBF, 0xF0, 0xF1, 0xF2, 0xF8, 0xFF: false
        default: true
        }
    }
}
