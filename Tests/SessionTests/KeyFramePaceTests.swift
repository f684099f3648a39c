import Posix
import Testing

@testable import Session

struct KeyFramePaceTests {
    @Test("a key frame is made for whoever asks, once a second at most")
    func pace() {
        var pace = KeyFramePace()
        let now = Instant(nanoseconds: 5_000_000_000)
        let made = [0, 999, 1000, 1500, 60_000].map { pace.isDue(at: now + .milliseconds($0)) }
        #expect(made == [true, false, true, false, true])
    }
}
