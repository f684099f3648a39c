import Crypto
package import Posix
package import Units
package import Wire

/// The speed tests that were asked for, those that run, and the last of each link. Safe from any thread.
///
/// A board's upload is let in by a ticket that is made when somebody asks for a test, counts for that board alone, once, and for a few
/// seconds. Results are kept in memory: they are gone when control restarts.
package final class SpeedDesk: Sendable {
    /// Why there is no test now.
    package enum Refusal: Error, Sendable, Hashable {
        /// One of this sender runs already.
        case running
        /// As many as may run at once: of the organisation, or of all.
        case full
        /// The organisation has had as many as it may in an hour.
        case often(retryAfter: Duration)
    }

    private struct Test {
        let organization: OrganizationID
        let link: String
        let ticket: String
        var measured: Measured?
        /// Ends the upload's connection, once it has come.
        var cut: (@Sendable () -> Void)?
        /// The sender was revoked meanwhile.
        var isForgotten = false
    }

    /// What a test ended with.
    package enum Ending: Sendable, Hashable {
        /// nil: nothing came, or too little.
        case measured(Measured?)
        /// The sender was revoked meanwhile: nothing of it is kept.
        case forgotten
    }

    /// What control saw of an upload.
    package struct Measured: Sendable, Hashable {
        package let upload: Bitrate
        package let rttMs: Double
    }

    private struct State {
        var tests: [DeviceID: Test] = [:]
        var results: [DeviceID: [SpeedTestView]] = [:]
        var windows: [OrganizationID: [Instant]] = [:]
    }

    private let state = Guarded(State())

    /// At once: an upload may take all that a link of this server has.
    private static let organizationLimit = 2
    private static let serverLimit = 4
    package static let hourlyLimit = 30
    private static let hour = Duration.seconds(3600)
    /// Links of one sender that are remembered.
    private static let linkLimit = 32
    package static let seconds = 5
    package static let bytes = 64 << 20
    /// Bits per second that are taken of one upload: more than a board sends, and no more than a server can spare beside live streams.
    static let ceiling = 50_000_000.0

    package init() {}

    /// Lets one upload of this sender in.
    /// - Returns: its ticket. `end` gives it back, whatever became of it.
    package func begin(_ sender: DeviceID, in organization: OrganizationID, link: String, at now: Instant) throws(Refusal) -> String {
        let ticket = Base64URL.encode(randomBytes(16))
        let refusal = state.withLock { state -> Refusal? in
            guard state.tests[sender] == nil else { return .running }
            let own = state.tests.values.count { $0.organization == organization }
            guard own < Self.organizationLimit, state.tests.count < Self.serverLimit else { return .full }
            let window = (state.windows[organization] ?? []).filter { now - $0 < Self.hour }
            if window.count >= Self.hourlyLimit, let first = window.first { return .often(retryAfter: Self.hour - (now - first)) }
            state.windows = state.windows.filter { now - ($0.value.last ?? now) < Self.hour }
            state.windows[organization] = window + [now]
            state.tests[sender] = Test(organization: organization, link: link, ticket: ticket)
            return nil
        }
        if let refusal { throw refusal }
        return ticket
    }

    /// Whether this upload is the one that was asked for. A ticket counts once.
    /// - Parameter cut: ends its connection where the sender is revoked (THREATS 3), on whichever thread that is done.
    func claim(_ ticket: String, of sender: DeviceID, cut: @escaping @Sendable () -> Void) -> Bool {
        state.withLock { state in
            guard let test = state.tests[sender], test.cut == nil, !test.isForgotten,
                constantTimeEqual(Array(test.ticket.utf8), Array(ticket.utf8))
            else { return false }
            state.tests[sender]?.cut = cut
            return true
        }
    }

    func measured(_ measured: Measured, of sender: DeviceID) { state.withLock { $0.tests[sender]?.measured = measured } }

    /// The test is over.
    package func end(_ sender: DeviceID) -> Ending {
        state.withLock { state in
            guard let test = state.tests.removeValue(forKey: sender) else { return .measured(nil) }
            return test.isForgotten ? .forgotten : .measured(test.measured)
        }
    }

    package func keep(_ result: SpeedTestView, of sender: DeviceID) {
        state.withLock { state in
            var results = (state.results[sender] ?? []).filter { $0.link != result.link }
            results.append(result)
            state.results[sender] = Array(results.suffix(Self.linkLimit))
        }
    }

    /// The sender was revoked: its results go, and a test that runs ends at once and leaves none.
    package func forget(_ sender: DeviceID) {
        let cut = state.withLock { state in
            state.results[sender] = nil
            state.tests[sender]?.isForgotten = true
            return state.tests[sender]?.cut
        }
        cut?()
    }

    /// The last of each link; nil where there was none.
    func results(of sender: DeviceID) -> [SpeedTestView]? { state.withLock { $0.results[sender] } }
}

/// What came of an upload, and how quickly. Holds no clock and no bytes.
package struct UploadMeter: Sendable {
    private var first: Instant?
    private var last: Instant?
    private var total = 0
    /// Behind the ramp.
    private var steady: (since: Instant, bytes: Int)?

    /// A connection finds out what it may send in its first second.
    private static let ramp = Duration.seconds(1)

    package init() {}

    package var bytes: Int { total }

    package mutating func came(_ bytes: Int, at now: Instant) {
        total += bytes
        let before = last ?? now
        last = now
        guard let first else { return self.first = now }
        if let steady {
            self.steady = (steady.since, steady.bytes + bytes)
        } else if now - first >= Self.ramp {
            // What came with this one was sent since the one before, and where the line stood still between them, that counts as well.
            steady = (before, bytes)
        }
    }

    /// What came until then, in all of the time: a line that stands still at the end was no quicker for it.
    /// - Parameter end: no earlier than the last that came.
    /// - Returns: nil where too little came to say anything: less than half a second of it.
    package func rate(until end: Instant) -> Bitrate? {
        guard let first, let last else { return nil }
        let end = max(end, last)
        if let steady, end - steady.since >= .milliseconds(500) { return Self.rate(steady.bytes, end - steady.since) }
        // So quick that all that may be sent came within the ramp, or so slow that little came at all.
        return end - first >= .milliseconds(100) && total > 0 ? Self.rate(total, end - first) : nil
    }

    private static func rate(_ bytes: Int, _ time: Duration) -> Bitrate {
        Bitrate(bitsPerSecond: Int(Double(bytes * 8) / (time / .seconds(1))))
    }
}
