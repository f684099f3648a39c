// A host that is gone: the stream goes on another one, with a lease of its own.
import Units
import Wire

extension BroadcastMachine {
    /// How long a host may take that the stream is moved to.
    static let moveLimitMs: Int64 = 6000

    /// The sender says whether anybody answers it.
    mutating func sampled(isAnswered: Bool, nowMs: Int64) -> [Action] {
        guard isUp else { return [] }
        switch observed.watch.sampled(isAnswered: isAnswered) {
        case .nothing: return []
        case .watch: return [.set(.host, afterMs: HostWatch.lookMs)]
        case .rest: return [.cancel(.host)]
        // A host that has the lease of a move still makes a receiver: the move has its own time.
        case .gone where port == nil: return []
        case .gone:
            observed.refusing = []
            // Also one whose connection still stands: whatever it says next makes it connected again.
            observed.hostConnected = false
            return seek(nowMs: nowMs)
        }
    }

    mutating func looked(isSilent: Bool) -> [Action] {
        guard isUp, case .watch = observed.watch.look(isSilent: isSilent) else { return [] }
        return [.set(.host, afterMs: HostWatch.lookMs)]
    }

    /// Nothing is on air until another host has it, whatever the last report said.
    private mutating func seek(nowMs: Int64) -> [Action] {
        guard !observed.isSeeking else { return [] }
        observed.isSeeking = true
        observed.report = nil
        observed.leaseFault = observed.leaseFault ?? "its host is gone"
        return (phase == .running ? interrupted(nowMs: nowMs) : []) + [.chooseHost]
    }

    /// Leaves the host where it was; whatever that still has of the stream is not this lease's.
    mutating func moved(to device: DeviceID, _ fresh: LeaseID) -> [Action] {
        // It may have been stopped while the host was chosen.
        guard isUp, observed.isSeeking, let left = host, device != left else { return [] }
        let before = lease
        observed.isSeeking = false
        (host, lease, port) = (device, fresh, nil)
        (observed.hostConnected, observed.report) = (true, nil)
        observed.leaseFault = "it is being started on another host"
        observed.watch.moved()
        return [.abandon(left, before), .cancel(.silence), .cancel(.again(.lease)), .set(.move, afterMs: Self.moveLimitMs), .order(.lease)]
    }

    /// A move that control's restart came into: its host dials, and has the lease made then, or is left for the next.
    func resumeMove() -> [Action] { port == nil ? [.set(.move, afterMs: HostWatch.absentMs + Self.moveLimitMs)] : [] }

    /// There is no other host: it stays where it is, and goes on when that comes back.
    mutating func nowhere(_ reason: String) -> [Action] {
        observed.isSeeking = false
        observed.refusing = []
        // One that never took it is asked again.
        guard port != nil else { return [.set(.again(.lease), afterMs: 3000), .set(.move, afterMs: 3000 + Self.moveLimitMs)] }
        observed.leaseFault = "its host is gone, and there is no other: \(reason)"
        return [.set(.host, afterMs: HostWatch.lookMs)]
    }

    /// A host that the stream was moved to does not take it: the next is asked, in the same way.
    mutating func moveFailed(_ reason: String, nowMs: Int64) -> [Action] {
        guard isUp, port == nil, let refusing = host else { return [] }
        observed.refusing.insert(refusing)
        observed.leaseFault = reason
        return seek(nowMs: nowMs)
    }
}
