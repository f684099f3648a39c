import Posix

/// Keeps one flow's packets in order: what comes late or twice is dropped, what is missing is counted.
///
/// librist delivers stale packets out of order when it is overloaded (0.2.7), and its own count of lost ones wraps.
struct FlowOrder: Equatable {
    enum Verdict: Equatable {
        case deliver
        /// Older than what was delivered.
        case late
        /// Of a second sender, while the first one is still heard.
        case foreign
    }

    /// A flow that was silent for this long gives way to another one: a sender that was started again.
    static let replaceAfter = Duration.milliseconds(500)
    /// After this long any sequence number goes on: 16 bits may have passed around.
    static let resumeAfter = Duration.seconds(20)

    private(set) var deliveredTotal = 0
    private(set) var lostTotal = 0
    private(set) var lateTotal = 0
    private(set) var foreignTotal = 0

    private var flow: UInt32?
    private var next: UInt16 = 0
    private var heardAt = Instant(nanoseconds: 0)

    mutating func arrived(flow arriving: UInt32, sequence: UInt16, at now: Instant) -> Verdict {
        guard let flow else { return begin(arriving, sequence, now) }
        let silence = now - heardAt
        if arriving != flow {
            if silence >= Self.replaceAfter { return begin(arriving, sequence, now) }
            foreignTotal += 1
            return .foreign
        }
        let step = Int(Int16(bitPattern: sequence &- next))
        if step < 0 {
            if silence >= Self.resumeAfter { return begin(arriving, sequence, now) }
            lateTotal += 1
            return .late
        }
        lostTotal += step
        return begin(flow, sequence, now)
    }

    private mutating func begin(_ flow: UInt32, _ sequence: UInt16, _ now: Instant) -> Verdict {
        self.flow = flow
        next = sequence &+ 1
        heardAt = now
        deliveredTotal += 1
        return .deliver
    }
}
