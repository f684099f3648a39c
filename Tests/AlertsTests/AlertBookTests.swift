import Broadcasts
import Posix
import Store
import Testing
import Units
import Wire

@testable import Alerts

@Suite("The rules of users")
struct AlertBookTests {
    private static func id<Kind>(_ letter: String) -> ID<Kind> { ID("0000000000000000000000000" + letter)! }
    private static let output: OutputID = id("1")

    private static func sight(
        _ letter: String = "B", isThere: Bool = true, isOnAir: Bool = true, isInterrupted: Bool = false, kilobits: Int = 2500,
        lost: Int = 0, delivered: Int = 0, alarms: [MediaAlarm] = [], output state: OutputReport.State? = .connected,
        organization: OrganizationID = id("A")
    ) -> BroadcastSight {
        let ingest = IngestReport(
            state: isInterrupted ? .interrupted : .flowing, bitrate: .kilobits(kilobits), keyFramesTotal: 1, lostPacketsTotal: lost,
            recoveredPacketsTotal: 0, guardDroppedTotal: 0, video: .h264, width: 1280, height: 720, paths: [],
            deliveredPacketsTotal: delivered)
        return BroadcastSight(
            id: id(letter), organization: organization, sender: id("S"), isSenderThere: isThere, isOnAir: isOnAir,
            isInterrupted: isInterrupted,
            report: StreamReport(
                lease: id("K"), broadcast: id(letter), port: 5000, pid: 1, uptimeSeconds: 1, ingest: ingest, outputs: [], restarts: 0),
            alarms: alarms, outputs: [.init(id: output, name: "show", state: state, reason: "refused")])
    }

    private struct Course {
        var book = AlertBook(open: [], at: Instant(nanoseconds: 0))
        var second: Int64 = 60
        let incident: Incident
        var subscribers: [AlertSubscriber]
        var health: [HealthFinding]?
        /// `21 + loss`, and `~` for what ended quietly.
        var told: [String] = []

        init(_ rules: [AlertRule], role: Role = .member, incident: Incident) {
            self.incident = incident
            subscribers = [
                AlertSubscriber(
                    user: AlertBookTests.id("V"), organization: AlertBookTests.id("A"), role: role, rules: rules)
            ]
        }

        mutating func run(_ seconds: Int, _ sight: (Int) -> [BroadcastSight]) {
            for tick in 0..<seconds {
                second += 1
                let now = Instant(nanoseconds: second * 1_000_000_000)
                for step in book.look(subscribers, sight(tick), health: health, at: now) {
                    switch step {
                    case .begin(let key, let new, _):
                        told.append("\(second) + \(key.kind.rawValue)" + (new.reason.map { ": \($0)" } ?? ""))
                        book.begun(key, incident, earlier: 0)
                    case .end(let key, _, let quietly):
                        told.append("\(second) \(quietly ? "~" : "-") \(key.kind.rawValue)")
                        book.ended(key)
                    }
                }
            }
        }
    }

    @Test("loss and too low a rate are told by the user's own numbers, with the figure")
    func thresholds() async throws {
        let rules = [AlertRule(kind: .loss, value: 5, seconds: 10), AlertRule(kind: .bitrate, value: 1000, seconds: 5)]
        var course = Course(rules, incident: try await madeIncident())
        course.run(30) { [Self.sight(kilobits: 1000, lost: $0 * 5, delivered: $0 * 95)] }
        #expect(course.told.isEmpty, "five percent are not more than five")
        course.run(20) { [Self.sight(kilobits: 1000, lost: 145 + $0 * 20, delivered: 2755 + $0 * 80)] }
        #expect(course.told.count == 1 && course.told[0] == "102 + loss: 20 % of the stream are missing", "\(course.told)")
        course.told = []
        course.run(7) { _ in [Self.sight(kilobits: 900)] }
        #expect(course.told == ["116 + bitrate: 900 kbit/s arrive"])
        // Nothing arrives at all: it is too little, and no loss.
        course.told = []
        course.run(60) { _ in [Self.sight(isInterrupted: true, kilobits: 2500)] }
        #expect(course.told.isEmpty)
    }

    @Test("an alarm of the sender is told at once, and not judged while the sender is away, which is told by itself")
    func alarms() async throws {
        let rules = [AlertRule(kind: .silence), AlertRule(kind: .noSignal), AlertRule(kind: .offline, seconds: 10)]
        var course = Course(rules, incident: try await madeIncident())
        course.run(5) { _ in [Self.sight()] }
        course.run(1) { _ in [Self.sight(alarms: [.silence, .black])] }
        #expect(course.told == ["66 + silence"])
        course.run(40) { _ in [Self.sight(isThere: false)] }
        #expect(course.told == ["66 + silence", "77 + offline"])
        course.run(40) { _ in [Self.sight()] }
        #expect(course.told.suffix(2).sorted() == ["137 - offline", "137 - silence"])
    }

    @Test("a sender that has not dialled again since control was started is not away; one that stays away is")
    func restart() async throws {
        var course = Course([AlertRule(kind: .offline, seconds: 5)], incident: try await madeIncident())
        course.second = 0
        course.run(40) { _ in [Self.sight(isThere: false)] }
        #expect(course.told.isEmpty)
        course.run(20) { _ in [Self.sight(isThere: false)] }
        #expect(course.told == ["50 + offline"])
    }

    @Test("an output that does not connect is told, one that is being connected is not; with the output or the broadcast it ends quietly")
    func outputs() async throws {
        var course = Course([AlertRule(kind: .output, seconds: 5)], incident: try await madeIncident())
        course.run(20) { _ in [Self.sight(output: .connecting)] }
        course.run(20) { _ in [Self.sight(isOnAir: false, output: .retrying)] }
        #expect(course.told.isEmpty)
        course.run(20) { _ in [Self.sight(output: .retrying)] }
        #expect(course.told == ["106 + output: refused"])
        course.run(1) { _ in [] }
        #expect(course.told.last == "121 ~ output")
        course.run(20) { _ in [Self.sight(output: .failed)] }
        #expect(course.told.count == 3)
        course.subscribers = []
        course.run(1) { _ in [Self.sight(output: .failed)] }
        #expect(course.told.last == "142 ~ output")
    }

    @Test("nobody is told of another organisation's broadcast, and how the server is only whoever may see that")
    func tenancy() async throws {
        var course = Course([AlertRule(kind: .silence), AlertRule(kind: .health)], incident: try await madeIncident())
        course.health = [HealthFinding(part: "disk", hasFailed: true, detail: "full")]
        course.run(20) { _ in [Self.sight(alarms: [.silence], organization: Self.id("Z"))] }
        #expect(course.told.isEmpty)
        course.subscribers = [
            AlertSubscriber(user: Self.id("V"), organization: Self.id("A"), role: .admin, rules: [AlertRule(kind: .health)])
        ]
        course.run(1) { _ in [] }
        #expect(course.told == ["81 + health: full"])
        course.health = nil
        course.run(60) { _ in [] }
        #expect(course.told.count == 1, "what was not asked yet is not well")
        course.health = [HealthFinding(part: "disk", hasFailed: false, detail: nil)]
        course.run(40) { _ in [] }
        #expect(course.told.last == "172 - health")
    }

    @Test("what could not be written down is told at the next look")
    func again() async throws {
        var book = AlertBook(open: [], at: Instant(nanoseconds: 0))
        let one = AlertSubscriber(user: Self.id("V"), organization: Self.id("A"), role: .member, rules: [AlertRule(kind: .black)])
        for second in 1...3 {
            let steps = book.look(
                [one], [Self.sight(alarms: [.black])], health: nil, at: Instant(nanoseconds: Int64(second) * 1_000_000_000))
            #expect(steps.count == 1)
        }
    }
}
