import Posix
import Testing

@testable import Session

struct KeyFramePaceTests {
    @Test("a key frame is made for whoever asks, once a second at most")
    func pace() {
        var pace = KeyFramePace()
        let now = Instant(nanoseconds: 5_000_000_000)
        #expect(pace.isDue(at: now))
        #expect(!pace.isDue(at: now + .milliseconds(999)))
        #expect(pace.isDue(at: now + .milliseconds(1000)))
        #expect(!pace.isDue(at: now + .milliseconds(1500)))
        #expect(pace.isDue(at: now + .seconds(60)))
    }
}
