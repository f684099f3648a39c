import BondWire
import Posix

extension Microseconds {
    init(_ instant: Instant) { self = instant.nanoseconds / 1000 }

    init(_ duration: Duration) {
        let parts = duration.components
        self = parts.seconds * 1_000_000 + parts.attoseconds / 1_000_000_000_000
    }
}
