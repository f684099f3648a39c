import Testing
import Units

@testable import MPEGTS
@testable import Outputs

struct UnitQueueTests {
    /// Pictures at 25 fps with a key frame each second, each with a sound frame beside it.
    private func unit(_ number: Int, size: Int = 1000, isDamaged: Bool = false) -> UnitQueue.Unit {
        let time = MediaTime(ticks: Int64(number) * 3600)
        let format = VideoFormat(coding: .h264, parameterSets: [], size: nil)
        return .video(
            VideoUnit(
                bytes: [UInt8](repeating: 0, count: size), units: [], presentation: time, decode: time, isKey: number % 25 == 0,
                isDamaged: isDamaged, format: format))
    }

    private func sound(_ number: Int) -> UnitQueue.Unit {
        let format = AudioFormat(objectType: 2, rateIndex: 3, sampleRate: 48_000, channels: 2)
        return .audio(AudioUnit(bytes: [0], presentation: MediaTime(ticks: Int64(number) * 3600), format: format))
    }

    private func drain(_ queue: inout UnitQueue) -> [UnitQueue.Unit] {
        var units: [UnitQueue.Unit] = []
        while let unit = queue.next() { units.append(unit) }
        return units
    }

    private func numbers(_ units: [UnitQueue.Unit]) -> [Int] { units.map { Int($0.decode.ticks / 3600) } }

    @Test("what comes before the first key frame is owed to nobody and not counted")
    func begins() {
        var queue = UnitQueue()
        for number in 20..<30 { queue.append(unit(number)) }
        #expect(queue.droppedUnits == 0)
        #expect(numbers(drain(&queue)) == Array(25..<30))
        #expect(queue.isEmpty && queue.bytes == 0)
    }

    @Test("a full queue loses whole groups, the oldest first and their sound with them, each unit counted")
    func dropsByGroups() {
        var queue = UnitQueue(limits: .init(bytes: 60_000, seconds: 1000))
        for number in 0..<100 {
            queue.append(unit(number))
            queue.append(sound(number))
        }
        let left = drain(&queue)
        #expect(numbers(left).first == 50)
        #expect(left.count == 100)
        #expect(queue.droppedUnits == 100)
        guard case .video(let first)? = left.first else {
            Issue.record("begins with a picture")
            return
        }
        #expect(first.isKey)
    }

    @Test("a destination that hangs for longer than the limit goes on with the last group")
    func dropsByTime() {
        var queue = UnitQueue(limits: .init(bytes: 1 << 30, seconds: 3))
        for number in 0..<200 { queue.append(unit(number)) }
        let left = numbers(drain(&queue))
        #expect(left.first.map { $0 % 25 } == 0)
        #expect(left == Array(left[0]..<200) && (75...101).contains(left.count))
        #expect(queue.droppedUnits == 200 - left.count)
    }

    @Test("a group that alone is over the limit goes whole, and all up to the next key frame with it")
    func dropsTheOnlyGroup() {
        var queue = UnitQueue(limits: .init(bytes: 10_000, seconds: 1000))
        for number in 0..<20 { queue.append(unit(number)) }
        #expect(queue.isEmpty)
        #expect(queue.droppedUnits == 20)
        for number in 20..<28 { queue.append(unit(number)) }
        #expect(queue.droppedUnits == 25)
        #expect(numbers(drain(&queue)) == [25, 26, 27])
    }

    @Test("without a connection only the last group is kept, counted where it was owed to somebody", arguments: [true, false])
    func keepsTheLastGroup(isCounted: Bool) {
        var queue = UnitQueue()
        for number in 0..<60 { queue.append(unit(number)) }
        queue.keepLastGroup(counted: isCounted)
        #expect(queue.droppedUnits == (isCounted ? 50 : 0))
        #expect(queue.bytes == 10_000)
        #expect(numbers(drain(&queue)) == Array(50..<60))
    }

    @Test("nothing begins with a key frame that has a hole")
    func damaged() {
        var queue = UnitQueue()
        queue.append(unit(0, isDamaged: true))
        for number in 1..<30 { queue.append(unit(number)) }
        #expect(numbers(drain(&queue)) == Array(25..<30))
    }

    @Test("sound without pictures begins anywhere")
    func soundAlone() {
        var queue = UnitQueue()
        queue.hasVideo = false
        for number in 3..<9 { queue.append(sound(number)) }
        #expect(numbers(drain(&queue)) == Array(3..<9))
    }

    @Test("however it is filled and emptied: in order, bounded, each gap ends at a key frame, and every unit is accounted for")
    func property() {
        var random = Seeded(7)
        for _ in 0..<100 {
            var queue = UnitQueue(limits: .init(bytes: 40_000, seconds: 2))
            var out: [Int] = []
            let count = Int.random(in: 100..<400, using: &random)
            for number in 0..<count {
                queue.append(unit(number, size: .random(in: 100...3000, using: &random)))
                #expect(queue.bytes <= 40_000 || queue.count == 1)
                for _ in 0..<Int.random(in: 0...2, using: &random) {
                    if let unit = queue.next() { out.append(numbers([unit])[0]) }
                }
                if Int.random(in: 0..<60, using: &random) == 0 { queue.keepLastGroup(counted: true) }
            }
            out += numbers(drain(&queue))
            #expect(out.first == 0)
            for (before, after) in zip(out, out.dropFirst()) { #expect(after == before + 1 || (after > before && after % 25 == 0)) }
            #expect(out.count + queue.droppedUnits == count)
        }
    }
}

/// SplitMix64, so that a failure can be repeated.
private struct Seeded: RandomNumberGenerator {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
