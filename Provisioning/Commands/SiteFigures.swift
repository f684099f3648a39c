import Crypto
import HTTP
import Installation
import Posix
import Site
import Units
import Web

/// What a server has and does, as its control counts it.
struct SiteFigures: Encodable, Equatable {
    let organizations: Int
    let users: Int
    let senders: Int
    let sendersOnline: Int
    let broadcasts: Int
    let meetings: Int
    let recordings: Int

    /// - Parameter metrics: what `/metrics` answers, in Prometheus's text form.
    /// - Returns: nil where it lacks one: of an older control.
    init?(metrics: String) {
        var sums: [Substring: Double] = [:]
        for line in metrics.split(separator: "\n") where line.hasPrefix("control_") {
            guard let space = line.lastIndex(of: " "), let value = Double(line[line.index(after: space)...]) else { continue }
            let name = line[..<space].prefix { $0 != "{" }
            sums[name, default: 0] += value
        }
        func count(_ name: Substring) -> Int? { sums[name].flatMap { Int(exactly: $0.rounded()) } }
        guard let organizations = count("control_organizations"), let users = count("control_users"),
            let senders = count("control_senders"), let sendersOnline = count("control_senders_online"),
            let meetings = count("control_meetings"), let recordings = count("control_recordings")
        else { return nil }
        (self.organizations, self.users, self.senders, self.sendersOnline) = (organizations, users, senders, sendersOnline)
        // No line of them where there is none.
        broadcasts = count("control_broadcasts") ?? 0
        (self.meetings, self.recordings) = (meetings, recordings)
    }

    var line: String {
        "\(organizations) organisations, \(users) users, \(senders) senders (\(sendersOnline) online), \(broadcasts) broadcasts, "
            + "\(meetings) meetings, \(recordings) recordings"
    }
}

extension ServerSite {
    /// By the operator's token, which root may read; nil where control does not answer.
    func figures(_ plan: SitePlan, _ status: SiteStatus) async -> SiteFigures? {
        // Where control does not run its port is anybody's on this machine, who would be given the token.
        guard machine.isThisOne, status.units.contains(where: { $0.name == SitePlan.control && $0.isActive }) else { return nil }
        // In a folder of control's own: a link there is not followed as root. try?: what is wrong is told by the status itself.
        guard let text = try? KeyFile.read(machine.place(SitePaths.operatorToken)) else { return nil }
        var options = ClientOptions()
        options.connectTimeout = .seconds(5)
        options.responseTimeout = .seconds(10)
        var headers = Headers()
        headers.add("authorization", "Bearer \(text.prefix { !$0.isNewline })")
        let url = "\(plan.answers.loopback)/metrics"
        // try?: as above.
        let answer = try? await Client(loop: loop, options: options).request(.get, url, headers: headers)
        guard let answer, answer.status.isSuccess else { return nil }
        return SiteFigures(metrics: String(decoding: answer.body, as: UTF8.self))
    }
}

/// How a server is, with what it has: the same as one page for people.
struct StatusView: Encodable {
    let status: SiteStatus
    /// nil where control does not say.
    let figures: SiteFigures?

    private enum Key: String, CodingKey { case figures, actions }

    func encode(to encoder: any Encoder) throws {
        try status.encode(to: encoder)
        var container = encoder.container(keyedBy: Key.self)
        try container.encodeIfPresent(figures, forKey: .figures)
        try container.encode(actions, forKey: .actions)
    }

    /// What an operator does next from here.
    var actions: [String] {
        let open = ["strata-provision server install: makes what is missing, or goes on with what failed"]
        let running = [
            "\(status.origin): the web application", "journalctl -u strata-control -f: what it says now",
            "sudo -u strata-control strata-control backup --config \(SitePaths.controlConfiguration): a backup now",
        ]
        return (status.health == .healthy ? [] : open) + running
    }

    /// One page, a line each.
    var lines: [String] {
        var lines = ["\(status.origin): \(status.health.rawValue), \(status.state.rawValue)"]
        if let version = status.version { lines.append("  version      \(version)") }
        if let term = status.certificate { lines.append("  certificate  good for \(term.days) days, until \(term.endsAt)") }
        if let figures { lines.append("  figures      \(figures.line)") }
        lines += status.problems.map { "  \($0.health.rawValue.padded(to: 11))  \($0.what): \($0.advice)" }
        lines.append("Services")
        lines += status.units.map { "  \($0.isActive ? "runs       " : "DOES NOT RUN")  \($0.name)" }
        lines.append("What you can do")
        lines += actions.map { "  \($0)" }
        lines.append("What was done here last")
        return lines + status.activity.suffix(5).reversed().map { "  \($0.at)  \($0.text)" }
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - utf8.count)) }
}
