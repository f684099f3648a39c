import Testing

@testable import Units

/// What a person is told of a stream's loss, second by second.
@Suite struct LossWatchTests {
    /// A stream of so many packets a second.
    private struct Stream {
        var watch = LossWatch()
        var second = 100
        var rate = 200
        var (lost, delivered) = (0, 0)

        /// - Returns: what is told after each of the seconds.
        @discardableResult
        mutating func pass(_ seconds: Int, losing: Int = 0) -> [LossWatch.Loss?] {
            (0..<seconds).map { _ in
                second += 1
                lost += losing
                delivered += rate - losing
                watch.note(lost: lost, delivered: delivered, at: second)
                return watch.loss
            }
        }
    }

    private static func steady(_ rate: Int = 200) -> Stream {
        var stream = Stream()
        stream.rate = rate
        stream.pass(20)
        return stream
    }

    @Test("a third is told within two seconds, of a narrow stream within three, and the figure follows")
    func third() throws {
        var stream = Self.steady()
        let told = stream.pass(12, losing: 66)
        #expect(told[0] == nil && told[1] != nil)
        let share = try #require(told.last??.share)
        #expect(abs(share - 0.33) * 3 <= share)
        #expect(stream.pass(60, losing: 66).last??.description == "33 % of the stream was lost in the last 10 s")
        var narrow = Self.steady(14)
        #expect(narrow.pass(3, losing: 4)[1] != nil)
        var least = Self.steady(20)
        #expect(least.pass(6, losing: 1).firstIndex { $0 != nil } == 4)
    }

    @Test("single packets, one hole, and less than one in a hundred are no news")
    func none() {
        var stream = Self.steady()
        for _ in 0..<30 {
            #expect(stream.pass(1, losing: 1) == [nil])
            #expect(stream.pass(1) == [nil])
        }
        stream = Self.steady()
        #expect(stream.pass(1, losing: 150) + stream.pass(20) == Array(repeating: nil, count: 21))
        stream = Self.steady(1000)
        #expect(stream.pass(60, losing: 9).allSatisfy { $0 == nil })
        #expect(stream.pass(20, losing: 11).last != .some(nil))
    }

    @Test("it is over when ten seconds were all but whole, and does not come and go on the edge")
    func over() {
        var stream = Self.steady()
        stream.pass(10, losing: 66)
        let after = stream.pass(12)
        #expect(after.firstIndex { $0 == nil } == 9, "ten seconds that are whole")
        #expect(after.suffix(2).allSatisfy { $0 == nil })
        stream = Self.steady(1000)
        stream.pass(10, losing: 11)
        var changes = 0
        var before = stream.watch.loss == nil
        for second in 0..<120 {
            let isOver = stream.pass(1, losing: second % 2 == 0 ? 8 : 11) == [nil]
            if isOver != before { changes += 1 }
            before = isOver
        }
        #expect(changes == 0 && !before)
    }

    @Test("a figure that changes by less than a third is not told anew, and one of nearly nothing says so")
    func figure() throws {
        var stream = Self.steady()
        stream.pass(10, losing: 16)
        var told: Set<String> = []
        for losing in 17...20 { for loss in stream.pass(10, losing: losing) { told.insert(loss?.description ?? "") } }
        #expect(told.count <= 3, "\(told)")
        stream.rate = 10_000
        stream.pass(11, losing: 30)
        #expect(stream.watch.loss?.description == "less than 1 % of the stream was lost in the last 10 s")
    }

    @Test("a beginning, darkness, another count and a gap begin anew")
    func anew() {
        var stream = Stream()
        #expect(stream.pass(4, losing: 100).prefix(3).allSatisfy { $0 == nil }, "links find their pace")
        stream = Self.steady()
        stream.pass(5, losing: 66)
        stream.watch.forget()
        #expect(stream.watch.loss == nil)
        // What was lost in the dark is counted before anything comes again.
        stream.lost += 5000
        #expect(stream.pass(30).allSatisfy { $0 == nil })
        stream.pass(5, losing: 66)
        (stream.lost, stream.delivered) = (0, 0)
        #expect(stream.pass(1) == [nil])
        stream.pass(5, losing: 66)
        stream.second += 10
        #expect(stream.pass(1, losing: 66) == [nil])
        // Several reports of one second are one.
        stream = Self.steady()
        for lost in [5, 6, 7] {
            stream.watch.note(lost: lost, delivered: stream.delivered + 100, at: stream.second + 1)
            #expect(stream.watch.loss == nil)
        }
    }

    @Test("a warning comes at once and then once a minute, for as long as it lasts")
    func warnings() {
        var stream = Self.steady()
        var warned: [Int] = []
        for second in 0..<130 {
            stream.pass(1, losing: second < 125 ? 66 : 0)
            if stream.watch.warning(at: stream.second) != nil { warned.append(second) }
        }
        #expect(warned == [1, 61, 121])
        stream.pass(20)
        #expect(stream.watch.loss == nil && stream.watch.warning(at: stream.second + 100) == nil)
    }
}
