import Support
import Testing

@testable import Installation
@testable import Site

@Suite("A server's status")
struct SiteStatusTests {
    private let unit = SiteStatus.Unit(name: "strata-control.service", isEnabled: true, isActive: true)

    private func facts(_ change: (inout SiteStatus.Facts) -> Void = { _ in }) -> SiteStatus.Facts {
        var facts = SiteStatus.Facts(state: .active, renewal: .own)
        facts.units = [unit]
        facts.answer = 200
        (facts.certificateDays, facts.authorityDays) = (90, 3650)
        change(&facts)
        return facts
    }

    @Test("is healthy where nothing is wrong")
    func healthy() {
        #expect(SiteStatus.problems(facts()).isEmpty && SiteStatus.health([]) == .healthy)
    }

    @Test(
        "warns 30, 7 and 1 days before a certificate ends, and says what to do",
        arguments: [
            (30, nil, .healthy), (29, "less than 30 days", .degraded), (7, "less than 30 days", .degraded),
            (6, "less than 7 days", .degraded), (1, "less than 7 days", .degraded), (0, "less than 1 day", .unhealthy),
            (-1, "is over", .unhealthy),
        ] as [(Int, String?, SiteStatus.Health)])
    func certificate(_ days: Int, _ words: String?, _ health: SiteStatus.Health) {
        let problems = SiteStatus.problems(facts { $0.certificateDays = days })
        #expect(SiteStatus.health(problems) == health)
        if let words { #expect(problems.first?.what.contains(words) == true && problems.first?.advice.contains("systemctl start") == true) }
    }

    @Test(
        "warns of a certificate that is good for less than three months when a machine should have renewed it, and not before",
        arguments: [
            (64, 21, nil), (64, 20, "less than 30 days"), (45, 14, "less than 30 days"), (6, 2, nil), (6, 1, "less than 7 days"),
            (6, 0, "less than 1 day"),
        ] as [(Int, Int, String?)])
    func shortLived(_ life: Int, _ days: Int, _ words: String?) {
        let problems = SiteStatus.problems(
            facts {
                $0.certificateDays = days
                $0.certificateLife = life
            })
        #expect(problems.count == (words == nil ? 0 : 1))
        if let words { #expect(problems.first?.what.contains(words) == true) }
    }

    @Test("tells of what does not run, does not answer or is not there, each with what to do next")
    func wrong() {
        let stopped = SiteStatus.Unit(name: unit.name, isEnabled: true, isActive: false)
        let changes: [((inout SiteStatus.Facts) -> Void, SiteStatus.Health)] = [
            ({ $0.units = [stopped] }, .unhealthy), ({ $0.answer = nil }, .unhealthy), ({ $0.answer = 503 }, .unhealthy),
            ({ $0.missing = ["the programs"] }, .degraded), ({ $0.failure = Journal.Failure(step: "users", reason: "no") }, .degraded),
            ({ $0.authorityDays = 179 }, .degraded),
        ]
        for (change, health) in changes {
            let problems = SiteStatus.problems(facts(change))
            #expect(problems.count == 1 && problems.first?.advice.isEmpty == false, "\(problems)")
            #expect(SiteStatus.health(problems) == health, "\(problems)")
        }
    }

    @Test("looks at a real machine's files, and has an inventory of what was installed")
    func whole() async throws {
        let host = try StandInHost()
        let plan = try host.plan()
        _ = try await host.installer(try plan.steps()).install(StandInHost.order(plan))
        let installed = try host.plan(source: SiteSource(installedOn: host.machine))
        let well = try await installed.status(host.store)
        #expect(well.health == .healthy && well.problems.isEmpty && (well.certificate?.days ?? 0) >= 89, "\(well.problems)")
        for kind in [Resource.Kind.database, .store, .service, .secret, .domain, .account] {
            #expect(well.inventory.contains { $0.kind == kind && $0.isThere }, "\(kind)")
        }
        #expect(well.activity.last?.text == "run 1 is done")
        host.stop("strata-control.service")
        let ill = try await installed.status(host.store)
        #expect(ill.health == .unhealthy && ill.problems.first?.advice.contains("systemctl start strata-control.service") == true)
    }
}

@Suite("The answers of a server")
struct SiteAnswersTests {
    @Test("read back from the journal as they were")
    func roundTrip() throws {
        let fields = [
            "host": "live.example.org", "certificate": "acme", "mail": "a@example.org", "address": "203.0.113.5", "rooms": "2",
            "pool": "no",
        ]
        let answers = try SiteAnswers(fields)
        #expect(try SiteAnswers(answers.fields) == answers)
        #expect(fields.allSatisfy { answers.fields[$0.key] == $0.value })
    }

    @Test(
        "that are wrong are told, all together",
        arguments: [
            ([:], ["--host is missing"]), (["host": "live_example"], ["--host is 'live_example'"]),
            (["host": "x; reboot", "pool": "maybe"], ["--host is", "--pool is 'maybe'"]),
            (["host": "-v"], ["--host is '-v'"]), (["host": "h", "certificate": "acme"], ["--mail is missing"]),
            (["host": "203.0.113.5", "certificate": "acme", "mail": "a@b.example"], ["needs a name"]),
            (["host": "h", "certificate": "files"], ["--certificate-file is missing", "--key-file is missing"]),
            (["host": "h", "key-file": "/k"], ["--key-file belongs to"]), (["host": "h", "rooms": "1"], ["--address is missing"]),
            (["host": "h", "pool-ports": "9-3"], ["--pool-ports is '9-3'"]), (["host": "h", "car": "1"], ["--car is no answer"]),
            (["host": "h", "https-port": "8080"], ["are both 8080"]),
            (["host": "h", "address": "10.0.0.1", "rooms": "1", "rooms-port": "20000"], ["overlap"]),
        ] as [([String: String], [String])])
    func faults(_ fields: [String: String], _ words: [String]) throws {
        let fault = #expect(throws: SiteAnswers.Faults.self) { try SiteAnswers(fields) }
        #expect(fault?.faults.count == words.count, "\(fault?.faults ?? [])")
        for (text, word) in zip(fault?.faults ?? [], words) { #expect(text.contains(word), "\(text)") }
    }
}
