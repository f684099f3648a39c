package import Units

// Bodies of the REST API: what a user is told of, and what they were told. Shapes and limits: the OpenAPI document.

extension Kind {
    package enum Incident {}
}

package typealias IncidentID = ID<Kind.Incident>

/// What somebody may be told of; once shipped a name is never changed.
package enum AlertKind: String, Codable, Sendable, CaseIterable {
    /// More than `value` percent of the stream are missing for `seconds`.
    case loss
    /// The receiver gets less than `value` kbit/s for `seconds`.
    case bitrate
    /// The sender of a broadcast is away for `seconds`.
    case offline
    /// An output that was asked for is not connected for `seconds`.
    case output
    /// Of picture and sound: the sender itself says when (`MediaAlarm`).
    case silence, black, frozen
    case noSignal = "no_signal"
    /// A part of the server has failed; for whoever may see how the server is.
    case health

    /// Whether it takes a number to be held against.
    package var takesValue: Bool { self == .loss || self == .bitrate }
    /// Whether it takes a time for which it has to last.
    package var takesSeconds: Bool { takesValue || self == .offline || self == .output }

    package var alarm: MediaAlarm? {
        switch self {
        case .silence: .silence
        case .black: .black
        case .frozen: .frozen
        case .noSignal: .noSignal
        case .loss, .bitrate, .offline, .output, .health: nil
        }
    }
}

/// One thing that a user wants to be told of.
package struct AlertRule: Codable, Sendable, Hashable {
    package var kind: AlertKind
    /// Percent or kbit/s; of those kinds alone that take one.
    package var value: Int?
    package var seconds: Int?

    package init(kind: AlertKind, value: Int? = nil, seconds: Int? = nil) {
        self.kind = kind
        self.value = value
        self.seconds = seconds
    }
}

/// `PUT /auth/me/alerts`.
package struct AlertsRequest: Codable, Sendable {
    package var rules: [AlertRule]
    package var byMail: Bool
    /// Whether the end of an incident is a message too.
    package var recovery: Bool
    /// Where messages are posted to besides; nil: nowhere.
    package var webhookURL: String?

    package init(rules: [AlertRule], byMail: Bool, recovery: Bool, webhookURL: String?) {
        self.rules = rules
        self.byMail = byMail
        self.recovery = recovery
        self.webhookURL = webhookURL
    }
}

package struct AlertsView: Codable, Sendable, Hashable {
    package var rules: [AlertRule]
    package var byMail: Bool
    package var recovery: Bool
    package var webhook: Hook?

    package struct Hook: Codable, Sendable, Hashable {
        package var url: String
        /// False where it said that it is gone for good.
        package var active: Bool
        /// Since when it has been given up to tell it something.
        package var failingSince: String?
        /// Messages that wait.
        package var waiting: Int
        /// Shown once, when the address is another one.
        package var secret: SecretOnWire?

        package init(url: String, active: Bool, failingSince: String?, waiting: Int, secret: SecretOnWire?) {
            self.url = url
            self.active = active
            self.failingSince = failingSince
            self.waiting = waiting
            self.secret = secret
        }
    }

    package init(rules: [AlertRule], byMail: Bool, recovery: Bool, webhook: Hook?) {
        self.rules = rules
        self.byMail = byMail
        self.recovery = recovery
        self.webhook = webhook
    }
}

/// Something that somebody was told of.
package struct IncidentView: Codable, Sendable, Hashable {
    package var id: IncidentID
    package var kind: AlertKind
    /// What it is about, for a person: a sender, an output, a part of the server.
    package var name: String
    package var broadcast: BroadcastID?
    package var reason: String?
    package var openedAt: String
    /// nil while it lasts.
    package var closedAt: String?

    package init(
        id: IncidentID, kind: AlertKind, name: String, broadcast: BroadcastID?, reason: String?, openedAt: String, closedAt: String?
    ) {
        self.id = id
        self.kind = kind
        self.name = name
        self.broadcast = broadcast
        self.reason = reason
        self.openedAt = openedAt
        self.closedAt = closedAt
    }
}
