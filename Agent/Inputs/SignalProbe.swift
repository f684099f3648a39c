package import Posix
import V4L2

/// Asks the grabber that is shown, once a second, whether anything is plugged into it: some give pictures all the same, blue or black ones.
///
/// The question is an ioctl beside the stream, microseconds; on a thread that may wait for a driver all the same.
package struct SignalProbe: Sendable {
    private let calls: DeviceCalls
    private var path: String?
    private var asked: (hasSignal: Bool?, at: Instant)?

    private static let interval = Duration.seconds(1)

    package init() { self.init(calls: .system) }

    init(calls: DeviceCalls) { self.calls = calls }

    /// Another input is shown.
    package mutating func follow(_ input: OpenInput) {
        path = if case .camera(let camera) = input { camera.path } else { nil }
        asked = nil
    }

    /// nil where the input is no such device, or does not say.
    package mutating func hasSignal(at now: Instant) -> Bool? {
        guard let path else { return nil }
        if let asked, now - asked.at < Self.interval { return asked.hasSignal }
        let answer = VideoDevices.hasSignal(path, calls)
        asked = (answer, now)
        return answer
    }
}
