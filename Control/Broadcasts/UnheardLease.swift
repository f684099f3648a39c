import Units

/// A lease whose answer did not come: the host may have taken it, with the destinations as they were then, and a repeated lease changes
/// nothing of what it took.
struct UnheardLease: Sendable, Hashable {
    private var host: DeviceID?
    private var editions: [OutputID: Int] = [:]

    /// Which edition of an output's destination a host has once it says that it has the lease; -1 where it has none of it.
    func edition(of output: OutputID, now current: Int, at host: DeviceID) -> Int {
        self.host == host ? editions[output] ?? -1 : current
    }

    /// - Parameter editions: of what the lease carried. The first one counts: later ones are repeated.
    mutating func unanswered(by host: DeviceID, _ editions: [OutputID: Int]) {
        guard self.host != host else { return }
        (self.host, self.editions) = (host, editions)
    }

    mutating func answered() { (host, editions) = (nil, [:]) }
}
