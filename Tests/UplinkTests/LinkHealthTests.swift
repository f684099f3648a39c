import Posix
import Testing
import Uplink

@Suite struct LinkHealthTests {
    func at(_ ms: Int) -> Instant { Instant(nanoseconds: 5_000_000_000) + .milliseconds(ms) }

    @Test("a silent link is suspect within 500 ms and dead after two seconds; one report makes it live")
    func silence() {
        var health = LinkHealth(openedAt: at(0))
        #expect(health.state == .connecting)
        health.heard(at: at(100))
        // Reports are counted each 100 ms and looked at each 50 ms: 350 + 100 + 50.
        for ms in stride(from: 150, through: 400, by: 50) {
            health.tick(at: at(ms))
            #expect(health.state == .live, "\(ms)")
        }
        health.tick(at: at(450))
        #expect(health.state == .suspect)
        health.tick(at: at(2_100))
        #expect(health.state == .dead)
        health.heard(at: at(7_000))
        #expect(health.state == .live)
    }

    @Test("an address that never answers is given up after two seconds")
    func connecting() {
        var health = LinkHealth(openedAt: at(0))
        health.tick(at: at(1_999))
        #expect(health.state == .connecting)
        health.tick(at: at(2_000))
        #expect(health.state == .dead)
    }

    @Test("a link that has its carrier again gets two seconds before its address is given up")
    func resumed() {
        var health = LinkHealth(openedAt: at(0))
        health.heard(at: at(100))
        health.lostCarrier()
        #expect(health.state == .suspect)
        health.resumed(at: at(10_000))
        health.tick(at: at(10_050))
        #expect(health.state == .suspect)
        health.tick(at: at(12_000))
        #expect(health.state == .dead)
    }
}
