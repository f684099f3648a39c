package import Units

/// From an agent to control, after its proof.
package enum AgentMessage: Message {
    case hello(AgentHello)
    case inventory(Inventory)
    case telemetry(AgentTelemetry)
    case outcome(CommandOutcome)
    /// Whenever the state of the sending side changes.
    case sending(SendingReport)
    /// The configuration that is in force.
    case configured(ConfigurationReport)
    /// What the flight recorder has written down since it was told last.
    case flight(FlightLog)
    /// Of an input that no broadcast uses, because it was asked for; sent where the link has room.
    case picture(InputPicture)
    case unknown(String)
}

/// From control to an agent; each in a `Command`.
package enum AgentOrder: Message {
    /// Send this plan, or change the one that is running to it. Idempotent for the same revision.
    case start(Plan)
    /// Stop sending this broadcast. Done at once where nothing is sent.
    case stop(BroadcastReference)
    case configure(ConfigurationDocument)
    /// Telemetry every this many milliseconds.
    case watch(TelemetryInterval)
    /// Restart a modem that is stuck; done once it took that.
    case resetModem(ModemReset)
    /// Upload over one link, so that control measures it; done once control has heard enough.
    case speedTest(SpeedTestOrder)
    /// Send a picture of an input that no broadcast uses: it comes as `picture`, before the outcome.
    case picture(PictureOrder)
    /// Make the next picture of this broadcast a key frame: somebody cannot go on without. Once a second at most; done at once where nothing is
    /// sent.
    case keyFrame(BroadcastReference)
    case unknown(String)
}

package struct BroadcastReference: Codable, Sendable, Hashable {
    package var broadcast: BroadcastID
    /// Of a stop: without sending the last of it, since nobody is shown it; nil is false.
    package var atOnce: Bool?

    package init(broadcast: BroadcastID, atOnce: Bool? = nil) {
        self.broadcast = broadcast
        self.atOnce = atOnce
    }
}

package struct TelemetryInterval: Codable, Sendable, Hashable {
    package var ms: Int
    package init(ms: Int) { self.ms = ms }
}

package struct ModemReset: Codable, Sendable, Hashable {
    /// As `ModemTelemetry` has it.
    package var modem: String
    /// Also where it carries the only link that works of a live broadcast.
    package var force: Bool

    package init(modem: String, force: Bool) {
        self.modem = modem
        self.force = force
    }
}

/// A sender's configuration: TOML text with the version control gave it.
package struct ConfigurationDocument: Codable, Sendable, Hashable {
    package var version: Int
    package var toml: String
    package init(version: Int, toml: String) {
        self.version = version
        self.toml = toml
    }
}

package struct ConfigurationReport: Codable, Sendable, Hashable {
    /// 0 while the board runs on its defaults.
    package var version: Int
    package init(version: Int) { self.version = version }
}

/// The agent's whole state: enough for control to reconcile wish and observation.
package struct AgentHello: Codable, Sendable, Hashable {
    package var agentVersion: String
    package var inventory: Inventory
    package var configuration: ConfigurationReport
    /// What is being sent right now, by what was observed; nil when idle.
    package var sending: SendingReport?

    package init(agentVersion: String, inventory: Inventory, configuration: ConfigurationReport, sending: SendingReport?) {
        self.agentVersion = agentVersion
        self.inventory = inventory
        self.configuration = configuration
        self.sending = sending
    }
}

package struct SendingReport: Codable, Sendable, Hashable {
    package var broadcast: BroadcastID
    package var revision: Int
    package var state: State
    /// Why it is degraded, recovering or failed; for a person.
    package var reason: String?

    package enum State: String, Codable, Sendable {
        case preflight, sending
        /// The pipeline failed and is being built again.
        case recovering
        /// It still sends, but not as planned, e.g. without its microphone.
        case degraded
        case stopped
        /// The restart budget is used up.
        case failed
    }

    package init(broadcast: BroadcastID, revision: Int, state: State, reason: String? = nil) {
        self.broadcast = broadcast
        self.revision = revision
        self.state = state
        self.reason = reason
    }
}

/// Once a second (five times while somebody watches); dropped, never queued.
package struct AgentTelemetry: Codable, Sendable, Hashable {
    /// Unix milliseconds by the board's clock: for display only.
    package var atMs: Int64
    package var links: [LinkTelemetry]
    /// Of the running pipeline; nil when idle.
    package var pipeline: PipelineTelemetry?
    /// Of the board's links, idle ones too; every 5 s, nil in samples between: as they were.
    package var interfaces: [InterfaceTelemetry]?
    /// All that the board has; every few seconds and when one changes, nil in samples between: as they were.
    package var modems: [ModemTelemetry]?
    /// Every 2 s while something is sent, with the same of each link; nil in samples between: as it was; with stock RIST never.
    package var bond: BondTelemetry?
    /// Of the board's links; every half minute and when a state changes, nil in samples between: as it was.
    package var usage: [UsageTelemetry]?

    package init(
        atMs: Int64, links: [LinkTelemetry], pipeline: PipelineTelemetry?, interfaces: [InterfaceTelemetry]? = nil,
        modems: [ModemTelemetry]? = nil, bond: BondTelemetry? = nil, usage: [UsageTelemetry]? = nil
    ) {
        self.atMs = atMs
        self.links = links
        self.bond = bond
        self.pipeline = pipeline
        self.interfaces = interfaces
        self.modems = modems
        self.usage = usage
    }

    /// Takes over what our own carrier knew in the sample before, where this one does not tell it.
    package mutating func takeBond(of earlier: AgentTelemetry) {
        guard bond == nil else { return }
        bond = earlier.bond
        for index in links.indices where links[index].bond == nil {
            links[index].bond = earlier.links.first { $0.name == links[index].name }?.bond
        }
    }
}

/// What the kernel has counted on an interface since it was made, whoever's traffic it was.
package struct InterfaceTelemetry: Codable, Sendable, Hashable {
    package var name: String
    package var receivedBytes: Int
    package var sentBytes: Int
    /// Packets.
    package var receiveErrors: Int
    package var sendErrors: Int
    package var receiveDropped: Int
    package var sendDropped: Int

    package init(
        name: String, receivedBytes: Int, sentBytes: Int, receiveErrors: Int, sendErrors: Int, receiveDropped: Int, sendDropped: Int
    ) {
        self.name = name
        self.receivedBytes = receivedBytes
        self.sentBytes = sentBytes
        self.receiveErrors = receiveErrors
        self.sendErrors = sendErrors
        self.receiveDropped = receiveDropped
        self.sendDropped = sendDropped
    }
}

package struct LinkTelemetry: Codable, Sendable, Hashable {
    package var name: String
    package var state: State
    /// Why it is not live, or carries no media though it is, for a person; nil where nothing needs a word.
    package var reason: String?
    /// Sent over this link in the last second, with all headers.
    package var sent: Bitrate
    package var rttMs: Double?
    /// Share of the packets sent over this link that did not arrive, 0 to 1; nil while nobody can say.
    package var loss: Double?
    /// The share of the traffic the scheduler gives this link.
    package var weight: Int
    package var retransmittedPackets: Int
    /// What our own carrier knows besides, as often as the sample's own `bond`; nil with stock RIST.
    package var bond: Bond?

    package enum State: String, Codable, Sendable { case live, suspect, dead, connecting, unused }

    /// Totals count from when the link came up, in datagrams.
    package struct Bond: Codable, Sendable, Hashable {
        package var offeredPackets: Int
        package var deliveredPackets: Int
        package var lostPackets: Int
        package var doubledPackets: Int
        /// How long a datagram would wait that is sent now, as predicted.
        package var queueMs: Double
        /// What the link carries, as estimated.
        package var capacity: Bitrate

        package init(
            offeredPackets: Int, deliveredPackets: Int, lostPackets: Int, doubledPackets: Int, queueMs: Double, capacity: Bitrate
        ) {
            self.offeredPackets = offeredPackets
            self.deliveredPackets = deliveredPackets
            self.lostPackets = lostPackets
            self.doubledPackets = doubledPackets
            self.queueMs = queueMs
            self.capacity = capacity
        }
    }

    package init(
        name: String, state: State, reason: String? = nil, sent: Bitrate, rttMs: Double?, loss: Double?, weight: Int,
        retransmittedPackets: Int, bond: Bond? = nil
    ) {
        self.name = name
        self.state = state
        self.reason = reason
        self.sent = sent
        self.rttMs = rttMs
        self.loss = loss
        self.weight = weight
        self.retransmittedPackets = retransmittedPackets
        self.bond = bond
    }
}

package struct PipelineTelemetry: Codable, Sendable, Hashable {
    /// Of the multiplexed stream in the last interval.
    package var produced: Bitrate
    /// Made by the encoder.
    package var framesTotal: Int
    package var restartsTotal: Int
    /// Packets dropped because the transport could not take them.
    package var droppedPackets: Int
    /// nil from an agent that does not count them.
    package var frames: Frames?
    /// How loud each channel is, in whole dBFS (`SoundLevels`); nil where there is no sound to be measured.
    package var peak: [Int]?
    package var rms: [Int]?
    /// What is wrong with picture or sound; nil where nothing is.
    package var alarms: [MediaAlarm]?

    package struct Frames: Codable, Sendable, Hashable {
        /// Made by the encoder in the last second.
        package var made: Double
        /// Given by the input itself in the last second, before any was doubled or left out for the rate that was asked for.
        package var input: Double
        /// Thrown away since the broadcast began, as the encoder did not keep up.
        package var dropped: Int

        package init(made: Double, input: Double, dropped: Int) {
            self.made = made
            self.input = input
            self.dropped = dropped
        }
    }

    package init(
        produced: Bitrate, framesTotal: Int, restartsTotal: Int, droppedPackets: Int, frames: Frames? = nil, levels: SoundLevels? = nil,
        alarms: [MediaAlarm] = []
    ) {
        self.produced = produced
        self.framesTotal = framesTotal
        self.restartsTotal = restartsTotal
        self.droppedPackets = droppedPackets
        self.frames = frames
        peak = levels?.peak
        rms = levels?.rms
        self.alarms = alarms.isEmpty ? nil : alarms
    }
}

extension AgentMessage {
    package enum Kind: String, CaseIterable, Sendable { case hello, inventory, telemetry, outcome, sending, configured, flight, picture }

    package var name: MessageName<Kind> {
        switch self {
        case .hello: .known(.hello)
        case .inventory: .known(.inventory)
        case .telemetry: .known(.telemetry)
        case .outcome: .known(.outcome)
        case .sending: .known(.sending)
        case .configured: .known(.configured)
        case .flight: .known(.flight)
        case .picture: .known(.picture)
        case .unknown(let type): .unknown(type)
        }
    }

    package func encodeBody(to container: inout KeyedEncodingContainer<MessageKeys>) throws {
        switch self {
        case .hello(let body): try container.encode(body, forKey: .body)
        case .inventory(let body): try container.encode(body, forKey: .body)
        case .telemetry(let body): try container.encode(body, forKey: .body)
        case .outcome(let body): try container.encode(body, forKey: .body)
        case .sending(let body): try container.encode(body, forKey: .body)
        case .configured(let body): try container.encode(body, forKey: .body)
        case .flight(let body): try container.encode(body, forKey: .body)
        case .picture(let body): try container.encode(body, forKey: .body)
        case .unknown: break
        }
    }

    package init(kind: Kind, body: KeyedDecodingContainer<MessageKeys>) throws {
        switch kind {
        case .hello: self = .hello(try body.decode(AgentHello.self, forKey: .body))
        case .inventory: self = .inventory(try body.decode(Inventory.self, forKey: .body))
        case .telemetry: self = .telemetry(try body.decode(AgentTelemetry.self, forKey: .body))
        case .outcome: self = .outcome(try body.decode(CommandOutcome.self, forKey: .body))
        case .sending: self = .sending(try body.decode(SendingReport.self, forKey: .body))
        case .configured: self = .configured(try body.decode(ConfigurationReport.self, forKey: .body))
        case .flight: self = .flight(try body.decode(FlightLog.self, forKey: .body))
        case .picture: self = .picture(try body.decode(InputPicture.self, forKey: .body))
        }
    }
}

extension AgentOrder {
    package enum Kind: String, CaseIterable, Sendable { case start, stop, configure, watch, resetModem, speedTest, picture, keyFrame }

    package var name: MessageName<Kind> {
        switch self {
        case .start: .known(.start)
        case .stop: .known(.stop)
        case .configure: .known(.configure)
        case .watch: .known(.watch)
        case .resetModem: .known(.resetModem)
        case .speedTest: .known(.speedTest)
        case .picture: .known(.picture)
        case .keyFrame: .known(.keyFrame)
        case .unknown(let type): .unknown(type)
        }
    }

    package func encodeBody(to container: inout KeyedEncodingContainer<MessageKeys>) throws {
        switch self {
        case .start(let body): try container.encode(body, forKey: .body)
        case .stop(let body): try container.encode(body, forKey: .body)
        case .configure(let body): try container.encode(body, forKey: .body)
        case .watch(let body): try container.encode(body, forKey: .body)
        case .resetModem(let body): try container.encode(body, forKey: .body)
        case .speedTest(let body): try container.encode(body, forKey: .body)
        case .picture(let body): try container.encode(body, forKey: .body)
        case .keyFrame(let body): try container.encode(body, forKey: .body)
        case .unknown: break
        }
    }

    package init(kind: Kind, body: KeyedDecodingContainer<MessageKeys>) throws {
        switch kind {
        case .start: self = .start(try body.decode(Plan.self, forKey: .body))
        case .stop: self = .stop(try body.decode(BroadcastReference.self, forKey: .body))
        case .configure: self = .configure(try body.decode(ConfigurationDocument.self, forKey: .body))
        case .watch: self = .watch(try body.decode(TelemetryInterval.self, forKey: .body))
        case .resetModem: self = .resetModem(try body.decode(ModemReset.self, forKey: .body))
        case .speedTest: self = .speedTest(try body.decode(SpeedTestOrder.self, forKey: .body))
        case .picture: self = .picture(try body.decode(PictureOrder.self, forKey: .body))
        case .keyFrame: self = .keyFrame(try body.decode(BroadcastReference.self, forKey: .body))
        }
    }
}
