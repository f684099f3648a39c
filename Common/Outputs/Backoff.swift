/// When a lost output is tried again: for as long as the broadcast lasts.
struct Backoff: Equatable {
    private var failures = 0

    /// - Parameter jitter: 0..<1, drawn by the caller.
    /// - Returns: the wait: 1 s doubling to 30 s, less up to half.
    mutating func failed(jitter: Double) -> Duration {
        failures = min(failures + 1, 6)
        return .seconds(min(30, 1 << (failures - 1))) * (1 - jitter / 2)
    }

    /// It was connected for a while: the next failure is a first one again.
    mutating func succeeded() { failures = 0 }
}
