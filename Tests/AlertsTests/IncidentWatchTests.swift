import Crypto
import Posix
import Store
import Testing
import Units
import Wire

@testable import Alerts

/// An incident, as only a store makes one.
func madeIncident() async throws -> Incident {
    let store = try await ControlStore.open(.memory, keyring: Keyring(), platformVersion: "test")
    let owner = try NewUser(email: "owner@example.org", displayName: "Owner", passwordHash: Secret("$argon2id$test"))
    let (organization, user) = try await store.organizations.create(name: "First", slug: "first", owner: owner, by: .operator)
    _ = try await store.alerts(in: OrganizationScope(organization.id, by: .system)).save(
        [AlertRule(kind: .silence)], byMail: true, recovery: true, url: nil, for: user.id)
    let new = NewIncident(kind: .silence, subject: "x", sender: nil, part: nil, broadcast: nil, reason: nil)
    let begun = try await store.incidents.begin(new, for: user.id, in: organization.id) { _, _ in nil }
    return try #require(begun?.incident)
}

@Suite("An incident")
struct IncidentWatchTests {
    private struct Course {
        var watch = IncidentWatch()
        var second: Int64 = 0
        let incident: Incident
        var earlier = 0
        /// With the second in which it came.
        var verdicts: [String] = []

        mutating func run(_ seconds: Int, _ finding: IncidentWatch.Finding, lasting: Int64 = 10) {
            for _ in 0..<seconds {
                second += 1
                switch watch.note(finding, lasting: .seconds(lasting), at: Instant(nanoseconds: second * 1_000_000_000)) {
                case .begins:
                    verdicts.append("\(second) +")
                    watch.begun(incident, earlier: earlier)
                    earlier += 1
                case .isOver:
                    verdicts.append("\(second) -")
                    watch = IncidentWatch()
                case nil: break
                }
            }
        }
    }

    @Test("begins once it has lasted, and is over once it has been well for half a minute; each is told once")
    func course() async throws {
        var course = Course(incident: try await madeIncident())
        course.run(9, .holds(nil))
        course.run(1, .well)
        course.run(60, .holds("a"))
        course.run(60, .well)
        #expect(course.verdicts == ["21 +", "101 -"])
    }

    @Test("what comes and goes is one incident; the more often it began within the hour, the longer it has to be well")
    func flapping() async throws {
        var course = Course(incident: try await madeIncident())
        for _ in 0..<30 {
            course.run(12, .holds(nil))
            course.run(20, .well)
        }
        #expect(course.verdicts == ["11 +"])
        course.run(100, .well)
        #expect(course.verdicts.count == 2)
        // Every two minutes: the second one has to be well for a minute, the third for two, and it ends no more.
        course.verdicts = []
        for _ in 0..<60 {
            course.run(20, .holds(nil))
            course.run(100, .well)
        }
        #expect(course.verdicts.count == 3, "\(course.verdicts)")
        course.run(1800, .well)
        #expect(course.verdicts.count == 4)
    }

    @Test("what nobody can judge neither begins nor ends")
    func unknown() async throws {
        var course = Course(incident: try await madeIncident())
        for _ in 0..<10 {
            course.run(8, .holds(nil))
            course.run(1, .unknown)
        }
        #expect(course.verdicts.isEmpty)
        course.run(12, .holds(nil))
        course.run(500, .unknown)
        for _ in 0..<10 {
            course.run(20, .well)
            course.run(1, .unknown)
        }
        #expect(course.verdicts.count == 1)
    }

    @Test("one from before a restart is not told again, and is over as it would have been")
    func resumed() async throws {
        let incident = try await madeIncident()
        var course = Course(watch: IncidentWatch(incident, earlier: 0), incident: incident)
        course.run(20, .unknown)
        course.run(60, .holds(nil))
        #expect(course.verdicts.isEmpty)
        course.run(31, .well)
        #expect(course.verdicts == ["111 -"])
    }
}
