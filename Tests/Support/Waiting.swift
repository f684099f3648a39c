import Posix

/// Asks again every 20 ms until `condition` gives a value, for what announces itself to nobody: files, other programs' states. It is asked
/// once more when the time is over, so that a machine that stood still meanwhile is no failure.
/// - Throws: `SupportFailure` with `what` and what was last wrong, when the time is over.
@discardableResult
package func eventually<Value>(
    within limit: Duration, _ what: String, _ condition: () async throws -> Value?
) async throws -> Value {
    let end = Instant.now + limit
    var last: (any Error)?
    var isLast = false
    while true {
        do {
            if let value = try await condition() { return value }
            last = nil
        } catch let error as CancellationError {
            throw error
        } catch {
            last = error
        }
        if isLast { break }
        try await Task.sleep(for: .milliseconds(20))
        isLast = Instant.now >= end
    }
    throw SupportFailure("not within \(limit): \(what)" + (last.map { " (\($0))" } ?? ""))
}

/// The same for a plain condition.
package func eventually(within limit: Duration, _ what: String, _ condition: () async throws -> Bool) async throws {
    try await eventually(within: limit, what) { () -> Bool? in try await condition() ? true : nil }
}

/// Holds that `condition` stays true for a time.
package func always(for limit: Duration, _ what: String, _ condition: () async throws -> Bool) async throws {
    let end = Instant.now + limit
    repeat {
        guard try await condition() else { throw SupportFailure("did not hold for \(limit): \(what)") }
        try await Task.sleep(for: .milliseconds(20))
    } while Instant.now < end
}
