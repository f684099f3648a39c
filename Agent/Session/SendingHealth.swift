import Capture
import Service
import Uplink
import Wire

/// How a broadcast's sending side is, by what was observed. Holds no clock and opens nothing.
struct SendingHealth: Hashable, Sendable {
    private enum Stage: Hashable, Sendable {
        case preflight, flowing
        case recovering(String)
        case failed(String)
    }

    private var stage = Stage.preflight
    /// What the capture runs without.
    private var lacking: String?
    /// The frames are fewer than were asked for.
    private var lag: FramePace.Lag?
    /// Links that reach no address of the receiver, and why.
    private var unreachable: [String: String] = [:]
    private(set) var live: Set<String> = []
    /// What is in the way on links, by their names: it says more than that nobody answers over them.
    private var obstacles: [String: String] = [:]
    /// Captures built again.
    private(set) var restartsTotal = 0

    init() {}

    var isAnyLinkLive: Bool { !live.isEmpty }

    /// The capture flows, and not with all that was planned.
    var lacksPart: Bool { stage == .flowing && lacking != nil }

    /// Why no link is live, for a person.
    /// - Parameter receivers: the plan's, of which a few are named where nobody else has done so.
    func linkReason(_ receivers: [Endpoint]) -> String {
        let reasons = unreachable.merging(obstacles.filter { !live.contains($0.key) }) { $1 }
        guard !reasons.isEmpty else {
            let named = receivers.prefix(4).map { $0.host.contains(":") ? "[\($0.host)]:\($0.port)" : "\($0.host):\($0.port)" }
            let rest = receivers.count > 4 ? " and \(receivers.count - 4) more" : ""
            return "no link answered: the receiver was not heard over any of them at \(named.joined(separator: ", "))\(rest)"
        }
        return reasons.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: "; ")
    }

    /// Why this link carries nothing, where more is known than the uplink says.
    func obstacle(on link: String) -> String? { live.contains(link) ? nil : obstacles[link] }

    mutating func note(_ event: CaptureEvent) {
        switch event {
        case .flowing:
            stage = .flowing
            lacking = nil
            lag = nil
        case .failed(let fault): stage = .recovering(fault.description)
        case .degraded(let reason): lacking = reason
        case .restored: lacking = nil
        }
    }

    /// - Parameter lag: nil where the frames come as asked.
    mutating func note(_ lag: FramePace.Lag?) { self.lag = lag }

    mutating func note(_ event: UplinkEvent) {
        switch event {
        case .live(let link, _):
            live.insert(link)
            unreachable[link] = nil
        case .silent(let link, _): live.remove(link)
        case .unreachable(let link, let reason):
            live.remove(link)
            unreachable[link] = reason
        case .removed(let link):
            live.remove(link)
            unreachable[link] = nil
        case .rateCut, .unheard, .heard, .clockChanged: break
        }
    }

    /// - Parameter obstacles: of the links that the plan may use.
    mutating func note(obstacles: [String: String]) { self.obstacles = obstacles }

    /// The capture is being built again.
    /// - Parameter budget: its state; where it is used up, a person has to know.
    mutating func restarting(_ reason: String, budget: RestartBudget.State) {
        restartsTotal += 1
        if case .exhausted = budget { stage = .failed(reason) } else { stage = .recovering(reason) }
    }

    /// Another transport: its links are not known yet.
    mutating func forgetLinks() {
        live = []
        unreachable = [:]
    }

    func report(_ plan: Plan) -> SendingReport {
        let (state, reason) = observed(plan)
        return SendingReport(broadcast: plan.broadcast, revision: plan.revision, state: state, reason: reason?.bounded())
    }

    private func observed(_ plan: Plan) -> (SendingReport.State, String?) {
        switch stage {
        case .preflight: return (.preflight, nil)
        case .recovering(let reason): return (.recovering, reason)
        case .failed(let reason): return (.failed, "\(reason); it is tried again")
        case .flowing:
            var reasons = [lacking, lag?.description].compactMap { $0 }
            if live.isEmpty || !unreachable.isEmpty { reasons.append(linkReason(plan.transport.receivers)) }
            return reasons.isEmpty ? (.sending, nil) : (.degraded, reasons.joined(separator: "; "))
        }
    }
}
