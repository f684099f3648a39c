package import Wire

/// The newest picture of a broadcast, as people are shown it.
package struct ShownThumbnail: Sendable, Hashable {
    package let picture: Thumbnail
    /// When the key frame that it shows arrived at the receiver, Unix milliseconds of control's own clock.
    package let atMs: Int64
    package let shownAtMs: Int64

    init(_ picture: Thumbnail, atMs: Int64, shownAtMs: Int64) {
        self.picture = picture
        self.atMs = atMs
        self.shownAtMs = shownAtMs
    }
}
