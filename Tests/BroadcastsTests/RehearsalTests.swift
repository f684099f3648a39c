import FoundationEssentials
import Testing
import Units
import Wire

@testable import Broadcasts
@testable import Store

private func id<Kind>(_ letter: String) -> ID<Kind> { ID("0000000000000000000000000" + letter)! }

private let host: DeviceID = id("H")

private func rehearsal(
    seconds: Int = 60, bitrate: Bitrate = .kilobits(2000), maximum: Bitrate = .kilobits(50_000), protection: Protection = .throughput,
    plan: Rehearsal.DataPlan? = nil
) -> Rehearsal {
    Rehearsal(
        seconds: seconds, encoder: EncoderChoice(bitrate: bitrate), maximum: maximum, protection: protection, hasSound: true, tightest: plan
    )
}

private func machine(_ rehearsal: Rehearsal = rehearsal()) -> BroadcastMachine {
    BroadcastMachine(
        id: id("B"), organization: id("A"), sender: id("S"), lease: id("K"),
        media: MediaChoice(input: InputChoice(video: "test"), encoder: EncoderChoice(bitrate: rehearsal.wish), bufferMs: 1000, links: nil),
        outputs: [], grace: Rehearsal.grace, rehearsal: rehearsal)
}

private func report(
    keyFrames: Int = 1, _ state: IngestReport.State = .flowing, lost: Int = 0, delivered: Int = 0, bitrate: Bitrate = .kilobits(2200),
    latencyMs: Double? = 1010
) -> StreamReport {
    StreamReport(
        lease: id("K"), broadcast: id("B"), port: 5000, pid: 1, uptimeSeconds: 1,
        ingest: IngestReport(
            state: state, bitrate: bitrate, keyFramesTotal: keyFrames, lostPacketsTotal: lost, recoveredPacketsTotal: 0,
            guardDroppedTotal: 0, video: .h264, width: 1280, height: 720, paths: [], latencyMs: latencyMs, deliveredPacketsTotal: delivered),
        outputs: [], restarts: 0)
}

/// One whose first key frame has arrived, at 1000.
private func running(_ rehearsal: Rehearsal = rehearsal()) -> BroadcastMachine {
    var broadcast = machine(rehearsal)
    for event: BroadcastMachine.Event in [
        .resumed, .senderConnected(nil), .hostChosen(host), .leased(port: 5000), .senderStarted(revision: 1), .report(report()),
    ] { _ = broadcast.event(event, nowMs: 1000) }
    return broadcast
}

@Suite("A rehearsal")
struct RehearsalTests {
    private func ended(_ broadcast: inout BroadcastMachine, atMs: Int64 = 70_000) {
        for event: BroadcastMachine.Event in [.senderStopped, .released] { _ = broadcast.event(event, nowMs: atMs) }
    }

    @Test("runs from its first key frame, without an output, for its time, the second half of it with more")
    func course() throws {
        var broadcast = machine()
        for event: BroadcastMachine.Event in [
            .resumed, .senderConnected(nil), .hostChosen(host), .leased(port: 5000), .senderStarted(revision: 1),
            .report(report(keyFrames: 0, .waiting)),
        ] { _ = broadcast.event(event, nowMs: 500) }
        #expect(broadcast.state == .starting(.media))
        let actions = broadcast.event(.report(report()), nowMs: 1000)
        #expect(actions.contains(.set(.rehearsal, afterMs: 60_000)) && actions.contains(.set(.raise, afterMs: 30_000)))
        #expect(actions.last(where: { $0 == .cancel(.step) || $0 == .set(.step, afterMs: 20_000) }) == .cancel(.step))
        #expect(broadcast.state == .live && broadcast.rehearsal?.sinceMs == 1000)
        #expect(broadcast.event(.timer(.raise), nowMs: 31_000) == [.order(.start)])
        #expect(broadcast.media.encoder.bitrate == .kilobits(4000) && !broadcast.isRaised)
        // Shown is what the sender has agreed to, and the wish stays what it was.
        func view() throws -> RehearsalView { try #require(RehearsalView.of(broadcast, createdAtMs: 0, endedAtMs: nil)) }
        #expect(try view().asked == .kilobits(2000))
        _ = broadcast.event(.senderStarted(revision: 2), nowMs: 31_100)
        #expect(try broadcast.isRaised && view().asked == .kilobits(4000) && view().encoder.bitrate == .kilobits(2000))
        #expect(try view().endsAt == "1970-01-01T00:01:01.000Z")
        // Both sides at once: nobody waits for the last of it.
        let last = broadcast.event(.timer(.rehearsal), nowMs: 61_000)
        #expect(last.contains(.order(.stop)) && last.contains(.order(.release)) && last.contains(.set(.undo, afterMs: 4000)))
        ended(&broadcast)
        #expect(broadcast.state == .ended(.stopped) && broadcast.rehearsal?.ending == .complete)
    }

    @Test("a sender that refuses the second half goes on with the first")
    func refused() {
        var broadcast = running()
        _ = broadcast.event(.timer(.raise), nowMs: 31_000)
        #expect(broadcast.event(.senderRefused(revision: 2, detail: "plan", reason: "too much"), nowMs: 31_100) == [.order(.start)])
        #expect(broadcast.media.encoder.bitrate == .kilobits(2000) && broadcast.state == .live && !broadcast.isRaised)
    }

    @Test("a sender that is lost ends it, and so does whatever fails a start")
    func lost() throws {
        var broadcast = running()
        #expect(broadcast.event(.report(report(.interrupted)), nowMs: 5000).contains(.set(.grace, afterMs: 5000)))
        _ = broadcast.event(.timer(.grace), nowMs: 10_000)
        ended(&broadcast)
        broadcast.conclude(RehearsalFigures(), inventory: nil)
        let told = try #require(broadcast.rehearsal?.report)
        #expect(told.verdict == .notReady && told.findings.first?.kind == .vanished)
        var failed = machine()
        for event: BroadcastMachine.Event in [.resumed, .hostChosen(host), .leased(port: 5000)] { _ = failed.event(event, nowMs: 0) }
        _ = failed.event(.senderRefused(revision: 1, detail: "preflight.input", reason: "/dev/video0 is busy"), nowMs: 1)
        ended(&failed)
        failed.conclude(RehearsalFigures(), inventory: nil)
        let finding = try #require(failed.rehearsal?.report?.findings.first)
        #expect(finding.kind == .failedStart && finding.isFault && finding.text.contains("/dev/video0 is busy"))
    }

    @Test("what ends it is told, once: a start, a person, or a control that was started again, also while it ends")
    func endings() throws {
        for ending in Rehearsal.Ending.allCases {
            var broadcast = running()
            #expect(broadcast.event(.rehearsalOver(ending), nowMs: 2000).contains(.order(.release)))
            #expect(broadcast.event(.rehearsalOver(.stopped), nowMs: 2001) == [])
            // As it is stored, and taken up after a restart.
            broadcast = try JSONDecoder().decode(BroadcastMachine.self, from: try JSONEncoder().encode(broadcast))
            #expect(broadcast.event(.rehearsalOver(.restarted), nowMs: 3000) == [])
            #expect(broadcast.event(.resumed, nowMs: 3000).contains(.set(.undo, afterMs: 4000)))
            _ = broadcast.event(.timer(.undo), nowMs: 6000)
            #expect(broadcast.state == .ended(.stopped) && broadcast.rehearsal?.ending == ending)
        }
        var fresh = machine()
        #expect(fresh.event(.rehearsalOver(.overtaken), nowMs: 0).contains(.cancel(.rehearsal)))
        #expect(fresh.state == .ended(.stopped))
    }

    @Test("others are told of its end with its verdict, and never of a broadcast")
    func told() throws {
        var broadcast = running()
        for event: BroadcastMachine.Event in [.timer(.raise), .report(report(.interrupted)), .rehearsalOver(.complete), .senderStopped] {
            let before = broadcast
            _ = broadcast.event(event, nowMs: 40_000)
            #expect(broadcast.events(since: before).isEmpty)
        }
        let before = broadcast
        _ = broadcast.event(.released, nowMs: 61_000)
        broadcast.conclude(RehearsalFigures(), inventory: nil)
        let event = try #require(broadcast.events(since: before).first)
        #expect(event.kind == .rehearsalEnded && event.data.contains(#""verdict":"inconclusive""#))
        #expect(broadcast.events(since: broadcast).isEmpty && broadcast.kind == .rehearsal)
    }

    @Test("asks for twice the bitrate, within the board's own limit, and not where a data plan has less left than that may take")
    func raise() {
        #expect(rehearsal().raised == .kilobits(4000) && rehearsal().heldBack == nil)
        #expect(rehearsal(maximum: .kilobits(3000)).raised == .kilobits(3000))
        #expect(rehearsal(maximum: .kilobits(2000)).raised == nil)
        // 2 and 4 Mbit/s for half a minute each, and sound: 23.5 MB of stream, with headers and repeats 28.
        #expect((26_000_000...30_000_000).contains(rehearsal().mostBytes), "\(rehearsal().mostBytes)")
        #expect(rehearsal(protection: .bulletproof).mostBytes / 2 == rehearsal().mostBytes)
        let tight = rehearsal(plan: Rehearsal.DataPlan(link: "wwan0", leftBytes: 25_000_000))
        #expect(tight.raised == nil && tight.heldBack?.contains("wwan0 has 25 MB of its data plan left") == true)
        #expect((17_000_000...22_000_000).contains(tight.mostBytes))
        #expect(rehearsal(plan: Rehearsal.DataPlan(link: "wwan0", leftBytes: 40_000_000)).raised == .kilobits(4000))
        // The longest and the largest of all.
        let most = rehearsal(seconds: 120, bitrate: .kilobits(50_000), protection: .bulletproof)
        #expect(most.raised == nil && most.mostBytes > 0)
        func usage(_ link: String, _ used: Int, _ cap: Int?) -> UsageTelemetry {
            UsageTelemetry(link: link, sim: nil, since: nil, sentBytes: used, receivedBytes: 0, capBytes: cap, state: .within)
        }
        let plans = [usage("a", 9, 10), usage("b", 5, 10), usage("c", 100, nil), usage("d", 20, 10)]
        #expect(Rehearsal.DataPlan.tightest(of: plans, over: nil) == Rehearsal.DataPlan(link: "d", leftBytes: 0))
        #expect(Rehearsal.DataPlan.tightest(of: plans, over: ["b", "c"])?.leftBytes == 5)
        #expect(Rehearsal.DataPlan.tightest(of: plans, over: ["c"]) == nil)
    }
}

@Suite("What a rehearsal measures")
struct RehearsalFiguresTests {
    private func link(
        _ name: String, _ state: LinkTelemetry.State = .live, sent: Int = 1000, rtt: Double? = 40, delivered: Int, lost: Int = 0,
        capacity: Int = 3000
    ) -> LinkTelemetry {
        LinkTelemetry(
            name: name, state: state, sent: .kilobits(sent), rttMs: rtt, loss: nil, weight: 50, retransmittedPackets: 0,
            bond: .init(
                offeredPackets: delivered + lost, deliveredPackets: delivered, lostPackets: lost, doubledPackets: 0, queueMs: 5,
                capacity: .kilobits(capacity)))
    }

    private func sample(_ second: Int, _ links: [LinkTelemetry], available: Int = 5000, capacity: Int = 6000) -> AgentTelemetry {
        AgentTelemetry(
            atMs: Int64(second) * 1000, links: links,
            pipeline: PipelineTelemetry(
                produced: .kilobits(2100), framesTotal: 30 * second, restartsTotal: 0, droppedPackets: 0,
                frames: .init(made: 30, input: 30, dropped: second > 5 ? 6 : 0)),
            bond: BondTelemetry(
                available: .kilobits(available), capacity: .kilobits(capacity), queueMs: 0, offeredPackets: 1000 * second,
                deliveredPackets: 1000 * second, lostPackets: 0, retransmittedPackets: 100 * second, doubledPackets: 0, latencyMs: 1000))
    }

    @Test("totals are counted from its beginning, a link that was away begins anew, and what settles is not judged")
    func totals() throws {
        var figures = RehearsalFigures()
        let asked = EncoderChoice(bitrate: .kilobits(2000))
        for second in 1...10 {
            // The second link was away at 6 and counts from nothing.
            let links = [
                link("a", delivered: 5000 + 100 * second),
                link(
                    "b", second == 6 ? .dead : .live, sent: 500, rtt: 90, delivered: second < 6 ? 900 + 9 * second : 9 * (second - 5),
                    lost: second),
            ]
            figures.note(
                report(lost: second <= 2 ? 50 * second : 100, delivered: 7000 + 200 * second), sample(second, links), asked: asked,
                isRaised: second > 5, fault: second == 4 ? "sender degraded: no microphone" : nil)
        }
        // What was lost in the first two seconds, and what came in the second half, is none of the broadcast's.
        #expect(figures.lostPackets == 0 && figures.deliveredPackets == 600)
        #expect(figures.seconds.map(\.isSettled) == [false, false, true, true, true, false, false, true, true, true])
        #expect(figures.links["a"]?.deliveredPackets == 900 && figures.links["b"]?.deliveredPackets == 36 + 9 + 36)
        #expect(figures.links["b"]?.losses == 1 && figures.links["b"]?.lostPackets == 9)
        let inventory = Inventory(links: [Link(name: "b", kind: .cellular, state: .up, addresses: [], mtu: 1430)])
        let told = RehearsalReport(
            figures, of: rehearsal(seconds: 10), end: .of(.complete), audio: .kilobits(128), bufferMs: 1000, inventory: inventory)
        let (a, b) = (try #require(told.links.first), try #require(told.links.last))
        #expect(a.name == "a" && a.carried && a.share == 0.667 && a.rttMs == 45 && a.loss == 0 && a.liveShare == 1 && a.mtu == nil)
        #expect(b.name == "b" && b.mtu == 1430 && b.rttP95Ms == 95 && b.liveShare == 0.9 && b.loss == 0.1)
        #expect(a.sentBytes == 1_250_000 && told.sentBytes == 1_875_000 && told.seconds == 10)
        #expect(told.asked.count == 10 && told.made == Array(repeating: 2100, count: 10))
        #expect(told.findings.map(\.kind) == [.sender, .frames, .linkLoss] && told.verdict == .warnings)
    }

    @Test("a sender whose connection stands still, and one that says absurd things, changes no figure for the worse")
    func hostile() {
        var figures = RehearsalFigures()
        let asked = EncoderChoice(bitrate: .kilobits(2000))
        let bits = Int(Int32.max) * 4096
        for second in 1...500 {
            let links = (0..<100).map { index in
                LinkTelemetry(
                    name: "l\(index)", state: .live, sent: Bitrate(bitsPerSecond: bits), rttMs: 1e9, loss: 1, weight: 1,
                    retransmittedPackets: bits,
                    bond: .init(
                        offeredPackets: 0, deliveredPackets: bits, lostPackets: second % 2 * bits, doubledPackets: bits, queueMs: 1e9,
                        capacity: Bitrate(bitsPerSecond: bits)))
            }
            figures.note(
                report(lost: bits, delivered: bits, bitrate: Bitrate(bitsPerSecond: bits)), sample(second, links, available: bits / 1000),
                asked: asked, isRaised: false, fault: nil)
        }
        #expect(figures.links.count == 32 && figures.seconds.count == 180)
        let told = RehearsalReport(
            figures, of: rehearsal(), end: .of(.complete), audio: .kilobits(128), bufferMs: 1000, inventory: nil)
        #expect(told.recommendation.map { (100_000...50_000_000).contains($0.bitrate.bitsPerSecond) } == true)
        let most = Int(Int32.max) * 4096
        #expect(
            told.sentBytes <= most
                && told.links.allSatisfy { $0.sentBytes <= most && $0.deliveredPackets <= most && $0.lostPackets <= most })
        var still = RehearsalFigures()
        for _ in 1...9 {
            still.note(report(), sample(7, [link("a", delivered: 100)]), asked: asked, isRaised: false, fault: nil)
        }
        #expect(still.links["a"]?.samples == 1)
    }
}

@Suite("The recommended bitrate")
struct RecommendedBitrateTests {
    private func second(
        asked: Int = 2250, capacity: Int?, available: Int? = nil, raised: Bool = false, delivered: Int = 2200, copies: Double = 1,
        settled: Bool = true
    ) -> RehearsalFigures.Second {
        RehearsalFigures.Second(
            asked: asked * 1000, isRaised: raised, delivered: delivered * 1000, latencyMs: 1000, made: nil,
            available: available.map { $0 * 1000 }, capacity: capacity.map { $0 * 1000 }, copies: copies, isSettled: settled)
    }

    private func of(_ seconds: [RehearsalFigures.Second], isWhole: Bool = true, maximum: Int = 50_000) -> RehearsalReport.Recommendation? {
        RecommendedBitrate.of(
            seconds, wish: .kilobits(2000), audio: .kilobits(128), maximum: .kilobits(maximum), isWhole: isWhole)
    }

    @Test("is 70 % of what nine seconds of ten carry, less sound and multiplexer, of the second half")
    func derivation() {
        let first = Array(repeating: second(capacity: 9000, available: 9000), count: 10)
        // One of ten carries 3 Mbit/s: it is the tenth that is counted on.
        let half = (0..<10).map { second(asked: 4500, capacity: $0 == 3 ? 3000 : 4000, available: 3000, raised: true) }
        let told = of(first + half)
        // 3000 x 0.95 x 0.7 / 1.06 - 128 = 1754
        #expect(told == .init(bitrate: .kilobits(1750), deliverable: .kilobits(2850), isLimit: true))
        // Unsettled seconds do not count.
        let settling = second(asked: 4500, capacity: 100, available: 10, raised: true, settled: false)
        #expect(of(first + [settling, settling] + half) == told)
    }

    @Test(
        "is bounded by what was seen, by the board, and by what each packet costs",
        arguments: [
            // Never at their limit: half again of what was asked for is believed; 1.5 x 4500 x 0.7 / 1.06 - 128
            (4500, 20_000, 20_000, 1.0, true, 50_000, 4300, false),
            (4500, 20_000, 20_000, 1.0, true, 3000, 3000, false),
            // Everything goes twice, at the limit: 8000 x 0.95 / 2 x 0.7 / 1.06 - 128
            (4500, 8000, 3000, 2.0, true, 50_000, 2350, true),
            // The picture was so easy that the links were not tried: the wish stands, which arrived whole.
            (4500, 2000, 9000, 1.0, true, 50_000, 2000, false),
            // Lost at the wish: not more than 70 % of it.
            (4500, 20_000, 20_000, 1.0, false, 50_000, 1400, false),
            // Next to nothing.
            (4500, 50, 40, 1.0, true, 50_000, 100, true),
        ])
    func bounds(
        asked: Int, capacity: Int, available: Int, copies: Double, isWhole: Bool, maximum: Int, expected: Int, isLimit: Bool
    ) {
        let first = Array(repeating: second(capacity: 9000, available: 9000), count: 5)
        let half = Array(repeating: second(asked: asked, capacity: capacity, available: available, raised: true, copies: copies), count: 5)
        let told = of(first + half, isWhole: isWhole, maximum: maximum)
        #expect(told?.bitrate == .kilobits(expected) && told?.isLimit == isLimit, "\(String(describing: told))")
    }

    @Test("is none where too little was seen; without a word of the sender it is what arrived")
    func little() {
        #expect(of([]) == nil && of([second(capacity: 9000)]) == nil)
        #expect(of([second(capacity: 9000, settled: false), second(capacity: 9000, settled: false)]) == nil)
        #expect(of(Array(repeating: second(capacity: nil), count: 5))?.deliverable == .kilobits(2200))
    }
}
