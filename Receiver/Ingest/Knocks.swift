import BondWire
import Posix

/// Who knocks at a stream's port without its key: mostly a sender of ours with a key that was mistyped, or one of another kind. Holds no clock.
struct Knocks {
    /// Since the last time that it was told.
    struct Told: Equatable {
        /// Where the last one came from.
        var source: SocketAddress
        var withAnotherKey = 0
        var withNoKey = 0
    }

    private static let every: Microseconds = 60_000_000
    /// What scans the internet sends some datagrams of no kind; a sender sends hundreds a second.
    private static let strayLimit = 200

    private var counted: Told?
    private var countedFrom: Microseconds = 0
    private var toldAt: Microseconds?

    /// - Returns: what to tell: at once, and then once a minute at most.
    mutating func dropped(_ reason: DropReason, from source: SocketAddress, at now: Microseconds) -> Told? {
        if counted == nil || (counted?.withAnotherKey == 0 && now - countedFrom >= Self.every) {
            counted = nil
            countedFrom = now
        }
        var told = counted ?? Told(source: source)
        switch reason {
        case .unknownStream, .notAuthentic:
            told.withAnotherKey += 1
            told.source = source
        case .malformed:
            told.withNoKey += 1
            if told.withAnotherKey == 0 { told.source = source }
        case .unknownConnection, .replayed, .unknownEpoch, .badCookie, .tooMany, .sessionBusy: return nil
        }
        counted = told
        guard told.withAnotherKey > 0 || told.withNoKey >= Self.strayLimit, toldAt.map({ now - $0 >= Self.every }) ?? true else {
            return nil
        }
        toldAt = now
        counted = nil
        return told
    }
}
