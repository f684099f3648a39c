package import Units

// Bodies of the REST API: senders, destinations, broadcasts and the pool.

/// `POST /enrollment-tokens`.
package struct CreateTokenRequest: Codable, Sendable {
    package var kind: DeviceKind
    /// The name the device gets; it may be changed later.
    package var name: String?
    package var expiresInSeconds: Int?
    /// The first configuration of the sender that it makes: TOML, as `PUT /senders/{id}/configuration` takes it.
    package var configuration: String?
    /// A sender that is there already: its board gets a new key by this token, and whoever has the old one is shut out.
    package var sender: DeviceID?

    package init(
        kind: DeviceKind, name: String? = nil, expiresInSeconds: Int? = nil, configuration: String? = nil, sender: DeviceID? = nil
    ) {
        self.kind = kind
        self.name = name
        self.expiresInSeconds = expiresInSeconds
        self.configuration = configuration
        self.sender = sender
    }
}

package struct TokenView: Codable, Sendable {
    package var id: EnrollmentTokenID
    package var kind: DeviceKind
    package var name: String?
    package var expiresAt: String
    /// The device it made, once redeemed.
    package var device: DeviceID?
    /// The sender that gets a new key by it; nil for a token that makes a new one.
    package var sender: DeviceID?
    /// The token itself: shown once, when it is made.
    package var token: SecretOnWire?

    package init(
        id: EnrollmentTokenID, kind: DeviceKind, name: String?, expiresAt: String, device: DeviceID?, sender: DeviceID? = nil,
        token: SecretOnWire?
    ) {
        self.id = id
        self.kind = kind
        self.name = name
        self.expiresAt = expiresAt
        self.device = device
        self.sender = sender
        self.token = token
    }
}

package struct SenderView: Codable, Sendable, Hashable {
    package var id: DeviceID
    package var name: String
    package var online: Bool
    package var lastSeenAt: String?
    package var agentVersion: String?
    /// Seen from two places at once, and since when: somebody may have copied its key.
    package var flaggedAt: String?
    package var inventory: Inventory
    package var configuration: ConfigurationState
    /// What a start takes where it names nothing else; nil where the configuration in force cannot be read any more.
    package var defaults: Defaults?
    /// Where it is; nil where nobody knows.
    package var location: Location?
    /// The last speed test of each of its links, since control began; nil where there was none.
    package var speedTests: [SpeedTestView]?

    package struct Location: Codable, Sendable, Hashable {
        /// In its owner's words, by the newest configuration.
        package var text: String?
        /// Where a modem's satellite receiver saw it last, since control began.
        package var position: Position?
        package init(text: String?, position: Position?) {
            self.text = text
            self.position = position
        }
    }

    package struct Defaults: Codable, Sendable, Hashable {
        package var input: InputChoice
        package var encoder: EncoderChoice
        package init(input: InputChoice, encoder: EncoderChoice) {
            self.input = input
            self.encoder = encoder
        }
    }

    package struct ConfigurationState: Codable, Sendable, Hashable {
        package var wanted: Int
        package var applied: Int
        package var reason: String?
        package init(wanted: Int, applied: Int, reason: String?) {
            self.wanted = wanted
            self.applied = applied
            self.reason = reason
        }
    }

    package init(
        id: DeviceID, name: String, online: Bool, lastSeenAt: String?, agentVersion: String?, flaggedAt: String?, inventory: Inventory,
        configuration: ConfigurationState, defaults: Defaults?, location: Location?,
        speedTests: [SpeedTestView]? = nil
    ) {
        self.id = id
        self.name = name
        self.online = online
        self.lastSeenAt = lastSeenAt
        self.agentVersion = agentVersion
        self.flaggedAt = flaggedAt
        self.inventory = inventory
        self.configuration = configuration
        self.defaults = defaults
        self.location = location
        self.speedTests = speedTests
    }
}

/// `PATCH /senders/{id}`.
package struct ChangeSenderRequest: Codable, Sendable {
    package var name: String?
    package init(name: String?) { self.name = name }
}

/// `PUT /senders/{id}/configuration`, and an entry of its history.
package struct ConfigurationView: Codable, Sendable, Hashable {
    package var version: Int
    package var toml: String
    package var createdAt: String
    package init(version: Int, toml: String, createdAt: String) {
        self.version = version
        self.toml = toml
        self.createdAt = createdAt
    }
}

package struct ChangeConfigurationRequest: Codable, Sendable {
    package var toml: String
    package init(toml: String) { self.toml = toml }
}

/// What became of it on the device.
package struct ConfigurationAnswer: Codable, Sendable {
    package var version: Int
    /// `applied`, `refused` (the old one stays in force), or `pending` while the device is away.
    package var result: Result
    package var reason: String?

    package enum Result: String, Codable, Sendable { case applied, refused, pending }

    package init(version: Int, result: Result, reason: String?) {
        self.version = version
        self.result = result
        self.reason = reason
    }
}

/// `POST /senders/{id}/modem-reset`.
package struct ResetModemRequest: Codable, Sendable {
    /// Its id, as the sender's telemetry has it.
    package var modem: String
    /// Also where it carries the only link that works of a live broadcast.
    package var force: Bool?

    package init(modem: String, force: Bool? = nil) {
        self.modem = modem
        self.force = force
    }
}

/// The modem took it; it is gone for a while then.
package struct ResetModemAnswer: Codable, Sendable, Hashable {
    package var modem: String
    /// How, where that is not the usual way.
    package var reason: String?

    package init(modem: String, reason: String?) {
        self.modem = modem
        self.reason = reason
    }
}

/// `POST /destinations`; `PUT /destinations/{id}` takes the same.
package struct DestinationRequest: Codable, Sendable {
    package var name: String
    /// `rtmp://host[:port]/app`, `rtmps://…`, `srt://host:port`; left out where a preset names it.
    package var url: String?
    package var preset: Preset?
    /// RTMP's stream key; SRT's passphrase.
    package var secret: SecretOnWire?
    /// SRT only.
    package var streamID: String?
    package var srtMode: SRTTarget.Mode?
    package var latencyMs: Int?

    package enum Preset: String, Codable, Sendable, CaseIterable { case youtube, twitch }

    package init(
        name: String, url: String?, preset: Preset? = nil, secret: SecretOnWire? = nil, streamID: String? = nil,
        srtMode: SRTTarget.Mode? = nil, latencyMs: Int? = nil
    ) {
        self.name = name
        self.url = url
        self.preset = preset
        self.secret = secret
        self.streamID = streamID
        self.srtMode = srtMode
        self.latencyMs = latencyMs
    }
}

package struct DestinationView: Codable, Sendable, Hashable {
    package var id: DestinationID
    package var name: String
    /// Without its secret.
    package var url: String
    /// Dots, whatever it is; nil where there is none.
    package var maskedSecret: String?
    package var streamID: String?
    package var srtMode: SRTTarget.Mode?
    package var latencyMs: Int?

    package init(
        id: DestinationID, name: String, url: String, maskedSecret: String?, streamID: String?, srtMode: SRTTarget.Mode?, latencyMs: Int?
    ) {
        self.id = id
        self.name = name
        self.url = url
        self.maskedSecret = maskedSecret
        self.streamID = streamID
        self.srtMode = srtMode
        self.latencyMs = latencyMs
    }
}

/// `POST /broadcasts`.
package struct StartRequest: Codable, Sendable {
    package var sender: DeviceID
    package var destinations: [DestinationID]
    package var input: InputChoice?
    package var encoder: EncoderChoice?
    package var bufferMs: Int?
    package var links: [String]?
    package var protection: Protection?
    /// Seconds a vanished sender keeps its broadcast; 0 is until stopped.
    package var graceSeconds: Int?
    /// Whether it is recorded, where the organisation leaves that to whoever starts it.
    package var record: Bool?

    package init(
        sender: DeviceID, destinations: [DestinationID], input: InputChoice? = nil, encoder: EncoderChoice? = nil, bufferMs: Int? = nil,
        links: [String]? = nil, protection: Protection? = nil, graceSeconds: Int? = nil, record: Bool? = nil
    ) {
        self.sender = sender
        self.destinations = destinations
        self.input = input
        self.encoder = encoder
        self.bufferMs = bufferMs
        self.links = links
        self.protection = protection
        self.graceSeconds = graceSeconds
        self.record = record
    }
}

/// `PATCH /broadcasts/{id}`: what changes while it runs.
package struct ChangeBroadcastRequest: Codable, Sendable {
    package var bitrate: Bitrate?
    package var input: InputChoice?

    package init(bitrate: Bitrate? = nil, input: InputChoice? = nil) {
        self.bitrate = bitrate
        self.input = input
    }
}

/// `POST /broadcasts/{id}/outputs`.
package struct AddOutputRequest: Codable, Sendable {
    package var destination: DestinationID
    package init(destination: DestinationID) { self.destination = destination }
}

/// `POST /broadcasts/{id}/rooms`.
package struct BringIntoRoomRequest: Codable, Sendable {
    package var room: RoomID
    package init(room: RoomID) { self.room = room }
}

package struct BroadcastView: Codable, Sendable, Hashable {
    package var id: BroadcastID
    package var sender: DeviceID
    /// `starting`, `live`, `degraded`, `interrupted`, `stopping`, `ended`.
    package var state: String
    /// While starting: `lease`, `sender`, `media`, `outputs`.
    package var step: String?
    package var reason: String?
    package var since: String?
    package var createdAt: String
    package var endedAt: String?
    package var input: InputChoice
    package var encoder: EncoderChoice
    package var bufferMs: Int
    package var graceSeconds: Int
    package var outputs: [Output]
    package var ingest: IngestReport?
    package var receiver: Receiver?
    /// What a person should know of it though it goes as asked: the state is not the worse for it. nil where there is nothing.
    package var notes: [String]?
    /// When the key frame arrived that its thumbnail shows; nil while there is none.
    package var thumbnailAt: String?

    package struct Output: Codable, Sendable, Hashable {
        package var id: OutputID
        /// Of one that goes into a room: an id of the room's own text, which is no destination's.
        package var destination: DestinationID
        /// What its organisation calls the destination: for everybody, whom the reasons tell it as well; the place is not.
        package var name: String
        package var report: OutputReport?
        /// The room that it goes into; nil for a destination's.
        package var room: RoomID?

        package init(id: OutputID, destination: DestinationID, name: String, report: OutputReport?, room: RoomID? = nil) {
            self.id = id
            self.destination = destination
            self.name = name
            self.report = report
            self.room = room
        }

        /// One of a control from before outputs had names has its id for it.
        package init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: CodingKeys.self)
            id = try values.decode(OutputID.self, forKey: .id)
            destination = try values.decode(DestinationID.self, forKey: .destination)
            name = try values.decodeIfPresent(String.self, forKey: .name) ?? id.text
            report = try values.decodeIfPresent(OutputReport.self, forKey: .report)
            room = try values.decodeIfPresent(RoomID.self, forKey: .room)
        }
    }

    package struct Receiver: Codable, Sendable, Hashable {
        package var host: DeviceID
        package var port: Int?
        package var pid: Int?
        package var uptimeSeconds: Int?
        package var restarts: Int?
        package init(host: DeviceID, port: Int?, pid: Int?, uptimeSeconds: Int?, restarts: Int?) {
            self.host = host
            self.port = port
            self.pid = pid
            self.uptimeSeconds = uptimeSeconds
            self.restarts = restarts
        }
    }

    package init(
        id: BroadcastID, sender: DeviceID, state: String, step: String?, reason: String?, since: String?, createdAt: String,
        endedAt: String?, input: InputChoice, encoder: EncoderChoice, bufferMs: Int, graceSeconds: Int, outputs: [Output],
        ingest: IngestReport?, receiver: Receiver?, notes: [String]?, thumbnailAt: String? = nil
    ) {
        self.id = id
        self.sender = sender
        self.state = state
        self.step = step
        self.reason = reason
        self.since = since
        self.createdAt = createdAt
        self.endedAt = endedAt
        self.input = input
        self.encoder = encoder
        self.bufferMs = bufferMs
        self.graceSeconds = graceSeconds
        self.outputs = outputs
        self.ingest = ingest
        self.receiver = receiver
        self.notes = notes
        self.thumbnailAt = thumbnailAt
    }
}

/// A pool host, for the operator and for admins.
package struct HostView: Codable, Sendable, Hashable {
    package var id: DeviceID
    package var name: String
    package var online: Bool
    package var lastSeenAt: String?
    package var version: String?
    package var addresses: [String]
    package var portRange: PortRange?
    /// Whether it takes one more stream now.
    package var hasRoom: Bool
    /// It takes no new streams; those that it has go on to their end.
    package var draining: Bool
    /// The organisation's own ones on it; for the operator all.
    package var streams: Int
    /// Everybody's: for whoever looks after the pool, as the next two are.
    package var allStreams: Int?
    /// Streams at most.
    package var capacity: Int?
    /// Percent of all its processors over the last ten seconds, whatever with; nil where it does not tell.
    package var cpuPercent: Int?

    package init(
        id: DeviceID, name: String, online: Bool, lastSeenAt: String?, version: String?, addresses: [String], portRange: PortRange?,
        hasRoom: Bool, draining: Bool, streams: Int, allStreams: Int?, capacity: Int?, cpuPercent: Int?
    ) {
        self.id = id
        self.name = name
        self.online = online
        self.lastSeenAt = lastSeenAt
        self.version = version
        self.addresses = addresses
        self.portRange = portRange
        self.hasRoom = hasRoom
        self.draining = draining
        self.streams = streams
        self.allStreams = allStreams
        self.capacity = capacity
        self.cpuPercent = cpuPercent
    }
}

/// `PATCH /pool/{id}`, and the operator's.
package struct ChangeHostRequest: Codable, Sendable {
    /// Whether it takes no new streams.
    package var draining: Bool
    package init(draining: Bool) { self.draining = draining }
}
