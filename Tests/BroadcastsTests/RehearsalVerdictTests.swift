import Testing
import Units
import Wire

@testable import Broadcasts

@Suite("The verdict of a rehearsal")
struct RehearsalVerdictTests {
    typealias Kind = RehearsalReport.Finding.Kind

    private static func link(
        _ name: String = "wwan0", carried: Bool = true, loss: Double? = 0.001, rtt: Double = 60, live: Double = 1, dropped: Int = 0,
        left: Int? = nil
    ) -> RehearsalReport.Link {
        RehearsalReport.Link(
            name: name, carried: carried, reason: carried ? nil : "no carrier", loss: loss, rttMs: rtt / 2, rttP95Ms: rtt,
            delivered: .kilobits(2000), share: 0.5, capacity: .kilobits(4000), deliveredPackets: 10_000, lostPackets: 10,
            droppedPackets: dropped, mtu: 1500, liveShare: live, sentBytes: 15_000_000, leftBytes: left)
    }

    /// One in which all is well.
    private static func measures(_ change: (inout RehearsalVerdict.Measures) -> Void = { _ in }) -> RehearsalVerdict.Measures {
        var measures = RehearsalVerdict.Measures(
            end: .of(.complete), wish: .kilobits(2000), bufferMs: 1000, judgedSeconds: 28,
            bond: RehearsalReport.Bond(
                delivered: .kilobits(2200), deliveredPackets: 10_000, lostPackets: 0, latencyMs: 1000, latencyP95Ms: 1020),
            links: [link(), link("eth0")],
            recommendation: .init(bitrate: .kilobits(2800), deliverable: .kilobits(4500), isLimit: true))
        change(&measures)
        return measures
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let verdict: RehearsalReport.Verdict
        let kinds: [Kind]
        let change: @Sendable (inout RehearsalVerdict.Measures) -> Void

        init(
            _ what: String, _ verdict: RehearsalReport.Verdict, _ kinds: [Kind],
            _ change: @escaping @Sendable (inout RehearsalVerdict.Measures) -> Void
        ) {
            (testDescription, self.verdict, self.kinds, self.change) = (what, verdict, kinds, change)
        }
    }

    static let cases: [Case] = [
        Case("all is well", .ready, []) { _ in },
        // The stream: each threshold from both sides.
        Case("1 % lost", .notReady, [.loss]) { $0.bond?.lostPackets = 102 },
        Case("just below 1 % lost", .warnings, [.someLoss]) { $0.bond?.lostPackets = 100 },
        Case("0.2 % lost", .warnings, [.someLoss]) { $0.bond?.lostPackets = 21 },
        Case("just below 0.2 % lost", .ready, []) { $0.bond?.lostPackets = 20 },
        Case("one hole of a short one", .ready, []) {
            $0.bond?.lostPackets = 4
            $0.bond?.deliveredPackets = 200
        },
        Case("a cut of the encoder in more than one second of ten", .notReady, [.tooLittle]) { $0.limitedShare = 0.11 },
        Case("a cut of the encoder in one second of ten", .ready, []) { $0.limitedShare = 0.1 },
        Case("too little in reserve", .warnings, [.littleReserve]) { $0.recommendation?.bitrate = .kilobits(1950) },
        Case("late", .warnings, [.late]) { $0.bond?.latencyP95Ms = 1251 },
        Case("at its time", .ready, []) { $0.bond?.latencyP95Ms = 1250 },
        Case("a second without media", .notReady, [.interrupted]) { $0.interruptedSeconds = 1 },
        // The board.
        Case("no microphone", .warnings, [.sender]) { $0.senderFault = "sender degraded: no microphone" },
        Case("1 % of the frames dropped", .warnings, [.frames]) { $0.droppedFrames = 0.01 },
        Case("fewer frames dropped", .ready, []) { $0.droppedFrames = 0.009 },
        Case("no sound", .warnings, [.noSound]) { $0.hasSound = false },
        // Links.
        Case("a link that carried nothing", .warnings, [.linkSilent]) { $0.links[0] = link(carried: false, live: 0) },
        Case("a link that comes and goes", .warnings, [.linkComesAndGoes]) { $0.links[0] = link(live: 0.89) },
        Case("a link that was away for a moment", .ready, []) { $0.links[0] = link(live: 0.91) },
        Case("a link that loses 5 %", .warnings, [.linkLoss]) { $0.links[0] = link(loss: 0.05) },
        Case("a link that loses less", .ready, []) { $0.links[0] = link(loss: 0.049) },
        Case("a link of which nobody knows what it loses", .ready, []) { $0.links[0] = link(loss: nil) },
        Case("a link that takes more than half of the buffer", .warnings, [.linkFar]) { $0.links[0] = link(rtt: 501) },
        Case("a link that takes half of the buffer", .ready, []) { $0.links[0] = link(rtt: 500) },
        Case("an interface without room", .warnings, [.linkDrops]) { $0.links[0] = link(dropped: 102) },
        Case("a few drops", .ready, []) { $0.links[0] = link(dropped: 4) },
        // 2 Mbit/s are 900 MB in an hour.
        Case("a data plan for less than an hour", .warnings, [.linkPlan]) { $0.links[0] = link(left: 899_000_000) },
        Case("a data plan for an hour", .ready, []) { $0.links[0] = link(left: 900_000_000) },
        // The end.
        Case("stopped early", .warnings, [.cutShort]) { ($0.end, $0.judgedSeconds) = (.of(.stopped), 5) },
        Case("overtaken before anything was seen", .inconclusive, [.cutShort]) { ($0.end, $0.judgedSeconds) = (.of(.overtaken), 1) },
        Case("a control that was started again", .inconclusive, [.cutShort]) {
            ($0.end, $0.judgedSeconds, $0.bond, $0.links, $0.recommendation) = (.of(.restarted), 0, nil, [], nil)
        },
        Case("a fault is one however short it was", .notReady, [.interrupted, .cutShort]) {
            ($0.end, $0.judgedSeconds, $0.interruptedSeconds) = (.of(.stopped), 1, 1)
        },
        Case("no key frame", .notReady, [.noKeyFrame]) {
            ($0.end, $0.judgedSeconds, $0.bond, $0.links) = (.failed(step: .media, detail: nil, reason: "no key frame arrived"), 0, nil, [])
        },
        Case("a camera that is taken", .notReady, [.failedStart]) {
            ($0.end, $0.judgedSeconds, $0.bond, $0.links) = (.failed(step: .sender, detail: "preflight.input", reason: "busy"), 0, nil, [])
        },
        Case("a sender that is lost", .notReady, [.vanished]) { $0.end = .vanished(seconds: 5) },
        Case("a sender that was revoked", .notReady, [.failedStart]) { $0.end = .revoked("the sender was revoked") },
        Case("faults come first", .notReady, [.loss, .noSound, .linkLoss]) {
            $0.bond?.lostPackets = 500
            ($0.hasSound, $0.links[0]) = (false, link(loss: 0.2))
        },
    ]

    @Test("is what the measures say, with each reason", arguments: cases)
    func table(_ one: Case) {
        let told = RehearsalVerdict.judge(Self.measures(one.change))
        #expect(told.verdict == one.verdict && told.findings.map(\.kind) == one.kinds, "\(told)")
        for finding in told.findings {
            #expect(!finding.text.isEmpty && !finding.advice.isEmpty && finding.text.count <= WireLimits.textCharacters)
            #expect((finding.link == nil) == !finding.kind.rawValue.hasPrefix("link_"))
            if let link = finding.link { #expect(finding.text.hasPrefix(link)) }
        }
    }

    @Test("every kind of finding can be one")
    func kinds() { #expect(Set(Self.cases.flatMap(\.kinds)) == Set(Kind.allCases)) }
}
