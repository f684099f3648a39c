/// When a request is sent again that a store did not carry out. Holds no clock and sends nothing.
package struct S3Retry: Equatable, Sendable {
    private var failures = 0

    /// Of one request, the first one among them.
    package static let attempts = 5
    private static let longest = Duration.seconds(20)

    package init() {}

    /// - Parameters:
    ///   - asked: what the store asked to wait (Retry-After); nil where it did not.
    ///   - jitter: 0..<1, drawn by the caller.
    /// - Returns: the wait: 0.2 s doubling, less up to half, and no less than was asked for, 20 s at most; nil: it was the last one.
    package mutating func failed(asked: Duration?, jitter: Double) -> Duration? {
        failures += 1
        guard failures < Self.attempts else { return nil }
        let own = Duration.milliseconds(200 << (failures - 1)) * (1 - jitter / 2)
        return min(Self.longest, max(own, asked ?? .zero))
    }
}
