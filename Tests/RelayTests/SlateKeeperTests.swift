import Foundation
import Logging
import Posix
import Support
import Testing
import Wire

@testable import MPEGTS
@testable import Relay

/// A slate that cannot be made at once.
@Suite(.serialized, .unlessStolen, .timeLimit(.minutes(2))) struct SlateKeeperTests {
    /// 640x360, 25 a second, main profile.
    private static let words = ["h264", "640", "360", "77", "30", "3600"]

    /// A keeper at work, what it has told and what it has made.
    private final class Work: Sendable {
        let told = Guarded<[String?]>([])
        let made = Guarded<[Slate]>([])
        private let loop: Loop
        private let running: Task<Void, Never>
        private let formats: AsyncStream<SlateFormat>.Continuation

        init(_ maker: SlateMaker, _ turns: SlateTurns = SlateTurns(folder: nil), own: OwnPicture? = nil) throws {
            let (told, made) = (told, made)
            let (stream, formats) = AsyncStream.makeStream(of: SlateFormat.self)
            let loop = try Loop(name: "keeper")
            let keeper = SlateKeeper(
                maker, turns, own.map { .success($0) }, loop: loop, log: Log("test", threshold: .error),
                use: { slate in made.withLock { $0.append(slate) } }, tell: { words in told.withLock { $0.append(words) } })
            running = loop.spawn { await keeper.run(stream) }
            self.formats = formats
            self.loop = loop
        }

        func want(_ words: [String] = SlateKeeperTests.words) throws { formats.yield(try #require(SlateFormat(words: words[...]))) }

        var count: Int { made.withLock { $0.count } }
        var last: String? { told.withLock { $0.last ?? nil } }

        func end() async {
            running.cancel()
            await running.value
            loop.stop()
        }
    }

    /// `strata-slate` behind a script's lines.
    private static func maker(_ script: String, in folder: TemporaryFolder, within limit: Duration = .seconds(30)) throws -> SlateMaker {
        let path = try folder.write("#!/bin/sh\n\(script)\nexec \(try Places.program("strata-slate")) \"$@\"\n", to: "slate")
        #expect(chmod(path, 0o700) == 0)
        return SlateMaker(program: path, limit: limit)
    }

    @Test("one that is killed is told, made after a pause, and told no more")
    func again() async throws {
        let folder = try TemporaryFolder()
        let work = try Work(Self.maker("mkdir \(folder["once"]) 2>/dev/null && kill -KILL $$", in: folder))
        try work.want()
        try await eventually(within: .seconds(5), "it is told") { work.last != nil }
        #expect(
            work.last
                == "no picture can be shown while the sender is silent: the process that encodes it ended with signal 9; it is tried again")
        try await eventually(within: .seconds(10), "it is made") { work.count == 1 }
        try await eventually(within: .seconds(2), "it is well") { work.told.withLock { $0.count } == 2 }
        #expect(work.last == nil)
        await work.end()
    }

    @Test("one that takes too long is ended and tried again, and so is one that there is no program for yet")
    func slow() async throws {
        let folder = try TemporaryFolder()
        let work = try Work(Self.maker("mkdir \(folder["once"]) 2>/dev/null && exec sleep 60", in: folder, within: .seconds(1)))
        try work.want()
        try await eventually(within: .seconds(10), "it is made") { work.count == 1 }
        #expect(work.told.withLock { $0.first??.contains("signal 9; it is tried again") == true })
        await work.end()
        let late = try Work(SlateMaker(program: folder["late"]))
        try late.want()
        try await eventually(within: .seconds(5), "it is told") { late.last?.contains("posix_spawn") == true }
        let program = try Places.program("strata-slate")
        #expect(symlink(program, folder["late"]) == 0)
        try await eventually(within: .seconds(10), "it is made") { late.count == 1 && late.last == nil }
        await late.end()
    }

    @Test(
        "the organisation's picture is tried again where its process was killed, is not replaced by ours then, and one that none decodes is not"
    )
    func own() async throws {
        let folder = try TemporaryFolder()
        let path = folder["red.png"]
        _ = try await runTool("ffmpeg", ["-v", "error", "-f", "lavfi", "-i", "color=red:size=300x300", "-frames:v", "1", path])
        let picture = try OwnPicture([UInt8](try Data(contentsOf: URL(fileURLWithPath: path))))
        // Ours is made with the first process, the organisation's dies with the second.
        let script = "mkdir \(folder["first"]) 2>/dev/null || { mkdir \(folder["second"]) 2>/dev/null && kill -KILL $$; }"
        let work = try Work(Self.maker(script, in: folder), own: picture)
        try work.want()
        try await eventually(within: .seconds(5), "it is told") { work.last != nil }
        #expect(work.last?.hasSuffix("ended with signal 9; it is tried again; ours is shown instead") == true && work.count == 1)
        try await eventually(within: .seconds(10), "it is made") { work.count == 2 && work.last == nil }
        #expect(work.made.withLock { $0[0].pictures[0] != $0[1].pictures[0] })
        await work.end()
        let none = try Work(Self.maker("mkdir \(folder["third"]) 2>/dev/null || exit 1", in: folder), own: picture)
        try none.want()
        try await eventually(within: .seconds(5), "it is told") { none.last?.hasSuffix("; ours is shown instead") == true }
        try await Task.sleep(for: .seconds(4))
        #expect(none.count == 1 && none.told.withLock { $0.count } == 1, "what no decoder takes is not tried again")
        await none.end()
    }

    @Test("a newer format is made at once, whatever the pause before the next try of an older one")
    func newer() async throws {
        let folder = try TemporaryFolder()
        let work = try Work(Self.maker("test $2 = 640 && kill -KILL $$", in: folder))
        try work.want()
        // Its third pause is 4 s at least.
        try await eventually(within: .seconds(15), "it has failed three times") { work.told.withLock { $0.count } == 3 }
        try work.want(["h264", "320", "180", "77", "30", "3600"])
        try await eventually(within: .seconds(3), "the newer one is made") { work.count == 1 }
        #expect(work.made.withLock { $0[0].format.size.width } == 320)
        await work.end()
    }

    @Test("on one host they are encoded one after the other, and who waits for its turn has no less time then")
    func turns() async throws {
        let folder = try TemporaryFolder()
        let alone = "mkdir \(folder["busy"]) 2>/dev/null || : >\(folder["overlap"])\nsleep 0.3\nrmdir \(folder["busy"])"
        let turns = SlateTurns(folder: folder.path, places: 1)
        let maker = try Self.maker(alone, in: folder, within: .seconds(4))
        let held = try FolderLock(folder.path, file: "slate-0")
        let all = try (0..<4).map { _ in try Work(maker, turns) }
        for work in all { try work.want() }
        try await eventually(within: .seconds(9), "each says why it has none") {
            all.allSatisfy { $0.last?.hasSuffix("those of other streams on the same host come first") == true }
        }
        #expect(all.allSatisfy { $0.count == 0 })
        held.release()
        try await eventually(within: .seconds(20), "all are made") { all.allSatisfy { $0.count == 1 && $0.last == nil } }
        #expect(access(folder["overlap"], F_OK) != 0)
        for work in all { await work.end() }
        #expect(SlateTurns(folder: "/nonexistent").isFree && SlateTurns(folder: nil).isFree)
    }

    @Test(
        "thirty streams that come back at once after a boot all have their slates, none over its time",
        .enabled(if: ProcessInfo.processInfo.environment["STRATA_SOAK"] != nil, "for the nightly run: a minute of a core"))
    func boot() async throws {
        let folder = try TemporaryFolder()
        let (turns, began) = (SlateTurns(folder: folder.path, places: 1), Instant.now)
        let maker = SlateMaker(program: try Places.program("strata-slate"))
        let all = try (0..<30).map { _ in try Work(maker, turns) }
        for work in all { try work.want(["h264", "1920", "1080", "100", "42", "1500"]) }
        try await eventually(within: .seconds(110), "all are made") { all.allSatisfy { $0.count == 1 } }
        print("SlateKeeperTests: thirty slates of 1920x1080, 60 a second, in \((Instant.now - began).milliseconds) ms")
        for work in all {
            #expect(work.told.withLock { told in !told.contains { $0?.contains("ended with") == true } })
            await work.end()
        }
    }

    @Test("pauses grow to five minutes")
    func pauses() {
        var pause = SlatePause()
        #expect((0..<10).map { _ in pause.failed(jitter: 0) } == [2, 4, 8, 16, 32, 64, 128, 256, 300, 300].map { .seconds($0) })
        #expect(pause.failed(jitter: 0.999) >= .seconds(150))
    }
}

extension SlateTurns {
    fileprivate var isFree: Bool { if case .turn = take() { true } else { false } }
}
