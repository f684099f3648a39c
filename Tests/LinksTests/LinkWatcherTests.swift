import Foundation
import Lab
import Links
import Logging
import Posix
import Support
import Testing
import Wire

@Suite(
    "The links of a real network namespace", .serialized, .unlessStolen,
    .enabled(if: NetworkNamespace.areAllowed, "namespaces are not allowed here"))
struct LinkWatcherTests {
    /// A network of its own, and a watcher in it.
    private func field(links: Int) throws -> (FieldNetwork, Loop, LinkWatcher) {
        let network = try FieldNetwork(links: Array(repeating: LinkShape(LinkProfile()), count: links), number: 7)
        do {
            let loop = try Loop(name: "links")
            let watcher = try network.field.run {
                try LinkWatcher(loop: loop, policy: LinkPolicy(allow: ["modem*"]), log: Log("test", threshold: .error))
            }
            return (network, loop, watcher)
        } catch {
            network.remove()
            throw error
        }
    }

    private func leave(_ network: FieldNetwork, _ loop: Loop) {
        loop.stop()
        network.remove()
    }

    @Test("are told at first and after each change: carrier, address, unplugged, plugged in")
    func changes() async throws {
        let (network, loop, watcher) = try field(links: 2)
        defer { leave(network, loop) }
        var snapshots = watcher.snapshots.makeAsyncIterator()
        func wait(_ holds: ([Link]) -> Bool) async -> [Link] {
            while let links = await snapshots.next() { if holds(links) { return links } }
            return []
        }
        func state(_ name: String) -> ([Link]) -> Link.State? { { links in links.first { $0.name == name }?.state } }

        let first = await wait { $0.filter { $0.state == .up }.count == 2 }
        #expect(first.map(\.name) == ["modem0", "modem1"])
        #expect(first.map(\.addresses) == [[network.fieldAddress(0)], [network.fieldAddress(1)]])
        #expect(first.allSatisfy { $0.kind == .virtual && $0.mtu == 1500 })

        try network.setCarrier(0, isUp: false)
        _ = await wait { state("modem0")($0) == .down }
        try network.setCarrier(0, isUp: true)
        _ = await wait { state("modem0")($0) == .up }
        try network.changeAddress(1, host: 99)
        let changed = network.fieldAddress(1).dropLast() + "99"
        _ = await wait { $0.last?.addresses == [String(changed)] }
        try network.remove(1)
        #expect(await wait { $0.count == 1 }.map(\.name) == ["modem0"])
        try network.add(2, LinkShape(LinkProfile()))
        #expect(await wait { state("modem2")($0) == .up }.map(\.name) == ["modem0", "modem2"])
        #expect(watcher.counters.map(\.name) == ["modem0", "modem2"])
    }

    @Test("are counted by the kernel: what leaves by one is shown after the next look")
    func counters() async throws {
        let (network, loop, watcher) = try field(links: 2)
        defer { leave(network, loop) }
        var snapshots = watcher.snapshots.makeAsyncIterator()
        while let links = await snapshots.next() { if links.filter({ $0.state == .up }).count == 2 { break } }
        func sent() -> [Int] { watcher.counters.map(\.sentBytes) }
        let before = sent()
        try #require(before.count == 2)
        let from = try #require(SocketAddress(network.fieldAddress(1), port: 0))
        let to = try #require(SocketAddress(network.cloudAddress(1), port: 9))
        try network.field.run {
            let socket = try UDPSocket(binding: from, device: "modem1")
            for _ in 0..<10 { try socket.send([UInt8](repeating: 0, count: 1000), to: to) }
        }
        var after = before
        for _ in 0..<200 where after[1] - before[1] < 10_000 {
            watcher.refresh()
            try await loop.sleep(for: .milliseconds(10))
            after = sent()
        }
        #expect((10_000..<20_000).contains(after[1] - before[1]) && after[0] - before[0] < 5_000, "\(before) \(after)")
    }

    @Test("are right after more changes than the socket holds")
    func overrun() async throws {
        let (network, loop, watcher) = try field(links: 1)
        defer { leave(network, loop) }
        var snapshots = watcher.snapshots.makeAsyncIterator()
        _ = await snapshots.next()
        // While the loop waits here, the kernel's queue (212,992 bytes) overflows.
        let gate = Gate()
        loop.submit { gate.wait() }
        let ip = Process()
        ip.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        let script = (0..<300).map { "link set modem0 mtu \(1300 + $0)" } + ["link set modem0 mtu 1280"]
        ip.arguments = ["ip", "-n", network.field.name, "-batch", "-"]
        let input = Pipe()
        ip.standardInput = input
        try ip.run()
        try input.fileHandleForWriting.write(contentsOf: Data((script.joined(separator: "\n") + "\n").utf8))
        try input.fileHandleForWriting.close()
        ip.waitUntilExit()
        gate.open()
        while let links = await snapshots.next(), links.first?.mtu != 1280 {}
        #expect(watcher.links.first?.mtu == 1280)
    }
}

/// Holds a thread until it is opened.
private final class Gate: Sendable {
    private let descriptors: (CInt, CInt)

    init() {
        var ends: [CInt] = [0, 0]
        pipe(&ends)
        descriptors = (ends[0], ends[1])
    }

    func wait() {
        var byte: UInt8 = 0
        read(descriptors.0, &byte, 1)
    }

    func open() { close(descriptors.1) }
}
