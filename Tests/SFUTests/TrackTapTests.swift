import BondWire
import Forwarding
import Logging
import Posix
import RTP
import Support
import Testing
import TrackLog
import TrackSpool

@testable import SFU

/// The recorder as one more of those who get a track.
@Suite("A track that is recorded", .timeLimit(.minutes(1)))
struct TrackTapTests {
    /// A take of the stage's track, as the worker makes one.
    private final class Take {
        let root: TemporaryFolder
        let folder: TakeFolder
        let writer: TakeWriter
        private let loop: Loop

        init(_ stage: Stage) throws {
            root = try TemporaryFolder()
            folder = TakeFolder(root: root.path, take: "t")
            loop = try Loop(name: "take")
            writer = TakeWriter(folder, loop: loop, log: Log("test", threshold: .error, write: { _ in }))
            let head = TrackHead(codec: .vp8, at: stage.now, unixMs: 0, segment: 0, publisher: "p", owner: "", name: "1")
            let number = try #require(writer.begin(head))
            stage.track.tap = TrackTap(writer, number, codec: .vp8, payloadType: 100)
        }

        deinit { loop.stop() }

        /// What was written of it, without its head.
        func end() async throws -> [LogRecord] {
            let writer = writer
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in writer.close { continuation.resume() } }
            var reader = LogReader()
            reader.feed(try RegularFile(folder.file(TakeFolder.Number(segment: 1, track: 1)), upTo: 1 << 26).bytes)
            reader.end()
            var records: [LogRecord] = []
            while let item = reader.next() {
                guard case .record(let record) = item else { throw TakeFault.diskFull }
                records.append(record)
            }
            return Array(records.dropFirst())
        }
    }

    /// As the worker does each tenth of a second.
    private static func run(_ stage: Stage, _ milliseconds: Int) throws {
        for _ in 0..<milliseconds / 100 {
            try stage.run(100)
            stage.track.tap?.choose(stage.track.offers(at: stage.now))
        }
    }

    private static func startsKey(_ packet: LoggedPacket) -> Bool {
        var reader = PictureReader(.vp8)
        let mark = reader.read(packet.payload.span, timestamp: packet.fields.timestamp)
        return mark?.startsPicture == true && mark?.isKey == true
    }

    private static func packets(_ records: [LogRecord]) -> [LoggedPacket] {
        records.compactMap { record -> LoggedPacket? in if case .packet(let packet) = record { packet } else { nil } }
    }

    @Test("it asks for a key frame, has each packet from there on under its publisher's numbers, and nobody else notices")
    func records() async throws {
        let stage = try Stage()
        let take = try Take(stage)
        try Self.run(stage, 3000)
        #expect(stage.asked.count == 1)
        stage.track.untap(at: stage.now)
        let records = try await take.end()
        let packets = Self.packets(records)
        let first = try #require(packets.first)
        #expect(Self.startsKey(first) && packets.count > 150)
        for (before, after) in zip(packets, packets.dropFirst()) {
            #expect(after.fields.sequence == before.fields.sequence &+ 1 && after.at >= before.at)
        }
        #expect(records.last == .event(LoggedEvent(at: stage.now, kind: .ended)))
        #expect(packets.allSatisfy { $0.fields.source == 7 && $0.fields.payloadType == 100 })
        #expect(take.writer.condition.lost == 0)
    }

    @Test("while it is held nothing of it is written down, and it goes on with a key frame")
    func held() async throws {
        let stage = try Stage()
        let take = try Take(stage)
        try Self.run(stage, 1000)
        let heldAt = stage.now
        stage.track.hold(true, at: heldAt)
        try Self.run(stage, 1000)
        let releasedAt = stage.now
        stage.track.hold(false, at: releasedAt)
        try Self.run(stage, 1500)
        stage.track.untap(at: stage.now)
        let records = try await take.end()
        #expect(records.contains(.event(LoggedEvent(at: heldAt, kind: .held))))
        #expect(records.contains(.event(LoggedEvent(at: releasedAt, kind: .released))))
        let packets = Self.packets(records)
        #expect(!packets.contains { $0.at > heldAt && $0.at < releasedAt })
        let next = try #require(packets.first { $0.at >= releasedAt })
        #expect(Self.startsKey(next))
    }

    @Test("of a simulcast one layer after the other is written down, never two at once")
    func layers() async throws {
        let stage = try Stage(layers: ["l", "h"])
        let take = try Take(stage)
        try Self.run(stage, 3000)
        stage.track.untap(at: stage.now)
        let packets = Self.packets(try await take.end())
        var sources: [UInt32] = []
        for packet in packets where sources.last != packet.fields.source {
            #expect(Self.startsKey(packet))
            sources.append(packet.fields.source)
        }
        #expect(packets.count > 100 && sources.count == Set(sources).count)
    }
}
