import Posix
import Testing
import Units
import Web
import Wire

@testable import API
@testable import Fleet

@Suite("Speed tests that were asked for") struct SpeedDeskTests {
    private let organization = OrganizationID("01ARZ3NDEKTSV4RRFFQ69G5FAV")!

    private func sender(_ number: Int) -> DeviceID { DeviceID("01ARZ3NDEKTSV4RRFFQ69G5\(String(1000 + number).suffix(3))")! }

    @Test("a ticket lets its own sender in, once, and only while the test runs")
    func ticket() throws {
        let desk = SpeedDesk(), now = Instant.now
        let ticket = try desk.begin(sender(1), in: organization, link: "wwan0", at: now)
        func claims(_ ticket: String, _ sender: DeviceID) -> Bool { desk.claim(ticket, of: sender, cut: {}) }
        #expect(!claims(ticket, sender(2)) && !claims("", sender(1)) && !claims(ticket + "x", sender(1)))
        #expect(throws: SpeedDesk.Refusal.running) { try desk.begin(sender(1), in: organization, link: "wwan1", at: now) }
        #expect(claims(ticket, sender(1)))
        #expect(!claims(ticket, sender(1)))
        desk.measured(SpeedDesk.Measured(upload: .kilobits(3900), rttMs: 80), of: sender(1))
        #expect(desk.end(sender(1)) == .measured(SpeedDesk.Measured(upload: .kilobits(3900), rttMs: 80)))
        #expect(desk.end(sender(1)) == .measured(nil) && !claims(ticket, sender(1)))
    }

    @Test("two run at once for an organisation, four in all, and thirty an hour")
    func bounds() throws {
        let desk = SpeedDesk(), now = Instant.now
        let others = (1...3).map { OrganizationID("01ARZ3NDEKTSV4RRFFQ69G500\($0)")! }
        for number in 0..<2 { _ = try desk.begin(sender(number), in: organization, link: "l", at: now) }
        #expect(throws: SpeedDesk.Refusal.full) { try desk.begin(sender(2), in: organization, link: "l", at: now) }
        for number in 3..<5 { _ = try desk.begin(sender(number), in: others[0], link: "l", at: now) }
        #expect(throws: SpeedDesk.Refusal.full) { try desk.begin(sender(6), in: others[1], link: "l", at: now) }
        for number in 0..<5 { _ = desk.end(sender(number)) }
        for _ in 2..<SpeedDesk.hourlyLimit {
            _ = try desk.begin(sender(0), in: organization, link: "l", at: now + .seconds(10))
            _ = desk.end(sender(0))
        }
        #expect(throws: SpeedDesk.Refusal.often(retryAfter: .seconds(3500))) {
            try desk.begin(sender(0), in: organization, link: "l", at: now + .seconds(100))
        }
        _ = try desk.begin(sender(0), in: others[2], link: "l", at: now + .seconds(100))
        _ = desk.end(sender(0))
        _ = try desk.begin(sender(0), in: organization, link: "l", at: now + .seconds(3601))
    }

    @Test("the last result of each link is kept, of thirty-two links")
    func results() {
        let desk = SpeedDesk()
        #expect(desk.results(of: sender(0)) == nil)
        desk.keep(SpeedTestView(link: "a", at: "1", upload: .kilobits(1), rttMs: 2), of: sender(0))
        desk.keep(SpeedTestView(link: "a", at: "2", reason: "no"), of: sender(0))
        #expect(desk.results(of: sender(0)) == [SpeedTestView(link: "a", at: "2", reason: "no")])
        for number in 0..<100 { desk.keep(SpeedTestView(link: "l\(number)", at: "3"), of: sender(0)) }
        #expect(desk.results(of: sender(0))?.count == 32)
        desk.forget(sender(0))
        #expect(desk.results(of: sender(0)) == nil)
    }

    @Test("an upload is measured without its first second, and by what arrived")
    func meter() {
        let start = Instant.now
        var meter = UploadMeter()
        // A ramp of 1 Mbit/s, then 4: 12,500 bytes and 50,000 each 100 ms.
        for step in 0...50 { meter.came(step < 10 ? 12_500 : 50_000, at: start + .milliseconds(100 * step)) }
        #expect(meter.rate(until: start + .seconds(5)) == Bitrate(bitsPerSecond: 4_000_000))
        #expect(meter.bytes == 10 * 12_500 + 41 * 50_000)
        // All there is within the ramp: 60 MB in 0.5 s.
        var quick = UploadMeter()
        for step in 0...50 { quick.came(1_200_000, at: start + .milliseconds(10 * step)) }
        #expect((quick.rate(until: start)?.bitsPerSecond ?? 0) > 900_000_000, "no end is before the last that came")
        var empty = UploadMeter()
        #expect(empty.rate(until: start + .seconds(5)) == nil)
        empty.came(16_384, at: start)
        #expect(empty.rate(until: start) == nil)
        // It has stopped after a second and a little: what came says little, and is said.
        var stopped = UploadMeter()
        for step in 0...11 { stopped.came(12_500, at: start + .milliseconds(100 * step)) }
        #expect(stopped.rate(until: start + .milliseconds(1100)) != nil)
    }

    @Test("an upload that stands still for a while, or to its end, is measured over that time as well")
    func stalled() {
        let start = Instant.now
        // 1 MB/s for a second and a half, and nothing more for the rest of five.
        var still = UploadMeter()
        for step in 0...15 { still.came(100_000, at: start + .milliseconds(100 * step)) }
        #expect(still.rate(until: start + .milliseconds(1500)) == Bitrate(bitsPerSecond: 8_000_000))
        // 0.6 MB since 0.9 s: in 4.1 s.
        #expect(still.rate(until: start + .seconds(5)) == Bitrate(bitsPerSecond: 1_170_731))
        // It stands still from within its first second to the fourth, and has a second more.
        var paused = UploadMeter()
        for step in 0...5 { paused.came(100_000, at: start + .milliseconds(100 * step)) }
        for step in 0...10 { paused.came(100_000, at: start + .milliseconds(4000 + 100 * step)) }
        #expect(paused.rate(until: start + .seconds(5)) == Bitrate(bitsPerSecond: 1_955_555), "1.1 MB since 0.5 s")
        // A line that carries less than a message in a second.
        var slow = UploadMeter()
        for second in [0, 2, 4] { slow.came(16_384, at: start + .seconds(second)) }
        #expect(slow.rate(until: start + .seconds(4)) == Bitrate(bitsPerSecond: 65_536))
    }

    @Test("a sender that is revoked while it uploads is cut off, and nothing of the test is kept")
    func revoked() throws {
        let desk = SpeedDesk()
        let cuts = Guarded(0)
        let ticket = try desk.begin(sender(1), in: organization, link: "wwan0", at: .now)
        let isIn = desk.claim(ticket, of: sender(1)) { cuts.withLock { $0 += 1 } }
        #expect(isIn)
        desk.forget(sender(1))
        desk.measured(SpeedDesk.Measured(upload: .kilobits(3900), rttMs: 80), of: sender(1))
        #expect(cuts.withLock { $0 } == 1 && desk.end(sender(1)) == .forgotten && desk.results(of: sender(1)) == nil)
        // Before its upload has come.
        let early = try desk.begin(sender(2), in: organization, link: "wwan0", at: .now)
        desk.forget(sender(2))
        let isLate = desk.claim(early, of: sender(2)) {}
        #expect(!isLate && desk.end(sender(2)) == .forgotten)
    }

    @Test("what was measured is shown where the sender's own answer got lost")
    func lostAnswer() {
        let measured = SpeedDesk.Measured(upload: .kilobits(3900), rttMs: 80)
        let shown = SpeedTestView(link: "wwan0", at: "now", upload: .kilobits(3900), rttMs: 80)
        #expect(SpeedTestView.of(.unknown, measured, link: "wwan0", at: "now") == shown)
        #expect(SpeedTestView.of(.unknown, nil, link: "wwan0", at: "now").reason == "the sender did not answer in time")
        let id = CommandID("01ARZ3NDEKTSV4RRFFQ69G5FAV")!
        let failed = Answer.outcome(CommandOutcome(id: id, result: .failed, reason: "a broadcast begins"))
        #expect(
            SpeedTestView.of(failed, measured, link: "wwan0", at: "now")
                == SpeedTestView(link: "wwan0", at: "now", reason: "a broadcast begins"))
    }

    @Test("an upload that is not measured is told why, and only one without a proof that it lacks one")
    func farewells() {
        func words(_ error: any Error) -> String {
            let (code, reason) = DeviceDoor.farewell(error)
            return "\(code) \(reason)"
        }
        #expect(words(DeviceDoor.Refusal.refused("no proof")) == "1008 no proof")
        #expect(words(DeviceDoor.Refusal.revoked) == "\(CloseCode.revoked) revoked")
        #expect(words(CancellationError()) == "1001 the server ends")
        #expect(words(WebSocketError.silent) == "1001 the peer does not answer pings")
        let malformed = MalformedMessage("{}", .valueNotFound(String.self, .init(codingPath: [], debugDescription: "")))
        #expect(words(malformed) == "1003 malformed message: no type: it is null")
        #expect(words(SystemError("write", 28)) == "1011 the server cannot do it now")
    }
}
