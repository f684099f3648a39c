import FoundationEssentials
import HTTP
import Logging
import Redaction

/// An event as error trackers take it, with everything that a person wrote or that came from outside redacted. Bounded: below 128 KiB.
///
/// Source: develop.sentry.dev, "Envelopes" and "Event Payloads"; the keys are those of the protocol.
struct SentryEnvelope {
    static let contentType = "application/x-sentry-envelope"

    private static let fieldLimit = 24
    private static let frameLimit = 50
    private static let nameLimit = 100

    let bytes: [UInt8]

    init(_ event: ErrorEvent, of deployment: Deployment, sentAt unixMs: Int64) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let payload = try encoder.encode(Payload(event, deployment))
        let head = try encoder.encode(["event_id": event.id, "sent_at": Log.timestamp(unixMs: unixMs)])
        let item = "\n{\"type\":\"event\",\"content_type\":\"application/json\",\"length\":\(payload.count)}\n"
        bytes = Array(head) + Array(item.utf8) + Array(payload)
    }

    /// - Parameter version: of the program.
    static func headers(_ dsn: DSN, version: String) -> Headers {
        [
            "Content-Type": contentType, "User-Agent": "Strata/\(version)",
            "X-Sentry-Auth": "Sentry sentry_version=7, sentry_client=strata/\(version), sentry_key=\(dsn.key.revealed)",
        ]
    }

    private struct Payload: Encodable {
        struct Exceptions: Encodable { let values: [Raised] }
        struct Raised: Encodable {
            let type: String
            let value: String?
            let stacktrace: Frames?
        }
        struct Frames: Encodable { let frames: [Place] }
        struct Place: Encodable {
            let filename: String
            let function: String?
            let lineno: Int?
            let colno: Int?
        }
        struct Crumbs: Encodable { let values: [Crumb] }
        struct Crumb: Encodable {
            let timestamp: Double
            let category: String
            let level: String
            let message: String
            let data: [String: String]
        }
        struct Program: Encodable {
            let name: String
            let version: String
        }

        enum CodingKeys: String, CodingKey {
            case eventID = "event_id"
            case timestamp, platform, level, logger, release, environment, transaction, fingerprint, tags, exception, breadcrumbs, extra,
                sdk
        }

        let eventID: String
        let timestamp: Double
        let platform: ErrorEvent.Platform
        let level: ErrorEvent.Level
        let logger: String
        let release: String
        let environment: String
        let transaction: String?
        let fingerprint: [String]?
        let tags: [String: String]
        let exception: Exceptions
        let breadcrumbs: Crumbs
        let extra: [String: String]
        let sdk: Program

        init(_ event: ErrorEvent, _ deployment: Deployment) {
            let (component, message) = (SentryEnvelope.name(event.component), Redactor.redacted(event.message, upTo: 300))
            eventID = event.id
            timestamp = Double(event.unixMs) / 1000
            platform = event.platform
            level = event.level
            logger = component
            release = deployment.release
            environment = deployment.environment
            transaction = event.route.map(SentryEnvelope.name)
            // Whatever the detail says: it may be other each time. Errors of pages have a whole stack to be known by.
            fingerprint = event.platform == .javascript ? nil : [component, message]
            var tags = ["deployment_id": deployment.id, "component": component]
            tags["route"] = event.route.map(SentryEnvelope.name)
            tags["org_id"] = event.organization.map(SentryEnvelope.name)
            self.tags = tags
            let frames = event.frames.suffix(SentryEnvelope.frameLimit).map { frame in
                Place(
                    filename: Redactor.redacted(frame.file, upTo: 200), function: frame.function.map(SentryEnvelope.name),
                    lineno: frame.line, colno: frame.column)
            }
            exception = Exceptions(values: [
                Raised(
                    type: message, value: event.detail.map { Redactor.redacted($0) },
                    stacktrace: frames.isEmpty ? nil : Frames(frames: frames))
            ])
            breadcrumbs = Crumbs(values: event.crumbs.map(Self.crumb))
            extra = SentryEnvelope.values(event.fields, upTo: 500)
            sdk = Program(name: "strata", version: deployment.version)
        }

        private static func crumb(_ entry: Log.Entry) -> Crumb {
            Crumb(
                timestamp: Double(entry.unixMs) / 1000, category: SentryEnvelope.name(entry.part),
                // Sentry knows no notices.
                level: entry.level == .notice ? "info" : "\(entry.level)", message: Redactor.redacted(entry.message, upTo: 200),
                data: SentryEnvelope.values(entry.fields, upTo: 200))
        }
    }

    private static func name(_ text: String) -> String { Redactor.redacted(text, upTo: nameLimit) }

    private static func values(_ fields: [Log.Entry.Field], upTo limit: Int) -> [String: String] {
        Dictionary(
            fields.prefix(fieldLimit).map { (name($0.name), Redactor.redacted($0.value, named: $0.name, upTo: limit)) },
            uniquingKeysWith: { $1 })
    }
}
