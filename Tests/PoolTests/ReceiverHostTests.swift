import Foundation
import Logging
import Posix
import Support
import Testing
import Units
import Wire

@testable import Pool

/// A pool's host over the fake receiver, real processes and real sockets, in folders of its own.
final class Host: @unchecked Sendable {
    // Sendable: the fields are set in init; messages are behind a lock.
    let loop: Loop
    let folder: String
    var settings: PoolSettings
    private(set) var host: ReceiverHost!
    private let messages = Guarded<[(PoolMessage, ReceiverHost.Importance)]>([])
    private let arrivals = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))

    private static let nextPort = Guarded(UInt16(20_000 + Int(getpid()) % 2000 * 10))

    init(fault: String? = nil, capacity: Int = 3) throws {
        loop = try Loop(name: "pool")
        folder = "/tmp/st-pool-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        mkdir(folder, 0o700)
        let first = Host.nextPort.withLock { port in
            port += 10
            return Int(port)
        }
        settings = PoolSettings(
            publicAddresses: ["192.0.2.1"], bind: ["127.0.0.1"], ports: PortRange(first: first, last: first + 9), capacity: capacity,
            receiver: folder + "/receiver", receiverLogLevel: "error", runtimeFolder: folder + "/run", stateFolder: folder + "/state",
            version: "test")
        // No script of our own: while we write one, another test's child may have it open too, and it cannot be run (ETXTBSY).
        symlink(Host.program("FakeReceiver"), settings.receiver)
        try setFault(fault)
    }

    /// A program beside the tests.
    static func program(_ name: String) -> String {
        let bundle = CommandLine.arguments.first { $0.contains(".xctest") } ?? CommandLine.arguments[0]
        return URL(fileURLWithPath: bundle).deletingLastPathComponent().appendingPathComponent(name).path
    }

    /// What the next receivers will do.
    func setFault(_ fault: String?) throws {
        try (fault ?? "none").write(toFile: settings.receiver + ".fault", atomically: true, encoding: .utf8)
    }

    func start() async throws {
        host = try ReceiverHost(settings: settings, loop: loop, log: Log("test", threshold: .error)) {
            [messages, arrivals] message, importance in
            messages.withLock { $0.append((message, importance)) }
            arrivals.continuation.yield()
        }
        try await host.adoptAll()
    }

    /// A new pool over the same folders; the old one has let go or was never there.
    func restart() async throws {
        await host.leave()
        host = nil
        try await start()
    }

    func order(_ order: PoolOrder) async -> CommandOutcome {
        var random = SystemRandomNumberGenerator()
        return await host.carryOut(Command(id: CommandID(ULID(unixMs: 1, random: &random)), order: order))
    }

    func lease(_ number: Int, outputs: [OutputSpec] = []) async -> CommandOutcome {
        await order(.lease(LeaseRequest(spec: .sample(number, outputs: outputs))))
    }

    func release(_ number: Int) async -> CommandOutcome { await order(.release(LeaseReference(lease: StreamSpec.sample(number).lease))) }

    var leases: [LeaseReport] { get async { await host.hello().leases } }

    /// Waits for a report that fits; where none comes, the suite's time limit ends it.
    func report(_ fits: (StreamReport, ReceiverHost.Importance) -> Bool) async throws -> StreamReport {
        var seen = 0
        while true {
            try Task.checkCancellation()
            let all = messages.withLock { $0 }
            for (message, importance) in all[seen...] {
                if case .report(let report) = message, fits(report, importance) { return report }
            }
            seen = all.count
            var iterator = arrivals.stream.makeAsyncIterator()
            await iterator.next()
        }
    }

    /// Waits until the newest report fits.
    @discardableResult
    func newest(_ fits: (StreamReport) -> Bool) async throws -> StreamReport {
        while true {
            try Task.checkCancellation()
            let reports = messages.withLock { $0 }.compactMap { if case .report(let report) = $0.0 { report } else { nil } }
            if let last = reports.last, fits(last) { return last }
            var iterator = arrivals.stream.makeAsyncIterator()
            await iterator.next()
        }
    }

    /// Waits for so many reports from now on, and gives the last of them.
    func reports(_ count: Int) async throws -> StreamReport {
        func all() -> [StreamReport] { messages.withLock { $0 }.compactMap { if case .report(let report) = $0.0 { report } else { nil } } }
        let wanted = all().count + count
        while true {
            try Task.checkCancellation()
            if let last = all().last, all().count >= wanted { return last }
            var iterator = arrivals.stream.makeAsyncIterator()
            await iterator.next()
        }
    }

    /// What was told of pictures so far.
    var thumbnails: [(StreamThumbnail, ReceiverHost.Importance)] {
        messages.withLock { $0 }.compactMap { message, importance in
            if case .thumbnail(let thumbnail) = message { (thumbnail, importance) } else { nil }
        }
    }

    func files() -> [String] { ((try? FileManager.default.contentsOfDirectory(atPath: folder + "/run/pool")) ?? []).sorted() }

    func end() async {
        for lease in await leases { _ = await order(.release(LeaseReference(lease: lease.lease))) }
        #expect(files() == ["lock"])
        await host.leave()
        loop.stop()
        try? FileManager.default.removeItem(atPath: folder)
    }
}

@Suite("Receiver host", .unlessStolen, .timeLimit(.minutes(1)))
struct ReceiverHostTests {
    private func file(_ number: Int, _ name: String) -> OutputSpec {
        OutputSpec(id: OutputID("01ARZ3NDEKTSV4RRFFQ69G5F0\(number)")!, target: .file(FileTarget(name: name)))
    }

    private func isAlive(_ pid: Int) -> Bool { kill(pid_t(pid), 0) == 0 }

    @Test("a lease is a receiver that listens on its port, and a release leaves nothing")
    func leaseAndRelease() async throws {
        let pool = try Host()
        try await pool.start()
        let outcome = await pool.lease(1)
        #expect(outcome.result == .done && outcome.port == pool.settings.ports.first)
        let lease = try #require(await pool.leases.first)
        #expect(lease.port == pool.settings.ports.first)
        let pid = try #require(lease.pid)
        #expect(isAlive(pid))
        let report = try await pool.report { _, importance in importance == .change }
        #expect(report.pid == pid && report.port == lease.port && report.restarts == 0)
        #expect(await pool.lease(1).result == .done)
        #expect(await pool.leases.map(\.pid) == [pid])
        #expect(await pool.release(1).result == .done)
        #expect(!isAlive(pid))
        #expect(await pool.leases.isEmpty)
        #expect(await pool.release(1).result == .done)
        await pool.end()
    }

    @Test("of a receiver's pictures one a second is passed on as its own stream's, where it fits, and may be lost on the way")
    func pictures() async throws {
        let pool = try Host(fault: "pictures")
        try await pool.start()
        #expect(await pool.lease(1).result == .done)
        // It reports behind its pictures.
        _ = try await pool.report { _, _ in true }
        let spec = StreamSpec.sample(1)
        let only = try #require(pool.thumbnails.first)
        #expect(pool.thumbnails.count == 1 && only.1 == .figures)
        #expect(only.0 == StreamThumbnail(lease: spec.lease, broadcast: spec.broadcast, ageMs: 0, base64: "first"))
        await pool.end()
    }

    @Test("a killed receiver is back on the same port within 5 s, and both are told")
    func killed() async throws {
        let pool = try Host()
        try await pool.start()
        _ = await pool.lease(1, outputs: [file(1, "a")])
        let before = try #require(await pool.leases.first)
        let pid = try #require(before.pid)
        _ = try await pool.report { report, _ in report.ingest.state == .flowing }
        let killedAt = Instant.now
        kill(pid_t(pid), SIGKILL)
        let gap = try await pool.report { report, importance in report.pid == nil && importance == .change }
        #expect(gap.outputs.first?.reason == "the receiver ended (signal 9) and is started again")
        #expect(gap.ingest.state == .interrupted && gap.restarts == 1)
        let back = try await pool.report { report, _ in report.pid != nil && report.pid != pid }
        #expect(Instant.now - killedAt < .seconds(5))
        #expect(back.port == before.port && back.restarts == 1 && back.outputs.map(\.id) == before.outputs)
        await pool.end()
    }

    @Test("a receiver that hangs is told to be away, killed, and started again on the same port; one that only reports stays")
    func hangs() async throws {
        let pool = try Host()
        pool.settings.silentAfter = .milliseconds(1500)
        try await pool.start()
        _ = await pool.lease(1, outputs: [file(1, "a")])
        // Before there is media it is its start that watches over it.
        let before = try await pool.report { report, _ in report.ingest.state == .flowing }
        let pid = try #require(before.pid)
        let stopped = Instant.now
        kill(pid_t(pid), SIGSTOP)
        let gap = try await pool.report { report, importance in report.ingest.state == .interrupted && importance == .change }
        #expect(gap.outputs.first?.reason == "the receiver has said nothing for 1.5 s")
        let back = try await pool.report { report, _ in report.ingest.state == .flowing && report.pid != nil && report.pid != pid }
        #expect(Instant.now - stopped < .seconds(6))
        #expect(back.port == before.port && back.restarts == 1)
        #expect(!isAlive(pid))
        try await Task.sleep(for: .seconds(4))
        #expect(await pool.leases.first?.pid == back.pid)
        await pool.end()
    }

    @Test("a receiver that always dies is backed off, and the lease can still be ended")
    func crashes() async throws {
        let pool = try Host()
        try await pool.start()
        _ = await pool.lease(1)
        try pool.setFault("crashes")
        kill(pid_t(try #require(await pool.leases.first?.pid)), SIGKILL)
        _ = try await pool.report { report, _ in report.restarts == 3 }
        #expect(await pool.release(1).result == .done)
        await pool.end()
    }

    @Test("the successor of a pool adopts its receivers without touching them")
    func adoption() async throws {
        let pool = try Host()
        try await pool.start()
        _ = await pool.lease(1)
        _ = await pool.lease(2, outputs: [file(2, "b")])
        let before = await pool.leases
        try await pool.restart()
        let after = await pool.leases
        #expect(after == before)
        #expect(after.allSatisfy { $0.pid != nil })
        let pid = try #require(after.first?.pid)
        kill(pid_t(pid), SIGKILL)
        let back = try await pool.report { report, _ in report.lease == after[0].lease && report.pid != nil && report.pid != pid }
        #expect(back.port == after[0].port)
        await pool.end()
    }

    @Test("a receiver that died with its pool is started again on its port by the next")
    func bothDied() async throws {
        let pool = try Host()
        try await pool.start()
        _ = await pool.lease(1, outputs: [file(1, "a")])
        let before = try #require(await pool.leases.first)
        await pool.host.leave()
        kill(pid_t(try #require(before.pid)), SIGKILL)
        try await pool.restart()
        let after = try #require(await pool.leases.first)
        #expect(after.port == before.port && after.pid != nil && after.pid != before.pid && after.outputs == before.outputs)
        await pool.end()
    }

    @Test("two pools never share a folder")
    func twoPools() async throws {
        let pool = try Host()
        try await pool.start()
        #expect(throws: SystemError("flock", EWOULDBLOCK, on: pool.folder + "/run/pool/lock, which another process has")) {
            _ = try ReceiverHost(settings: pool.settings, loop: pool.loop, log: Log("test", threshold: .error)) { _, _ in }
        }
        await pool.end()
    }

    @Test(
        "each way in which a receiver fails to start is named, and undone",
        arguments: [
            ("dies", "receiver.listen", "exit code 3"), ("refuses", "receiver.open", "no codec today"),
            ("silent", "receiver.listen", "it does not listen after 3.0 s"), ("mute", "receiver.open", "it does not listen after 3.0 s"),
        ])
    func startFails(fault: String, step: String, reason: String) async throws {
        let pool = try Host(fault: fault)
        pool.settings.listenWithin = .seconds(3)
        try await pool.start()
        let outcome = await pool.lease(1)
        #expect(outcome.result == .failed && outcome.step == step && outcome.reason == reason)
        #expect(await pool.leases.isEmpty)
        #expect(pool.files() == ["lock"])
        try pool.setFault(nil)
        pool.settings.listenWithin = .seconds(5)
        try await pool.restart()
        let again = await pool.lease(1)
        #expect(again.result == .done, "\(again)")
        await pool.end()
    }

    @Test("a missing program is named")
    func noProgram() async throws {
        let pool = try Host()
        unlink(pool.settings.receiver)
        try await pool.start()
        let outcome = await pool.lease(1)
        #expect(outcome.step == "receiver.spawn")
        #expect(outcome.reason == "posix_spawn \(pool.settings.receiver): No such file or directory (2)")
        await pool.end()
    }

    @Test("a host that cannot store a lease says so and why, and not where: its paths are nobody's but its operator's")
    func noStorage() async throws {
        let pool = try Host()
        try await pool.start()
        let (folder, elsewhere) = (pool.settings.runtimeFolder, pool.folder + "/elsewhere")
        try FileManager.default.moveItem(atPath: folder, toPath: elsewhere)
        let outcome = await pool.lease(1)
        try FileManager.default.moveItem(atPath: elsewhere, toPath: folder)
        #expect(outcome.result == .refused && outcome.step == "lease")
        #expect(outcome.reason == "the host cannot store the stream's lease: open: No such file or directory (2)")
        #expect(await pool.leases.isEmpty)
        await pool.end()
    }

    @Test("a receiver that does not stop is killed in time")
    func stubborn() async throws {
        let pool = try Host(fault: "stubborn")
        pool.settings.endWithin = .milliseconds(200)
        try await pool.start()
        _ = await pool.lease(1)
        let pid = try #require(await pool.leases.first?.pid)
        #expect(await pool.release(1).result == .done)
        #expect(!isAlive(pid))
        await pool.end()
    }

    @Test("malformed lines of a receiver harm nothing")
    func babbles() async throws {
        let pool = try Host(fault: "babbles")
        try await pool.start()
        #expect(await pool.lease(1).result == .done)
        await pool.end()
    }

    @Test("a full host and a used port: refused with the numbers, skipped")
    func fullAndUsed() async throws {
        let pool = try Host(capacity: 1)
        try await pool.start()
        let other = try UDPSocket(binding: SocketAddress("127.0.0.1", port: pool.settings.ports.first)!)
        #expect(await pool.lease(1).result == .done)
        #expect(await pool.leases.first?.port == pool.settings.ports.first + 1)
        let refused = await pool.lease(2)
        #expect(refused.result == .refused && refused.reason == "the host is full: 1 of 1 streams")
        withExtendedLifetime(other) {}
        await pool.end()
    }

    @Test("outputs are changed while it runs, and the change outlives receiver and pool")
    func outputs() async throws {
        let pool = try Host()
        try await pool.start()
        _ = await pool.lease(1, outputs: [file(1, "a")])
        let lease = StreamSpec.sample(1).lease
        #expect(await pool.order(.addOutput(OutputChange(lease: lease, output: file(2, "b")))).result == .done)
        let refused = await pool.order(.addOutput(OutputChange(lease: lease, output: file(3, "bad"))))
        #expect(refused.result == .refused && refused.reason == "a bad name")
        #expect(await pool.order(.removeOutput(OutputReference(lease: lease, output: file(1, "a").id))).result == .done)
        #expect(await pool.order(.retryOutput(OutputReference(lease: lease, output: file(2, "b").id))).result == .done)
        #expect(await pool.leases.first?.outputs == [file(2, "b").id])
        let pid = try #require(await pool.leases.first?.pid)
        await pool.host.leave()
        kill(pid_t(pid), SIGKILL)
        try await pool.restart()
        #expect(await pool.leases.first?.outputs == [file(2, "b").id])
        let nobody = await pool.order(.retryOutput(OutputReference(lease: StreamSpec.sample(9).lease, output: file(1, "a").id)))
        #expect(nobody.result == .refused)
        await pool.end()
    }

    @Test("an older receiver's output goes to its new address: at once where it is not connected, and when its connection ends otherwise")
    func olderReceiver() async throws {
        let pool = try Host(fault: "old")
        try await pool.start()
        _ = await pool.lease(1, outputs: [file(1, "down"), file(2, "brief")])
        let lease = StreamSpec.sample(1).lease
        func move(_ output: OutputSpec) async -> CommandOutcome.Result {
            await pool.order(.addOutput(OutputChange(lease: lease, output: output))).result
        }
        // A successor finds it so, and does the same: the newer program's order comes to what it has adopted.
        try await pool.restart()
        let pid = try #require(await pool.leases.first?.pid)
        #expect(await move(file(2, "later")) == .done)
        #expect(await move(file(1, "now")) == .done)
        let first = try await pool.report { report, _ in report.outputs.contains { $0.reason == "now" } }
        #expect(first.outputs.contains { $0.reason == "brief" && $0.state == .connected }, "\(first.outputs)")
        let second = try await pool.report { report, _ in report.outputs.contains { $0.reason == "later" } }
        #expect(Set(second.outputs.map(\.reason)) == ["now", "later"] && second.pid == pid, "\(second.outputs)")
        await pool.end()
    }

    @Test("where neither control nor the sender is heard, outputs that are down are taken off, then all, until control is back")
    func fence() async throws {
        let pool = try Host(fault: "dark")
        try await pool.start()
        let (up, down) = (file(1, "up"), file(2, "down"))
        _ = await pool.lease(1, outputs: [up, down])
        try await pool.newest { $0.ingest.state == .interrupted && $0.outputs.count == 2 }
        for _ in 0..<Fence.narrowAfter { await pool.host.look() }
        try await pool.newest { $0.outputs.map(\.id) == [up.id] }
        for _ in 0..<Fence.closedAfter { await pool.host.look() }
        try await pool.newest { $0.outputs.isEmpty }
        #expect(await pool.leases.first?.outputs == [up.id, down.id])
        // The next pool finds the receiver without them, and does not know why.
        try await pool.restart()
        #expect(try await pool.reports(2).outputs.isEmpty)
        await pool.host.setControl(isThere: true)
        for _ in 0..<Fence.confirmed { await pool.host.look() }
        try await pool.newest { $0.outputs.map(\.id) == [up.id, down.id] }
        await pool.end()
    }

    @Test("two broadcasts cannot have one SRT listener port, nor any a port that is in use: refused at once with the reason")
    func listenerPorts() async throws {
        let pool = try Host()
        try await pool.start()
        let port = try UDPSocket(binding: .loopback(port: 0)).localAddress.port
        #expect(await pool.lease(1, outputs: [.listener(1, "127.0.0.1", port)]).result == .done)
        #expect(await pool.lease(2).result == .done)
        let taken = "another SRT listener of this host has port \(port): choose another port for this one"
        for second in [
            await pool.lease(3, outputs: [.listener(1, "127.0.0.1", port)]),
            await pool.order(.addOutput(OutputChange(lease: StreamSpec.sample(2).lease, output: .listener(2, "0.0.0.0", port)))),
        ] {
            #expect(second.result == .refused && second.step == "lease" && second.reason == taken, "\(second)")
        }
        #expect(await pool.leases.map(\.lease) == [StreamSpec.sample(1).lease, StreamSpec.sample(2).lease])
        _ = await pool.release(1)
        let change = OutputChange(lease: StreamSpec.sample(2).lease, output: .listener(2, "127.0.0.1", port))
        #expect(await pool.order(.addOutput(change)).result == .done)
        let foreign = try UDPSocket(binding: .loopback(port: 0))
        let inUse = await pool.lease(4, outputs: [.listener(1, "0.0.0.0", foreign.localAddress.port)])
        #expect(inUse.result == .refused && inUse.reason?.contains("Address already in use") == true, "\(inUse)")
        withExtendedLifetime(foreign) {}
        await pool.end()
    }

    @Test("a change while the receiver is away is done with its return")
    func changeWhileAway() async throws {
        let pool = try Host()
        try await pool.start()
        _ = await pool.lease(1)
        let pid = try #require(await pool.leases.first?.pid)
        kill(pid_t(pid), SIGKILL)
        _ = try await pool.report { report, _ in report.pid == nil }
        let change = OutputChange(lease: StreamSpec.sample(1).lease, output: file(2, "b"))
        #expect(await pool.order(.addOutput(change)).result == .done)
        let back = try await pool.report { report, _ in report.pid != nil && report.pid != pid }
        #expect(back.outputs.map(\.id) == [file(2, "b").id])
        await pool.end()
    }

    @Test("the real receiver is leased, killed, adopted and released like the fake one")
    func realReceiver() async throws {
        let pool = try Host()
        pool.settings.receiver = Host.program("strata-receiver")
        try await pool.start()
        let outcome = await pool.lease(1)
        #expect(outcome.result == .done, "\(outcome)")
        let first = try #require(await pool.leases.first?.pid)
        let report = try await pool.report { report, _ in report.pid == first }
        #expect(report.ingest.state == .waiting)
        // What no listener may take, which the receiver itself sees to (`OutputPolicyTests`).
        let words = try String(contentsOfFile: "/proc/\(first)/cmdline", encoding: .utf8).split(separator: "\0").map(String.init)
        #expect(words.contains("\(pool.settings.ports.first)-\(pool.settings.ports.last)"), "\(words)")
        kill(pid_t(first), SIGKILL)
        let killedAt = Instant.now
        let back = try await pool.report { report, _ in report.pid != nil && report.pid != first }
        #expect(Instant.now - killedAt < .seconds(5) && back.restarts == 1)
        try await pool.restart()
        #expect(await pool.leases.map(\.pid) == [back.pid])
        #expect(await pool.release(1).result == .done)
        #expect(!isAlive(try #require(back.pid)))
        await pool.end()
    }

    @Test("leases made at once are all given, each its own port")
    func many() async throws {
        let pool = try Host(capacity: 8)
        try await pool.start()
        await withTaskGroup(of: CommandOutcome.self) { group in
            for number in 1...8 { group.addTask { await pool.lease(number) } }
            for await outcome in group { #expect(outcome.result == .done) }
        }
        #expect(Set(await pool.leases.map(\.port)).count == 8)
        await pool.end()
    }
}
