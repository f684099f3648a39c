import Glibc
import Logging
import Posix
import RTP
import Support
import Testing

@testable import TrackLog
@testable import TrackSpool

/// A take on a disk of its own, from its first packet to the files that are read.
@Suite(.timeLimit(.minutes(1)))
struct TakeWriterTests {
    /// A disk that a test can fill.
    private final class Disk: Sendable {
        let isFull = Guarded(false)
        func mayWrite(_: String) throws -> Bool { !isFull.withLock { $0 } }
    }

    private static func head(_ name: String) -> TrackHead {
        TrackHead(codec: .opus, at: 1_000_000, unixMs: 1_795_392_000_000, segment: 0, publisher: "p", owner: "o", name: name)
    }

    private static func writer(_ folder: TakeFolder, _ disk: Disk = Disk()) throws -> (TakeWriter, Loop) {
        let loop = try Loop(name: "take")
        let log = Log("test", threshold: .error, write: { _ in })
        return (TakeWriter(folder, loop: loop, log: log, mayWrite: { try disk.mayWrite($0) }), loop)
    }

    private static func append(_ range: Range<Int>, to track: Int, of writer: TakeWriter, bytes: Int = 40) {
        let payload = [UInt8](repeating: 7, count: bytes)
        for number in range {
            let fields = RTPFields(
                payloadType: 111, sequence: UInt16(truncatingIfNeeded: number), timestamp: UInt32(truncatingIfNeeded: number * 960),
                source: 9)
            payload.withUnsafeBytes { writer.append(fields, layer: 0, $0, at: Int64(number) * 20_000, to: track) }
        }
    }

    private static func close(_ writer: TakeWriter) async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in writer.close { continuation.resume() } }
    }

    /// What a log has, and how many bytes of it are nothing.
    private static func read(_ path: String) throws -> (records: [LogRecord], damaged: Int) {
        var reader = LogReader()
        reader.feed(try RegularFile(path, upTo: 1 << 26).bytes)
        reader.end()
        var (records, damaged): ([LogRecord], Int) = ([], 0)
        while let item = reader.next() {
            switch item {
            case .record(let record): records.append(record)
            case .damage(let bytes): damaged += bytes
            }
        }
        return (records, damaged)
    }

    private static func numbers(_ records: [LogRecord]) -> [UInt16] {
        records.compactMap { record -> UInt16? in if case .packet(let packet) = record { packet.fields.sequence } else { nil } }
    }

    @Test("what came lies in a file for each track, behind a head that says whose it is")
    func tracks() async throws {
        let root = try TemporaryFolder()
        let folder = TakeFolder(root: root.path, take: "t")
        let (writer, loop) = try Self.writer(folder)
        defer { loop.stop() }
        let first = try #require(writer.begin(Self.head("0")))
        let second = try #require(writer.begin(Self.head("1")))
        Self.append(0..<500, to: first, of: writer)
        Self.append(100..<120, to: second, of: writer)
        writer.append(.report(LoggedReport(at: 5, source: 9, time: NTPTime(77), timestamp: 8)), to: second)
        writer.end(first, at: 99)
        await Self.close(writer)
        #expect(try folder.logs() == [TakeFolder.Number(segment: 1, track: 1), TakeFolder.Number(segment: 1, track: 2)])
        let (records, damaged) = try Self.read(folder.file(TakeFolder.Number(segment: 1, track: 1)))
        var head = Self.head("0")
        head.segment = 1
        #expect(records.first == .head(head) && damaged == 0)
        #expect(Self.numbers(records) == (0..<500).map { UInt16($0) })
        #expect(records.last == .event(LoggedEvent(at: 99, kind: .ended)))
        let other = try Self.read(folder.file(TakeFolder.Number(segment: 1, track: 2)))
        #expect(other.records.count == 22 && Self.numbers(other.records) == (100..<120).map { UInt16($0) })
        #expect(writer.condition.state == .writing && writer.condition.lost == 0)
        // Nothing is taken any more.
        #expect(writer.begin(Self.head("2")) == nil)
    }

    @Test("another life of the worker is another segment, and leaves what is there as it is")
    func segments() async throws {
        let root = try TemporaryFolder()
        let folder = TakeFolder(root: root.path, take: "t")
        var sizes: [Int] = []
        for life in 1...3 {
            let (writer, loop) = try Self.writer(folder)
            defer { loop.stop() }
            let track = try #require(writer.begin(Self.head("0")))
            Self.append(0..<10 * life, to: track, of: writer)
            await Self.close(writer)
            sizes.append(try RegularFile(folder.file(TakeFolder.Number(segment: life, track: 1)), upTo: 1 << 20).bytes.count)
        }
        #expect(try folder.logs().map(\.segment) == [1, 2, 3])
        for life in 1...3 {
            let path = folder.file(TakeFolder.Number(segment: life, track: 1))
            #expect(try RegularFile(path, upTo: 1 << 20).bytes.count == sizes[life - 1])
            guard case .head(let head) = try Self.read(path).records.first else {
                Issue.record("no head")
                continue
            }
            #expect(head.segment == UInt32(life))
        }
    }

    @Test("a full disk is named, and costs nothing of what has room to wait until it is not any more")
    func full() async throws {
        let root = try TemporaryFolder()
        let (folder, disk) = (TakeFolder(root: root.path, take: "t"), Disk())
        disk.isFull.withLock { $0 = true }
        let (writer, loop) = try Self.writer(folder, disk)
        defer { loop.stop() }
        let track = try #require(writer.begin(Self.head("0")))
        Self.append(0..<5, to: track, of: writer)
        while writer.condition.state != .failing { try await Task.sleep(for: .milliseconds(20)) }
        #expect(writer.condition.reason == "less than 1 % of the disk is free")
        Self.append(5..<10, to: track, of: writer)
        writer.end(track, at: 7)
        disk.isFull.withLock { $0 = false }
        // It is tried again after five seconds.
        while writer.condition.state != .writing { try await Task.sleep(for: .milliseconds(100)) }
        await Self.close(writer)
        let (records, damaged) = try Self.read(folder.file(TakeFolder.Number(segment: 1, track: 1)))
        #expect(Self.numbers(records) == (0..<10).map { UInt16($0) } && damaged == 0 && writer.condition.lost == 0)
        #expect(records.last == .event(LoggedEvent(at: 7, kind: .ended)))
    }

    @Test("a disk that is full until the end costs what waited for it, and that is counted")
    func fullAtTheEnd() async throws {
        let root = try TemporaryFolder()
        let (folder, disk) = (TakeFolder(root: root.path, take: "t"), Disk())
        let (writer, loop) = try Self.writer(folder, disk)
        defer { loop.stop() }
        let first = try #require(writer.begin(Self.head("0")))
        Self.append(0..<5, to: first, of: writer)
        while writer.condition.state != .writing { try await Task.sleep(for: .milliseconds(20)) }
        disk.isFull.withLock { $0 = true }
        // A new file is not begun, and until it may be nothing else is written either.
        let second = try #require(writer.begin(Self.head("1")))
        Self.append(0..<7, to: second, of: writer)
        while writer.condition.state != .failing { try await Task.sleep(for: .milliseconds(20)) }
        await Self.close(writer)
        #expect(writer.condition.lost == 7)
        #expect(try folder.logs() == [TakeFolder.Number(segment: 1, track: 1)])
        #expect(try Self.numbers(Self.read(folder.file(TakeFolder.Number(segment: 1, track: 1))).records) == [0, 1, 2, 3, 4])
    }

    @Test("a file that cannot be begun costs no other track anything")
    func oneAlone() async throws {
        let root = try TemporaryFolder()
        let folder = TakeFolder(root: root.path, take: "t")
        let (writer, loop) = try Self.writer(folder)
        defer { loop.stop() }
        let first = try #require(writer.begin(Self.head("0")))
        let second = try #require(writer.begin(Self.head("1")))
        Self.append(0..<5, to: second, of: writer)
        while writer.condition.state != .writing { try await Task.sleep(for: .milliseconds(20)) }
        // Somebody's else has the name of the first one's.
        try FileTree.makeFile(folder.file(TakeFolder.Number(segment: 1, track: first)), mode: 0o600)
        Self.append(0..<5, to: first, of: writer)
        Self.append(5..<10, to: second, of: writer)
        while writer.condition.state != .failing { try await Task.sleep(for: .milliseconds(20)) }
        await Self.close(writer)
        #expect(writer.condition.lost == 5)
        let there = try Self.read(folder.file(TakeFolder.Number(segment: 1, track: second))).records
        #expect(Self.numbers(there) == (0..<10).map { UInt16($0) })
    }

    @Test("a track of which nothing came has no file")
    func bare() async throws {
        let root = try TemporaryFolder()
        let folder = TakeFolder(root: root.path, take: "t")
        let (writer, loop) = try Self.writer(folder)
        defer { loop.stop() }
        let first = try #require(writer.begin(Self.head("0")))
        let second = try #require(writer.begin(Self.head("1")))
        writer.end(first, at: 1)
        Self.append(0..<2, to: second, of: writer)
        await Self.close(writer)
        #expect(try folder.logs() == [TakeFolder.Number(segment: 1, track: 2)])
    }

    @Test("what waits has a bound: beyond it packets are lost and counted, and whoever brings them does not wait")
    func bound() async throws {
        let root = try TemporaryFolder()
        let folder = TakeFolder(root: root.path, take: "t")
        let (writer, loop) = try Self.writer(folder)
        defer { loop.stop() }
        // The disk hangs.
        let hangs = Guarded(true)
        loop.submit { while hangs.withLock({ $0 }) { usleep(1000) } }
        let track = try #require(writer.begin(Self.head("0")))
        let began = Instant.now
        Self.append(0..<14_000, to: track, of: writer, bytes: 3000)
        #expect(Instant.now - began < .seconds(20))
        let lost = writer.condition.lost
        #expect(lost > 0 && lost < 14_000)
        hangs.withLock { $0 = false }
        await Self.close(writer)
        let (records, damaged) = try Self.read(folder.file(TakeFolder.Number(segment: 1, track: 1)))
        #expect(Self.numbers(records).count == 14_000 - lost && damaged == 0)
        #expect(records.contains { if case .event(let event) = $0 { Int(event.count) == lost } else { false } })
    }

    @Test("a file with another name is no log")
    func names() throws {
        let root = try TemporaryFolder()
        let folder = TakeFolder(root: root.path, take: "t")
        try folder.make()
        for name in ["0001-0001.rtp", "1-1.rtp", "0002-0001.rtp.part", "x-0001.rtp", "0003-10000.rtp", "0001-0001-0001.rtp", "-0001.rtp"] {
            try FileTree.makeFile("\(folder.path)/\(name)", mode: 0o600)
        }
        #expect(try folder.logs() == [TakeFolder.Number(segment: 1, track: 1), TakeFolder.Number(segment: 3, track: 10_000)])
    }
}
