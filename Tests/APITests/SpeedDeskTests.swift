import Posix
import Testing
import Units
import Wire

@testable import Fleet

@Suite("Speed tests that were asked for") struct SpeedDeskTests {
    private let organization = OrganizationID("01ARZ3NDEKTSV4RRFFQ69G5FAV")!

    private func sender(_ number: Int) -> DeviceID { DeviceID("01ARZ3NDEKTSV4RRFFQ69G5\(String(1000 + number).suffix(3))")! }

    @Test("a ticket lets its own sender in, once, and only while the test runs")
    func ticket() throws {
        let desk = SpeedDesk(), now = Instant.now
        let ticket = try desk.begin(sender(1), in: organization, link: "wwan0", at: now)
        #expect(!desk.claim(ticket, of: sender(2)) && !desk.claim("", of: sender(1)) && !desk.claim(ticket + "x", of: sender(1)))
        #expect(throws: SpeedDesk.Refusal.running) { try desk.begin(sender(1), in: organization, link: "wwan1", at: now) }
        #expect(desk.claim(ticket, of: sender(1)))
        #expect(!desk.claim(ticket, of: sender(1)))
        desk.measured(SpeedDesk.Measured(upload: .kilobits(3900), rttMs: 80), of: sender(1))
        #expect(desk.end(sender(1)) == SpeedDesk.Measured(upload: .kilobits(3900), rttMs: 80))
        #expect(desk.end(sender(1)) == nil && !desk.claim(ticket, of: sender(1)))
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
        #expect(meter.rate == Bitrate(bitsPerSecond: 4_000_000))
        #expect(meter.bytes == 10 * 12_500 + 41 * 50_000)
        // All there is within the ramp: 60 MB in 0.5 s.
        var quick = UploadMeter()
        for step in 0...50 { quick.came(1_200_000, at: start + .milliseconds(10 * step)) }
        #expect((quick.rate?.bitsPerSecond ?? 0) > 900_000_000)
        var empty = UploadMeter()
        #expect(empty.rate == nil)
        empty.came(16_384, at: start)
        #expect(empty.rate == nil)
        // It has stopped after a second and a little: what came says little, and is said.
        var stopped = UploadMeter()
        for step in 0...11 { stopped.came(12_500, at: start + .milliseconds(100 * step)) }
        #expect(stopped.rate != nil)
    }
}
