/// Asks a pool host to try a target as an output would, up to where media would begin, and to let go of it again.
package struct OutputTestOrder: Codable, Sendable, Hashable {
    package var target: OutputSpec.Target
    package init(target: OutputSpec.Target) { self.target = target }
}

/// What came of it, from the process that tried.
package struct OutputTestVerdict: Codable, Sendable, Hashable {
    /// The step that failed; nil where none did.
    package var failed: OutputTestStep?
    /// Why, in a sentence for a person, without any secret.
    package var reason: String?

    package init(failed: OutputTestStep? = nil, reason: String? = nil) {
        self.failed = failed
        self.reason = reason
    }
}

/// What is tried of a destination, in this order; once shipped a name is never changed.
package enum OutputTestStep: String, Codable, Sendable, CaseIterable {
    /// Control: the name has an address, and one that outputs may go to.
    case resolve
    /// Somebody takes a TCP connection there.
    case connect
    /// TLS, under the right name.
    case secure
    /// The platform takes the key, or the peer the passphrase and the stream id.
    case accept
    /// The host can have the port that an SRT listener waits at.
    case listen
}

extension OutputSpec.Target {
    /// What the host tries of it.
    package var testSteps: [OutputTestStep] {
        switch self {
        case .rtmp(let rtmp): rtmp.tls ? [.connect, .secure, .accept] : [.connect, .accept]
        case .srt(let srt): srt.mode == .caller ? [.accept] : [.listen]
        case .file, .room: []
        }
    }
}

/// What came of trying a destination: each step that was taken, the last of which failed where one did.
package struct DestinationTestView: Codable, Sendable, Hashable {
    package struct Step: Codable, Sendable, Hashable {
        package var step: OutputTestStep
        package var passed: Bool
        /// Why not.
        package var reason: String?

        package init(step: OutputTestStep, passed: Bool, reason: String? = nil) {
            self.step = step
            self.passed = passed
            self.reason = reason
        }
    }

    package var succeeded: Bool
    package var steps: [Step]

    /// - Parameters:
    ///   - taken: those that are tried one after the other.
    ///   - failed: the one of them that was not passed, and why.
    package init(_ taken: [OutputTestStep], failed: (step: OutputTestStep, reason: String)? = nil) {
        succeeded = failed == nil
        steps = taken.prefix { $0 != failed?.step }.map { Step(step: $0, passed: true) }
        if let failed { steps.append(Step(step: failed.step, passed: false, reason: failed.reason)) }
    }
}
