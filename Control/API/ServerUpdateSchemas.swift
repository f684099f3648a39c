import Releases
import Wire

/// The shapes of the server's own updates.
extension Schemas {
    private static let version = Schema.text(
        .init(length: 5...64, expectation: "a version such as 1.5.0", accepts: { ReleaseVersion($0) != nil }))
    private static let sentences = Schema.list(line, upTo: 64)
    /// What a page can still count.
    private static let bytes = Schema.integer(0...(1 << 53) - 1)
    /// As the updater writes it.
    private static let reason = Schema.text(.init(length: 0...16384, expectation: "a text"))

    static let serverUpdates: [String: Schema] = [
        "ServerUpdateRequest": .object([
            .required("move", choice(ServerMove.self)), .optional("version", version),
            .optional("copy", .text(.init(length: 1...100, expectation: "the name of a copy of the database"))),
            .optional("confirm", .text(.init(length: 1...300, expectation: "the version that is gone back to, or the server's name"))),
        ]),
        "ServerUpdates": .object([
            .required("enabled", .flag), .required("serverName", line), .required("installed", line), .optional("previous", line),
            .required("state", choice(ServerUpdatesView.State.self)), .optional("target", line),
            .optional("place", .reference("ServerUpdatePlace")), .optional("fetchedBytes", bytes), .optional("totalBytes", bytes),
            .optional("refusal", reason), .optional("checkedAt", time), .optional("checkFault", reason),
            .optional("offer", .reference("ServerOffer")), .required("history", .list(.reference("ServerUpdate"), upTo: 100)),
            .required(
                "copies", .list(.object([.required("name", line), .required("madeAt", time)]), upTo: 10_000)),
        ]),
        "ServerUpdatePlace": .object([
            .required("title", reason), .required("number", count), .required("of", count),
        ]),
        "ServerOffer": .object([
            .required("version", version), .required("channel", choice(ReleaseChannel.allCases.map(\.rawValue))),
            .required("releasedAt", time), .required("expiresAt", time), .required("notes", sentences),
            .required("breaking", sentences), .required("migrations", .list(count, upTo: 64)), .required("bytes", bytes),
            .optional("refusal", line),
        ]),
        "ServerUpdate": .object([
            .required("version", line), .required("from", line), .required("at", time),
            .required("result", choice(ServerUpdateReport.Result.self)), .optional("reason", reason),
        ]),
    ]
}
