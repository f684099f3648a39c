import Crypto
package import Installation
import Logging
import Posix

/// How a server is, as its machine alone can tell: it needs nobody signed in, and the server does not need it.
package struct SiteStatus: Codable, Sendable {
    package enum Health: String, Codable, Sendable { case healthy, degraded, unhealthy }

    package struct Unit: Codable, Sendable, Equatable {
        package let name: String
        package let isEnabled: Bool
        package let isActive: Bool
    }

    package struct Part: Codable, Sendable {
        package let kind: Resource.Kind
        package let name: String
        /// Whether the step that makes it finds it as it should be.
        package let isThere: Bool
    }

    package struct Term: Codable, Sendable, Equatable {
        package let endsAt: String
        package let days: Int
    }

    /// What is wrong, and what to do about it.
    package struct Problem: Codable, Sendable, Equatable {
        package let health: Health
        package let what: String
        package let advice: String
    }

    package let state: Journal.State
    package let health: Health
    package let host: String
    package let origin: String
    /// Of the programs that were installed last.
    package let version: String?
    package let units: [Unit]
    /// What the server presents.
    package let certificate: Term?
    package let problems: [Problem]
    package let inventory: [Part]
    /// What the tool has done here, the last last.
    package let activity: [Activity]

    package struct Activity: Codable, Sendable {
        package let at: String
        package let text: String
    }

    /// What is known of a server, from which the rest follows.
    struct Facts {
        var state: Journal.State
        var failure: Journal.Failure?
        var units: [Unit] = []
        /// nil: it does not answer.
        var answer: Int?
        /// Days until the server's certificate ends, and until its own authority's does; nil where there is none.
        var certificateDays: Int?
        var authorityDays: Int?
        /// For how many days the server's certificate is good as a whole.
        var certificateLife: Int?
        var renewal: SiteAnswers.CertificateSource
        /// Titles of steps whose work is not there any more.
        var missing: [String] = []
    }

    /// Days before its end from which on a certificate is told of: the last that is not below the rest counts.
    static let warnings = [30, 7, 1]
    /// What is good for less than three months is renewed by machines in the last third of that. Source: certbot's changelog, 4.0.0.
    static let renewedShare = 3
    /// An authority's end costs every board an enrollment.
    static let authorityWarning = 180

    static func problems(_ facts: Facts) -> [Problem] {
        var problems: [Problem] = []
        if let failure = facts.failure {
            problems.append(
                Problem(
                    health: .degraded, what: "the last run failed at \(failure.step): \(failure.reason)",
                    advice: "'strata-provision server install' goes on with it, 'strata-provision server rollback' takes it back"))
        }
        for unit in facts.units where !unit.isActive || !unit.isEnabled {
            let why = "\(log(unit.name)); systemctl start \(unit.name)"
            problems.append(
                Problem(
                    health: unit.name == SitePlan.control && !unit.isActive ? .unhealthy : .degraded,
                    what: "\(unit.name) \(unit.isActive ? "does not start with the machine" : "does not run")",
                    advice: unit.isActive ? "systemctl enable \(unit.name)" : why))
        }
        if let answer = facts.answer, answer != 200 {
            problems.append(Problem(health: .unhealthy, what: "control answers with \(answer)", advice: log(SitePlan.control)))
        } else if facts.answer == nil, facts.units.contains(where: { $0.name == SitePlan.control && $0.isActive }) {
            problems.append(Problem(health: .unhealthy, what: "control runs and does not answer", advice: log(SitePlan.control)))
        }
        problems += terms(facts)
        if !facts.missing.isEmpty {
            problems.append(
                Problem(
                    health: .degraded, what: "not as it was installed: \(facts.missing.joined(separator: "; "))",
                    advice: "'strata-provision server install' makes what is missing"))
        }
        return problems
    }

    private static func log(_ unit: String) -> String { "'journalctl -u \(unit) -n 20' says why" }

    private static func terms(_ facts: Facts) -> [Problem] {
        var problems: [Problem] = []
        let renewed = facts.certificateLife.map { $0 / renewedShare } ?? .max
        if let days = facts.certificateDays, let limit = warnings.last(where: { days < min($0, max(1, renewed)) }) {
            let what = days < 0 ? "is over" : "ends in less than \(limit) day\(limit == 1 ? "" : "s")"
            problems.append(
                Problem(
                    health: days < 1 ? .unhealthy : .degraded, what: "the server's certificate \(what)",
                    advice: renewal(facts.renewal)))
        }
        if let days = facts.authorityDays, days < authorityWarning {
            problems.append(
                Problem(
                    health: days < 1 ? .unhealthy : .degraded, what: "the server's own authority ends in \(max(0, days)) days",
                    advice: "every board has to be enrolled again under a new one"))
        }
        return problems
    }

    private static func renewal(_ source: SiteAnswers.CertificateSource) -> String {
        switch source {
        case .own: "its timer should have renewed it: systemctl start strata-certificate@HOST.service, with the server's name for HOST"
        case .files: "put the new one into \(SitePaths.chain) and \(SitePaths.key), then systemctl reload strata-control"
        case .acme: "certbot's timer should have renewed it: 'certbot renew' says why not"
        }
    }

    /// The worst of them.
    static func health(_ problems: [Problem]) -> Health {
        problems.contains { $0.health == .unhealthy } ? .unhealthy : problems.isEmpty ? .healthy : .degraded
    }
}

extension SitePlan {
    /// Looks at all of it, and changes nothing.
    package func status(_ store: JournalStore) async throws -> SiteStatus {
        let journal = try store.load()
        let planned = try await Installer(try steps(), store: store, now: { 0 }).plan()
        var facts = SiteStatus.Facts(state: journal.state, failure: journal.failure, renewal: answers.certificate)
        for unit in planned.flatMap(\.step.resources) where unit.kind == .service || unit.kind == .timer {
            let (isEnabled, isActive) = try await Self.state(of: unit.name, on: machine)
            facts.units.append(SiteStatus.Unit(name: unit.name, isEnabled: isEnabled, isActive: isActive))
        }
        if machine.isThisOne {
            // try?: whatever it is, it is no answer.
            facts.answer = try? await get(answers.health)
        } else {
            // Of a machine that does not run nothing is expected to.
            facts.answer = 200
            facts.units = facts.units.map { SiteStatus.Unit(name: $0.name, isEnabled: $0.isEnabled, isActive: true) }
        }
        let chain = try certificate(at: SitePaths.chain)
        facts.certificateDays = chain.map { days($0.notAfter) }
        facts.certificateLife = chain.map { Int((Double($0.notAfter - $0.notBefore) / 86_400).rounded()) }
        facts.authorityDays = try answers.certificate == .own ? certificate(at: SitePaths.authority).map { days($0.notAfter) } : nil
        // What is enabled and runs has been told already.
        facts.missing = planned.filter { $0.condition.isMissing && $0.step.phase != .service }.map(\.step.title)
        let problems = SiteStatus.problems(facts)
        return SiteStatus(
            state: journal.state, health: SiteStatus.health(problems), host: answers.host, origin: answers.origin,
            version: journal.settled?.version ?? journal.order?.version, units: facts.units,
            certificate: chain.map { SiteStatus.Term(endsAt: Log.timestamp(unixMs: $0.notAfter * 1000), days: days($0.notAfter)) },
            problems: problems,
            inventory: planned.flatMap { planned in
                planned.step.resources.map { SiteStatus.Part(kind: $0.kind, name: $0.name, isThere: !planned.condition.isMissing) }
            },
            activity: journal.events.suffix(20).map { SiteStatus.Activity(at: Log.timestamp(unixMs: $0.at), text: $0.text) })
    }

    /// nil where there is none, or it cannot be read.
    private func certificate(at path: String) throws -> Certificate? {
        guard let pem = try FileWork.read(machine.place(path)) else { return nil }
        // try?: what is none has been told as missing.
        return try? Certificate(pem: String(decoding: pem, as: UTF8.self))
    }

    private func days(_ end: Int64) -> Int { Int((Double(end - now()) / 86_400).rounded(.down)) }
}
