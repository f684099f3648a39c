/// Whether the host of a stream is gone, by two who cannot stand for each other. Holds no clock.
///
/// - Its sender: none of its links has an answer. It hears the receiver, not the pool, so a pool that is slow, stopped or being started
///   again is no loss: media goes on.
/// - Control: the host's connection has ended, or nothing came over it for 1.8 s (`Roster.silence`), though a host tells its load each
///   second, whatever its receivers do. A board in a tunnel has no answers either, and its host is well.
///
/// Both for 0.9 s, in which some four samples have said the same: a sender that has no answer, or whose host has gone, is asked for five a
/// second. More would cost what 5 s are for: a new receiver, its first key frame and its buffer take two of them. Less would cost a
/// platform's session for what is over by itself: links are all suspect after 60 ms of stall, and a machine that is moved while it runs
/// stands still for a second.
struct HostWatch: Hashable, Sendable {
    /// Time between two looks.
    static let lookMs: Int64 = 900
    /// Looks until a host is given up that has not been there since control began: it dials within ten seconds (`HostPatience`).
    static let absentLooks = 11
    static var absentMs: Int64 { lookMs * Int64(absentLooks) }

    private var isUnanswered = false
    private var wasSeen = false
    /// Looks in a row at a host that was away or silent.
    private var looks = 0

    enum Step: Hashable, Sendable {
        case nothing
        /// Look in `lookMs`.
        case watch
        /// There is nothing to look for any more.
        case rest
        case gone
    }

    init(wasSeen: Bool = false) { self.wasSeen = wasSeen }

    /// A sample of the sender's telemetry, while it sends.
    mutating func sampled(isAnswered: Bool) -> Step {
        guard !isAnswered else {
            defer { (isUnanswered, looks) = (false, 0) }
            return isUnanswered ? .rest : .nothing
        }
        guard isUnanswered else {
            (isUnanswered, looks) = (true, 0)
            return .watch
        }
        guard looks >= (wasSeen ? 1 : Self.absentLooks) else { return .nothing }
        // Where there is no other host the watch begins anew.
        looks = 0
        return .gone
    }

    /// - Parameter isSilent: whether the host is away, or connected and says nothing.
    mutating func look(isSilent: Bool) -> Step {
        guard isUnanswered else { return .rest }
        looks = isSilent ? looks + 1 : 0
        return .watch
    }

    /// The host has connected, or told something of the stream.
    mutating func heard() { (wasSeen, looks) = (true, 0) }

    /// The stream is on another host from here on, which is there.
    mutating func moved() { self = HostWatch(wasSeen: true) }
}
