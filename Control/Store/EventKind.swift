import SQLite

/// What happened, as outgoing events name it; once shipped a name is never changed. A closed list: whatever stands in the audit log, under its
/// name there, and what was observed.
package struct EventKind: RawRepresentable, CaseIterable, Hashable, Sendable, Codable, ColumnValue {
    package let rawValue: String

    private init(_ name: String) { rawValue = name }

    package init?(rawValue: String) {
        guard Self.names.contains(rawValue) else { return nil }
        self.init(rawValue)
    }

    package static let broadcastStarted = EventKind("broadcast.started")
    package static let broadcastChanged = EventKind("broadcast.state_changed")
    package static let broadcastEnded = EventKind("broadcast.ended")
    package static let rehearsalStarted = EventKind("rehearsal.started")
    package static let rehearsalEnded = EventKind("rehearsal.ended")
    package static let outputChanged = EventKind("output.state_changed")
    package static let senderOnline = EventKind("sender.online")
    package static let senderOffline = EventKind("sender.offline")
    package static let recordingChanged = EventKind("recording.state_changed")
    /// Something is wrong with picture or sound of a broadcast, or not any more.
    package static let broadcastAlarm = EventKind("broadcast.alarm")
    /// What one user wants to be told of: for a webhook of theirs alone.
    package static let alertOpened = EventKind("alert.opened")
    package static let alertClosed = EventKind("alert.closed")
    /// Somebody wants to see whether it arrives.
    package static let webhookTest = EventKind("webhook.test")

    package static let broadcasts = [broadcastStarted, broadcastChanged, broadcastEnded]
    package static let rehearsals = [rehearsalStarted, rehearsalEnded]
    package static let senders = [senderOnline, senderOffline]
    package static let alerts = [alertOpened, alertClosed]
    private static let observed = broadcasts + rehearsals + [outputChanged, broadcastAlarm, recordingChanged] + senders + [webhookTest]
    /// What somebody did.
    package static let done = AuditAction.allCases.compactMap { EventKind($0) }
    /// Those that an organisation may have told to its webhooks.
    package static let offered = done + observed
    package static let allCases = offered + alerts
    private static let names = Set(allCases.map(\.rawValue))

    /// nil where a kind of its own tells more of it, and for the beginning and the end of an organisation, which has no webhooks then.
    init?(_ action: AuditAction) {
        switch action {
        case .broadcastStarted, .broadcastEnded, .rehearsalStarted, .rehearsalEnded, .organizationCreated, .organizationDeleted: return nil
        default: self.init(action.rawValue)
        }
    }
}
