import Testing

@testable import Capture

@Suite("When a key frame is asked for")
struct KeyFramePaceTests {
    private static let ms: Int64 = 1_000_000

    /// Numbers of the frames at which one is asked for.
    private func asked(every interval: Int64, of count: Int, keyEvery group: Int, answeredAfter frames: Int? = 1) -> [Int] {
        var pace = KeyFramePace()
        var asked: [Int] = []
        var lastKey = 0
        var due: Int?
        for number in 0..<count {
            let isKey = number == 0 || number - lastKey == group || number == due
            if isKey { (lastKey, due) = (number, nil) }
            guard pace.isLate(isKeyFrame: isKey, at: Int64(number) * interval * Self.ms) else { continue }
            asked.append(number)
            due = due ?? frames.map { number + $0 }
        }
        return asked
    }

    @Test("is never, where the encoder's own come each two seconds, or a little later")
    func regular() {
        #expect(asked(every: 40, of: 1000, keyEvery: 50) == [])
        #expect(asked(every: 43, of: 1000, keyEvery: 50) == [])
    }

    @Test("is 2.2 s after the last one, where frames come less often than was said")
    func thinned() {
        // 25 a second, of which one in six is there.
        #expect(asked(every: 240, of: 31, keyEvery: 50) == [10, 21])
    }

    @Test("is each half second, where an encoder does not hear it")
    func deaf() {
        #expect(asked(every: 240, of: 17, keyEvery: 50, answeredAfter: nil) == [10, 13, 16])
    }
}
