import BondWire
import Testing

@testable import Forwarding

@Suite struct PacketCacheTests {
    private func packet(_ number: Int64, isKey: Bool = false) -> SourcePacket {
        SourcePacket(layer: 0, number: number, timestamp: 0, marker: true, mark: PictureMark(number: 0, isKey: isKey))
    }

    @Test("what is stored is given back with its bytes, through many turns of the ring, and never another's", arguments: [UInt64(1), 2, 3])
    func ring(seed: UInt64) {
        var dice = Dice(seed)
        var cache = PacketCache(PacketCache.Limits(packets: 64, bytes: 5000, age: second))
        var stored: [Int64: [UInt8]] = [:]
        var number: Int64 = 65_000
        var found = 0
        for turn in 0..<5000 {
            number += Int64.random(in: 1...3, using: &dice)
            // Some come late, some twice.
            let late = dice.hits(percent: 10) ? number - Int64.random(in: 1...40, using: &dice) : number
            let count = Int.random(in: 1...300, using: &dice)
            let content = (0..<count).map { UInt8(truncatingIfNeeded: late &+ Int64($0 * 7)) }
            let now = Microseconds(turn) * ms
            if cache.packet(late, at: now) == nil, stored[late] == nil { stored[late] = content }
            cache.store(packet(late), content.span, at: now)
            let asked = number - Int64.random(in: 0...80, using: &dice)
            let bytes = cache.with(asked, at: now) { packet, span in (packet.number, span.indices.map { span[$0] }) }
            guard let bytes else { continue }
            found += 1
            #expect(bytes.0 == asked)
            #expect(bytes.1 == stored[asked])
        }
        #expect(found > 1000)
        #expect(cache.newestNumber == stored.keys.max())
    }

    @Test("it is bounded by packets, by bytes and by age")
    func bounds() {
        var cache = PacketCache(PacketCache.Limits(packets: 4, bytes: 1000, age: second))
        for number in Int64(0)..<5 { cache.store(packet(number), [1].span, at: 0) }
        #expect(cache.packet(0, at: 0) == nil && cache.packet(1, at: 0) != nil)
        cache.store(packet(0), [1].span, at: 0)
        #expect(cache.packet(0, at: 0) == nil, "it is too old to be kept")
        #expect(cache.packet(4, at: second) != nil && cache.packet(4, at: second + 1) == nil)
        cache.store(packet(5), [UInt8](repeating: 0, count: 996).span, at: 0)
        #expect(cache.packet(4, at: 0) == nil && cache.packet(5, at: 0) != nil, "its bytes are written over")
        cache.store(packet(6), [UInt8](repeating: 0, count: 1001).span, at: 0)
        #expect(cache.packet(6, at: 0) == nil)
    }

    @Test("it takes the memory that it needs, and none before the first packet; what it holds stays as it grows")
    func grows() {
        var cache = PacketCache(.video)
        #expect(cache.byteCount == 0 && cache.packet(0, at: 0) == nil)
        cache.store(packet(0), [1].span, at: 0)
        #expect(cache.byteCount == 65_536)
        // 2 Mbit/s.
        for number in Int64(1)..<3000 {
            let now = Microseconds(number) * 4 * ms
            cache.store(packet(number), [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 1000).span, at: now)
            let asked = max(1, number - 400)
            let byte = UInt8(truncatingIfNeeded: asked)
            let isThere = cache.with(asked, at: now) { packet, span in
                packet.number == asked && span.count == 1000 && span[0] == byte && span[999] == byte
            }
            #expect(isThere == true)
        }
        #expect(cache.byteCount == PacketCache.Limits.video.bytes)
        // A slow one needs no more than at first, however long it goes on.
        var slow = PacketCache(.video)
        for number in Int64(0)..<3000 {
            slow.store(packet(number), [UInt8](repeating: 1, count: 1000).span, at: Microseconds(number) * 40 * ms)
        }
        #expect(slow.byteCount == 65_536)
    }

    @Test("it knows where the newest key frame begins")
    func keyFrame() {
        var cache = PacketCache(.audio)
        cache.store(packet(1, isKey: true), [1].span, at: 0)
        cache.store(packet(9, isKey: true), [1].span, at: 0)
        cache.store(packet(5, isKey: true), [1].span, at: 0)
        #expect(cache.keyFrame == 9)
    }
}

@Suite struct MissingPacketsTests {
    private func due(_ missing: inout MissingPackets, _ now: Microseconds, roundTrip: Microseconds? = 50 * ms) -> [UInt16] {
        var numbers: [UInt16] = []
        missing.due(at: now, roundTrip: roundTrip, into: &numbers)
        return numbers
    }

    @Test("a gap is asked for after 10 ms, then once a round trip with more time each time, ten times, and not when it has come")
    func pace() {
        var missing = MissingPackets()
        for number in [65_534, 65_538] as [Int64] { missing.take(number, at: 0) }
        #expect(missing.nextDue == 10 * ms)
        #expect(due(&missing, 9 * ms) == [])
        #expect(due(&missing, 10 * ms) == [65_535, 0, 1])
        missing.take(65_536, at: 20 * ms)
        #expect(missing.repaired == 1)
        var asked: [Microseconds] = []
        for now in stride(from: 11 * ms, through: 3 * second, by: Int(ms)) where !due(&missing, now).isEmpty { asked.append(now / ms) }
        #expect(asked == [60, 123, 198, 286, 386, 499, 624, 762, 912])
        #expect(missing.count == 0 && missing.givenUp == 2 && missing.needsKeyFrame)
    }

    @Test("what only came out of order is never asked for")
    func reordered() {
        var missing = MissingPackets()
        for (number, at) in [(1, 0), (3, 0), (2, 9 * ms)] as [(Int64, Microseconds)] { missing.take(number, at: at) }
        #expect(due(&missing, second) == [] && missing.repaired == 0 && missing.nextDue == nil)
    }

    @Test("an outage is not asked for packet by packet: a key frame is needed")
    func outage() {
        var missing = MissingPackets()
        missing.take(1, at: 0)
        missing.take(514, at: 0)
        #expect(missing.count == 512 && !missing.needsKeyFrame)
        #expect(due(&missing, second / 10).count == MissingPackets.dueLimit)
        missing.take(516, at: 0)
        #expect(missing.count == 0 && missing.needsKeyFrame && missing.givenUp == 513)
    }

    @Test("a key frame ends the wait for all before it, and after 1.5 s nobody waits")
    func forgotten() {
        var missing = MissingPackets()
        for number in [1, 4, 6] as [Int64] { missing.take(number, at: 0) }
        missing.forget(before: 4)
        #expect(due(&missing, 10 * ms) == [5])
        #expect(due(&missing, 1500 * ms) == [] && missing.count == 0)
    }

    @Test("over a hop that loses 10 % each way all but one in a thousand is repaired", arguments: [UInt64(1), 2])
    func simulation(seed: UInt64) {
        var dice = Dice(seed)
        var missing = MissingPackets()
        var arrivals: [(at: Microseconds, number: Int64)] = []
        var came = Set<Int64>()
        let total: Int64 = 20_000
        var asked = 0
        for step in 0..<total + 2000 {
            let now = step * 2 * ms
            if step < total, !dice.hits(percent: 10) { arrivals.append((now + 20 * ms + Int64.random(in: 0...5 * ms, using: &dice), step)) }
            for arrival in arrivals.filter({ $0.at <= now }).sorted(by: { $0.at < $1.at }) {
                missing.take(arrival.number, at: now)
                came.insert(arrival.number)
            }
            arrivals.removeAll { $0.at <= now }
            guard step % 5 == 0 else { continue }
            for sequence in due(&missing, now, roundTrip: 40 * ms) {
                asked += 1
                let number = step - Int64(UInt16(truncatingIfNeeded: step) &- sequence)
                #expect(!came.contains(number))
                // The request and its answer.
                if !dice.hits(percent: 10), !dice.hits(percent: 10) { arrivals.append((now + 40 * ms, number)) }
            }
        }
        #expect(Int(total) - came.count <= Int(total) / 1000)
        // 1.23 requests for each lost packet would be the least there is.
        #expect(asked < 2 * Int(total) / 10 * 8 / 5)
    }
}

@Suite struct KeyFrameRequestsTests {
    @Test("many who wait are one request a second for each layer and one in between, until the key frame has come")
    func throttled() {
        var requests = KeyFrameRequests(layers: 2)
        var sent: [(Microseconds, KeyFrameRequests.Request)] = []
        for now in stride(from: Microseconds(0), to: 4 * second, by: Int(10 * ms)) {
            // A hundred join within a second; the answer is lost three times.
            if now < second { requests.want(1, at: now) }
            if now == 2500 * ms { requests.came(1) }
            while let request = requests.next(at: now) { sent.append((now / ms, request)) }
        }
        #expect(sent.map(\.0) == [0, 350, 1000, 2000])
        #expect(Set(sent.map(\.1)) == [KeyFrameRequests.Request(layer: 1, number: 1)])
        #expect(requests.nextDue == nil && !requests.isPending(1))
    }

    @Test("who wants one right after one has come waits a little, the next for the second to be over; another request (RFC 5104, 4.3.1.1)")
    func again() {
        var requests = KeyFrameRequests(layers: 1)
        requests.want(0, at: 0)
        #expect(requests.next(at: 0)?.number == 1)
        requests.came(0)
        requests.want(0, at: 100 * ms)
        #expect(requests.next(at: 349 * ms) == nil && requests.nextDue == 350 * ms)
        #expect(requests.next(at: 350 * ms)?.number == 2)
        requests.came(0)
        requests.want(0, at: 400 * ms)
        #expect(requests.next(at: 999 * ms) == nil && requests.nextDue == second)
        #expect(requests.next(at: second)?.number == 3)
        // Whoever it was has gone: nobody says that they wait.
        #expect(requests.next(at: 5400 * ms) == nil && !requests.isPending(0))
        requests.want(7, at: 0)
        #expect(requests.next(at: 6 * second) == nil)
    }

    @Test("who asks all the time gets one a second, however many have come")
    func greedy() {
        var requests = KeyFrameRequests(layers: 1)
        var count = 0
        for now in stride(from: Microseconds(0), to: 20 * second, by: Int(10 * ms)) {
            requests.want(0, at: now)
            guard requests.next(at: now) != nil else { continue }
            requests.came(0)
            count += 1
        }
        #expect(count == 21)
    }
}
