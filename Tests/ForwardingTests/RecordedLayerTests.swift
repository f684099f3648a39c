import Testing

@testable import Forwarding

/// What of a track's layers is written down.
@Suite struct RecordedLayerTests {
    private static func packet(_ layer: UInt8, _ number: Int64, isKey: Bool = false) -> SourcePacket {
        SourcePacket(
            layer: layer, number: number, timestamp: 0, marker: false, mark: PictureMark(number: UInt16(number & 0x7fff), isKey: isKey))
    }

    @Test("it begins with a key frame, and goes on in any order from there")
    func begins() {
        var layers = RecordedLayer(.vp8)
        #expect(layers.awaited == 0)
        #expect(layers.take(Self.packet(0, 100)) == .drop)
        #expect(layers.take(Self.packet(0, 102, isKey: true)) == .begin)
        #expect(layers.awaited == nil)
        #expect(layers.take(Self.packet(0, 104)) == .take && layers.take(Self.packet(0, 103)) == .take)
        // What came before the key frame helps nobody.
        #expect(layers.take(Self.packet(0, 101)) == .drop)
    }

    @Test("another layer takes over at its key frame, the one before goes on until then, and what is late of that is taken too")
    func switches() {
        var layers = RecordedLayer(.vp8)
        _ = layers.take(Self.packet(0, 100, isKey: true))
        layers.want(1)
        #expect(layers.awaited == 1)
        #expect(layers.take(Self.packet(1, 5000)) == .drop && layers.take(Self.packet(0, 103)) == .take)
        #expect(layers.take(Self.packet(1, 5003, isKey: true)) == .begin)
        #expect(layers.awaited == nil)
        #expect(layers.take(Self.packet(0, 104)) == .drop && layers.take(Self.packet(0, 102)) == .take)
        #expect(layers.take(Self.packet(1, 5004)) == .take)
        // And back: the key frame from which it was left is not one again.
        layers.want(0)
        #expect(layers.take(Self.packet(0, 100, isKey: true)) == .take)
        #expect(layers.awaited == 0)
        #expect(layers.take(Self.packet(0, 200, isKey: true)) == .begin)
    }

    @Test("numbers that jump, as of another source, and a pause begin anew with a key frame")
    func anew() {
        var layers = RecordedLayer(.h264)
        _ = layers.take(Self.packet(0, 100, isKey: true))
        #expect(layers.take(Self.packet(0, 200_000)) == .drop && layers.awaited == 0)
        #expect(layers.take(Self.packet(0, 200_001, isKey: true)) == .begin)
        layers.leave()
        #expect(layers.take(Self.packet(0, 200_002)) == .drop)
    }

    @Test("of sound all is taken")
    func sound() {
        var layers = RecordedLayer(.opus)
        #expect(layers.awaited == nil)
        let packet = SourcePacket(layer: 0, number: 5, timestamp: 0, marker: false, mark: .sound)
        #expect(layers.take(packet) == .take)
    }
}
