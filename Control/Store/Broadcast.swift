import SQLite
package import Units
package import Wire

/// A broadcast of one sender: what is wished, and what was last observed.
package struct Broadcast: Sendable, Hashable, Encodable, OrganizationRow {
    package let id: BroadcastID
    package let organization: OrganizationID
    package let sender: DeviceID
    package let title: String
    package let wish: BroadcastWish
    package let state: BroadcastState
    /// Since when it has been in this state.
    package let stateSince: Timestamp
    package let settings: BroadcastSettings
    /// Grows with each change of the settings: the plan's revision.
    package let revision: Int
    /// Where its receiver listens; empty until there is one.
    package let receivers: [Endpoint]
    package let createdAt: Timestamp
    package let createdBy: UserID?
    /// When it was first live.
    package let liveAt: Timestamp?
    package let endedAt: Timestamp?

    static var table: OrganizationTable { .broadcasts }

    init(_ row: borrowing Row) throws {
        id = try row["id"]
        organization = try row["organization"]
        sender = try row["sender"]
        title = try row["title"]
        wish = try row["wish"]
        stateSince = try row["since"]
        state = try BroadcastState(name: row["state"], step: row["step"], reason: row["reason"], since: stateSince)
        let settings: JSONColumn<BroadcastSettings> = try row["settings"]
        self.settings = settings.value
        revision = try row["revision"]
        let receivers: JSONColumn<[Endpoint]>? = try row["receivers"]
        self.receivers = receivers?.value ?? []
        createdAt = try row["created_at"]
        createdBy = try row["created_by"]
        liveAt = try row["live_at"]
        endedAt = try row["ended_at"]
    }
}

/// What its users want of a broadcast.
package enum BroadcastWish: String, Sendable, Codable, ColumnValue { case live, ended }

/// What a broadcast was observed to be, never what it was wished to be.
package enum BroadcastState: Sendable, Hashable {
    /// Wished for, nothing done yet.
    case idle
    /// The step of the saga by its stable name, e.g. `lease`.
    case starting(step: String)
    case live
    case degraded(reason: String)
    case interrupted(since: Timestamp)
    case stopping
    /// Over; the reason is nil where a user stopped it.
    case ended(reason: String?)

    package var name: String {
        switch self {
        case .idle: "idle"
        case .starting: "starting"
        case .live: "live"
        case .degraded: "degraded"
        case .interrupted: "interrupted"
        case .stopping: "stopping"
        case .ended: "ended"
        }
    }

    package var step: String? { if case .starting(let step) = self { step } else { nil } }

    package var reason: String? {
        switch self {
        case .degraded(let reason): reason
        case .ended(let reason): reason
        default: nil
        }
    }

    package var isEnded: Bool { if case .ended = self { true } else { false } }

    init(name: String, step: String?, reason: String?, since: Timestamp) throws {
        switch name {
        case "idle": self = .idle
        case "starting": self = .starting(step: step ?? "")
        case "live": self = .live
        case "degraded": self = .degraded(reason: reason ?? "")
        case "interrupted": self = .interrupted(since: since)
        case "stopping": self = .stopping
        case "ended": self = .ended(reason: reason)
        default: throw StoreError.invalid(field: "broadcast.state", expected: "a known state, not '\(name)'")
        }
    }
}

/// `{"name":"starting","step":"lease"}`, `{"name":"interrupted","since":"2026-…"}`
extension BroadcastState: Encodable {
    private enum CodingKeys: String, CodingKey { case name, step, reason, since }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(name, forKey: .name)
        try container.encodeIfPresent(step, forKey: .step)
        try container.encodeIfPresent(reason, forKey: .reason)
        if case .interrupted(let since) = self { try container.encode(since, forKey: .since) }
    }
}

/// What a user chose for a broadcast: the part of its plan that is no secret and no address.
package struct BroadcastSettings: Sendable, Hashable, Codable {
    package var input: InputChoice
    package var encoder: EncoderChoice
    /// Milliseconds between the encoder and the receiver's output.
    package var bufferMs: Int
    /// Names of the links to use; nil uses every link that is up.
    package var links: [String]?
    package var grace: Grace

    /// How long a broadcast waits for a sender that has vanished.
    package enum Grace: Sendable, Hashable {
        case seconds(Int)
        case untilStopped
    }

    /// - Parameter grace: 15 min by decision 'grace per broadcast'.
    package init(input: InputChoice, encoder: EncoderChoice, bufferMs: Int = 1000, links: [String]? = nil, grace: Grace = .seconds(900)) {
        self.input = input
        self.encoder = encoder
        self.bufferMs = bufferMs
        self.links = links
        self.grace = grace
    }

    func check() throws(StoreError) {
        func within(_ value: Int, _ range: ClosedRange<Int>, _ field: String) throws(StoreError) {
            guard range.contains(value) else {
                throw .invalid(field: field, expected: "\(range.lowerBound) to \(range.upperBound), not \(value)")
            }
        }
        try within(bufferMs, 100...10_000, "broadcast.buffer_ms")
        try within(encoder.bitrate.bitsPerSecond, 100_000...50_000_000, "broadcast.encoder.bitrate")
        try within(encoder.audioBitrate.bitsPerSecond, 32_000...512_000, "broadcast.encoder.audio_bitrate")
        try within(encoder.width, 160...3840, "broadcast.encoder.width")
        try within(encoder.height, 90...2160, "broadcast.encoder.height")
        try within(encoder.frameRate, 1...120, "broadcast.encoder.frame_rate")
        if case .seconds(let seconds) = grace { try within(seconds, 0...7 * 86_400, "broadcast.grace") }
        try within(links?.count ?? 1, 1...64, "broadcast.links")
        for text in [input.video, input.audio ?? "-"] + (links ?? []) { _ = try checked(text, "broadcast.input", upTo: 200) }
    }
}

/// A number of seconds, or the text `until_stopped`.
extension BroadcastSettings.Grace: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let seconds = try? container.decode(Int.self) {
            self = .seconds(seconds)
            return
        }
        guard try container.decode(String.self) == "until_stopped" else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "a grace is a number of seconds or until_stopped")
        }
        self = .untilStopped
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .seconds(let seconds): try container.encode(seconds)
        case .untilStopped: try container.encode("until_stopped")
        }
    }
}

/// One output of a broadcast, as it was wished and last observed.
package struct BroadcastOutput: Sendable, Hashable, Encodable, OrganizationRow {
    package let id: OutputID
    package let broadcast: BroadcastID
    /// Nil for a file.
    package let destination: DestinationID?
    package let name: String
    package let state: OutputState
    package let reason: String?
    package let createdAt: Timestamp
    package let removedAt: Timestamp?

    static var table: OrganizationTable { .outputs }

    init(_ row: borrowing Row) throws {
        id = try row["id"]
        broadcast = try row["broadcast"]
        destination = try row["destination"]
        name = try row["name"]
        state = try row["state"]
        reason = try row["reason"]
        createdAt = try row["created_at"]
        removedAt = try row["removed_at"]
    }
}

/// The states that a receiver reports, and the ones before and after.
package enum OutputState: String, Sendable, Codable, ColumnValue {
    /// Not given to a receiver yet.
    case waiting
    case connecting, connected, retrying, failed
    case removed

    package init(_ reported: OutputReport.State) {
        switch reported {
        case .connecting: self = .connecting
        case .connected: self = .connected
        case .retrying: self = .retrying
        case .failed: self = .failed
        }
    }
}

/// A receiver's place on a pool host, while a broadcast has it.
package struct Lease: Sendable, Hashable, Encodable, OrganizationRow {
    package let id: LeaseID
    package let organization: OrganizationID
    package let broadcast: BroadcastID
    package let pool: DeviceID
    /// The UDP port; nil until the pool host has granted it.
    package let port: Int?
    package let createdAt: Timestamp
    package let grantedAt: Timestamp?
    package let releasedAt: Timestamp?

    static var table: OrganizationTable { .leases }

    init(_ row: borrowing Row) throws {
        id = try row["id"]
        organization = try row["organization"]
        broadcast = try row["broadcast"]
        pool = try row["pool"]
        port = try row["port"]
        createdAt = try row["created_at"]
        grantedAt = try row["granted_at"]
        releasedAt = try row["released_at"]
    }
}
