import BondWire
import Forwarding
import RTP
import Testing
import TrackLog

@testable import Frames

private let ms: Microseconds = 1000
private let second: Microseconds = 1_000_000

private func packet(_ sequence: UInt16, _ timestamp: UInt32 = 0, at: Microseconds = 0, marker: Bool = false, _ payload: [UInt8] = [1])
    -> LoggedPacket
{
    LoggedPacket(
        at: at, layer: 0, fields: RTPFields(marker: marker, payloadType: 96, sequence: sequence, timestamp: timestamp, source: 1),
        payload: payload)
}

/// The order in which packets were sent.
@Suite struct PacketOrderTests {
    private static func order(_ packets: [LoggedPacket]) -> [(number: UInt16, followsGap: Bool)] {
        var order = PacketOrder()
        var ordered: [PacketOrder.Ordered] = []
        for packet in packets { ordered += order.take(packet) }
        return (ordered + order.end()).map { ($0.packet.fields.sequence, $0.followsGap) }
    }

    @Test("what is late is put where it belongs, over a wrap of the numbers too, and what comes twice counts once")
    func late() {
        let order = Self.order([65_533, 65_535, 65_534, 1, 65_535, 0, 2, 1].map { packet($0) })
        #expect(order.map { $0.number } == [65_533, 65_534, 65_535, 0, 1, 2])
        #expect(!order.contains { $0.followsGap })
    }

    @Test("what is lost is given up after three seconds, and the next says that something is missing")
    func lost() {
        let packets = (0..<300).filter { $0 != 100 && $0 != 101 }.map { packet(UInt16($0), at: Int64($0) * 20 * ms) }
        var order = PacketOrder()
        var count = 0
        for packet in packets {
            let ordered = order.take(packet)
            count += ordered.count
            let number = Int(packet.fields.sequence)
            if number > 101, number <= 252 { #expect(ordered.isEmpty) }
            #expect(!ordered.contains { $0.followsGap && $0.packet.fields.sequence != 102 })
        }
        #expect(count == packets.count)
    }

    @Test("at the end all is given, with its gaps")
    func end() {
        let order = Self.order([5, 6, 9, 8, 12].map { packet($0) })
        #expect(order.map { $0.number } == [5, 6, 8, 9, 12])
        #expect(order.map { $0.followsGap } == [false, false, true, false, true])
    }

    @Test("numbers that begin anew are another beginning; a single stray one is nobody's")
    func anew() {
        let order = Self.order([20_000, 20_001, 7, 20_002, 100, 101, 102].map { packet($0) })
        #expect(order.map { $0.number } == [20_000, 20_001, 20_002, 100, 101, 102])
        #expect(order.map { $0.followsGap } == [false, false, false, true, false, false])
    }
}

/// Frames, whole or not at all.
@Suite struct FrameAssemblerTests {
    /// As the recorder writes it: a descriptor with a picture id, and a key frame's header or another's.
    private static func vp8(_ isFirst: Bool, isKey: Bool = false, _ mark: UInt8) -> [UInt8] {
        let head: [UInt8] = [isFirst ? 0x90 : 0x80, 0x80, 0x81, 0x02]
        return head + (isFirst && isKey ? [0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x00, 0x05, 0xd0, 0x02] : [0x11]) + [mark]
    }

    private static func frames(
        _ codec: Codec, _ packets: [LoggedPacket], gapsAt: Set<UInt16> = []
    ) -> (frames: [EncodedFrame], dropped: Int) {
        var assembler = FrameAssembler(codec)
        var frames: [EncodedFrame] = []
        for packet in packets {
            frames += assembler.take(PacketOrder.Ordered(packet: packet, followsGap: gapsAt.contains(packet.fields.sequence)))
        }
        return (frames, assembler.dropped)
    }

    @Test("a picture of VP8 is its packets without their descriptors, and begins with a key frame")
    func vp8() {
        let (frames, dropped) = Self.frames(
            .vp8,
            [
                packet(1, 1000, marker: true, Self.vp8(true, 9)),
                packet(2, 4000, at: 7, Self.vp8(true, isKey: true, 1)), packet(3, 4000, marker: true, Self.vp8(false, 2)),
                packet(4, 4000, []), packet(5, 7000, marker: true, Self.vp8(true, 3)),
            ])
        #expect(dropped == 1)
        #expect(frames.map(\.timestamp) == [4000, 7000] && frames.map(\.isKey) == [true, false])
        #expect(frames.first?.bytes == [0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x00, 0x05, 0xd0, 0x02, 1, 0x11, 2])
        #expect(frames.first?.at == 7 && frames.last?.bytes == [0x11, 3])
    }

    @Test("of what was damaged nothing is shown up to the next key frame, which says so")
    func damaged() {
        let key = packet(1, 0, marker: true, Self.vp8(true, isKey: true, 1))
        let (frames, dropped) = Self.frames(
            .vp8,
            [
                key, packet(2, 3000, marker: true, Self.vp8(true, 2)),
                // Its beginning is missing; the next one depends on it.
                packet(4, 6000, marker: true, Self.vp8(false, 3)), packet(5, 9000, marker: true, Self.vp8(true, 4)),
                packet(6, 12_000, marker: true, Self.vp8(true, isKey: true, 5)),
            ], gapsAt: [4])
        #expect(frames.map(\.timestamp) == [0, 3000, 12_000] && dropped == 2)
        #expect(frames.map(\.followsGap) == [false, false, true])
    }

    @Test("units of H.264 come apart and together, behind start codes")
    func h264() {
        let stap: [UInt8] = [0x78, 0, 4, 0x67, 0x42, 0xc0, 0x1f, 0, 2, 0x68, 0xce]
        let (frames, dropped) = Self.frames(
            .h264,
            [
                packet(1, 0, stap), packet(2, 0, [0x7c, 0x85, 0x88, 1, 2]), packet(3, 0, [0x7c, 0x05, 3]),
                packet(4, 0, marker: true, [0x7c, 0x45, 4]), packet(5, 3000, marker: true, [0x41, 0x9a, 5]),
            ])
        #expect(dropped == 0 && frames.map(\.isKey) == [true, false])
        #expect(
            frames.first?.bytes == [
                0, 0, 0, 1, 0x67, 0x42, 0xc0, 0x1f, 0, 0, 0, 1, 0x68, 0xce, 0, 0, 0, 1, 0x65, 0x88, 1, 2, 3, 4,
            ])
        #expect(frames.last?.bytes == [0, 0, 0, 1, 0x41, 0x9a, 5])
    }

    @Test("a unit of H.264 that lacks its beginning or its end is no picture")
    func torn() {
        for lost in [2, 3, 4] as [UInt16] {
            let packets = [
                packet(1, 0, [0x67, 0x42]), packet(2, 0, [0x7c, 0x85, 0x88]), packet(3, 0, [0x7c, 0x05, 3]),
                packet(4, 0, marker: true, [0x7c, 0x45, 4]), packet(5, 3000, marker: true, [0x41, 0x9a, 5]),
            ].filter { $0.fields.sequence != lost }
            #expect(Self.frames(.h264, packets, gapsAt: [lost + 1]).frames.isEmpty, "without \(lost)")
        }
    }

    @Test("each packet of Opus is a frame, as long as it says")
    func opus() {
        let (frames, _) = Self.frames(.opus, [packet(1, 0, [0xf8, 1]), packet(2, 960, []), packet(5, 2880, [0x0b, 2])], gapsAt: [5])
        #expect(frames.map(\.bytes) == [[0xf8, 1], [0x0b, 2]] && frames.map(\.followsGap) == [false, true])
        let durations: [(bytes: [UInt8], duration: Microseconds?)] = [
            ([], nil), ([0xf8], 20_000), ([0xe0], 2500), ([0x18], 60_000), ([0x79], 40_000), ([0xfb, 3], 60_000), ([0xfb], nil),
            ([0xfb, 0], nil), ([0x1b, 3], nil),
        ]
        for (bytes, duration) in durations { #expect(OpusPacket.duration(bytes) == duration, "\(bytes)") }
        #expect(OpusPacket.duration(OpusPacket.silence) == OpusPacket.silenceTime)
    }
}

/// Where frames lie in a file.
@Suite struct FileLineTests {
    @Test("a file begins with what came first, and sound and picture keep their distance")
    func distance() {
        var line = FileLine(hasSound: true)
        let picture = line.picture(at: 50 * second)
        #expect(picture == FileLine.Placed(time: 0))
        let sound = line.sound(at: 50 * second + 40 * ms, duration: 20 * ms)
        #expect(sound == FileLine.Placed(time: 40 * ms))
        #expect(line.zero == 50 * second)
    }

    @Test("where nobody was heard there is silence, so that sound has no holes")
    func silence() {
        var line = FileLine(hasSound: true)
        _ = line.sound(at: 0, duration: 20 * ms)
        let placed = line.sound(at: 500 * ms, duration: 20 * ms)
        #expect(placed.time == 500 * ms)
        #expect(placed.silences == (1..<25).map { Microseconds($0) * 20 * ms })
    }

    @Test("while a picture goes on without sound, silence follows it, and both end together")
    func muted() {
        var line = FileLine(hasSound: true)
        _ = line.sound(at: 0, duration: 20 * ms)
        var silences: [Microseconds] = []
        for index in 0..<90 { silences += line.picture(at: Microseconds(index) * 33 * ms + 10 * ms).silences }
        #expect(silences.count > 90 && silences.last.map { $0 <= 2800 * ms } == true)
        silences += line.finish()
        #expect(zip(silences, silences.dropFirst()).allSatisfy { $1 - $0 == 20 * ms })
        #expect(line.length - (silences.last ?? 0) <= 40 * ms)
    }

    @Test("time in which there is nothing is jumped over, and told")
    func skip() {
        var line = FileLine(hasSound: true)
        for index in 0..<50 { _ = line.sound(at: Microseconds(index) * 20 * ms, duration: 20 * ms) }
        let after = line.sound(at: 61 * second, duration: 20 * ms)
        #expect(after.time == second + 40 * ms)
        #expect(line.skips == [FileLine.Skip(at: second, missing: 60 * second - 40 * ms)])
        // A second picture's way is as before.
        let picture = line.picture(at: 61 * second + 20 * ms)
        #expect(picture.time == second + 60 * ms)
    }

    @Test("times that step back are put behind what is there")
    func back() {
        var line = FileLine(hasSound: false)
        _ = line.picture(at: 10 * second)
        _ = line.picture(at: 11 * second)
        let picture = line.picture(at: 10 * second + 500 * ms)
        #expect(picture.time == second + ms)
        let silences = line.finish()
        #expect(silences.isEmpty)
    }
}
