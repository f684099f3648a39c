import FoundationEssentials
package import Units
package import Wire

/// An event that is to be told, with what it says. Nothing of it is a secret: it goes to whoever an organisation names.
package struct NewEvent: Sendable, Hashable {
    let kind: EventKind
    /// JSON of the shape that the kind has. Bounded by what its texts are cut to.
    let data: String
    /// For lists: nothing that a person or a device wrote.
    let summary: String

    private init(_ kind: EventKind, _ data: some Encodable, _ summary: String) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let bytes = try? encoder.encode(data) else { preconditionFailure("events encode: their fields are texts and ids") }
        self.kind = kind
        self.data = String(decoding: bytes, as: UTF8.self)
        self.summary = summary
    }

    /// Of the shape that its data has. Shapes only gain fields; one that has to lose or change one gets the next number.
    static let version = 1
    /// Characters of a reason.
    private static let reasonLimit = 500

    /// Somebody did something.
    struct Done: Encodable {
        /// What it was done to.
        let subject: String?
        let by: By
        let detail: String?

        struct By: Encodable {
            let kind: String
            let id: String?
            /// The API token by which the author's program did it.
            let token: String?
        }
    }

    static func done(_ kind: EventKind, _ subject: String?, _ detail: String?, by author: Author) -> NewEvent {
        NewEvent(
            kind, Done(subject: subject, by: Done.By(kind: author.kind, id: author.id, token: author.token), detail: detail),
            "by \(author.kind)")
    }

    /// What a broadcast does now.
    package struct Broadcast: Encodable, Sendable {
        package let broadcast: BroadcastID
        package let sender: DeviceID
        package let state: String
        /// nil at its start.
        package let was: String?
        /// Of a start.
        package let step: String?
        package let reason: String?

        package init(broadcast: BroadcastID, sender: DeviceID, state: String, was: String?, step: String? = nil, reason: String? = nil) {
            self.broadcast = broadcast
            self.sender = sender
            self.state = state
            self.was = was
            self.step = step
            self.reason = reason.map { clipped($0, to: NewEvent.reasonLimit) }
        }
    }

    package static func broadcast(_ data: Broadcast) -> NewEvent {
        let kind: EventKind = data.was == nil ? .broadcastStarted : data.state == "ended" ? .broadcastEnded : .broadcastChanged
        return NewEvent(kind, data, data.was.map { "\($0) to \(data.state)" } ?? data.state)
    }

    /// A rehearsal that has begun, or is over.
    package struct Rehearsal: Encodable, Sendable {
        package let rehearsal: BroadcastID
        package let sender: DeviceID
        /// At its end.
        package let verdict: String?
        /// Of the video, in bits per second, where enough was seen.
        package let recommendedBitrate: Int?
        /// What is gravest of what was found.
        package let reason: String?

        package init(
            rehearsal: BroadcastID, sender: DeviceID, verdict: String? = nil, recommendedBitrate: Int? = nil, reason: String? = nil
        ) {
            self.rehearsal = rehearsal
            self.sender = sender
            self.verdict = verdict
            self.recommendedBitrate = recommendedBitrate
            self.reason = reason.map { clipped($0, to: NewEvent.reasonLimit) }
        }
    }

    static func rehearsalStarted(_ data: Rehearsal) -> NewEvent { NewEvent(.rehearsalStarted, data, "started") }

    package static func rehearsalEnded(_ data: Rehearsal) -> NewEvent { NewEvent(.rehearsalEnded, data, data.verdict ?? "ended") }

    /// What an output of a broadcast does now.
    package struct Output: Encodable, Sendable {
        package let broadcast: BroadcastID
        package let output: OutputID
        package let destination: DestinationID
        package let name: String
        package let state: String
        package let reason: String?

        package init(
            broadcast: BroadcastID, output: OutputID, destination: DestinationID, name: String, state: String, reason: String?
        ) {
            self.broadcast = broadcast
            self.output = output
            self.destination = destination
            self.name = clipped(name)
            self.state = state
            self.reason = reason.map { clipped($0, to: NewEvent.reasonLimit) }
        }
    }

    package static func output(_ data: Output) -> NewEvent { NewEvent(.outputChanged, data, data.state) }

    /// What becomes of a broadcast's recording.
    package struct RecordingChange: Encodable, Sendable {
        package let recording: RecordingID
        package let broadcast: BroadcastID
        package let state: String
        /// nil at its beginning.
        package let was: String?
        package let reason: String?

        package init(recording: RecordingID, broadcast: BroadcastID, state: String, was: String?, reason: String?) {
            self.recording = recording
            self.broadcast = broadcast
            self.state = state
            self.was = was
            self.reason = reason.map { clipped($0, to: NewEvent.reasonLimit) }
        }
    }

    package static func recording(_ data: RecordingChange) -> NewEvent {
        NewEvent(.recordingChanged, data, data.was.map { "\($0) to \(data.state)" } ?? data.state)
    }

    /// What is wrong with picture or sound of a broadcast, by its sender. What ends with its broadcast is not told as over.
    package struct Alarm: Encodable, Sendable {
        package let broadcast: BroadcastID
        package let sender: DeviceID
        package let alarm: String
        package let state: State

        package enum State: String, Encodable, Sendable, CaseIterable { case raised, cleared }

        package init(broadcast: BroadcastID, sender: DeviceID, alarm: String, state: State) {
            self.broadcast = broadcast
            self.sender = sender
            self.alarm = alarm
            self.state = state
        }
    }

    package static func alarm(_ data: Alarm) -> NewEvent { NewEvent(.broadcastAlarm, data, "\(data.alarm) \(data.state.rawValue)") }

    /// What one user is told of.
    struct Alert: Encodable {
        let incident: IncidentID
        let user: UserID
        let kind: String
        let name: String
        let broadcast: BroadcastID?
        let reason: String?
        let openedAt: Timestamp
        let closedAt: Timestamp?
    }

    static func alert(_ incident: Incident) -> NewEvent {
        NewEvent(
            incident.closedAt == nil ? .alertOpened : .alertClosed,
            Alert(
                incident: incident.id, user: incident.user, kind: incident.kind.rawValue, name: clipped(incident.name),
                broadcast: incident.broadcast, reason: incident.reason.map { clipped($0, to: reasonLimit) }, openedAt: incident.openedAt,
                closedAt: incident.closedAt), incident.kind.rawValue)
    }

    struct Sender: Encodable {
        let sender: DeviceID
        let name: String
        let version: String?
    }

    static func sender(_ device: Device, isOnline: Bool) -> NewEvent {
        NewEvent(
            isOnline ? .senderOnline : .senderOffline,
            Sender(sender: device.id, name: device.name, version: device.softwareVersion), isOnline ? "online" : "offline")
    }

    struct Test: Encodable {
        let webhook: WebhookID
    }

    static func test(_ webhook: WebhookID) -> NewEvent { NewEvent(.webhookTest, Test(webhook: webhook), "a test") }
}
