import Wire

/// A size that is told is one that may be decoded, and none that fill bytes, which a decoder skips, could have changed.
package func fuzzOwnPicture(_ bytes: [UInt8]) -> String? {
    let picture = pictureOutcome(bytes)
    if let size = picture.value, size.width < 1 || size.height < 1 || size.width * size.height > 3840 * 2160 {
        return "a picture of \(size.width)x\(size.height)"
    }
    if let thumbnail = Thumbnail(bytes), thumbnail.width > 320 || thumbnail.height > 320 || picture.value == nil || bytes.count > 24 << 10 {
        return "a thumbnail of \(thumbnail.width)x\(thumbnail.height) and \(bytes.count) bytes"
    }
    guard bytes.starts(with: [0xFF, 0xD8]), bytes.count < WireLimits.slateBytes else { return nil }
    return pictureOutcome([0xFF, 0xD8, 0xFF] + bytes.dropFirst(2)) == picture ? nil : "a fill byte that changes the picture"
}

private struct PictureSize: Equatable {
    let width: Int, height: Int
}

private func pictureOutcome(_ bytes: [UInt8]) -> Outcome<PictureSize> {
    guard let picture = try? OwnPicture(bytes) else { return .refused }
    return .value(PictureSize(width: picture.width, height: picture.height))
}
