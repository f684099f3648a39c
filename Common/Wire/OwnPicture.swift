/// An organisation's picture, as far as it can be trusted before a decoder sees it: its kind and its size are what they should be.
package struct OwnPicture: Sendable, Hashable {
    package let kind: SlateFile.Kind
    package let bytes: [UInt8]
    /// In points.
    package let width, height: Int

    /// Those of a 4K picture; decoded it takes four bytes for each point.
    private static let side = 3840
    private static let points = 3840 * 2160

    package enum Refusal: Error, Hashable, CustomStringConvertible {
        case tooLarge(bytes: Int)
        case neither
        case size(width: Int, height: Int)

        package var description: String {
            switch self {
            case .tooLarge(let bytes): "the picture has \(bytes) bytes; at most \(WireLimits.slateBytes) are taken"
            case .neither: "the picture is neither a whole PNG nor a whole JPEG file that browsers show"
            case .size(let width, let height):
                "the picture is \(width)x\(height); at most \(OwnPicture.side) on a side and \(OwnPicture.points) points are taken"
            }
        }
    }

    package init(_ bytes: [UInt8]) throws(Refusal) {
        guard bytes.count <= WireLimits.slateBytes else { throw .tooLarge(bytes: bytes.count) }
        if let size = OwnPicture.pngSize(bytes) {
            kind = .png
            (width, height) = size
        } else if let size = OwnPicture.jpegSize(bytes) {
            kind = .jpeg
            (width, height) = size
        } else {
            throw .neither
        }
        let sides = 1...OwnPicture.side
        guard sides.contains(width), sides.contains(height), width * height <= OwnPicture.points else {
            throw .size(width: width, height: height)
        }
        self.bytes = bytes
    }

    /// Chunks up to the last, one after the other, with a head in front and something to show between.
    ///
    /// Source: PNG specification (ISO/IEC 15948), 5.2, 5.3 and 11.2.2.
    private static func pngSize(_ bytes: [UInt8]) -> (Int, Int)? {
        let begin: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52]
        guard bytes.count >= 33, bytes.starts(with: begin) else { return nil }
        var at = 33
        var hasImage = false
        // Length, type, data, CRC.
        while at + 12 <= bytes.count {
            let type = bytes[at + 4..<at + 8]
            if type.elementsEqual("IEND".utf8) { return hasImage ? (number(bytes[16..<20]), number(bytes[20..<24])) : nil }
            hasImage = hasImage || type.elementsEqual("IDAT".utf8)
            at += 12 + number(bytes[at..<at + 4])
        }
        return nil
    }

    /// Progressive files have about ten; each is a pass over the whole picture, which costs the decoder time however empty it is.
    private static let scans = 32

    /// The first frame header, found as a decoder finds it: whoever sends a second one that a decoder never comes to, or hides the
    /// first behind fill bytes, gains nothing. Before it may come what can be skipped, behind it what a decoder needs, up to the end.
    ///
    /// Source: ITU-T T.81, B.1.1.2 (fill bytes), B.1.1.3 (markers), B.1.1.5 (coded data), B.2.2: any process but the lossless and
    /// hierarchical ones.
    private static func jpegSize(_ bytes: [UInt8]) -> (Int, Int)? {
        guard bytes.starts(with: [0xFF, 0xD8]) else { return nil }
        var size: (Int, Int)?
        var scans = 0
        var at = 2
        while at + 2 <= bytes.count, bytes[at] == 0xFF {
            let marker = bytes[at + 1]
            let length = at + 4 <= bytes.count ? number(bytes[at + 2..<at + 4]) : 0
            switch marker {
            case 0xFF:
                at += 1
                continue
            case 0xD9: return scans > 0 ? size : nil
            case 0xC0...0xC2:
                guard size == nil, length >= 8, at + 9 <= bytes.count else { return nil }
                size = (number(bytes[at + 7..<at + 9]), number(bytes[at + 5..<at + 7]))
            case 0xDA:
                scans += 1
                guard size != nil, scans <= Self.scans else { return nil }
            case 0xC4, 0xCC, 0xDB, 0xDD, 0xE0...0xEF, 0xFE: break
            default: return nil
            }
            guard length >= 2 else { return nil }
            at += 2 + length
            if marker == 0xDA { at = endOfScan(bytes, from: at) }
        }
        return nil
    }

    /// The next marker that is none of the coded data: neither a stuffed byte nor a restart.
    private static func endOfScan(_ bytes: [UInt8], from start: Int) -> Int {
        var at = start
        while at + 2 <= bytes.count, bytes[at] != 0xFF || bytes[at + 1] == 0 || (0xD0...0xD7).contains(bytes[at + 1]) { at += 1 }
        return at
    }

    /// Big endian.
    private static func number(_ bytes: ArraySlice<UInt8>) -> Int { bytes.reduce(0) { $0 << 8 | Int($1) } }
}
