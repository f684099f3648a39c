import BondWire
import Testing

@testable import RISTFlow

private let ms: Microseconds = 1000
private let second: Microseconds = 1_000_000

/// xorshift64*, so that a run can be repeated.
private struct Dice: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return state &* 2_685_821_657_736_338_717
    }
}

/// A flow of a packet each 10 ms: number n has source time `start` + n * 10 ms of the sender's clock; its payload is its number.
private struct Flow {
    var first: UInt16 = 0
    var start: Microseconds = 0

    func packet(_ number: Int, again: Bool = false) -> RTPPacket {
        RTPPacket(
            sequence: first &+ UInt16(truncatingIfNeeded: number), timestamp: SourceTime.timestamp(start + Microseconds(number) * 10 * ms),
            source: again ? 0x1235 : 0x1234, payload: [UInt8(truncatingIfNeeded: number >> 8), UInt8(truncatingIfNeeded: number)])
    }
}

private func numbers(_ payloads: [[UInt8]]) -> [Int] { payloads.map { Int($0[0]) << 8 | Int($0[1]) } }

/// A receiver of such a flow with one clock for both ends and 400 ms of latency.
private func makeReceiver(_ offset: Microseconds = 400_000) -> FlowReceiver {
    var receiver = FlowReceiver(
        latency: 400 * ms, repair: FlowReceiver.Repair(reportInterval: 20 * ms, skew: 20 * ms, roundTrip: 60 * ms))
    receiver.setPlayout(offset)
    return receiver
}

@Suite struct FlowReceiverTests {
    @Test("packets come out in order, each at its source time plus the offset, whatever way they came")
    func constantLatency() {
        for seed in 1...20 {
            var dice = Dice(state: UInt64(seed) &* 0x9e37_79b9_7f4a_7c15)
            let flow = Flow(first: 65000, start: 77 * second)
            var receiver = makeReceiver()
            var underWay = (0..<2000).map { number in
                (at: flow.start + Microseconds(number) * 10 * ms + Microseconds.random(in: 5...390, using: &dice) * ms, number: number)
            }
            underWay += underWay.filter { _ in Int.random(in: 0..<10, using: &dice) == 0 }.map { ($0.at + 15 * ms, $0.number) }
            underWay.sort { $0.at < $1.at }
            var (index, out) = (0, [Int]())
            for now in stride(from: flow.start, to: flow.start + 21 * second, by: 1000) {
                while index < underWay.count, underWay[index].at <= now {
                    receiver.take(flow.packet(underWay[index].number), at: underWay[index].at)
                    index += 1
                }
                for number in numbers(receiver.release(until: now)) {
                    let due = flow.start + Microseconds(number) * 10 * ms + 400 * ms
                    #expect((0...1012).contains(now - due), "packet \(number)")
                    out.append(number)
                }
            }
            #expect(out == Array(0..<2000))
            #expect(receiver.counters.delivered == 2000 && receiver.counters.lost == 0 && receiver.heldBytes == 0)
            #expect(receiver.counters.duplicates == UInt64(underWay.count - 2000))
        }
    }

    @Test(
        "the next release is when the first held packet is due, whatever the clocks of the two ends",
        arguments: [-5_000_000_000, 0, 1 << 50])
    func clocks(_ theta: Microseconds) throws {
        let flow = Flow(start: 123_456_789)
        var receiver = makeReceiver(theta + 400 * ms)
        let arrival = flow.start + theta + 30 * ms
        receiver.take(flow.packet(0), at: arrival)
        let due = try #require(receiver.nextRelease(at: arrival))
        #expect(abs(due - (arrival + 370 * ms)) <= 12)
        #expect(receiver.release(until: due - 1).isEmpty)
        #expect(receiver.release(until: due + 12).count == 1)
        #expect(receiver.nextRelease(at: due) == nil)
    }

    @Test("what is missing when the packet behind it is due is lost; what comes then is late, what comes twice a duplicate")
    func lost() {
        let flow = Flow()
        var receiver = makeReceiver()
        for number in [0, 1, 5] { receiver.take(flow.packet(number), at: Microseconds(number) * 10 * ms) }
        #expect(numbers(receiver.release(until: 449 * ms)) == [0, 1])
        #expect(receiver.counters.lost == 0)
        #expect(numbers(receiver.release(until: 451 * ms)) == [5])
        #expect(receiver.counters.lost == 3)
        receiver.take(flow.packet(3), at: 452 * ms)
        receiver.take(flow.packet(5), at: 452 * ms)
        #expect(receiver.counters.late == 1 && receiver.counters.duplicates == 1 && receiver.counters.delivered == 3)
    }

    @Test("a packet whose own time is over is not let out, though the one behind it still waits")
    func strict() {
        let flow = Flow()
        var receiver = makeReceiver()
        for number in [0, 40] { receiver.take(flow.packet(number), at: Microseconds(number) * 10 * ms) }
        _ = receiver.release(until: 400 * ms)
        receiver.take(flow.packet(1), at: 421 * ms)
        receiver.take(flow.packet(2), at: 421 * ms)
        #expect(receiver.counters.late == 1, "10 ms are forgiven: the reader may be late itself")
        #expect(numbers(receiver.release(until: 900 * ms)) == [2, 40])
        #expect(receiver.counters.lost == 38)
    }

    @Test("a retransmission that fills a hole is recovered, and shows by its odd source only")
    func recovered() {
        let flow = Flow()
        var receiver = makeReceiver()
        for number in [0, 2] { receiver.take(flow.packet(number), at: Microseconds(number) * 10 * ms) }
        receiver.take(flow.packet(1, again: true), at: 100 * ms)
        receiver.take(flow.packet(2, again: true), at: 100 * ms)
        #expect(numbers(receiver.release(until: second)) == [0, 1, 2])
        #expect(receiver.counters.recovered == 1 && receiver.counters.duplicates == 1 && receiver.counters.lost == 0)
    }

    @Test("packets before the first that came are taken while nothing was let out")
    func start() {
        let flow = Flow(first: 3)
        var receiver = makeReceiver()
        for number in [6, 2, 4, 0, 5] { receiver.take(flow.packet(number), at: 70 * ms) }
        #expect(numbers(receiver.release(until: second)) == [0, 2, 4, 5, 6])
        #expect(receiver.counters.lost == 2)
    }

    @Test("sequence numbers and timestamps run over their wraps")
    func wraps() {
        // The 90 kHz clock of 32 bits wraps after 47,721.858844 s.
        let flow = Flow(first: 0xfff0, start: 47_721_000_000)
        var receiver = makeReceiver()
        var out: [Int] = []
        for number in 0..<70_000 {
            let now = flow.start + Microseconds(number) * 10 * ms
            if number % 1000 != 7 { receiver.take(flow.packet(number), at: now) }
            out += numbers(receiver.release(until: now))
        }
        #expect(out.count + 40 >= 69_930 && receiver.counters.lost == 70 && receiver.counters.restarts == 0)
    }

    @Test("without the sender's word the first packet counts as one that took no time")
    func withoutStatus() throws {
        var receiver = FlowReceiver(latency: second)
        receiver.take(Flow(start: 99 * second).packet(0), at: 5 * second)
        #expect(abs(try #require(receiver.nextRelease(at: 5 * second)) - 6 * second) <= 12)
        receiver.setPlayout(-94_050 * ms + second)
        #expect(abs(try #require(receiver.nextRelease(at: 5 * second)) - 5950 * ms) <= 12)
    }

    @Test(
        "an offset that lies holds nothing for longer than the latency can mean", arguments: [3600 * second, 1 << 55, .max, .min, -1 << 55])
    func lyingOffset(_ lie: Microseconds) throws {
        let flow = Flow(start: 10 * second)
        var receiver = makeReceiver()
        receiver.setPlayout(lie)
        for number in 0..<10 { receiver.take(flow.packet(number), at: flow.start + Microseconds(number) * 10 * ms) }
        receiver.setPlayout(lie)
        #expect(receiver.release(until: flow.start + second).count + Int(receiver.counters.late) >= 9)
        #expect(receiver.heldBytes <= 2)
    }

    @Test(
        "after thirty dark seconds the order begins anew at once, however many numbers went by",
        arguments: [100, 30_000, 40_000, 65_536 + 5])
    func dark(_ gap: Int) {
        var receiver = makeReceiver()
        let before = Flow()
        for number in 0..<10 { receiver.take(before.packet(number), at: Microseconds(number) * 10 * ms) }
        let after = Flow(first: UInt16(truncatingIfNeeded: 10 + gap), start: 30 * second)
        for number in 0..<10 { receiver.take(after.packet(number), at: after.start + Microseconds(number) * 10 * ms) }
        #expect(numbers(receiver.release(until: after.start + second)) == Array(0..<10) + Array(0..<10))
        #expect(receiver.counters.restarts == 1 && receiver.counters.delivered == 20)
        #expect(receiver.counters.lost == UInt64(gap & 0xffff))
    }

    @Test("a jump of the numbers, or of the time backwards, begins anew when 32 packets in a row say so, and is counted")
    func jumps() {
        for (first, start) in [(20_000, 50 * ms), (40_000, 50 * ms), (5, -100 * second)] as [(UInt16, Microseconds)] {
            var receiver = FlowReceiver(latency: 400 * ms)
            for number in 0..<5 { receiver.take(Flow().packet(number), at: Microseconds(number) * 10 * ms) }
            let flow = Flow(first: first, start: start)
            for number in 0..<40 { receiver.take(flow.packet(number), at: 50 * ms + Microseconds(number) * 10 * ms) }
            #expect(receiver.counters.restarts == 1 && receiver.counters.strays == 31, "\(first) \(start)")
            #expect(numbers(receiver.release(until: 2 * second)) == Array(0..<5) + Array(31..<40))
        }
    }

    @Test("packets that a full queue held for thirty seconds are late, and disturb nothing")
    func bloated() {
        let flow = Flow()
        var receiver = makeReceiver()
        var out: [Int] = []
        for number in 0..<6000 {
            let now = Microseconds(number) * 10 * ms
            receiver.take(flow.packet(number), at: now)
            if number >= 3000 { receiver.take(flow.packet(number - 3000), at: now) }
            out += numbers(receiver.release(until: now))
        }
        #expect(out == Array(0..<5960) && receiver.counters.restarts == 0)
    }

    @Test("packets of another flow are strays")
    func otherFlow() {
        var receiver = makeReceiver()
        receiver.take(Flow().packet(0), at: 0)
        receiver.take(RTPPacket(sequence: 1, timestamp: 0, source: 0x9998, payload: [0]), at: 0)
        #expect(receiver.counters.strays == 1 && receiver.heldBytes == 2)
    }

    @Test("what is held is bounded in numbers and in bytes")
    func bounds() {
        var receiver = FlowReceiver(latency: 10 * second)
        for number in 0..<30_000 {
            receiver.take(
                RTPPacket(
                    sequence: UInt16(truncatingIfNeeded: number), timestamp: UInt32(number), source: 2,
                    payload: [UInt8](repeating: 0, count: 4000)), at: 0)
            #expect(receiver.heldBytes <= receiver.byteLimit)
        }
        #expect(receiver.counters.overflowed > 0)
    }

    /// Numbered packets of a size, so many a second, each 20 ms on its way; out as they were let out.
    private func run(_ receiver: inout FlowReceiver, rate: Int, bytes: Int, seconds: Int, again: Int? = nil) -> (out: Int, mistimed: Int) {
        let latency = 10 * second
        receiver.setPlayout(latency)
        var (out, mistimed, last) = (0, 0, -1)
        func packet(_ number: Int) -> RTPPacket {
            let at = Microseconds(number) * second / Microseconds(rate)
            var payload = [UInt8](repeating: 0, count: bytes)
            for byte in 0..<4 { payload[byte] = UInt8(truncatingIfNeeded: number >> (8 * byte)) }
            return RTPPacket(
                sequence: UInt16(truncatingIfNeeded: number), timestamp: SourceTime.timestamp(at), source: 2, payload: payload)
        }
        for number in 0..<(seconds + 11) * rate {
            let now = Microseconds(number) * second / Microseconds(rate) + 20 * ms
            let isMissing = again.map { _ in number % 1000 == 999 } ?? false
            if number < seconds * rate, !isMissing { receiver.take(packet(number), at: now) }
            if let again, number - again >= 0, number - again < seconds * rate, (number - again) % 1000 == 999 {
                receiver.take(packet(number - again), at: now)
            }
            for payload in receiver.release(until: now) {
                let number = (0..<4).reduce(0) { $0 | Int(payload[$1]) << (8 * $1) }
                let due = Microseconds(number) * second / Microseconds(rate) + latency
                if number <= last || !(-20...2 * ms).contains(now - due) { mistimed += 1 }
                last = number
                out += 1
            }
        }
        return (out, mistimed)
    }

    @Test("30 Mbit/s in packets of five are held for ten seconds, and one that comes again after nine fills its hole")
    func longLatency() {
        var receiver = FlowReceiver(latency: 10 * second)
        let (out, mistimed) = run(&receiver, rate: 3_990, bytes: 940, seconds: 15, again: 9 * 3_990)
        #expect(out == 15 * 3_990 && mistimed == 0)
        let counters = receiver.counters
        #expect(counters.lost == 0 && counters.overflowed == 0 && counters.strays == 0 && counters.restarts == 0, "\(counters)")
    }

    @Test(
        "what does not fit is counted, by numbers and by bytes, and what does comes out at its time",
        arguments: [(10_000, 4), (600, 9_000)])
    func tooMuch(_ rate: Int, _ bytes: Int) {
        var receiver = FlowReceiver(latency: 10 * second)
        let (out, mistimed) = run(&receiver, rate: rate, bytes: bytes, seconds: 25)
        let counters = receiver.counters
        #expect(mistimed == 0 && counters.restarts == 0 && counters.strays == 0, "\(counters)")
        #expect(counters.overflowed > 0 && out + Int(counters.overflowed) == 25 * rate, "\(counters)")
        #expect(out > 15 * rate / 2, "\(out)")
    }

    @Test("anything at all is survived: nothing traps, and what goes in is delivered, refused or held")
    func anything() {
        for seed in 1...40 {
            var dice = Dice(state: UInt64(seed) &* 0x9e37_79b9_7f4a_7c15)
            var receiver = FlowReceiver(latency: 500 * ms)
            var (taken, out, now): (UInt64, UInt64, Microseconds) = (0, 0, 0)
            var (sequence, timestamp): (UInt16, UInt32) = (0, 0)
            for _ in 0..<3000 {
                switch Int.random(in: 0..<100, using: &dice) {
                case 0: sequence = .random(in: 0 ... .max, using: &dice)
                case 1: timestamp = .random(in: 0 ... .max, using: &dice)
                case 2: receiver.setPlayout(.random(in: .min ... .max, using: &dice))
                case 3: now += .random(in: 0...60, using: &dice) * second
                default:
                    sequence &+= UInt16(truncatingIfNeeded: Int.random(in: -2...3, using: &dice))
                    timestamp &+= UInt32(truncatingIfNeeded: Int.random(in: -900...1800, using: &dice))
                    now += .random(in: 0...10, using: &dice) * ms
                }
                taken += 1
                receiver.take(RTPPacket(sequence: sequence, timestamp: timestamp, source: 2, payload: [1]), at: now)
                out += UInt64(receiver.release(until: now).count)
                _ = receiver.nacks(at: now)
            }
            let counters = receiver.counters
            // What a restart puts out has been counted as delivered and may not have been released.
            #expect(
                counters.delivered + counters.duplicates + counters.late + counters.strays + counters.overflowed
                    + UInt64(receiver.heldBytes) == taken)
            #expect(counters.delivered >= out)
        }
    }
}

@Suite struct RepairTests {
    /// Packets 0 to 19 but 3, 4 and 9, each as it is made.
    private func holed() -> FlowReceiver {
        var receiver = makeReceiver()
        for number in 0..<20 where ![3, 4, 9].contains(number) {
            receiver.take(Flow().packet(number), at: Microseconds(number) * 10 * ms)
        }
        return receiver
    }

    @Test("a hole is asked for after one and a half report intervals and the skew, and then once in a round trip")
    func spacing() {
        var receiver = makeReceiver()
        let missing = [3, 4]
        var asked: [Microseconds] = []
        for now in stride(from: 0, to: 300 * ms, by: 1000) {
            let number = Int(now / (10 * ms))
            if now % (10 * ms) == 0, !missing.contains(number) { receiver.take(Flow().packet(number), at: now) }
            let ranges = receiver.nacks(at: now)
            if ranges == [SequenceRange(first: 3, more: 1)] { asked.append(now / ms) } else { #expect(ranges.isEmpty) }
        }
        // Noticed at 50 ms; the wait is 30 + 20, the round trip 60.
        #expect(asked == [100, 160, 220, 280])
    }

    @Test("a hole is not asked for when the answer would come too late")
    func deadline() {
        var receiver = holed()
        #expect(receiver.nacks(at: 389 * ms) == [SequenceRange(first: 3, more: 1), SequenceRange(first: 9)])
        receiver = holed()
        #expect(receiver.nacks(at: 391 * ms) == [SequenceRange(first: 9)])
        #expect(receiver.nacks(at: 460 * ms).isEmpty)
    }

    @Test("what has come is not asked for again, and the rest of its hole is")
    func filled() {
        var receiver = holed()
        receiver.take(Flow().packet(4), at: 200 * ms)
        #expect(receiver.nacks(at: 250 * ms) == [SequenceRange(first: 3), SequenceRange(first: 9)])
        receiver.take(Flow().packet(3), at: 260 * ms)
        receiver.take(Flow().packet(9), at: 260 * ms)
        #expect(receiver.nacks(at: 320 * ms).isEmpty)
    }

    @Test("one answer asks for two hundred holes at most, over the wrap too")
    func limit() {
        let flow = Flow(first: 65500)
        var receiver = FlowReceiver(latency: 20 * second)
        for number in stride(from: 0, to: 1000, by: 2) { receiver.take(flow.packet(number), at: Microseconds(number) * 10 * ms) }
        let first = receiver.nacks(at: 10 * second)
        #expect(first.count == 200 && first[0] == SequenceRange(first: 65501) && first[199] == SequenceRange(first: 363))
        #expect(receiver.nacks(at: 10 * second).first == SequenceRange(first: 365))
    }

    @Test(
        "a range means packets up to the newest, or none",
        arguments: [
            (5, 0, 5, 5...5), (65535, 0, 0x1_0000, 0xffff...0xffff), (65530, 20, 0x1_0005, 0xfffa...0x1_0005),
            (6, 0xffff, 0x1_0005, 6...0x1_0005),
        ] as [(UInt16, UInt16, UInt64, ClosedRange<UInt64>)])
    func packets(_ first: UInt16, _ more: UInt16, _ newest: UInt64, _ meant: ClosedRange<UInt64>) {
        #expect(SequenceRange(first: first, more: more).packets(newest: newest) == meant)
        #expect(SequenceRange(first: 9).packets(newest: 5) == nil)
    }
}

@Suite struct HoleListTests {
    @Test("it holds what a set of the missing numbers holds")
    func model() {
        for seed in 1...50 {
            var dice = Dice(state: UInt64(seed) &* 0x9e37_79b9_7f4a_7c15)
            var (list, missing, end, floor) = (HoleList(), Set<Int>(), 100, 0)
            for _ in 0..<400 {
                switch Int.random(in: 0..<4, using: &dice) {
                case 0:
                    let count = Int.random(in: 0...6, using: &dice)
                    list.append(end..<end + count, at: 0)
                    missing.formUnion(end..<end + count)
                    end += count + 1
                case 1:
                    floor = min(end, floor + Int.random(in: 0...3, using: &dice))
                    list.forget(before: floor)
                    missing = missing.filter { $0 >= floor }
                default:
                    let number = Int.random(in: floor...end, using: &dice)
                    list.fill(number)
                    missing.remove(number)
                }
                #expect(list.holes.flatMap { Array($0.packets) } == missing.sorted())
            }
        }
    }
}

@Suite struct SourceTimeTests {
    @Test(
        "a timestamp is the source time in ticks of 90 kHz",
        arguments: [
            (0, 0), (1_000_000, 90_000), (11, 0), (12, 1), (-1, .max), (47_721_858_845, 0), (.max, 0x51eb_851e), (.min, 0xae14_7ae1),
        ] as [(Microseconds, UInt32)])
    func timestamp(_ time: Microseconds, _ ticks: UInt32) { #expect(SourceTime.timestamp(time) == ticks) }
}
