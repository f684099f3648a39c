import Foundation
import Lab
import Posix
import Support
import Testing
import Units
import Wire

/// Platforms that go away during a broadcast.
@Suite(.serialized, .unlessStolen)
struct PlatformTests {
    @Test(
        "platforms that fall silent or reset are retried with the reason shown within 10 s, and return by themselves; another output does not notice",
        .row("RCV-05", "RCV-03"))
    func cuts() async throws {
        let certificate = try await PlatformCertificate()
        var settings = Installation.Settings()
        settings.authority = certificate.authority
        try await inStudio(settings) { studio in
            let platforms = try await Platforms(studio, certificate)
            let sender = try await studio.sender()
            let steady = try await studio.destination("steady", url: studio.nginx.url(), secret: "steady")
            let id = try await studio.start(
                StartRequest(sender: sender.id, destinations: [steady] + platforms.all.map(\.id), encoder: Studio.small(1500)))
            try await studio.owner.wait(id, for: ["live"])
            for platform in platforms.all { try await studio.wait(platform.id, of: id, is: .connected) }

            try await platforms.whileAllAreCut { try await expectTold(studio, id, platforms) }
            let mended = Instant.now
            for platform in platforms.all {
                try await studio.wait(platform.id, of: id, is: .connected, within: .seconds(20))
                measured("\(platform.name): mended, connected after", Instant.now - mended)
            }
            try await studio.owner.wait(id, for: ["live"], within: .seconds(3))
            #expect(try studio.output(steady, of: id)?.report?.reconnectsTotal == 0)
            try await studio.stopCleanly(id)
            try expectWhole(studio)
            for file in [try platforms.silent.recordings("show").last, try platforms.secure.recordings("show").last] {
                let delivery = try studio.delivery(.video, from: studio.sent(), to: #require(file))
                #expect(delivery.isComplete, "after the cut: \(delivery)")
            }
        }
    }

    private func expectTold(_ studio: Studio, _ id: BroadcastID, _ platforms: Platforms) async throws {
        let cut = Instant.now
        for platform in platforms.all {
            let shown = try await studio.wait(platform.id, of: id, is: .retrying, within: .seconds(10) - (Instant.now - cut))
            measured("\(platform.name): told within", Instant.now - cut)
            measured("\(platform.name): as", shown.reason ?? "without a reason")
            #expect(shown.reason?.isEmpty == false)
        }
        #expect(try studio.owner.broadcast(id)?.state == "degraded")
    }

    /// The output that was never cut: one session, and everything in it.
    private func expectWhole(_ studio: Studio) throws {
        let files = try studio.nginx.recordings("steady")
        #expect(files.count == 1)
        for kind in [AccessUnit.Kind.video, .audio] {
            let delivery = try studio.delivery(kind, from: studio.sent(), to: #require(files.last))
            measured("\(kind) at the output that was not cut", "\(delivery)")
            #expect(delivery.isComplete, "\(kind): \(delivery)")
        }
    }

    @Test(
        "platforms that hang are told within 3 s and tried again with the reason kept; one on a narrow line is left in peace")
    func hangs() async throws {
        var settings = Installation.Settings()
        settings.outbound.append("10.0.0.0/8")
        try await inStudio(links: Studio.links + [Studio.link(3000, delayMs: 30)], settings) { studio in
            // It carries half of what it is sent.
            studio.network.change(3, .down, to: LinkProfile(rateKbit: 700, delayMs: 30, queueMs: 1000))
            let far = try await Nginx(on: studio.stage, listeningOn: "0.0.0.0", inside: studio.field)
            let hung = try await Nginx(on: studio.stage)
            let srt = try SRTPeer.listener(on: studio.stage)
            let sender = try await studio.sender(links: 4)
            let steady = try await studio.destination("steady", url: studio.nginx.url(), secret: "steady")
            let address = studio.network.fieldAddress(3)
            let narrow = try await studio.destination("narrow", url: "rtmp://\(address):\(far.rtmpPort)/live", secret: "narrow")
            let first = try await studio.destination("RTMP", url: hung.url(), secret: "hung")
            let second = try await studio.destination("SRT", url: "srt://127.0.0.1:\(srt.port)", secret: nil)
            let id = try await studio.start(
                StartRequest(
                    sender: sender.id, destinations: [steady, narrow, first, second], encoder: Studio.small(1500),
                    links: ["modem0", "modem1", "modem2"]))
            for one in [steady, narrow, first, second] { try await studio.wait(one, of: id, is: .connected, within: .seconds(30)) }
            try await studio.record("steady", seconds: 3)
            try await studio.owner.wait(id, for: ["live"])
            let sights = OutputSights(studio.owner, id)

            let stopped = Instant.now
            hung.hang()
            srt.program.signal(SIGSTOP)
            for one in [first, second] { try await expectHangTold(sights, one, since: stopped) }
            let degraded = try #require(try studio.owner.broadcast(id))
            #expect(degraded.state == "degraded")
            #expect(degraded.reason?.contains("connected: it has taken nothing for 2 s") == true)
            for one in [first, second] { try await expectReasonKept(sights, one, since: stopped) }

            hung.goOn()
            srt.program.signal(SIGCONT)
            for one in [first, second] { try await studio.wait(one, of: id, is: .connected, within: .seconds(20)) }
            try await studio.owner.wait(id, for: ["live"], within: .seconds(5))
            for one in [steady, narrow] {
                let report = try #require(try studio.output(one, of: id)?.report)
                let seen = sights.of(one)
                #expect(seen.count == 1 && report.state == .connected && report.reason == nil, "\(seen)")
                #expect(report.reconnectsTotal == 0)
            }
            sights.end()
            let narrowBytes = try size(far.recordings("narrow"))
            let steadyBytes = try size(studio.nginx.recordings("steady"))
            measured("bytes over the narrow line, and beside it", "\(narrowBytes), \(steadyBytes)")
            #expect(narrowBytes > 0 && narrowBytes < steadyBytes * 3 / 4, "the line is narrow")
            try await studio.stopCleanly(id)
        }
    }

    /// Of the one session that there was.
    private func size(_ recordings: [String]) throws -> Int {
        #expect(recordings.count == 1)
        return try FileManager.default.attributesOfItem(atPath: #require(recordings.last))[.size] as? Int ?? 0
    }

    private func expectHangTold(_ sights: OutputSights, _ output: DestinationID, since stopped: Instant) async throws {
        let told = try await eventually(within: .seconds(6), "the hang is told") { sights.of(output).first { $0.reason != nil } }
        measured("a hang is told after", told.at - stopped)
        #expect(told.state == .connected)
        #expect(told.reason == "it has taken nothing for 2 s")
        #expect(told.at - stopped < .seconds(3))
    }

    /// From the hang on there is a reason, whatever is tried.
    private func expectReasonKept(_ sights: OutputSights, _ output: DestinationID, since stopped: Instant) async throws {
        let again = try await eventually(within: .seconds(20), "it is tried again") {
            sights.of(output).first { $0.state == .connecting }
        }
        measured("it is tried again after", again.at - stopped)
        measured("as", again.reason ?? "without a reason")
        let hidden = sights.of(output).drop { $0.reason == nil }.filter { $0.reason == nil }
        #expect(hidden.isEmpty, "\(hidden)")
    }

    @Test(
        "RTMPS to a certificate that nobody vouches for, and a stream key in use, are retried with the reason; the latter connects once it is free",
        .row("RCV-03", "CTL-09"))
    func refusals() async throws {
        let certificate = try await PlatformCertificate()
        try await inStudio { studio in
            let doubtful = try await Nginx(on: studio.stage, certificate: (certificate.chain, certificate.key))
            let other = try studio.stage.start("ffmpeg", publish(to: studio.nginx.url() + "/taken"))
            try await eventually(within: .seconds(10), "the key is in use") { try await studio.nginx.publishedStreams() == ["taken"] }
            let sender = try await studio.sender()
            let steady = try await studio.destination("steady", url: studio.nginx.url(), secret: "steady")
            let taken = try await studio.destination("taken", url: studio.nginx.url(), secret: "taken")
            let unknown = try await studio.destination(
                "unknown", url: "rtmps://localhost:\(try #require(doubtful.rtmpsPort))/live", secret: "very-secret")
            let id = try await studio.start(
                StartRequest(sender: sender.id, destinations: [steady, taken, unknown], encoder: Studio.small))
            let degraded = try await studio.owner.wait(id, for: ["degraded"])
            let busy = try await studio.wait(taken, of: id, is: .retrying)
            let refused = try await studio.wait(unknown, of: id, is: .retrying)
            for reason in [degraded.reason, busy.reason, refused.reason] { print("PlatformTests: \(reason ?? "")") }
            #expect(busy.reason == "already publishing: another publisher uses this stream key")
            #expect(refused.reason?.contains("certificate") == true && refused.reason?.contains("very-secret") == false)

            try await other.stop()
            let freed = Instant.now
            try await studio.wait(taken, of: id, is: .connected, within: .seconds(20))
            measured("a stream key that became free: connected after", Instant.now - freed)
            #expect(try studio.output(steady, of: id)?.report?.reconnectsTotal == 0)
            #expect(try doubtful.recordings("very-secret").isEmpty)
            try await studio.stopCleanly(id)
        }
    }

    /// Another publisher of a stream key.
    private func publish(to url: String) -> [String] {
        [
            "-v", "error", "-re", "-f", "lavfi", "-i", "testsrc=size=160x120:rate=10", "-c:v", "libx264", "-preset", "ultrafast", "-f",
            "flv", url,
        ]
    }
}

/// One platform of each kind, to be cut.
private struct Platforms {
    struct Platform {
        let name: String
        let id: DestinationID
        let port: Int
        let cut: PacketFilter.Cut
    }

    let silent: Nginx
    let secure: Nginx
    let all: [Platform]

    init(_ studio: Studio, _ certificate: PlatformCertificate) async throws {
        silent = try await Nginx(on: studio.stage)
        secure = try await Nginx(on: studio.stage, certificate: (certificate.chain, certificate.key))
        let resetting = try await Nginx(on: studio.stage)
        let srt = try SRTPeer.listener(on: studio.stage, passphrase: "a-long-passphrase")
        let securePort = secure.rtmpsPort ?? 0
        func add(_ name: String, _ url: String, _ secret: String, _ port: Int, _ cut: PacketFilter.Cut) async throws -> Platform {
            Platform(name: name, id: try await studio.destination(name, url: url, secret: secret), port: port, cut: cut)
        }
        all = [
            try await add("RTMP reset", resetting.url("dropping"), "show", resetting.rtmpPort, .reset),
            try await add("SRT silent", "srt://127.0.0.1:\(srt.port)", "a-long-passphrase", srt.port, .silent),
            try await add("RTMP silent", silent.url("dropping"), "show", silent.rtmpPort, .silent),
            try await add("RTMPS silent", "rtmps://localhost:\(securePort)/dropping", "show", securePort, .silent),
        ]
    }

    func whileAllAreCut(_ body: () async throws -> Void) async throws {
        var filters: [PacketFilter] = []
        for platform in all { filters.append(try await PacketFilter(platform.cut, port: platform.port)) }
        let result: Result<Void, any Error>
        do { result = .success(try await body()) } catch { result = .failure(error) }
        for filter in filters { await filter.end() }
        try result.get()
    }
}
