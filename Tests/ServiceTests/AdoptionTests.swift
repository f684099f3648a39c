import Foundation
import Logging
import Posix
import Support
import Testing

@testable import Service

@Suite("Adoption", .unlessStolen, .timeLimit(.minutes(1)))
struct AdoptionTests {
    private let log = Log("test", threshold: .error)
    private let folder = "/tmp/st-service-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
    private var path: String { folder + "/child.sock" }

    private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    private func listen(_ loop: Loop, orphanAfter: Duration = .seconds(60)) throws -> ChildSocket {
        try ChildSocket(path: path, loop: loop, orphanAfter: orphanAfter, log: log)
    }

    @Test("lines pass in both directions, in order")
    func talk() async throws {
        let loop = try Loop(name: "test")
        let child = try listen(loop)
        var heard = child.events.makeAsyncIterator()
        let parent = try await ParentConnection.connect(path: path, within: .seconds(5), loop: loop)
        var answers = parent.events.makeAsyncIterator()
        #expect(await heard.next() == .connected)
        #expect(parent.childPID == getpid())
        for index in 0..<100 { parent.send(bytes("order \(index)")) }
        for index in 0..<100 { #expect(await heard.next() == .line(bytes("order \(index)"))) }
        let large = [UInt8](repeating: UInt8(ascii: "x"), count: LineChannel.lineBytes)
        child.send(large)
        child.send(bytes("report"))
        #expect(await answers.next() == .line(large))
        #expect(await answers.next() == .line(bytes("report")))
        parent.close()
        #expect(await answers.next() == nil)
        #expect(await heard.next() == .disconnected)
        child.close()
        #expect(await heard.next() == nil)
        #expect(access(path, F_OK) != 0)
        loop.stop()
        rmdir(folder)
    }

    @Test("a parent that is early waits until the child listens")
    func early() async throws {
        let loop = try Loop(name: "test")
        mkdir(folder, 0o700)
        async let parent = ParentConnection.connect(path: path, within: .seconds(5), loop: loop)
        let child = try listen(loop)
        var heard = child.events.makeAsyncIterator()
        #expect(await heard.next() == .connected)
        try await parent.close()
        child.close()
        loop.stop()
    }

    @Test("a child that never listens is named in time, with its path")
    func never() async throws {
        let loop = try Loop(name: "test")
        mkdir(folder, 0o700)
        await #expect(throws: SystemError("connect", ENOENT, on: path)) {
            try await ParentConnection.connect(path: path, within: .milliseconds(50), loop: loop)
        }
        loop.stop()
    }

    @Test("waiting for a child can be cancelled")
    func cancelled() async throws {
        let loop = try Loop(name: "test")
        mkdir(folder, 0o700)
        let path = path
        let task = Task { try await ParentConnection.connect(path: path, within: .seconds(600), loop: loop) }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        loop.stop()
    }

    @Test("a successor adopts a child whose parent is gone")
    func successor() async throws {
        let loop = try Loop(name: "test")
        let child = try listen(loop)
        var heard = child.events.makeAsyncIterator()
        let first = try await ParentConnection.connect(path: path, within: .seconds(5), loop: loop)
        #expect(await heard.next() == .connected)
        first.close()
        #expect(await heard.next() == .disconnected)
        let second = try await ParentConnection.connect(path: path, within: .seconds(5), loop: loop)
        #expect(await heard.next() == .connected)
        second.send(bytes("describe"))
        #expect(await heard.next() == .line(bytes("describe")))
        child.close()
        loop.stop()
    }

    @Test("a second parent is refused while the first lives")
    func second() async throws {
        let loop = try Loop(name: "test")
        let child = try listen(loop)
        var heard = child.events.makeAsyncIterator()
        let first = try await ParentConnection.connect(path: path, within: .seconds(5), loop: loop)
        #expect(await heard.next() == .connected)
        let second = try await ParentConnection.connect(path: path, within: .seconds(5), loop: loop)
        var answers = second.events.makeAsyncIterator()
        #expect(await answers.next() == .closed(reason: "closed by the peer"))
        first.send(bytes("still here"))
        #expect(await heard.next() == .line(bytes("still here")))
        child.close()
        loop.stop()
    }

    @Test("a child without a parent is orphaned after its time, at the start and after a loss")
    func orphan() async throws {
        let loop = try Loop(name: "test")
        let child = try listen(loop, orphanAfter: .milliseconds(30))
        var heard = child.events.makeAsyncIterator()
        #expect(await heard.next() == .orphaned)
        let parent = try await ParentConnection.connect(path: path, within: .seconds(5), loop: loop)
        #expect(await heard.next() == .connected)
        parent.close()
        #expect(await heard.next() == .disconnected)
        #expect(await heard.next() == .orphaned)
        child.close()
        loop.stop()
    }

    @Test("a socket file left behind is replaced, a living child's is not")
    func stale() async throws {
        let loop = try Loop(name: "test")
        _ = try UnixSocket.listen(at: path)  // Closed at once; its file stays.
        #expect(access(path, F_OK) == 0)
        let child = try listen(loop)
        #expect(throws: SystemError("bind", EADDRINUSE, on: path)) {
            _ = try ChildSocket(path: path, loop: loop, orphanAfter: .seconds(1), log: log)
        }
        child.close()
        loop.stop()
    }

    @Test("a folder that others can enter is refused, and the socket is 0600 in a folder of 0700")
    func modes() throws {
        let loop = try Loop(name: "test")
        mkdir(folder, 0o755)
        #expect(throws: SystemError("mkdir", EPERM, on: folder)) { _ = try listen(loop) }
        rmdir(folder)
        let child = try listen(loop)
        var status = stat()
        #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
        #expect(stat(folder, &status) == 0 && status.st_mode & 0o777 == 0o700)
        child.close()
        loop.stop()
    }

    @Test("a parent that sends an endless line is cut off")
    func endlessLine() async throws {
        let loop = try Loop(name: "test")
        let child = try listen(loop)
        var heard = child.events.makeAsyncIterator()
        let parent = try await ParentConnection.connect(path: path, within: .seconds(5), loop: loop)
        parent.send([UInt8](repeating: 1, count: LineChannel.lineBytes + 1))
        #expect(await heard.next() == .connected)
        #expect(await heard.next() == .disconnected)
        child.close()
        loop.stop()
    }

    @Test("a parent that sends faster than it is heard is cut off, and the change is still told")
    func flood() async throws {
        let loop = try Loop(name: "test")
        let child = try listen(loop)
        let parent = try await ParentConnection.connect(path: path, within: .seconds(5), loop: loop)
        for _ in 0..<2000 { parent.send(bytes("x")) }
        var answers = parent.events.makeAsyncIterator()
        guard case .closed = await answers.next() else { return #expect(Bool(false), "the child did not cut off") }
        var events: [ChildEvent] = []
        child.close()
        for await event in child.events { events.append(event) }
        #expect(events.first == .connected && events.last == .disconnected)
        #expect(events.count > 900 && events.count < 1020)
        loop.stop()
    }

    @Test("figures for a slow parent are dropped, what is reliable arrives")
    func slowParent() async throws {
        let loop = try Loop(name: "test")
        let child = try listen(loop)
        // A bare socket that does not read at first.
        let socket = try UnixSocket.connect(to: path)
        var heard = child.events.makeAsyncIterator()
        #expect(await heard.next() == .connected)
        let figure = [UInt8](repeating: UInt8(ascii: "f"), count: 10_000)
        for _ in 0..<1000 { child.send(figure, droppable: true) }
        child.send(bytes("state"))
        let settled = AsyncStream<Void>.makeStream()
        loop.submit { settled.continuation.finish() }
        for await _ in settled.stream {}
        var total = 0
        var tail: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 20)
        _ = fcntl(socket.raw, F_SETFL, 0)
        while !tail.elementsEqual(bytes("state\n")) {
            let count = read(socket.raw, &chunk, chunk.count)
            try #require(count > 0)
            total += count
            tail = Array((tail + chunk[..<count]).suffix(6))
        }
        #expect(total < 1_000_000)
        child.close()
        loop.stop()
    }

    @Test("who has much to send at once sees that the parent does not take it before it is cut off, and loses nothing")
    func ample() async throws {
        let loop = try Loop(name: "test")
        let child = try listen(loop)
        // A bare socket that does not read at first.
        let socket = try UnixSocket.connect(to: path)
        var heard = child.events.makeAsyncIterator()
        #expect(await heard.next() == .connected)
        let line = [UInt8](repeating: UInt8(ascii: "x"), count: LineChannel.lineBytes)
        var sent = 0
        // As long as all that it takes before somebody reads: the socket's own room, and then some in one turn of the loop.
        for _ in 0..<3 {
            let counted = AsyncStream<Int>.makeStream()
            loop.submit {
                var count = 0
                while child.keepsUp, count < 100 {
                    child.send(line)
                    count += 1
                }
                counted.continuation.yield(count)
                counted.continuation.finish()
            }
            for await count in counted.stream { sent += count }
        }
        #expect((1...4).contains(sent))
        var left = sent * (line.count + 1)
        var chunk = [UInt8](repeating: 0, count: 1 << 20)
        _ = fcntl(socket.raw, F_SETFL, 0)
        while left > 0 {
            let count = read(socket.raw, &chunk, chunk.count)
            try #require(count > 0, "it was cut off")
            left -= count
        }
        #expect(left == 0)
        child.close()
        loop.stop()
    }
}
