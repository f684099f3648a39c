import Posix
import Wire

/// How one modem is brought online, stage by stage. Holds no clock, asks nobody.
///
/// It goes by what the modem shows and not by what was done last: whatever happened in between, the next step is the one from there.
struct ModemConnection: Sendable {
    enum Stage: String, Sendable {
        case unlock, enable, register, connect, address

        /// For a sentence: `its SIM card cannot be unlocked: …`.
        var failing: String {
            switch self {
            case .unlock: "its SIM card cannot be unlocked"
            case .enable: "it cannot be switched on"
            case .register: "no network takes it"
            case .connect: "it cannot be connected"
            case .address: "it is connected, and its addresses cannot be used"
            }
        }
    }

    enum Step: Equatable, Sendable {
        /// Nothing until the modem changes.
        case rest
        /// Nothing for so long, or until it changes.
        case wait(Duration)
        case carryOut(Stage)
    }

    let access: ModemAccess
    private var isBusy = false
    private var failures = 0
    private var failed: Stage?
    private var isAddressed = false
    private var notBefore: Instant?
    private var searchingSince: Instant?
    /// Why it is not online, a sentence; nil where it is, or is on the way.
    private(set) var problem: String?

    /// How long a modem may look for its network by itself.
    private static let searchTime = Duration.seconds(60)
    /// A SIM card with fewer tries for its PIN is left to a person: the last one is never ours.
    static let leastTries = 2

    init(access: ModemAccess) { self.access = access }

    /// - Parameter attempt: of the PIN in this modem, as it was written down last.
    mutating func next(_ modem: Modem, pin attempt: PINAttempt?, now: Instant) -> Step {
        guard !isBusy else { return .rest }
        let figures = modem.figures
        if figures.state != .searching { searchingSince = nil }
        if figures.state != .connected { isAddressed = false }
        switch figures.state {
        case .connected: return isAddressed ? .rest : begin(.address, now)
        case .failed, .starting, .connecting: return .rest
        case .locked:
            if let reason = refusal(modem, attempt) {
                problem = "\(Stage.unlock.failing): \(reason)"
                return .rest
            }
            return begin(.unlock, now)
        case .disabled: return begin(.enable, now)
        case .searching: return search(figures, now)
        case .registered:
            if figures.registration == .roaming, !access.allowsRoaming {
                problem =
                    "\(Stage.connect.failing): it is roaming in the network of \(figures.network ?? "another operator"), which is not allowed"
                return .rest
            }
            return begin(.connect, now)
        }
    }

    private mutating func search(_ figures: ModemTelemetry, _ now: Instant) -> Step {
        let since = searchingSince ?? now
        searchingSince = since
        guard figures.registration != .denied else {
            problem = "\(Stage.register.failing): the network refuses this SIM card"
            return begin(.register, now)
        }
        let waited = now - since
        return waited < Self.searchTime ? .wait(Self.searchTime - waited) : begin(.register, now)
    }

    private mutating func begin(_ stage: Stage, _ now: Instant) -> Step {
        // Another stage is another matter.
        if let failed, failed != stage { (failures, notBefore, self.failed) = (0, nil, nil) }
        if let notBefore, now < notBefore { return .wait(notBefore - now) }
        isBusy = true
        return .carryOut(stage)
    }

    /// Why the PIN is not tried.
    private func refusal(_ modem: Modem, _ attempt: PINAttempt?) -> String? {
        guard modem.figures.sim == .pin else { return modem.figures.reason ?? "it does not say what it wants" }
        guard let pin = access.pin else { return "it wants a PIN, and none is configured" }
        if let attempt, attempt.isOf(pin, in: modem) {
            switch attempt.outcome {
            case .refused: return "the configured PIN is wrong, and is not tried again"
            // Cut off in the middle: tried again only where it is sure that it was not counted.
            case .begun:
                guard let before = attempt.tries, let left = modem.pinTries, left >= before else {
                    return "the configured PIN was tried before, and is not tried again"
                }
            }
        }
        guard let left = modem.pinTries, left < Self.leastTries else { return nil }
        return "\(left == 1 ? "one try is" : "no try is") left for its PIN, which is a person's"
    }

    /// A stage was carried out.
    /// - Parameter jitter: 0..<1, drawn by the caller: takes away up to half of a wait.
    mutating func done(_ stage: Stage, failure: String?, jitter: Double, now: Instant) {
        isBusy = false
        // That it was taken is seen at the modem; whoever is asked to search and goes on searching has not found.
        guard let failure = failure ?? (stage == .register ? "it is searching in vain" : nil) else {
            (failures, notBefore, failed, problem) = (0, nil, nil, nil)
            isAddressed = stage == .address
            return
        }
        problem = "\(stage.failing): \(failure)"
        failures = min(failures + 1, 7)
        failed = stage
        // 5 s doubling to 5 min.
        notBefore = now + .seconds(min(300, 5 << (failures - 1))) * (1 - jitter / 2)
    }

    /// NetworkManager has this device: it is left to it.
    mutating func left(now: Instant) {
        isBusy = false
        (problem, failed) = (nil, nil)
        notBefore = now + .seconds(60)
    }
}
