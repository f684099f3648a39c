import Posix
import Testing

@testable import Commands
@testable import Installation
@testable import Site

@Suite("Whoever installs a server")
struct ServerReviewTests {
    /// Questions that are answered one after the other, and not at all when there is nothing left.
    private func questions(_ answers: [String]) -> ServerQuestions {
        let left = Guarded(answers)
        return ServerQuestions { _ in left.withLock { $0.isEmpty ? nil : $0.removeFirst() } }
    }

    @Test("reads every answer with the option that changes it")
    func review() throws {
        let lines = ServerReview.lines(try SiteAnswers(["host": "live.example.org", "rooms": "2", "address": "203.0.113.5"]))
        #expect(lines.first == "Review" && lines.contains { $0.hasPrefix("  --host ") && $0.hasSuffix(" live.example.org") })
        #expect(lines.contains { $0.hasPrefix("  --rooms ") && $0.hasSuffix(" 2") } && !lines.contains { $0.contains("--mail") })
    }

    @Test(
        "says yes, no, or what shall be otherwise, as long as nothing was made",
        arguments: [
            ("yes", true, .yes), ("YES ", true, .yes), ("", true, .no), ("y", true, .no), ("host", true, .change("host")),
            ("--https-port", true, .change("https-port")), ("host", false, .no), ("nothing", true, .no),
        ] as [(String, Bool, ServerQuestions.Verdict)])
    func verdict(_ words: String, _ mayChange: Bool, _ verdict: ServerQuestions.Verdict) {
        #expect(questions([words]).verdict(mayChange: mayChange) == verdict)
    }

    @Test("is not asked where there is nobody, and says no by leaving")
    func nobody() {
        #expect(ServerQuestions(nil).verdict(mayChange: true) == .yes && questions([]).verdict(mayChange: true) == .no)
    }

    @Test("changes one answer, and with the kind of certificate what belongs to it; what cannot be leaves all as it was")
    func changes() throws {
        let before = try SiteAnswers(["host": "live.example.org", "certificate": "acme", "mail": "me@example.org"])
        func change(_ name: String, _ answers: [String]) throws -> (SiteAnswers, told: [String]) {
            var told: [String] = []
            return (try questions(answers).changed(before, name) { told.append($0) }, told)
        }
        #expect(try change("host", ["other.example.org"]).0.host == "other.example.org")
        let own = try change("certificate", ["own"]).0
        #expect(own.certificate == .own && own.mail == nil)
        let (same, told) = try change("https-port", ["8443"])
        #expect(same == before && told.first?.contains("needs port 443") == true)
        #expect(try change("host", [""]).0 == before)
    }

    @Test("hears of each phase once, and of each step")
    func phases() {
        let steps = [("a", Step.Phase.storage), ("b", .storage), ("c", .service)].map { title, phase in
            Step(title, phase, title, look: { .missing("") }, make: {}, undo: { _, _ in .gone })
        }
        let said = Guarded<[String]>([])
        let tell = ServerReview.progress(steps) { line in said.withLock { $0.append(line) } }
        for (number, step) in steps.enumerated() { tell(.makes(step.title, Place(number: number + 1, of: 3))) }
        #expect(said.withLock { $0 } == ["Phase 1 of 4: storage", "[1/3] a", "[2/3] b", "Phase 4 of 4: service", "[3/3] c"])
    }

    @Test("sees what a server has, as its control counts it; of an older control nothing")
    func figures() {
        let metrics = """
            # HELP control_users Users who may sign in
            control_organizations 1
            control_users 3
            control_senders 12
            control_senders_online 10
            control_broadcasts{state="live"} 2
            control_broadcasts{state="starting"} 1
            control_meetings 7
            control_recordings 0

            """
        let figures = SiteFigures(metrics: metrics)
        #expect(figures?.users == 3 && figures?.broadcasts == 3 && figures?.recordings == 0 && figures?.meetings == 7)
        let older = metrics.split(separator: "\n").filter { !$0.hasPrefix("control_users ") }.joined(separator: "\n")
        #expect(SiteFigures(metrics: older) == nil)
    }
}
