import Posix
import Units

/// For how long a start that finds no pool host connected waits for one. Holds no clock.
///
/// Pool hosts dial by themselves: after control's own start, and after a loss, they are back within seconds. Waiting longer than that would
/// only hide from a person that there is none.
struct HostPatience: Sendable {
    private var since: Instant

    /// A host redials within 1 s at first, and a restarted one is there within a few.
    static let limit = Duration.seconds(10)

    /// - Parameter began: when control did.
    init(began: Instant) { since = began }

    mutating func lost(at moment: Instant) { since = max(since, moment) }

    /// What is left of it; 0 where nobody is expected.
    func leftMs(at now: Instant) -> Int64 { Int64(max(0, (Self.limit - (now - since)).milliseconds)) }
}
