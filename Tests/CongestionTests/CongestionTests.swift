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

@Suite struct TransportFeedbackTests {
    @Test(
        "what arrived is told and read again, with what was lost between, over wraps, losses and reordering", arguments: [UInt64(1), 2, 3])
    func roundTrip(seed: UInt64) throws {
        var dice = Dice(seed)
        var sent = SentPackets(first: 65_000)
        var arrived = ArrivedPackets()
        // The receiver's clock has nothing to do with ours, and its 24 bits of 64 ms wrap on the way.
        let clock = Microseconds(1 << 23) * 64_000 - 2 * second
        var pending: [(sequence: UInt16, at: Microseconds)] = []
        var truth: [Microseconds: Microseconds?] = [:]
        var told: [Microseconds: [Microseconds?]] = [:]
        for step in 0..<8000 as Range<Int64> {
            let now = step * 2 * ms
            let sequence = sent.sent(bytes: 1000, at: now)
            let isLost = Int.random(in: 0..<100, using: &dice) < 5
            let at = now + 30 * ms + Int64.random(in: 0...5 * ms, using: &dice)
            truth[now] = .some(isLost ? nil : at)
            if !isLost { pending.append((sequence, at)) }
            for packet in pending.filter({ $0.at <= now }).sorted(by: { $0.at < $1.at }) {
                arrived.take(packet.sequence, at: clock + packet.at)
            }
            pending.removeAll { $0.at <= now }
            guard step % 50 == 49, let feedback = arrived.feedback() else { continue }
            #expect(feedback.reference >= -(1 << 23) && feedback.reference < 1 << 23)
            var reading = try #require(sent.begin(base: feedback.base, reference: feedback.reference))
            for delta in feedback.deltas {
                guard let result = sent.next(&reading, delta: delta) else { continue }
                #expect(result.bytes == 1000)
                told[result.sentAt, default: []].append(result.arrivedAt)
            }
        }
        var offset: Microseconds?
        for (at, answers) in told {
            let truth = try #require(truth[at])
            #expect(answers.filter { $0 != nil }.count <= 1)
            guard let answer = answers.compactMap({ $0 }).first else { continue }
            let arrival = try #require(truth, "told as here, and lost")
            if offset == nil { offset = answer - arrival }
            // To 250 us, which the sum keeps.
            #expect(abs(answer - arrival - (offset ?? 0)) <= 500)
        }
        let lost = truth.filter { $0.value == nil }.count
        #expect(told.count > 7800 && lost > 200)
        #expect(told.values.filter { $0.allSatisfy { $0 == nil } }.count <= lost)
        #expect(sent.bytesInFlight < 100_000)
    }

    @Test("a feedback about what was never sent is nothing")
    func foreign() {
        var sent = SentPackets(first: 10)
        #expect(sent.begin(base: 10, reference: 0) == nil)
        _ = sent.sent(bytes: 1, at: 0)
        #expect(sent.begin(base: 11, reference: 0) == nil)
        guard var reading = sent.begin(base: 10, reference: -1) else { return #expect(Bool(false)) }
        #expect(sent.next(&reading, delta: 4)?.arrivedAt != nil)
        #expect(sent.next(&reading, delta: 4) == nil)
        guard var again = sent.begin(base: 10, reference: -1) else { return #expect(Bool(false)) }
        #expect(sent.next(&again, delta: 4) == nil, "it was told before")
    }

    @Test("a packet whose time does not fit behind the one before waits for the next feedback")
    func longGap() {
        var arrived = ArrivedPackets()
        arrived.take(1, at: 0)
        arrived.take(2, at: 9 * second)
        #expect(arrived.feedback()?.deltas == [0])
        #expect(arrived.feedback()?.base == 2)
        #expect(arrived.feedback() == nil)
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
    private var arrived = ArrivedPackets()
    private var busyUntil: Microseconds = 0
    private var pending: [(sequence: UInt16, at: Microseconds)] = []
    private var backwards: [(ArrivedPackets.Feedback, at: Microseconds)] = []
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
            guard var reading = sent.begin(base: feedback.0.base, reference: feedback.0.reference) else { continue }
            var results: [PacketResult] = []
            for delta in feedback.0.deltas { if let result = sent.next(&reading, delta: delta) { results.append(result) } }
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
        while pacer.paddingBytes > 0, pacer.maySend(.padding, queued: 0, at: now) { put(1200) }
    }

    private mutating func put(_ bytes: Int) {
        let sequence = sent.sent(bytes: bytes, probe: pacer.currentProbe, at: now)
        pacer.sent(bytes: bytes, at: now)
        // 400 ms of queue, then it overflows.
        let begin = max(now, busyUntil)
        worstQueue = max(worstQueue, begin - now)
        guard begin - now < 400 * ms, Int.random(in: 0..<100, using: &dice) >= loss else { return }
        busyUntil = begin + Int64(bytes) * 8_000_000 / capacity
        pending.append((sequence, busyUntil + delay + Int64.random(in: 0...2 * ms, using: &dice)))
    }

    private mutating func receive() {
        for packet in pending where packet.at <= now { arrived.take(packet.sequence, at: packet.at) }
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
        #expect(link.estimate.bitrate < before * 7 / 10)
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
        for now in stride(from: Microseconds(0), to: second, by: ms) {
            #expect(pacer.maySend(.sound, queued: 10_000, at: now))
            #expect(!pacer.maySend(.padding, queued: 0, at: now))
            while pacer.maySend(.picture, queued: 10_000, at: now) {
                pacer.sent(bytes: 1250, at: now)
                times.append(now)
            }
        }
        #expect((250...253).contains(times.count))
        #expect(pacer.nextSend(at: second) > second - 5 * ms)
        pacer.begin(BandwidthEstimate.Probe(number: 7, bitrate: 5_000_000, bytes: 2000))
        #expect(pacer.currentProbe == 7)
        #expect(pacer.maySend(.padding, queued: 0, at: 2 * second))
        pacer.sent(bytes: 1250, at: 2 * second)
        #expect(pacer.paddingBytes == 750)
        pacer.sent(bytes: 1250, at: 2 * second)
        #expect(pacer.paddingBytes == 0 && pacer.currentProbe == 0)
    }

    @Test("pictures that would wait for longer than half a second go faster")
    func impatient() {
        var pacer = Pacer(bitrate: 100_000)
        pacer.sent(bytes: 1250, at: 0)
        #expect(!pacer.maySend(.picture, queued: 15_000, at: 0))
        #expect(pacer.maySend(.picture, queued: 16_000, at: 0))
    }
}
