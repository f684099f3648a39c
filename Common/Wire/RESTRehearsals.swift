package import Units

// Bodies of the REST API: rehearsals.

/// `POST /rehearsals`: the settings of the broadcast that is about to start, without its destinations.
package struct RehearsalRequest: Codable, Sendable {
    package var sender: DeviceID
    package var input: InputChoice?
    package var encoder: EncoderChoice?
    package var bufferMs: Int?
    package var links: [String]?
    package var protection: Protection?
    /// Of media; nil is `standardSeconds`.
    package var seconds: Int?

    package static let standardSeconds = 60
    /// Fewer show nothing in either half; more is a broadcast.
    package static let bounds = 10...120

    package init(
        sender: DeviceID, input: InputChoice? = nil, encoder: EncoderChoice? = nil, bufferMs: Int? = nil, links: [String]? = nil,
        protection: Protection? = nil, seconds: Int? = nil
    ) {
        self.sender = sender
        self.input = input
        self.encoder = encoder
        self.bufferMs = bufferMs
        self.links = links
        self.protection = protection
        self.seconds = seconds
    }
}

package struct RehearsalView: Codable, Sendable, Hashable {
    package var id: BroadcastID
    package var sender: DeviceID
    package var state: State
    /// While starting: `lease`, `sender`, `media`.
    package var step: String?
    /// Why nothing arrives, or why it is over.
    package var reason: String?
    package var createdAt: String
    /// When it ends by itself; nil until media arrives.
    package var endsAt: String?
    package var endedAt: String?
    /// Of media, as it was asked for.
    package var seconds: Int
    package var input: InputChoice
    /// As the broadcast would have it.
    package var encoder: EncoderChoice
    /// What the encoder is asked for now, video alone: in the second half more, so that the links show what they carry beyond it.
    package var asked: Bitrate
    /// What is not asked for more than, and why: a data plan; nil where nothing keeps it from that.
    package var heldBack: String?
    package var bufferMs: Int
    /// What it takes of all links together at most, repeats and headers included.
    package var mostBytes: Int
    /// Once it is over.
    package var report: RehearsalReport?

    package enum State: String, Codable, Sendable, CaseIterable { case starting, running, interrupted, stopping, ended }

    package init(
        id: BroadcastID, sender: DeviceID, state: State, step: String?, reason: String?, createdAt: String, endsAt: String?,
        endedAt: String?, seconds: Int, input: InputChoice, encoder: EncoderChoice, asked: Bitrate, heldBack: String?, bufferMs: Int,
        mostBytes: Int, report: RehearsalReport?
    ) {
        self.id = id
        self.sender = sender
        self.state = state
        self.step = step
        self.reason = reason
        self.createdAt = createdAt
        self.endsAt = endsAt
        self.endedAt = endedAt
        self.seconds = seconds
        self.input = input
        self.encoder = encoder
        self.asked = asked
        self.heldBack = heldBack
        self.bufferMs = bufferMs
        self.mostBytes = mostBytes
        self.report = report
    }
}

/// What a rehearsal has shown. It is kept as it was made.
package struct RehearsalReport: Codable, Sendable, Hashable {
    package var verdict: Verdict
    /// The graver first; empty where all is well.
    package var findings: [Finding]
    /// nil where too little was seen.
    package var recommendation: Recommendation?
    /// Of media, both halves and what settles in front of them.
    package var seconds: Int
    package var links: [Link]
    /// nil where no media arrived.
    package var bond: Bond?
    /// Of the encoder's stream, in kbit/s, for each second: what was asked for and what was made.
    package var asked: [Int]
    package var made: [Int]
    /// Over all links, repeats and headers included.
    package var sentBytes: Int

    package enum Verdict: String, Codable, Sendable, CaseIterable {
        case ready
        case warnings
        case notReady
        /// It was over before there was enough to judge by.
        case inconclusive
    }

    /// Something that is not as it should be, and what to do about it.
    package struct Finding: Codable, Sendable, Hashable {
        package var kind: Kind
        package var isFault: Bool
        /// The link that it is about.
        package var link: String?
        /// The measure, in the unit of its kind.
        package var value: Double?
        /// For a person.
        package var text: String
        package var advice: String

        /// Once shipped a name is never changed: pages say it in their own words.
        package enum Kind: String, Codable, Sendable, CaseIterable {
            // How it ended.
            case failedStart = "failed_start"
            case noKeyFrame = "no_key_frame"
            case vanished
            case interrupted
            case cutShort = "cut_short"
            // The stream. Percent; percent; kbit/s; kbit/s; ms.
            case loss
            case someLoss = "some_loss"
            case tooLittle = "too_little"
            case littleReserve = "little_reserve"
            case late
            // The board. Percent of frames.
            case sender
            case frames
            case noSound = "no_sound"
            // A link. Percent; ms; percent of the time; percent; bytes left.
            case linkSilent = "link_silent"
            case linkLoss = "link_loss"
            case linkFar = "link_far"
            case linkComesAndGoes = "link_comes_and_goes"
            case linkDrops = "link_drops"
            case linkPlan = "link_plan"
        }

        package init(kind: Kind, isFault: Bool, link: String? = nil, value: Double? = nil, text: String, advice: String) {
            self.kind = kind
            self.isFault = isFault
            self.link = link
            self.value = value
            self.text = text
            self.advice = advice
        }
    }

    package struct Recommendation: Codable, Sendable, Hashable {
        /// Of the video alone, as a start takes it.
        package var bitrate: Bitrate
        /// What the links carried of a stream in nine seconds of ten.
        package var deliverable: Bitrate
        /// Whether the links were seen at their limit; where not, they may carry more.
        package var isLimit: Bool

        package init(bitrate: Bitrate, deliverable: Bitrate, isLimit: Bool) {
            self.bitrate = bitrate
            self.deliverable = deliverable
            self.isLimit = isLimit
        }
    }

    package struct Link: Codable, Sendable, Hashable {
        package var name: String
        /// Whether it carried a hundredth of the stream at least.
        package var carried: Bool
        /// In the sender's words, where it carried nothing, or less than it might.
        package var reason: String?
        /// Of its packets, 0 to 1; nil where it sent too few.
        package var loss: Double?
        /// With what waited on the link.
        package var rttMs: Double?
        package var rttP95Ms: Double?
        /// What arrived over it: what was sent, less its loss; means.
        package var delivered: Bitrate
        /// Of what all links sent, 0 to 1.
        package var share: Double
        /// What it carries, as estimated in nine seconds of ten; nil where nobody knows.
        package var capacity: Bitrate?
        package var deliveredPackets: Int
        package var lostPackets: Int
        /// By the kernel: its interface had no room.
        package var droppedPackets: Int
        /// Of the interface, bytes.
        package var mtu: Int?
        /// Of the time, 0 to 1.
        package var liveShare: Double
        package var sentBytes: Int
        /// Of its data plan, afterwards; nil where it has none.
        package var leftBytes: Int?

        package init(
            name: String, carried: Bool, reason: String?, loss: Double?, rttMs: Double?, rttP95Ms: Double?, delivered: Bitrate,
            share: Double, capacity: Bitrate?, deliveredPackets: Int, lostPackets: Int, droppedPackets: Int, mtu: Int?, liveShare: Double,
            sentBytes: Int,
            leftBytes: Int?
        ) {
            self.name = name
            self.carried = carried
            self.reason = reason
            self.loss = loss
            self.rttMs = rttMs
            self.rttP95Ms = rttP95Ms
            self.delivered = delivered
            self.share = share
            self.capacity = capacity
            self.deliveredPackets = deliveredPackets
            self.lostPackets = lostPackets
            self.droppedPackets = droppedPackets
            self.mtu = mtu
            self.liveShare = liveShare
            self.sentBytes = sentBytes
            self.leftBytes = leftBytes
        }
    }

    /// All links together, while the encoder was asked for what the broadcast would have.
    package struct Bond: Codable, Sendable, Hashable {
        /// The median.
        package var delivered: Bitrate
        package var deliveredPackets: Int
        package var lostPackets: Int
        /// From source to the receiver's output.
        package var latencyMs: Double?
        package var latencyP95Ms: Double?

        package init(delivered: Bitrate, deliveredPackets: Int, lostPackets: Int, latencyMs: Double?, latencyP95Ms: Double?) {
            self.delivered = delivered
            self.deliveredPackets = deliveredPackets
            self.lostPackets = lostPackets
            self.latencyMs = latencyMs
            self.latencyP95Ms = latencyP95Ms
        }
    }

    package init(
        verdict: Verdict, findings: [Finding], recommendation: Recommendation?, seconds: Int, links: [Link], bond: Bond?, asked: [Int],
        made: [Int], sentBytes: Int
    ) {
        self.verdict = verdict
        self.findings = findings
        self.recommendation = recommendation
        self.seconds = seconds
        self.links = links
        self.bond = bond
        self.asked = asked
        self.made = made
        self.sentBytes = sentBytes
    }
}
