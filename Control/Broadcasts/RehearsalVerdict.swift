import Units
import Wire

/// What is made of a rehearsal's measures: what is wrong, how grave that is, and what to do. Each threshold says where it is from.
struct RehearsalVerdict: Sendable, Hashable {
    typealias Report = RehearsalReport
    typealias Finding = RehearsalReport.Finding

    /// How it came to its end.
    enum End: Sendable, Hashable {
        case of(Rehearsal.Ending)
        case failed(step: Step, detail: String?, reason: String)
        /// Nothing arrived any more.
        case vanished(seconds: Int)
        /// The sender or its host was revoked.
        case revoked(String)
    }

    /// What is judged.
    struct Measures: Sendable, Hashable {
        var end: End
        /// Video alone.
        var wish: Bitrate
        var bufferMs: Int
        var hasSound = true
        /// In the sender's words.
        var senderFault: String?
        /// Settled ones in which the encoder was asked for what the broadcast would have.
        var judgedSeconds: Int
        /// Of those, in which the links allowed less than that. 0 to 1.
        var limitedShare = 0.0
        /// In which nothing arrived though it had begun.
        var interruptedSeconds = 0
        /// Of the frames of the picture, 0 to 1.
        var droppedFrames = 0.0
        var bond: Report.Bond?
        var links: [Report.Link] = []
        /// What the links carried in nine seconds of ten, stream and sound; nil where too little was seen.
        var recommendation: Report.Recommendation?
    }

    let verdict: Report.Verdict
    /// The graver first.
    let findings: [Finding]

    /// Settled seconds of the broadcast's own rate: the shortest rehearsal has three, less one for a report that comes late.
    static let leastSeconds = 2
    /// Of the stream's packets: from where a running broadcast is told to be degraded, and where that ends (`LossWatch`).
    static let lossFault = LossWatch.beginsAt, lossWarning = LossWatch.endsBelow
    /// Of the seconds in which the links carry too little: the recommendation counts on nine of ten.
    static let limitedShare = 0.1
    /// Behind the buffer, the longest of a second: a frame and the look for what is due take less; more than this comes of packets that wait.
    static let lateMs = 250.0
    /// Of frames: one in a hundred is seen, where the encoder does not keep up.
    static let droppedFrames = 0.01
    /// Of a link's packets. Each is sent again, on another link where that is quicker: of 5 % one in four hundred is lost twice, which is above what a
    /// broadcast shows as whole (0.2 %).
    static let linkLoss = 0.05
    /// Of the buffer: a packet that is missed is asked for and sent again, one way to notice and one round trip to mend.
    static let farShare = 0.5
    /// Of the time: a link that is away for longer leaves the others to carry what it did.
    static let awayShare = 0.1
    /// Of its packets, at its own interface.
    static let linkDrops = 0.01
    /// Of a data plan: what is left should carry an hour.
    static let planHours = 1.0

    static func judge(_ measures: Measures) -> RehearsalVerdict {
        let findings = end(measures) + stream(measures) + board(measures) + measures.links.flatMap { link($0, measures) }
        let graver = findings.filter(\.isFault) + findings.filter { !$0.isFault }
        let verdict: Report.Verdict =
            if !graver.isEmpty, graver[0].isFault { .notReady } else if measures.judgedSeconds < leastSeconds {
                .inconclusive
            } else { graver.isEmpty ? .ready : .warnings }
        return RehearsalVerdict(verdict: verdict, findings: graver)
    }

    // MARK: The end

    private static func end(_ measures: Measures) -> [Finding] {
        switch measures.end {
        case .of(.complete): return []
        case .of(let ending):
            let why =
                switch ending {
                case .overtaken: "the broadcast began"
                case .restarted: "the server was started again"
                case .complete, .stopped: "it was stopped"
                }
            return [
                Finding(
                    kind: .cutShort, isFault: false, value: Double(measures.judgedSeconds), text: "It was over before its time: \(why).",
                    advice: "Rehearse again to see all of it.")
            ]
        case .failed(.media, _, let reason):
            return [
                Finding(
                    kind: .noKeyFrame, isFault: true, text: "No picture arrived: \(reason).".bounded(),
                    advice: "Look whether the camera is on and its cable is in, then whether any link reaches the server.")
            ]
        case .failed(let step, let detail, let reason):
            return [
                Finding(
                    kind: .failedStart, isFault: true, text: "It did not start (\(detail ?? step.rawValue)): \(reason).".bounded(),
                    advice: advice(step))
            ]
        case .vanished(let seconds):
            return [
                Finding(
                    kind: .vanished, isFault: true, value: Double(seconds), text: "The sender was lost: nothing arrived for \(seconds) s.",
                    advice: "Look whether the board has power and whether any of its links is up.")
            ]
        case .revoked(let reason):
            return [
                Finding(
                    kind: .failedStart, isFault: true, text: "It was ended: \(reason).",
                    advice: "Enrol the device again, or take another one.")
            ]
        }
    }

    private static func advice(_ step: Step) -> String {
        switch step {
        case .lease: "The server has no room or no receiver host: ask whoever runs it."
        case .sender: "Mend what the sender names, or choose another input, encoder or link."
        case .media, .outputs: "Look at the sender's page for what it lacks."
        }
    }

    // MARK: The stream

    private static func stream(_ measures: Measures) -> [Finding] {
        var findings: [Finding] = []
        if measures.interruptedSeconds > 0 {
            findings.append(
                Finding(
                    kind: .interrupted, isFault: true, value: Double(measures.interruptedSeconds),
                    text: "For \(measures.interruptedSeconds) s nothing arrived: viewers would have seen the picture for silent senders.",
                    advice: "Look at the links below for the one that comes and goes, and add another."))
        }
        guard let bond = measures.bond, measures.judgedSeconds >= leastSeconds else { return findings }
        let all = bond.lostPackets + bond.deliveredPackets
        let loss = all > 0 ? Double(bond.lostPackets) / Double(all) : 0
        // One hole of a few packets is no loss (`LossWatch.least`).
        if loss >= lossFault, bond.lostPackets >= LossWatch.least {
            findings.append(
                Finding(
                    kind: .loss, isFault: true, value: percent(loss), text: "\(words(percent(loss))) % of the stream was lost.",
                    advice: "Take a lower bitrate, a longer buffer, or a protection that sends more twice."))
        } else if loss >= lossWarning, bond.lostPackets >= LossWatch.least {
            findings.append(
                Finding(
                    kind: .someLoss, isFault: false, value: percent(loss), text: "\(words(percent(loss))) % of the stream was lost.",
                    advice: "A lower bitrate or a longer buffer makes up for it."))
        }
        findings += rate(measures)
        if let late = bond.latencyP95Ms, late > Double(measures.bufferMs) + lateMs {
            findings.append(
                Finding(
                    kind: .late, isFault: false, value: late.rounded(),
                    text: "The stream came \(Int(late)) ms behind the camera; \(measures.bufferMs) were asked for.",
                    advice: "Take a longer buffer, or leave out the link with the longest way."))
        }
        return findings
    }

    private static func rate(_ measures: Measures) -> [Finding] {
        guard let recommendation = measures.recommendation else { return [] }
        let (wish, carried) = (measures.wish.kilobits, recommendation.deliverable.kilobits)
        if measures.limitedShare > limitedShare {
            return [
                Finding(
                    kind: .tooLittle, isFault: true, value: Double(carried),
                    text:
                        "The links carry \(carried) kbit/s in nine seconds of ten, sound included; \(wish) were asked for the picture alone.",
                    advice: "Take the recommended bitrate, or add a link.")
            ]
        }
        guard recommendation.bitrate < measures.wish else { return [] }
        return [
            Finding(
                kind: .littleReserve, isFault: false, value: Double(carried),
                text: "The links carry \(carried) kbit/s in nine seconds of ten: a weaker cell would cost picture.",
                advice: "Take the recommended bitrate, or add a link.")
        ]
    }

    // MARK: The board

    private static func board(_ measures: Measures) -> [Finding] {
        var findings: [Finding] = []
        if let fault = measures.senderFault {
            findings.append(
                Finding(
                    kind: .sender, isFault: false, text: "The sender says: \(fault)".bounded(), advice: "Mend what it names, or do without."
                ))
        }
        if measures.droppedFrames >= droppedFrames {
            let share = percent(measures.droppedFrames)
            findings.append(
                Finding(
                    kind: .frames, isFault: false, value: share, text: "The encoder dropped \(words(share)) % of the pictures.",
                    advice: "Take a smaller picture, fewer frames a second, or a hardware encoder."))
        }
        if !measures.hasSound {
            findings.append(
                Finding(
                    kind: .noSound, isFault: false, text: "The input brings no sound, and no microphone is chosen: viewers hear silence.",
                    advice: "Choose a microphone in the sender's configuration, or leave it silent."))
        }
        return findings
    }

    // MARK: Links

    private static func link(_ link: Report.Link, _ measures: Measures) -> [Finding] {
        var findings: [Finding] = []
        func find(_ kind: Finding.Kind, _ value: Double? = nil, _ text: String, _ advice: String) {
            findings.append(Finding(kind: kind, isFault: false, link: link.name, value: value, text: text.bounded(), advice: advice))
        }
        if !link.carried {
            find(
                .linkSilent, nil, "\(link.name) carried nothing" + (link.reason.map { ": \($0)." } ?? "."),
                "Look at its modem, its signal and its data plan, or leave it out.")
        } else if 1 - link.liveShare > awayShare {
            let away = percent(1 - link.liveShare)
            find(
                .linkComesAndGoes, away, "\(link.name) was away for \(words(away)) % of the time.",
                "Move its antenna, or leave it out: the others carry its share meanwhile.")
        }
        if let loss = link.loss, loss >= linkLoss {
            find(
                .linkLoss, percent(loss), "\(link.name) loses \(words(percent(loss))) % of its packets.",
                "Move its antenna or lock it to another band; what it loses is sent again and costs rate.")
        }
        if link.carried, let trip = link.rttP95Ms, trip > Double(measures.bufferMs) * farShare {
            find(
                .linkFar, trip.rounded(), "\(link.name) takes \(Int(trip)) ms there and back, more than half of the buffer.",
                "Take a longer buffer, or leave it out: what it loses cannot be sent again in time.")
        }
        let dropped = Double(link.droppedPackets) / Double(max(1, link.droppedPackets + link.lostPackets + link.deliveredPackets))
        if dropped >= linkDrops, link.droppedPackets >= LossWatch.least {
            find(
                .linkDrops, percent(dropped), "\(link.name)'s interface had no room for \(link.droppedPackets) packets.",
                "Look at its modem: it takes data more slowly than it says.")
        }
        if let left = link.leftBytes, link.sentBytes > 0, measures.judgedSeconds >= leastSeconds {
            let hour = Double(link.delivered.bitsPerSecond) / 8 * 3600
            if Double(left) < hour * planHours {
                find(
                    .linkPlan, Double(left),
                    "\(link.name) has \(left / 1_000_000) MB of its data plan left; an hour like this takes \(Int(hour / 1e6)).",
                    "Give it more data, a cost in the configuration, or leave it out.")
            }
        }
        return findings
    }

    private static func percent(_ share: Double) -> Double { (share * 1000).rounded() / 10 }

    private static func words(_ number: Double) -> String { number.rounded() == number ? "\(Int(number))" : "\(number)" }
}
