import Wire

/// What a broadcast is doing, as it was observed.
package enum BroadcastState: Sendable, Hashable {
    case starting(Step)
    case live
    case degraded(reason: String)
    case interrupted(sinceMs: Int64, reason: String)
    case stopping
    case ended(EndReason)

    /// Of a start, or of one that failed.
    var step: Step? {
        switch self {
        case .starting(let step), .ended(.failed(let step, _, _)): step
        default: nil
        }
    }

    /// For a person, within the bounds of a text of the API.
    var reason: String? {
        switch self {
        case .degraded(let reason), .interrupted(_, let reason): reason.bounded()
        case .ended(let reason): reason.text.bounded()
        case .starting, .live, .stopping: nil
        }
    }

    /// The name in the Gateway and in the store; once shipped it is never renamed.
    package var name: String {
        switch self {
        case .starting: "starting"
        case .live: "live"
        case .degraded: "degraded"
        case .interrupted: "interrupted"
        case .stopping: "stopping"
        case .ended: "ended"
        }
    }
}

/// The steps of a start, in their order: the one that fails is named.
package enum Step: String, Codable, Sendable, CaseIterable, Comparable {
    /// A pool host with room, its port and its receiver.
    case lease
    /// The sender opens its input, starts its encoder and reaches the receiver.
    case sender
    /// The first key frame arrives.
    case media
    /// One output is connected.
    case outputs

    package static func < (left: Step, right: Step) -> Bool {
        allCases.firstIndex(of: left) ?? 0 < allCases.firstIndex(of: right) ?? 0
    }
}

/// Why a broadcast is over.
package enum EndReason: Codable, Sendable, Hashable {
    case stopped
    /// `detail` is the finer step where one is known, e.g. `preflight.input`.
    case failed(step: Step, detail: String?, reason: String)
    /// No media for longer than its grace time.
    case vanished(graceSeconds: Int)
    /// Its sender was revoked.
    case revoked
    /// The pool host that received it was revoked.
    case hostRevoked

    package var text: String {
        switch self {
        case .stopped: "stopped"
        case .failed(let step, let detail, let reason): "\(detail ?? step.rawValue) failed: \(reason)"
        case .vanished(let seconds): "nothing arrived from the sender for \(seconds) s"
        case .revoked: "the sender was revoked"
        case .hostRevoked: "the pool host that received it was revoked"
        }
    }
}

/// How long a broadcast is kept while nothing arrives.
package enum Grace: Codable, Sendable, Hashable {
    case seconds(Int)
    case untilStopped

    package static let standard = Grace.seconds(15 * 60)
}
