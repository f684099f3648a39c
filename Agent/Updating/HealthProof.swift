import Posix
import Releases

/// Whether a version that was just started works: everything of the baseline, told by one process without a gap for `hold`, before
/// `deadline`. Holds no clock.
struct HealthProof: Sendable {
    enum Verdict: Hashable, Sendable {
        case waiting(until: Instant)
        case proven
        case failed(String)
    }

    let version: ReleaseVersion
    let baseline: Baseline
    private let deadline: Instant
    private var goodSince: Instant?
    private var heardAt: Instant?
    private var process: UInt64?
    private var missing = "the agent said nothing"
    private var isProven = false

    /// A release that crashes some seconds after its start has shown its links by then.
    static let hold = Duration.seconds(30)
    /// Reports come each 5 s; two in a row may be late on a busy board.
    static let gap = Duration.seconds(15)

    /// - Parameter limit: how long it has, from now.
    init(of version: ReleaseVersion, _ baseline: Baseline, within limit: Duration, at now: Instant) {
        self.version = version
        self.baseline = baseline
        deadline = now + limit
    }

    mutating func take(_ report: AgentReport, at now: Instant) {
        guard !isProven else { return }
        let isSame = process == report.process && (heardAt.map { now - $0 <= Self.gap } ?? false)
        (process, heardAt) = (report.process, now)
        if report.version != version {
            missing = "\(report.version) runs instead"
            goodSince = nil
        } else if let what = baseline.missing(in: report) {
            missing = what
            goodSince = nil
        } else {
            let since = isSame ? goodSince ?? now : now
            goodSince = since
            missing = "it worked for \((now - since).components.seconds) s and then no longer"
            isProven = now - since >= Self.hold
        }
    }

    func verdict(at now: Instant) -> Verdict {
        if isProven { return .proven }
        return now < deadline ? .waiting(until: deadline) : .failed(missing)
    }
}
