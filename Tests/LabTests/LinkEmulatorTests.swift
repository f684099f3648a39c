import Foundation
import Posix
import Testing

@testable import Lab

/// A UDP socket of a test, with blocking calls that give up after 2 s.
private final class Datagrams: @unchecked Sendable {
    let descriptor: CInt
    let port: Int

    init(host: String = "127.0.0.1") throws {
        let descriptor = socket(AF_INET, CInt(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var local = try address(host, 0)
        guard withSockaddr(&local, { bind(descriptor, $0, $1) }) == 0 else { throw SystemError("bind", on: host) }
        var limit = timeval(tv_sec: 2, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var size: CInt = 4 << 20
        setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<CInt>.size))
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = withUnsafeMutablePointer(to: &local) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        self.descriptor = descriptor
        port = Int(UInt16(bigEndian: local.sin_port))
    }

    deinit { close(descriptor) }

    func send(_ bytes: [UInt8], to host: String, _ port: Int) throws {
        var target = try address(host, port)
        guard withSockaddr(&target, { sendto(descriptor, bytes, bytes.count, 0, $0, $1) }) == bytes.count else {
            throw SystemError("sendto", on: host)
        }
    }

    func receive() -> (bytes: [UInt8], from: sockaddr_in)? {
        var buffer = [UInt8](repeating: 0, count: 2048)
        var from = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let size = withUnsafeMutablePointer(to: &from) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { recvfrom(descriptor, &buffer, buffer.count, 0, $0, &length) }
        }
        return size > 0 ? (Array(buffer[..<size]), from) : nil
    }

    func answer(_ bytes: [UInt8], to client: sockaddr_in) {
        var client = client
        _ = withSockaddr(&client) { sendto(descriptor, bytes, bytes.count, 0, $0, $1) }
    }
}

private func freePort() throws -> Int { try Datagrams(host: "127.0.0.1").port }

@Suite("The link emulator", .serialized)
struct LinkEmulatorTests {
    @Test("a relay delays both ways and answers reach the client that asked")
    func relay() async throws {
        try await unlessVoid { run in
            let emulator = try LinkEmulator()
            defer { emulator.stop() }
            run.judge { emulator.lateness }
            let server = try Datagrams()
            let clients = [try Datagrams(), try Datagrams()]
            let shape = LinkShape(up: LinkProfile(delayMs: 20), down: LinkProfile(delayMs: 30))
            try emulator.relay("a", listen: "127.0.3.1", target: "127.0.0.1", ports: server.port...server.port, shape: shape, seed: 1)
            var waits: [Int] = []
            for round in 0..<6 {
                let client = clients[round % 2]
                let asked = Instant.now
                try client.send([UInt8(round)], to: "127.0.3.1", server.port)
                let question = try need(server.receive())
                server.answer(question.bytes + [9], to: question.from)
                let answer = try need(client.receive())
                try need(answer.bytes == [UInt8(round), 9])
                waits.append((Instant.now - asked).milliseconds)
            }
            // The best of some: a machine that is busy makes single ones longer.
            try need(waits.allSatisfy { $0 >= 50 } && (waits.min() ?? .max) <= 58, "\(waits) ms")
        }
    }

    @Test("50 Mbit/s pass at their rate, and the emulator keeps up with them")
    func throughput() async throws {
        try await unlessVoid { run in
            let emulator = try LinkEmulator()
            defer { emulator.stop() }
            run.judge { emulator.lateness }
            let server = try Datagrams()
            let client = try Datagrams()
            var profile = LinkProfile(rateKbit: 50_000, delayMs: 10)
            profile.queueBytes = 8 << 20
            let port = server.port
            try emulator.relay("a", listen: "127.0.3.2", target: "127.0.0.1", ports: port...port, shape: LinkShape(profile), seed: 1)
            // 4000 packets of 1250 bytes with their header: 0.8 s at 50 Mbit/s.
            let sender = Thread {
                let bytes = [UInt8](repeating: 7, count: 1222)
                for number in 0..<4000 {
                    try? client.send(bytes, to: "127.0.3.2", port)
                    if number % 50 == 49 { usleep(8_000) }
                }
            }
            sender.start()
            var received = 0
            var first: Instant?
            var last = Instant.now
            while received < 4000, server.receive() != nil {
                received += 1
                last = Instant.now
                if first == nil { first = last }
            }
            try need(received == 4000)
            let seconds = (last - (try need(first))).seconds
            // Faster is impossible; slower is the sender's thread on a busy machine, within reason.
            try need((0.78...2.5).contains(seconds), "\(seconds) s")
            // One that is too slow falls behind ever more, at the median as well; the worst thousandth is the machine's.
            try need(emulator.lateness.percentile(50) < 5, "late by \(emulator.lateness.percentile(50)) ms at the median")
            print("emulator p99.9 lateness at 50 Mbit/s: \(emulator.lateness.percentile(99.9)) ms")
        }
    }

    @Test("a blackout and its end hold at once, and both are counted")
    func blackout() throws {
        let emulator = try LinkEmulator()
        defer { emulator.stop() }
        let server = try Datagrams()
        let client = try Datagrams()
        try emulator.relay(
            "a", listen: "127.0.3.3", target: "127.0.0.1", ports: server.port...server.port, shape: LinkShape(LinkProfile()), seed: 1)
        var dark = LinkProfile()
        dark.blackout = true
        emulator.change("a", .up, to: dark)
        try client.send([1], to: "127.0.3.3", server.port)
        while emulator.count("a", .up).dropped(.blackout) == 0 { sched_yield() }
        emulator.change("a", .up, to: LinkProfile())
        try client.send([2], to: "127.0.3.3", server.port)
        #expect(server.receive()?.bytes == [2])
        #expect(emulator.count("a", .up).deliveredPackets == 1)
    }

    @Test("a port that is taken is an error, and a link that was removed leaves its port free")
    func ports() throws {
        let emulator = try LinkEmulator()
        defer { emulator.stop() }
        let taken = try Datagrams(host: "127.0.3.4")
        let shape = LinkShape(LinkProfile())
        #expect(throws: SystemError.self) {
            try emulator.relay("a", listen: "127.0.3.4", target: "127.0.0.1", ports: taken.port...taken.port, shape: shape, seed: 1)
        }
        let port = try freePort()
        try emulator.relay("b", listen: "127.0.3.5", target: "127.0.0.1", ports: port...port, shape: shape, seed: 1)
        emulator.remove("b")
        let freed = Instant.now + .seconds(2)
        while (try? emulator.relay("b", listen: "127.0.3.5", target: "127.0.0.1", ports: port...port, shape: shape, seed: 1)) == nil {
            try #require(Instant.now < freed)
        }
    }

    @Test("a run that fails while its emulator is late is void and repeated, and fails the third time")
    func void() async throws {
        var late = Lateness()
        for _ in 0..<1000 { late.record(nanoseconds: 1_000_000) }
        #expect(!late.isVoid)
        for _ in 0..<2 { late.record(nanoseconds: 7_000_000) }
        #expect(late.isVoid)
        #expect(late.percentile(50) == 1.1)
        var attempts = 0
        let verdict = late
        await #expect(throws: VoidRun.self) {
            try await unlessVoid(resting: [.zero, .zero]) { run in
                attempts += 1
                run.judge { verdict }
                throw CancellationError()
            }
        }
        #expect(attempts == 3)
        await #expect(throws: CancellationError.self) {
            try await unlessVoid { _ in
                attempts += 1
                throw CancellationError()
            }
        }
        #expect(attempts == 4)
        try await unlessVoid { run in
            attempts += 1
            run.judge { verdict }
        }
        #expect(attempts == 5)
    }

    @Test("what the host takes away of the processors is its share of all ticks, and none where too few have passed")
    func stolen() {
        let before = StolenTime("cpu  100 0 50 800 10 0 0 40 7 0\ncpu0 1 2 3\n")
        #expect(before.share(until: StolenTime("cpu  150 0 60 870 10 0 0 110 9 0\n")) == 0.35)
        #expect(before.share(until: StolenTime("cpu  100 0 50 805 10 0 0 50 7 0\n")) == 0)
        #expect(before.share(until: before) == 0)
    }
}
