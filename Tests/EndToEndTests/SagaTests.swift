import Foundation
import Support
import Testing
import Units
import Wire

/// A start fails at each of its steps once: the step is named, and what was begun is undone.
@Suite(.serialized, .unlessStolen)
struct SagaTests {
    @Test("starts at once get ports of their own, and a full or absent pool refuses with the reason", .row("CTL-03", "CTL-06", "RCV-11"))
    func lease() async throws {
        var settings = Installation.Settings()
        settings.capacity = 2
        try await inStudio(settings) { studio in
            let first = try await studio.sender()
            let second = try await studio.secondSender()
            let third = try await studio.secondSender("third")
            let platform = try await studio.destination("platform", url: studio.nginx.url(), secret: "first")
            let other = try await studio.destination("other", url: studio.nginx.url(), secret: "second")
            async let one = studio.start(StartRequest(sender: first.id, destinations: [platform], encoder: Studio.small))
            async let two = studio.start(StartRequest(sender: second.id, destinations: [other], encoder: Studio.small))
            let ids = try await [one, two]
            let ports = try await [
                studio.owner.wait(ids[0], for: ["live"]).receiver?.port, studio.owner.wait(ids[1], for: ["live"]).receiver?.port,
            ].compactMap { $0 }
            print("SagaTests: two starts at once are on the ports \(ports)")
            #expect(Set(ports).count == 2 && ports.allSatisfy { studio.installation.ports.contains($0) })

            try await expectFailure(
                studio, third.id, [platform], step: "lease", reason: "every pool host is full: 2 of 2 streams are in use")
            let busy = try await studio.owner.refusal(.post, "/broadcasts", StartRequest(sender: first.id, destinations: [platform]))
            #expect(busy.status == 409 && busy.detail?.contains("\(ids[0])") == true)
            #expect(studio.receivers.count == 2)
            for id in ids { try await studio.stop(id) }
            try await studio.expectNothingLeft(first.id, second.id, third.id)

            // It reads nothing again while it runs, and says so; its own end is no loss.
            let pool = try studio.installation.program("pool")
            pool.signal(SIGHUP)
            try await pool.line(containing: "SIGHUP changes nothing here")
            try await pool.stop()
            #expect(!pool.lines.contains { $0.contains("connection to control lost") || $0.contains("CancellationError") })
            try await expectFailure(studio, first.id, [platform], step: "lease", reason: "no pool host is connected")
            try await studio.expectNothingLeft(first.id)
        }
    }

    @Test("a host whose processors are busy takes no stream, and says how busy they are", .row("RCV-11"))
    func busyHost() async throws {
        var settings = Installation.Settings()
        settings.cpuLimit = 1
        try await inStudio(settings) { studio in
            let sender = try await studio.sender()
            let platform = try await studio.destination("platform", url: studio.nginx.url(), secret: "show")
            try await expectFailure(studio, sender.id, [platform], step: "lease", reason: "and from 1 % on it takes no more streams")
        }
    }

    @Test("what the sender cannot do is named by its step, and nothing is left of the start", .row("CTL-03", "SND-12"))
    func sender() async throws {
        try await inStudio { studio in
            let sender = try await studio.sender()
            #expect(sender.agentVersion?.isEmpty == false)
            #expect(sender.inventory.encoders.contains { $0.id == .x264 } && sender.inventory.inputs.contains { $0.id == "test" })
            let platform = try await studio.destination("platform", url: studio.nginx.url(), secret: "show")

            let unknown = try await studio.owner.refusal(
                .post, "/broadcasts", StartRequest(sender: sender.id, destinations: [platform], input: InputChoice(video: "file:none.mp4")))
            #expect(unknown.status == 422 && unknown.detail == "the sender has no input 'file:none.mp4'")

            try "no film".write(toFile: studio.media + "/broken.mp4", atomically: true, encoding: .utf8)
            let broken = try await studio.offered("broken.mp4", by: sender.id)
            try await expectFailure(
                studio, sender.id, [platform], input: InputChoice(video: broken), step: "sender", reason: "preflight.input failed")

            // Deleted while the board cannot say so: the order reaches it first.
            let agent = try studio.installation.program("sender")
            agent.signal(SIGSTOP)
            try FileManager.default.removeItem(atPath: studio.media + "/broken.mp4")
            async let deleted: Void = expectFailure(
                studio, sender.id, [platform], input: InputChoice(video: broken), step: "sender",
                reason: "preflight.input failed: there is no input 'file:broken.mp4'")
            try await Task.sleep(for: .milliseconds(300))
            agent.signal(SIGCONT)
            try await deleted

            let foreign = try await studio.owner.refusal(
                .post, "/broadcasts",
                StartRequest(
                    sender: sender.id, destinations: [platform], encoder: EncoderChoice(id: .v4l2h264, bitrate: .kilobits(800))))
            #expect(foreign.status == 422 && foreign.detail == "the sender has no encoder 'v4l2h264' for h264")
            let stranger = try await studio.owner.refusal(
                .post, "/broadcasts", StartRequest(sender: sender.id, destinations: [platform], links: ["none0"]))
            #expect(stranger.status == 422 && stranger.detail == "the sender has no link 'none0'; it has modem0, modem1, modem2")
            let twice = try await studio.owner.refusal(
                .post, "/broadcasts", StartRequest(sender: sender.id, destinations: [platform], links: ["modem0", "modem1", "modem0"]))
            #expect(twice.status == 422 && twice.detail == "each link once: 'modem0' is named twice")
            try await studio.expectNothingLeft(sender.id)

            try await agent.stop()
            try await eventually(within: .seconds(5), "the sender is shown offline") { try studio.owner.sender(sender.id)?.online == false }
            let offline = try await studio.owner.refusal(.post, "/broadcasts", StartRequest(sender: sender.id, destinations: [platform]))
            print("SagaTests: \(offline.status) \(offline.detail ?? "")")
            #expect(offline.status == 409 && offline.detail?.contains("offline") == true)
        }
    }

    @Test("without a key frame, or without any output, a start gives up after 20 s", .row("CTL-03", "RCV-06"))
    func mediaAndOutputs() async throws {
        try await inStudio { studio in
            let first = try await studio.sender()
            let second = try await studio.secondSender()
            let platform = try await studio.destination("platform", url: studio.nginx.url(), secret: "show")
            let refusing = try await studio.destination("refusing", url: studio.nginx.url("refusing"), secret: "show")

            let frozen = try await studio.start(StartRequest(sender: first.id, destinations: [platform], encoder: Studio.small))
            try await eventually(within: .seconds(15), "the sender sends and no key frame has come") {
                try studio.owner.broadcast(frozen)?.step == "media"
            }
            let receiver = try #require(studio.receivers.first)
            kill(receiver, SIGSTOP)
            async let refused: Void = expectFailure(
                studio, second.id, [refusing], step: "outputs", reason: "the stream key wrong", within: .seconds(40))
            let ended = try await studio.owner.wait(frozen, for: ["ended"], within: .seconds(40))
            print("SagaTests: \(ended.step ?? "?"): \(ended.reason ?? "")")
            #expect(ended.step == "media" && ended.reason == "media failed: no key frame arrived within 20 s")
            try await refused
            try await studio.expectNothingLeft(first.id, second.id)
        }
    }

    /// Starts, and expects that it ends at a step, with a reason that begins or goes on with these words.
    private func expectFailure(
        _ studio: Studio, _ sender: DeviceID, _ destinations: [DestinationID], input: InputChoice? = nil,
        encoder: EncoderChoice = Studio.small, step: String, reason: String, within limit: Duration = .seconds(20)
    ) async throws {
        let id = try await studio.start(
            StartRequest(sender: sender, destinations: destinations, input: input, encoder: encoder))
        let ended = try await studio.owner.wait(id, for: ["ended"], within: limit)
        print("SagaTests: \(ended.step ?? "?"): \(ended.reason ?? "")")
        #expect(ended.step == step)
        #expect(ended.reason?.contains(reason) == true, "\(ended.reason ?? "")")
    }

    @Test("a saved configuration takes effect on the board, and a bad one is refused with key and line", .row("SND-06", "CTL-02"))
    func configuration() async throws {
        try await inStudio { studio in
            let sender = try await studio.sender()
            let path = "/senders/\(sender.id)/configuration"
            #expect(sender.configuration.applied == 0)
            let good = "[video]\nbitrate_kbit = 700\nwidth = 480\nheight = 270\n[limits]\nvideo_kbit = 900\n"
            let answer: ConfigurationAnswer = try await studio.owner.call(.put, path, ChangeConfigurationRequest(toml: good))
            #expect(answer.version == 1 && answer.result == .applied)
            try await shows(studio, sender.id, wanted: 1, applied: 1)

            for (toml, key, place) in [
                ("[video]\nwidth = 480\nbitrate_kbit = \"fast\"\n", "video.bitrate_kbit", "line 3"),
                ("[video]\npipeline = \"videotestsrc\"\n", "video.pipeline", "line 2"), ("[video]\nwidth = = 4\n", "", "line 2"),
            ] {
                let refusal = try await studio.owner.refusal(.put, path, ChangeConfigurationRequest(toml: toml))
                let fault = try #require(refusal.faults?.first)
                print("SagaTests: \(refusal.status) \(fault.field): \(fault.expected)")
                #expect(refusal.status == 422 && fault.expected.contains(place))
                #expect(fault.field == (key.isEmpty ? "toml" : "toml.\(key)"))
            }
            try await shows(studio, sender.id, wanted: 1, applied: 1)

            // It is what a start takes, and what bounds a change.
            let platform = try await studio.destination("platform", url: studio.nginx.url(), secret: "show")
            let id = try await studio.start(StartRequest(sender: sender.id, destinations: [platform]))
            let live = try await studio.owner.wait(id, for: ["live"])
            #expect(live.ingest?.width == 480 && live.encoder.bitrate == .kilobits(700))
            let above = try await studio.owner.refusal(.patch, "/broadcasts/\(id)", ChangeBroadcastRequest(bitrate: .kilobits(2000)))
            print("SagaTests: \(above.status) \(above.detail ?? "")")
            #expect(above.status == 409 && above.detail?.contains("at most 900") == true)
            #expect(try await studio.owner.wait(id, for: ["live"]).encoder.bitrate == .kilobits(700))
            try await studio.stop(id)

            // It lies on the board's disk, and a newer one waits for a board that is away.
            try await studio.installation.program("sender").stop()
            try await eventually(within: .seconds(5), "the sender is shown offline") { try studio.owner.sender(sender.id)?.online == false }
            let pending: ConfigurationAnswer = try await studio.owner.call(
                .put, path, ChangeConfigurationRequest(toml: "[video]\nbitrate_kbit = 600\n"))
            #expect(pending.version == 2 && pending.result == .pending)
            try await shows(studio, sender.id, wanted: 2, applied: 1)
            try await studio.startSender()
            try await shows(studio, sender.id, wanted: 2, applied: 2)
        }
    }

    private func shows(_ studio: Studio, _ sender: DeviceID, wanted: Int, applied: Int) async throws {
        try await eventually(within: .seconds(5), "version \(wanted) is wanted and \(applied) in force") {
            guard let shown = try studio.owner.sender(sender)?.configuration else { return false }
            return shown.wanted == wanted && shown.applied == applied
        }
    }
}
