import Blobs

/// What is taken is of a size that may be decoded, whole to its last byte, and begins as its kind does.
package func fuzzPictureFile(_ bytes: [UInt8]) -> String? {
    for area in BlobArea.allCases {
        guard let picture = try? PictureFile(bytes, for: area) else { continue }
        let sides = 1...area.mostPoints
        guard sides.contains(picture.width), sides.contains(picture.height), bytes.count <= area.mostBytes else {
            return "a picture of \(picture.width)x\(picture.height) and \(bytes.count) bytes in \(area)"
        }
        let begin: [UInt8] =
            switch picture.kind {
            case .png: [0x89, 0x50, 0x4E, 0x47]
            case .jpeg: [0xFF, 0xD8, 0xFF]
            case .webp: Array("RIFF".utf8)
            }
        guard bytes.starts(with: begin) else { return "a \(picture.kind) that begins otherwise" }
        guard picture.kind == .webp else { continue }
        if (try? PictureFile(Array(bytes.dropLast()), for: area)) != nil { return "a picture without its last byte" }
        if (try? PictureFile(bytes + [0], for: area)) != nil { return "a picture with a byte behind it" }
    }
    return nil
}
