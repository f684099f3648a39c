import Wire

/// A picture that somebody uploads, as far as it can be trusted before a browser decodes it: its kind and size, by its bytes, whatever
/// was said of it. What can hold a script, such as SVG, is none of the kinds.
package struct PictureFile: Sendable, Hashable {
    /// The raw value ends its name.
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        case png
        case jpeg = "jpg"
        case webp

        package var mediaType: String {
            switch self {
            case .png: "image/png"
            case .jpeg: "image/jpeg"
            case .webp: "image/webp"
            }
        }
    }

    package let kind: Kind
    /// In points.
    package let width, height: Int

    package enum Refusal: Error, Hashable, CustomStringConvertible {
        case bytes(Int, atMost: Int)
        case otherKind
        case size(width: Int, height: Int, atMost: Int)

        package var description: String {
            switch self {
            case .bytes(let count, let most): "the picture has \(count) bytes; at most \(most) are taken"
            case .otherKind: "the file is no whole PNG, JPEG or WebP picture that browsers show"
            case .size(let width, let height, let most): "the picture is \(width)x\(height); at most \(most) points on a side are taken"
            }
        }
    }

    package init(_ bytes: [UInt8], for area: BlobArea) throws(Refusal) {
        guard bytes.count <= area.mostBytes else { throw .bytes(bytes.count, atMost: area.mostBytes) }
        if let size = Self.webpSize(bytes) {
            kind = .webp
            (width, height) = size
        } else if let picture = try? OwnPicture(bytes) {  // try?: what is none of them is refused here, in these words
            kind = picture.kind == .png ? .png : .jpeg
            (width, height) = (picture.width, picture.height)
        } else {
            throw .otherKind
        }
        let sides = 1...area.mostPoints
        guard sides.contains(width), sides.contains(height) else {
            throw .size(width: width, height: height, atMost: area.mostPoints)
        }
    }

    /// Chunks from the head to the last byte, with one picture among them of the size that the head says; no animation.
    ///
    /// Source: RFC 9649, 2.3 to 2.7 (RIFF, chunks, VP8X) and 3.4 (VP8L); RFC 6386, 9.1 (the frame's tag, start code and size).
    private static func webpSize(_ bytes: [UInt8]) -> (Int, Int)? {
        guard bytes.count >= 20, bytes.starts(with: "RIFF".utf8), bytes[8..<12].elementsEqual("WEBP".utf8),
            number(bytes[4..<8]) == bytes.count - 8
        else { return nil }
        var canvas: (Int, Int)?
        var picture: (Int, Int)?
        var at = 12
        while at + 8 <= bytes.count {
            let length = number(bytes[at + 4..<at + 8])
            let end = at + 8 + length
            guard end <= bytes.count else { return nil }
            let payload = Array(bytes[at + 8..<end])
            switch String(decoding: bytes[at..<at + 4], as: UTF8.self) {
            case "VP8X":
                // 2: an animation.
                guard at == 12, length == 10, payload[0] & 2 == 0 else { return nil }
                canvas = (number(payload[4..<7]) + 1, number(payload[7..<10]) + 1)
            case "VP8 ", "VP8L":
                guard picture == nil, let size = bytes[at + 3] == UInt8(ascii: "L") ? losslessSize(payload) : lossySize(payload) else {
                    return nil
                }
                picture = size
            case "ANIM", "ANMF": return nil
            default: break
            }
            // Padded to an even length.
            at = end + length % 2
        }
        guard at == bytes.count, let picture else { return nil }
        if let canvas, canvas != picture { return nil }
        return picture
    }

    private static func lossySize(_ payload: [UInt8]) -> (Int, Int)? {
        guard payload.count >= 10, payload[0] & 1 == 0, payload[3..<6].elementsEqual([0x9D, 0x01, 0x2A]) else { return nil }
        return (number(payload[6..<8]) & 0x3FFF, number(payload[8..<10]) & 0x3FFF)
    }

    private static func losslessSize(_ payload: [UInt8]) -> (Int, Int)? {
        guard payload.count >= 5, payload[0] == 0x2F else { return nil }
        let bits = number(payload[1..<5])
        return (bits & 0x3FFF + 1, bits >> 14 & 0x3FFF + 1)
    }

    /// Little endian.
    private static func number(_ bytes: ArraySlice<UInt8>) -> Int { bytes.reversed().reduce(0) { $0 << 8 | Int($1) } }
}
