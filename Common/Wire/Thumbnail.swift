package import Units

/// The newest picture of a stream, small: on its way from its receiver to control. Dropped where a way is slow: the next one is newer.
package struct StreamThumbnail: Codable, Sendable, Hashable {
    package var lease: LeaseID
    package var broadcast: BroadcastID
    /// From the arrival of the key frame that it shows to this message.
    package var ageMs: Int
    /// Of a JPEG file; whoever shows it holds it against `Thumbnail` first.
    package var base64: String

    package init(lease: LeaseID, broadcast: BroadcastID, ageMs: Int, base64: String) {
        self.lease = lease
        self.broadcast = broadcast
        self.ageMs = ageMs
        self.base64 = base64
    }
}

extension StreamThumbnail {
    /// - Returns: nil for what cannot be a picture within the bounds: half of one is none.
    package func bounded() -> StreamThumbnail? {
        guard base64.utf8.count <= (WireLimits.thumbnailBytes + 2) / 3 * 4, base64.isPlain else { return nil }
        return StreamThumbnail(lease: lease, broadcast: broadcast, ageMs: min(max(ageMs, 0), 60_000), base64: base64)
    }
}

/// A JPEG file as small as a thumbnail is, from its first byte to its last, as far as that can be told without decoding it.
package struct Thumbnail: Sendable, Hashable {
    package let bytes: [UInt8]
    /// In points.
    package let width, height: Int

    /// - Returns: nil for everything else.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count <= WireLimits.thumbnailBytes, bytes.suffix(2) == [0xFF, 0xD9] else { return nil }
        // try?: why it is none nobody is told, as nobody has sent it by hand.
        guard let picture = try? OwnPicture(bytes), picture.kind == .jpeg else { return nil }
        guard max(picture.width, picture.height) <= WireLimits.thumbnailSide else { return nil }
        self.bytes = bytes
        (width, height) = (picture.width, picture.height)
    }
}
