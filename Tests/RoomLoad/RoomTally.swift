/// What came of a window, as the load saw it.
struct RoomFigures: Codable, Sendable {
    /// Packets that publishers sent, and those of them that they left out because they were too late.
    var sent: Int
    var skipped: Int
    /// Packets that players were to get, that they got, and that are missing among those by their numbers.
    var expected: Int
    var came: Int
    var lost: Int
    /// That were none of the server's by their protection.
    var refused: Int
    /// Of those that were opened: from the publisher's sending to the kernel's taking them for the player.
    var delayMs: Spread
    var opened: Int
    /// How far publishers were behind their beat: the load's own.
    var lateMs: Spread
    /// Compounds by which somebody was asked for a key frame.
    var keyFrameRequests: Int
    /// Of the packets to players, AES_128_GCM or AES_CM_128_HMAC_SHA1_80; nil before the first player.
    var protection: String?
    /// Peers whose connection ended by itself, since the start, and why the last of them did.
    var ended: Int
    var lastReason: String?
}

/// Who came, and how long that took.
struct EntryFigures: Codable, Sendable {
    var publishers: Int
    var players: Int
    /// From the first request of a player to its first whole picture, and to the end of its signalling.
    var firstPictureMs: Spread
    var signallingMs: Spread
    /// As `RoomFigures`, while they came.
    var keyFrameRequests: Int
    /// Players that were not let in, or not there in time, and why the last of them was not.
    var faults: Int
    var lastFault: String?
}

/// In milliseconds.
struct Spread: Codable, Sendable, Hashable {
    var p50: Double
    var p95: Double
    var p99: Double
    var max: Double

    /// - Parameter microseconds: in any order; none at all is all zeros.
    init(_ microseconds: [Int64]) {
        let sorted = microseconds.sorted()
        func part(_ share: Double) -> Double {
            guard !sorted.isEmpty else { return 0 }
            let place = Int((Double(sorted.count) * share).rounded(.up)) - 1
            return Double(sorted[Swift.max(0, place)]) / 1000
        }
        p50 = part(0.5)
        p95 = part(0.95)
        p99 = part(0.99)
        max = part(1)
    }
}

/// What peers of one loop count within a window. Its thread's alone.
struct RoomTally {
    private(set) var sent = 0
    private(set) var expected = 0
    private(set) var delays: [Int64] = []
    private(set) var lateness: [Int64] = []
    var skipped = 0
    var refused = 0
    var keyFrameRequests = 0
    /// Since the start.
    private(set) var ended = 0
    private(set) var lastReason: String?

    /// So many of a window count: what a minute has at the rates of one core.
    private static let limit = 4 << 20

    /// Counts anew; what ended stays.
    mutating func restart() {
        var fresh = RoomTally()
        (fresh.ended, fresh.lastReason) = (ended, lastReason)
        fresh.delays.reserveCapacity(1 << 16)
        self = fresh
    }

    /// - Parameters:
    ///   - late: behind the beat, in microseconds.
    ///   - players: who is to get it.
    mutating func left(late: Int64, to players: Int) {
        sent += 1
        expected += players
        if lateness.count < Self.limit { lateness.append(late) }
    }

    /// - Parameter delay: in microseconds.
    mutating func opened(delay: Int64) {
        if delays.count < Self.limit { delays.append(delay) }
    }

    /// A peer's connection has ended that nobody wanted to end.
    mutating func lost(_ reason: String) {
        ended += 1
        lastReason = reason
    }
}
