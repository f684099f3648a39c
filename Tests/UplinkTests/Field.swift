import Configuration
import Foundation
import Ingest
import Lab
import Links
import Logging
import Posix
import Units
import Uplink
import Wire

/// A board in a namespace of its own that sends numbered packets over emulated links to a receiver on this machine.
final class Field: Sendable {
    let network: FieldNetwork
    let ingest: any Ingest
    let uplink: any Uplink
    let watcher: LinkWatcher
    private let loop: Loop
    /// Transport stream packets that came out of each seven that went in, by the number of the seven.
    private let arrived: Guarded<[Int: Int]>
    private let history = Guarded<[(at: Instant, event: UplinkEvent)]>([])
    private let links: Task<Void, Never>
    private let reports: Task<Void, Never>
    private let marks: AsyncStream<Void>

    static let key = SecretOnWire(Secret("0123456789abcdef0123456789abcdef"))

    /// - Parameters:
    ///   - isWatched: whether the uplink is told of what becomes of the links.
    ///   - receivers: the receiver's addresses; the one that all links reach where none is given.
    init(
        _ shapes: [LinkShape], carrier: Carrier = .bond, family: SocketAddress.Family = .ipv4, sticks: Bool = false, bufferMs: Int = 1000,
        protection: Protection = .throughput, rules: [String: LinkRule] = [:], bind: [String] = ["0.0.0.0", "::"], seed: UInt64 = 1,
        isWatched: Bool = true,
        receivers: @Sendable (FieldNetwork) -> [String] = { [$0.cloudAddress] }
    ) throws {
        let network = try FieldNetwork(links: shapes, family: family, sticks: sticks, seed: seed, number: 20)
        let arrived = Guarded<[Int: Int]>([:])
        let log = Log("field", threshold: .error)
        let ingest = try makeIngest(.init(port: 0, bind: bind, key: Self.key.secret, bufferMs: bufferMs), carrier: carrier, log: log) {
            bytes in
            arrived.withLock { arrived in
                for start in stride(from: 0, to: bytes.count, by: 188) where bytes[start + 4] == Feed.mark {
                    arrived[Int(bytes.loadUnaligned(fromByteOffset: start + 8, as: UInt32.self)), default: 0] += 1
                }
            }
        }
        let port = ingest.addresses[0].port
        let transport = Transport(
            carrier: carrier, receivers: receivers(network).map { Endpoint(host: $0, port: port) }, streamKey: Self.key, bufferMs: bufferMs,
            protection: protection)
        let loop = try Loop(name: "field")
        let (watcher, uplink) = try network.field.run {
            (try LinkWatcher(loop: loop, policy: LinkPolicy(allow: ["modem*"]), log: log), try makeUplink(transport: transport, log: log))
        }
        let (marks, mark) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        links = Task {
            for await links in watcher.snapshots where isWatched || links.count == shapes.count {
                uplink.update(links: links, rules: rules)
                if !isWatched, links.allSatisfy({ $0.state == .up }) { return }
            }
        }
        reports = Task { [history] in
            for await event in uplink.events {
                history.withLock { $0.append((.now, event)) }
                mark.yield()
            }
        }
        self.network = network
        self.ingest = ingest
        self.uplink = uplink
        self.watcher = watcher
        self.loop = loop
        self.arrived = arrived
        self.marks = marks
    }

    var events: [(at: Instant, event: UplinkEvent)] { history.withLock { $0 } }

    /// Until this many links carry media.
    func waitForLive(_ count: Int) async throws {
        try await wait { events in
            let live = events.reduce(into: Set<String>()) { live, event in
                switch event {
                case .live(let link, _): live.insert(link)
                case .silent(let link, _), .removed(let link), .unreachable(let link, _): live.remove(link)
                case .rateCut, .unheard, .heard, .clockChanged: break
                }
            }
            return live.count >= count
        }
    }

    /// Until what has happened so far is enough; 15 s at most.
    func wait(_ holds: @escaping @Sendable ([UplinkEvent]) -> Bool) async throws {
        try await withTimeout(.seconds(15)) {
            if holds(self.events.map(\.event)) { return }
            for await _ in self.marks where holds(self.events.map(\.event)) { return }
        }
    }

    /// Sends at `rate` for `duration` and does what is to happen on the way, then waits until the buffer has run out.
    /// - Returns: the numbers of the packets that never came out.
    func send(
        _ duration: Duration, rate: Bitrate = .kilobits(2500), settle: Duration = .milliseconds(2000),
        _ happenings: [(at: Duration, run: @Sendable (FieldNetwork) throws -> Void)] = []
    ) async throws -> [Int] {
        let gap = Int64(1316 * 8) * 1_000_000_000 / Int64(rate.bitsPerSecond)
        let count = Int(duration.nanoseconds / gap)
        let feed = Feed(uplink: uplink, count: count, gapNs: gap)
        let begin = Instant.now
        feed.start()
        for happening in happenings {
            let wait = (begin + happening.at) - .now
            if wait > .zero { try await Task.sleep(for: wait) }
            try happening.run(network)
        }
        await feed.end()
        try await Task.sleep(for: settle)
        return arrived.withLock { arrived in (0..<count).filter { arrived[$0] != 7 } }
    }

    func stop() {
        links.cancel()
        reports.cancel()
        uplink.stop()
        ingest.stop()
        loop.stop()
        network.remove()
    }
}

/// A streaming thread: one packet each gap by the clock, whatever else happens.
private final class Feed: Sendable {
    private let uplink: any Uplink
    private let count: Int
    private let gapNs: Int64
    private let done = AsyncStream.makeStream(of: Void.self)
    /// At byte 4 of each packet that counts; the number of its seven is at byte 8.
    static let mark: UInt8 = 0xa5

    init(uplink: any Uplink, count: Int, gapNs: Int64) {
        self.uplink = uplink
        self.count = count
        self.gapNs = gapNs
    }

    func start() {
        Thread { [self] in
            var packet = [UInt8](repeating: 0xff, count: 1316)
            for start in stride(from: 0, to: packet.count, by: 188) {
                packet[start] = 0x47
                packet[start + 4] = Self.mark
            }
            let begin = Instant.now
            for number in 0..<count {
                let due = begin.nanoseconds + Int64(number) * gapNs
                var time = timespec(tv_sec: Int(due / 1_000_000_000), tv_nsec: Int(due % 1_000_000_000))
                clock_nanosleep(CLOCK_MONOTONIC, CInt(TIMER_ABSTIME), &time, nil)
                packet.withUnsafeMutableBytes { bytes in
                    for start in stride(from: 0, to: bytes.count, by: 188) {
                        bytes.storeBytes(of: UInt32(number), toByteOffset: start + 8, as: UInt32.self)
                    }
                    uplink.send(UnsafeRawBufferPointer(bytes))
                }
            }
            let blank: [UInt8] = [0x47, 0x1f, 0xff, 0x10] + [UInt8](repeating: 0xff, count: 184)
            // As at the end of a broadcast: by what follows a receiver sees that the last packet is missing.
            for _ in 0..<5 {
                usleep(40_000)
                blank.withUnsafeBytes { uplink.send($0) }
            }
            done.continuation.finish()
        }.start()
    }

    func end() async { for await _ in done.stream {} }
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
