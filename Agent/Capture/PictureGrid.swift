/// A few points of the pictures, by which a black one and one that stands still are told. Holds no clock.
///
/// A grid of 64 by 36 points is 2,304 bytes of a picture, whatever its size; the README of the agent has what it costs beside GStreamer's
/// `videoanalyse`, which reads each point of each picture.
struct PictureGrid: Sendable {
    /// What the last picture that was looked at shows.
    struct Look: Sendable, Hashable {
        /// Hardly a point is brighter than a dark grey.
        var isDark: Bool
        /// It is like the one that differed last.
        var isStill: Bool
    }

    static let columns = 64
    static let rows = 36
    /// Luma of video range begins at 16 (ITU-R BT.709): what noise there is in a black picture stays below this.
    static let dark: UInt8 = 32
    /// Points of a dark picture that may be brighter: a hundredth, as a lamp or a logo.
    static let brightPoints = columns * rows / 100
    /// A point that differs by so little is the same: what is decoded again from a still picture comes so near.
    static let noise = 2
    /// A picture is another one where more points differ. No sensor gives two pictures that are so much alike.
    static let movedPoints = 1

    private var reference: [UInt8] = []
    private(set) var look: Look?

    /// - Parameters:
    ///   - frame: I420, as GStreamer lays it out: rows of luma first, padded to 4 bytes.
    ///   - width: of the picture; with `height`, at least as large as the grid.
    /// - Returns: what it shows; nil for what is no whole picture.
    @discardableResult
    mutating func look(at frame: UnsafeRawBufferPointer, width: Int, height: Int) -> Look? {
        let stride = (width + 3) & ~3
        guard width >= Self.columns, height >= Self.rows, frame.count >= stride * height else { return nil }
        let isFirst = reference.isEmpty
        if isFirst { reference = [UInt8](repeating: 0, count: Self.columns * Self.rows) }
        var (bright, moved) = (0, 0)
        var points = [UInt8](repeating: 0, count: Self.columns * Self.rows)
        for row in 0..<Self.rows {
            // In the middle of each field of the grid: edges are often black.
            let line: Int = (2 * row + 1) * height / (2 * Self.rows) * stride
            for column in 0..<Self.columns {
                let index: Int = row * Self.columns + column
                let place: Int = (2 * column + 1) * width / (2 * Self.columns)
                let luma: UInt8 = frame[line + place]
                if luma > Self.dark { bright += 1 }
                if abs(Int(luma) - Int(reference[index])) > Self.noise { moved += 1 }
                points[index] = luma
            }
        }
        // Held against the last one that differed, so that a slow fade is a change too.
        let isStill = !isFirst && moved <= Self.movedPoints
        if !isStill { reference = points }
        look = Look(isDark: bright <= Self.brightPoints, isStill: isStill)
        return look
    }

    /// Another input: what it shows is held against nothing.
    mutating func forget() {
        reference = []
        look = nil
    }
}
