import Foundation
import Posix
import Support
import Testing

@testable import Lab

/// A numbered stream through one link of a real emulator: what a measurement has between its ends.
private struct Passage {
    let sentAt: [Int64]
    /// By packet, nil for what was lost.
    let arrivedAt: [Int64?]
    let count: LinkCount
    let changedAt: Int64

    /// - Parameter profile: the link's from `changedAt` on, just before the first packet.
    init(_ profile: LinkProfile, datagrams: Int, name: String, host: String, _ run: Run) throws {
        let emulator = try LinkEmulator()
        defer { emulator.stop() }
        run.judge { [lateness = emulator] in lateness.lateness }
        let sink = try UDPSocket(binding: .loopback(port: 0), buffers: 4 << 20)
        let port = sink.localAddress.port
        try emulator.relay(name, listen: host, target: "127.0.0.1", ports: port...port, shape: LinkShape(LinkProfile()), seed: 1)
        let socket = try UDPSocket(binding: .loopback(port: 0))
        // Made beforehand: sent, they take microseconds.
        var stream = NumberedStream()
        let made = (0..<datagrams).map { _ in stream.datagram(startsFrame: false, at: 0) }
        let target = try #require(SocketAddress(host, port: port))
        changedAt = emulator.change(name, .up, to: profile)
        let receiver = Collector(sink)
        receiver.start()
        var sent: [Int64] = []
        for datagram in made {
            sent.append(Instant.now.nanoseconds)
            try socket.send(datagram, to: target)
        }
        var silence = Instant.now
        while Instant.now - silence < .seconds(5) {
            let count = emulator.count(name, .up)
            if receiver.count >= count.deliveredPackets, count.enteredPackets == datagrams,
                count.deliveredPackets + count.dropped.values.reduce(0, +) == datagrams
            {
                break
            }
            if receiver.hasMore() { silence = .now }
            usleep(1000)
        }
        count = emulator.count(name, .up)
        let arrivals = receiver.stop()
        sentAt = sent
        arrivedAt = sent.indices.map { arrivals[UInt64($0 * NumberedStream.packetsPerDatagram)] }
    }
}

/// Notes when each datagram arrives, on a thread of its own.
private final class Collector: @unchecked Sendable {
    // Sendable: `state` is behind its lock.
    private struct State {
        var arrivals: [UInt64: Int64] = [:]
        var asked = 0
        var isStopping = false
        var isDone = false
    }

    private let state = Guarded(State())
    private let socket: UDPSocket

    init(_ socket: UDPSocket) { self.socket = socket }

    func start() {
        let thread = Thread { [self] in
            let batch = DatagramBatch(capacity: 64)
            while !state.withLock({ $0.isStopping }) {
                var waiting = [pollfd(fd: socket.descriptor, events: Int16(POLLIN), revents: 0)]
                guard poll(&waiting, 1, 20) > 0, let count = try? socket.receive(batch) else { continue }
                let now = Instant.now.nanoseconds
                for index in 0..<count {
                    let packet = UnsafeRawBufferPointer(rebasing: batch[index][..<NumberedStream.packetBytes])
                    guard let mark = NumberedStream.mark(of: packet) else { continue }
                    state.withLock { $0.arrivals[mark.number] = now }
                }
            }
            state.withLock { $0.isDone = true }
        }
        thread.start()
    }

    var count: Int { state.withLock { $0.arrivals.count } }

    /// Whether more has come since it was asked last.
    func hasMore() -> Bool {
        state.withLock { state in
            defer { state.asked = state.arrivals.count }
            return state.arrivals.count > state.asked
        }
    }

    func stop() -> [UInt64: Int64] {
        state.withLock { $0.isStopping = true }
        while !state.withLock({ $0.isDone }) { usleep(1000) }
        return state.withLock { $0.arrivals }
    }
}

private let ms: Int64 = 1_000_000
private let ipBytes = NumberedStream.datagramBytes + 28

/// How late packets were by the arithmetic, in milliseconds: never early, and the usual one soon.
private func judge(_ passage: Passage, _ expected: [Int64?]) throws {
    try need(passage.arrivedAt.map { $0 != nil } == expected.map { $0 != nil }, "other packets arrived than those that had to")
    let late = zip(passage.arrivedAt, expected).compactMap { arrived, expected in
        arrived.flatMap { arrived in expected.map { Double(arrived - $0) / 1e6 } }
    }
    try need(late.allSatisfy { $0 >= 0 }, "one came \(late.min() ?? 0) ms late: too early")
    // A run whose emulator was later than 5 ms is void.
    try need(late.sorted()[late.count / 2] < 5, "late by \(late.sorted()[late.count / 2]) ms at the median")
}

@Suite("What the emulator does in real time is what the arithmetic says", .serialized, .unlessStolen)
struct EmulatorTruthTests {
    @Test("of rate and delay: a burst at 8 Mbit/s leaves packet by packet, 20 ms later")
    func rateAndDelay() async throws {
        try await unlessVoid { run in
            let profile = LinkProfile(rateKbit: 8000, delayMs: 20, queueMs: 2000)
            let passage = try Passage(profile, datagrams: 300, name: "rate", host: "127.0.4.1", run)
            var free = Int64.min
            let expected = passage.sentAt.map { sent -> Int64? in
                free = max(free, sent) + Int64(ipBytes) * 1000
                return free + 20 * ms
            }
            try judge(passage, expected)
        }
    }

    @Test("of the queue: what a full one does not take is lost, and only that")
    func queue() async throws {
        try await unlessVoid { run in
            var profile = LinkProfile(rateKbit: 4000, delayMs: 5)
            profile.queueBytes = 20 * ipBytes
            let passage = try Passage(profile, datagrams: 40, name: "queue", host: "127.0.4.2", run)
            // A packet takes 2.7 ms, the burst less than one of them on a machine that is not stalled.
            let arrived = passage.arrivedAt.filter { $0 != nil }.count
            try need((20...22).contains(arrived), "\(arrived) arrived")
            try need(passage.count.dropped(.queue) == 40 - arrived)
            try need(passage.arrivedAt.prefix(20).allSatisfy { $0 != nil })
        }
    }

    @Test("of a trace: a flooded link carries 1500 bytes at each of its times, and nothing in its pause")
    func trace() async throws {
        try await unlessVoid { run in
            var profile = LinkProfile(delayMs: 10)
            // The first of them after all packets have been sent.
            let times = (50..<250).map { $0 * 2 } + (175..<325).map { $0 * 4 }
            profile.trace = times
            profile.queueBytes = 1 << 20
            let passage = try Passage(profile, datagrams: 380, name: "trace", host: "127.0.4.3", run)
            try need(passage.sentAt.allSatisfy { $0 < passage.changedAt + 100 * ms }, "the machine stalled")
            // Byte by byte: a packet leaves with the opportunity that takes the last of it.
            let expected = (1...380).map { number in passage.changedAt + Int64(times[(number * ipBytes - 1) / 1500] + 10) * ms }
            try judge(passage, expected)
            let pause = (passage.changedAt + 515 * ms)..<(passage.changedAt + 709 * ms)
            try need(!passage.arrivedAt.contains { $0.map(pause.contains) ?? false }, "something left in the pause")
        }
    }
}
