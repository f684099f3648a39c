import Units

/// How an output gets to the receiver: whether it is on its way, why it is not there, and when it goes again.
///
/// Each time its destination is read and its name resolved anew, so what follows bounds what that costs.
struct Handover: Hashable, Sendable {
    /// It was given and nobody has answered yet.
    var isUnderWay = false
    /// How often its destination has gone elsewhere since it is known here.
    var edition = 0
    /// What is to follow the answer.
    var next: Manner?
    /// When it was given last, in Unix milliseconds.
    private var lastMs: Int64?
    /// In a row.
    private var failures = 0
    /// Why the receiver does not have it as its destination is now; for a person.
    var fault: String?
    /// A timer runs for it.
    var isTimed = false

    enum Manner: Hashable, Sendable {
        case plainly
        /// A person asked for it.
        case asked
    }

    /// A person who asks more often than this has asked once.
    static let paceMs: Int64 = 1000
    /// An output that does not connect has made some three attempts by then.
    private static let patienceMs: Int64 = 5000
    private static let mostMs: Int64 = 30_000

    mutating func begin(nowMs: Int64) {
        isUnderWay = true
        next = nil
        lastMs = nowMs
    }

    /// How long a person's wish has to wait; nil where it need not. A clock that was set back costs one pace.
    func pause(nowMs: Int64) -> Int64? {
        guard let lastMs else { return nil }
        let left = min(Self.paceMs, Self.paceMs - (nowMs - lastMs))
        return left > 0 ? left : nil
    }

    /// One more attempt to connect, or to give it, was for nothing.
    mutating func failed() { failures = min(failures + 1, 6) }
    mutating func forgetFailures() { failures = 0 }

    /// When it is given again: what the receiver does not have after 1 s, what does not connect after 5 s; twice as long each time and
    /// 30 s at last, less up to half, so that the outputs of one platform do not come back in step.
    func waitMs(_ output: OutputID) -> Int64 {
        let whole = fault == nil ? Self.patienceMs << Int64(failures) : 1000 << Int64(max(0, failures - 1))
        return Int64(Double(min(Self.mostMs, whole)) * (1 - Self.jitter(output, failures) / 2))
    }

    /// 0..<1, of the output's own id: 80 bits of it are random.
    static func jitter(_ output: OutputID, _ failures: Int) -> Double {
        // FNV-1a, and the last steps of splitmix64, which spread what few bits differ.
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in output.text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        hash &+= UInt64(failures) &* 0x9e37_79b9_7f4a_7c15
        hash = (hash ^ (hash >> 30)) &* 0xbf58_476d_1ce4_e5b9
        hash = (hash ^ (hash >> 27)) &* 0x94d0_49bb_1331_11eb
        return Double((hash ^ (hash >> 31)) >> 11) / Double(1 << 53)
    }
}
