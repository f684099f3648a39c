/// What a running capture says of itself.
package enum CaptureEvent: Sendable, Hashable {
    /// The first packet of the stream has left.
    case flowing
    /// It is over: stop it and build another.
    case failed(CaptureFault)
    /// It runs, but not as planned; for a person.
    case degraded(String)
    /// What was degraded is as planned again.
    case restored
}

/// Why a capture cannot start, or has failed.
package struct CaptureFault: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Step: String, Sendable {
        /// The input cannot be opened or gives nothing.
        case input = "preflight.input"
        /// No encoder starts.
        case encoder = "preflight.encoder"
        /// Something failed while it ran.
        case running
    }

    package let step: Step
    /// The element or the input to blame: `camera (v4l2src)`.
    package let element: String
    package let reason: String

    package init(step: Step, element: String, reason: String) {
        self.step = step
        self.element = element
        self.reason = reason
    }

    /// `preflight.input: camera (v4l2src): Cannot identify device '/dev/video9'.`
    package var description: String { "\(step.rawValue): \(element): \(reason)" }
}

/// Counters of a capture, since its start.
package struct CaptureFigures: Sendable, Hashable {
    /// Frames that the encoder has made.
    package var framesTotal = 0
    /// Frames of the shown input in the size and rate of the broadcast, taken or not: what the encoder could have made.
    package var offeredFramesTotal = 0
    /// Frames that the shown input gave by itself, before any was doubled or left out to get the rate of the broadcast.
    package var inputFramesTotal = 0
    /// Frames dropped because the encoder did not keep up.
    package var droppedFramesTotal = 0
    /// Frames left out since the links carry so little (`CapturePipeline.keep`).
    package var thinnedFramesTotal = 0
    /// Of the transport stream.
    package var producedBytesTotal = 0
    /// Sound frames (48,000 a second) that were filled with silence.
    package var silentSamplesTotal = 0
}
