import Testing
import Units

@testable import Field

struct FieldClockTests {
    private let second: Int64 = 1_000_000_000

    @Test("pictures and sound lie where the stream has them, from where it began on")
    func together() throws {
        var clock = FieldClock()
        #expect(clock.place(MediaTime(nanoseconds: 5 * second), at: 0, isStart: false) == nil, "nothing has begun")
        #expect(clock.place(MediaTime(nanoseconds: 5 * second), at: 2 * second, isStart: true) == 2 * second)
        #expect(clock.place(MediaTime(nanoseconds: 5 * second + 40_000_000), at: 2 * second, isStart: false) == 2_040_000_000)
        #expect(clock.place(MediaTime(nanoseconds: 6 * second), at: 4 * second, isStart: true) == 3 * second, "a late key frame is late")
        #expect(clock.place(MediaTime(nanoseconds: 1 * second), at: 2 * second, isStart: false) == 0, "never before the beginning")
    }

    @Test("a stream that stood still goes on now, with its next key frame and not before")
    func still() {
        var clock = FieldClock()
        _ = clock.place(MediaTime(nanoseconds: 0), at: 0, isStart: true)
        #expect(clock.place(MediaTime(nanoseconds: second), at: 60 * second, isStart: false) == second)
        #expect(clock.place(MediaTime(nanoseconds: second), at: 60 * second, isStart: true) == 60 * second)
        #expect(clock.place(MediaTime(nanoseconds: 2 * second), at: 61 * second, isStart: false) == 61 * second)
    }
}
