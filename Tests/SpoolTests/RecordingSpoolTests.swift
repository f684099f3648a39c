import Crypto
import Foundation
import Logging
import Posix
import Support
import Testing
import Units
import Wire

@testable import Fragments
@testable import Spool

/// A recording on a disk of its own, from its first fragment to the files that are brought from there.
@Suite(.serialized, .unlessStolen, .timeLimit(.minutes(1)))
struct RecordingSpoolTests {
    private static let lease = LeaseID("00000000000000000000000001")!
    private static let spec = RecordingSpec(
        id: RecordingID("00000000000000000000000002")!, organization: OrganizationID("00000000000000000000000003")!)

    /// A room on a disk that a test can fill.
    private final class Disk: Sendable {
        let free = Guarded(50)
        func room(_: String) throws -> DiskRoom { DiskRoom(free: free.withLock { $0 }, total: 100) }
    }

    private static func open(_ root: String, _ disk: Disk = Disk()) async throws -> (RecordingSpool, Loop) {
        let loop = try Loop(name: "spool")
        let log = Log("test", threshold: .error)
        return (try await RecordingSpool.open(root, lease, spec, loop: loop, log: log, room: { try disk.room($0) }), loop)
    }

    /// A beginning with boxes that are ours, and no media.
    private static func beginning(_ mark: UInt8 = 0, zero: Int64 = 0) -> RecordingBeginning {
        let movie = FragmentBytes.box("moov", FragmentBytes.box("mvhd", [mark]) + FragmentBytes.box("mvex", []))
        return RecordingBeginning(bytes: FragmentBytes.box("ftyp", []) + movie, codecs: "avc1.42c01f", size: nil, zero: zero, atMs: 5000)
    }

    /// Half a second.
    private static func fragment(_ number: Int, isKey: Bool? = nil, bytes: Int = 1000) -> RecordedFragment {
        RecordedFragment(
            bytes: [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: bytes), start: Int64(number) * 45_000, duration: 45_000,
            isKey: isKey ?? (number % 4 == 0))
    }

    private static func finish(_ root: String) throws -> (RecordedTake, [[UInt8]]) {
        let shelf = TakeShelf(root)
        let completion = try TakeCompletion(lease, on: shelf)
        var made: RecordedTake?
        while made == nil { made = try completion.step() }
        let take = try #require(made)
        let files = try take.files.map { file in
            var bytes: [UInt8] = []
            while bytes.count < file.bytes {
                // Small ones, so that they do not end where extents do.
                let ask = RecordingAsk(file: file.number, offset: bytes.count, count: min(777, file.bytes - bytes.count))
                bytes += try shelf.read(ask, of: lease)
            }
            return bytes
        }
        return (take, files)
    }

    /// What stands behind the head: its last box is the index.
    private static func media(_ file: [UInt8]) -> [UInt8] {
        var at = 0
        while at + 8 <= file.count {
            let size = file[at..<at + 4].reduce(0) { $0 << 8 | Int($1) }
            let name = String(decoding: file[at + 4..<at + 8], as: UTF8.self)
            at += size
            if name == "sidx" { break }
        }
        return Array(file[at...])
    }

    @Test("what was given is in one file with its digest, in order, also over a kill, and what the kill left half written is not")
    func killed() async throws {
        let folder = try TemporaryFolder()
        let root = folder["recordings"]
        var (spool, loop) = try await Self.open(root)
        spool.offer(.beginning(Self.beginning()))
        for number in 0..<6 { spool.offer(.fragment(Self.fragment(number))) }
        await spool.close(within: .seconds(5), on: loop)
        #expect(spool.report.state == .recording && spool.report.bytesTotal == 6000 && spool.report.reason == nil)
        let take = "\(root)/.takes/\(Self.lease)"
        // As a kill leaves it: bytes without a line, and half a line.
        try FileTree.append([UInt8](repeating: 9, count: 500), to: take + "/0001.mp4")
        try FileTree.append(Array("F 9999 5".utf8), to: take + "/0001.index")
        loop.stop()

        (spool, loop) = try await Self.open(root)
        #expect(spool.origin.end == 6 * 45_000 && spool.origin.beganAtMs == 5000 && spool.origin.number == 6)
        #expect(spool.origin.beginning == Self.beginning().bytes)
        spool.offer(.beginning(Self.beginning()))
        for number in 8..<10 { spool.offer(.fragment(Self.fragment(number))) }
        await spool.close(within: .seconds(5), on: loop)
        loop.stop()

        let (recorded, files) = try Self.finish(root)
        #expect(recorded.files.count == 1 && recorded.damagedFragments == 0 && recorded.recording == Self.spec.id)
        #expect(recorded.files.first?.durationMs == 5000 && recorded.files.first?.beganAtMs == 5000)
        #expect(Self.media(try #require(files.first)) == (Array(0..<6) + [8, 9]).flatMap { Self.fragment($0).bytes })
        #expect(files.map { Hex.encode(SHA256.hash($0)) } == recorded.files.map(\.sha256))
        // Whoever looks again says the same, and who discards it leaves nothing.
        #expect(try TakeShelf(root).finished(Self.lease) == recorded)
        #expect(try TakeShelf(root).leases() == [Self.lease] && TakeShelf(root).isAtRest(Self.lease))
        try TakeShelf(root).discard(Self.lease)
        try TakeShelf(root).discard(Self.lease)
        #expect(try FileTree.names(in: root + "/.takes").isEmpty)
    }

    @Test("another beginning is another file, and a fragment that was damaged on the disk is left out and counted")
    func damaged() async throws {
        let folder = try TemporaryFolder()
        let root = folder["recordings"]
        let (spool, loop) = try await Self.open(root)
        spool.offer(.beginning(Self.beginning()))
        for number in 0..<4 { spool.offer(.fragment(Self.fragment(number))) }
        spool.offer(.beginning(Self.beginning(1, zero: 4 * 45_000)))
        for number in 4..<8 { spool.offer(.fragment(Self.fragment(number))) }
        #expect(!TakeShelf(root).isAtRest(Self.lease))
        await spool.close(within: .seconds(5), on: loop)
        loop.stop()
        let part = "\(root)/.takes/\(Self.lease)/0001.mp4"
        var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: part)))
        bytes[Self.beginning().bytes.count + 2500] ^= 1
        try Data(bytes).write(to: URL(fileURLWithPath: part))

        let (recorded, files) = try Self.finish(root)
        #expect(recorded.files.map(\.number) == [1, 2] && recorded.damagedFragments == 1)
        #expect(files.map(Self.media) == [[0, 1, 3].flatMap { Self.fragment($0).bytes }, (4..<8).flatMap { Self.fragment($0).bytes }])
        #expect(files.map { Hex.encode(SHA256.hash($0)) } == recorded.files.map(\.sha256))
        #expect(throws: TakeShelf.Fault.beyondEnd) {
            try TakeShelf(root).read(RecordingAsk(file: 2, offset: files[1].count - 1, count: 2), of: Self.lease)
        }
        #expect(throws: TakeShelf.Fault.beyondEnd) { try TakeShelf(root).read(RecordingAsk(file: 3, offset: 0, count: 1), of: Self.lease) }
    }

    @Test("below 5 % nothing new is begun, below 1 % nothing goes on, both are named, and neither holds whoever gives up")
    func fullDisk() async throws {
        let folder = try TemporaryFolder()
        let root = folder["recordings"]
        let disk = Disk()
        disk.free.withLock { $0 = 4 }
        await #expect(throws: SpoolRefusal.noRoom) { _ = try await Self.open(root, disk) }
        disk.free.withLock { $0 = 5 }
        let (spool, loop) = try await Self.open(root, disk)
        disk.free.withLock { $0 = 0 }
        let began = Instant.now
        spool.offer(.beginning(Self.beginning()))
        for number in 0..<8 { spool.offer(.fragment(Self.fragment(number))) }
        #expect(Instant.now - began < .milliseconds(200))
        try await eventually(within: .seconds(5), "it is named") { spool.report.state == .failing }
        #expect(spool.report.reason?.contains("1 %") == true)
        await spool.close(within: .seconds(5), on: loop)
        #expect(spool.report.lostFragmentsTotal == 8 && spool.report.bytesTotal == 0)
        loop.stop()
        let (recorded, _) = try Self.finish(root)
        #expect(recorded.files.isEmpty && recorded.damagedFragments == 8, "what is missing is told with what there is")
    }

    @Test("a take that goes on while it is being finished is not finished as it was, and comes whole after that")
    func goesOn() async throws {
        let folder = try TemporaryFolder()
        let root = folder["recordings"]
        var (spool, loop) = try await Self.open(root)
        spool.offer(.beginning(Self.beginning()))
        for number in 0..<2 { spool.offer(.fragment(Self.fragment(number))) }
        await spool.close(within: .seconds(5), on: loop)
        loop.stop()
        let shelf = TakeShelf(root)
        let completion = try TakeCompletion(Self.lease, on: shelf)
        #expect(try completion.step() == nil)
        (spool, loop) = try await Self.open(root)
        #expect(throws: SystemError.self) { _ = try completion.step() }
        spool.offer(.beginning(Self.beginning()))
        spool.offer(.fragment(Self.fragment(4)))
        await spool.close(within: .seconds(5), on: loop)
        loop.stop()
        #expect(throws: TakeShelf.Fault.unfinished) { _ = try completion.step() }
        #expect(try shelf.finished(Self.lease) == nil)
        let (recorded, _) = try Self.finish(root)
        #expect(recorded.files.first?.durationMs == 2500)
    }

    @Test("what somebody left who was killed before they had written whose it is, is removed, and nothing else")
    func bare() async throws {
        let folder = try TemporaryFolder()
        let root = folder["recordings"]
        let (spool, loop) = try await Self.open(root)
        await spool.close(within: .seconds(5), on: loop)
        loop.stop()
        let shelf = TakeShelf(root)
        let killed = LeaseID("00000000000000000000000004")!
        try FileTree.makeFolder("\(root)/.takes/\(killed)")
        #expect(try shelf.leases() == [Self.lease, killed])
        for lease in [Self.lease, killed] { #expect(try shelf.sweep(lease) == (lease == killed)) }
        #expect(try shelf.leases() == [Self.lease])
    }

    @Test("a sender that changes what it sends again and again gets so many files, and what comes behind them is counted")
    func manyFiles() async throws {
        let folder = try TemporaryFolder()
        let root = folder["recordings"]
        let (spool, loop) = try await Self.open(root)
        for number in 0..<WireLimits.takeFiles + 2 {
            spool.offer(.beginning(Self.beginning(UInt8(truncatingIfNeeded: number), zero: Int64(number) * 45_000)))
            spool.offer(.fragment(Self.fragment(number, isKey: true)))
        }
        await spool.close(within: .seconds(30), on: try Loop(name: "other"))
        #expect(spool.report.state == .failing && spool.report.lostFragmentsTotal == 2)
        loop.stop()
        let (recorded, _) = try Self.finish(root)
        #expect(recorded.files.count == WireLimits.takeFiles && recorded.damagedFragments == 2)
    }

    @Test("a disk that does not keep up costs whole groups, from the bound on, and whoever gives never waits")
    func slowDisk() async throws {
        let folder = try TemporaryFolder()
        let (spool, loop) = try await Self.open(folder["recordings"])
        let gate = DispatchSemaphore(value: 0)
        // The disk's thread is held, as by a disk that hangs.
        loop.submit { gate.wait() }
        spool.offer(.beginning(Self.beginning()))
        let began = Instant.now
        for number in 0..<100 { spool.offer(.fragment(Self.fragment(number, bytes: 1 << 20))) }
        #expect(Instant.now - began < .seconds(2))
        let kept = RecordingSpool.queueBytes >> 20
        #expect(spool.report.lostFragmentsTotal == 100 - kept)
        let end = Instant.now
        await spool.close(within: .milliseconds(300), on: try Loop(name: "other"))
        #expect(Instant.now - end < .seconds(2), "the end waits for no disk")
        gate.signal()
        try await eventually(within: .seconds(10), "what was kept is written") { spool.report.bytesTotal == kept << 20 }
        #expect(spool.report.reason?.contains("did not keep up") == true)
        loop.stop()
    }

    @Test("a lease has one recording, and one writer")
    func oneWriter() async throws {
        let folder = try TemporaryFolder()
        let root = folder["recordings"]
        let (spool, loop) = try await Self.open(root)
        await #expect(throws: SpoolRefusal.self) { _ = try await Self.open(root) }
        await spool.close(within: .seconds(5), on: loop)
        let other = RecordingSpec(id: RecordingID("00000000000000000000000009")!, organization: Self.spec.organization)
        await #expect(throws: SpoolRefusal.otherRecording) {
            _ = try await RecordingSpool.open(root, Self.lease, other, loop: loop, log: Log("test", threshold: .error))
        }
        loop.stop()
    }
}
