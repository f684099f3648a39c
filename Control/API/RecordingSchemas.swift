import Wire

/// The shapes of recordings.
extension Schemas {
    /// What somebody looks for.
    static let searched = Schema.text(.init(length: 1...100, expectation: "a text of 1 to 100 characters"))
    /// Of a file of a recording.
    static let objectName = Schema.text(
        .init(length: 1...128, pattern: "^[0-9A-Za-z][0-9A-Za-z._-]*$", expectation: "a file's name", accepts: isObjectName))

    private static func isObjectName(_ text: String) -> Bool {
        text.utf8.enumerated().allSatisfy { index, byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
            // Hyphen, dot and underline do not begin one.
            case 0x2D, 0x2E, 0x5F: index > 0
            default: false
            }
        }
    }

    static let recordings: [String: Schema] = [
        "RecordingSettings": .object([
            .required("policy", choice(RecordingPolicy.self)), .required("keepDays", .integer(0...365)),
        ]),
        "RecordingPage": .object([
            .required("items", .list(.reference("Recording"), upTo: RecordingRoutes.pageLimit)), .optional("next", id),
        ]),
        "Recording": .object([
            .required("id", id), .required("broadcast", id), .required("sender", id), .required("name", line),
            .required("state", choice(RecordingState.self)), .optional("reason", line), .required("createdAt", time),
            .optional("endedAt", time), .optional("expiresAt", time), .required("bytes", count), .required("durationMs", count),
            .optional("percent", .integer(0...100)), .optional("files", .list(.reference("RecordingFile"), upTo: 10_000)),
        ]),
        "RecordingFile": .object([
            .required("number", count), .required("bytes", count), .required("sha256", digest), .required("beganAt", time),
            .required("durationMs", count), .required("codecs", line), .optional("width", count), .optional("height", count),
            .required("stored", .flag),
        ]),
        "RecordingLinks": .object([
            .required("items", .list(.reference("RecordingLink"), upTo: 10_000)), .required("expiresAt", time),
        ]),
        "RecordingLink": .object([
            .required("number", count), .required("url", .text(.init(length: 1...4000, expectation: "an address"))),
            .required("name", line),
        ]),
    ]
}
