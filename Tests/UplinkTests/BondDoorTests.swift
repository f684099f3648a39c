import Foundation
import Ingest
import Logging
import Posix
import Support
import Testing
import Units
import Uplink
import Wire

/// Who gets in at a receiver of our own carrier, and who is back after a restart of either end; over loopback.
@Suite("The bond's door", .serialized, .unlessStolen)
struct BondDoorTests {
    @Test("a sender with another key is not heard, and junk of every kind costs the good one nothing")
    func strangers() async throws {
        let ends = try Ends()
        defer { ends.stop() }
        try await ends.waitForLive()
        let stranger = try ends.makeUplink(key: "ffffffffffffffffffffffffffffffff")
        defer { stranger.stop() }
        let junk = try UDPSocket(binding: .loopback(port: 0))
        var shapes: [[UInt8]] = [[], [0x40], [0x10, 1, 0, 0], [UInt8](repeating: 0x47, count: 1316)]
        for (kind, count) in [(0x10, 76), (0x12, 100), (0x40, 64), (0x45, 1345), (0x30, 200)] as [(UInt8, Int)] {
            shapes.append([kind, 1, 0, 0] + (4..<count).map { _ in UInt8.random(in: .min ... .max) })
        }
        let sent = Guarded(0)
        let flood = Task {
            // 10,000 a second, in portions that a socket's buffer holds.
            for _ in 0..<200 {
                for index in 0..<50 {
                    var datagram = shapes[index % shapes.count]
                    if datagram.count > 8 { datagram[5] = UInt8.random(in: .min ... .max) }
                    if (try? junk.send(datagram, to: ends.ingest.addresses[0])) == true { sent.withLock { $0 += 1 } }
                }
                try await Task.sleep(for: .milliseconds(5))
            }
        }
        let lost = try await ends.send(400)
        _ = try await flood.value
        let statistics = ends.ingest.statistics()
        #expect(lost.isEmpty, "\(lost.count) lost beside \(sent.withLock { $0 }) packets of junk: \(statistics)")
        #expect(statistics.guardDropped.total > 5_000)
        #expect(statistics.guardDropped.unauthentic > 0)
        #expect(statistics.paths.count == 1)
        #expect(stranger.telemetry().allSatisfy { $0.state != .live })
    }

    @Test("a receiver that was started again is found again by itself")
    func receiverAgain() async throws {
        let ends = try Ends()
        defer { ends.stop() }
        try await ends.waitForLive()
        let port = ends.ingest.addresses[0].port
        ends.ingest.stop()
        let arrived = Guarded(0)
        let again = try makeIngest(
            IngestSettings(port: port, bind: ["127.0.0.1"], key: Ends.key.secret, bufferMs: 300), carrier: .bond,
            log: Log("test", threshold: .error)
        ) { bytes in arrived.withLock { $0 += bytes.count } }
        defer { again.stop() }
        _ = try await ends.send(600)
        #expect(arrived.withLock { $0 } > 200 * 188)
    }

    @Test("a sender that was started again is taken at once, and what was held of its former run still comes out")
    func senderAgain() async throws {
        let ends = try Ends()
        defer { ends.stop() }
        try await ends.waitForLive()
        let before = try await ends.send(50)
        #expect(before.isEmpty)
        try ends.startAgain()
        try await ends.waitForLive()
        let after = try await ends.send(200, from: 1000)
        #expect(after.isEmpty, "\(after.count) lost")
    }
}

/// What is said where the two ends do not fit each other.
extension BondDoorTests {
    @Test("another key, another latency and a second sender are told to a person, at the end that can do something about it")
    func differences() async throws {
        let (receiver, sender) = (Lines(), Lines())
        let ingest = try makeIngest(
            IngestSettings(port: 0, bind: ["127.0.0.1"], key: Ends.key.secret, bufferMs: 300), carrier: .bond, log: receiver.log
        ) { _ in }
        defer { ingest.stop() }
        func connect(_ key: String) throws -> any Uplink {
            let transport = Transport(
                carrier: .bond, receivers: [Endpoint(host: "127.0.0.1", port: ingest.addresses[0].port)],
                streamKey: SecretOnWire(Secret(key)), bufferMs: 600)
            let uplink = try makeUplink(transport: transport, log: sender.log)
            uplink.update(links: [Link(name: "lo", kind: .ethernet, state: .up, addresses: ["127.0.0.1"], mtu: 65536)])
            return uplink
        }
        let stranger = try connect("ffffffffffffffffffffffffffffffff")
        defer { stranger.stop() }
        try await sender.wait(for: "is the key the same at both ends?")
        try await receiver.wait(for: "\"source\":\"127.0.0.1:")
        #expect(receiver.all.count == 1)
        let first = try connect(Ends.key.secret.revealed)
        defer { first.stop() }
        try await sender.wait(for: "\"latency_ms\":600,\"receiver_latency_ms\":300")
        try await receiver.wait(for: "\"latency_ms\":300,\"sender_latency_ms\":600")
        let second = try connect(Ends.key.secret.revealed)
        defer { second.stop() }
        try await sender.wait(for: "the receiver refuses: another sender with this key is connected")
    }
}

/// The warnings of one end.
private final class Lines: Sendable {
    private let lines = Guarded<[String]>([])

    var all: [String] { lines.withLock { $0 } }

    var log: Log { Log("test", threshold: .warning) { [self] line in lines.withLock { $0.append(line) } } }

    func wait(for text: String) async throws {
        do {
            try await withTimeout(.seconds(15)) {
                while !self.all.contains(where: { $0.contains(text) }) { try await Task.sleep(for: .milliseconds(20)) }
            }
        } catch {
            Issue.record("nobody said \(text): \(all)")
            throw error
        }
    }
}

/// A sender and a receiver on loopback, 300 ms apart.
private final class Ends: Sendable {
    static let key = SecretOnWire(Secret("0123456789abcdef0123456789abcdef"))
    let ingest: any Ingest
    private let uplink: Guarded<any Uplink>
    private let arrived: Guarded<Set<Int>>
    private let log = Log("test", threshold: .error)

    init() throws {
        let arrived = Guarded<Set<Int>>([])
        let ingest = try listen(arrived)
        self.ingest = ingest
        self.arrived = arrived
        uplink = Guarded(try Self.start(key: Self.key, to: ingest.addresses[0].port))
    }

    private static func start(key: SecretOnWire, to port: Int) throws -> any Uplink {
        let transport = Transport(carrier: .bond, receivers: [Endpoint(host: "127.0.0.1", port: port)], streamKey: key, bufferMs: 300)
        let uplink = try connect(transport)
        uplink.update(links: [Link(name: "lo", kind: .ethernet, state: .up, addresses: ["127.0.0.1"], mtu: 65536)])
        return uplink
    }

    func makeUplink(key: String) throws -> any Uplink {
        try Self.start(key: SecretOnWire(Secret(key)), to: ingest.addresses[0].port)
    }

    func startAgain() throws {
        uplink.withLock { $0 }.stop()
        let new = try Self.start(key: Self.key, to: ingest.addresses[0].port)
        uplink.withLock { $0 = new }
    }

    func waitForLive() async throws {
        let uplink = uplink.withLock { $0 }
        try await withTimeout(.seconds(10)) {
            while !uplink.telemetry().contains(where: { $0.state == .live }) { try await Task.sleep(for: .milliseconds(20)) }
        }
    }

    /// Sends numbered packets, 200 a second, and waits until they are out.
    /// - Returns: the numbers of those that never came.
    func send(_ count: Int, from first: Int = 0) async throws -> [Int] {
        let uplink = uplink.withLock { $0 }
        for number in first..<first + count {
            var packet = [UInt8](repeating: 0x47, count: 188)
            withUnsafeBytes(of: UInt32(number)) { packet.replaceSubrange(8..<12, with: $0) }
            packet.withUnsafeBytes { uplink.send($0) }
            try await Task.sleep(for: .milliseconds(5))
        }
        try await Task.sleep(for: .milliseconds(600))
        return arrived.withLock { arrived in (first..<first + count).filter { !arrived.contains($0) } }
    }

    func stop() {
        uplink.withLock { $0 }.stop()
        ingest.stop()
    }
}

private func connect(_ transport: Transport) throws -> any Uplink {
    try makeUplink(transport: transport, log: Log("test", threshold: .error))
}

private func listen(_ arrived: Guarded<Set<Int>>) throws -> any Ingest {
    try makeIngest(
        IngestSettings(port: 0, bind: ["127.0.0.1"], key: Ends.key.secret, bufferMs: 300), carrier: .bond,
        log: Log("test", threshold: .error)
    ) { bytes in
        let number = Int(bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
        arrived.withLock { _ = $0.insert(number) }
    }
}
