import BondWire
import RTP
import Testing

@testable import Forwarding

/// What is kept of a source for whoever comes late, and how it lies on their line of numbers and times.
@Suite struct BacklogTests {
    /// Of 90 kHz, thirty pictures in a second.
    private static let picture: UInt32 = 3000

    /// A packet that is a whole picture.
    private func packet(_ number: Int64, layer: UInt8 = 0, timestamp: UInt32? = nil, isKey: Bool = false) -> SourcePacket {
        SourcePacket(
            layer: layer, number: number, timestamp: timestamp ?? UInt32(truncatingIfNeeded: number) &* Self.picture, marker: true,
            mark: PictureMark(number: UInt16(truncatingIfNeeded: number) & 0x7fff, isKey: isKey))
    }

    private func padding(_ number: Int64) -> SourcePacket {
        SourcePacket(layer: 0, number: number, timestamp: UInt32(number) * Self.picture, marker: false, mark: nil)
    }

    // MARK: What is kept

    @Test("what is kept from the newest key frame on is known with its bytes and with what is missing of it, until the key frame is gone")
    func kept() throws {
        var cache = PacketCache(PacketCache.Limits(packets: 64, bytes: 10_000, age: 2 * second))
        #expect(cache.backlog(within: second, at: 0) == nil)
        for number in Int64(100)..<110 {
            cache.store(packet(number, isKey: number == 103), [UInt8](repeating: 1, count: 10).span, at: number * ms)
        }
        var backlog = try must(cache.backlog(within: second, at: 200 * ms))
        #expect(backlog.first == 103 && backlog.last == 109 && backlog.bytes == 70 && backlog.holes == 0 && backlog.span == 18_000)
        cache.store(packet(112), [1].span, at: 210 * ms)
        backlog = try must(cache.backlog(within: second, at: 210 * ms))
        #expect(backlog.last == 112 && backlog.bytes == 71 && backlog.holes == 2)
        // One that came late, one twice, and one from before.
        for number in [111, 111, 102] as [Int64] { cache.store(packet(number), [1, 2].span, at: 220 * ms) }
        backlog = try must(cache.backlog(within: second, at: 220 * ms))
        #expect(backlog.bytes == 73 && backlog.holes == 1)
        #expect(cache.backlog(within: second, at: 103 * ms + second + 1) == nil, "its key frame is too old")
        // A key frame whose first packet comes behind others of it.
        for number in [116, 114] as [Int64] { cache.store(packet(number), [1].span, at: 230 * ms) }
        cache.store(packet(113, isKey: true), [1, 2, 3].span, at: 231 * ms)
        backlog = try must(cache.backlog(within: second, at: 231 * ms))
        #expect(backlog.first == 113 && backlog.last == 116 && backlog.bytes == 5 && backlog.holes == 1)
        for number in Int64(117)..<177 { cache.store(packet(number), [1].span, at: 240 * ms) }
        #expect(cache.backlog(within: second, at: 240 * ms)?.first == 113)
        cache.store(packet(177), [1].span, at: 240 * ms)
        #expect(cache.backlog(within: second, at: 240 * ms) == nil, "its key frame has no place any more")
        #expect(cache.hasLost(113, at: 240 * ms) && !cache.hasLost(115, at: 240 * ms) && !cache.hasLost(178, at: 240 * ms))
    }

    @Test("a packet of padding alone is kept without bytes: it is not missing, and is nobody's picture")
    func emptyPackets() throws {
        var cache = PacketCache(.video)
        cache.store(packet(1, isKey: true), [1, 2].span, at: 0)
        let before = cache.byteCount
        for number in Int64(2)..<40 { cache.store(padding(number), [UInt8]().span, at: 0) }
        cache.store(packet(40), [3].span, at: 0)
        let backlog = try must(cache.backlog(within: second, at: 0))
        #expect(backlog.holes == 0 && backlog.bytes == 3 && cache.byteCount == before)
        let isEmpty = cache.with(2, at: 0) { packet, bytes in packet.mark == nil && bytes.isEmpty }
        let byte = cache.with(40, at: 0) { _, bytes in bytes[0] }
        #expect(isEmpty == true && byte == 3)
    }

    /// Of each codec the packets of a key frame, and a packet that is another picture.
    private static let pictures: [(codec: Codec, key: [String], other: String)] = [
        (.vp8, ["101002009d012a8002e001", "0001"], "1001"),
        (.vp9, ["28000100", "20000100"], "68000100"),
        // Parameters, and a slice, each by itself; and a delimiter before that.
        (.h264, ["6742c01f", "68ce3c80", "658880"], "419a"),
        (.av1, ["28020a003200", "90ffff"], "103200"),
    ]

    @Test("of each codec it begins with the first packet of the key frame, and all that follows is forwarded", arguments: pictures.indices)
    func codecs(index: Int) throws {
        let (codec, key, other) = Self.pictures[index]
        var reader = PictureReader(codec)
        var cache = PacketCache(.video)
        var number: Int64 = 100
        for (turn, texts) in [[other], [other], key, [other], [other]].enumerated() {
            for text in texts {
                let timestamp = UInt32(turn + 1) * Self.picture
                let payload = bytes(text)
                let mark = reader.read(payload, timestamp: timestamp)
                let packet = SourcePacket(layer: 0, number: number, timestamp: timestamp, marker: text == texts.last, mark: mark)
                cache.store(packet, payload.span, at: number * ms)
                number += 1
            }
        }
        let backlog = try must(cache.backlog(within: second, at: 200 * ms))
        #expect(backlog.first == 102 && backlog.last == number - 1 && backlog.holes == 0 && backlog.span == 6000)
        var track = TrackRewriter(codec, firstSequence: 7, firstTimestamp: 9)
        track.select(LayerTarget(layer: 0))
        var sent: [Rewritten] = []
        for number in backlog.first...backlog.last {
            let packet = try must(cache.packet(number, at: 200 * ms))
            let step = track.take(packet, of: number == backlog.first ? backlog : nil, clocks: clocks, at: 200 * ms)
            let begins = if case .begin = step { true } else { false }
            #expect(begins == (number == backlog.first))
            sent.append(try must(step.out))
        }
        #expect(sent.map(\.sequence) == (0..<sent.count).map { UInt16(7 + $0) })
        var times: [UInt32] = []
        for out in sent where out.timestamp != times.last { times.append(out.timestamp) }
        #expect(times == [9, 9 + 188, 9 + 375])
    }

    // MARK: The line of the subscriber

    private var track = TrackRewriter(.vp8, firstSequence: 100, firstTimestamp: 5000)
    private var clocks = [SourceClock](repeating: SourceClock(rate: 90_000), count: 2)

    private mutating func take(_ packet: SourcePacket, of backlog: Backlog? = nil, at now: Microseconds = 0) -> Rewritten? {
        track.take(packet, of: backlog, clocks: clocks, at: now).out
    }

    private func backlog(_ first: Int64, _ last: Int64) -> Backlog {
        let (from, to) = (packet(first).timestamp, packet(last).timestamp)
        return Backlog(first: first, last: last, firstTimestamp: from, lastTimestamp: to, bytes: 1, holes: 0)
    }

    @Test(
        "who begins a second late has numbers without a gap, no two pictures with one timestamp, and what comes then at its own distance",
        arguments: [Int64(70_000), 65_530, 4_294_967_290])
    mutating func begins(first: Int64) throws {
        let last = first + 29
        track.select(LayerTarget(layer: 0))
        var sent = [try must(take(packet(first, isKey: true), of: backlog(first, last)))]
        #expect(track.awaitedLayer == nil)
        for number in first + 1...last { sent.append(try must(take(packet(number)))) }
        // 29 pictures before the newest, in a sixteenth of the time that they took.
        #expect(sent[0].timestamp == 5000 && sent[29].timestamp == 5000 + 29 * Self.picture / 16)
        for number in last + 1...last + 60 { sent.append(try must(take(packet(number), at: (number - last) * 33 * ms))) }
        #expect(sent.map(\.sequence) == Array(100..<190 as Range<UInt16>))
        #expect(sent.map { $0.number ?? 0 } == (first..<first + 90).map { UInt16(truncatingIfNeeded: $0) & 0x7fff })
        for (before, after) in zip(sent, sent.dropFirst()) { #expect(Ticks.difference(after.timestamp, before.timestamp) > 0) }
        for (before, after) in zip(sent[29...], sent[30...]) { #expect(after.timestamp &- before.timestamp == Self.picture) }
        // What is asked for again is what was sent, and reports speak of what comes now.
        for (place, out) in sent.enumerated() {
            let origin = try must(track.origin(of: out.sequence))
            #expect(origin.number == first + Int64(place) && track.repeated(packet(origin.number)) == out)
        }
        #expect(track.timestamp(of: packet(last + 60).timestamp) == sent[89].timestamp)
    }

    @Test("what was lost of the past is a gap, which is filled on the same line; padding leaves none")
    mutating func gaps() throws {
        track.select(LayerTarget(layer: 0))
        _ = take(packet(10, isKey: true), of: backlog(10, 20))
        for number in [11, 12, 14] as [Int64] { _ = take(packet(number)) }
        #expect(take(padding(15)) == nil)
        for number in Int64(16)...22 {
            let out = try must(take(packet(number)))
            #expect(out.sequence == UInt16(89 + number))
        }
        let late = try must(take(packet(13)))
        #expect(late.sequence == 103 && late.timestamp == 5000 + 10 * Self.picture / 16 - 7 * Self.picture / 16)
        #expect(take(packet(13)) == nil)
    }

    @Test("a connection that lasts for days stays on its line")
    mutating func days() throws {
        track.select(LayerTarget(layer: 0))
        _ = take(packet(10, timestamp: 30_000, isKey: true), of: backlog(10, 20))
        _ = take(packet(20))
        var before = try must(take(packet(21)))
        // An hour each: beyond half a turn of the timestamps, and beyond a whole one.
        for turn in 1...20 as ClosedRange<Int64> {
            let out = try must(take(packet(21 + turn, timestamp: UInt32(truncatingIfNeeded: 63_000 + turn * 3600 * 90_000))))
            #expect(out.timestamp &- before.timestamp == 3600 * 90_000)
            before = out
        }
    }

    @Test("a newer key frame is begun with in place of what is left, without a gap, on the line of what comes", arguments: [true, false])
    mutating func newer(hasReports: Bool) throws {
        if hasReports { clocks[0].take(ntp: NTPTime(4_000_000_000 << 32), timestamp: 0) }
        track.select(LayerTarget(layer: 0))
        let now: Microseconds = 40 * 33_333
        _ = take(packet(10, isKey: true), of: backlog(10, 40), at: now)
        let last = try must(take(packet(11), at: now))
        track.leave()
        #expect(track.awaitedLayer == 0)
        let next = try must(take(packet(41, isKey: true), of: backlog(41, 42), at: now + 2 * 33_333))
        #expect(next.sequence == last.sequence + 1 && next.number == (last.number ?? 0) + 1)
        let live = try must(take(packet(42), at: now + 2 * 33_333))
        // Where picture 42 lies if picture 40 is where the first one's backlog has put it.
        let expected = Int64(5000 + 30 * Self.picture / 16 + 2 * Self.picture)
        let off = Int64(live.timestamp) - expected
        // Without reports it is known by when it came.
        #expect(off.magnitude < (hasReports ? 10 : 9000), "\(off) ticks")
        #expect(track.origin(of: 101)?.number == 11 && track.origin(of: 102)?.number == 41)
    }

    @Test("behind a pause the line goes on by as much as it took, and what is before the newest picture lies behind what was sent")
    mutating func pause() throws {
        track.select(LayerTarget(layer: 0))
        let before = try must(take(packet(10, isKey: true)))
        track.select(nil)
        track.select(LayerTarget(layer: 0))
        #expect(take(packet(10, isKey: true), of: backlog(10, 12), at: second) == nil, "it has had that")
        let first = try must(take(packet(310, isKey: true), of: backlog(310, 325), at: 10 * second))
        for number in Int64(311)..<325 { _ = take(packet(number), at: 10 * second) }
        let newest = try must(take(packet(325), at: 10 * second))
        #expect(newest.timestamp == before.timestamp + 900_000 && first.timestamp == newest.timestamp - 15 * Self.picture / 16)
        #expect(first.sequence == before.sequence + 1)
    }

    @Test("another layer that is begun with later lies on the line of what comes, not on that of the past")
    mutating func layers() throws {
        for index in 0..<2 { clocks[index].take(ntp: NTPTime(4_000_000_000 << 32), timestamp: 0) }
        track.select(LayerTarget(layer: 0))
        _ = take(packet(10, isKey: true), of: backlog(10, 40), at: second)
        _ = take(packet(11), at: second)
        track.select(LayerTarget(layer: 1))
        // The same picture as the newest of the other layer, and two more.
        let out = try must(take(packet(43, layer: 1, isKey: true), at: second + 100 * ms))
        let off = Int64(out.timestamp) - Int64(5000 + 30 * Self.picture / 16 + 3 * Self.picture)
        #expect(out.sequence == 102 && off.magnitude < 10, "\(off) ticks")
    }
}
