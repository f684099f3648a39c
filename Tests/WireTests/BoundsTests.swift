import Foundation
import Testing
import Units
import Wire

/// Whatever a device says is within bounds when it has entered.
@Suite struct BoundsTests {
    static let texts = [
        String(repeating: "x", count: 100_000), String(repeating: "\u{1b}[31m\u{0}", count: 5000),
        String(repeating: "\u{202e}\u{9b}", count: 5000),
        "e" + String(repeating: "\u{301}", count: 100_000), String(repeating: "👩🏽‍🚀", count: 20_000), "\r\n", "",
    ]

    @Test("a text keeps at most its characters, as the API's document counts them, and nothing hostile", arguments: texts)
    func text(text: String) {
        for count in [1, 64, 1000] {
            let bounded = text.bounded(to: count)
            #expect(bounded.unicodeScalars.count <= count && bounded.utf8.count <= count * 4)
            #expect(bounded.isPlain)
            #expect(bounded.bounded(to: count) == bounded)
        }
    }

    @Test("a text within its bounds is untouched")
    func untouched() { for text in ["Truck 7", "👩🏽‍🚀 <b>", ""] { #expect(text.bounded(to: 100) == text) } }

    @Test("a thumbnail is taken whole or not at all, and only a small JPEG file without anything behind it is one")
    func thumbnails() throws {
        let id: LeaseID = try #require(ID("01EASE00000000000000000000"))
        let broadcast: BroadcastID = try #require(ID("01BR0ADCAST000000000000000"))
        func bounded(_ text: String, ageMs: Int = 0) -> StreamThumbnail? {
            StreamThumbnail(lease: id, broadcast: broadcast, ageMs: ageMs, base64: text).bounded()
        }
        #expect(bounded(String(repeating: "A", count: 32_768)) != nil && bounded(String(repeating: "A", count: 32_769)) == nil)
        #expect(bounded("A\u{202e}") == nil && bounded("", ageMs: Int.min)?.ageMs == 0 && bounded("", ageMs: Int.max)?.ageMs == 60_000)
        func jpeg(_ width: Int, _ height: Int, more: [UInt8] = []) -> [UInt8] {
            let size = [height, width].flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
            return [0xFF, 0xD8, 0xFF, 0xC0, 0, 17, 8] + size + [3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1]
                + [0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0, 0x55] + more + [0xFF, 0xD9]
        }
        let fits = try #require(Thumbnail(jpeg(320, 180)))
        #expect((fits.width, fits.height) == (320, 180) && Thumbnail(jpeg(180, 320)) != nil)
        for none in [jpeg(321, 180), jpeg(320, 321), jpeg(0, 180), jpeg(320, 180, more: [UInt8](repeating: 1, count: 24 * 1024)), []] {
            #expect(Thumbnail(none) == nil)
        }
        #expect(Thumbnail(jpeg(320, 180) + Array("<script>".utf8)) == nil && Thumbnail(Array(jpeg(320, 180).dropLast(2))) == nil)
    }

    @Test("a modem's texts and numbers are bounded, and a place that is none is left out", arguments: texts)
    func modems(text: String) throws {
        var modem = ModemTelemetry(id: text, link: text, model: text, state: .connected, sim: .ready)
        (modem.reason, modem.network, modem.technology, modem.band) = (text, text, text, text)
        (modem.signalPercent, modem.rsrpDbm, modem.sinrDb) = (Int.min, -1e300, 1e300)
        modem.position = try JSONDecoder().decode(Position.self, from: Data(#"{"latitude":1e99,"longitude":0}"#.utf8))
        let hostile = Link(
            name: "wlan0", kind: .wifi, state: .up, addresses: [], mtu: 1500, reason: "\u{202E}" + String(repeating: "x", count: 100_000))
        let reason = try #require(Inventory(links: [hostile]).bounded().links.first?.reason)
        #expect(reason.isPlain && reason.count == 512)
        let sample = AgentTelemetry(atMs: 0, links: [], pipeline: nil, modems: Array(repeating: modem, count: 1000)).bounded()
        #expect(sample.modems?.count == WireLimits.modems)
        let bounded = try #require(sample.modems?.first)
        for text in [bounded.id, bounded.link, bounded.model, bounded.reason, bounded.network, bounded.technology, bounded.band] {
            #expect((text ?? "").isPlain && (text ?? "").count <= 256)
        }
        #expect(bounded.signalPercent == 0 && bounded.rsrpDbm == -200 && bounded.sinrDb == 100 && bounded.position == nil)
        #expect(try JSONEncoder().encode(sample).count < WireLimits.messageBytes)
    }

    @Test("levels are within what can be, of so many channels, and alarms are those that are known, each once")
    func media() throws {
        var pipeline = PipelineTelemetry(produced: .kilobits(1), framesTotal: 1, restartsTotal: 0, droppedPackets: 0)
        (pipeline.peak, pipeline.rms) = (Array(repeating: .max, count: 1000), [.min, -60, 7])
        pipeline.alarms = Array(repeating: .black, count: 1000) + [MediaAlarm(rawValue: "\u{202e}<script>"), .silence]
        let bounded = try #require(AgentTelemetry(atMs: 0, links: [], pipeline: pipeline).bounded().pipeline)
        #expect(bounded.peak == Array(repeating: 0, count: SoundLevels.channels) && bounded.rms == [SoundLevels.floor, -60, 0])
        #expect(bounded.alarms == [.silence, .black])
        pipeline.alarms = [MediaAlarm(rawValue: "of tomorrow")]
        #expect(AgentTelemetry(atMs: 0, links: [], pipeline: pipeline).bounded().pipeline?.alarms == nil)
        let levels = SoundLevels(peak: [-.infinity, .nan, -12.4, 3], rms: [-700, -59.6])
        #expect(levels.peak == [-96, -96, -12, 0] && levels.rms == [-96, -60])
        #expect(SoundLevels(peak: [-60, -96], rms: [-96, -96]).isSilent && !SoundLevels(peak: [-96, -59], rms: [-96, -96]).isSilent)
    }

    @Test("a board's flight recorder says nothing of what people did, and nothing in control's words")
    func flight() throws {
        let entry = FlightEntry(
            number: -1, atMs: .min, kind: .state, state: "ended", subject: "\u{202e}",
            reason: "\u{202e}" + String(repeating: "x", count: 9000), user: UserID("01ARZ3NDEKTSV4RRFFQ69G5FAV"), omitted: .max)
        let broadcast: BroadcastID = try #require(ID("01BR0ADCAST000000000000000"))
        let bounded = FlightLog(broadcast: broadcast, run: 1, entries: Array(repeating: entry, count: 1000)).bounded()
        #expect(bounded.entries.count == WireLimits.flightEntries)
        let first = try #require(bounded.entries.first)
        #expect(first.state == nil && first.subject == nil && first.user == nil && first.omitted == nil && first.number == 0)
        #expect(first.reason?.isPlain == true && first.reason?.count == WireLimits.textCharacters)
    }

    @Test("a pool host's hello and report are bounded, and sums over many hosts never overflow", arguments: texts)
    func pool(text: String) throws {
        let (lease, broadcast) = (
            try #require(LeaseID("00000000000000000000000001")), try #require(BroadcastID("00000000000000000000000002"))
        )
        let output = try #require(OutputID("00000000000000000000000003"))
        let hello = PoolHello(
            poolVersion: text, addresses: Array(repeating: text, count: 5000), portRange: PortRange(first: Int.min, last: Int.max),
            capacity: Int.max,
            leases: [
                LeaseReport(lease: lease, broadcast: broadcast, port: -1, pid: Int.min, outputs: Array(repeating: output, count: 9000))
            ]
        ).bounded()
        #expect(
            hello.poolVersion.count <= 64 && hello.addresses.count == WireLimits.publicAddresses
                && hello.addresses.allSatisfy { $0.count <= 253 && $0.isPlain })
        #expect(hello.portRange == PortRange(first: 1, last: 65_535) && hello.capacity == 10_000)
        #expect(hello.leases[0].port == 0 && hello.leases[0].pid == 0 && hello.leases[0].outputs.count == WireLimits.listEntries)

        let path = PathReport(source: text, bitrate: Bitrate(bitsPerSecond: Int.max), packetsTotal: Int.min, rttMs: -1, loss: 7)
        let sink = OutputReport(
            id: output, state: .retrying, reason: text, sentBytesTotal: Int.max, droppedUnitsTotal: Int.min, reconnectsTotal: Int.max)
        let report = StreamReport(
            lease: lease, broadcast: broadcast, port: Int.max, pid: Int.max, uptimeSeconds: Int.min,
            ingest: IngestReport(
                state: .flowing, bitrate: Bitrate(bitsPerSecond: Int.min), keyFramesTotal: Int.max, lostPacketsTotal: Int.min,
                recoveredPacketsTotal: Int.max, guardDroppedTotal: Int.max, video: nil, width: Int.min, height: Int.max,
                paths: Array(repeating: path, count: 1000), slateMs: Int.min, deliveredPacketsTotal: Int.max),
            outputs: Array(repeating: sink, count: 1000), restarts: Int.min, slateFault: text
        ).bounded()
        #expect(report.port == 65_535 && report.uptimeSeconds == 0 && report.restarts == 0 && report.ingest.bitrate.bitsPerSecond == 0)
        #expect(
            report.ingest.slateMs == 0 && report.ingest.lostPacketsTotal == 0 && (report.ingest.deliveredPacketsTotal ?? 0) < Int.max / 1000
        )
        #expect([Int.min, 42, Int.max].map { HostLoadReport(cpuPercent: $0).bounded().cpuPercent } == [0, 42, 100])
        #expect(report.slateFault?.isPlain == true && (report.slateFault?.count ?? 0) <= WireLimits.textCharacters)
        var recorded = report
        recorded.recording = RecordingReport(state: .failing, reason: text, bytesTotal: Int.max, lostFragmentsTotal: Int.min)
        #expect(recorded.bounded().recording?.reason?.isPlain == true && recorded.bounded().recording?.lostFragmentsTotal == 0)
        #expect(report.outputs.count == WireLimits.listEntries && report.ingest.paths.count == WireLimits.listEntries)
        #expect(report.outputs.allSatisfy { ($0.reason ?? "").isPlain && ($0.reason ?? "").utf8.count <= 4 * WireLimits.textCharacters })
        #expect(report.ingest.paths.allSatisfy { $0.source.isPlain && $0.packetsTotal == 0 && $0.loss == 1 })
        // What sums them up has room for as many as there can be.
        #expect(report.outputs.reduce(0) { $0 + $1.sentBytesTotal } > 0)
    }

    @Test("of what a host has recorded nothing is believed that is no file of ours, and no more than fits")
    func recordings() throws {
        let lease = try #require(LeaseID("00000000000000000000000001"))
        let organization = try #require(OrganizationID("00000000000000000000000002"))
        let recording = try #require(RecordingID("00000000000000000000000003"))
        let digest = String(repeating: "0f", count: 32)
        func file(_ number: Int = 1, bytes: Int = 9, sha256: String? = nil, codecs: String = "avc1") -> RecordedFile {
            RecordedFile(
                number: number, bytes: bytes, sha256: sha256 ?? digest, beganAtMs: 1, durationMs: 1, codecs: codecs, width: 640, height: 360
            )
        }
        func taken(_ files: [RecordedFile], times count: Int = 1) -> Int {
            let take = RecordedTake(lease: lease, recording: recording, organization: organization, files: files, damagedFragments: 0)
            return RecordingList(takes: Array(repeating: take, count: count), present: [], isComplete: true).bounded().takes.count
        }
        #expect(taken([file()]) == 1 && taken([]) == 1 && taken([file(1), file(2)]) == 1)
        for wrong in [
            [file(2)], [file(1), file(1)], [file(bytes: 0)], [file(bytes: Int.max)], [file(sha256: "0F")], [file(codecs: "a\u{1b}")],
            [file(codecs: String(repeating: "x", count: 101))],
        ] { #expect(taken(wrong) == 0, "\(wrong)") }
        #expect(taken([file()], times: 5000) == WireLimits.recordedFiles)
        let present = Array(repeating: lease, count: 5000)
        let list = RecordingList(takes: [], present: present, isComplete: true).bounded()
        #expect(list.present.count == WireLimits.recordedTakes && !list.isComplete)
    }
}
