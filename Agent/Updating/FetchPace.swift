import Posix
package import Units

/// How much is asked for at once, and when next. Holds no clock.
package struct FetchPace: Sendable {
    /// The most that the download may take of all links together; nil for no cap.
    package var cap: Bitrate?
    private var openAt: Instant?
    /// The most that is asked for at once over the line as it has been.
    private var reach = Self.chunkBytes.upperBound

    /// What is asked for at once is gone through in about a second, so that a broadcast that begins waits no longer for the line.
    private static let chunkBytes = 16 * 1024...256 * 1024

    package init(cap: Bitrate?) { self.cap = cap }

    /// In bytes.
    var chunk: Int {
        guard let cap else { return reach }
        return min(max(cap.bitsPerSecond / 8, Self.chunkBytes.lowerBound), reach)
    }

    /// From when on the next part may be asked for.
    func opening(at now: Instant) -> Instant { openAt.map { max($0, now) } ?? now }

    /// - Parameter start: when the part was asked for.
    mutating func fetched(_ bytes: Int, from start: Instant) {
        if bytes >= chunk { reach = min(reach * 2, Self.chunkBytes.upperBound) }
        guard let cap, cap.bitsPerSecond > 0 else { return }
        openAt = start + .seconds(Double(bytes) * 8 / Double(cap.bitsPerSecond))
    }

    /// The line broke before a part was there as a whole, and what had come of it is gone: half as much may come through.
    mutating func lost() { reach = max(reach / 2, Self.chunkBytes.lowerBound) }
}
