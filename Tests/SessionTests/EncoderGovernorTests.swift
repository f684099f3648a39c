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
        /// However little it is told, in kbit/s with all frames.
        var least = 0.0
        private(set) var madeBytes = 0.0

        mutating func pass(_ seconds: Double, available: Int) {
            madeBytes = 0
            for _ in 0..<Int(seconds * 10) {
                let video = max(Double(governor.told.bitsPerSecond) * share, least * 1000) / Double(governor.keepsOneOf)
                let made = (video + 128_000 * share) * EncoderGovernor.muxOverhead / 80
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

    @Test("where there is too little for a picture, fewer frames are made, each with the bits it needs, and sound stays whole")
    func narrow() {
        for (available, keeps) in [(350, 1...1), (290, 1...2), (240, 2...3), (200, 3...5), (180, 4...5), (160, 6...6), (100, 6...6)] {
            var course = Course()
            course.pass(10, available: available)
            #expect(keeps.contains(course.governor.keepsOneOf), "\(course.governor.keepsOneOf) at \(available)")
            #expect(course.governor.told.kilobits >= 120)
            course.pass(5, available: available)
            let made = course.madeBytes * 8 / 5000
            #expect(made <= max(Double(available) * 1.04, 163), "\(made) at \(available)")
        }
    }

    @Test("an encoder that makes more than it is told of so little leaves more frames out")
    func stubborn() {
        var course = Course()
        course.least = 300
        course.pass(10, available: 240)
        course.pass(5, available: 240)
        #expect(course.madeBytes * 8 / 5000 <= 240 * 1.07)
        #expect(course.governor.keepsOneOf > 2)
    }

    @Test("frames come back one step at a time with a margin, and all of them when there is enough")
    func regained() {
        var course = Course()
        course.pass(5, available: 290)
        var seen: [Int] = []
        for step in 0..<200 {
            // Up and down by 4 %, as an estimate does.
            course.pass(0.1, available: 290 + (step % 2) * 10)
            if seen.last != course.governor.keepsOneOf { seen.append(course.governor.keepsOneOf) }
        }
        #expect(seen.count <= 3, "\(seen)")
        course.pass(3, available: 1000)
        #expect(course.governor.keepsOneOf == 1)
        _ = course.governor.next(available: nil, wanted: .kilobits(6000), audio: .kilobits(128), madeBytes: 0, in: .milliseconds(100))
        #expect(course.governor.keepsOneOf == 1)
    }
}
