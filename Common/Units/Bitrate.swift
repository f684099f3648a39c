/// A rate of media or of a link, in bits per second.
package struct Bitrate: Hashable, Comparable, Sendable {
    package var bitsPerSecond: Int

    package init(bitsPerSecond: Int) {
        self.bitsPerSecond = bitsPerSecond
    }

    package static func kilobits(_ count: Int) -> Bitrate { Bitrate(bitsPerSecond: count * 1000) }

    /// The rate at which `bytes` pass in `duration`; zero for an empty duration.
    package init(bytes: Int, in duration: Duration) {
        let seconds = duration.seconds
        bitsPerSecond = seconds > 0 ? Int(Double(bytes) * 8 / seconds) : 0
    }

    package var kilobits: Int { bitsPerSecond / 1000 }

    package static func < (left: Bitrate, right: Bitrate) -> Bool { left.bitsPerSecond < right.bitsPerSecond }
}

extension Bitrate: Codable {
    package init(from decoder: any Decoder) throws {
        bitsPerSecond = try decoder.singleValueContainer().decode(Int.self)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(bitsPerSecond)
    }
}

extension Duration {
    package var seconds: Double {
        let parts = components
        return Double(parts.seconds) + Double(parts.attoseconds) * 1e-18
    }

    package var milliseconds: Int {
        let parts = components
        return Int(parts.seconds) * 1000 + Int(parts.attoseconds / 1_000_000_000_000_000)
    }

    package var nanoseconds: Int64 {
        let parts = components
        return parts.seconds * 1_000_000_000 + parts.attoseconds / 1_000_000_000
    }
}
