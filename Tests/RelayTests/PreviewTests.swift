import Foundation
import Logging
import Posix
import Service
import Support
import Testing
import Wire

@testable import Relay

@Suite(.serialized, .unlessStolen, .timeLimit(.minutes(2))) struct PreviewTests {
    /// Reads a preview as a pool does, in a thread of its own.
    private final class Reader: Sendable {
        let chunks = Guarded<[PreviewChunk]>([])
        let isOver = Guarded(false)
        private let raw: CInt

        init(_ path: String, reading: Bool = true) throws {
            raw = try UnixSocket.connect(to: path).release()
            if reading { read() }
        }

        func read() {
            Thread { [self] in
                var framer = PreviewFramer()
                var bytes = [UInt8](repeating: 0, count: 1 << 16)
                // Non-blocking, so it is waited for.
                while true {
                    var poll = pollfd(fd: raw, events: Int16(POLLIN), revents: 0)
                    _ = Glibc.poll(&poll, 1, 10_000)
                    let count = Glibc.read(raw, &bytes, bytes.count)
                    guard count > 0 else { break }
                    // What is malformed ends it, and is missed then.
                    guard (try? framer.feed(bytes[..<count], { chunk in chunks.withLock { $0.append(chunk) } })) != nil else { break }
                }
                isOver.withLock { $0 = true }
                Glibc.close(raw)
            }.start()
        }

        /// What is polled is not closed before the poll returns.
        func leave() { Glibc.shutdown(raw, CInt(SHUT_RDWR)) }

        var kinds: [PreviewChunk.Kind] { chunks.withLock { $0.map(\.kind) } }
    }

    @Test("what the outputs are offered is seen by who watches, the slate too, and nothing is made before and after")
    func live() async throws {
        let clip = try await Clip.h264.value
        try await withRelay([]) { live in
            let made = Guarded<[PreviewChunk]>([])
            try await live.play(clip, times: 4, to: 2 / 12)
            #expect(made.withLock { $0 }.isEmpty)
            live.relay.preview { chunk in made.withLock { $0.append(chunk) } }
            try await live.play(clip, times: 1, from: 2 / 12, to: 5 / 12)
            let shown = made.withLock { $0.map(\.kind) }
            #expect(shown.prefix(2) == [.beginning, .key] && shown.count > 6, "\(shown)")
            try await eventually(within: .seconds(4), "the slate is reported") { live.ingest?.slateMs != nil }
            let before = made.withLock { $0.count }
            try await eventually(within: .seconds(3), "the slate is seen") { made.withLock { $0.count } > before + 3 }
            live.relay.preview(nil)
            try await Task.sleep(for: .milliseconds(200))
            let left = made.withLock { $0.count }
            try await always(for: .seconds(1), "nothing more is made") { made.withLock { $0.count } == left }
            await live.end()
        }
    }

    @Test("one watches at a time, the newest; what is not taken is lost up to the next key, and is bounded")
    func socket() async throws {
        let (loop, folder) = (try Loop(name: "preview"), try TemporaryFolder())
        defer { loop.stop() }
        let path = ChildSocket.previewPath(beside: try folder.makeFolder("p") + "/a.sock")
        chmod(UnixSocket.folder(of: path), 0o700)
        let watched = Guarded<[Bool]>([])
        let socket = try PreviewSocket(path: path, loop: loop, log: Log("test", threshold: .error)) { socket in
            watched.withLock { $0.append(socket != nil) }
        }
        let large = [UInt8](repeating: 5, count: 512 << 10)
        socket.offer(PreviewChunk(.key, large))
        let first = try Reader(path)
        try await eventually(within: .seconds(5), "it is watched") { watched.withLock { $0 } == [true] }
        for chunk in [PreviewChunk(.beginning, [0, 1]), PreviewChunk(.key, [2]), PreviewChunk(.more, [3])] { socket.offer(chunk) }
        try await eventually(within: .seconds(5), "it is seen") { first.kinds == [.beginning, .key, .more] }

        let second = try Reader(path, reading: false)
        try await eventually(within: .seconds(5), "the other one watches") { watched.withLock { $0 } == [true, false, true] }
        try await eventually(within: .seconds(5), "the first one is left") { first.isOver.withLock { $0 } }
        let numbered = (0..<40).map { PreviewChunk($0 % 10 == 0 ? .key : .more, [UInt8($0)] + large) }
        socket.offer(PreviewChunk(.beginning, [0, 1]))
        for chunk in numbered { socket.offer(chunk) }
        second.read()
        try await eventually(within: .seconds(5), "what had room is seen") { second.chunks.withLock { $0.count } >= 2 }
        try await always(for: .milliseconds(500), "and no more") { second.chunks.withLock { $0.count } <= 7 }
        for chunk in numbered[..<2] { socket.offer(chunk) }
        try await eventually(within: .seconds(5), "the next key is seen") {
            second.chunks.withLock { $0.suffix(2).map(\.bytes[1]) } == [0, 1] && second.chunks.withLock { $0.count } > 4
        }
        let seen = second.chunks.withLock { $0 }
        #expect(seen[0].kind == .beginning && seen.dropFirst().first?.kind == .key)
        // Without a hole within a group.
        for (one, next) in zip(seen.dropFirst(), seen.dropFirst(2)) where next.kind == .more { #expect(next.bytes[1] == one.bytes[1] + 1) }
        second.leave()
        try await eventually(within: .seconds(5), "nobody watches") { watched.withLock { $0.last } == false }
        socket.close()
        try await eventually(within: .seconds(5), "its place is empty") { access(path, F_OK) != 0 }
    }
}
