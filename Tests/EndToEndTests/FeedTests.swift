import Foundation
import Lab
import Posix
import Support
import Testing
import Units
import Wire

/// What people see of their senders while they send, and what happens to those that vanish.
@Suite(.serialized, .unlessStolen)
struct FeedTests {
    @Test("one feed shows each of one's senders moving, and Prometheus shows the same", .row("CTL-07", "SND-09", "DIA-07"))
    func figures() async throws {
        try await inStudio { studio in
            let first = try await studio.sender()
            let second = try await studio.secondSender()
            var ids: [BroadcastID] = []
            for (sender, stream) in [(first, "one"), (second, "two")] {
                let platform = try await studio.destination(stream, url: studio.nginx.url(), secret: stream)
                ids.append(try await studio.start(StartRequest(sender: sender.id, destinations: [platform], encoder: Studio.small)))
            }
            for id in ids { try await studio.owner.wait(id, for: ["live"]) }

            // Five seconds of the feed, as a second browser gets it.
            let updates = try await FeedReader(studio).read(for: .seconds(5))
            for sender in [first, second] {
                let samples = try updates.filter { $0.topic == "telemetry/\(sender.id)" }.map { try $0.body(AgentTelemetry.self) }
                let frames = samples.compactMap { $0.pipeline?.framesTotal }
                measured("\(sender.name)", "\(samples.count) samples in 5 s, \(frames.first ?? 0) to \(frames.last ?? 0) pictures")
                // Each second at least; five times a second is what is asked for while somebody watches.
                #expect(samples.count >= 10 && samples.count <= 30)
                #expect(zip(frames, frames.dropFirst()).allSatisfy { $0 <= $1 } && (frames.last ?? 0) - (frames.first ?? 0) > 75)
                let widest = zip(samples, samples.dropFirst()).map { $1.atMs - $0.atMs }.max() ?? .max
                measured("\(sender.name): longest between two samples", .milliseconds(widest))
                #expect(widest < 1500)
                let last = try #require(samples.last)
                #expect(last.links.filter { $0.state == .live && $0.sent.bitsPerSecond > 0 && $0.rttMs != nil }.count == 3, "\(last.links)")
                // One sample is of a fifth of a second, in which a busy machine makes few pictures.
                let produced = samples.compactMap { $0.pipeline?.produced.bitsPerSecond }
                #expect(produced.reduce(0, +) / max(1, produced.count) > 300_000, "\(produced)")
            }
            for id in ids {
                let reports = try updates.filter { $0.topic == "broadcast/\(id)" }.map { try $0.body(BroadcastView.self) }
                #expect(Set(reports.compactMap { $0.receiver?.uptimeSeconds }).count >= 3)
            }

            let figures = try await metrics(studio)
            for (sender, id) in zip([first, second], ids) {
                for link in 0...2 {
                    let labels = #"{sender="\#(sender.id)",link="modem\#(link)"}"#
                    #expect(try #require(figures["sender_link_sent_bits_per_second" + labels]) > 0)
                    #expect(try #require(figures["sender_link_rtt_seconds" + labels]) > 0.02)
                    #expect(figures["sender_link_live" + labels] == 1)
                }
                #expect(try #require(figures[#"sender_produced_bits_per_second{sender="\#(sender.id)"}"#]) > 300_000)
                #expect(try #require(figures[#"stream_received_bits_per_second{broadcast="\#(id)",sender="\#(sender.id)"}"#]) > 300_000)
            }
            try await dashboard(studio)
            #expect(figures["control_senders_online"] == 2 && figures[#"control_broadcasts{state="live"}"#] == 2)
            // Nobody watches any more: once a second is enough.
            studio.owner.close()
            try await Task.sleep(for: .seconds(2))
            let (begin, frames) = (Instant.now, #"sender_frames_total{sender="\#(first.id)"}"#)
            var values: [Double] = []
            while Instant.now - begin < .seconds(5) {
                values.append(try #require(try await metrics(studio)[frames]))
                try await Task.sleep(for: .milliseconds(50))
            }
            let changes = zip(values, values.dropFirst()).count { $0 != $1 }
            measured("without a browser", "\(changes) samples in 5 s")
            #expect((3...7).contains(changes))
            studio.owner.watch()
            for id in ids { try await studio.stop(id) }
        }
    }

    /// Every query of the dashboard that we give away is one, and those of whatever runs here find it.
    private func dashboard(_ studio: Studio) async throws {
        let peer = try await PrometheusPeer(
            on: studio.stage, target: "\(studio.owner.server.split(separator: "/").last ?? "")",
            tokenFile: studio.stage.folder["control/operator-token"])
        try await peer.ready()
        struct Dashboard: Decodable {
            struct Panel: Decodable {
                let title: String
                let targets: [Target]?
            }
            struct Target: Decodable { let expr: String }
            let panels: [Panel]
        }
        let file = Places.root.appendingPathComponent("Control/Grafana/strata.json")
        let dashboard = try JSONDecoder().decode(Dashboard.self, from: try Data(contentsOf: file))
        let queries = dashboard.panels.flatMap { panel in (panel.targets ?? []).map { (panel.title, $0.expr) } }
        #expect(queries.count >= 20)
        // No modem, data plan, certificate, job or loss here.
        let absent = ["modem", "data_used", "certificate", "control_jobs", "loss_ratio"]
        for (title, expr) in queries {
            let query = expr.replacingOccurrences(of: "$__rate_interval", with: "10s").replacingOccurrences(of: "$sender", with: ".*")
            let count = try await peer.count(query)
            #expect(count > 0 || absent.contains { query.contains($0) }, "\(title): \(query)")
        }
        try await peer.end()
    }

    /// The samples of `/metrics`; each figure's lines follow its help and its type, as the format asks.
    private func metrics(_ studio: Studio) async throws -> [String: Double] {
        let token = try String(contentsOfFile: studio.stage.folder["control/operator-token"], encoding: .utf8)
        let answer = try await studio.owner.answer(.get, "/metrics", bearer: token.trimmingCharacters(in: .newlines))
        var (found, family, families) = ([String: Double](), "", Set<String>())
        for line in String(decoding: answer.body, as: UTF8.self).split(separator: "\n") {
            if line.hasPrefix("# HELP ") {
                family = String(line.split(separator: " ")[2])
                #expect(families.insert(family).inserted, "the lines of \(family) are not together")
            } else if !line.hasPrefix("#") {
                let cut = try #require(line.lastIndex(of: " "))
                let name = line.prefix { $0 != "{" && $0 != " " }
                #expect(name == family || ["_bucket", "_sum", "_count"].contains { name == family + $0 }, "\(line)")
                found[String(line[..<cut])] = Double(line[line.index(after: cut)...])
            }
        }
        return found
    }

    @Test("figures are dropped where the way is slow, so that what is shown is never old", .row("SND-09"))
    func slow() async throws {
        try await unlessVoid { run in
            try await inStudio(links: [25, 30, 35, 40].map { Studio.link(4000, delayMs: $0) }) { studio in
                let network = studio.network
                run.judge { network.lateness }
                let sender = try await studio.sender(links: 4)
                let agent = try studio.installation.program("sender")
                let connected = try need(agent.lines.last { $0.contains("connected to control") })
                let number = try need((0...3).first { connected.contains("modem\($0)") })
                // Media takes the other links: the control connection has this one for itself.
                let others = (0...3).filter { $0 != number }.map { "modem\($0)" }
                let platform = try await studio.destination("platform", url: studio.nginx.url(), secret: "show")
                let id = try await studio.start(
                    StartRequest(sender: sender.id, destinations: [platform], encoder: Studio.small, links: others))
                try await studio.owner.wait(id, for: ["live"])

                // What a modem still carries far from its mast: less than five samples a second.
                network.change(number, .up, to: LinkProfile(rateKbit: 12, delayMs: 25, queueMs: 2000))
                let lines = agent.lines.count
                let slow = try await ages(studio, sender.id, for: .seconds(12))
                measured(
                    "over 12 kbit/s", "\(slow.count) samples in 12 s, \(slow.max() ?? 0) ms old at most, the last \(slow.last ?? 0) ms")
                let redialled = agent.lines.dropFirst(lines).filter { $0.contains("control") }
                try need(redialled.isEmpty, "\(redialled)")
                try need(slow.count >= 15 && slow.count < 45, "\(slow.count)")
                try need(slow.max() ?? .max < 3000, "\(slow)")
                network.change(number, to: LinkProfile(rateKbit: 4000, delayMs: 25))
                try await eventually(within: .seconds(10), "samples are fresh again") {
                    try await ages(studio, sender.id, for: .seconds(1)).last ?? .max < 200
                }
                try await studio.stop(id)
            }
        }
    }

    /// How old each sample was when the feed had it, in milliseconds: sender and browser share this machine's clock.
    private func ages(_ studio: Studio, _ sender: DeviceID, for time: Duration) async throws -> [Int64] {
        try await FeedReader(studio).read(for: time).filter { $0.topic == "telemetry/\(sender)" }.map { update in
            update.atMs - (try update.body(AgentTelemetry.self)).atMs
        }
    }

    // MARK: Senders that vanish

    @Test("a sender that vanishes is interrupted, and ended with all that is its own after the grace time", .row("CTL-05"))
    func vanished() async throws {
        try await inStudio { studio in
            let sender = try await studio.sender()
            let platform = try await studio.destination("platform", url: studio.nginx.url(), secret: "show")
            let id = try await studio.start(
                StartRequest(sender: sender.id, destinations: [platform], encoder: Studio.small, graceSeconds: 4))
            try await studio.owner.wait(id, for: ["live"])
            let killed = Instant.now
            try await studio.installation.program("sender").kill9()
            try await studio.owner.wait(id, for: ["interrupted"], within: .seconds(3))
            measured("a vanished sender is interrupted after", Instant.now - killed)
            let ended = try await studio.owner.wait(id, for: ["ended"], within: .seconds(8))
            let took = Instant.now - killed
            measured("and ended after", took)
            #expect(took > .seconds(4) && took < .seconds(8))
            #expect(ended.reason == "nothing arrived from the sender for 4 s")
            try await studio.expectNothingLeft()
            // It comes back too late: nothing is sent any more, and it is free for the next one.
            try await studio.startSender()
            try await studio.expectNothingLeft(sender.id)
            _ = try await studio.sender()
            let again = try await studio.start(StartRequest(sender: sender.id, destinations: [platform], encoder: Studio.small))
            try await studio.owner.wait(again, for: ["live"])
            try await studio.stop(again)
        }
    }

    @Test("it is the media that counts: a lost control connection interrupts nothing, a living one saves nothing", .row("CTL-05"))
    func mediaCounts() async throws {
        try await inStudio { studio in
            let sender = try await studio.sender()
            let platform = try await studio.destination("platform", url: studio.nginx.url(), secret: "show")
            let id = try await studio.start(
                StartRequest(sender: sender.id, destinations: [platform], encoder: Studio.small, graceSeconds: 3))
            try await studio.owner.wait(id, for: ["live"])

            // Media alone arrives for longer than the grace time.
            let control = try #require(URL(string: studio.installation.origin)?.port)
            try await filter(studio, "tcp dport \(control)")
            try await eventually(within: .seconds(5), "the sender is offline") { try studio.owner.sender(sender.id)?.online == false }
            try await always(for: .seconds(5), "the broadcast goes on") {
                let state = try studio.owner.broadcast(id)?.state
                return state == "live" || state == "degraded"
            }
            let ports = studio.installation.ports
            try await filter(studio, nil)
            try await eventually(within: .seconds(15), "the sender is online") { try studio.owner.sender(sender.id)?.online == true }

            // And now the control connection alone.
            try await filter(studio, "udp dport \(ports.lowerBound)-\(ports.upperBound)")
            try await studio.owner.wait(id, for: ["interrupted"], within: .seconds(4))
            let ended = try await studio.owner.wait(id, for: ["ended"], within: .seconds(6))
            #expect(ended.reason == "nothing arrived from the sender for 3 s")
            #expect(try studio.owner.sender(sender.id)?.online == true)
            try await studio.expectNothingLeft(sender.id)
        }
    }

    /// Drops what the field sends of one kind, without a word to the sender; nil lets all pass again.
    private func filter(_ studio: Studio, _ match: String?) async throws {
        let rules = match.map { "table inet filtered { chain out { type filter hook output priority 0; \($0) drop; }; }" } ?? ""
        let script = "add table inet filtered\ndelete table inet filtered\n\(rules)\n"
        let file = try studio.stage.folder.write(script, to: "filter.nft")
        let command = studio.field + ["nft", "-f", file]
        _ = try await runTool(command[0], Array(command.dropFirst()))
    }
}

/// A second browser of the owner, that keeps every update of the feed.
private struct FeedReader {
    let studio: Studio

    struct Update {
        let topic: String
        let atMs: Int64
        let text: String

        func body<Body: Decodable>(_: Body.Type) throws -> Body {
            try JSONDecoder().decode(Envelope<Body>.self, from: Data(text.utf8)).body
        }
    }

    private struct Envelope<Body: Decodable>: Decodable { let body: Body }

    init(_ studio: Studio) { self.studio = studio }

    /// What comes within a time, the whole picture at its beginning left out.
    func read(for time: Duration) async throws -> [Update] {
        let socket = try await studio.owner.open()
        let updates = Guarded<[Update]>([])
        let begin = unixMilliseconds()
        let reading = Task {
            while case .text(let text)? = try await socket.receive() {
                let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
                let update = Update(topic: object?["topic"] as? String ?? "", atMs: unixMilliseconds(), text: text)
                if update.atMs > begin + 300 { updates.withLock { $0.append(update) } }
            }
        }
        try await Task.sleep(for: time)
        reading.cancel()
        await socket.close()
        return updates.withLock { $0 }
    }
}
