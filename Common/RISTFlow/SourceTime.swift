package import BondWire

/// The flow's 90 kHz timestamps and microseconds of the sender's clock.
package enum SourceTime {
    /// The timestamp of a packet with this source time.
    package static func timestamp(_ time: Microseconds) -> UInt32 {
        // By parts, so that no clock is too far on.
        let (seconds, rest) = (time.quotientDown(1_000_000), time.remainderUp(1_000_000))
        return UInt32(truncatingIfNeeded: seconds &* 90_000 &+ rest * 9 / 100)
    }

    /// How far a timestamp is behind another, as the shorter way round tells: within 6.6 hours.
    static func difference(_ later: UInt32, _ earlier: UInt32) -> Microseconds {
        Microseconds(Int32(bitPattern: later &- earlier)) * 100 / 9
    }
}

extension Int64 {
    fileprivate func quotientDown(_ divisor: Int64) -> Int64 { self % divisor < 0 ? self / divisor - 1 : self / divisor }

    /// Not negative.
    fileprivate func remainderUp(_ divisor: Int64) -> Int64 { self % divisor < 0 ? self % divisor + divisor : self % divisor }
}
