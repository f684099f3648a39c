import BondWire
import Congestion
import Crypto
import Forwarding
import ICE
import Logging
import Posix
import RTP
import SDP
import SRTP
import TLS
import Testing
import Units
import WebRTC
import Wire

@testable import SFU

/// A publisher that vanishes without a word, and those who would wait for it.
@Suite("A silent publisher", .timeLimit(.minutes(1)))
struct SilenceTests {
    private let loop: Loop
    private let worker: RoomWorker
    private let told: Told
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 2112, alignment: 16)
    private let room: RoomID = ID("0000000000000000000000000R")!

    private final class Told {
        var left: [(peer: PeerID, reason: String)] = []
    }

    init() throws {
        let told = Told()
        self.told = told
        loop = try Loop(name: "silence")
        worker = try RoomWorker(
            port: 0, bind: ["127.0.0.1"], announced: [], loop: loop, log: Log("sfu", threshold: .error),
            left: { told.left.append((peer: $0, reason: $1)) }, mayOffer: { true }, offered: { _ in })
    }

    /// A peer whose handshake is done.
    private func enter(_ letter: String) throws -> Peer {
        let other = try DTLSContext(at: 1_795_392_000)
        let server = try MediaTransport(worker.context, .server, peer: [other.fingerprint], at: worker.now)
        let client = try MediaTransport(other, .client, peer: [worker.context.fingerprint], at: worker.now)
        _ = server.start(at: worker.now)
        var forServer = client.start(at: worker.now)
        while !forServer.isEmpty {
            let answers = Self.datagrams(forServer).flatMap { server.take($0, at: worker.now) }
            forServer = Self.datagrams(answers).flatMap { client.take($0, at: worker.now) }
        }
        try #require(server.isOpen)
        let number = UInt32(worker.peers.count + 1)
        let peer = Peer(
            id: ID("0000000000000000000000000" + letter)!, room: room, owner: nil, session: SessionNumber(slot: Int(number), turn: 1),
            remoteUfrag: "abcd", fingerprints: [], transport: server, reporter: number, name: letter)
        worker.peers[peer.id] = peer
        worker.bySession[peer.session] = peer
        return peer
    }

    private static func datagrams(_ events: [MediaTransport.Event]) -> [[UInt8]] {
        events.compactMap { if case .send(let datagram) = $0 { datagram } else { nil } }
    }

    private func publisher(_ letter: String) throws -> Peer {
        let peer = try enter(letter)
        peer.incoming = [try #require(IncomingTrack(try Agreed.sections()[1]))]
        return peer
    }

    /// Fed by whoever is the first.
    private func player(_ letter: String) throws -> (peer: Peer, track: OutgoingTrack) {
        let peer = try enter(letter)
        let departures = Departures(.nothing, buffer: buffer, protection: { peer.transport.sender }, send: { _ in }, waits: {})
        peer.departures = departures
        let agreed = AgreedCodec(codec: .vp8, payloadType: 100, retransmissionType: nil, feedback: [])
        let track = OutgoingTrack(
            agreed, ExtensionMap(), source: 1, repeatSource: 0, random: 1, departures: departures, buffer: buffer, at: worker.now)
        peer.add(track)
        worker.feed(track, in: room)
        peer.choose(at: worker.now)
        return (peer, track)
    }

    /// A key frame of VP8 in one packet.
    private func sendPicture(_ peer: Peer) {
        var bytes: [UInt8] = [0x80, 0xe0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7, 0x10, 0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x00, 0x05, 0xd0, 0x02]
        bytes.withUnsafeMutableBytes { peer.take($0, at: worker.now) }
    }

    private func end() {
        loop.stop()
        buffer.deallocate()
    }

    @Test("who has got nothing of it is told, and who has stays")
    func toldToGo() throws {
        defer { end() }
        let publisher = try publisher("A")
        let old = try player("B")
        sendPicture(publisher)
        #expect(old.track.hasSent)
        let new = try player("C")
        #expect(new.track.track === publisher.incoming[0] && !new.track.hasSent)
        worker.fallSilent(publisher, at: worker.now)
        #expect(told.left.map(\.peer) == [new.peer.id] && told.left.first?.reason == RoomWorker.silence)
        #expect(worker.peers[new.peer.id] == nil && worker.peers[old.peer.id] != nil && old.track.track != nil)
    }

    @Test("where another one sends the same, whoever waits gets that, and stays")
    func another() throws {
        defer { end() }
        let (first, second) = (try publisher("A"), try publisher("B"))
        let player = try player("C")
        #expect(player.track.track === first.incoming[0])
        worker.fallSilent(first, at: worker.now)
        #expect(told.left.isEmpty && player.track.track === second.incoming[0])
        #expect(first.incoming[0].subscribers.isEmpty && second.incoming[0].subscribers.count == 1)
    }

    @Test("nobody new is let in to it, and who was left with nothing is fed once it is heard again")
    func back() throws {
        defer { end() }
        let publisher = try publisher("A")
        worker.fallSilent(publisher, at: worker.now)
        let transport = [
            "a=ice-ufrag:abcd", "a=ice-pwd:0123456789abcdefghijkl", "a=fingerprint:sha-256 \(Agreed.digest)", "a=setup:actpass",
            "a=rtcp-mux",
        ]
        let lines =
            ["v=0", "o=- 1 2 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE 0", "m=video 9 UDP/TLS/RTP/SAVPF 96", "c=IN IP4 0.0.0.0"]
            + ["a=mid:0", "a=recvonly"] + transport + ["a=rtpmap:96 VP8/90000"]
        let offer = PeerOffer(peer: ID("0000000000000000000000000D")!, room: room, offer: lines.map { $0 + "\r\n" }.joined())
        do {
            _ = try worker.play(offer)
            Issue.record("it was let in")
        } catch let refusal as RoomWorker.Refusal {
            #expect(refusal.step == .noPublisher && refusal.reason == RoomWorker.silence)
        }
        let waiting = try player("C")
        #expect(waiting.track.track == nil)
        worker.comeBack(publisher, at: worker.now)
        #expect(waiting.track.track === publisher.incoming[0])
        _ = try worker.play(offer)
        #expect(worker.peers[offer.peer] != nil)
    }
}
