import Blobs
import Store
import Wire

/// The shapes of what is told of the server, and of what an organisation does on it.
extension Schemas {
    /// Of a disk: what a page can still count.
    private static let bytes = Schema.integer(0...(1 << 53) - 1)

    static let figures: [String: Schema] = [
        "RunningMeeting": .object([
            .required("id", id), .required("title", name), .required("type", choice(MeetingType.self)), .required("startedAt", time),
            .required("durationSeconds", count),
            .required(
                "participants",
                .list(
                    .object([.required("name", line), .required("role", choice(RoomRole.self)), .required("away", .flag)]), upTo: 10_000)),
        ]),
        "Versions": .object([
            .required("version", line), .required("uptimeSeconds", count),
            .required(
                "upgrades",
                .list(
                    .object([
                        .required("step", count), .required("name", line), .required("appliedAt", time), .required("version", line),
                    ]), upTo: 1000)),
        ]),
        "PhoneHomeRequest": .object([
            .required(
                "url", .text(.init(length: 0...2000, expectation: "an address such as https://example.org/strata, or nothing")))
        ]),
        "PhoneHome": .object([.optional("place", line), .required("calls", .list(.reference("HomeCall"), upTo: 100))]),
        "HomeCall": .object([
            .required("id", id), .required("at", time), .required("occasion", choice(HomeCall.Occasion.self)), .required("place", line),
            .required("body", .text(.init(length: 0...16384, expectation: "what was sent, as JSON"))),
            .optional("status", .integer(100...999)), .optional("fault", line),
        ]),
        "DayFigures": .object([
            .required("day", .text(.init(length: 10...10, format: "date", expectation: "a day such as 2026-11-23"))),
            .required("broadcasts", count), .required("broadcastSeconds", count), .required("senders", count),
            .required("rehearsals", count), .required("meetings", count), .required("meetingSeconds", count),
        ]),
        "Storage": .object([
            .required(
                "areas",
                .list(
                    .object([
                        .required("name", choice(BlobArea.allCases.map(\.rawValue) + ["slate"])), .required("files", count),
                        .required("bytes", bytes),
                    ]), upTo: 100)),
            .required("used", bytes), .required("limit", bytes), .required("deliveryDays", count), .required("healthDays", count),
            .optional(
                "disk",
                .object([.required("database", bytes), .required("copies", bytes), .required("free", bytes), .required("total", bytes)])),
        ]),
    ]
}
