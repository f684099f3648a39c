/// The step at which an order failed and why, as the outcome carries it.
struct StepFault: Error, Hashable, Sendable, CustomStringConvertible {
    enum Step: String, Sendable {
        case input = "preflight.input"
        case encoder = "preflight.encoder"
        case links = "preflight.links"
        case plan, configuration, modem, speed
    }

    let step: Step
    /// For a person.
    let reason: String

    init(_ step: Step, _ reason: String) {
        self.step = step
        self.reason = reason
    }

    /// Nothing was tried.
    var isRefusal: Bool { step == .plan || step == .configuration }

    var description: String { "\(step.rawValue): \(reason)" }
}
