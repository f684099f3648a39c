import RTP
import Testing

struct TransportFeedbackTests {
    private func written(_ feedback: TransportFeedback) -> [UInt8] {
        var writer = ControlWriter(byteLimit: 100_000)
        #expect(writer.append(.transport(feedback)) == true)
        return writer.bytes
    }

    private func feedback(_ bytes: [UInt8]) throws -> TransportFeedback {
        guard case .transport(let feedback)? = try read(bytes).first else { throw ControlFault.value }
        return feedback
    }

    @Test("the chunks of the draft are read: a run, one bit each and two bits each")
    func chunks() throws {
        // Base 100, 25 numbers, reference -1, feedback 3. A run of 4 received, 14 of one bit (first and last), 7 of two bits: a large
        // delta, missing, small.
        let bytes = hex(
            """
            8f cd 0008 00000001 00000002 0064 0019 ffffff 03
            2004 a001 e100
            01 02 03 04  05 06  ff38 08
            00
            """)
        let read = try feedback(bytes)
        #expect(read.base == 100)
        #expect(read.count == 25)
        #expect(read.number == 3)
        #expect(read.reference == -1)
        #expect(read.arrivals.map(\.sequence) == [100, 101, 102, 103, 104, 117, 118, 120])
        var time: Int64 = -64_000
        let times = [1, 2, 3, 4, 5, 6, -200, 8].map { (delta: Int64) in
            time += delta * 250
            return time
        }
        #expect(read.arrivals.map(\.at) == times)
    }

    @Test("padding of one to three bytes, as libwebrtc writes it, is taken")
    func padding() throws {
        let bytes = hex("af cd 0005 00000001 00000002 0064 0001 000001 00 2001 04 01")
        #expect(try feedback(bytes).arrivals == [.init(sequence: 100, at: 65_000)])
    }

    @Test(
        "what no sender writes is refused",
        arguments: [
            // Reserved symbols, in a run and in two bits; a run of nothing; no numbers; deltas and chunks that are not there.
            ("0064 0001 000001 00 6001 0000", ControlFault.value), ("0064 0007 000001 00 ffff 0000", .value),
            ("0064 0001 000001 00 2000 0000", .value), ("0064 0000 000001 00 2001 0400", .value),
            ("0064 0003 000001 00 2003 0101", .length), ("0064 0010 000001 00 c000 c000", .length),
            ("0064 0001 000001 00 4001 0000", nil), ("0064 1fff 000001 00 3fff 0000", .length),
        ] as [(String, ControlFault?)])
    func refused(_ text: String, _ fault: ControlFault?) throws {
        let bytes = hex("8f cd 0005 00000001 00000002 " + text)
        if let fault { #expect(throws: fault) { try read(bytes) } } else { #expect(try read(bytes).count == 1) }
    }

    @Test("65,535 missing numbers cost no more than their bytes")
    func bomb() throws {
        var bytes = hex("8f cd 0000 00000001 00000002 0064 ffff 000001 00")
        for _ in 0..<9 { bytes += hex("1fff") }
        bytes += [0, 0]
        bytes[3] = UInt8(bytes.count / 4 - 1)
        #expect(try feedback(bytes).count == 65_535)
        #expect(try feedback(bytes).arrivals.isEmpty)
    }

    @Test("what is written is read again", arguments: 0..<50)
    func roundTrip(_ seed: Int) throws {
        var random = Seeded(UInt64(seed) + 99)
        let count = Int.random(in: 1...600, using: &random)
        let reference = Int32.random(in: -0x80_0000...0x7f_ffff, using: &random)
        let base = UInt16.random(in: 0...UInt16.max, using: &random)
        var time = Int64(reference) * 64_000
        let loss = Int.random(in: 0...100, using: &random)
        let jump: Int64 = seed % 3 == 0 ? 32_000 : 200
        var arrivals: [TransportFeedback.Arrival] = []
        for place in 0..<count where Int.random(in: 0..<100, using: &random) >= loss {
            time += 250 * Int64.random(in: (seed % 2 == 0 ? 0 : -jump)...jump, using: &random)
            arrivals.append(.init(sequence: base &+ UInt16(place), at: time))
        }
        let feedback = TransportFeedback(
            sender: 1, media: 2, base: base, count: count, number: 7, reference: reference, arrivals: arrivals)
        #expect(try self.feedback(written(feedback)) == feedback)
    }

    @Test("steady packets take little more than a byte each")
    func size() {
        let arrivals = (0..<200).map { TransportFeedback.Arrival(sequence: UInt16($0), at: Int64($0) * 5000) }
        let feedback = TransportFeedback(sender: 1, media: 2, base: 0, count: 200, number: 0, reference: 0, arrivals: arrivals)
        #expect(written(feedback).count == 4 + 16 + 2 + 200 + 2)
    }
}

struct ArrivalRecorderTests {
    private func drained(_ recorder: inout ArrivalRecorder) -> [TransportFeedback] {
        var all: [TransportFeedback] = []
        while let next = recorder.feedback(sender: 1, media: 2) {
            all.append(next)
            precondition(all.count < 10_000)
        }
        return all
    }

    @Test("feedbacks go on where the last ended, and tell what is missing once")
    func continuous() {
        var recorder = ArrivalRecorder()
        for sequence in [65_534, 65_535, 1] as [UInt16] { recorder.arrived(sequence, at: 1_000_000 + Int64(sequence &+ 2) * 1000) }
        let first = drained(&recorder)
        #expect(first.map(\.base) == [65_534])
        #expect(first.map(\.count) == [4])
        #expect(first[0].arrivals.map(\.sequence) == [65_534, 65_535, 1])
        #expect(first[0].arrivals.map(\.at) == [1_000_000, 1_001_000, 1_003_000])
        recorder.arrived(4, at: 1_010_000)
        let second = drained(&recorder)
        #expect(second.map(\.base) == [2])
        #expect(second.map(\.count) == [3])
        #expect(second.map(\.number) == [1])
        #expect(!recorder.hasArrivals)
    }

    @Test("a packet that comes after it was told as missing is told again, and nothing else with it")
    func late() {
        var recorder = ArrivalRecorder()
        for sequence in [1, 2, 6] as [UInt16] { recorder.arrived(sequence, at: 0) }
        _ = drained(&recorder)
        for sequence in [7, 3, 5] as [UInt16] { recorder.arrived(sequence, at: 10_000) }
        let again = drained(&recorder)
        #expect(again.map(\.base) == [3, 5, 7])
        #expect(again.map(\.count) == [1, 1, 1])
    }

    @Test("a repeated packet counts once, with its first time")
    func repeated() {
        var recorder = ArrivalRecorder()
        recorder.arrived(1, at: 64_000)
        recorder.arrived(1, at: 640_000)
        #expect(drained(&recorder).flatMap(\.arrivals) == [.init(sequence: 1, at: 64_000)])
    }

    @Test("all that arrived is told, in datagrams' sizes, through loss, disorder and pauses", arguments: 0..<10)
    func everything(_ seed: Int) throws {
        var random = Seeded(UInt64(seed) + 5)
        var recorder = ArrivalRecorder()
        var sent: [UInt16: Int64] = [:]
        var told: [UInt16: Int64] = [:]
        var now: Int64 = 5_000_000
        var queue: [UInt16] = []
        for sequence in 0..<5000 {
            now += Int64.random(in: 0...3000, using: &random)
            if sequence % 1000 == 999 { now += 20_000_000 }
            if Int.random(in: 0..<20, using: &random) > 0 { queue.append(UInt16(truncatingIfNeeded: 63_000 + sequence)) }
            if queue.count > 3 {
                let picked = queue.remove(at: Int.random(in: 0..<queue.count, using: &random))
                recorder.arrived(picked, at: now)
                sent[picked] = now
            }
            guard sequence % 50 == 0 else { continue }
            for feedback in drained(&recorder) {
                var writer = ControlWriter()
                #expect(writer.append(.transport(feedback)) == true)
                guard case .transport(let read)? = try ControlReader.read(writer.bytes.span).first else { continue }
                #expect(read == feedback)
                for arrival in read.arrivals { told[arrival.sequence] = arrival.at }
            }
        }
        for feedback in drained(&recorder) { for arrival in feedback.arrivals { told[arrival.sequence] = arrival.at } }
        #expect(told.count == sent.count)
        #expect(sent.allSatisfy { abs((told[$0.key] ?? .max / 2) - $0.value) <= 125 })
    }

    @Test("what waits is bounded, and the oldest go first")
    func bound() {
        var recorder = ArrivalRecorder()
        for sequence in 0..<10_000 { recorder.arrived(UInt16(sequence), at: Int64(sequence) * 1000) }
        #expect(recorder.dropped == 6000)
        let all = drained(&recorder)
        #expect(all.flatMap(\.arrivals).count == ArrivalRecorder.limit)
        #expect(all.first?.base == 6000)
    }

    @Test("a jump of the numbers is not told as thousands of losses")
    func jump() {
        var recorder = ArrivalRecorder()
        recorder.arrived(1, at: 0)
        _ = drained(&recorder)
        recorder.arrived(20_000, at: 1000)
        #expect(drained(&recorder).map(\.count) == [1])
        recorder.arrived(20_701, at: 2000)
        let gap = drained(&recorder)
        #expect(gap.map(\.count).reduce(0, +) == 701)
        #expect(gap.flatMap(\.arrivals).map(\.sequence) == [20_701])
    }

    @Test("times wrap with the reference, after six days and again each twelve")
    func wrap() {
        var recorder = ArrivalRecorder()
        let far: Int64 = 0x80_0000 * 64_000
        recorder.arrived(1, at: far - 64_000)
        recorder.arrived(2, at: far + 64_000)
        let feedback = drained(&recorder)
        #expect(feedback.map(\.reference) == [0x7f_ffff])
        recorder.arrived(3, at: far + 128_000)
        #expect(drained(&recorder).map(\.reference) == [-0x80_0000 + 2])
    }
}
