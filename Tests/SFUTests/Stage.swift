import BondWire
import Congestion
import Crypto
import Forwarding
import ICE
import RTP
import SDP
import SRTP
import TLS
import Testing
import Units
import WebRTC
import Wire

@testable import SFU

/// What has left for a player, opened again as its browser would.
final class Inbox {
    struct Packet {
        let at: Microseconds
        let fields: RTPFields
        /// Of a repeat: the number of what is repeated.
        let original: UInt16?
        let startsPicture: Bool
        let isKey: Bool
        /// As the player numbers it, and as its publisher did.
        let picture: UInt16
        let taken: UInt16
    }

    private let receiver: SRTPReceiver
    private let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: 2048, alignment: 16)
    private(set) var media: [Packet] = []
    private(set) var repeats: [Packet] = []
    /// What could not be opened, or was no packet.
    private(set) var faults = 0

    init(_ receiver: SRTPReceiver) { self.receiver = receiver }

    deinit { bytes.deallocate() }

    func take(_ datagram: UnsafeRawBufferPointer, at now: Microseconds) {
        bytes.copyMemory(from: datagram)
        guard let count = try? receiver.unprotect(bytes, datagram.count),
            let header = try? RTPHeader(Span(_unsafeBytes: UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(bytes)[..<count])))
        else { return faults += 1 }
        guard !header.isPaddingOnly else { return }
        let isRepeat = header.fields.payloadType == Stage.repeatType
        let start = header.payload.lowerBound + (isRepeat ? 2 : 0)
        let startsPicture = bytes[start] & 0x10 != 0
        let packet = Packet(
            at: now, fields: header.fields, original: isRepeat ? UInt16(bytes[start - 2]) << 8 | UInt16(bytes[start - 1]) : nil,
            startsPicture: startsPicture, isKey: startsPicture && bytes[start + 4] & 1 == 0,
            picture: UInt16(bytes[start + 2] & 0x7f) << 8 | UInt16(bytes[start + 3]),
            taken: UInt16(bytes[start + 14]) << 8 | UInt16(bytes[start + 15]))
        if isRepeat { repeats.append(packet) } else { media.append(packet) }
    }

    /// When the first picture was whole that a decoder can begin with; nil before.
    var firstPicture: Microseconds? {
        guard let first = media.firstIndex(where: \.isKey) else { return nil }
        var next = media[first].fields.sequence
        for packet in media[first...] {
            guard packet.fields.sequence == next else { return nil }
            if packet.fields.marker { return packet.at }
            next &+= 1
        }
        return nil
    }

    /// Differences between one number and the next, that are not one.
    var gaps: [UInt16] { zip(media, media.dropFirst()).map { $1.fields.sequence &- $0.fields.sequence }.filter { $0 != 1 } }

    /// Pictures whose timestamp is not beyond that of the one before.
    var standstills: Int {
        let starts = media.filter(\.startsPicture)
        return zip(starts, starts.dropFirst()).count { Int32(bitPattern: $1.fields.timestamp &- $0.fields.timestamp) <= 0 }
    }
}

/// Somebody who plays the track of a stage.
final class StagePlayer {
    let peer: Peer
    let outgoing: OutgoingTrack
    let inbox: Inbox
    let cameAt: Microseconds
    private let wish: Wish

    /// Something waits for its turn.
    private final class Wish { var waits = false }

    fileprivate init(_ stage: Stage, _ feedback: Downlink.Feedback, number: UInt32) throws {
        let exported = (0..<SRTPProfile.gcm.exportedBytes).map { UInt8(truncatingIfNeeded: $0 + Int(number)) }
        let sender = SRTPSender(try #require(SRTPKeys(.gcm, exported: exported, role: .server)))
        let inbox = Inbox(SRTPReceiver(try #require(SRTPKeys(.gcm, exported: exported, role: .client))))
        self.inbox = inbox
        cameAt = stage.now
        let transport = try MediaTransport(stage.context, .server, peer: [], at: 0)
        peer = Peer(
            id: ID("0000000000000000000000000P")!, room: ID("0000000000000000000000000R")!, owner: nil,
            session: SessionNumber(slot: 0, turn: number), remoteUfrag: "abcd", fingerprints: [], transport: transport, reporter: 1,
            name: "x")
        let wish = Wish()
        self.wish = wish
        let departures = Departures(
            feedback, buffer: stage.buffer, protection: { sender },
            send: { [unowned stage] datagram in
                stage.order.append(number)
                inbox.take(datagram, at: stage.now)
            },
            waits: { wish.waits = true })
        peer.departures = departures
        let agreed = AgreedCodec(codec: .vp8, payloadType: 100, retransmissionType: Stage.repeatType, feedback: [.nack, .transport])
        var map = ExtensionMap()
        let isSet = map.set(.transportSequence, 3)
        try #require(isSet)
        outgoing = OutgoingTrack(
            agreed, map, source: 1000 + number, repeatSource: 5000 + number, random: UInt64(number) &* 0x9e37_79b9_7f4a_7c15,
            departures: departures, buffer: stage.buffer, at: stage.now)
        peer.add(outgoing)
        outgoing.feed(from: stage.track)
    }

    /// Plays it once more, beside what it plays already.
    func playAgain(_ stage: Stage, number: UInt32) throws {
        let agreed = AgreedCodec(codec: .vp8, payloadType: 100, retransmissionType: Stage.repeatType, feedback: [.nack])
        let track = OutgoingTrack(
            agreed, ExtensionMap(), source: 2000 + number, repeatSource: 6000 + number, random: UInt64(number),
            departures: try #require(peer.departures), buffer: stage.buffer, at: stage.now)
        peer.add(track)
        track.feed(from: stage.track)
    }

    /// As the worker does it a millisecond after somebody said that something waits.
    fileprivate func step(at now: Microseconds) {
        guard wish.waits else { return }
        wish.waits = false
        peer.flush(at: now)
    }
}

/// Somebody who sends one picture thirty times a second, in one layer or several, and players that come when they like. A key frame comes where
/// one was asked for, 50 ms later, and by itself never. Time goes in steps of a millisecond; nothing is real but what is tested.
final class Stage {
    static let repeatType: UInt8 = 101
    static let ms: Microseconds = 1000

    let context: DTLSContext
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 2112, alignment: 16)
    let track: IncomingTrack
    private(set) var now: Microseconds = 10_000_000
    private(set) var players: [StagePlayer] = []
    /// When a key frame was asked for.
    private(set) var asked: [Microseconds] = []
    /// To whom each datagram left, by their numbers from one on.
    fileprivate(set) var order: [UInt32] = []
    /// The number of the picture that was sent last.
    private(set) var picture: UInt16 = 100

    /// For all packets of one picture.
    private let slots = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 * Stage.slotBytes, alignment: 16)
    private let sizes: (packets: Int, keyPackets: Int, bytes: Int)
    private var steps = 0
    private var sequences: [UInt16]
    private var keyAt: [Microseconds?]

    private static let slotBytes = 1536

    /// - Parameters:
    ///   - layers: their names; none for one without a name.
    ///   - packets: of a picture that is no key frame, each of `bytes`. As a default 215 kbit/s with all headers: within the estimate with which
    ///     the way to a player begins, who here tells nothing of it.
    init(layers: [String] = [], packets: Int = 2, keyPackets: Int = 12, bytes: Int = 400) throws {
        // 2026-11-23, in Unix seconds.
        context = try DTLSContext(at: 1_795_392_000)
        var section = try Agreed.sections()[1]
        section.layers = try layers.map { try #require(Label($0)) }
        track = try #require(IncomingTrack(section))
        sizes = (packets, keyPackets, bytes)
        sequences = track.layers.map { UInt16($0.number) &* 20_000 &+ 65_000 }
        keyAt = track.layers.map { _ in nil }
        for layer in track.layers { layer.begin(UInt32(layer.number) + 7) }
    }

    deinit {
        buffer.deallocate()
        slots.deallocate()
    }

    @discardableResult
    func join(_ feedback: Downlink.Feedback) throws -> StagePlayer {
        let player = try StagePlayer(self, feedback, number: UInt32(players.count + 1))
        players.append(player)
        return player
    }

    /// The publisher's encoder has a reason of its own.
    func sendKeyFrame() { keyAt = keyAt.map { _ in now } }

    func run(_ milliseconds: Int) throws {
        for _ in 0..<milliseconds {
            now += Self.ms
            steps += 1
            if steps % 33 == 0 { try sendPicture() }
            for player in players { player.step(at: now) }
            if steps % 20 == 0 { tick() }
        }
    }

    private func tick() {
        for player in players { player.peer.advance(to: now) }
        track.demands(at: now) { layer, _, needsKeyFrame in
            guard needsKeyFrame else { return }
            asked.append(now)
            keyAt[Int(layer.number)] = now + 50 * Self.ms
        }
    }

    /// All of it comes at once, as the worker reads it.
    private func sendPicture() throws {
        picture = (picture + 1) & 0x7fff
        var slot = 0
        for layer in track.layers {
            let place = Int(layer.number)
            let isKey = keyAt[place].map { now >= $0 } ?? false
            if isKey { keyAt[place] = nil }
            let count = isKey ? sizes.keyPackets : sizes.packets
            for part in 0..<count {
                let packet = packet(of: layer, isFirst: part == 0, isLast: part == count - 1, isKey: isKey)
                let bytes = UnsafeMutableRawBufferPointer(rebasing: slots[slot * Self.slotBytes..<slot * Self.slotBytes + packet.count])
                bytes.copyBytes(from: packet)
                slot += 1
                let header = try RTPHeader(Span(_unsafeBytes: UnsafeRawBufferPointer(bytes)))
                track.accept(bytes, header, of: layer, isRepeat: false, at: now)
            }
        }
        track.forward(at: now)
    }

    private func packet(of layer: IncomingLayer, isFirst: Bool, isLast: Bool, isKey: Bool) -> [UInt8] {
        let place = Int(layer.number)
        sequences[place] &+= 1
        let (sequence, timestamp) = (sequences[place], UInt32(truncatingIfNeeded: now * 9 / 100) &+ UInt32(place) &* 1_000_000_007)
        var bytes: [UInt8] = [0x80, isLast ? 0xe0 : 0x60, UInt8(sequence >> 8), UInt8(sequence & 0xff)]
        for number in [timestamp, UInt32(place) + 7] {
            for shift in [24, 16, 8, 0] as [UInt32] { bytes.append(UInt8(truncatingIfNeeded: number >> shift)) }
        }
        bytes += [isFirst ? 0x90 : 0x80, 0x80, 0x80 | UInt8(picture >> 8), UInt8(picture & 0xff)]
        bytes += isFirst && isKey ? [0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x00, 0x05, 0xd0, 0x02] : [UInt8](repeating: 1, count: 10)
        bytes += [UInt8(picture >> 8), UInt8(picture & 0xff)]
        bytes += [UInt8](repeating: UInt8(place), count: max(0, sizes.bytes - bytes.count))
        return bytes
    }
}
