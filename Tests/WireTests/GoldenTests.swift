import Foundation
import Testing
import Units
import Wire

/// Each message against its golden text in `Tests/Fixtures/wire`: what is shipped is never renamed.
///
/// A new message's text is written once, by running these tests with `STRATA_GOLDEN=write`.
@Suite("The wire")
struct GoldenTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Fixtures/wire")

    private func check<Text: Codable>(_ name: String, _ value: Text) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
        let text = String(decoding: try encoder.encode(value), as: UTF8.self) + "\n"
        let file = Self.folder.appendingPathComponent("\(name).json")
        if ProcessInfo.processInfo.environment["STRATA_GOLDEN"] == "write", !FileManager.default.fileExists(atPath: file.path) {
            try Data(text.utf8).write(to: file)
        }
        let golden = try String(decoding: Data(contentsOf: file), as: UTF8.self)
        #expect(text == golden, "\(name)")
        let again = try JSONDecoder().decode(Text.self, from: Data(golden.utf8))
        #expect(try String(decoding: encoder.encode(again), as: UTF8.self) + "\n" == golden, "\(name)")
    }

    @Test("an agent's messages are as shipped")
    func agentMessages() throws {
        let inventory = Inventory(
            links: [Link(name: "wwan0", kind: .cellular, state: .up, addresses: ["192.168.8.100"], mtu: 1358)],
            inputs: [
                Input(
                    id: "v4l2:usb-1", kind: .v4l2, name: "Camera", media: .video,
                    modes: [VideoMode(width: 1920, height: 1080, frames: 30000, frameSeconds: 1001, format: "MJPG")])
            ],
            encoders: [VideoEncoder(id: .x264, codec: .h264, hardware: false)])
        let sending = SendingReport(broadcast: Sample.broadcast, revision: 2, state: .degraded, reason: "no microphone")
        let hello = AgentHello(
            agentVersion: "1.0.0", inventory: inventory, configuration: ConfigurationReport(version: 3), sending: sending)
        try check("agent-hello", AgentMessage.hello(hello))
        try check("agent-inventory", AgentMessage.inventory(inventory))
        var obstructed = inventory
        obstructed.links[0].reason = "a sign-in page of login.hotel.example is in the way on wwan0: sign in there"
        try check("agent-inventory-obstructed", AgentMessage.inventory(obstructed))
        try check("agent-sending", AgentMessage.sending(sending))
        try check("agent-configured", AgentMessage.configured(ConfigurationReport(version: 3)))
        try check("agent-outcome", AgentMessage.outcome(Sample.outcome))
        let link = LinkTelemetry(
            name: "wwan0", state: .live, sent: .kilobits(1200), rttMs: 47.5, loss: 0.25, weight: 5, retransmittedPackets: 9)
        let pipeline = PipelineTelemetry(
            produced: .kilobits(2600), framesTotal: 300, restartsTotal: 1, droppedPackets: 0,
            frames: .init(made: 14.5, input: 60, dropped: 500))
        try check("agent-telemetry", AgentMessage.telemetry(AgentTelemetry(atMs: 1_800_000_000_000, links: [link], pipeline: pipeline)))
        var watched = pipeline
        (watched.peak, watched.rms, watched.alarms) = ([-12, -96], [-25, -96], [.silence, .noSignal])
        try check(
            "agent-telemetry-media", AgentMessage.telemetry(AgentTelemetry(atMs: 1_800_000_000_000, links: [link], pipeline: watched)))
        let interface = InterfaceTelemetry(
            name: "wwan0", receivedBytes: 1_000_000, sentBytes: 9_000_000_000, receiveErrors: 1, sendErrors: 2, receiveDropped: 3,
            sendDropped: 4)
        let idle = AgentTelemetry(atMs: 1_800_000_000_000, links: [], pipeline: nil, interfaces: [interface])
        try check("agent-telemetry-idle", AgentMessage.telemetry(idle))
        var modem = ModemTelemetry(id: "860000000000012", link: "wwan0", model: "Quectel RM520N-GL", state: .connected, sim: .ready)
        (modem.registration, modem.network, modem.technology, modem.band) = (.roaming, "Telekom.de", "LTE", "B20")
        (modem.signalPercent, modem.rssiDbm, modem.rsrpDbm, modem.rsrqDb, modem.sinrDb) = (67, -66.5, -97.5, -11, 8.5)
        modem.position = Position(latitude: 47.5, longitude: 9.75, altitudeMeters: 400)
        var locked = ModemTelemetry(id: "860000000000013", model: "SIMCOM SIM7600G-H", state: .locked, sim: .pin)
        locked.reason = "its SIM card wants the PIN"
        let modems = AgentTelemetry(atMs: 1_800_000_000_000, links: [], pipeline: nil, modems: [modem, locked])
        try check("agent-telemetry-modems", AgentMessage.telemetry(modems))
    }

    @Test("what links have carried is as shipped")
    func usage() throws {
        let usage = [
            UsageTelemetry(
                link: "wwan0", sim: "0017", since: "2026-11-15", sentBytes: 9_000_000_000, receivedBytes: 200_000_000,
                capBytes: 10_737_418_240, state: .near),
            UsageTelemetry(link: "eth0", sim: nil, since: nil, sentBytes: 5, receivedBytes: 6, capBytes: nil, state: .within),
        ]
        let sample = AgentTelemetry(atMs: 1_800_000_000_000, links: [], pipeline: nil, usage: usage)
        try check("agent-telemetry-usage", AgentMessage.telemetry(sample))
    }

    @Test("what the bond tells is as shipped")
    func bond() throws {
        var link = LinkTelemetry(
            name: "wwan0", state: .suspect, reason: "nothing came through for 143 ms", sent: .kilobits(1200), rttMs: 47.5, loss: 0.25,
            weight: 5, retransmittedPackets: 9)
        link.bond = .init(
            offeredPackets: 100, deliveredPackets: 90, lostPackets: 4, doubledPackets: 2, queueMs: 12.5, capacity: .kilobits(4000))
        let bond = BondTelemetry(
            available: .kilobits(2600), capacity: .kilobits(4000), queueMs: 3.5, offeredPackets: 1000, deliveredPackets: 990,
            lostPackets: 1, retransmittedPackets: 30, doubledPackets: 2, latencyMs: 1000.25)
        let sample = AgentTelemetry(atMs: 1_800_000_000_000, links: [link], pipeline: nil, bond: bond)
        try check("agent-telemetry-bond", AgentMessage.telemetry(sample))
        let entries = [
            FlightEntry(
                number: 7, atMs: 1_800_000_000_000, kind: .linkSilent, link: "wwan0", reason: "nothing came through for 143 ms"),
            FlightEntry(
                number: 8, atMs: 1_800_000_001_000, kind: .sample,
                sample: FlightSample(links: [link], bond: bond, pipeline: nil)),
        ]
        let log = FlightLog(broadcast: Sample.broadcast, run: 1_799_999_999_000, entries: entries)
        try check("agent-flight", AgentMessage.flight(log))
    }

    @Test("what happened to a broadcast is as shipped")
    func events() throws {
        let entry = FlightEntry(
            number: 3, atMs: 1_800_000_000_000, kind: .output, state: "retrying", subject: "show", reason: "connection refused (111)",
            user: UserID("01ARZ3NDEKTSV4RRFFQ69G5FAV"), omitted: 7)
        let record = FlightRecord(source: .control, run: 1_799_999_999_000, entry: entry)
        try check("flight-record-control", record)
        let alarm = FlightEntry(number: 4, atMs: 1_800_000_000_000, kind: .alarm, state: "raised", subject: MediaAlarm.noSignal.rawValue)
        try check("flight-record-alarm", FlightRecord(source: .control, run: 1_799_999_999_000, entry: alarm))
        let event = BroadcastEvent(record, id: "1800000000000.control.1799999999000.3", at: "2027-01-15T08:00:00.000Z")
        try check("broadcast-events", BroadcastEvents(items: [event], next: event.id))
    }

    @Test("an agent's orders are as shipped")
    func agentOrders() throws {
        let plan = Plan(
            broadcast: Sample.broadcast, revision: 2, input: InputChoice(video: "test", audio: "alsa:card1,0"),
            encoder: EncoderChoice(bitrate: .kilobits(2500)),
            transport: Transport(
                carrier: .bond, receivers: [Endpoint(host: "203.0.113.7", port: 5000)], streamKey: SecretOnWire(Secret("key")),
                bufferMs: 1000,
                links: ["wwan0"]))
        try check("order-start", Command(id: Sample.command, order: AgentOrder.start(plan)))
        try check("order-stop", Command(id: Sample.command, order: AgentOrder.stop(BroadcastReference(broadcast: Sample.broadcast))))
        let atOnce = BroadcastReference(broadcast: Sample.broadcast, atOnce: true)
        try check("order-stop-at-once", Command(id: Sample.command, order: AgentOrder.stop(atOnce)))
        try check(
            "order-configure", Command(id: Sample.command, order: AgentOrder.configure(ConfigurationDocument(version: 4, toml: "a = 1\n"))))
        let reset = ModemReset(modem: "860000000000012", force: false)
        try check("order-reset-modem", Command(id: Sample.command, order: AgentOrder.resetModem(reset)))
        let test = SpeedTestOrder(link: "wwan0", ticket: SecretOnWire(Secret("ticket")), seconds: 5, bytes: 67_108_864)
        try check("order-speed-test", Command(id: Sample.command, order: AgentOrder.speedTest(test)))
        try check("order-picture", Command(id: Sample.command, order: AgentOrder.picture(PictureOrder(input: "v4l2:usb-1"))))
        let broadcast = BroadcastReference(broadcast: Sample.broadcast)
        try check("order-key-frame", Command(id: Sample.command, order: AgentOrder.keyFrame(broadcast)))
        try check("agent-picture", AgentMessage.picture(InputPicture(input: "v4l2:usb-1", base64: Sample.thumbnail.base64)))
        try check("order-watch", Command(id: Sample.command, order: AgentOrder.watch(TelemetryInterval(ms: 200))))
    }

    @Test("a pool host's messages and orders are as shipped")
    func pool() throws {
        let hello = PoolHello(
            poolVersion: "1.0.0", addresses: ["live.example.org"], portRange: PortRange(first: 5000, last: 5099), capacity: 10,
            leases: [LeaseReport(lease: Sample.lease, broadcast: Sample.broadcast, port: 5000, pid: 42, outputs: [Sample.output])])
        try check("pool-hello", PoolMessage.hello(hello))
        try check("pool-report", PoolMessage.report(Sample.report))
        var damaged = Sample.report
        damaged.slateFault = "the organisation's picture cannot be shown: it is damaged; ours is shown instead"
        try check("pool-report-slate", PoolMessage.report(damaged))
        var counted = Sample.report
        (counted.ingest.lostPacketsTotal, counted.ingest.deliveredPacketsTotal) = (80, 920)
        try check("pool-report-delivered", PoolMessage.report(counted))
        try check("pool-thumbnail", PoolMessage.thumbnail(Sample.thumbnail))
        try check("pool-released", PoolMessage.released(LeaseReference(lease: Sample.lease)))
        var recorded = Sample.report
        recorded.recording = RecordingReport(state: .failing, reason: "the disk is full", bytesTotal: 4_000_000, lostFragmentsTotal: 3)
        try check("pool-report-recording", PoolMessage.report(recorded))
        let file = RecordedFile(
            number: 1, bytes: 4_000_000, sha256: String(repeating: "a1", count: 32), beganAtMs: 1_795_460_000_000, durationMs: 12_500,
            codecs: "avc1.42c01f,mp4a.40.2", width: 1280, height: 720)
        let take = RecordedTake(
            lease: Sample.lease, recording: Sample.recording.id, organization: Sample.recording.organization, files: [file],
            damagedFragments: 1)
        try check("pool-recordings", PoolMessage.recordings(RecordingList(takes: [take], present: [Sample.lease], isComplete: true)))
        try check("pool-load", PoolMessage.load(HostLoadReport(cpuPercent: 42)))
        try check("pool-outcome", PoolMessage.outcome(Sample.outcome))
        try check("order-lease", Command(id: Sample.command, order: PoolOrder.lease(LeaseRequest(spec: Sample.spec, preferredPort: 5000))))
        let again = LeaseRequest(spec: Sample.spec, preferredPort: 5000, isAgain: true)
        try check("order-lease-again", Command(id: Sample.command, order: PoolOrder.lease(again)))
        try check("order-release", Command(id: Sample.command, order: PoolOrder.release(LeaseReference(lease: Sample.lease))))
        let change = OutputChange(lease: Sample.lease, output: Sample.spec.outputs[0])
        try check("order-add-output", Command(id: Sample.command, order: PoolOrder.addOutput(change)))
        let target = RoomTarget(room: try #require(RoomID("01R00M00000000000000000000")), pass: SecretOnWire(Secret("p")))
        let room = OutputChange(lease: Sample.lease, output: OutputSpec(id: Sample.output, target: .room(target)))
        try check("order-add-output-room", Command(id: Sample.command, order: PoolOrder.addOutput(room)))
        var asked = Sample.report
        asked.outputs[0].keyFramesWantedTotal = 4
        try check("pool-report-key-frames", PoolMessage.report(asked))
        let reference = OutputReference(lease: Sample.lease, output: Sample.output)
        try check("order-remove-output", Command(id: Sample.command, order: PoolOrder.removeOutput(reference)))
        try check("order-retry-output", Command(id: Sample.command, order: PoolOrder.retryOutput(reference)))
        let preview = PreviewOrder(lease: Sample.lease, ticket: SecretOnWire(Secret("a ticket")))
        try check("order-preview", Command(id: Sample.command, order: PoolOrder.preview(preview)))
        var kept = Sample.spec
        (kept.outputs, kept.slate, kept.recording) = ([Sample.spec.outputs[2]], nil, Sample.recording)
        try check("order-lease-recording", Command(id: Sample.command, order: PoolOrder.lease(LeaseRequest(spec: kept))))
        let bring = BringRecordingOrder(lease: Sample.lease, ticket: SecretOnWire(Secret("a ticket")))
        try check("order-bring-recording", Command(id: Sample.command, order: PoolOrder.bringRecording(bring)))
        let discard = PoolOrder.discardRecording(LeaseReference(lease: Sample.lease))
        try check("order-discard-recording", Command(id: Sample.command, order: discard))
        try check("recording-ask", RecordingAsk(file: 1, offset: 8_388_608, count: 1_048_576))
        let test = OutputTestOrder(target: Sample.spec.outputs[0].target)
        try check("order-test-output", Command(id: Sample.command, order: PoolOrder.testOutput(test)))
        try check("output-test-verdict", OutputTestVerdict(failed: .accept, reason: "the server refused the stream key: publish denied"))
    }

    @Test("a receiver's messages and orders are as shipped")
    func receiver() throws {
        let start = ReceiverStart(spec: Sample.spec, port: 5000, bind: ["0.0.0.0", "::"])
        try check("receiver-order-open", ReceiverOrder.open(start))
        try check("receiver-order-describe", ReceiverOrder.describe)
        try check("receiver-order-stop", ReceiverOrder.stop)
        try check("receiver-listening", ReceiverMessage.listening(LeaseReference(lease: Sample.lease)))
        try check("receiver-described", ReceiverMessage.described(ReceiverDescription(start: start)))
        try check("receiver-thumbnail", ReceiverMessage.thumbnail(Sample.thumbnail))
        try check("receiver-ended", ReceiverMessage.ended(EndReport(reason: "stopped")))
    }

    @Test("a device's introduction is as shipped")
    func introduction() throws {
        try check("challenge", Challenge(version: 1, nonce: "AAAA", origin: "https://live.example.org"))
        try check("proof", Proof(version: 1, device: Sample.device, kind: .sender, nonce: "AAAA", signature: "BBBB"))
    }

    @Test("a type that is not known is kept by its name")
    func unknown() throws {
        let text = Data(#"{"type":"hologram","body":{"depth":3}}"#.utf8)
        guard case .unknown("hologram") = try JSONDecoder().decode(AgentMessage.self, from: text) else {
            Issue.record("an unknown type is no fault")
            return
        }
    }

    @Test("a known type with a malformed body is a fault")
    func malformed() {
        let text = Data(#"{"type":"sending","body":{"broadcast":"x"}}"#.utf8)
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(AgentMessage.self, from: text) }
    }

    @Test("what a board sends is cut to its bounds")
    func bounds() {
        let long = String(repeating: "x", count: 5000) + "\u{7}"
        let report = SendingReport(broadcast: Sample.broadcast, revision: 1, state: .failed, reason: long).bounded()
        #expect(report.reason?.count == WireLimits.textCharacters)
        #expect("a\u{1b}[2Jb".bounded() == "a [2Jb")
        let links = Array(repeating: Link(name: "l", kind: .other, state: .up, addresses: [], mtu: 1), count: 1000)
        #expect(Inventory(links: links).bounded().links.count == WireLimits.listEntries)
    }
}

/// Ids and values with a meaning a reader can see.
private enum Sample {
    static let broadcast: BroadcastID = ID("01BR0ADCAST000000000000000")!
    static let lease: LeaseID = ID("01EASE00000000000000000000")!
    static let output: OutputID = ID("010VTPVT000000000000000000")!
    static let device: DeviceID = ID("01DEV1CE000000000000000000")!
    static let command: CommandID = ID("01C0MMAND00000000000000000")!
    static let outcome = CommandOutcome(id: command, result: .failed, step: "preflight.input", reason: "no camera", port: nil)
    static let spec = StreamSpec(
        lease: lease, broadcast: broadcast, carrier: .bond, streamKey: SecretOnWire(Secret("key")), bufferMs: 1000,
        outputs: [
            OutputSpec(
                id: output,
                target: .rtmp(
                    RTMPTarget(
                        tls: true, host: "a.rtmp.example.org", port: 443, application: "live2", streamKey: SecretOnWire(Secret("k")),
                        address: "203.0.113.9"))),
            OutputSpec(
                id: output,
                target: .srt(
                    SRTTarget(
                        mode: .caller, address: "203.0.113.9", port: 9000, passphrase: SecretOnWire(Secret("passphrase")), streamID: "s",
                        latencyMs: 120))),
            OutputSpec(id: output, target: .file(FileTarget(name: "show.ts"))),
        ], slate: SlateFile(kind: .png, base64: "iVBORw0KGgo="))
    static let recording = RecordingSpec(id: ID("01REC0RD1NG000000000000000")!, organization: ID("0109GAN1ZAT10N000000000000")!)
    static let thumbnail = StreamThumbnail(lease: lease, broadcast: broadcast, ageMs: 120, base64: "/9j/2Q==")
    static let report = StreamReport(
        lease: lease, broadcast: broadcast, port: 5000, pid: 42, uptimeSeconds: 10,
        ingest: IngestReport(
            state: .flowing, bitrate: .kilobits(2600), keyFramesTotal: 5, lostPacketsTotal: 0, recoveredPacketsTotal: 3,
            guardDroppedTotal: 1,
            video: .h264, width: 1280, height: 720,
            paths: [PathReport(source: "198.51.100.2:4444", bitrate: .kilobits(900), packetsTotal: 800, rttMs: 62.25, loss: 0.0125)],
            slateMs: 2500),
        outputs: [
            OutputReport(
                id: output, state: .retrying, reason: "already publishing", sentBytesTotal: 1, droppedUnitsTotal: 2, reconnectsTotal: 3)
        ], restarts: 1)
}

/// What was written down before there was a choice of carriers.
struct CarrierTests {
    @Test("a plan and a lease without a carrier are of stock RIST")
    func absent() throws {
        let plan = #"{"receivers":[{"host":"203.0.113.7","port":5000}],"streamKey":"key","bufferMs":1000}"#
        #expect(try JSONDecoder().decode(Transport.self, from: Data(plan.utf8)).carrier == .rist)
        let lease = """
            {"lease":"00000000000000000000000001","broadcast":"00000000000000000000000002","streamKey":"key","bufferMs":1000,"outputs":[]}
            """
        #expect(try JSONDecoder().decode(StreamSpec.self, from: Data(lease.utf8)).carrier == .rist)
    }
}
