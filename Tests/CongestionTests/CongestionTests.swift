import BondWire
import Testing

@testable import Congestion

private let ms: Microseconds = 1000
private let second: Microseconds = 1_000_000

/// xorshift64*, so that a run can be repeated.
private struct Dice: RandomNumberGenerator {
    var state: UInt64

    init(_ seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 | 1 }

    mutating func next() -> UInt64 {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return state &* 2_685_821_657_736_338_717
    }
}

/// A receiver's end: what came is told from where the last feedback ended, as the draft has it.
private struct Receiver {
    struct Feedback {
        var base: UInt16
        var count: Int
        var reference: Int32
        var arrivals: [(sequence: UInt16, at: Microseconds)]
    }

    /// Its clock has nothing to do with the sender's, and its 24 bits of 64 ms wrap after two seconds.
    static let clock = Microseconds(1 << 23) * 64_000 - 2 * second

    private var arrivals: [Int64: Microseconds] = [:]
    private var next: Int64

    init(first: Int64) { next = first }

    mutating func take(_ number: Int64, at now: Microseconds) { arrivals[number] = Self.clock + now }

    mutating func feedback() -> Feedback? {
        guard let last = arrivals.keys.max(), let first = arrivals.keys.min() else { return nil }
        let base = min(first, next)
        let whole = (arrivals[first] ?? 0) / 64_000
        let wrapped = Int64(Int32(truncatingIfNeeded: whole << 8) >> 8)
        let times = arrivals.sorted { $0.key < $1.key }.map { arrival in
            (UInt16(truncatingIfNeeded: arrival.key), arrival.value / 250 * 250 - (whole - wrapped) * 64_000)
        }
        arrivals = [:]
        next = last + 1
        return Feedback(
            base: UInt16(truncatingIfNeeded: base), count: Int(last - base) + 1, reference: Int32(wrapped), arrivals: times)
    }
}

@Suite struct SentPacketsTests {
    @Test("what a feedback tells is the end of the packet that was sent, over wraps, losses and reordering", arguments: [UInt64(1), 2, 3])
    func told(seed: UInt64) throws {
        var dice = Dice(seed)
        var sent = SentPackets(first: 65_000)
        var receiver = Receiver(first: 65_000)
        var pending: [(number: Int64, at: Microseconds)] = []
        var truth: [Microseconds: Microseconds?] = [:]
        var told: [Microseconds: [Microseconds?]] = [:]
        for step in 0..<8000 as Range<Int64> {
            let now = step * 2 * ms
            #expect(sent.sent(bytes: 1000, at: now) == UInt16(truncatingIfNeeded: 65_000 + step))
            let isLost = Int.random(in: 0..<100, using: &dice) < 5
            let at = now + 30 * ms + Int64.random(in: 0...5 * ms, using: &dice)
            truth[now] = .some(isLost ? nil : at)
            if !isLost { pending.append((65_000 + step, at)) }
            for packet in pending where packet.at <= now { receiver.take(packet.number, at: packet.at) }
            pending.removeAll { $0.at <= now }
            guard step % 50 == 49, let feedback = receiver.feedback() else { continue }
            var results: [PacketResult] = []
            sent.take(
                base: feedback.base, count: feedback.count, reference: feedback.reference, arrivals: feedback.arrivals, into: &results)
            #expect(results.allSatisfy { $0.bytes == 1000 })
            for result in results { told[result.sentAt, default: []].append(result.arrivedAt) }
        }
        for (at, answers) in told {
            let here = answers.compactMap { $0 }
            #expect(here.count <= 1)
            guard let answer = here.first else { continue }
            let known = try #require(truth[at])
            let arrival = try #require(known, "told as here, and lost")
            #expect(abs(answer - Receiver.clock - arrival) <= 250)
        }
        let lost = truth.values.filter { $0 == nil }.count
        #expect(told.count > 7800 && lost > 200)
        #expect(told.values.filter { $0.allSatisfy { $0 == nil } }.count <= lost)
        #expect(sent.bytesInFlight < 100_000 && sent.bytesInFlight >= 0)
    }

    @Test("a feedback about what was never sent is nothing, and a packet's end is told once")
    func foreign() {
        var sent = SentPackets(first: 10)
        var results: [PacketResult] = []
        sent.take(base: 10, count: 65_535, reference: 0, arrivals: [(10, 0)], into: &results)
        #expect(results.isEmpty)
        _ = sent.sent(bytes: 1, at: 0)
        sent.take(base: 11, count: 1, reference: 0, arrivals: [(11, 0)], into: &results)
        #expect(results.isEmpty)
        sent.take(base: 10, count: 65_535, reference: -1, arrivals: [(10, 5), (11, 6)], into: &results)
        #expect(results == [PacketResult(sentAt: 0, arrivedAt: 5, bytes: 1, probe: 0)])
        sent.take(base: 10, count: 1, reference: -1, arrivals: [(10, 5)], into: &results)
        #expect(results.count == 1 && sent.bytesInFlight == 0)
    }
}

/// A link with a queue, a sender that is paced by the estimate, and a receiver that tells each 100 ms.
private struct Bottleneck {
    /// Bits per second.
    var capacity: Int64
    var loss = 0
    let delay: Microseconds = 50 * ms
    /// What the sender would send: the most there is, or an encoder's rate.
    var wanted: Int64 = 100_000_000
    var estimate = BandwidthEstimate(bitrate: 300_000)
    var worstQueue: Microseconds = 0
    private var pacer = Pacer(bitrate: 300_000)
    private var sent = SentPackets()
    private var arrived = Receiver(first: 0)
    private var numbered: Int64 = 0
    private var busyUntil: Microseconds = 0
    private var pending: [(number: Int64, at: Microseconds)] = []
    private var backwards: [(Receiver.Feedback, at: Microseconds)] = []
    private var owed: Int64 = 0
    private var dice = Dice(5)
    private(set) var now: Microseconds = 0

    init(capacity: Int64) { self.capacity = capacity }

    mutating func run(_ time: Microseconds) {
        let end = now + time
        worstQueue = 0
        while now < end {
            now += ms
            feed()
            send()
            receive()
        }
    }

    private mutating func feed() {
        for feedback in backwards where feedback.at <= now {
            var results: [PacketResult] = []
            let told = feedback.0
            sent.take(base: told.base, count: told.count, reference: told.reference, arrivals: told.arrivals, into: &results)
            estimate.take(results, roundTrip: 2 * delay, at: now)
        }
        backwards.removeAll { $0.at <= now }
        pacer.setBitrate(estimate.bitrate)
        if let probe = estimate.probe(for: wanted, at: now) { pacer.begin(probe) }
    }

    private mutating func send() {
        owed = min(owed + min(wanted, estimate.bitrate) / 1000, 40_000)
        while owed >= 9600, pacer.maySend(.picture, queued: Int(owed / 8), at: now) {
            owed -= 9600
            put(1200)
        }
        while pacer.paddingBytes > 0, pacer.maySend(.padding, queued: 0, at: now) { put(300) }
    }

    private mutating func put(_ bytes: Int) {
        _ = sent.sent(bytes: bytes, probe: pacer.currentProbe, at: now)
        let number = numbered
        numbered += 1
        pacer.sent(bytes: bytes, at: now)
        // 400 ms of queue, then it overflows.
        let begin = max(now, busyUntil)
        worstQueue = max(worstQueue, begin - now)
        guard begin - now < 400 * ms, Int.random(in: 0..<100, using: &dice) >= loss else { return }
        busyUntil = begin + Int64(bytes) * 8_000_000 / capacity
        pending.append((number, busyUntil + delay + Int64.random(in: 0...2 * ms, using: &dice)))
    }

    private mutating func receive() {
        for packet in pending where packet.at <= now { arrived.take(packet.number, at: packet.at) }
        pending.removeAll { $0.at <= now }
        if now % (100 * ms) == 0, let feedback = arrived.feedback() { backwards.append((feedback, now + delay)) }
    }
}

@Suite struct BandwidthEstimateTests {
    @Test("it finds what the link carries, gives way within 1.5 s when that falls, and is back within 10 s", arguments: [0, 2])
    func steps(loss: Int) {
        var link = Bottleneck(capacity: 3_000_000)
        link.loss = loss
        link.run(15 * second)
        #expect((2_250_000...3_600_000).contains(link.estimate.bitrate), "\(link.estimate.bitrate)")
        link.capacity = 500_000
        link.run(1500 * ms)
        #expect(link.estimate.bitrate < 600_000, "\(link.estimate.bitrate)")
        link.run(8500 * ms)
        #expect((300_000...600_000).contains(link.estimate.bitrate), "\(link.estimate.bitrate)")
        link.capacity = 2_000_000
        link.run(10 * second)
        #expect((1_500_000...2_400_000).contains(link.estimate.bitrate), "\(link.estimate.bitrate)")
        link.run(10 * second)
        #expect(link.worstQueue < 250 * ms, "\(link.worstQueue)")
    }

    @Test("loss of a fifth brings it down though no queue grows")
    func lossy() {
        var link = Bottleneck(capacity: 5_000_000)
        link.run(10 * second)
        let before = link.estimate.bitrate
        link.loss = 20
        link.run(5 * second)
        #expect(link.estimate.bitrate * 10 < before * 7)
        #expect((0.1...0.3).contains(link.estimate.fractionLost))
    }

    @Test("what is not sent proves nothing: the estimate stays near what arrives, and probes find more only where more is wanted")
    func limited() {
        var link = Bottleneck(capacity: 10_000_000)
        link.wanted = 200_000
        link.run(20 * second)
        #expect(link.estimate.bitrate < 600_000, "\(link.estimate.bitrate)")
        link.wanted = 2_000_000
        link.run(10 * second)
        #expect(link.estimate.bitrate > 1_600_000, "\(link.estimate.bitrate)")
    }
}

@Suite struct PacerTests {
    @Test("pictures go at two and a half times the estimate, sound at once, padding only for a probe")
    func kinds() {
        var pacer = Pacer(bitrate: 1_000_000)
        var times: [Microseconds] = []
        for now in stride(from: Microseconds(0), to: second, by: Int(ms)) {
            #expect(pacer.maySend(.sound, queued: 10_000, at: now) == true)
            #expect(pacer.maySend(.padding, queued: 0, at: now) == false)
            while pacer.maySend(.picture, queued: 10_000, at: now) {
                pacer.sent(bytes: 1250, at: now)
                times.append(now)
            }
        }
        #expect((250...253).contains(times.count))
        #expect(pacer.nextSend(at: second) > second - 5 * ms)
        pacer.begin(BandwidthEstimate.Probe(number: 7, bitrate: 5_000_000, bytes: 2000))
        #expect(pacer.currentProbe == 7)
        #expect(pacer.maySend(.padding, queued: 0, at: 2 * second) == true)
        pacer.sent(bytes: 1250, at: 2 * second)
        #expect(pacer.paddingBytes == 750)
        pacer.sent(bytes: 1250, at: 2 * second)
        #expect(pacer.paddingBytes == 0 && pacer.currentProbe == 0)
    }

    @Test("pictures that would wait for longer than half a second go faster")
    func impatient() {
        var pacer = Pacer(bitrate: 100_000)
        pacer.sent(bytes: 1250, at: 0)
        #expect(pacer.maySend(.picture, queued: 15_000, at: 0) == false)
        #expect(pacer.maySend(.picture, queued: 16_000, at: 0) == true)
    }
}
