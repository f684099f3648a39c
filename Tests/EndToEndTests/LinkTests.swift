import Foundation
import Lab
import Posix
import Support
import Testing
import Units
import Wire

/// Links that come, go and lose packets during a broadcast.
@Suite(.serialized, .unlessStolen) struct LinkTests {
    /// 2.5 Mbit/s of transport stream, 2.66 with RIST's, UDP's and IP's headers; two of three links carry that with a fifth to spare. Their delays lie
    /// so near each other that a frame, of 60 ms at this rate, goes over all of them.
    private static let links = [25.0, 30, 35].map { Studio.link(1600, delayMs: $0, jitterMs: 5) }
    private static let encoder = EncoderChoice(bitrate: .kilobits(2250), width: 1280, height: 720, frameRate: 25)

    @Test(
        "one broadcast over three links loses nothing while links are cut, go dark, lose packets, change their address, come and go",
        .row("BND-01", "BND-02", "BND-03", "BND-08", "SND-02", "SND-03"))
    func journey() async throws {
        try await unlessVoid { run in
            try await inStudio(links: Self.links) { studio in
                let network = studio.network
                run.judge { network.lateness }
                try await journey(studio)
            }
        }
    }

    private func journey(_ studio: Studio) async throws {
        try FileManager.default.copyItem(atPath: Places.clip(), toPath: studio.stage.folder["media/bunny.mp4"])
        let sender = try await senderWithClip(studio)
        let platform = try await studio.destination("platform", url: studio.nginx.url(), secret: "show")
        let id = try await studio.start(
            StartRequest(
                sender: sender.id, destinations: [platform], input: InputChoice(video: "file:bunny.mp4"), encoder: Self.encoder,
                bufferMs: 1000))
        try await studio.owner.wait(id, for: ["live"])
        let witness = Witness(studio.owner, id)
        defer { witness.end() }
        try await showSum(studio, id)
        try await cut(studio, sender.id)
        try await darken(studio, sender.id)
        try await lose(studio)
        try await readdress(studio, sender.id)
        try await plug(studio, sender.id)
        try await studio.record(.seconds(2), of: "show", by: studio.nginx)
        let states = witness.seen
        measured("states during the journey", "\(states)")
        try need(!states.contains { $0.state == "interrupted" })
        try compare(studio)
        for link in 0...2 { measured("modem\(link) away from the field", "\(studio.network.count(link, .up))") }
        if let ingest = try studio.owner.broadcast(id)?.ingest {
            measured("transport", "\(ingest.recoveredPacketsTotal) packets recovered, \(ingest.lostPacketsTotal) lost")
        }
        measured("emulator p99.9 lateness", "\(studio.network.lateness.percentile(99.9)) ms")
        try await vanish(studio, id, witness)
        try await starve(studio, id)
        try await studio.stopCleanly(id)
        try await readRecorder(studio, id)
    }

    private func senderWithClip(_ studio: Studio) async throws -> SenderView {
        let sender = try await studio.sender()
        return try await eventually(within: .seconds(5), "the clip is offered") {
            try studio.owner.sender(sender.id).flatMap { $0.inventory.inputs.contains { $0.id == "file:bunny.mp4" } ? $0 : nil }
        }
    }

    private func telemetry(_ studio: Studio, _ sender: DeviceID) throws -> [LinkTelemetry] {
        try studio.owner.latest("telemetry/\(sender)", as: AgentTelemetry.self)?.links ?? []
    }

    private func link(_ name: String, _ studio: Studio, _ sender: DeviceID) throws -> LinkTelemetry? {
        try telemetry(studio, sender).first { $0.name == name }
    }

    /// All links carry a part, together more than any of them could.
    private func showSum(_ studio: Studio, _ id: BroadcastID) async throws {
        let view = try await eventually(within: .seconds(10), "more arrives than one link carries, over three paths") {
            try studio.owner.broadcast(id).flatMap { view in
                let ingest = view.ingest
                let shares = ingest?.paths.filter { $0.bitrate > .kilobits(300) && $0.rttMs != nil } ?? []
                return shares.count == 3 && (ingest?.bitrate ?? .kilobits(0)) > .kilobits(2000) ? view : nil
            }
        }
        measured("ingest over three links of 1500 kbit/s", "\(view.ingest?.bitrate.kilobits ?? 0) kbit/s")
        measured("paths", "\(view.ingest?.paths.map { "\($0.source) \($0.bitrate.kilobits) kbit/s \($0.rttMs ?? 0) ms" } ?? [])")
        measured(
            "links at the sender",
            "\(try telemetry(studio, view.sender).map { "\($0.name) \($0.state) \($0.sent.kilobits) kbit/s \($0.rttMs ?? 0) ms" })")
    }

    /// A carrier lost for 5 s.
    private func cut(_ studio: Studio, _ sender: DeviceID) async throws {
        let start = Instant.now
        try studio.network.setCarrier(1, isUp: false)
        try await eventually(within: .seconds(3), "modem1 is shown down") {
            try studio.owner.sender(sender)?.inventory.links.first { $0.name == "modem1" }?.state == .down
        }
        measured("a cut link is shown down after", Instant.now - start)
        try await Task.sleep(for: .seconds(5) - (Instant.now - start))
        let back = Instant.now
        try studio.network.setCarrier(1, isUp: true)
        try await eventually(within: .seconds(5), "modem1 is live again") { try link("modem1", studio, sender)?.state == .live }
        measured("a link is live again after its carrier is back", Instant.now - back)
    }

    /// The link of the control connection passes nothing for 6 s, and nobody is told.
    private func darken(_ studio: Studio, _ sender: DeviceID) async throws {
        let agent = try studio.installation.program("sender")
        let connected = agent.lines.last { $0.contains("connected to control") } ?? ""
        let number = try need((0...2).first { connected.contains("modem\($0)") })
        let (lines, start) = (agent.lines.count, Instant.now)
        studio.network.setBlackout(number, isDark: true)
        let again = try await agent.line(containing: "connected to control", from: lines, within: .seconds(8))
        let redialled = Instant.now - start
        measured("control is dialled over another link after", redialled)
        try need(redialled < .seconds(4.5))
        try need(!again.contains("modem\(number)"))
        try await eventually(within: .seconds(2), "the sender is online") { try studio.owner.sender(sender)?.online == true }
        try await Task.sleep(for: .seconds(6) - (Instant.now - start))
        studio.network.setBlackout(number, isDark: false)
        try await eventually(within: .seconds(5), "the link is live again") { try link("modem\(number)", studio, sender)?.state == .live }
    }

    /// 5 % of all packets, for 5 s.
    private func lose(_ studio: Studio) async throws {
        for (index, shape) in Self.links.enumerated() {
            var lossy = shape.up
            lossy.loss = 0.05
            studio.network.change(index, to: lossy)
        }
        try await Task.sleep(for: .seconds(5))
        for (index, shape) in Self.links.enumerated() { studio.network.change(index, to: shape.up) }
    }

    private func readdress(_ studio: Studio, _ sender: DeviceID) async throws {
        let start = Instant.now
        try studio.network.changeAddress(2, host: 7)
        try await eventually(within: .seconds(3), "the new address is shown") {
            try studio.owner.sender(sender)?.inventory.links.first { $0.name == "modem2" }?.addresses.contains { $0.hasSuffix(".2.7") }
                == true
        }
        measured("a new address is shown after", Instant.now - start)
        try await eventually(within: .seconds(5), "media comes from the new address") {
            guard let list: ListView<BroadcastView> = try? await studio.owner.call(.get, "/broadcasts") else { return false }
            return list.items.first?.ingest?.paths.contains { $0.source.contains(".2.7:") && $0.bitrate > .kilobits(300) } == true
        }
        measured("its share comes from the new address after", Instant.now - start)
    }

    /// A modem is plugged in, carries its share, and is pulled out.
    private func plug(_ studio: Studio, _ sender: DeviceID) async throws {
        let start = Instant.now
        try studio.network.add(3, Studio.link(1500, delayMs: 30))
        try await eventually(within: .seconds(3), "modem3 is listed") {
            try studio.owner.sender(sender)?.inventory.links.contains { $0.name == "modem3" && $0.state == .up } == true
        }
        measured("a new link is listed after", Instant.now - start)
        try await eventually(within: .seconds(5), "modem3 carries its share") {
            try link("modem3", studio, sender).map { $0.state == .live && $0.sent > .kilobits(300) } == true
        }
        measured("a new link carries its share after", Instant.now - start)
        let pulled = Instant.now
        try studio.network.remove(3)
        try await eventually(within: .seconds(3), "modem3 is not listed any more") {
            try studio.owner.sender(sender)?.inventory.links.contains { $0.name == "modem3" } == false
        }
        measured("a pulled link is gone from the list after", Instant.now - pulled)
    }

    private func compare(_ studio: Studio) throws {
        let files = try studio.nginx.recordings("show")
        try need(files.count == 1)
        let file = try need(files.last)
        let sent = try studio.sent()
        for kind in [AccessUnit.Kind.video, .audio] {
            let delivery = try studio.delivery(kind, from: sent, to: file)
            measured("\(kind) over the journey", "\(delivery)")
            try need(delivery.isComplete, "\(kind): \(delivery)")
        }
    }

    /// All links dark for 20 s: shown within 3 s, and over by itself.
    private func vanish(_ studio: Studio, _ id: BroadcastID, _ witness: Witness) async throws {
        let start = Instant.now
        for link in 0...2 { studio.network.setBlackout(link, isDark: true) }
        try await studio.owner.wait(id, for: ["interrupted"], within: .seconds(3))
        measured("without any link it is interrupted after", Instant.now - start)
        try await Task.sleep(for: .seconds(20) - (Instant.now - start))
        let back = Instant.now
        for link in 0...2 { studio.network.setBlackout(link, isDark: false) }
        try await studio.owner.wait(id, for: ["live"], within: .seconds(10))
        measured("with its links back it is live after", Instant.now - back)
        try await studio.record(.seconds(2), of: "show", by: studio.nginx)
    }

    /// All links together carry less than the least picture with its sound: it is shown with the figure, and over by itself. Whether a picture is
    /// whole now and then, so that it is degraded, or none is, so that it is interrupted, is chance.
    private func starve(_ studio: Studio, _ id: BroadcastID) async throws {
        let lost = try studio.owner.broadcast(id)?.ingest?.lostPacketsTotal ?? 0
        let narrow = LinkProfile(rateKbit: 80, delayMs: 30, queueMs: 300)
        for link in 0...2 { studio.network.change(link, to: narrow) }
        try await eventually(within: .seconds(20), "packets are lost") {
            (try studio.owner.broadcast(id)?.ingest?.lostPacketsTotal ?? 0) >= lost + 5
        }
        let start = Instant.now
        let reason = try await eventually(within: .seconds(5), "the loss is told") {
            let view = try need(try studio.owner.broadcast(id))
            guard let reason = view.reason, reason.contains(" of the stream was lost in the last ") else {
                throw SupportFailure("\(view.state): \(view.reason ?? "no reason")")
            }
            return reason
        }
        measured("links of 3 x 80 kbit/s are told after", "\(Instant.now - start) of loss: \(reason)")
        for (index, shape) in Self.links.enumerated() { studio.network.change(index, to: shape.up) }
        let back = Instant.now
        try await studio.owner.wait(id, for: ["live"], within: .seconds(30))
        measured("with links of 1600 kbit/s it is live after", Instant.now - back)
    }

    /// What happened to the links is in the flight recorder, also what happened while nobody could be told.
    private func readRecorder(_ studio: Studio, _ id: BroadcastID) async throws {
        let records = try await eventually(within: .seconds(20), "the recorder has the end") {
            let records = try await studio.owner.recorder(of: id)
            let told = records.filter { $0.source == .sender }.map(\.entry)
            guard told.contains(where: { $0.kind == .sending && $0.reason == "stopped" }) else {
                throw SupportFailure("\(told.count) of the sender's, the last: \(told.suffix(3))")
            }
            return records
        }
        let events = records.filter { $0.entry.kind != .sample }
        measured("flight recorder", "\(records.count) records, \(events.count) of them events")
        func has(_ kind: FlightEntry.Kind, _ link: String? = nil, _ reason: String? = nil) -> Bool {
            events.map(\.entry).contains { entry in
                entry.kind == kind && (link == nil || entry.link == link) && (reason.map { entry.reason?.contains($0) == true } ?? true)
            }
        }
        try need(has(.linkSilent, "modem1", "no carrier"))
        try need(has(.linkLive, "modem1"))
        try need(has(.linkSilent, nil, "nothing came through for"))
        try need(has(.linkRemoved, "modem3"))
        try need(has(.receiverUnheard) && has(.receiverHeard))
        let samples = records.compactMap(\.entry.sample)
        try need(
            samples.contains { sample in sample.links.count { $0.state == .live } == 3 && (sample.bond?.deliveredPackets ?? 0) > 100 })
        let numbers = records.filter { $0.source == .sender }.map(\.entry.number)
        try need(numbers.sorted() == Array(0..<numbers.count), "none is missing")
    }
}
