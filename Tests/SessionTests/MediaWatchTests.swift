import Capture
import Posix
import Testing
import Wire

@testable import Session

@Suite struct MediaWatchTests {
    /// What a capture shows, five times a second.
    private struct Course {
        var watch = MediaWatch()
        /// Each change, with the second in which it came.
        var changes: [String] = []
        private(set) var ticks: Int64 = 0
        var now: Instant { Instant(nanoseconds: ticks * 200_000_000 + 1_000_000_000_000) }

        /// - Parameters:
        ///   - peak: nil where nothing is measured.
        ///   - pictures: whether they come.
        mutating func run(
            _ seconds: Double, peak: Int? = -12, dark: Bool = false, still: Bool = false, pictures: Bool = true, hasSound: Bool = true,
            hasSignal: Bool? = nil, isRunning: Bool = true
        ) {
            for _ in 0..<Int(seconds * 5) {
                ticks += 1
                let levels = peak.map { SoundLevels(peak: [$0, SoundLevels.floor], rms: [$0, SoundLevels.floor]) }
                let signs = MediaSigns(
                    pictureAt: pictures ? now : Instant(nanoseconds: 0), isDark: dark, isStill: still, levels: levels, hasSound: hasSound)
                for alarm in watch.note(isRunning ? signs : nil, hasSignal: hasSignal, at: now) {
                    changes.append("\(ticks / 5) \(watch.raised.contains(alarm) ? "+" : "-")\(alarm.rawValue)")
                }
            }
        }
    }

    @Test("silence is an alarm after 10 s, and over 2 s after sound has come back; the level itself is there at once")
    func silence() {
        var course = Course()
        course.run(5)
        #expect(course.watch.levels?.peak == [-12, SoundLevels.floor])
        course.run(0.2, peak: SoundLevels.floor)
        #expect(course.watch.levels?.isSilent == true)
        course.run(9.6, peak: -60)
        #expect(course.watch.raised.isEmpty)
        course.run(0.6, peak: -61)
        #expect(course.watch.raised == [.silence])
        course.run(60, peak: -96)
        #expect(course.watch.raised == [.silence])
        course.run(1.8)
        #expect(course.watch.raised == [.silence])
        course.run(0.6)
        #expect(course.watch.raised.isEmpty)
        #expect(course.changes == ["15 +silence", "77 -silence"])
    }

    @Test("pauses of a speaker are no silence, a click each 5 s does not end one, and a tone each second does")
    func broken() {
        var course = Course()
        for _ in 0..<10 {
            course.run(8, peak: -80)
            course.run(0.2)
        }
        #expect(course.changes.isEmpty)
        course.run(11, peak: -80)
        for _ in 0..<10 {
            course.run(0.2)
            course.run(5, peak: -80)
        }
        #expect(course.watch.raised == [.silence] && course.changes.count == 1)
        for _ in 0..<4 {
            course.run(0.2)
            course.run(0.8, peak: -80)
        }
        #expect(course.watch.raised.isEmpty)
    }

    @Test("a broadcast without sound is not told of silence; one whose microphone is lost is")
    func soundless() {
        var course = Course()
        course.run(60, peak: nil, hasSound: false)
        #expect(course.changes.isEmpty && course.watch.levels == nil)
        course.run(11, peak: nil)
        #expect(course.watch.raised == [.silence])
    }

    @Test("a black picture is one alarm, after 5 s; a frozen one after 10; both are over a second after another picture")
    func pictures() {
        var course = Course()
        course.run(60, dark: true, still: true)
        #expect(course.changes == ["5 +black"])
        course.run(1.4)
        #expect(course.watch.raised.isEmpty)
        course.run(9, still: true)
        course.run(0.4)
        course.run(9, still: true)
        #expect(course.changes.count == 2)
        course.run(2, still: true)
        #expect(course.watch.raised == [.frozen])
        course.run(1.4)
        #expect(course.watch.raised.isEmpty)
    }

    @Test("no pictures, a capture that is built again and a grabber without a signal are the same alarm, and leave the others as they are")
    func signal() {
        var course = Course()
        course.run(20, still: true)
        #expect(course.watch.raised == [.frozen])
        course.run(2.4, pictures: false)
        course.run(3, isRunning: false)
        #expect(course.watch.raised == [.frozen, .noSignal])
        course.run(3)
        #expect(course.watch.raised.isEmpty)
        course.run(4, hasSignal: false)
        #expect(course.watch.raised == [.noSignal])
        course.run(2, hasSignal: true)
        #expect(course.watch.raised.isEmpty)
    }
}
