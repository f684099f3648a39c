/// A V4L2 device that gives pictures, or one that encodes them.
package struct VideoDevice: Sendable, Hashable {
    /// `/dev/video0`
    package var path: String
    package var driver: String
    /// The device's own name, for a person.
    package var card: String
    /// Where it is plugged in: stable over restarts, the same for all nodes of one device.
    package var bus: String
    package var role: Role

    package enum Role: Sendable, Hashable {
        case capture([Mode])
        /// Memory to memory; the compressed formats it makes, as four characters.
        case encoder([String])
    }

    /// A picture size at a rate in a format.
    package struct Mode: Sendable, Hashable {
        /// Four characters: `YUYV`, `MJPG`, `H264`.
        package var format: String
        package var width: Int
        package var height: Int
        /// Frames in `frameSeconds` seconds.
        package var frames: Int
        package var frameSeconds: Int
    }
}
