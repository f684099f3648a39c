import Testing

@testable import Capture

@Suite("Sound timeline") struct SoundTimelineTests {
    private let second: Int64 = 1_000_000_000

    @Test("pieces that follow each other pass as they are, with jitter up to 20 ms")
    func passing() {
        var line = SoundTimeline(startingAt: 0)
        for index in 0..<200 {
            let jitter = Int64(index % 3 - 1) * 15_000_000
            let step = line.sound(at: max(0, Int64(index) * 1024 * second / 48_000 + jitter), frames: 1024)
            #expect(step == .init(silence: 0, skip: 0, position: Int64(index) * 1024))
        }
        #expect(line.silentFramesTotal == 0)
    }

    @Test("a gap is filled and an overlap cut, so that no sample is missing or twice")
    func repairing() {
        var line = SoundTimeline(startingAt: 0)
        #expect(line.sound(at: 0, frames: 4800) == .init(silence: 0, skip: 0, position: 0))
        #expect(line.sound(at: second, frames: 4800) == .init(silence: 43_200, skip: 0, position: 4800))
        #expect(line.next == 52_800)
        #expect(line.sound(at: second, frames: 9600) == .init(silence: 0, skip: 4800, position: 52_800))
        #expect(line.next == 57_600)
        #expect(line.sound(at: 0, frames: 4800) == .init(silence: 0, skip: 4800, position: 57_600))
        #expect(line.next == 57_600)
    }

    @Test("the sound of a card whose clock is 200 ppm off stays within 20 ms of its picture for 24 hours", arguments: [-200, 200])
    func cardDrift(_ ppm: Int64) {
        var line = SoundTimeline(startingAt: 0)
        var worst: Int64 = 0
        for piece in 0..<864_000 as Range<Int64> {
            // A tenth of a second by the card's clock, stamped by ours.
            let time = piece * 100_000_000 + piece * 100 * ppm
            let step = line.sound(at: time, frames: 4800)
            let due = SoundTimeline.index(time) + Int64(step.skip)
            worst = max(worst, abs(step.position + Int64(step.silence) - due))
        }
        #expect(worst <= Int64(SoundTimeline.tolerance))
        // 17.28 s in all: filled where the card is slow, left out where it is fast.
        let day: Int64 = 86_400 * 48_000
        #expect(abs(line.next - day - day * ppm / 1_000_000) <= Int64(SoundTimeline.tolerance) + 4800)
        #expect(ppm > 0 ? abs(Int64(line.silentFramesTotal) - day / 5000) <= Int64(SoundTimeline.tolerance) : line.silentFramesTotal == 0)
    }

    @Test("where no sound comes, silence follows the picture")
    func silence() {
        var line = SoundTimeline(startingAt: 0)
        var total: Int64 = 0
        for frame in 0..<300 {
            if let step = line.picture(at: Int64(frame) * second / 30, lag: .milliseconds(100)) {
                #expect(step.position == total)
                #expect(step.silence >= 1024)
                total += Int64(step.silence)
            }
        }
        let end = SoundTimeline.index(299 * second / 30)
        #expect(end - total >= 4800 && end - total < 4800 + 1024 + 1600)
    }

    @Test("whatever comes, what goes out is one row without holes")
    func anything() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            let start = Int64.random(in: 0...(100_000 * second), using: &random)
            var line = SoundTimeline(startingAt: start)
            var position = line.next
            var clock = start
            for _ in 0..<100 {
                clock += Int64.random(in: -second...(2 * second), using: &random)
                if Bool.random(using: &random) {
                    let frames = Int.random(in: 1...5000, using: &random)
                    let step = line.sound(at: clock, frames: frames)
                    #expect(step.position == position)
                    #expect(step.silence >= 0 && (0...frames).contains(step.skip))
                    position += Int64(step.silence + frames - step.skip)
                } else if let step = line.picture(at: clock, lag: .milliseconds(500)) {
                    #expect(step.position == position && step.silence > 0)
                    position += Int64(step.silence)
                }
                #expect(line.next == position)
            }
        }
    }
}

@Suite("NAL units") struct NALUnitsTests {
    private func joined(_ bytes: [UInt8], _ wanted: (UInt8) -> Bool) -> [UInt8] {
        bytes.withUnsafeBytes { NALUnits.joined($0, wanted: wanted) }
    }

    @Test("units are taken without start codes, whatever their length, and without trailing zeros")
    func splitting() {
        let stream: [UInt8] = [0, 0, 0, 1, 0x09, 0xf0, 0, 0, 1, 0x67, 1, 2, 0, 0, 0, 1, 0x65, 7, 0, 0, 3, 1, 0, 0, 1, 0x41, 9, 0]
        #expect(joined(stream) { $0 & 0x1f == 1 || $0 & 0x1f == 5 } == [0x65, 7, 0, 0, 3, 1, 0x41, 9])
        #expect(joined(stream) { _ in false } == [])
    }

    @Test("bytes that are no stream give nothing", arguments: [[], [0], [0, 0, 1], [1, 2, 3, 4], [0, 0, 0, 0, 0, 0]] as [[UInt8]])
    func nonsense(bytes: [UInt8]) {
        #expect(joined(bytes) { _ in true } == [])
    }
}
