import Installation
import Posix
import Site

/// What whoever installs a server reads: before they are asked anything, and before anything is made.
enum ServerReview {
    /// What is needed, and what there will be.
    static let welcome = [
        "This makes the machine a server of Strata. It takes about five minutes, most of them for Debian's packages.",
        "What is needed",
        "  root on Debian 12 or 13, and 2 GiB of free disk, more for recordings",
        "  a name that leads to this machine in the DNS, such as live.example.org",
        "  open in the firewall: TCP 443, UDP 20000 to 20999, and TCP 80 where a public authority signs the certificate",
        "What is made",
        "  a database, and folders for pictures, recordings and backups",
        "  the services strata-control and strata-pool, their users, and the timers that renew and back up",
        "  a certificate, the configuration in /etc/strata, and the secret by which you become the first owner",
        "Nothing is made before all of it is shown.",
    ]

    /// The answers, each with the option by which it is changed.
    static func lines(_ answers: SiteAnswers) -> [String] {
        let fields = answers.fields
        let given = SiteAnswers.names.filter { fields[$0] != nil }
        let width = (given.map { $0.utf8.count }.max() ?? 0) + 3
        return ["Review"]
            + given.map { name in
                "  --\(name)" + String(repeating: " ", count: max(1, width - name.utf8.count)) + (fields[name] ?? "")
            }
    }

    /// Says of each phase that it begins, and of each step that it is made.
    static func progress(_ steps: [Step], tell: @escaping @Sendable (String) -> Void) -> @Sendable (Progress) -> Void {
        let phases = Dictionary(steps.map { ($0.title, $0.phase) }) { first, _ in first }
        let current = Guarded<Step.Phase?>(nil)
        return { progress in
            if case .makes(let title, _) = progress, let phase = phases[title] {
                let isNew = current.withLock { current in
                    defer { current = phase }
                    return current != phase
                }
                if isNew { tell("Phase \((Step.Phase.allCases.firstIndex(of: phase) ?? 0) + 1) of \(Step.Phase.allCases.count): \(phase)") }
            }
            if let line = progress.line { tell(line) }
        }
    }
}
