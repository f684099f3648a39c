import Posix
import Testing

@testable import Uplink

@Suite("When a line that carries media is dialled again")
struct RedialTests {
    private let start = Instant(nanoseconds: 1_000_000_000)

    @Test("after 1.2 s without a word, until one comes")
    func silent() {
        var redial = Redial()
        #expect(!redial.isDue(at: start))
        redial.heardAt = start
        #expect(!redial.isDue(at: start + .milliseconds(1199)) && redial.isDue(at: start + .milliseconds(1200)))
        redial.heardAt = start + .milliseconds(1300)
        #expect(!redial.isDue(at: start + .milliseconds(1300)) && redial.isOver(at: start + .milliseconds(1300)))
    }

    @Test("after a minute in which reports come, and nothing that was sent is among them, whatever is heard besides")
    func darkUpwards() {
        var redial = Redial(heardAt: start, lostSince: start)
        redial.heardAt = start + .seconds(59)
        #expect(!redial.isDue(at: start + .seconds(59)) && redial.isOver(at: start + .seconds(59)))
        redial.heardAt = start + .seconds(60)
        #expect(redial.isDue(at: start + .seconds(60)) && !redial.isOver(at: start + .seconds(60)))
        redial.lostSince = nil
        #expect(!redial.isDue(at: start + .seconds(60)) && redial.isOver(at: start + .seconds(60)))
    }
}
