import Posix
import Testing
import Units

@testable import Capture
@testable import Session

@Suite struct FramePaceTests {
    /// What a capture counts, told ten times a second.
    private struct Course {
        var pace = FramePace()
        var told: [FramePace.Lag?] = []
        private var counts = (made: 0.0, offered: 0.0, input: 0.0, thinned: 0.0)
        private var tenths = 0

        mutating func run(_ seconds: Double, made: Double, offered: Double = 60, input: Double? = nil, thinned: Double = 0, asked: Int = 60)
        {
            for _ in 0..<Int(seconds * 10) {
                var figures = CaptureFigures()
                figures.framesTotal = Int(counts.made)
                figures.offeredFramesTotal = Int(counts.offered)
                figures.inputFramesTotal = Int(counts.input)
                figures.thinnedFramesTotal = Int(counts.thinned)
                if pace.note(figures, asked: asked, at: Instant(nanoseconds: Int64(tenths) * 100_000_000)), told.last != pace.lag {
                    told.append(pace.lag)
                }
                counts = (
                    counts.made + made / 10, counts.offered + offered / 10, counts.input + (input ?? offered) / 10,
                    counts.thinned + thinned / 10
                )
                tenths += 1
            }
        }
    }

    @Test("an encoder that makes a quarter of the frames is told within 6 s, once, with the figures")
    func slow() {
        var course = Course()
        course.run(6, made: 15)
        #expect(course.pace.lag == .init(cause: .encoder, made: 15, asked: 60))
        course.run(30, made: 14)
        course.run(30, made: 16)
        #expect(course.told == [nil, course.pace.lag])
        #expect(course.pace.made.rounded() == 16)
        // Much worse is worth a word.
        course.run(10, made: 8)
        #expect(course.pace.lag?.made == 8)
    }

    @Test("a slow start of 2 s, a stall of 1 s, the burst after it and a tenth too few are nothing to tell")
    func moments() {
        var course = Course()
        course.run(2, made: 5)
        course.run(8, made: 60)
        for _ in 0..<5 {
            course.run(1, made: 0)
            course.run(1, made: 100)
            course.run(4, made: 60)
        }
        course.run(20, made: 55)
        #expect(course.told == [nil])
        for rate in [5, 10, 24, 25, 30] {
            var course = Course()
            course.run(30, made: Double(rate), offered: Double(rate), asked: rate)
            #expect(course.told == [nil] && course.pace.made == Double(rate))
        }
    }

    @Test("what is on the edge does not come and go, and what makes all frames for 5 s is well again")
    func hysteresis() {
        var course = Course()
        course.run(10, made: 40)
        for _ in 0..<10 {
            course.run(3, made: 60)
            course.run(1, made: 50)
        }
        #expect(course.told == [nil, .init(cause: .encoder, made: 40, asked: 60)])
        course.run(6, made: 60)
        #expect(course.pace.lag == nil)
    }

    @Test("frames that are left out for the links are the links' fault, and what the encoder lacks besides is its own")
    func thinned() {
        var course = Course()
        course.run(10, made: 20, thinned: 40)
        #expect(course.pace.lag == .init(cause: .links, made: 20, asked: 60))
        course = Course()
        course.run(10, made: 20, thinned: 20)
        #expect(course.pace.lag == .init(cause: .encoder, made: 20, asked: 60))
    }

    @Test("an encoder that makes all it is given is not the one that is slow")
    func input() {
        var course = Course()
        course.run(10, made: 20, offered: 20)
        #expect(course.pace.lag == .init(cause: .input, made: 20, asked: 60))
        // A camera that gives 25 frames for 30 lacks nothing that was asked for: each is there in time, some twice.
        course = Course()
        course.run(10, made: 30, offered: 30, input: 25, asked: 30)
        #expect(course.pace.lag == nil && course.pace.input == 25)
    }
}
