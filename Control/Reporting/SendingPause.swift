import HTTP
import Posix

/// Until when a place that we send to wants to be left alone, by what it says and by what does not come through. Holds no clock.
///
/// Source: develop.sentry.dev, "Rate Limiting"; RFC 9110 section 10.2.3 for Retry-After.
struct SendingPause: Sendable, Equatable {
    private(set) var until: Instant?
    private var failures = 0

    /// What an order without a time means, by the protocol.
    private static let standard = Duration.seconds(60)
    /// Nobody is believed who says that we are to wait for longer.
    private static let longest = Duration.seconds(86_400)

    /// Nothing came through: 5 s doubling to 5 minutes.
    mutating func failed(at now: Instant) {
        failures = min(failures + 1, 7)
        until = now + .seconds(min(300, 5 << (failures - 1)))
    }

    /// It answered.
    ///
    /// - Parameter unixSeconds: the wall clock, for a date in Retry-After.
    mutating func answered(_ status: Status, _ headers: Headers, at now: Instant, unixSeconds: Int64) {
        if status.code < 500 { failures = 0 }
        until = nil
        var wait: Duration?
        for limit in headers.all("X-Sentry-Rate-Limits").joined(separator: ",").split(separator: ",").prefix(20) {
            let parts = limit.filter { $0 != " " }.split(separator: ":", omittingEmptySubsequences: false)
            guard let seconds = parts.first.flatMap({ Int64($0) }), seconds > 0 else { continue }
            let categories = parts.count > 1 ? parts[1].split(separator: ";") : []
            // None stands for all.
            if categories.isEmpty || categories.contains("error") { wait = max(wait ?? .zero, .seconds(seconds)) }
        }
        let hasOrder = headers.contains("X-Sentry-Rate-Limits")
        if let order = Self.retryAfter(headers, unixSeconds), status.code == 503 || (status == .tooManyRequests && !hasOrder) {
            wait = order
        }
        if status == .tooManyRequests, !hasOrder { wait = wait ?? Self.standard }
        if let wait { until = now + min(wait, Self.longest) }
    }

    private static func retryAfter(_ headers: Headers, _ unixSeconds: Int64) -> Duration? {
        guard let text = headers["Retry-After"] else { return nil }
        if let seconds = Int64(text) { return seconds >= 0 ? .seconds(min(seconds, 86_400)) : nil }
        return HTTPDate.parse(text).map { .seconds(max(0, $0 - unixSeconds)) }
    }
}
