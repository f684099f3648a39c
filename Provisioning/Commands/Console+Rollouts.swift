// Which release the organisation's boards have: for its owner.
import HTTP
import Units
import Wire

extension Console {
    func rollout(_ arguments: inout Arguments, _ client: ControlClient) async throws {
        let command = try arguments.word("releases, begin, list, show, pause, resume, halt, end, back, board or channel")
        switch command {
        case "releases":
            try arguments.finish()
            show(try await client.call(.get, "/api/v1/releases") as ListView<ReleaseView>)
        case "begin": try await beginRollout(&arguments, client)
        case "list":
            try arguments.finish()
            show(try await client.call(.get, "/api/v1/rollouts") as ListView<RolloutView>)
        case "show":
            let id: RolloutID = try arguments.wordID("the rollout's id")
            try arguments.finish()
            show(try await client.call(.get, "/api/v1/rollouts/\(id)") as RolloutView)
        case "pause", "resume", "halt", "end", "back":
            let id: RolloutID = try arguments.wordID("the rollout's id")
            try arguments.finish()
            let request = ChangeRolloutRequest(move: RolloutMove(rawValue: command) ?? .rollBack)
            show(try await client.call(.patch, "/api/v1/rollouts/\(id)", request) as RolloutView)
        case "board":
            let id: DeviceID = try arguments.wordID("the sender's id")
            try arguments.finish()
            show(try await client.call(.get, "/api/v1/senders/\(id)/updates") as BoardUpdateView)
        case "channel":
            let id: DeviceID = try arguments.wordID("the sender's id")
            let request = ChangeBoardUpdateRequest(channel: try arguments.word("stable, beta or edge"))
            try arguments.finish()
            show(try await client.call(.put, "/api/v1/senders/\(id)/updates", request) as BoardUpdateView)
        default: throw Arguments.Fault("'rollout \(command)' is not a command; see --help")
        }
    }

    /// What is not said: a tenth of the fleet and then all of it, an hour between, and an end at the second failure that is a twentieth.
    private func beginRollout(_ arguments: inout Arguments, _ client: ControlClient) async throws {
        let version = try arguments.required("version")
        let canaries: [DeviceID] = try arguments.ids("canary")
        let percentages = try arguments.all("percent").map { text in
            guard let number = Int(text), (1...100).contains(number) else {
                throw Arguments.Fault("--percent is '\(text)'; expected 1 to 100, and 100 last")
            }
            return number
        }
        let month = 2_592_000
        let plan = RolloutPlanBody(
            canaries: canaries, percentages: percentages.isEmpty ? [10, 100] : percentages,
            soakSeconds: try arguments.integer("soak", in: 0...month) ?? 3600,
            atOnce: try arguments.integer("at-once", in: 1...100_000) ?? 20,
            failureCount: try arguments.integer("failures", in: 1...100_000) ?? 2,
            failurePercent: try arguments.integer("failure-percent", in: 0...100) ?? 5,
            silenceSeconds: try arguments.integer("silence", in: 600...month) ?? 7200)
        let isForced = arguments.has("force")
        try arguments.finish()
        let request = CreateRolloutRequest(version: version, plan: plan, forced: isForced)
        show(try await client.call(.post, "/api/v1/rollouts", request) as RolloutView)
    }
}
