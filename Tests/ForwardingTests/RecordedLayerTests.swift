import Testing

@testable import Forwarding

/// What of a track's layers is written down.
@Suite struct RecordedLayerTests {
    private static func packet(_ layer: UInt8, _ number: Int64, isKey: Bool = false) -> SourcePacket {
        SourcePacket(
            layer: layer, number: number, timestamp: 0, marker: false, mark: PictureMark(number: UInt16(number & 0x7fff), isKey: isKey))
    }

    private static func take(_ packets: [SourcePacket], _ layers: inout RecordedLayer) -> [RecordedLayer.Step] {
        var steps: [RecordedLayer.Step] = []
        for packet in packets { steps.append(layers.take(packet)) }
        return steps
    }

    @Test("it begins with a key frame, and goes on in any order from there")
    func begins() {
        var layers = RecordedLayer(.vp8)
        #expect(layers.awaited == 0)
        // What came before the key frame helps nobody.
        let steps = Self.take(
            [
                Self.packet(0, 100), Self.packet(0, 102, isKey: true), Self.packet(0, 104), Self.packet(0, 103), Self.packet(0, 101),
            ], &layers)
        #expect(steps == [.drop, .begin, .take, .take, .drop])
        #expect(layers.awaited == nil)
    }

    @Test("another layer takes over at its key frame, the one before goes on until then, and what is late of that is taken too")
    func switches() {
        var layers = RecordedLayer(.vp8)
        _ = layers.take(Self.packet(0, 100, isKey: true))
        layers.want(1)
        #expect(layers.awaited == 1)
        let up = Self.take(
            [
                Self.packet(1, 5000), Self.packet(0, 103), Self.packet(1, 5003, isKey: true), Self.packet(0, 104), Self.packet(0, 102),
                Self.packet(1, 5004),
            ], &layers)
        #expect(up == [.drop, .take, .begin, .drop, .take, .take])
        #expect(layers.awaited == nil)
        // And back: the key frame with which it began before is late, and none to begin with.
        layers.want(0)
        let late = layers.take(Self.packet(0, 100, isKey: true))
        #expect(late == .take && layers.awaited == 0)
        let down = layers.take(Self.packet(0, 200, isKey: true))
        #expect(down == .begin)
    }

    @Test("numbers that jump, as of another source, and a pause begin anew with a key frame")
    func anew() {
        var layers = RecordedLayer(.h264)
        let steps = Self.take(
            [Self.packet(0, 100, isKey: true), Self.packet(0, 200_000), Self.packet(0, 200_001, isKey: true)], &layers)
        #expect(steps == [.begin, .drop, .begin])
        layers.leave()
        let after = layers.take(Self.packet(0, 200_002))
        #expect(after == .drop && layers.awaited == 0)
    }

    @Test("of sound all is taken")
    func sound() {
        var layers = RecordedLayer(.opus)
        #expect(layers.awaited == nil)
        let step = layers.take(SourcePacket(layer: 0, number: 5, timestamp: 0, marker: false, mark: .sound))
        #expect(step == .take)
    }
}
