import Releases
import Wire

/// The shapes of releases on their way to boards.
extension Schemas {
    private static let version = Schema.text(
        .init(length: 5...64, expectation: "a version such as 1.4.0", accepts: { ReleaseVersion($0) != nil }))
    /// As a board says it.
    private static let told = Schema.text(.init(length: 0...64, expectation: "a text of at most 64 characters"))
    private static let channel = choice(ReleaseChannel.allCases.map(\.rawValue))
    private static let machine = Schema.text(.init(length: 1...32, expectation: "a kind of board, e.g. arm64"))
    private static let sentences = Schema.list(line, upTo: 64)
    /// A month.
    private static let span = Schema.integer(0...2_592_000)
    /// As many senders as a person names by hand.
    private static let canaryLimit = 200

    static let rollouts: [String: Schema] = [
        "Release": .object([
            .required("version", version), .required("sequence", .integer(1...Int(ReleaseManifest.sequenceLimit))),
            .required("channel", channel), .required("releasedAt", time), .required("expiresAt", time), .required("minimum", version),
            .required("notes", sentences), .required("breaking", sentences), .required("machines", .list(machine, upTo: 512)),
        ]),
        "RolloutPlan": .object([
            .required("canaries", .list(id, upTo: canaryLimit)), .required("percentages", .list(.integer(1...100), upTo: 10, atLeast: 1)),
            .required("soakSeconds", span), .required("atOnce", .integer(1...100_000)), .required("failureCount", .integer(1...100_000)),
            .required("failurePercent", .integer(0...100)), .required("silenceSeconds", .integer(600...2_592_000)),
        ]),
        "CreateRolloutRequest": .object([
            .required("version", version), .required("plan", .reference("RolloutPlan")), .optional("forced", .flag),
        ]),
        "ChangeRolloutRequest": .object([.required("move", choice(RolloutMove.self))]),
        "Rollout": .object([
            .required("id", id), .required("version", version), .required("channel", channel),
            .required("state", choice(RolloutState.self)), .optional("reason", line), .required("forced", .flag),
            .required("plan", .reference("RolloutPlan")), .required("step", count), .required("createdAt", time),
            .optional("endedAt", time), .required("boards", .list(.reference("RolloutBoard"), upTo: 100_000)),
        ]),
        "RolloutBoard": .object([
            .required("sender", id), .required("fate", choice(BoardFate.self)), .optional("reason", line),
        ]),
        "BoardUpdate": .object([
            .required("channel", channel), .optional("report", .reference("UpdateReport")), .optional("reportedAt", time),
        ]),
        "ChangeBoardUpdateRequest": .object([.required("channel", channel)]),
        "UpdateReport": .object([
            .required("machine", told), .required("installed", told), .optional("release", told), .optional("previous", told),
            .required("phase", choice(UpdateReport.Phase.self)), .optional("underWay", told), .optional("fetchedBytes", count),
            .optional("totalBytes", count), .required("failed", .list(told, upTo: 8)),
            .optional("outcome", .reference("UpdateOutcome")), .optional("last", line),
        ]),
        "UpdateOutcome": .object([.required("release", told), .required("reason", line)]),
    ]
}
