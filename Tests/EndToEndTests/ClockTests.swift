import Foundation
import Lab
import Posix
import Support
import Testing
import Units
import Wire

/// Wall clocks that are set while everything runs, and one that starts in 1970.
@Suite(.serialized, .unlessStolen) struct ClockTests {
    @Test("wall clocks that jump an hour ahead and two hours back during a broadcast change nothing of it, and sign nobody out")
    func steps() async throws {
        let (server, board) = (try WallClock(), try WallClock())
        var settings = Installation.Settings()
        settings.inside = server.command
        try await inStudio(settings) { studio in
            try await studio.installation.program("sender").stop()
            try await studio.installation.startSender(inside: studio.field + board.command)
            let owner = Visitor(server: studio.owner.server, loop: try Loop(name: "visitor"))
            #expect(try await owner.signIn("owner@example.org", studio.installation.ownerPassword).status == 200)
            let id = try await start(studio, by: "sender")
            let sender = try await studio.sender()
            let receiver = try #require(studio.receivers.first)
            let witness = Witness(studio.owner, id)
            for (clock, jump) in [(server, 3600), (board, 3600), (server, -7200), (board, -7200)] {
                try clock.step(by: .seconds(jump))
                try await studio.record(.seconds(1), of: "show", by: studio.nginx)
                try await expectSignedIn(owner, for: id)
            }
            witness.end()
            measured("states while the clocks jumped", "\(witness.seen)")
            #expect(witness.states == ["live"])
            #expect(try studio.receivers == [receiver] && studio.owner.sender(sender.id)?.online == true)
            // Control says when things happened by its own clock.
            let shown = try #require(try studio.owner.latest("telemetry/\(sender.id)", as: AgentTelemetry.self)?.atMs)
            #expect(abs(shown - board.unixMs) < 3000)
            let files = try studio.nginx.recordings("show")
            #expect(files.count == 1)
            for delivery in try studio.deliveries(try #require(files.last)) {
                measured("over four jumps", "\(delivery)")
                #expect(delivery.isComplete, "\(delivery)")
            }
            // The feed went on by the session of before; a request needs a token of these times, as it did above.
            try await studio.owner.signIn(email: "owner@example.org", password: studio.installation.ownerPassword)
            try await studio.stopCleanly(id)
        }
    }

    /// An access token may be over, never the session: what a page does on 401 is enough.
    private func expectSignedIn(_ owner: Visitor, for id: BroadcastID) async throws {
        let first = try await owner.get("/broadcasts/\(id)")
        measured("with the token of before", "\(first.status)")
        #expect([200, 401].contains(first.status))
        #expect(try await owner.refresh().status == 200)
        let second = try await owner.get("/broadcasts/\(id)")
        #expect(try second.status == 200 && second.text("state") == "live")
    }

    @Test("a board that boots in 1970 enrolls and sends; neither a clock put right nor the wrap of the transport's 32 bits costs anything")
    func longAgo() async throws {
        let board = try WallClock()
        try board.step(by: .milliseconds(10_000 - unixMilliseconds()))
        try await inStudio { studio in
            let field = studio.field + board.command
            _ = try await studio.installation.enrollSender("old", inside: field)
            let wrap = Instant.now + .seconds(15)
            let clock = try Self.uptime(wrappingAt: wrap)
            let agent = try await studio.installation.startSender("old", inside: field + clock)
            measured("a board of 1970 says", agent.lines.first { $0.contains("clock of this machine is wrong") } ?? "nothing")
            #expect(agent.lines.contains { $0.contains("clock of this machine is wrong") && $0.contains("\"time\":\"1970-01-01T") })
            let id = try await start(studio, by: "old")
            let witness = Witness(studio.owner, id)
            try board.step(by: .milliseconds(unixMilliseconds() - board.unixMs))
            measured("time left until the transport's clock wraps", wrap - Instant.now)
            try #require(wrap - Instant.now > .seconds(1))
            try await Task.sleep(for: wrap - Instant.now)
            // Past the buffer, and past the next packets that librist measures its clocks by.
            try await studio.record(.seconds(2.5), of: "show", by: studio.nginx)
            witness.end()
            #expect(witness.states == ["live"])
            #expect(try studio.owner.broadcast(id)?.ingest?.lostPacketsTotal == 0)
            let (sent, recorded) = (try studio.sent("old"), try #require(studio.nginx.recordings("show").last))
            for kind in [AccessUnit.Kind.video, .audio] {
                let delivery = try studio.delivery(kind, from: sent, to: recorded)
                measured("over the end of 1970 and the wrap, \(kind)", "\(delivery)")
                #expect(delivery.isComplete, "\(kind): \(delivery)")
            }
            try await studio.stopCleanly(id)
        }
    }

    /// Live, with a second recorded.
    private func start(_ studio: Studio, by name: String) async throws -> BroadcastID {
        let list: ListView<SenderView> = try await studio.owner.call(.get, "/senders")
        let sender = try #require(list.items.first { $0.name == name })
        try await eventually(within: .seconds(10), "it is online with its links") {
            try studio.owner.sender(sender.id).map { $0.online && $0.inventory.links.filter { $0.state == .up }.count >= 3 } == true
        }
        let platform = try await studio.destination("platform", url: studio.nginx.url(), secret: "show")
        let id = try await studio.start(StartRequest(sender: sender.id, destinations: [platform], encoder: Studio.small))
        try await studio.owner.wait(id, for: ["live"])
        try await studio.record(.seconds(1), of: "show", by: studio.nginx)
        return id
    }

    /// What comes before a program's command to give it an uptime at which librist's timestamps wrap at that moment, as they do each
    /// 13 hours: 90 kHz of CLOCK_MONOTONIC and the 70 years since 1900 (RFC 5905), in 32 bits.
    private static func uptime(wrappingAt moment: Instant) throws -> [String] {
        guard mayShiftUptime else { throw SupportFailure("this machine has no time namespaces for programs that are started (Linux 6.3)") }
        let ticks = (moment.nanoseconds / 1_000_000_000 + 2_208_988_800) * 90_000
        let left = (Int64(1) << 32) - ticks % (Int64(1) << 32)
        return ["unshare", "--time", "--monotonic", "\(left / 90_000)"]
    }

    /// Also that the program itself is in the namespace, and not only its children, as it was before Linux 6.3.
    private static let mayShiftUptime: Bool = {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["unshare", "--time", "--boottime", "500000000", "sh", "-c", "test $(cut -d. -f1 /proc/uptime) -gt 500000000"]
        process.standardError = FileHandle.nullDevice
        do { try process.run() } catch { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }()
}
