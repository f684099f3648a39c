import Configuration
import Units
import Wire

/// What a board does with a plan that control gives it. Holds no clock and opens nothing.
enum PlanDecision: Hashable, Sendable {
    case begin
    /// A higher revision of what is sent.
    case change(PlanChange)
    /// The same revision: it is done already.
    case already
    case refuse(StepFault)

    /// - Parameters:
    ///   - running: the plan that is being sent; nil when idle.
    ///   - maximum: of the video's bit rate, by the configuration.
    static func decide(_ plan: Plan, running: Plan?, maximum: Bitrate) -> PlanDecision {
        if let fault = PlanRules.fault(of: plan, maximum: maximum) { return .refuse(fault) }
        guard let running else { return .begin }
        guard running.broadcast == plan.broadcast else {
            return .refuse(StepFault(.plan, "broadcast \(running.broadcast) is being sent; stop it first"))
        }
        guard plan.revision >= running.revision else {
            return .refuse(StepFault(.plan, "revision \(plan.revision) is older than \(running.revision), which is being sent"))
        }
        guard plan.revision > running.revision else { return .already }
        return .change(PlanChange(from: running, to: plan))
    }
}

/// What differs between two revisions of a plan, by what has to be done for it.
struct PlanChange: Hashable, Sendable {
    /// The bit rate alone: the encoder takes it while it runs.
    var bitrate = false
    var input = false
    /// Size, rate, codec or sound: the encoder is built again.
    var encoder = false
    var links = false
    /// Receiver, key or buffer: the transport is built again.
    var transport = false

    init(from old: Plan, to new: Plan) {
        var same = old.encoder
        same.bitrate = new.encoder.bitrate
        encoder = same != new.encoder
        bitrate = !encoder && old.encoder.bitrate != new.encoder.bitrate
        input = old.input != new.input
        links = old.transport.links != new.transport.links
        var path = old.transport
        path.links = new.transport.links
        transport = path != new.transport
    }
}

/// The bounds of what control may ask of a board (THREATS 7).
enum PlanRules {
    static func fault(of plan: Plan, maximum: Bitrate) -> StepFault? {
        for rule in [encoder, transport] {
            if let reason = rule(plan) { return StepFault(.plan, reason) }
        }
        if plan.encoder.bitrate > maximum {
            return StepFault(
                .plan, "\(plan.encoder.bitrate.kilobits) kbit/s of video; this board is configured for at most \(maximum.kilobits)")
        }
        for input in [plan.input.video, plan.input.audio].compactMap({ $0 }) where !SenderConfiguration.isInput(input) {
            return StepFault(.plan, "an input's id that no board reports")
        }
        return nil
    }

    private static func encoder(_ plan: Plan) -> String? {
        let choice = plan.encoder
        let sizes = SenderConfiguration.encoderSizes
        if !SenderConfiguration.bitrates.contains(choice.bitrate.kilobits) {
            return outside("encoder.bitrate", choice.bitrate.kilobits, "kbit/s")
        }
        if !(32...320).contains(choice.audioBitrate.kilobits) {
            return outside("encoder.audioBitrate", choice.audioBitrate.kilobits, "kbit/s")
        }
        if !sizes.width.contains(choice.width) { return outside("encoder.width", choice.width) }
        if !sizes.height.contains(choice.height) { return outside("encoder.height", choice.height) }
        if choice.width % 2 != 0 || choice.height % 2 != 0 { return "a picture of \(choice.width)x\(choice.height): both must be even" }
        if !sizes.frameRate.contains(choice.frameRate) { return outside("encoder.frameRate", choice.frameRate) }
        return nil
    }

    private static func transport(_ plan: Plan) -> String? {
        let transport = plan.transport
        if !(1...16).contains(transport.receivers.count) { return "\(transport.receivers.count) receiver addresses; 1 to 16 are expected" }
        for receiver in transport.receivers {
            if !(1...65_535).contains(receiver.port) { return outside("receiver port", receiver.port) }
            let isHost = receiver.host.utf8.allSatisfy { byte in
                UnicodeScalar(byte).properties.isAlphabetic && byte < 128 || (0x30...0x39).contains(byte)
                    || [0x2d, 0x2e, 0x3a, 0x5f].contains(byte)
            }
            if !isHost || !(1...253).contains(receiver.host.utf8.count) { return "a receiver that is neither a name nor an address" }
        }
        if !SenderConfiguration.buffers.contains(transport.bufferMs) { return outside("bufferMs", transport.bufferMs) }
        if let links = transport.links, !links.allSatisfy(SenderConfiguration.isLink) { return "a link's name that no interface has" }
        return nil
    }

    private static func outside(_ name: String, _ value: Int, _ unit: String = "") -> String {
        "\(name) is \(value)\(unit.isEmpty ? "" : " \(unit)"), out of range"
    }
}
