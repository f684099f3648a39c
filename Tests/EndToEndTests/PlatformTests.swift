import Foundation
import Posix
import Support
import Testing
import Units
import Wire

/// A platform that goes away during a broadcast.
@Suite(
    .serialized,
    .enabled(
        if: ProcessInfo.processInfo.environment["STRATA_SOAK"] != nil, "a silent cut is not shown within 20 s yet: STRATA_SOAK=1 shows it"))
struct PlatformTests {
    @Test(
        "a platform that ends, or falls silent, is retried with the reason shown, and the other output does not notice",
        .row("RCV-05"))
    func platform() async throws {
        try await inStudio { studio in
            let steady = try await Nginx(on: studio.stage)
            let sender = try await studio.sender()
            let first = try await studio.destination("shaky", url: studio.nginx.url(), secret: "show")
            let second = try await studio.destination("steady", url: steady.url(), secret: "show")
            let id = try await studio.start(StartRequest(sender: sender.id, destinations: [first, second], encoder: Studio.small(1500)))
            try await wait(studio, id, first, .connected, within: .seconds(20))
            try await wait(studio, id, second, .connected, within: .seconds(5))
            try await end(studio, id, first)
            try await silence(studio, id, first)
            let files = try steady.recordings("show")
            #expect(files.count == 1)
            for kind in [AccessUnit.Kind.video, .audio] {
                let delivery = try studio.delivery(kind, from: studio.sent(), to: #require(files.last))
                measured("\(kind) at the other output", "\(delivery)")
                #expect(delivery.isComplete, "\(kind): \(delivery)")
            }
            try await studio.stopCleanly(id)
        }
    }

    private func report(_ studio: Studio, _ id: BroadcastID, _ destination: DestinationID) throws -> OutputReport? {
        try studio.owner.broadcast(id)?.outputs.first { $0.destination == destination }?.report
    }

    @discardableResult
    private func wait(
        _ studio: Studio, _ id: BroadcastID, _ destination: DestinationID, _ state: OutputReport.State, within limit: Duration
    ) async throws -> OutputReport {
        try await eventually(within: limit, "the output is \(state)") {
            try report(studio, id, destination).flatMap { $0.state == state ? $0 : nil }
        }
    }

    private func end(_ studio: Studio, _ id: BroadcastID, _ output: DestinationID) async throws {
        let killed = Instant.now
        try await studio.nginx.kill9()
        let shown = try await wait(studio, id, output, .retrying, within: .seconds(3))
        measured("a platform that ended is shown after", Instant.now - killed)
        measured("as", shown.reason ?? "without a reason")
        #expect(shown.reason?.isEmpty == false)
        #expect(try studio.owner.broadcast(id)?.state == "degraded")
        try await studio.nginx.start()
        let back = Instant.now
        try await wait(studio, id, output, .connected, within: .seconds(6))
        measured("a platform that is back: connected after", Instant.now - back)
        try await studio.owner.wait(id, for: ["live"], within: .seconds(3))
    }

    /// Takes the packets, and answers none of them.
    private func silence(_ studio: Studio, _ id: BroadcastID, _ output: DestinationID) async throws {
        let rule = PacketFilter(port: studio.nginx.rtmpPort)
        try await rule.drop()
        let cut = Instant.now
        do {
            let shown = try await wait(studio, id, output, .retrying, within: .seconds(20))
            measured("a silent cut is shown after", Instant.now - cut)
            measured("as", shown.reason ?? "without a reason")
            #expect(shown.reason?.isEmpty == false)
        } catch {
            await rule.remove()
            throw error
        }
        await rule.remove()
        let back = Instant.now
        try await wait(studio, id, output, .connected, within: .seconds(20))
        measured("the cut is over: connected after", Instant.now - back)
    }
}

/// Drops what goes to and comes from a TCP port of this machine, in a table of its own that goes with `remove`.
private struct PacketFilter {
    let port: Int
    private var table: String { "strata_test_\(port)" }

    func drop() async throws {
        _ = try await runTool(
            "nft",
            [
                """
                table ip \(table) {
                    chain out {
                        type filter hook output priority 0
                        tcp dport \(port) drop
                        tcp sport \(port) drop
                    }
                }

                """
            ])
    }

    func remove() async {
        _ = try? await runTool("nft", ["delete table ip \(table)"], mayFail: true)
    }
}
