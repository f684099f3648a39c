import Testing
import Units

@testable import Session

@Suite struct EncoderGovernorTests {
    /// An encoder beside the links, ten times a second.
    private struct Course {
        var governor = EncoderGovernor(told: .kilobits(6000))
        let wanted = Bitrate.kilobits(6000)
        /// Of what it is told.
        var share = 1.0
        private(set) var madeBytes = 0.0

        mutating func pass(_ seconds: Double, available: Int) {
            madeBytes = 0
            for _ in 0..<Int(seconds * 10) {
                let made = Double(governor.told.bitsPerSecond + 128_000) * EncoderGovernor.muxOverhead * share / 80
                madeBytes += made
                _ = governor.next(
                    available: .kilobits(available), wanted: wanted, audio: .kilobits(128), madeBytes: Int(made), in: .milliseconds(100))
            }
        }
    }

    @Test("where the links carry all that is wanted, the encoder is told that, whatever it makes of it")
    func enough() {
        var course = Course(share: 0.7)
        course.pass(3, available: 9000)
        #expect(course.governor.told == course.wanted)
        course.share = 1.2
        course.pass(3, available: 9000)
        #expect(course.governor.told == course.wanted)
    }

    @Test("an encoder that makes too little is told more, until the links get what they carry")
    func behind() {
        var course = Course(share: 0.85)
        course.pass(3, available: 3000)
        course.pass(5, available: 3000)
        #expect((0.94...1.0).contains(course.madeBytes * 8 / 5 / 3_000_000))
    }

    @Test("what an encoder makes too much is taken back")
    func ahead() {
        var course = Course(share: 1.2)
        course.pass(3, available: 3000)
        course.pass(5, available: 3000)
        #expect((1.0...1.07).contains(course.madeBytes * 8 / 5 / 3_000_000))
    }

    @Test("a cut is told at once and less than what is left, while the surplus is on its way")
    func cut() {
        var course = Course()
        course.pass(3, available: 4000)
        course.pass(0.1, available: 2000)
        #expect(Double(course.governor.told.kilobits) < 2000 / EncoderGovernor.muxOverhead - 128)
        course.pass(4, available: 2000)
        #expect((1600...1860).contains(course.governor.told.kilobits))
    }

    @Test("a still picture saves up little: the next scene is over the links' rate for less than half a second of it")
    func still() {
        var course = Course(share: 0.1)
        course.pass(20, available: 3000)
        #expect(course.governor.told.kilobits <= 3650)
        course.share = 1
        var surplus = 0.0
        for _ in 0..<30 {
            course.pass(0.1, available: 3000)
            surplus = max(0, surplus + course.madeBytes * 8 - 300_000)
        }
        #expect(surplus / 3_000_000 < 0.45)
        #expect((0.94...1.03).contains(course.madeBytes * 8 / 300_000))
    }

    @Test("where each new rate costs a key frame, only what is worth one is told: cuts at once, rises after a while")
    func costly() {
        var governor = EncoderGovernor(told: .kilobits(6000))
        governor.set(.kilobits(6000), isRateCostly: true)
        func next(_ available: Int, made: Int = 0) -> Int? {
            governor.next(
                available: .kilobits(available), wanted: .kilobits(6000), audio: .kilobits(128), madeBytes: made, in: .milliseconds(100))?
                .kilobits
        }
        #expect(next(5900) == nil, "a tenth is not worth it")
        #expect(next(3000) == 2702, "a cut is, at once")
        #expect(next(3000, made: 400_000) == nil, "what is made too much changes nothing")
        let rises = (0..<40).compactMap { tick in next(5000).map { (tick, $0) } }
        #expect(rises.map(\.0) == [18] && rises.map(\.1) == [4588])
        #expect((0..<40).compactMap { _ in next(9000) } == [6000])
    }
}
