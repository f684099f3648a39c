import Testing
import Units
import Wire

@testable import Broadcasts

/// What control writes down of a broadcast, look by look.
@Suite("A journal")
struct JournalTests {
    private static func id<Kind>(_ letter: String) -> ID<Kind> { ID("0000000000000000000000000" + letter)! }
    private static let user: UserID = id("V")
    private static let host: DeviceID = id("H")
    private static let output: OutputID = id("1")

    private static func machine() -> BroadcastMachine {
        BroadcastMachine(
            id: id("B"), organization: id("A"), sender: id("S"), lease: id("K"),
            media: MediaChoice(
                input: InputChoice(video: "test"), encoder: EncoderChoice(bitrate: .kilobits(2500)), bufferMs: 1000, links: nil),
            outputs: [PlannedOutput(id: output, destination: id("D"), name: "show")], grace: .seconds(60))
    }

    private static func report(
        _ state: OutputReport.State = .connected, reason: String? = nil, ingest: IngestReport.State = .flowing, slateMs: Int? = nil,
        restarts: Int = 0, outputs: [OutputID] = [output]
    ) -> StreamReport {
        StreamReport(
            lease: id("K"), broadcast: id("B"), port: 5000, pid: 1, uptimeSeconds: 1,
            ingest: IngestReport(
                state: ingest, bitrate: .kilobits(2500), keyFramesTotal: 1, lostPacketsTotal: 0, recoveredPacketsTotal: 0,
                guardDroppedTotal: 0, video: .h264, width: 1280, height: 720, paths: [], slateMs: slateMs),
            outputs: outputs.map {
                OutputReport(id: $0, state: state, reason: reason, sentBytesTotal: 0, droppedUnitsTotal: 0, reconnectsTotal: 0)
            }, restarts: restarts)
    }

    /// A broadcast with its journal, each event looked at.
    private struct Course {
        var machine: BroadcastMachine
        var journal: Journal
        var nowMs: Int64 = 0
        /// Between two events.
        var stepMs: Int64 = 1000
        var entries: [FlightEntry] = []

        init(by user: UserID? = nil) {
            machine = JournalTests.machine()
            journal = Journal(BroadcastLook(machine), isResumed: false, run: 1)
            entries.append(journal.began(by: user, atMs: 0))
        }

        mutating func post(_ events: BroadcastMachine.Event..., by user: UserID? = nil) {
            for event in events {
                nowMs += stepMs
                if let user { entries += journal.asked(event, by: user, of: machine, atMs: nowMs) }
                _ = machine.event(event, nowMs: nowMs)
                entries += journal.saw(BroadcastLook(machine), by: user, atMs: nowMs)
            }
        }

        mutating func goLive() {
            post(.resumed, .senderConnected(nil), .hostChosen(JournalTests.host), .leased(port: 5000), .senderStarted(revision: 1))
            post(.report(JournalTests.report(.connecting)), .report(JournalTests.report()))
        }

        /// Since `count` entries: `state live`, `output retrying show: refused`, with a star where a person did it.
        func told(from count: Int = 0) -> [String] {
            entries.dropFirst(count).map { entry in
                let words = [entry.kind.rawValue, entry.state, entry.subject].compactMap { $0 }.joined(separator: " ")
                return words + (entry.reason.map { ": \($0)" } ?? "") + (entry.user == nil ? "" : "*")
                    + (entry.omitted.map { " +\($0)" } ?? "")
            }
        }
    }

    @Test("has each alarm of the sender as it is raised and cleared, and says nothing of one that lasted over a restart of control")
    func alarms() {
        var course = Course()
        course.goLive()
        var count = course.entries.count
        course.post(.alarmed([]), .alarmed([.silence]), .alarmed([.silence, .frozen]), .alarmed([.frozen]))
        #expect(course.told(from: count) == ["alarm raised silence", "alarm raised frozen", "alarm cleared silence"])
        course.journal = Journal(BroadcastLook(course.machine), isResumed: true, run: 2)
        count = course.entries.count
        course.post(.alarmed([.frozen]), .alarmed([]))
        #expect(course.told(from: count) == ["alarm cleared frozen"])
        // One that comes and goes all night is a line now and then.
        count = course.entries.count
        for _ in 0..<500 { course.post(.alarmed([.black]), .alarmed([])) }
        #expect((20...40).contains(course.entries.count - count))
        #expect(course.entries.last?.omitted.map { $0 > 10 } == true)
    }

    @Test("has each step of a start, each change with its reason and who asked for it, and nothing twice")
    func course() {
        var course = Course(by: Self.user)
        course.goLive()
        let h = Self.host.text
        #expect(
            course.told() == [
                "state starting lease*", "host chosen \(h)", "state starting sender", "state starting media", "state starting outputs",
                "state live", "output connected show",
            ])
        var count = course.entries.count
        // Figures, and what stays as it is, are no events; neither is a try between two refusals.
        course.post(.report(Self.report()), .report(Self.report()))
        course.post(.report(Self.report(.retrying, reason: "refused")), .report(Self.report(.connecting)))
        course.post(.report(Self.report(.retrying, reason: "refused")), .report(Self.report(.retrying, reason: "timed out")))
        #expect(
            course.told(from: count) == [
                "state degraded: output 'show' retrying: refused", "output retrying show: refused", "output retrying show: timed out",
            ])
        count = course.entries.count
        course.post(.report(Self.report()), .hostDisconnected(Self.host), .hostConnected(Self.host, nil))
        course.post(.report(Self.report(ingest: .interrupted, slateMs: 40)), .report(Self.report(restarts: 1)))
        #expect(
            course.told(from: count) == [
                "state live", "output connected show", "state degraded: no word from the receiver's host", "host lost \(h)",
                "state interrupted: the receiver is gone: it is being started again", "host back \(h)", "slate shown", "state live",
                "receiver restarted", "slate gone",
            ])
        count = course.entries.count
        course.post(.mediaChanged(MediaChange(bitrate: .kilobits(1000), input: InputChoice(video: "film"))), by: Self.user)
        course.post(.senderStarted(revision: 2))
        let two = PlannedOutput(id: Self.id("2"), destination: Self.id("E"), name: "two")
        course.post(.outputRetried(Self.output), .outputAdded(two), by: Self.user)
        course.post(.destinationChanged(Self.id("X"), name: "not of it", isElsewhere: true), .outputRemoved(Self.id("2")), by: Self.user)
        course.post(.destinationChanged(Self.id("D"), name: "renamed", isElsewhere: false), .stopRequested(.stopped), by: Self.user)
        course.post(.senderStopped, .report(Self.report(.failed, reason: "gone", slateMs: 1)), .released)
        #expect(
            course.told(from: count) == [
                "bitrate asked 1000000*", "input asked film*", "bitrate changed 1000000", "input changed film", "output retry_asked show*",
                "output added two*", "output removed two*", "destination changed renamed*", "state stopping*", "state ended: stopped",
            ])
        #expect(course.entries.map(\.number) == Array(0..<course.entries.count))
        #expect(course.entries.map(\.atMs) == course.entries.map(\.atMs).sorted())
    }

    @Test("that much of the stream is lost is written when it begins and when it is over, also beside an output that is down")
    func lossy() {
        var course = Course()
        course.goLive()
        var (second, lost, delivered) = (0, 0, 0)
        func pass(_ seconds: Int, losing: Int, _ output: OutputReport.State) {
            for _ in 0..<seconds {
                (second, lost, delivered) = (second + 1, lost + losing, delivered + 100 - losing)
                var told = Self.report(output, reason: output == .connected ? nil : "refused")
                told.uptimeSeconds = second
                (told.ingest.lostPacketsTotal, told.ingest.deliveredPacketsTotal) = (lost, delivered)
                course.post(.report(told))
            }
        }
        pass(12, losing: 0, .connected)
        var count = course.entries.count
        pass(40, losing: 8, .connected)
        let told = course.told(from: count)
        #expect(
            told.count == 1 && told[0].hasPrefix("state degraded: ") && told[0].contains(" % of the stream was lost in the last 10 s"),
            "\(told)")
        count = course.entries.count
        pass(12, losing: 0, .connected)
        #expect(course.told(from: count) == ["state live"])
        pass(2, losing: 0, .retrying)
        count = course.entries.count
        pass(4, losing: 8, .retrying)
        pass(12, losing: 0, .retrying)
        let beside = course.told(from: count)
        #expect(beside.count == 2 && beside[0].contains("was lost"), "\(beside)")
        #expect(beside.last == "state degraded: output 'show' retrying: refused")
    }

    @Test("a host that is gone is written, also where its connection stands, and the one that the stream goes on with")
    func moved() {
        var course = Course()
        course.goLive()
        let (count, next): (Int, DeviceID) = (course.entries.count, Self.id("J"))
        course.post(.sampled(isAnswered: false), .looked(isSilent: true), .sampled(isAnswered: false))
        course.post(.hostChosen(next, lease: Self.id("M")), .leased(port: 6000, by: next), .report(Self.report()))
        #expect(
            course.told(from: count) == [
                "state interrupted: the receiver is gone: its host is gone", "host lost \(Self.host)",
                "state interrupted: the receiver is gone: it is being started on another host", "host chosen \(next)",
                "state interrupted: nothing arrives from the sender", "state live",
            ])
    }

    @Test("a platform that flaps all night leaves a bounded number of entries, which count what they leave out and end as it is")
    func flapping() throws {
        var course = Course()
        course.goLive()
        let before = course.entries.count
        // Fourteen hours, another state each ten seconds.
        course.stepMs = 10_000
        for count in 0..<5045 {
            let isBack = count % 2 == 1
            course.post(.report(Self.report(isBack ? .connected : .retrying, reason: isBack ? nil : "refused")))
        }
        let flaps = course.entries.dropFirst(before)
        let outputs = flaps.filter { $0.kind == .output }
        let states = flaps.filter { $0.kind == .state }
        #expect((100...110).contains(outputs.count) && (200...210).contains(states.count), "\(outputs.count) and \(states.count)")
        let told = outputs.count + outputs.reduce(0) { $0 + ($1.omitted ?? 0) }
        #expect((4970...5045).contains(told), "\(told) changes are told of")
        // It stays as it is: that is written at last, though it was left out when it changed.
        let count = course.entries.count
        for _ in 0..<70 { course.post(.report(Self.report(.failed, reason: "for good"))) }
        let last = course.entries.dropFirst(count).filter { $0.kind == .output }
        let omitted = try #require(last.first?.omitted)
        #expect(last.map(\.state) == ["failed"] && omitted > 0)
    }

    @Test("whoever asks all the time is written down once in a while, and the end of it always")
    func asking() {
        var course = Course()
        course.goLive()
        let before = course.entries.count
        for count in 0..<600 {
            course.post(.mediaChanged(MediaChange(bitrate: .kilobits(1000 + count))), by: Self.user)
        }
        let asked = course.entries.dropFirst(before)
        #expect((60...75).contains(asked.count), "\(asked.count) in ten minutes")
        course.post(.stopRequested(.stopped), by: Self.user)
        course.post(.senderStopped, .released)
        #expect(course.told().suffix(2) == ["state stopping*", "state ended: stopped"])
    }

    @Test("after a restart of control what went on is no news, and what is otherwise is")
    func resumed() {
        var course = Course()
        course.goLive()
        func taken(_ report: StreamReport) -> [String] {
            var again = course
            again.machine = course.machine.withoutObservations
            again.journal = Journal(BroadcastLook(again.machine), isResumed: true, run: 2)
            again.entries = [again.journal.resumed(atMs: again.nowMs)]
            let lease = LeaseReport(
                lease: again.machine.lease, broadcast: again.machine.id, port: 5000, pid: 1, outputs: [Self.output])
            again.post(.resumed, .hostConnected(Self.host, lease), .report(report))
            return again.told()
        }
        let found = ["control restarted", "state degraded: no word from the receiver"]
        #expect(taken(Self.report(slateMs: 9, restarts: 3)) == found + ["state live"])
        #expect(
            taken(Self.report(.retrying, reason: "refused"))
                == found + ["state degraded: output 'show' retrying: refused", "output retrying show: refused"])
    }

    @Test("has where a stream goes on whose host is gone, and no news of what goes on there")
    func moves() {
        var course = Course()
        course.goLive()
        course.post(.report(Self.report(restarts: 2)))
        let count = course.entries.count
        let second: DeviceID = Self.id("J")
        course.post(.hostDisconnected(Self.host), .sampled(isAnswered: false), .looked(isSilent: true), .sampled(isAnswered: false))
        course.post(.hostChosen(second, lease: Self.id("M")), .leased(port: 5000, by: second), .senderStarted(revision: 2))
        // Its receiver counts its own restarts.
        course.post(.report(Self.report(restarts: 0)), .report(Self.report(restarts: 1)))
        #expect(
            course.told(from: count) == [
                "state degraded: no word from the receiver's host", "host lost \(Self.host)",
                "state interrupted: the receiver is gone: its host is gone",
                "state interrupted: the receiver is gone: it is being started on another host", "host chosen \(second)",
                "state interrupted: nothing arrives from the sender", "state live", "receiver restarted",
            ])
    }

    @Test("an allowance fills up with time, no higher than it was, and not by a clock that is set")
    func allowance() {
        var allowance = Allowance(atOnce: 2, everyMs: 100)
        func take(_ atMs: Int64) -> Bool { allowance.take(atMs: atMs) }
        #expect([0, 0, 0, 99, 100, 100].map { take($0) } == [true, true, false, false, true, false])
        #expect([100_000, 100_000, 100_000].map { take($0) } == [true, true, false])
        #expect([5, 104, 105].map { take($0) } == [false, false, true], "set back, it is waited for from there")
        #expect([Int64.max, Int64.max, Int64.max].map { take($0) } == [true, true, false])
    }
}
