import BondWire
import Congestion
import Forwarding
import RTP
import SDP
import Testing

@testable import SFU

/// When a layer of a simulcast is sent no more, and who hears of it.
@Suite("Layers")
struct LayerTests {
    private static let ms: Microseconds = 1000

    /// A publisher of three layers, thirty pictures a second, each a packet.
    private struct Publisher {
        let track: IncomingTrack
        private(set) var now: Microseconds = 1_000_000
        private var number: UInt16 = 0

        init() throws {
            var section = try Agreed.sections()[1]
            section.layers = try ["q", "h", "f"].map { try #require(Label($0)) }
            track = try #require(IncomingTrack(section))
        }

        var sent: [UInt8] { track.layers.filter { $0.isSent(at: now) }.map(\.number) }

        /// How often it is asked for a key frame meanwhile, by ticks of 20 ms.
        mutating func pause(_ seconds: Int) -> Int {
            var asked = 0
            for _ in 0..<50 * seconds {
                now += 20 * LayerTests.ms
                track.demands(at: now) { _, _, needsKeyFrame in if needsKeyFrame { asked += 1 } }
            }
            return asked
        }

        mutating func send(_ pictures: Int, of layers: ClosedRange<Int>) throws {
            for _ in 0..<pictures {
                now += 33 * LayerTests.ms
                number += 1
                for layer in layers { try send(track.layers[layer]) }
            }
        }

        private func send(_ layer: IncomingLayer) throws {
            // RTP: version, payload type, number, time, source; VP8: the beginning of a picture that is no key frame.
            var bytes: [UInt8] = [0x80, 96, UInt8(number >> 8), UInt8(number & 0xff), 0, 0, 0, 0, 0, 0, 0, layer.number + 1, 0x10, 0x01]
            let (now, track) = (now, track)
            try bytes.withUnsafeMutableBytes { packet in
                let header = try RTPHeader(Span(_unsafeBytes: UnsafeRawBufferPointer(packet)))
                track.take(packet, header, of: layer, isRepeat: false, at: now)
            }
        }
    }

    @Test("a layer is over when the others have gone on without it for a fifth of a second, not when an encoder left out a few pictures")
    func ends() throws {
        var publisher = try Publisher()
        try publisher.send(30, of: 0...2)
        #expect(publisher.sent == [0, 1, 2])
        try publisher.send(4, of: 0...1)
        #expect(publisher.sent == [0, 1, 2])
        try publisher.send(1, of: 0...2)
        try publisher.send(7, of: 0...1)
        #expect(publisher.sent == [0, 1])
        try publisher.send(1, of: 0...2)
        #expect(publisher.sent == [0, 1, 2])
        // The only one that is sent has nobody to be compared with.
        try publisher.send(7, of: 2...2)
        #expect(publisher.sent == [2])
    }

    @Test("a layer that is over is offered to nobody, and whoever gets its track chooses anew without waiting")
    func told() throws {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 2048, alignment: 16)
        defer { buffer.deallocate() }
        var publisher = try Publisher()
        let departures = Departures(.transport, buffer: buffer, protection: { nil }, send: { _ in }, waits: {})
        let agreed = AgreedCodec(codec: .vp8, payloadType: 96, retransmissionType: nil, feedback: [])
        let player = OutgoingTrack(
            agreed, ExtensionMap(), source: 1, repeatSource: 2, random: 1, departures: departures, buffer: buffer, at: 0)
        player.feed(from: publisher.track)
        try publisher.send(30, of: 0...2)
        try publisher.send(6, of: 0...1)
        #expect(publisher.track.offers(at: publisher.now).contains { $0.target.layer == 2 })
        _ = departures.choose([], at: publisher.now)
        #expect(!departures.isDue(at: publisher.now + 33 * Self.ms))
        try publisher.send(1, of: 0...1)
        #expect(departures.isDue(at: publisher.now))
        #expect(!publisher.track.offers(at: publisher.now).contains { $0.target.layer == 2 })
    }

    @Test("a publisher that pauses is asked for a key frame some times and no more; again when it goes on, and for whoever is new")
    func paused() throws {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 2048, alignment: 16)
        defer { buffer.deallocate() }
        var publisher = try Publisher()
        let departures = Departures(.nothing, buffer: buffer, protection: { nil }, send: { _ in }, waits: {})
        let agreed = AgreedCodec(codec: .vp8, payloadType: 96, retransmissionType: nil, feedback: [])
        let players = (1...2 as ClosedRange<UInt32>).map { source in
            OutgoingTrack(
                agreed, ExtensionMap(), source: source, repeatSource: 0, random: 1, departures: departures, buffer: buffer, at: 0)
        }
        players[0].feed(from: publisher.track)
        players[0].select(LayerTarget(layer: 0))
        // Nobody knows yet whom to ask.
        #expect(publisher.pause(2) == 0)
        publisher.track.layers[0].begin(7)
        try publisher.send(30, of: 0...0)
        let asked = publisher.pause(60)
        #expect((5...12).contains(asked))
        #expect(publisher.pause(60) == 0)
        try publisher.send(1, of: 0...0)
        #expect(publisher.pause(2) > 0)
        _ = publisher.pause(60)
        players[1].feed(from: publisher.track)
        players[1].select(LayerTarget(layer: 0))
        #expect(publisher.pause(2) > 0)
    }

    @Test("sound that came first has numbers as soon as pictures say how the way is known")
    func numbered() throws {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 2048, alignment: 16)
        defer { buffer.deallocate() }
        var section = try Agreed.sections()[0]
        _ = section.extensions.set(.transportSequence, 3)
        section.codecs[0].feedback = [.transport]
        let departures = Departures(.nothing, buffer: buffer, protection: { nil }, send: { _ in }, waits: {})
        let sound = OutgoingTrack(
            section.codecs[0], section.extensions, source: 1, repeatSource: 0, random: 1, departures: departures, buffer: buffer, at: 0)
        #expect(sound.header.stamp == nil)
        departures.begin(.transport)
        sound.stamp()
        // Behind the header, the four bytes of the extensions and the id.
        #expect(sound.header.stamp == 17)
    }
}
