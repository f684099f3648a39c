import Wire

/// The shapes of what users are told of.
extension Schemas {
    /// Percent of a stream, or kbit/s of one.
    private static let value = Schema.integer(1...1_000_000)
    /// As `AlertDesk` looks each second, less is chance.
    private static let seconds = Schema.integer(5...3600)

    static let alerts: [String: Schema] = [
        "AlertRule": .object([.required("kind", choice(AlertKind.self)), .optional("value", value), .optional("seconds", seconds)]),
        "AlertsRequest": .object([
            .required("rules", .list(.reference("AlertRule"), upTo: AlertKind.allCases.count)), .required("byMail", .flag),
            .required("recovery", .flag),
            .optional("webhookURL", .text(.init(length: 1...2000, expectation: "an address such as https://example.org/strata"))),
        ]),
        "Alerts": .object([
            .required("rules", .list(.reference("AlertRule"), upTo: AlertKind.allCases.count)), .required("byMail", .flag),
            .required("recovery", .flag), .optional("webhook", .reference("AlertHook")),
        ]),
        "AlertHook": .object([
            .required("url", .text(.init(length: 1...2100, expectation: "an address"))), .required("active", .flag),
            .optional("failingSince", time), .required("waiting", count),
            .optional("secret", .text(.init(length: 38...94, expectation: "a signing secret"))),
        ]),
        "Incident": .object([
            .required("id", id), .required("kind", choice(AlertKind.self)), .required("name", line), .optional("broadcast", id),
            .optional("reason", line), .required("openedAt", time), .optional("closedAt", time),
        ]),
    ]
}
