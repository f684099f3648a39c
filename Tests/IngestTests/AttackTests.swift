import Foundation
import Ingest
import Posix
import RIST
import Support
import Testing
import Units

/// THREATS 5, tried on a real port with the real librist behind it.
@Suite(.serialized, .unlessStolen) struct AttackTests {
    /// An ingest with a buffer of 300 ms, and media that came out of it.
    private func makeIngest() throws -> (StandardIngest, Media) {
        let media = Media()
        return (
            try StandardIngest(.init(port: 0, bind: ["127.0.0.1"], key: testKey, bufferMs: 300), log: quiet, onMedia: media.take), media
        )
    }

    @Test("a flood of 1,000 junk packets a second with new nonces takes nothing from a stream")
    func nonceFlood() async throws {
        let (ingest, media) = try makeIngest()
        let encoder = try Encoder(bufferMs: 300)
        try await encoder.connect(ingest.addresses[0], peers: 2)
        let flood = Flood(target: ingest.addresses[0], count: 3_000) { number in
            var packet = [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 80)
            packet.replaceSubrange(0..<4, with: [0x30, 0x48, 0x88, 0xb6])
            withUnsafeBytes(of: UInt32(number &+ 0x5555_0001).bigEndian) { packet.replaceSubrange(4..<8, with: $0) }
            return packet
        }
        flood.start()
        try await encoder.send(0..<800)
        try await media.wait(for: 799)
        #expect(media.numbers == Array(media.numbers[0]..<800))
        #expect(media.numbers[0] <= 1)
        let statistics = ingest.statistics()
        #expect(statistics.guardDropped.limited > 2_000)
        #expect(statistics.lostPacketsTotal == 0)
        ingest.stop()
        withExtendedLifetime(encoder) {}
    }

    @Test("a sender in clear text is not heard, though librist itself would take it")
    func plaintext() async throws {
        let (ingest, media) = try makeIngest()
        let proxy = try await Captured.packets(passphrase: nil)
        #expect(proxy.count > 20)
        let socket = try UDPSocket(binding: .loopback(port: 0))
        for packet in proxy { try socket.send(packet, to: ingest.addresses[0]) }
        try await eventually { ingest.statistics().guardDropped.plaintext >= proxy.count }
        #expect(media.numbers.isEmpty)
        ingest.stop()
    }

    @Test("a packet with nonce zero, which librist would not decrypt, is not heard")
    func zeroNonce() async throws {
        let (ingest, media) = try makeIngest()
        let socket = try UDPSocket(binding: .loopback(port: 0))
        for packet in try await Captured.packets(passphrase: nil) {
            // The clear packet under a header that claims to be encrypted, as the published attack has it.
            try socket.send([0x30, 0x48, 0x88, 0xb6, 0, 0, 0, 0] + packet.dropFirst(4), to: ingest.addresses[0])
        }
        try await eventually { ingest.statistics().guardDropped.zeroNonce > 20 }
        #expect(media.numbers.isEmpty)
        ingest.stop()
    }

    @Test("a stream that was captured and is sent again from elsewhere changes nothing")
    func replay() async throws {
        let (ingest, media) = try makeIngest()
        let tap = try Tap(target: ingest.addresses[0])
        let encoder = try Encoder(bufferMs: 300)
        try await encoder.connect(tap.address)
        try await encoder.send(0..<200)
        let thief = try UDPSocket(binding: .loopback(port: 0))
        for packet in tap.captured { try thief.send(packet, to: ingest.addresses[0]) }
        try await encoder.send(200..<400)
        try await media.wait(for: 399)
        #expect(media.numbers == Array(media.numbers[0]..<400))
        #expect(ingest.statistics().guardDropped.replayed > 200)
        #expect(ingest.statistics().paths.count == 1)
        tap.stop()
        ingest.stop()
        withExtendedLifetime(encoder) {}
    }

    @Test("a sender with another key is not heard")
    func wrongKey() async throws {
        let (ingest, media) = try makeIngest()
        // By itself it does not get beyond the handshake: its media is what a receiver with its own key was sent.
        let key = Secret("ffffffffffffffffffffffffffffffff")
        let heard = Media()
        let other = try StandardIngest(.init(port: 0, bind: ["127.0.0.1"], key: key, bufferMs: 300), log: quiet, onMedia: heard.take)
        let tap = try Tap(target: other.addresses[0])
        let stranger = try Encoder(key: key, bufferMs: 300)
        try await stranger.connect(tap.address)
        try await stranger.send(0..<200)
        try await heard.wait(for: 199)
        let packets = tap.captured
        #expect(packets.count > 200)
        let socket = try UDPSocket(binding: .loopback(port: 0))
        for packet in packets { try socket.send(packet, to: ingest.addresses[0]) }
        _ = try stranger.sender.add(.init(address: ingest.addresses[0], interface: nil, weight: 0))
        try await stranger.send(200..<400)
        // All of it was let through to librist, from both.
        try await eventually {
            let paths = ingest.statistics().paths
            return paths.count == 2 && paths.contains { $0.packetsTotal == packets.count }
        }
        #expect(media.numbers.isEmpty)

        // Who has the key is heard at the same port.
        let friend = try Encoder(bufferMs: 300)
        try await friend.connect(ingest.addresses[0])
        try await friend.send(1000..<1200)
        try await media.wait(for: 1199)
        #expect(media.numbers.allSatisfy { $0 >= 1000 } && media.numbers.count > 190)
        for one in [ingest, other] { one.stop() }
        tap.stop()
        withExtendedLifetime((stranger, friend)) {}
    }
}

/// Sends `count` packets, one each millisecond, from one socket.
private final class Flood: Sendable {
    private let target: SocketAddress
    private let count: Int
    private let make: @Sendable (Int) -> [UInt8]

    init(target: SocketAddress, count: Int, make: @escaping @Sendable (Int) -> [UInt8]) {
        self.target = target
        self.count = count
        self.make = make
    }

    func start() {
        Thread { [target, count, make] in
            guard let socket = try? UDPSocket(binding: .loopback(port: 0)) else { return }
            let begin = Instant.now.nanoseconds
            for number in 0..<count {
                let due = begin + Int64(number) * 1_000_000
                var time = timespec(tv_sec: Int(due / 1_000_000_000), tv_nsec: Int(due % 1_000_000_000))
                clock_nanosleep(CLOCK_MONOTONIC, CInt(TIMER_ABSTIME), &time, nil)
                _ = try? socket.send(make(number), to: target)
            }
        }.start()
    }
}

/// Stands between a sender and its target and remembers what passed.
private final class Tap: Sendable {
    let address: SocketAddress
    private let loop: Loop
    private let packets = Guarded<[[UInt8]]>([])

    var captured: [[UInt8]] { packets.withLock { $0 } }

    init(target: SocketAddress) throws {
        let front = try UDPSocket(binding: .loopback(port: 0))
        let back = try UDPSocket(binding: .loopback(port: 0))
        address = front.localAddress
        loop = try Loop(name: "tap")
        let packets = packets
        loop.submit { [loop] in
            let batch = DatagramBatch()
            var sender: SocketAddress?
            _ = try? loop.watch(front.descriptor, .read) { _ in
                for index in 0..<((try? front.receive(batch)) ?? 0) {
                    sender = batch.source(index)
                    packets.withLock { $0.append(Array(batch[index])) }
                    _ = try? back.send(batch[index], to: target)
                }
            }
            _ = try? loop.watch(back.descriptor, .read) { _ in
                for index in 0..<((try? back.receive(batch)) ?? 0) {
                    if let sender { _ = try? front.send(batch[index], to: sender) }
                }
            }
        }
    }

    func stop() { loop.stop() }
}

/// What librist sends without a key, written by its own command line sender.
private enum Captured {
    static func packets(passphrase: String?) async throws -> [[UInt8]] {
        let tap = try Tap(target: .loopback(port: 9))
        let input = try UDPSocket(binding: .loopback(port: 0))
        let port = input.localAddress.port
        let feed = try UDPSocket(binding: .loopback(port: 0))
        let sender = Process()
        sender.executableURL = URL(fileURLWithPath: "/usr/bin/ristsender")
        // Its input port is free again in a moment: nobody else asks for it by number.
        sender.arguments = [
            "-p", "1", "-i", "udp://@127.0.0.1:\(port + 1)", "-o", "rist://\(tap.address)", "-v", "-1", "-S", "0", "-f", "1",
        ]
        sender.standardOutput = FileHandle.nullDevice
        sender.standardError = FileHandle.nullDevice
        try sender.run()
        defer {
            // Not SIGTERM: it inherits the mask of the thread that started it, and stayed.
            kill(sender.processIdentifier, SIGKILL)
            tap.stop()
        }
        let target = SocketAddress.loopback(port: port + 1)
        try await eventually {
            for _ in 0..<5 { _ = try? feed.send([UInt8](repeating: 0x47, count: 1316), to: target) }
            return tap.captured.filter { $0.count > 1000 }.count > 20
        }
        return tap.captured
    }
}

/// Asks again every 20 ms for 5 s.
private func eventually(_ holds: @escaping @Sendable () -> Bool) async throws {
    for _ in 0..<250 {
        if holds() { return }
        try await Task.sleep(for: .milliseconds(20))
    }
    throw TimedOut()
}
