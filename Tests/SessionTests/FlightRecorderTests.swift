@testable import Session
import Testing
import Units
import Uplink
import Wire

@Suite struct FlightRecorderTests {
    private static let broadcast = BroadcastID("01ARZ3NDEKTSV4RRFFQ69G5FAV")!
    private static let sample = FlightSample(links: [], bond: nil, pipeline: nil)

    /// All that a connection with room would be told, part for part.
    private func tell(_ recorder: inout FlightRecorder) -> [FlightLog] {
        var logs: [FlightLog] = []
        while let part = recorder.untoldPart() {
            logs.append(part)
            recorder.told(part)
        }
        return logs
    }

    @Test("a rate cut names the link that stopped carrying, and where none did says so")
    func causes() {
        var recorder = FlightRecorder(Self.broadcast, run: 1)
        recorder.note(.silent(link: "wwan1", reason: "nothing came through for 143 ms"), atMs: 1000)
        recorder.note(.rateCut(from: .kilobits(6000), to: .kilobits(3000)), atMs: 1200)
        recorder.note(.rateCut(from: .kilobits(3000), to: .kilobits(1000)), atMs: 9000)
        let entries = tell(&recorder).flatMap(\.entries)
        #expect(entries.map(\.kind) == [.linkSilent, .rateCut, .rateCut])
        #expect(entries[1].reason == "6000 to 3000 kbit/s: wwan1 stopped carrying")
        #expect(entries[2].reason == "3000 to 1000 kbit/s: the links carry less, or packets wait in them")
    }

    @Test("a sample is taken each 5 s, also after the clock was set back")
    func samples() {
        var recorder = FlightRecorder(Self.broadcast, run: 1)
        for at in stride(from: Int64(0), to: 20_000, by: 200) { recorder.note(Self.sample, atMs: at) }
        for at in stride(from: Int64(-90_000), to: -80_000, by: 200) { recorder.note(Self.sample, atMs: at) }
        #expect(tell(&recorder).flatMap(\.entries).map(\.atMs) == [0, 5000, 10_000, 15_000, -90_000, -85_000])
    }

    @Test("a part is some events or one sample; what was not taken is told again, and all of it to a new connection")
    func parts() {
        var recorder = FlightRecorder(Self.broadcast, run: 1)
        for index in 0..<40 { recorder.note(.live(link: "wwan\(index)", receiver: "r"), atMs: Int64(index)) }
        recorder.note(Self.sample, atMs: 40)
        recorder.note(Self.sample, atMs: 6000)
        #expect(recorder.untoldPart() == recorder.untoldPart())
        let logs = tell(&recorder)
        #expect(logs.map(\.entries.count) == [12, 12, 12, 4, 1, 1])
        #expect(recorder.untoldPart() == nil)
        recorder.tellAgain()
        #expect(tell(&recorder) == logs)
    }

    @Test("a full recorder drops samples before events, and keeps its numbers")
    func full() {
        var recorder = FlightRecorder(Self.broadcast, run: 1)
        recorder.note(.heard, atMs: 0)
        for index in 0..<FlightRecorder.limit { recorder.note(Self.sample, atMs: Int64(index) * 5000) }
        recorder.note(.clockChanged, atMs: 1)
        let entries = tell(&recorder).flatMap(\.entries)
        #expect(entries.count == FlightRecorder.limit)
        #expect(entries.first?.kind == .receiverHeard)
        #expect(entries.last?.kind == .clockChanged)
        #expect(entries.last?.number == FlightRecorder.limit + 1)
    }

    @Test("a state is written down once, with its reason")
    func states() {
        var recorder = FlightRecorder(Self.broadcast, run: 1)
        var report = SendingReport(broadcast: Self.broadcast, revision: 1, state: .sending)
        recorder.note(report, atMs: 0)
        report.revision = 2
        recorder.note(report, atMs: 1)
        report.state = .recovering
        report.reason = "the file gives nothing any more"
        recorder.note(report, atMs: 2)
        #expect(tell(&recorder).flatMap(\.entries).map(\.reason) == ["sending", "recovering: the file gives nothing any more"])
    }

    @Test("a desk hands out one part at a time, to a connection, and the last broadcast's rest too")
    func desk() {
        let desk = FlightDesk()
        desk.begin(Self.broadcast)
        desk.note(.heard)
        #expect(desk.next() == nil)
        desk.connected()
        let part = desk.next()
        #expect(part?.entries.count == 1)
        #expect(desk.next() == nil)
        part.map { desk.answered($0, isTaken: false) }
        #expect(desk.next() == part)
        let second = BroadcastID("01ARZ3NDEKTSV4RRFFQ69G5FAW")!
        desk.begin(second)
        desk.note(.heard)
        part.map { desk.answered($0, isTaken: true) }
        #expect(desk.next()?.broadcast == second)
    }
}
