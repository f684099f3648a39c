import CGStreamer
import Posix

/// Opens once; tasks wait at it with a limit.
package final class Gate: Sendable {
    private let state = Guarded(State())

    package init() {}

    private struct State {
        var isOpen = false
        var next = 0
        var waiting: [Int: CheckedContinuation<Bool, Never>] = [:]
    }

    package func open() {
        let waiting = state.withLock { state in
            state.isOpen = true
            defer { state.waiting = [:] }
            return state.waiting
        }
        for continuation in waiting.values { continuation.resume(returning: true) }
    }

    /// Whether it opened within `limit`.
    package func wait(atMost limit: Duration) async -> Bool {
        await withCheckedContinuation { continuation in
            let key = state.withLock { state -> Int? in
                if state.isOpen { return nil }
                state.next += 1
                state.waiting[state.next] = continuation
                return state.next
            }
            guard let key else { return continuation.resume(returning: true) }
            MonotonicTimer.once(after: limit) { [self] in
                let continuation = state.withLock { $0.waiting.removeValue(forKey: key) }
                continuation?.resume(returning: false)
            }
        }
    }
}
