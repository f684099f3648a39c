import BondWire
import RTP
import Testing

@testable import Synchrony

/// Tracks of a take lie to each other as they were taken, whatever clocks and ways do.
@Suite struct SurveyTests {
    private static func track(
        _ publisher: String, _ number: UInt32, rate: Int64, drift: Double, wall: Double, base: UInt32 = 0xffff_0000
    ) -> Performer {
        Performer(
            Survey.Source(publisher: publisher, number: number), rate: rate, clock: Crystal(drift: drift),
            wall: Crystal(drift: wall, start: 3_900_000_000_000_000), base: base)
    }

    /// Sound and picture of one publisher whose three crystals go apart.
    private static var pair: [Performer] {
        [track("a", 1, rate: 48_000, drift: 80, wall: -40), track("a", 2, rate: 90_000, drift: -70, wall: -40)]
    }

    /// The worst that two tracks are apart at moments of the same time.
    private static func apart(
        _ left: [(taken: Microseconds, late: Microseconds)], _ right: [(taken: Microseconds, late: Microseconds)],
        _ range: Range<Microseconds>
    ) -> Microseconds {
        var worst: Microseconds = 0
        for (one, other) in zip(left, right) where range.contains(one.taken) && one.taken == other.taken {
            worst = max(worst, abs(one.late - other.late))
        }
        return worst
    }

    @Test("two hours, four crystals: tracks are within 20 ms of each other at the start, and within 40 ms at the end")
    func twoHours() {
        let length = 7200 * second
        var studio = Studio(
            Self.pair + [
                Self.track("b", 1, rate: 48_000, drift: -95, wall: 60, base: 5), Self.track("b", 2, rate: 90_000, drift: 30, wall: 60),
            ])
        studio.performers[0].reportEvery = 5 * second
        studio.record(length, every: 60 * ms, seed: 1)
        var late: [[(taken: Microseconds, late: Microseconds)]] = []
        for index in studio.performers.indices { late.append(studio.lateness(of: index)) }
        for other in 1..<late.count {
            let start = Self.apart(late[0], late[other], 0..<60 * second)
            let end = Self.apart(late[0], late[other], length - 60 * second..<length)
            let between = Self.apart(late[0], late[other], 0..<length)
            #expect(start <= 20 * ms && end <= 40 * ms && between <= 40 * ms, "track \(other): \(start), \(end), \(between) us")
        }
        // Of what is placed all is as late as the fastest way was, or a little more.
        #expect(late.joined().allSatisfy { 0...60 * ms ~= $0.late })
    }

    @Test("sound that comes a third of a second later than its picture is in step with it all the same")
    func slowSound() {
        var studio = Studio(Self.pair)
        studio.performers[0].delay = (350 * ms, 5000)
        studio.record(600 * second, every: 40 * ms, seed: 2)
        let (sound, picture) = (studio.lateness(of: 0), studio.lateness(of: 1))
        #expect(Self.apart(sound, picture, 0..<600 * second) <= 20 * ms)
    }

    @Test("without a report its packets' arrival places a track")
    func withoutReports() {
        var studio = Studio(Self.pair)
        studio.performers[1].reportEvery = nil
        studio.record(900 * second, every: 40 * ms, seed: 3)
        #expect(studio.timelines[studio.performers[1].source]?.reported == 0)
        let (sound, picture) = (studio.lateness(of: 0), studio.lateness(of: 1))
        #expect(Self.apart(sound, picture, 0..<900 * second) <= 40 * ms)
    }

    @Test("reports that cannot be are not followed")
    func nonsense() {
        var studio = Studio(Self.pair)
        // By its reports its pictures are of tomorrow, on the wall clock of its sound.
        studio.performers[1].wall.start += 86_400_000_000
        studio.record(300 * second, every: 40 * ms, seed: 4)
        let (sound, picture) = (studio.lateness(of: 0), studio.lateness(of: 1))
        #expect(Self.apart(sound, picture, 0..<300 * second) <= 40 * ms)
    }

    @Test(
        "a publisher whose wall clock is set, forth or back, stays where it was", arguments: [3_600 * second, -3_600 * second, 2 * second])
    func wallClock(by: Microseconds) {
        var studio = Studio(Self.pair)
        for index in 0...1 { studio.performers[index].wasSet = (at: 200 * second + 17 * ms, by: by) }
        studio.record(400 * second, every: 40 * ms, seed: 5)
        let (sound, picture) = (studio.lateness(of: 0), studio.lateness(of: 1))
        #expect(Self.apart(sound, picture, 0..<400 * second) <= 40 * ms)
        #expect((sound + picture).allSatisfy { 0...80 * ms ~= $0.late })
    }

    @Test("who was muted for a while is placed where it goes on, whether its timestamps stood meanwhile or not", arguments: [true, false])
    func muted(keepsCounting: Bool) {
        for pause in [3 * second, 45 * second, 3600 * second] {
            var studio = Studio(Self.pair)
            studio.performers[0].pauses = [(from: 100 * second, to: 100 * second + pause, keepsCounting: keepsCounting)]
            studio.record(pause + 260 * second, every: 60 * ms, seed: 6)
            let sound = studio.lateness(of: 0)
            #expect(sound.allSatisfy { 0...80 * ms ~= $0.late }, "\(pause) us: \(sound.map { $0.late }.max() ?? 0)")
        }
    }

    @Test("numbers that begin elsewhere, as after another start of the same source, are another stretch of the same time")
    func restart() throws {
        var survey = Survey()
        let source = Survey.Source(publisher: "a", number: 1)
        var packets: [(timestamp: UInt32, at: Microseconds)] = []
        for index in 0..<1000 {
            let base: UInt32 = index < 500 ? 4_294_000_000 : 77
            packets.append((base &+ UInt32(index) &* 960, Microseconds(index) * 20 * ms))
        }
        for packet in packets { survey.take(packet.timestamp, of: source, rate: 48_000, at: packet.at) }
        var timeline = try #require(survey.timelines()[source])
        for packet in packets {
            let time = timeline.time(of: packet.timestamp, at: packet.at)
            #expect(abs(time - packet.at) <= 2)
        }
    }

    @Test("a way that stands for twelve seconds and then brings all of it moves nothing")
    func stall() throws {
        var survey = Survey()
        let source = Survey.Source(publisher: "a", number: 1)
        var packets: [(timestamp: UInt32, at: Microseconds, taken: Microseconds)] = []
        for index in 0..<4000 {
            let taken = Microseconds(index) * 20 * ms
            let at = 30 * second..<42 * second ~= taken ? 42 * second + Microseconds(index) : taken + 10 * ms
            packets.append((UInt32(index) &* 960, at, taken))
        }
        for packet in packets { survey.take(packet.timestamp, of: source, rate: 48_000, at: packet.at) }
        var timeline = try #require(survey.timelines()[source])
        for packet in packets {
            let late = timeline.time(of: packet.timestamp, at: packet.at) - packet.taken
            #expect(0...20 * ms ~= late, "taken at \(packet.taken) us: \(late) us")
        }
    }

    @Test("what nobody sends traps nothing")
    func hostile() {
        var dice = Dice(7)
        var survey = Survey()
        let source = Survey.Source(publisher: "a", number: 1)
        var packets: [(timestamp: UInt32, at: Microseconds)] = []
        for _ in 0..<5000 {
            let at = Microseconds(dice.next() >> (16 + UInt64.random(in: 0..<40, using: &dice)))
            let timestamp = UInt32(truncatingIfNeeded: dice.next())
            survey.take(timestamp, of: source, rate: 90_000, at: at)
            survey.take(NTPTime(dice.next()), timestamp: timestamp &+ 90, of: source, at: at)
            packets.append((timestamp, at))
        }
        var timeline = survey.timelines()[source]
        for packet in packets { _ = timeline?.time(of: packet.timestamp, at: packet.at) }
        #expect(timeline != nil)
    }
}

@Suite struct ClockMapTests {
    @Test("between two knots it goes straight, and beyond them as it did between")
    func straight() throws {
        let moments = (0..<300).map { index in
            ClockMap.Moment(from: Microseconds(index) * second, to: 1000 * second + Microseconds(index) * 1_000_100)
        }
        let map = try #require(ClockMap(middle: moments, of: 30 * second))
        for time in [0, 17 * second, 150 * second, 299 * second, 600 * second] {
            #expect(abs(map.time(time) - (1000 * second + time + time / 10_000)) <= 2 * ms)
        }
    }

    @Test("of moments that came too late the earliest count")
    func earliest() throws {
        var dice = Dice(9)
        let moments = (0..<6000).map { index in
            let from = Microseconds(index) * 20 * ms
            return ClockMap.Moment(from: from, to: from + 5 * ms + Microseconds(dice.unit() * dice.unit() * 400_000))
        }
        let map = try #require(ClockMap(earliest: moments, of: 30 * second))
        for time in stride(from: 0, to: 120 * second, by: 7_000_000) { #expect(0...10 * ms ~= map.time(time) - time) }
    }

    @Test("a single moment is a map too, and none is none")
    func few() {
        #expect(ClockMap(middle: [ClockMap.Moment(from: 10, to: 25)], of: second)?.time(1000) == 1015)
        #expect(ClockMap(earliest: [], of: second) == nil)
    }
}
