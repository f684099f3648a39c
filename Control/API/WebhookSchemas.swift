import Store
import Wire

// size: data table

/// The shapes of webhooks, and of what they are told.
extension Schemas {
    private static let kinds = EventKind.offered.map(\.rawValue)
    /// There are too many for a sentence.
    private static let kind = Schema.text(
        .init(length: 0...64, choices: kinds, expectation: "one of the events that GET /webhooks/events lists"))

    static let webhooks: [String: Schema] = [
        "WebhookRequest": .object([
            .required("url", .text(.init(length: 1...2000, expectation: "an address such as https://example.org/strata"))),
            .required("description", name), .optional("kinds", .list(kind, upTo: kinds.count, atLeast: 1)),
            .required("active", .flag),
        ]),
        "RotateSecretRequest": .object([.optional("overlapSeconds", .integer(0...604_800))]),
        "EventKind": .object([.required("name", kind)]),
        "Webhook": .object([
            .required("id", id), .required("url", .text(.init(length: 1...2100, expectation: "an address"))),
            .required("description", name),
            .optional("kinds", .list(line, upTo: 1000)), .required("active", .flag), .optional("failingSince", time),
            .required("skipped", count), .required("createdAt", time), .required("changedAt", time), .optional("olderSecretUntil", time),
            .required("waiting", count), .optional("secret", .text(.init(length: 38...94, expectation: "a signing secret"))),
        ]),
        "Delivery": .object([
            .required("id", id), .required("webhook", id), .required("event", id), .required("kind", line), .required("number", count),
            .required("state", choice(Delivery.State.self)), .required("attempts", count), .required("summary", line),
            .required("createdAt", time), .optional("attemptedAt", time), .optional("finishedAt", time), .optional("nextAttemptAt", time),
            .optional("durationMs", count), .optional("status", .integer(100...999)), .optional("error", line), .optional("replayOf", id),
            .optional("payload", .text(.init(length: 0...16_384, expectation: "JSON text"))),
        ]),
        "DoneEvent": event(
            EventKind.done,
            [
                .optional("subject", line),
                .required(
                    "by",
                    .object([
                        .required("kind", choice(["user", "visitor", "device", "operator", "system"])), .optional("id", id),
                        .optional("token", id),
                    ])), .optional("detail", line),
            ]),
        "BroadcastStateEvent": event(
            EventKind.broadcasts,
            [
                .required("broadcast", id), .required("sender", id),
                .required("state", choice(["starting", "live", "degraded", "interrupted", "stopping", "ended"])),
                .optional("was", choice(["starting", "live", "degraded", "interrupted", "stopping", "ended"])),
                .optional("step", choice(["lease", "sender", "media", "outputs"])), .optional("reason", line),
            ]),
        "RehearsalEvent": event(
            EventKind.rehearsals,
            [
                .required("rehearsal", id), .required("sender", id), .optional("verdict", choice(RehearsalReport.Verdict.self)),
                .optional("recommendedBitrate", count), .optional("reason", line),
            ]),
        "OutputEvent": event(
            [.outputChanged],
            [
                .required("broadcast", id), .required("output", id), .required("destination", id), .required("name", line),
                .required("state", choice(["connecting", "connected", "retrying", "failed"])), .optional("reason", line),
            ]),
        "SenderEvent": event(
            EventKind.senders, [.required("sender", id), .required("name", line), .optional("version", line)]),
        "AlarmEvent": event(
            [.broadcastAlarm],
            [
                .required("broadcast", id), .required("sender", id), .required("alarm", choice(MediaAlarm.all.map(\.rawValue))),
                .required("state", choice(NewEvent.Alarm.State.self)),
            ]),
        "RecordingEvent": event(
            [.recordingChanged],
            [
                .required("recording", id), .required("broadcast", id), .required("state", choice(RecordingState.self)),
                .optional("was", choice(RecordingState.self)), .optional("reason", line),
            ]),
        "AlertEvent": event(
            EventKind.alerts,
            [
                .required("incident", id), .required("user", id), .required("kind", choice(AlertKind.self)), .required("name", line),
                .optional("broadcast", id), .optional("reason", line), .required("openedAt", time), .optional("closedAt", time),
            ]),
        "TestEvent": event([.webhookTest], [.required("webhook", id)]),
    ]

    /// The schema of what is sent of a kind.
    static func schema(of kind: EventKind) -> String {
        if EventKind.broadcasts.contains(kind) { return "BroadcastStateEvent" }
        if EventKind.rehearsals.contains(kind) { return "RehearsalEvent" }
        if EventKind.senders.contains(kind) { return "SenderEvent" }
        if EventKind.alerts.contains(kind) { return "AlertEvent" }
        if kind == .broadcastAlarm { return "AlarmEvent" }
        if kind == .recordingChanged { return "RecordingEvent" }
        return kind == .outputChanged ? "OutputEvent" : kind == .webhookTest ? "TestEvent" : "DoneEvent"
    }

    private static func event(_ kinds: [EventKind], _ data: [Schema.Field]) -> Schema {
        .object([
            .required("type", choice(kinds.map(\.rawValue))), .required("timestamp", time), .required("version", .integer(1...1)),
            .required("organization", id), .required("sequence", count), .required("data", .object(data)),
        ])
    }
}
