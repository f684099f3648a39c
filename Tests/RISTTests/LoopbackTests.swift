import Foundation
import Posix
import RIST
import Support
import Testing
import Units

/// librist talking to librist over 127.0.0.1, both through our wrapper.
@Suite(.serialized, .unlessStolen) struct LoopbackTests {
    let passphrase = RISTPassphrase(Secret("0123456789abcdef0123456789abcdef"))!

    @Test("what is written comes out in order, and only once the peer has answered")
    func delivers() async throws {
        let received = Received()
        let receiver = try RISTReceiver(
            .init(passphrase: passphrase, bufferMs: 200, skewMs: 30), accept: { _ in true }, onPacket: received.take, onEvent: { _ in })
        let (events, sender) = try makeSender(bufferMs: 200)
        let peer = try sender.add(.init(address: .loopback(port: receiver.port), interface: nil, weight: 0))
        try await events.first { if case .connected(peer) = $0 { true } else { false } }
        sender.setWeight(10, of: peer)
        for number in 0..<500 {
            #expect(sender.write(number: number) == .queued)
            try await Task.sleep(for: .milliseconds(1))
        }
        try await received.wait(for: 499)
        let numbers = received.numbers
        #expect(numbers == Array((numbers.first ?? 0)..<500))
        #expect((numbers.first ?? 9) <= 1, "librist may lose the very first packet")
        withExtendedLifetime((receiver, sender)) {}
    }

    @Test("a sender with another key is not heard")
    func wrongKey() async throws {
        let received = Received()
        let receiver = try RISTReceiver(
            .init(passphrase: passphrase, bufferMs: 100, skewMs: 30), accept: { _ in true }, onPacket: received.take, onEvent: { _ in })
        let other = RISTPassphrase(Secret("ffffffffffffffffffffffffffffffff"))!
        let sender = try RISTSender(passphrase: other, bufferMs: 100, onEvent: { _ in })
        _ = try sender.add(.init(address: .loopback(port: receiver.port), interface: nil, weight: 0))
        for number in 0..<300 {
            _ = sender.write(number: number)
            try await Task.sleep(for: .milliseconds(1))
        }
        #expect(received.numbers.isEmpty)
        withExtendedLifetime((receiver, sender)) {}
    }

    @Test("a peer pinned to an interface that is not there is refused and leaves nothing behind")
    func absentInterface() async throws {
        let (_, sender) = try makeSender(bufferMs: 100)
        #expect(throws: RISTSender.Failure.self) {
            try sender.add(.init(address: .loopback(port: 9), interface: "absent0", weight: 1))
        }
        withExtendedLifetime(sender) {}
    }

    @Test("one sender follows another in a process, and each has its peers pinned")
    func oneAfterTheOther() throws {
        for _ in 0..<20 {
            let (_, sender) = try makeSender(bufferMs: 100)
            _ = try sender.add(.init(address: .loopback(port: 9), interface: "lo", weight: 5))
        }
    }

    @Test("a peer pinned to lo reaches 127.0.0.1")
    func pinned() async throws {
        let received = Received()
        let receiver = try RISTReceiver(
            .init(passphrase: passphrase, bufferMs: 100, skewMs: 30), accept: { _ in true }, onPacket: received.take, onEvent: { _ in })
        let (events, sender) = try makeSender(bufferMs: 100)
        let peer = try sender.add(.init(address: .loopback(port: receiver.port), interface: "lo", weight: 5))
        try await events.first { if case .connected(peer) = $0 { true } else { false } }
        withExtendedLifetime((receiver, sender)) {}
    }

    @Test("peers can come and go in a running stream, and the weights of the others hold")
    func comesAndGoes() async throws {
        let received = Received()
        let receiver = try RISTReceiver(
            .init(passphrase: passphrase, bufferMs: 300, skewMs: 50), accept: { _ in true }, onPacket: received.take, onEvent: { _ in })
        let (events, sender) = try makeSender(bufferMs: 300)
        var peers: [RISTSender.PeerID] = []
        for _ in 0..<3 { peers.append(try sender.add(.init(address: .loopback(port: receiver.port), interface: nil, weight: 0))) }
        let missing = Guarded(Set(peers))
        try await events.first { event in
            missing.withLock { missing in
                if case .connected(let peer) = event { missing.remove(peer) }
                return missing.isEmpty
            }
        }
        for peer in peers { sender.setWeight(5, of: peer) }
        for number in 0..<900 {
            if number == 300 { sender.remove(peers[0]) }
            if number == 600 { sender.setWeight(0, of: peers[1]) }
            if number == 601 { sender.remove(peers[1]) }
            _ = sender.write(number: number)
            try await Task.sleep(for: .milliseconds(1))
        }
        try await received.wait(for: 899)
        let numbers = received.numbers
        #expect(numbers == Array((numbers.first ?? 0)..<900))
        withExtendedLifetime((receiver, sender)) {}
    }

    private func makeSender(bufferMs: Int) throws -> (AsyncStream<RISTSender.Event>, RISTSender) {
        let (events, continuation) = AsyncStream.makeStream(of: RISTSender.Event.self, bufferingPolicy: .bufferingNewest(256))
        let sender = try RISTSender(passphrase: passphrase, bufferMs: bufferMs) { continuation.yield($0) }
        return (events, sender)
    }
}

/// What came out, by the number in each packet.
final class Received: Sendable {
    private let state = Guarded<[Int]>([])
    private let arrivals = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))

    var numbers: [Int] { state.withLock { $0 } }

    var take: @Sendable (RISTReceiver.Packet) -> Void {
        { [self] packet in
            let number = Int(packet.bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
            state.withLock { $0.append(number) }
            arrivals.continuation.yield()
        }
    }

    func wait(for number: Int) async throws {
        try await withTimeout(.seconds(5)) {
            if self.numbers.last == number { return }
            for await _ in self.arrivals.stream where self.numbers.last == number { return }
        }
    }
}

struct TimedOut: Error {}

func withTimeout<Result: Sendable>(_ limit: Duration, _ body: @escaping @Sendable () async throws -> Result) async throws -> Result {
    try await withThrowingTaskGroup(of: Result.self) { group in
        group.addTask { try await body() }
        group.addTask {
            try await Task.sleep(for: limit)
            throw TimedOut()
        }
        defer { group.cancelAll() }
        return try await group.next()!
    }
}

extension AsyncStream where Element: Sendable {
    func first(where matches: @escaping @Sendable (Element) -> Bool) async throws {
        try await withTimeout(.seconds(5)) {
            for await element in self where matches(element) { return }
            throw TimedOut()
        }
    }
}

extension RISTSender {
    /// A TS-shaped packet of 1316 bytes with a number in it.
    func write(number: Int) -> Written {
        var bytes = [UInt8](repeating: 0xff, count: 1316)
        bytes[0] = 0x47
        return bytes.withUnsafeMutableBytes { buffer in
            buffer.storeBytes(of: UInt32(number), toByteOffset: 4, as: UInt32.self)
            return write(UnsafeRawBufferPointer(buffer))
        }
    }
}
