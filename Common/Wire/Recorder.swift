package import Units

/// Entries of a sender's flight recorder: told when they are made, and all that are kept again after each hello, so that what happened
/// without a connection is not lost. Control knows an entry by its broadcast, run and number.
package struct FlightLog: Codable, Sendable, Hashable {
    package var broadcast: BroadcastID
    /// Unix milliseconds when this recorder began: after a restart of the agent the numbers begin anew.
    package var run: Int64
    package var entries: [FlightEntry]

    package init(broadcast: BroadcastID, run: Int64, entries: [FlightEntry]) {
        self.broadcast = broadcast
        self.run = run
        self.entries = entries
    }
}

/// Something that happened to a broadcast, or how it went at a time. A board's is what it tells; control's own have more.
package struct FlightEntry: Codable, Sendable, Hashable {
    /// From 0, one after the other; what lacks was dropped from a full recorder.
    package var number: Int
    /// Unix milliseconds by the recording side's clock.
    package var atMs: Int64
    package var kind: Kind
    package var link: String?
    /// The cause, for a person.
    package var reason: String?
    /// With `sample`.
    package var sample: FlightSample?
    // Of control's own entries only: what a board says here is not taken.
    /// What became of it: `live`, `retrying`, `removed`.
    package var state: String?
    /// What it is about where that is no link: the name of an output, a step, an input, a bitrate, the id of a pool host.
    package var subject: String?
    /// Who did it or asked for it.
    package var user: UserID?
    /// How many changes of the same came too fast before this one, and are not written down.
    package var omitted: Int?

    /// An open list: a reader passes over what it does not know.
    package struct Kind: RawRepresentable, Codable, Sendable, Hashable {
        package let rawValue: String
        package init(rawValue: String) { self.rawValue = rawValue }

        /// The state of the sending side changed: `reason` has it.
        package static let sending = Kind(rawValue: "sending")
        package static let linkLive = Kind(rawValue: "link_live")
        package static let linkSilent = Kind(rawValue: "link_silent")
        package static let linkUnreachable = Kind(rawValue: "link_unreachable")
        package static let linkRemoved = Kind(rawValue: "link_removed")
        package static let rateCut = Kind(rawValue: "rate_cut")
        /// No report of the receiver comes over any link.
        package static let receiverUnheard = Kind(rawValue: "receiver_unheard")
        package static let receiverHeard = Kind(rawValue: "receiver_heard")
        package static let clockChanged = Kind(rawValue: "clock_changed")
        /// A link's data plan: 80 % are used, all is used, or a new cycle or a larger cap has made room again.
        package static let dataNear = Kind(rawValue: "data_near")
        package static let dataSpent = Kind(rawValue: "data_spent")
        package static let dataWithin = Kind(rawValue: "data_within")
        package static let sample = Kind(rawValue: "sample")

        // Control's.
        /// The broadcast's: `state` is its name; `subject` the step while it starts.
        package static let state = Kind(rawValue: "state")
        /// `subject` is its name; `state`: connected, retrying, failed, added, removed, retry_asked.
        package static let output = Kind(rawValue: "output")
        /// The pool host: chosen, left, lost, back.
        package static let host = Kind(rawValue: "host")
        /// restarted
        package static let receiver = Kind(rawValue: "receiver")
        /// shown, gone
        package static let slate = Kind(rawValue: "slate")
        /// The video's, in bits per second as `subject`: asked, changed.
        package static let bitrate = Kind(rawValue: "bitrate")
        /// asked, changed
        package static let input = Kind(rawValue: "input")
        /// A destination that an output goes to: changed.
        package static let destination = Kind(rawValue: "destination")
        /// Picture or sound of the sender, by its telemetry: `subject` is the `MediaAlarm`, `state` raised or cleared.
        package static let alarm = Kind(rawValue: "alarm")
        /// Control itself: restarted, while the broadcast went on.
        package static let control = Kind(rawValue: "control")
    }

    package init(number: Int, atMs: Int64, kind: Kind, link: String? = nil, reason: String? = nil, sample: FlightSample? = nil) {
        self.number = number
        self.atMs = atMs
        self.kind = kind
        self.link = link
        self.reason = reason
        self.sample = sample
    }

    /// One of control's.
    package init(
        number: Int, atMs: Int64, kind: Kind, state: String, subject: String? = nil, reason: String? = nil, user: UserID? = nil,
        omitted: Int? = nil
    ) {
        self.init(number: number, atMs: atMs, kind: kind, reason: reason)
        self.state = state
        self.subject = subject
        self.user = user
        self.omitted = omitted
    }
}

/// How the sending side goes: the figures of its telemetry.
package struct FlightSample: Codable, Sendable, Hashable {
    package var links: [LinkTelemetry]
    package var bond: BondTelemetry?
    package var pipeline: PipelineTelemetry?

    package init(links: [LinkTelemetry], bond: BondTelemetry?, pipeline: PipelineTelemetry?) {
        self.links = links
        self.bond = bond
        self.pipeline = pipeline
    }
}

/// All links together, as the sending side of our own carrier sees them. Totals are packets of the flow since the uplink began.
package struct BondTelemetry: Codable, Sendable, Hashable {
    /// What the encoder may make, audio and transport stream in it.
    package var available: Bitrate
    /// What the usable links carry, with all headers.
    package var capacity: Bitrate
    /// Age of the oldest packet that no link was given yet.
    package var queueMs: Double
    package var offeredPackets: Int
    /// The receiver has reported them.
    package var deliveredPackets: Int
    /// Not reported before their deadline, or given up as no link would have brought them in time.
    package var lostPackets: Int
    package var retransmittedPackets: Int
    package var doubledPackets: Int
    /// From source to the receiver's output, as the sender measures the clocks; nil before the first report.
    package var latencyMs: Double?

    package init(
        available: Bitrate, capacity: Bitrate, queueMs: Double, offeredPackets: Int, deliveredPackets: Int, lostPackets: Int,
        retransmittedPackets: Int, doubledPackets: Int, latencyMs: Double?
    ) {
        self.available = available
        self.capacity = capacity
        self.queueMs = queueMs
        self.offeredPackets = offeredPackets
        self.deliveredPackets = deliveredPackets
        self.lostPackets = lostPackets
        self.retransmittedPackets = retransmittedPackets
        self.doubledPackets = doubledPackets
        self.latencyMs = latencyMs
    }
}

/// A line of the flight recorder that is downloaded.
package struct FlightRecord: Codable, Sendable, Hashable {
    package var source: Source
    package var run: Int64
    package var entry: FlightEntry

    package enum Source: String, Codable, Sendable { case sender, control }

    package init(source: Source, run: Int64, entry: FlightEntry) {
        self.source = source
        self.run = run
        self.entry = entry
    }
}

/// Something that happened to a broadcast, as its timeline shows it.
package struct BroadcastEvent: Codable, Sendable, Hashable {
    /// Names it within its broadcast, and its place in time.
    package var id: String
    package var source: FlightRecord.Source
    /// By the clock of whoever recorded it.
    package var at: String
    package var kind: FlightEntry.Kind
    package var state: String?
    package var link: String?
    package var subject: String?
    package var reason: String?
    package var user: UserID?
    package var omitted: Int?

    /// - Parameters:
    ///   - id: its place, as text.
    ///   - at: ISO 8601 in UTC.
    package init(_ record: FlightRecord, id: String, at: String) {
        self.id = id
        self.at = at
        source = record.source
        kind = record.entry.kind
        state = record.entry.state
        link = record.entry.link
        subject = record.entry.subject
        reason = record.entry.reason
        user = record.entry.user
        omitted = record.entry.omitted
    }
}

/// A part of a broadcast's timeline.
package struct BroadcastEvents: Codable, Sendable, Hashable {
    package var items: [BroadcastEvent]
    /// The last one's id where there may be more: what `after` takes.
    package var next: String?

    package init(items: [BroadcastEvent], next: String?) {
        self.items = items
        self.next = next
    }
}
