import Posix
import Support
@testable import Session
import Testing
import Units
import Uplink
import Wire

@Suite struct FlightRecorderTests {
    private static let broadcast = BroadcastID("01ARZ3NDEKTSV4RRFFQ69G5FAV")!
    private static let sample = FlightSample(links: [], bond: nil, pipeline: nil)

    /// All that a connection with room would be told, part for part.
    private func tell(_ recorder: inout FlightRecorder, at now: Instant = Self.start) -> [FlightLog] {
        var logs: [FlightLog] = []
        while let part = recorder.untoldPart() {
            logs.append(part)
            recorder.told(part, at: now)
        }
        return logs
    }

    private static let start = Instant(nanoseconds: 1_000_000_000)

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

    @Test("a part is some events or one sample; what was not taken is told again")
    func parts() {
        var recorder = FlightRecorder(Self.broadcast, run: 1)
        for index in 0..<40 { recorder.note(.live(link: "wwan\(index)", receiver: "r"), atMs: Int64(index)) }
        recorder.note(Self.sample, atMs: 40)
        recorder.note(Self.sample, atMs: 6000)
        #expect(recorder.untoldPart() == recorder.untoldPart())
        let logs = tell(&recorder)
        #expect(logs.map(\.entries.count) == [12, 12, 12, 4, 1, 1])
        #expect(recorder.untoldPart() == nil)
        recorder.lost(at: Self.start)
        #expect(tell(&recorder) == logs)
    }

    @Test("a new connection hears what was not told, and what the last one took in the minute before its end; nothing that has arrived")
    func reconnect() {
        var recorder = FlightRecorder(Self.broadcast, run: 1)
        func note(_ kinds: UplinkEvent...) { for event in kinds { recorder.note(event, atMs: 0) } }
        note(.heard)
        _ = tell(&recorder, at: Self.start)
        note(.clockChanged)
        _ = tell(&recorder, at: Self.start + .seconds(10))
        note(.heard)
        _ = tell(&recorder, at: Self.start + .seconds(65))
        note(.clockChanged)
        // The first went 71 s before the end, the second 61, the third 6; the fourth never.
        recorder.lost(at: Self.start + .seconds(71))
        #expect(tell(&recorder, at: Self.start + .seconds(9000)).flatMap(\.entries).map(\.number) == [2, 3])
        // However long it takes until there is a connection again.
        recorder.lost(at: Self.start + .seconds(9001))
        #expect(tell(&recorder, at: Self.start + .seconds(20_000)).flatMap(\.entries).map(\.number) == [2, 3])
        recorder.lost(at: Self.start + .seconds(20_100))
        #expect(recorder.untoldPart() == nil && !recorder.hasUntold)
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

    @Test("a desk that is told of everything at once, by connections that come and go, leaves nothing untold", arguments: 0..<20)
    func storm(_ round: Int) async throws {
        // try?, here: a pause that is cut short at the end is no fault.
        let desk = FlightDesk()
        let heard = Guarded<Set<Int>>([])
        desk.begin(Self.broadcast)
        let isUp = Guarded(false)
        let reader = Task {
            for await _ in desk.news {
                if let log = desk.next() {
                    Task {
                        // As a connection does: on another thread, a little later, and not always.
                        let taken = isUp.withLock { $0 } && Int.random(in: 0..<3) > 0
                        if taken { heard.withLock { $0.formUnion(log.entries.map(\.number)) } }
                        desk.answered(log, isTaken: taken)
                    }
                }
                try? await Task.sleep(for: .microseconds(200))
            }
        }
        defer { reader.cancel() }
        let flapping = Task {
            for _ in 0..<50 {
                isUp.withLock { $0 = true }
                desk.connected()
                try? await Task.sleep(for: .microseconds(Int.random(in: 0..<3000)))
                isUp.withLock { $0 = false }
                desk.disconnected()
                try? await Task.sleep(for: .microseconds(Int.random(in: 0..<1000)))
            }
            isUp.withLock { $0 = true }
            desk.connected()
        }
        for number in 0..<300 {
            desk.note(number % 2 == 0 ? UplinkEvent.heard : .clockChanged)
            if number % 3 == 0 { try? await Task.sleep(for: .microseconds(300)) }
        }
        await flapping.value
        try await eventually(within: .seconds(10), "all is told") { heard.withLock { $0.count } == 300 }
    }

    @Test("a desk wakes whoever tells it for what there is to tell, and for nothing else")
    func wakes() async {
        let desk = FlightDesk()
        let woken = Guarded(0)
        let reader = Task { for await _ in desk.news { woken.withLock { $0 += 1 } } }
        defer { reader.cancel() }
        func wakes(_ what: String, _ count: ClosedRange<Int>, _ body: () -> Void) async {
            woken.withLock { $0 = 0 }
            body()
            // Where it is to be woken there is time for it; half a second is enough to be woken for nothing.
            for _ in 0..<(count.upperBound == 0 ? 10 : 200) where woken.withLock({ $0 }) == 0 {
                try? await Task.sleep(for: .milliseconds(50))
            }
            let seen = woken.withLock { $0 }
            #expect(count.contains(seen), "\(what): \(seen)")
        }
        desk.begin(Self.broadcast)
        await wakes("nobody is there to hear it", 0...0) { desk.note(.heard) }
        await wakes("somebody is", 1...1) { desk.connected() }
        let part = desk.next()
        await wakes("another part is being told", 0...0) { desk.note(.clockChanged) }
        await wakes("it is told, and there is more", 1...1) { part.map { desk.answered($0, isTaken: true) } }
        let rest = desk.next()
        await wakes("all is told", 0...0) { rest.map { desk.answered($0, isTaken: true) } }
        await wakes("a connection of before", 1...1) {
            desk.disconnected()
            desk.connected()
        }
    }
}
