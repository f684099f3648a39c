import BondWire
import RTP
import Testing

@testable import Forwarding

@Suite struct TrackRewriterTests {
    /// Runs a publisher, a worker and a subscriber until so many layers were switched to.
    private func run(
        seed: UInt64, switches: Int, loss: Int, lossDown: Int, lostForGood: Int = 0, reports: Bool = true,
        _ check: (inout SimulcastWorker, inout SimulcastDecoder) -> Void
    ) {
        var dice = Dice(seed)
        var source = SimulcastSource(Dice(seed + 1), loss: loss, lostForGood: lostForGood)
        var worker = SimulcastWorker(Dice(seed + 2), lossDown: lossDown)
        var decoder = SimulcastDecoder()
        var pending: [SimulcastSource.Packet] = []
        worker.rewriter.select(LayerTarget(layer: 0))
        var picture = 0
        while worker.switches <= switches, picture < 40 * switches + 100 {
            let now = Microseconds(picture) * SimulcastSource.interval
            if reports, picture % 30 == 0 {
                for layer in 0..<3 {
                    let (ntp, timestamp) = source.report(layer, at: picture)
                    worker.clocks[layer].take(ntp: ntp, timestamp: timestamp)
                }
            }
            if worker.rewriter.awaitedLayer == nil, dice.hits(percent: 50) {
                worker.rewriter.select(
                    LayerTarget(layer: UInt8.random(in: 0..<3, using: &dice), temporal: UInt8.random(in: 0...2, using: &dice)))
            }
            if let awaited = worker.rewriter.awaitedLayer, dice.hits(percent: 60) { source.askForKeyFrame(awaited) }
            pending += source.take(at: now)
            pending.sort { $0.at < $1.at }
            let due = pending.prefix { $0.at < now + SimulcastSource.interval }
            pending.removeFirst(due.count)
            for packet in due { worker.arrive(packet, at: packet.at) }
            picture += 1
            check(&worker, &decoder)
        }
    }

    @Test(
        "10,000 switches of layers over two hops that lose: no number twice, none missing, no picture broken, nothing frozen",
        arguments: [UInt64(1), 2])
    func tenThousand(seed: UInt64) {
        var switches = 0
        var wrong = 0
        var repeated = 0
        var result = SimulcastDecoder()
        run(seed: seed, switches: 10_000, loss: 2, lossDown: 2) { worker, decoder in
            wrong += worker.answer(at: 0)
            for entry in worker.settled(40) { decoder.take(entry) }
            (switches, repeated, result) = (worker.switches, worker.repeated, decoder)
        }
        #expect(switches > 10_000)
        #expect(repeated == 0)
        #expect(wrong == 0, "requests that were answered wrongly or not at all")
        #expect(result.faults == [])
        #expect(result.decoded > 25_000)
        // The lowest temporal layer alone has every fourth picture; a switch may come one later.
        #expect(result.longestGap <= 8)
        // In step with the sound: within 100 ms at all times.
        #expect(result.earliest > -9000 && result.latest < 9000, "\(result.earliest) to \(result.latest)")
    }

    @Test("without sender reports, and with losses that nothing repairs, no number is used twice and time only goes on")
    func unrepaired() {
        var repeated = 0
        var result = SimulcastDecoder()
        run(seed: 3, switches: 500, loss: 10, lossDown: 0, lostForGood: 50, reports: false) { worker, decoder in
            for entry in worker.settled(60) { decoder.take(entry) }
            (repeated, result) = (worker.repeated, decoder)
        }
        #expect(repeated == 0)
        #expect(result.decoded > 1000)
        #expect(!result.faults.contains { $0.contains("timestamp") || $0.contains("layer") })
    }

    // MARK: - One layer

    private var track = TrackRewriter(.vp8, firstSequence: 100, firstTimestamp: 5000)
    private var clocks = [SourceClock](repeating: SourceClock(rate: 90_000), count: 2)

    /// A packet that is a whole picture.
    private func packet(
        _ number: Int64, layer: UInt8 = 0, timestamp: UInt32? = nil, temporal: UInt8 = 0, isKey: Bool = false, sync: Bool = false,
        base: UInt8 = 0
    ) -> SourcePacket {
        SourcePacket(
            layer: layer, number: number, timestamp: timestamp ?? UInt32(truncatingIfNeeded: number * 3000), marker: true,
            mark: PictureMark(
                number: UInt16(truncatingIfNeeded: number) & 0x7fff, temporal: temporal, base: base, isKey: isKey, sync: sync))
    }

    private mutating func take(_ packet: SourcePacket, at now: Microseconds = 0) -> TrackRewriter.Step {
        track.take(packet, clocks: clocks, at: now)
    }

    @Test("nothing is forwarded before a key frame; the first has the first number and timestamp")
    mutating func first() {
        #expect(take(packet(70_000, isKey: true)) == .drop(.paused))
        track.select(LayerTarget(layer: 0))
        #expect(track.awaitedLayer == 0)
        #expect(take(packet(70_001)) == .drop(.beforeKeyFrame))
        let step = take(packet(70_002, isKey: true))
        guard case .begin(let out) = step else { return #expect(Bool(false), "\(step)") }
        #expect(out.sequence == 100 && out.timestamp == 5000 && out.marker)
        #expect(track.awaitedLayer == nil)
        #expect(take(packet(70_001)) == .drop(.late))
        #expect(take(packet(70_003)).out?.sequence == 101)
        #expect(track.timestamp(of: 70_003 * 3000) == 8000)
    }

    @Test("what the source lost is a gap, which a late packet fills with its own number, once")
    mutating func gaps() {
        track.select(LayerTarget(layer: 0))
        _ = take(packet(65_535, isKey: true))
        #expect(take(packet(65_538)).out?.sequence == 103)
        #expect(take(packet(65_537)).out == Rewritten(sequence: 102, timestamp: 11_000, marker: true, number: 1, base: 0))
        #expect(take(packet(65_537)) == .drop(.repeated))
        #expect(take(packet(65_536)).out?.sequence == 101)
        #expect(take(packet(65_538)) == .drop(.repeated))
        for (sequence, number) in [(100, 65_535), (101, 65_536), (103, 65_538)] as [(UInt16, Int64)] {
            #expect(track.origin(of: sequence)?.number == number)
        }
        #expect(track.origin(of: 104) == nil && track.origin(of: 99) == nil)
    }

    @Test("temporal layers that are left out leave no gap of numbers or picture ids, and what was lost of them is filled with padding")
    mutating func temporal() {
        track.select(LayerTarget(layer: 0, temporal: 0))
        _ = take(packet(1000, isKey: true))
        #expect(take(packet(1001, temporal: 2)) == .drop(.above))
        #expect(take(packet(1002, temporal: 1)) == .drop(.above))
        let next = take(packet(1004)).out
        // 1003 is missing: nobody knows yet of which layer it was.
        #expect(next?.sequence == 102 && next?.number == 1002)
        #expect(take(packet(1003, temporal: 2)) == .blank(sequence: 101, timestamp: 5000 + 3 * 3000))
        #expect(take(packet(1001, temporal: 2)) == .drop(.late))
        // Asked for again, it is still the same packet.
        #expect(track.origin(of: 102)?.number == 1004)
        #expect(track.repeated(packet(1004)) == next)
        #expect(track.repeated(packet(1003, temporal: 2)) == nil)
    }

    @Test("a temporal layer comes back with a picture that needs the lowest alone, and ends with any picture")
    mutating func temporalUp() {
        track.select(LayerTarget(layer: 0, temporal: 0))
        _ = take(packet(10, isKey: true))
        track.select(LayerTarget(layer: 0, temporal: 2))
        #expect(take(packet(11, temporal: 2)) == .drop(.above))
        #expect(take(packet(12, temporal: 1, sync: true)).out?.sequence == 101)
        // That of the layer above that may need one which was left out.
        #expect(take(packet(13, temporal: 2)) == .drop(.above))
        #expect(take(packet(14)).out?.sequence == 102)
        #expect(take(packet(15, temporal: 2, sync: true)).out?.sequence == 103)
        #expect(take(packet(16, temporal: 1)).out?.sequence == 104)
        track.select(LayerTarget(layer: 0, temporal: 0))
        #expect(take(packet(17, temporal: 2)) == .drop(.above))
        #expect(take(packet(18)).out?.sequence == 105)
    }

    @Test("a number that late packets took behind the last that was sent is not given to the next layer")
    mutating func lateAndSwitch() {
        track.select(LayerTarget(layer: 0, temporal: 0))
        _ = take(packet(10, isKey: true))
        // 11 and 12 are missing, 13 is left out: two numbers are kept.
        #expect(take(packet(13, temporal: 2)) == .drop(.above))
        #expect(take(packet(11)).out?.sequence == 101)
        track.select(LayerTarget(layer: 1, temporal: 0))
        #expect(take(packet(500, layer: 1, isKey: true)).out?.sequence == 102)
        // Its number is the new layer's now.
        #expect(take(packet(12)) == .drop(.otherLayer))
        #expect(track.origin(of: 101)?.number == 11 && track.origin(of: 102)?.number == 500)
    }

    @Test("a late picture behind which only blanks were sent keeps its picture id: the next layer's is another")
    mutating func lateBehindBlank() {
        track.select(LayerTarget(layer: 0, temporal: 0))
        _ = take(packet(10, isKey: true))
        #expect(take(packet(13, temporal: 2)) == .drop(.above))
        #expect(take(packet(12, temporal: 2)) == .blank(sequence: 102, timestamp: 11_000))
        #expect(take(packet(11, base: 1)).out?.number == 11)
        track.select(LayerTarget(layer: 1, temporal: 0))
        let out = take(packet(500, layer: 1, isKey: true, base: 77)).out
        #expect(out?.sequence == 103 && out?.number == 12 && out?.base == 2)
    }

    @Test("a layer is not entered a second time with a packet from before it was left")
    mutating func oldEntry() {
        track.select(LayerTarget(layer: 0))
        _ = take(packet(10, isKey: true))
        _ = take(packet(20))
        track.select(nil)
        track.select(LayerTarget(layer: 0))
        #expect(take(packet(15, isKey: true)).out?.sequence == 105, "it fills its gap")
        #expect(take(packet(9, isKey: true)) == .drop(.beforeKeyFrame))
        #expect(take(packet(21, isKey: true)).out?.sequence == 111)
    }

    @Test("packets of padding alone leave no gap")
    mutating func padding() {
        track.select(LayerTarget(layer: 0))
        _ = take(packet(10, isKey: true))
        #expect(take(SourcePacket(layer: 0, number: 11, timestamp: 33_000, marker: false, mark: nil)) == .drop(.padding))
        #expect(take(packet(12)).out?.sequence == 101)
    }

    @Test("after a pause the numbers go on by one, the time by as much as it took, and it needs a key frame")
    mutating func pause() {
        track.select(LayerTarget(layer: 0))
        _ = take(packet(10, isKey: true))
        track.select(nil)
        #expect(take(packet(11)) == .drop(.paused))
        track.select(LayerTarget(layer: 0))
        #expect(take(packet(12), at: 10 * second) == .drop(.beforeKeyFrame))
        let out = take(packet(310, isKey: true), at: 10 * second).out
        #expect(out?.sequence == 101 && out?.timestamp == 905_000 && out?.number == 11)
    }

    @Test("a source that begins anew is entered with a key frame")
    mutating func restart() {
        track.select(LayerTarget(layer: 0))
        _ = take(packet(10, isKey: true))
        #expect(take(packet(100_000)) == .drop(.beforeKeyFrame))
        #expect(track.awaitedLayer == 0)
        #expect(take(packet(100_001, isKey: true)).out?.sequence == 101)
    }

    @Test("sound goes on by itself: each packet is a beginning")
    mutating func sound() {
        track = TrackRewriter(.opus, firstSequence: 7, firstTimestamp: 9)
        track.select(LayerTarget(layer: 0))
        func sound(_ number: Int64) -> SourcePacket {
            SourcePacket(layer: 0, number: number, timestamp: UInt32(number * 960), marker: false, mark: .sound)
        }
        #expect(take(sound(50)).out == Rewritten(sequence: 7, timestamp: 9, marker: false))
        #expect(take(sound(52)).out?.sequence == 9)
        #expect(take(sound(51)).out?.timestamp == 969)
    }

    // MARK: - Layers

    @Test("another layer begins with its key frame; the one before goes on until then, and what comes late of it fills its gap or nothing")
    mutating func layers() {
        track.select(LayerTarget(layer: 0))
        _ = take(packet(10, isKey: true))
        track.select(LayerTarget(layer: 1))
        #expect(track.awaitedLayer == 1)
        #expect(take(packet(500, layer: 1)) == .drop(.beforeKeyFrame))
        #expect(take(packet(12), at: 66 * ms).out?.sequence == 102)
        let step = take(packet(502, layer: 1, timestamp: 7, isKey: true), at: 100 * ms)
        #expect(step == .begin(Rewritten(sequence: 103, timestamp: 5000 + 6000 + 3060, marker: true, number: 13, base: 1)))
        #expect(take(packet(13)) == .drop(.otherLayer))
        #expect(take(packet(11)).out?.sequence == 101)
        #expect(take(packet(501, layer: 1)) == .drop(.late))
        #expect(take(packet(503, layer: 1, timestamp: 3007)).out?.sequence == 104)
        #expect(track.origin(of: 101)?.layer == 0 && track.origin(of: 103)?.layer == 1)
    }

    @Test("the layers' sender reports put them on one line, however their clocks begin, and a shift is made good at the next switch")
    mutating func reports() {
        let wall = NTPTime(4_000_000_000 << 32)
        clocks[0].take(ntp: wall, timestamp: 1000)
        clocks[1].take(ntp: wall.adding(2 * second), timestamp: .max - 89_999)
        track.select(LayerTarget(layer: 0))
        _ = take(packet(10, timestamp: 1000 + 90_000, isKey: true), at: 5 * second)
        track.select(LayerTarget(layer: 1))
        // Taken at the same time as the one that was sent: one tick behind it.
        #expect(take(packet(20, layer: 1, timestamp: .max - 179_999, isKey: true), at: 5 * second + 20 * ms).out?.timestamp == 5001)
        #expect(take(packet(21, layer: 1, timestamp: .max - 179_999 + 9000), at: 5 * second + 110 * ms).out?.timestamp == 14_001)
        track.select(LayerTarget(layer: 0))
        // 200 ms after the first, however late it comes.
        #expect(take(packet(16, timestamp: 1000 + 90_000 + 18_000, isKey: true), at: 5 * second + 370 * ms).out?.timestamp == 23_000)
    }

    @Test("reports that cannot be are not believed: then the time of arrival counts")
    mutating func wrongReports() {
        let wall = NTPTime(4_000_000_000 << 32)
        clocks[0].take(ntp: wall, timestamp: 0)
        clocks[1].take(ntp: wall.adding(3600 * second), timestamp: 0)
        track.select(LayerTarget(layer: 0))
        _ = take(packet(10, timestamp: 0, isKey: true))
        track.select(LayerTarget(layer: 1))
        #expect(take(packet(20, layer: 1, timestamp: 0, isKey: true), at: 100 * ms).out?.timestamp == 14_000)
    }

    @Test("a key frame that is older than what was sent by more than 100 ms is refused once")
    mutating func oldKeyFrame() {
        let wall = NTPTime(4_000_000_000 << 32)
        for index in 0..<2 { clocks[index].take(ntp: wall, timestamp: 0) }
        track.select(LayerTarget(layer: 0))
        _ = take(packet(10, timestamp: 90_000, isKey: true))
        track.select(LayerTarget(layer: 1))
        #expect(take(packet(20, layer: 1, timestamp: 70_000, isKey: true)) == .drop(.beforeKeyFrame))
        #expect(track.awaitedLayer == 1)
        #expect(take(packet(30, layer: 1, timestamp: 75_000, isKey: true)).out?.timestamp == 5001)
    }

    @Test("of several spatial layers in one source those above are left out, and the last packet of what is left has the marker")
    mutating func spatial() {
        track = TrackRewriter(.vp9, firstSequence: 0, firstTimestamp: 0)
        track.select(LayerTarget(layer: 0, spatial: 0))
        func part(_ number: Int64, _ spatial: UInt8, picture: UInt16, isKey: Bool = false) -> SourcePacket {
            var mark = PictureMark(number: picture, starts: spatial == 0, isKey: isKey)
            mark.spatial = spatial
            mark.endsFrame = true
            return SourcePacket(layer: 0, number: number, timestamp: UInt32(picture) * 3000, marker: spatial == 1, mark: mark)
        }
        #expect(take(part(1, 0, picture: 1, isKey: true)).out?.marker == true)
        #expect(take(part(2, 1, picture: 1)) == .drop(.above))
        track.select(LayerTarget(layer: 0, spatial: 1))
        #expect(track.awaitedLayer == 0)
        #expect(take(part(3, 0, picture: 2)).out == Rewritten(sequence: 1, timestamp: 3000, marker: true, number: 2, base: 0))
        #expect(take(part(4, 1, picture: 2)) == .drop(.above))
        #expect(take(part(5, 0, picture: 3, isKey: true)).out?.marker == false)
        #expect(track.awaitedLayer == nil)
        #expect(take(part(6, 1, picture: 3)).out == Rewritten(sequence: 3, timestamp: 6000, marker: true, number: 3, base: 0))
    }

    @Test("a third encoder has the place of the first: it is seen at once, wherever its numbers begin, and the line of numbers goes on")
    func places() {
        var rewriter = TrackRewriter(.opus, firstSequence: 1, firstTimestamp: 0)
        let clocks = [SourceClock](repeating: SourceClock(rate: 48_000), count: 8)
        var sequences: [UInt16] = []
        for (turn, first) in [Int64(90_000), 80_000, 70_000, 65_600].enumerated() {
            let layer: UInt8 = turn % 2 == 0 ? 4 : 0
            rewriter.select(nil)
            rewriter.forget(layer..<layer + 4)
            rewriter.select(LayerTarget(layer: layer))
            for number in first..<first + 100 {
                let timestamp = UInt32(truncatingIfNeeded: number * 960)
                let packet = SourcePacket(layer: layer, number: number, timestamp: timestamp, marker: false, mark: .sound)
                let step = rewriter.take(packet, clocks: clocks, at: Microseconds(turn) * 3 * second + (number - first) * 20 * ms)
                if let out = step.out { sequences.append(out.sequence) }
            }
        }
        #expect(sequences == (0..<400).map { UInt16($0) + 1 })
    }

    @Test("what is rewritten is written where the mark says and nowhere else")
    func written() throws {
        var payload = hex(
            ("X, S", "90"), ("I, L, T, K", "f0"), ("picture id", "8001"), ("TL0PICIDX", "07"), ("TID 2, Y, KEYIDX 5", "a5"),
            ("frame", "1002009d012a8002e001"))
        var reader = PictureReader(.vp8)
        let mark = try must(reader.read(payload))
        let rewritten = Rewritten(sequence: 0, timestamp: 0, marker: false, number: 0x7fab, base: 0xfe, keyIndex: 31)
        var span = payload.mutableSpan
        rewritten.write(mark, payload: &span)
        #expect(payload == bytes("90f0" + "ffab" + "fe" + "bf" + "1002009d012a8002e001"))
        var descriptor = bytes("860173")
        var numbered = PictureMark()
        numbered.number = PictureNumber(value: 0x173, bits: 16, place: 1)
        var descriptorSpan = descriptor.mutableSpan
        rewritten.write(numbered, descriptor: &descriptorSpan)
        #expect(descriptor == bytes("867fab"))
    }
}
