import Foundation
import Ingest
import Logging
import Posix
import RIST
import Testing
import Units

let testKey = Secret("0123456789abcdef0123456789abcdef")
let quiet = Log("test", threshold: .error)

/// The numbers that came out of an `Ingest`.
final class Media: Sendable {
    private let state = Guarded<[Int]>([])
    private let arrivals = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))

    var numbers: [Int] { state.withLock { $0 } }

    var take: @Sendable (UnsafeRawBufferPointer) -> Void {
        { [self] bytes in
            guard bytes.count == 1316 else { return }
            let number = Int(bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
            state.withLock { $0.append(number) }
            arrivals.continuation.yield()
        }
    }

    func wait(for number: Int) async throws {
        try await withTimeout(.seconds(8)) {
            for await _ in self.arrivals.stream where self.numbers.last.map({ $0 >= number }) ?? false { return }
        }
    }
}

/// A sender of numbered packets at 2.5 Mbit/s over one or more peers.
final class Encoder: Sendable {
    let sender: RISTSender
    private let events: AsyncStream<RISTSender.Event>

    init(key: Secret = testKey, bufferMs: Int) throws {
        let (events, continuation) = AsyncStream.makeStream(of: RISTSender.Event.self, bufferingPolicy: .bufferingNewest(1024))
        sender = try RISTSender(passphrase: RISTPassphrase(key)!, bufferMs: bufferMs) { continuation.yield($0) }
        self.events = events
    }

    func connect(_ address: SocketAddress, peers: Int = 1) async throws {
        var waiting: Set<RISTSender.PeerID> = []
        for _ in 0..<peers { waiting.insert(try sender.add(.init(address: address, interface: nil, weight: 0))) }
        let all = waiting
        try await withTimeout(.seconds(5)) { [events] in
            var left = all
            for await event in events {
                if case .connected(let peer) = event { left.remove(peer) }
                if left.isEmpty { return }
            }
        }
        for peer in all { sender.setWeight(5, of: peer) }
    }

    func send(_ numbers: Range<Int>) async throws {
        for number in numbers {
            var bytes = [UInt8](repeating: 0xff, count: 1316)
            bytes[0] = 0x47
            bytes.withUnsafeMutableBytes { buffer in
                buffer.storeBytes(of: UInt32(number), toByteOffset: 4, as: UInt32.self)
                _ = sender.write(UnsafeRawBufferPointer(buffer))
            }
            try await Task.sleep(for: .milliseconds(3))
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
