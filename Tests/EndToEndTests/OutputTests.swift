import Foundation
import Posix
import Support
import Testing
import Units
import Wire

/// Where a broadcast goes: to several places at once, unchanged, and each by itself.
@Suite(.serialized, .unlessStolen)
struct OutputTests {
    @Test(
        "what the encoder makes reaches an RTMP server and an SRT endpoint unit by unit, to the last one before the stop",
        .row("RCV-03", "RCV-04", "RCV-05", "RCV-08", "CTL-09"))
    func everyUnitArrives() async throws {
        try await inStudio { studio in
            let sender = try await studio.sender()
            let srt = try SRTPeer.listener(on: studio.stage, passphrase: "a-long-passphrase")
            let platform = try await studio.destination("platform", url: studio.nginx.url(), secret: "show")
            let endpoint = try await studio.destination("endpoint", url: "srt://127.0.0.1:\(srt.port)", secret: "a-long-passphrase")
            let listed = try await studio.owner.answer(.get, "/destinations")
            #expect(!String(decoding: listed.body, as: UTF8.self).contains("a-long-passphrase"), "a key is never shown again")

            let id = try await studio.start(StartRequest(sender: sender.id, destinations: [platform, endpoint]))
            try await studio.owner.wait(id, for: ["live"])
            try await studio.record("show", seconds: 3)
            let shown = try #require(try studio.owner.broadcast(id))
            let share = try await receiverShare(shown, over: .seconds(5))
            print("OutputTests: one stream to RTMP and SRT takes \(Int(share * 1000)) thousandths of a core in the receiver")
            #expect(share < 0.2)
            #expect(try #require(shown.ingest).bitrate > .kilobits(200))
            #expect(shown.outputs.allSatisfy { $0.report?.state == .connected && $0.report?.droppedUnitsTotal == 0 })
            #expect(shown.outputs.allSatisfy { ($0.report?.sentBytesTotal ?? 0) > 100_000 })
            #expect(try #require(shown.receiver?.uptimeSeconds) >= 3)
            // Each link loses packets from here on, of the last ones too: they are asked for again after the stop.
            for (index, shape) in Studio.links.enumerated() {
                var lossy = shape.up
                lossy.loss = 0.1
                studio.network.change(index, .up, to: lossy)
            }
            let asked = Instant.now
            try await studio.stop(id)
            measured("stopped, and all of it delivered, after", Instant.now - asked)

            let recordings = try await studio.nginx.finished("show")
            #expect(recordings.count == 1)
            for file in [try #require(recordings.last), try await srt.finished()] {
                for delivery in try studio.deliveries(file, isEnded: true) {
                    print("OutputTests: \(file.hasSuffix(".ts") ? "SRT" : "RTMP"): \(delivery)")
                    #expect(delivery.isCompleteToTheEnd && delivery.recorded > 150, "\(delivery)")
                }
            }
            try await studio.expectNothingLeft(sender.id)
        }
    }

    /// The part of a core that the receiver of a broadcast uses.
    private func receiverShare(_ view: BroadcastView, over time: Duration) async throws -> Double {
        try await ProcessorTime.share(of: Int32(#require(view.receiver?.pid)), over: time)
    }

    @Test("outputs are added, removed and tried again while the others go on", .row("RCV-03", "CTL-09"))
    func outputsComeAndGo() async throws {
        try await inStudio { studio in
            let sender = try await studio.sender()
            let platform = try await studio.destination("platform", url: studio.nginx.url(), secret: "show")
            let keyed = try await studio.destination("keyed", url: studio.nginx.url("keyed"), secret: "sesame")
            let second = try await studio.destination("second", url: studio.nginx.url(), secret: "second")
            let doubled = try await studio.owner.refusal(
                .post, "/broadcasts", StartRequest(sender: sender.id, destinations: [platform, keyed, platform], encoder: Studio.small))
            print("OutputTests: \(doubled.status) \(doubled.faults ?? [])")
            #expect(doubled.status == 422 && doubled.faults?.map(\.field) == ["destinations"])
            #expect(doubled.faults?.first?.expected.contains("'platform' (\(platform)) is there twice") == true)
            let none = try await studio.owner.refusal(.post, "/broadcasts", StartRequest(sender: sender.id, destinations: []))
            #expect(none.status == 422 && none.faults?.map(\.field) == ["destinations"])
            let id = try await studio.start(
                StartRequest(sender: sender.id, destinations: [platform, keyed], encoder: Studio.small))
            // A server that refuses the key: the rest is there, and it says why this one is not.
            let degraded = try await studio.owner.wait(id, for: ["degraded"])
            let refused = try await studio.wait(keyed, of: id, is: .retrying)
            print("OutputTests: degraded: \(degraded.reason ?? ""); the output: \(refused.reason ?? "")")
            #expect(degraded.reason?.contains("output 'keyed' retrying: ") == true && degraded.reason?.contains("\(refused.id)") == false)
            #expect(refused.reason?.contains("key") == true && refused.reason?.contains("sesame") == false)

            try studio.nginx.setOpen(true)
            let asked = Instant.now
            let _: BroadcastView = try await studio.owner.call(.post, "/broadcasts/\(id)/outputs/\(refused.id)/retry")
            try await studio.wait(keyed, of: id, is: .connected, within: .seconds(4))
            print("OutputTests: retried and connected after \((Instant.now - asked).milliseconds) ms")
            try await studio.owner.wait(id, for: ["live"], within: .seconds(3))

            // One that was removed is added again, and no destination gets two outputs.
            try await add(studio, id, second)
            let removed = try await studio.wait(second, of: id, is: .connected)
            try await remove(studio, id, removed.id)
            try await add(studio, id, second)
            let twice = try await studio.owner.refusal(.post, "/broadcasts/\(id)/outputs", AddOutputRequest(destination: second))
            print("OutputTests: \(twice.status) \(twice.detail ?? "")")
            #expect(twice.status == 409 && twice.detail?.contains("'second' (\(second))") == true)
            let added = try await studio.wait(second, of: id, is: .connected)
            #expect(added.id != removed.id)
            try await studio.record("second", seconds: 2)
            try await remove(studio, id, added.id)
            try await eventually(within: .seconds(5), "the platform loses the second stream alone") {
                try await studio.nginx.publishedStreams().sorted() == ["sesame", "show"]
            }
            #expect(try await studio.owner.wait(id, for: ["live"]).outputs.map(\.destination) == [platform, keyed])
            try await withoutOutputs(studio, id, keyed)
            try await studio.stop(id)

            let recordings = try studio.nginx.recordings("show")
            #expect(recordings.count == 1, "the first output never lost its session")
            for delivery in try studio.deliveries(try #require(recordings.last)) { #expect(delivery.isComplete, "\(delivery)") }
            try await studio.expectNothingLeft(sender.id)
            try await expectStory(studio, id)
        }
    }

    /// What happened and who asked for it is written down, in order and once, for whoever reads it afterwards.
    private func expectStory(_ studio: Studio, _ id: BroadcastID) async throws {
        let whole = try await eventually(within: .seconds(10), "its end is written down") { () -> [BroadcastEvent]? in
            let events = try await studio.owner.events(of: id, "order=oldest&limit=7")
            return events.contains { $0.source == .control && $0.state == "ended" } ? events : nil
        }
        let own = whole.filter { $0.source == .control }
        var lines = own.map { "\($0.kind.rawValue) \($0.state ?? "") \($0.subject ?? "")\($0.user == nil ? "" : "*")" }
        print("OutputTests: \(lines)")
        for line in [
            "state starting lease*", "host chosen", "state starting sender", "output retrying keyed", "output retry_asked keyed*",
            "output connected keyed", "output added second*", "output connected second", "output removed second*", "output added second*",
            "output removed second*", "output removed platform*", "output added keyed*", "state live", "state stopping *", "state ended",
        ] {
            let place = try #require(lines.firstIndex { $0.hasPrefix(line) }, "'\(line)' comes next in \(lines)")
            lines.removeFirst(place + 1)
        }
        let me = try await studio.owner.answer(.get, "/auth/me")
        #expect(own.compactMap(\.user).allSatisfy { String(decoding: me.body, as: UTF8.self).contains("\"\($0)\"") })
        #expect(own.first { $0.state == "retrying" }?.reason?.contains("key") == true)
        #expect(Set(whole.map(\.id)).count == whole.count && whole.allSatisfy { $0.kind != .sample })
        #expect(whole.contains { $0.source == .sender && $0.kind == .linkLive }, "what the board tells is among it")
        try await eventually(within: .seconds(5), "it reads the same from its end") {
            let (back, forth) = (try await studio.owner.events(of: id, "limit=200"), try await studio.owner.events(of: id, "order=oldest"))
            return back == forth.reversed() && Set(back).isSuperset(of: whole)
        }
        let records = try await studio.owner.recorder(of: id)
        #expect(records.filter { $0.source == .control }.count == own.count && records.contains { $0.entry.kind == .sample })
    }

    private func add(_ studio: Studio, _ id: BroadcastID, _ destination: DestinationID) async throws {
        let _: BroadcastView = try await studio.owner.call(.post, "/broadcasts/\(id)/outputs", AddOutputRequest(destination: destination))
    }

    private func remove(_ studio: Studio, _ id: BroadcastID, _ output: OutputID) async throws {
        let _: BroadcastView = try await studio.owner.call(.delete, "/broadcasts/\(id)/outputs/\(output)")
        // The feed tells it a little later than the answer does.
        try await eventually(within: .seconds(3), "it is seen to be gone") {
            try studio.owner.broadcast(id)?.outputs.contains { $0.id == output } == false
        }
    }

    /// Nobody gets the picture, and that is what is shown; with an output it is live again.
    private func withoutOutputs(_ studio: Studio, _ id: BroadcastID, _ destination: DestinationID) async throws {
        for output in try #require(try studio.owner.broadcast(id)).outputs { try await remove(studio, id, output.id) }
        let nowhere = try await studio.owner.wait(id, for: ["degraded"], within: .seconds(3))
        print("OutputTests: \(nowhere.reason ?? "")")
        #expect(nowhere.outputs.isEmpty && nowhere.reason?.contains("no output") == true)
        try await add(studio, id, destination)
        try await studio.owner.wait(id, for: ["live"], within: .seconds(10))
    }

    @Test("bit rate and input change within one RTMP session, with a gap of at most 1 s", .row("RCV-05", "SND-05"))
    func mediaChanges() async throws {
        try await inStudio { studio in
            let sender = try await studio.sender()
            let clip = try await studio.clip(of: sender.id)
            let platform = try await studio.destination("platform", url: studio.nginx.url(), secret: "show")
            let request = StartRequest(
                sender: sender.id, destinations: [platform], input: InputChoice(video: clip),
                encoder: EncoderChoice(bitrate: .kilobits(3000), width: 640, height: 360, frameRate: 25))
            let id = try await studio.start(request)
            try await studio.owner.wait(id, for: ["live"])
            try await studio.record("show", seconds: 4)
            let before = try #require(try studio.owner.broadcast(id)?.ingest?.bitrate)
            try await change(studio, id, ChangeBroadcastRequest(bitrate: .kilobits(500)))
            let asked = Instant.now
            let after = try await eventually(within: .seconds(6), "the ingest follows to 500 kbit/s and the rest") { () -> Bitrate? in
                guard let rate = try studio.owner.broadcast(id)?.ingest?.bitrate, rate < .kilobits(900) else { return nil }
                return rate
            }
            print("OutputTests: \(before.kilobits) to \(after.kilobits) kbit/s within \((Instant.now - asked).milliseconds) ms")
            #expect(before > .kilobits(1500))

            // What cannot be shown is refused, and what is shown goes on.
            let refusal = try await studio.owner.refusal(
                .patch, "/broadcasts/\(id)", ChangeBroadcastRequest(input: InputChoice(video: "file:none.mp4")))
            print("OutputTests: \(refusal.status) \(refusal.detail ?? "")")
            #expect(refusal.status == 422 && refusal.detail == "the sender has no input 'file:none.mp4'")

            try await change(studio, id, ChangeBroadcastRequest(input: InputChoice(video: "test")))
            try await studio.record("show", seconds: try await Probe(try #require(try studio.nginx.recordings("show").last)).seconds + 4)
            try await change(studio, id, ChangeBroadcastRequest(input: InputChoice(video: clip)))
            try await studio.record("show", seconds: try await Probe(try #require(try studio.nginx.recordings("show").last)).seconds + 3)
            try await studio.owner.wait(id, for: ["live"])
            try await studio.stop(id)

            let recordings = try studio.nginx.recordings("show")
            #expect(recordings.count == 1, "no new session")
            let file = try #require(recordings.last)
            let pace = Pace(try Recording.accessUnits(file))
            let flashes = try await FlashAndBeep(recording: file)
            print("OutputTests: two changes of input: \(pace); \(flashes)")
            #expect(pace.longestMs <= 1000 && pace.shortestMs > 0)
            // The clip has bright moments too, but no beep that keeps its distance to them.
            let steady = flashes.offsetsMs.map { one in flashes.offsetsMs.count { abs($0 - one) < 6 } }.max() ?? 0
            #expect((3...6).contains(steady), "the test picture was seen for 4 s or so")
            for delivery in try studio.deliveries(file) { #expect(delivery.isComplete, "\(delivery)") }
        }
    }

    private func change(_ studio: Studio, _ id: BroadcastID, _ request: ChangeBroadcastRequest) async throws {
        let began = Instant.now
        let _: BroadcastView = try await studio.owner.call(.patch, "/broadcasts/\(id)", request)
        print(
            "OutputTests: change to \(request.bitrate.map { "\($0.kilobits) kbit/s" } ?? request.input?.video ?? "nothing") "
                + "answered after \((Instant.now - began).milliseconds) ms")
    }

    @Test("a viewer calls an SRT listener with its passphrase and gets the stream; one with another gets nothing", .row("RCV-04"))
    func listener() async throws {
        try await inStudio { studio in
            let sender = try await studio.sender()
            let port = try FreePorts.udp()
            let request = DestinationRequest(
                name: "viewers", url: "srt://127.0.0.1:\(port)", secret: SecretOnWire(Secret("a-long-passphrase")), srtMode: .listener)
            let viewers: DestinationView = try await studio.owner.call(.post, "/destinations", request)
            let id = try await studio.start(
                StartRequest(sender: sender.id, destinations: [viewers.id], encoder: Studio.small))
            try await studio.owner.wait(id, for: ["live"])
            let stranger = try SRTPeer.caller(on: studio.stage, port: port, passphrase: "another-phrase", name: "stranger")
            let viewer = try SRTPeer.caller(on: studio.stage, port: port, passphrase: "a-long-passphrase", name: "viewer")
            try await eventually(within: .seconds(15), "some seconds are recorded") { viewer.recordedBytes > 400_000 }
            #expect(stranger.recordedBytes == 0)
            // One who goes does not disturb, and one who comes back is served again.
            try await viewer.program.stop()
            let again = try SRTPeer.caller(on: studio.stage, port: port, passphrase: "a-long-passphrase", name: "again")
            try await eventually(within: .seconds(10), "the next viewer is served") { again.recordedBytes > 200_000 }
            #expect(try studio.owner.broadcast(id)?.state == "live")
            try await studio.stop(id)
            for peer in [viewer, again] {
                let probe = try await Probe(peer.recording)
                #expect(probe.video?.codecName == "h264" && probe.video?.width == 640 && probe.audio?.codecName == "aac")
                for delivery in try studio.deliveries(peer.recording) {
                    print("OutputTests: a viewer of the listener: \(delivery)")
                    #expect(delivery.isComplete, "\(delivery)")
                }
            }
            try await studio.expectNothingLeft(sender.id)
        }
    }

    @Test("H.265 goes to SRT, and to RTMP it is refused with the reason", .row("RCV-04"))
    func h265() async throws {
        try await inStudio { studio in
            let sender = try await studio.sender()
            let srt = try SRTPeer.listener(on: studio.stage)
            let platform = try await studio.destination("platform", url: studio.nginx.url(), secret: "show")
            let endpoint = try await studio.destination("endpoint", url: "srt://127.0.0.1:\(srt.port)", secret: nil)
            let choice = EncoderChoice(codec: .h265, bitrate: .kilobits(400), width: 320, height: 180, frameRate: 15)
            let refusal = try await studio.owner.refusal(
                .post, "/broadcasts", StartRequest(sender: sender.id, destinations: [endpoint, platform], encoder: choice))
            print("OutputTests: \(refusal.status) \(refusal.detail ?? "")")
            #expect(refusal.status == 422 && refusal.detail?.contains("H.265 cannot be sent by RTMP") == true)

            let id = try await studio.start(StartRequest(sender: sender.id, destinations: [endpoint], encoder: choice))
            let live = try await studio.owner.wait(id, for: ["live"])
            #expect(live.ingest?.video == .h265)
            let late = try await studio.owner.refusal(.post, "/broadcasts/\(id)/outputs", AddOutputRequest(destination: platform))
            #expect(late.status == 422 && late.detail == refusal.detail)
            try await eventually(within: .seconds(15), "some seconds are recorded") { srt.recordedBytes > 150_000 }
            try await studio.stop(id)
            #expect(try await Probe(srt.recording).video?.codecName == "hevc")
            for delivery in try studio.deliveries(srt.recording) {
                print("OutputTests: H.265 to SRT: \(delivery)")
                #expect(delivery.isComplete, "\(delivery)")
            }
        }
    }
}
