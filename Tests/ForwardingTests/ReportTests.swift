import BondWire
import RTP
import Testing

@testable import Forwarding

@Suite struct ReceptionTests {
    private var reception = Reception(rate: 8000)

    @Test("numbers are extended over the wrap, late and repeated packets are known (RFC 3550, A.1)")
    mutating func extended() throws {
        guard case .packet(let first) = reception.take(65_534, timestamp: 0, at: 0) else { return #expect(Bool(false)) }
        #expect(first & 0xffff == 65_534)
        #expect(reception.take(1, timestamp: 0, at: 0) == .packet(first + 3))
        #expect(reception.take(65_535, timestamp: 0, at: 0) == .packet(first + 1))
        #expect(reception.take(65_535, timestamp: 0, at: 0) == .duplicate)
        #expect(reception.take(1, timestamp: 0, at: 0) == .duplicate)
        #expect(reception.take(65_000, timestamp: 0, at: 0) == .packet(first - 534))
        #expect(reception.newest == first + 3)
        #expect(reception.block(at: 0)?.extendedHighest == 65_537)
    }

    @Test("one packet from far away is a stray, two in a row are a new beginning, behind all numbers that were")
    mutating func restart() {
        guard case .packet(let first) = reception.take(100, timestamp: 0, at: 0) else { return #expect(Bool(false)) }
        #expect(reception.take(40_000, timestamp: 0, at: 0) == .stray)
        #expect(reception.take(101, timestamp: 0, at: 0) == .packet(first + 1))
        #expect(reception.take(40_001, timestamp: 0, at: 0) == .stray)
        guard case .restart(let next) = reception.take(40_002, timestamp: 0, at: 0) else { return #expect(Bool(false)) }
        #expect(next & 0xffff == 40_002 && next > first + 65_536)
        #expect(reception.take(40_003, timestamp: 0, at: 0) == .packet(next + 1))
    }

    @Test("what comes as a retransmission fills its gap, and the network's loss stays")
    mutating func repeats() throws {
        _ = reception.take(10, timestamp: 0, at: 0)
        guard case .packet(let newest) = reception.take(13, timestamp: 0, at: 0) else { return #expect(Bool(false)) }
        #expect(reception.takeRepeated(11) == .packet(newest - 2))
        #expect(reception.takeRepeated(11) == .duplicate)
        #expect(reception.takeRepeated(14) == .stray)
        let block = try must(reception.block(at: 0))
        #expect(block.cumulativeLost == 2 && block.fractionLost == 128)
    }

    @Test("retransmissions that come far too late begin nothing anew, however many come in a row")
    mutating func late() {
        for sequence in 0..<2000 as Range<UInt16> { _ = reception.take(sequence, timestamp: 0, at: 0) }
        guard case .packet(let newest) = reception.take(2000, timestamp: 0, at: 0) else { return #expect(Bool(false)) }
        for sequence in 100..<110 as Range<UInt16> { #expect(reception.takeRepeated(sequence) == .stray) }
        #expect(reception.take(2001, timestamp: 0, at: 0) == .packet(newest + 1))
    }

    @Test("loss is told since the last block and in all; more packets than expected are a loss below zero (A.3)")
    mutating func loss() throws {
        for sequence in [0, 1, 3, 4] as [UInt16] { _ = reception.take(sequence, timestamp: 0, at: 0) }
        var block = try must(reception.block(at: 0))
        #expect(block.fractionLost == 51 && block.cumulativeLost == 1)
        for sequence in 5..<15 as Range<UInt16> { _ = reception.take(sequence, timestamp: 0, at: 0) }
        block = try must(reception.block(at: 0))
        #expect(block.fractionLost == 0 && block.cumulativeLost == 1)
        for sequence in [65_535, 65_534, 65_533] as [UInt16] { _ = reception.take(sequence, timestamp: 0, at: 0) }
        #expect(reception.block(at: 0)?.cumulativeLost == -2)
        var none = Reception(rate: 8000)
        #expect(none.block(at: 0) == nil)
    }

    @Test("jitter is the smoothed difference of the ways that packets took, in ticks (A.8)")
    mutating func jitter() throws {
        // Every second packet 10 ms late: 80 ticks of difference each time.
        for index in 0..<200 as Range<Int64> {
            let at = index * 20 * ms + (index & 1) * 10 * ms + 3_600 * second
            _ = reception.take(UInt16(index), timestamp: UInt32(truncatingIfNeeded: index * 160 - 8000), at: at)
        }
        let jitter = try must(reception.block(at: 0)).jitter
        #expect((78...80).contains(jitter))
        var even = Reception(rate: 8000)
        for index in 0..<200 as Range<Int64> { _ = even.take(UInt16(index), timestamp: UInt32(index * 160), at: index * 20 * ms) }
        #expect(even.block(at: 0)?.jitter == 0)
    }

    @Test("the last report's time comes back with the delay since then (RFC 3550, 6.4.1)")
    mutating func lastReport() throws {
        _ = reception.take(0, timestamp: 0, at: 0)
        #expect(reception.block(at: second)?.lastReport == 0)
        reception.takeReport(NTPTime(0x1234_5678_9abc_def0), at: second)
        let block = try must(reception.block(at: 6250 * ms))
        #expect(block.lastReport == 0x5678_9abc && block.delaySinceLastReport == 0x0005_4000)
    }
}

@Suite struct SendingTests {
    private let wall = NTPTime(3_900_000_000 << 32)

    @Test("a sender report ties the track's timestamps to the publisher's wall clock, through a switch of layers too")
    func mapping() throws {
        var publisher = PublisherClock()
        var clocks = [SourceClock](repeating: SourceClock(rate: 90_000), count: 2)
        // 30 ms under way.
        publisher.take(wall, at: 30 * ms)
        clocks[0].take(ntp: wall, timestamp: 500_000)
        clocks[1].take(ntp: wall, timestamp: 7)
        var track = TrackRewriter(.vp8, firstSequence: 0, firstTimestamp: 1000)
        var sending = Sending(rate: 90_000)
        #expect(sending.report(track, publisher: publisher, source: clocks[0], at: 0) == nil)
        track.select(LayerTarget(layer: 0))
        let key = PictureMark(number: 1, isKey: true)
        _ = track.take(SourcePacket(layer: 0, number: 1, timestamp: 500_000, marker: true, mark: key), clocks: clocks, at: 30 * ms)
        sending.sent(payload: 1200)
        sending.sent(payload: 300)
        var report = try must(sending.report(track, publisher: publisher, source: clocks[0], at: 1030 * ms))
        #expect(report == Sending.Report(ntp: wall.adding(second), timestamp: 91_000, packets: 2, bytes: 1500))
        track.select(LayerTarget(layer: 1))
        _ = track.take(SourcePacket(layer: 1, number: 9, timestamp: 7 + 45_000, marker: true, mark: key), clocks: clocks, at: 600 * ms)
        report = try must(sending.report(track, publisher: publisher, source: clocks[1], at: 2030 * ms))
        #expect(report.ntp == wall.adding(2 * second) && report.timestamp == 181_000)
        // Without any report of the publisher the line goes on by the time since the newest packet.
        report = try must(sending.report(track, publisher: PublisherClock(), source: nil, at: 1600 * ms))
        #expect(report.timestamp == 46_000 + 90_000)
    }

    @Test("the round trip is what a report of ours took, less what it waited; what repeats none of ours is nothing (6.4.1)")
    func roundTrip() throws {
        var track = TrackRewriter(.opus, firstSequence: 0, firstTimestamp: 0)
        track.select(LayerTarget(layer: 0))
        _ = track.take(SourcePacket(layer: 0, number: 1, timestamp: 0, marker: false, mark: .sound), clocks: [], at: 0)
        var sending = Sending(rate: 48_000)
        sending.sent(payload: 10)
        let report = try must(sending.report(track, publisher: PublisherClock(), source: nil, at: second))
        sending.take(fractionLost: 5, lastReport: report.ntp.middle &+ 1, delay: 0, at: 2 * second)
        sending.take(fractionLost: 5, lastReport: 0, delay: 0, at: 2 * second)
        // It waited longer than the report is old.
        sending.take(fractionLost: 5, lastReport: report.ntp.middle, delay: 70_000, at: 2 * second)
        #expect(sending.roundTrip == nil && sending.fractionLost == 5)
        sending.take(fractionLost: 26, lastReport: report.ntp.middle, delay: 0x8000, at: 1620 * ms)
        #expect(sending.roundTrip == 120 * ms && sending.fractionLost == 26)
        sending.take(fractionLost: 0, lastReport: report.ntp.middle, delay: 0, at: 1200 * ms)
        #expect(sending.roundTrip == 130 * ms)
    }

    @Test("a publisher's clock is that of its fastest report, follows its drift, and is taken anew when it was set")
    func publisherClock() throws {
        var clock = PublisherClock()
        #expect(clock.time(at: 0) == nil)
        clock.take(NTPTime(0), at: 0)
        #expect(clock.time(at: 0) == nil, "whoever has no wall clock tells 0")
        for index in 0..<20 as Range<Int64> { clock.take(wall.adding(index * second), at: index * second + (index % 5 + 2) * 10 * ms) }
        let told = try must(clock.time(at: 20 * second)).microseconds(since: wall)
        #expect((20 * second - 21 * ms...20 * second - 19 * ms).contains(told))
        clock.take(wall.adding(-3600 * second), at: 21 * second)
        #expect(clock.time(at: 21 * second)?.microseconds(since: wall) == -3600 * second)
    }

    @Test("times of the wall clock are added and taken apart to the microsecond, over the wrap of 2036")
    func arithmetic() {
        let late = NTPTime(.max - 5)
        for difference in [0, 1, -1, 999_999, -999_999, 1_000_001, -3_600_000_001, 86_400_000_000] as [Microseconds] {
            let told = late.adding(difference).microseconds(since: late)
            #expect((difference - 1...difference).contains(told), "\(difference): \(told)")
        }
    }
}
