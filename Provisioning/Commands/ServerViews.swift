// What the commands of a server answer with, and what they say meanwhile.
import Installation
import Site

/// What an installation would do.
struct PlanView: Encodable {
    struct Item: Encodable {
        let name: String
        let phase: Step.Phase
        let title: String
        /// make, there or kept
        let what: String
        let reason: String?
    }

    struct Answer: Encodable {
        let name: String
        let need: PreflightProbe.Need
        let passed: Bool
        let found: String
        let advice: String?
    }

    let origin: String
    /// By the names of their options.
    let answers: [String: String]
    let preflight: [Answer]
    let steps: [Item]

    init(_ plan: SitePlan, _ findings: [Finding], _ planned: [PlannedStep]) {
        origin = plan.answers.origin
        answers = plan.answers.fields
        preflight = findings.map { finding in
            switch finding.verdict {
            case .passed(let found): Answer(name: finding.name, need: finding.need, passed: true, found: found, advice: nil)
            case .failed(let found, let advice): Answer(name: finding.name, need: finding.need, passed: false, found: found, advice: advice)
            }
        }
        steps = planned.map { planned in
            let (name, phase, title) = (planned.step.name, planned.step.phase, planned.step.title)
            return switch planned.condition {
            case .missing(let reason): Item(name: name, phase: phase, title: title, what: "make", reason: reason)
            case .done where planned.isBegun: Item(name: name, phase: phase, title: title, what: "make", reason: "it was cut off")
            case .done: Item(name: name, phase: phase, title: title, what: "there", reason: nil)
            case .kept(let reason): Item(name: name, phase: phase, title: title, what: "kept", reason: reason)
            }
        }
    }

    /// What has to be set right before anything is made.
    var blocking: [String] { preflight.filter { !$0.passed && $0.need == .required }.map(\.name) }

    /// The same for people, a line each.
    var lines: [String] {
        var lines = preflight.map { answer in
            let mark = answer.passed ? "ok" : answer.need == .required ? "FAILED" : "warning"
            return "  \(Self.padded(mark, 8))\(Self.padded(answer.name, 10))\(answer.found)\(answer.advice.map { ": \($0)" } ?? "")"
        }
        if !lines.isEmpty { lines.insert("Preflight", at: 0) }
        for phase in Step.Phase.allCases {
            let items = steps.filter { $0.phase == phase }
            guard !items.isEmpty else { continue }
            lines.append("\(phase)".capitalizedFirst)
            lines += items.map { "  \(Self.padded($0.what, 8))\($0.title)" }
        }
        return lines
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.utf8.count))
    }
}

/// How a run ended.
struct OutcomeView: Encodable {
    let state: Journal.State
    let origin: String
    /// The steps that were made or taken back, in that order.
    let changed: [String]
    let left: [Outcome.Left]
    /// What is for a person to do now.
    let next: [String]
    /// How long it took; of an installation.
    var seconds: Double?
}

extension Progress {
    /// nil for what is not worth a line.
    var line: String? {
        switch self {
        case .stands: nil
        case .makes(let title, let place): "[\(place.number)/\(place.of)] \(title)"
        case .takesBack(let title): "taking back: \(title)"
        }
    }
}

extension String {
    fileprivate var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
