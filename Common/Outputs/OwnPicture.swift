package import Wire

/// An organisation's picture, as far as it can be trusted before a decoder sees it: its kind and its size are what they should be.
package struct OwnPicture: Sendable, Hashable {
    let kind: SlateFile.Kind
    let bytes: [UInt8]

    /// Of a 4K picture; decoded it takes four bytes for each.
    private static let points = 3840 * 2160

    /// - Returns: nil for what is too large, or no such file.
    package init?(_ kind: SlateFile.Kind, _ bytes: [UInt8]) {
        guard bytes.count <= WireLimits.slateBytes else { return nil }
        let size = kind == .png ? OwnPicture.pngSize(bytes) : OwnPicture.jpegSize(bytes)
        guard let size, size.width > 0, size.height > 0, size.width * size.height <= OwnPicture.points else { return nil }
        self.kind = kind
        self.bytes = bytes
    }

    /// Source: PNG specification (ISO/IEC 15948), 5.2 and 11.2.2.
    private static func pngSize(_ bytes: [UInt8]) -> (width: Int, height: Int)? {
        let begin: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52]
        guard bytes.count >= 24, bytes.starts(with: begin) else { return nil }
        return (number(bytes[16..<20]), number(bytes[20..<24]))
    }

    /// Source: ITU-T T.81, B.1.1 and B.2.2: the frame header of any process but the lossless and hierarchical ones.
    private static func jpegSize(_ bytes: [UInt8]) -> (width: Int, height: Int)? {
        guard bytes.starts(with: [0xFF, 0xD8]) else { return nil }
        var at = 2
        while at + 9 < bytes.count, bytes[at] == 0xFF {
            if (0xC0...0xC2).contains(bytes[at + 1]) { return (number(bytes[at + 7..<at + 9]), number(bytes[at + 5..<at + 7])) }
            at += 2 + number(bytes[at + 2..<at + 4])
        }
        return nil
    }

    /// Big endian.
    private static func number(_ bytes: ArraySlice<UInt8>) -> Int { bytes.reduce(0) { $0 << 8 | Int($1) } }
}
