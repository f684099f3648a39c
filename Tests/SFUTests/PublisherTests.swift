import BondWire
import Forwarding
import ICE
import RTP
import SDP
import TLS
import Testing
import Units
import WebRTC
import Wire

@testable import SFU

/// What comes of the packets of somebody who sends.
@Suite("A publisher")
struct PublisherTests {
    private static let ms: Microseconds = 1000
    /// 2026-11-23, in Unix seconds.
    private static let today: Int64 = 1_795_392_000

    /// With one picture in these layers, or in one without a name.
    private func publisher(_ layers: [String]) throws -> Peer {
        var section = try Agreed.sections()[1]
        section.layers = try layers.map { try #require(Label($0)) }
        let transport = try MediaTransport(try DTLSContext(at: Self.today), .server, peer: [], at: 0)
        let peer = Peer(
            id: ID("0000000000000000000000000P")!, room: ID("0000000000000000000000000R")!, owner: nil,
            session: SessionNumber(slot: 0, turn: 1), remoteUfrag: "abcd", fingerprints: [], transport: transport, reporter: 1, name: "x")
        peer.incoming = [try #require(IncomingTrack(section))]
        let isSet = peer.extensions.set(.rid, 2)
        #expect(isSet)
        return peer
    }

    /// The beginning of a picture of VP8 that is no key frame; with the name of its layer, one letter, where it has one.
    private func packet(_ source: UInt32, _ number: UInt16, _ layer: String? = nil) -> [UInt8] {
        let first: UInt8 = layer == nil ? 0x80 : 0x90
        var bytes: [UInt8] = [first, 96, UInt8(number >> 8), UInt8(number & 0xff), 0, 0, 0, 0]
        for place in 0..<4 as Range<UInt32> { bytes.append(UInt8(truncatingIfNeeded: source >> (24 - 8 * place))) }
        // One extension of the one-byte form, with the id 2.
        if let layer { bytes += [0xbe, 0xde, 0, 1, 0x20] + Array(layer.utf8) + [0, 0] }
        bytes += [0x10, 0x01]
        return bytes
    }

    private func send(_ bytes: [UInt8], to peer: Peer, at now: Microseconds) {
        var bytes = bytes
        bytes.withUnsafeMutableBytes { peer.take($0, at: now) }
    }

    @Test("a source that follows another goes on behind it, wherever its own numbers begin")
    func follows() throws {
        let layer = IncomingLayer(0, nil, .vp8)
        func take(_ source: UInt32, _ number: UInt16) throws -> Int64? {
            var bytes = packet(source, number)
            return try bytes.withUnsafeMutableBytes { packet in
                let header = try RTPHeader(Span(_unsafeBytes: UnsafeRawBufferPointer(packet)))
                return layer.take(packet, header, at: 1000)?.0.number
            }
        }
        var last: Int64 = 0
        for (source, number) in [(1, 60_000), (2, 100), (3, 59_999), (4, 61_000), (5, 65_535), (6, 0)] as [(UInt32, UInt16)] {
            layer.begin(source)
            let taken = try #require(try take(source, number))
            #expect(taken & 0xffff == Int64(number))
            // Beyond any gap (`TrackRewriter`): whoever gets it waits for its key frame.
            #expect(last == 0 || taken - last > 3000)
            last = taken
            #expect(layer.block(at: 1000)?.extendedHighest == UInt32(number))
        }
    }

    @Test("who sends more layers than one report has blocks is told of all of them")
    func reports() throws {
        let peer = try publisher(["q", "h", "f"])
        var section = try Agreed.sections()[1]
        section.layers = try ["q", "h", "f"].map { try #require(Label($0)) }
        peer.incoming = try (0..<16).map { number in
            section.mid = "\(number)"
            return try #require(IncomingTrack(section))
        }
        for (place, layer) in peer.incoming.flatMap(\.layers).enumerated() {
            layer.begin(UInt32(place + 1))
            var bytes = packet(UInt32(place + 1), 1)
            try bytes.withUnsafeMutableBytes { packet in
                let header = try RTPHeader(Span(_unsafeBytes: UnsafeRawBufferPointer(packet)))
                _ = layer.take(packet, header, at: 1000)
            }
        }
        var told: Set<UInt32> = []
        for compound in peer.controls(clocks: { _ in PublisherClock() }, at: 2000 * Self.ms) {
            for case .receiverReport(let report) in try ControlReader.read(compound.span) { told.formUnion(report.blocks.map(\.source)) }
        }
        #expect(told == Set(1...48))
    }

    @Test("of sound that is more than any is, no more is taken than would be; what is within it all is")
    func loud() throws {
        let track = try #require(IncomingTrack(try Agreed.sections()[0]))
        let layer = track.layers[0]
        layer.begin(7)
        /// - Returns: bits per second that were taken within ten seconds.
        func flood(_ bytes: Int, each interval: Microseconds, from start: Microseconds) throws -> Int {
            _ = layer.takeFigures()
            var number: UInt16 = 0
            for now in stride(from: start, to: start + 10_000 * Self.ms, by: Int(interval)) {
                number &+= 1
                var packet = packet(7, number) + [UInt8](repeating: 0, count: bytes)
                try packet.withUnsafeMutableBytes { packet in
                    let header = try RTPHeader(Span(_unsafeBytes: UnsafeRawBufferPointer(packet)))
                    track.take(packet, header, of: layer, isRepeat: false, at: now)
                }
            }
            return layer.takeFigures().bytes * 8 / 10
        }
        // The most that Opus has, in 20 ms: 1,275 bytes and the headers.
        #expect(try flood(1275, each: 20 * Self.ms, from: 0) == (1275 + 14) * 8 * 50)
        #expect(try flood(1000, each: 100, from: 20_000 * Self.ms) < 1_200_000)
        #expect(try flood(0, each: 100, from: 40_000 * Self.ms) < 200_000)
    }

    @Test("what is asked and told without end is taken up to a bound, and again later")
    func allowance() {
        var allowance = Allowance(perSecond: 100, most: 50)
        var taken = 0
        for now in stride(from: Microseconds(0), to: 10_000 * Self.ms, by: 50) where allowance.take(at: now) { taken += 1 }
        #expect((1045...1051).contains(taken))
        let (late, much) = (allowance.take(50, at: 20_000 * Self.ms), allowance.take(1, at: 20_000 * Self.ms))
        #expect(late && !much)
    }

    @Test("layers that are sent anew again and again are heard, and what comes late of an older source is nobody's")
    func anew() throws {
        let peer = try publisher(["q", "h", "f"])
        let layers = try #require(peer.incoming.first).layers
        var now: Microseconds = 0
        for turn in 0..<400 as Range<UInt32> {
            now += 100 * Self.ms
            for (place, name) in ["q", "h", "f"].enumerated() {
                let source = 1000 + 3 * turn + UInt32(place)
                send(packet(source, 1, name), to: peer, at: now)
                #expect(layers[place].source == source)
            }
            _ = layers.map { $0.takeFigures() }
            // Late, with its name and without: it changes nothing.
            send(packet(1000 + 3 * turn - 3, 2, "q"), to: peer, at: now)
            send(packet(1000 + 3 * turn - 3, 3), to: peer, at: now)
            if turn > 0 { #expect(layers[0].takeFigures().frames == 0 && layers[0].source == 1000 + 3 * turn) }
        }
        // Where the new one is silent the old one is had again.
        now += 2000 * Self.ms
        let old: UInt32 = 1000 + 3 * 398
        send(packet(old, 4, "q"), to: peer, at: now)
        #expect(layers[0].source == old)
    }
}
