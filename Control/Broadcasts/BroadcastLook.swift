import Units
import Wire

/// What of a broadcast is an event when it changes; figures are not among it.
struct BroadcastLook: Hashable, Sendable {
    var state: BroadcastState
    /// Whose word a degraded broadcast lacks, beside what its outputs tell for themselves.
    var silent: Silent?
    /// Whether so much of the stream is missing that it is degraded for it.
    var isLossy = false
    var outputs: [Output]
    var host: DeviceID?
    /// Why the last one has not taken it.
    var hostFault: String?
    /// nil: not known yet, or there is none.
    var hostIsThere: Bool?
    var restarts: Int?
    var slateIsShown: Bool?
    var bitrate: Bitrate
    /// The video's.
    var input: String
    /// What is wrong with picture and sound.
    var alarms: [MediaAlarm]

    enum Silent: Hashable, Sendable { case host, receiver }

    struct Output: Hashable, Sendable {
        let id: OutputID
        var name: String
        /// nil while it connects: what it was before is still what is known.
        var standing: Standing?
    }

    struct Standing: Hashable, Sendable {
        let state: OutputReport.State
        let reason: String?
    }

    init(_ machine: BroadcastMachine) {
        let report = machine.report
        state = machine.state
        if case .degraded = state {
            silent = !machine.observed.hostConnected ? .host : report == nil ? .receiver : nil
            isLossy = silent == nil && machine.observed.loss.loss != nil
        }
        outputs = machine.outputs.map { output in
            let shown = machine.shown(output.id)
            let standing = shown.flatMap { $0.state == .connecting ? nil : Standing(state: $0.state, reason: $0.reason) }
            return Output(id: output.id, name: output.name, standing: standing)
        }
        host = machine.host
        hostFault = machine.observed.leaseFault
        hostIsThere = machine.host.map { _ in machine.observed.hostConnected }
        restarts = report?.restarts
        slateIsShown = report.map { $0.ingest.slateMs != nil }
        // A change that is on its way to the sender is a wish: what it has agreed to counts.
        let media = machine.mediaBefore ?? machine.media
        bitrate = media.encoder.bitrate
        input = media.input.video
        alarms = machine.alarms ?? []
    }

    /// What makes another state an event. While it is degraded its outputs tell for themselves why, as they come and go.
    var course: String {
        switch state {
        case .starting(let step): "starting \(step)"
        case .degraded: "degraded \(silent.map { "\($0)" } ?? "") \(isLossy ? "lossy" : "")"
        case .interrupted(_, let reason): "interrupted \(reason)"
        case .live, .stopping, .ended: state.name
        }
    }

    /// Whether it goes to and fro; all else comes once, or a few times.
    var isRunning: Bool {
        switch state {
        case .live, .degraded, .interrupted: true
        case .starting, .stopping, .ended: false
        }
    }

    /// Whether it is being undone, or is: what its parts do then is no event.
    var isEnding: Bool {
        switch state {
        case .stopping, .ended: true
        case .starting, .live, .degraded, .interrupted: false
        }
    }
}
