import BondWire
import ICE
import Logging
import Posix
import RTP
import Support
import TLS
import Testing
import TrackLog
import TrackSpool
import Units
import WebRTC
import Wire

@testable import SFU

/// What a worker records of a room by control's orders.
@Suite("A room that is recorded", .timeLimit(.minutes(1)))
struct RoomTakeTests {
    private let loop: Loop
    private let root: TemporaryFolder
    private let worker: RoomWorker
    private let room: RoomID = ID("0000000000000000000000000R")!
    private let recording: RecordingID = ID("0000000000000000000000000T")!

    init() throws {
        loop = try Loop(name: "worker")
        let root = try TemporaryFolder()
        self.root = root
        worker = try RoomWorker(
            port: 0, bind: ["127.0.0.1"], announced: [], recordings: root["takes"], loop: loop, log: Log("sfu", threshold: .error),
            left: { _, _ in }, mayOffer: { true }, offered: { _ in })
    }

    private var folder: TakeFolder { TakeFolder(root: root["takes"], take: recording.text) }

    private static func datagrams(_ events: [MediaTransport.Event]) -> [[UInt8]] {
        events.compactMap { if case .send(let datagram) = $0 { datagram } else { nil } }
    }

    /// Somebody whose handshake is done, and who sends sound.
    private func publisher(_ letter: String) throws -> Peer {
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
            id: ID("0000000000000000000000000" + letter)!, room: room, owner: ID("0000000000000000000000000" + letter)!,
            session: SessionNumber(slot: Int(number), turn: 1), remoteUfrag: "abcd", fingerprints: [], transport: server, reporter: number,
            name: letter)
        peer.incoming = [try #require(IncomingTrack(try Agreed.sections()[0]))]
        worker.peers[peer.id] = peer
        worker.bySession[peer.session] = peer
        return peer
    }

    private func send(_ range: Range<UInt8>, as peer: Peer) {
        for number in range {
            var bytes: [UInt8] = [0x80, 111, 0, number, 0, 0, number, 0, 0, 0, 0, 9, 0xf8, 0xff, 0xfe]
            bytes.withUnsafeMutableBytes { peer.take($0, at: worker.now) }
        }
    }

    private func end() async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            worker.endTake(of: room) { continuation.resume() }
        }
    }

    private func read(_ segment: Int, _ track: Int) throws -> (head: TrackHead?, numbers: [UInt16]) {
        var reader = LogReader()
        reader.feed(try RegularFile(folder.file(TakeFolder.Number(segment: segment, track: track)), upTo: 1 << 20).bytes)
        reader.end()
        var (head, numbers): (TrackHead?, [UInt16]) = (nil, [])
        while let item = reader.next() {
            guard case .record(let record) = item else { continue }
            if case .head(let found) = record { head = found }
            if case .packet(let packet) = record { numbers.append(packet.fields.sequence) }
        }
        return (head, numbers)
    }

    @Test("each track is a log of its own from the order on, also of who comes later, until the end is ordered")
    func tracks() async throws {
        let first = try publisher("A")
        send(0..<10, as: first)
        try worker.record(RoomTakeOrder(room: room, recording: recording))
        send(10..<20, as: first)
        let second = try publisher("B")
        worker.tap(second, at: worker.now)
        send(0..<5, as: second)
        worker.remove(first.id)
        await end()
        send(5..<9, as: second)
        #expect(worker.recorded == [])
        let (one, two) = (try read(1, 1), try read(1, 2))
        #expect(one.head?.owner == "0000000000000000000000000A" && one.numbers == (10..<20).map { UInt16($0) })
        #expect(two.head?.publisher == "0000000000000000000000000B" && two.numbers == (0..<5).map { UInt16($0) })
        worker.end()
        loop.stop()
    }

    @Test("asked again nothing changes, another recording is refused, and a take that goes on is another segment")
    func again() async throws {
        let order = RoomTakeOrder(room: room, recording: recording)
        let peer = try publisher("A")
        try worker.record(order)
        try worker.record(order)
        #expect(worker.recorded == [order])
        #expect(throws: RoomWorker.Refusal.self) {
            try worker.record(RoomTakeOrder(room: room, recording: ID("0000000000000000000000000W")!))
        }
        send(0..<3, as: peer)
        await end()
        try worker.record(order)
        send(3..<6, as: peer)
        await end()
        #expect(try folder.logs().map(\.segment) == [1, 2])
        #expect(try read(2, 1).numbers == [3, 4, 5])
        worker.end()
        loop.stop()
    }

    @Test("a worker without a folder for recordings says so")
    func nowhere() throws {
        let other = try RoomWorker(
            port: 0, bind: ["127.0.0.1"], announced: [], loop: loop, log: Log("sfu", threshold: .error), left: { _, _ in },
            mayOffer: { true }, offered: { _ in })
        #expect(throws: RoomWorker.Refusal.self) { try other.record(RoomTakeOrder(room: room, recording: recording)) }
        loop.stop()
    }
}
