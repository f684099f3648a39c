// Senders, destinations and broadcasts.
import FoundationEssentials
import HTTP
import Units
import Wire

extension Console {
    func sender(_ arguments: inout Arguments, _ client: ControlClient) async throws {
        let verb = try arguments.word("list, show, revoke, renew, transfer, rename, configure, reset-modem or speed-test")
        guard verb != "list" else {
            try arguments.finish()
            return show(try await client.call(.get, "/api/v1/senders") as ListView<SenderView>)
        }
        let id: DeviceID = try arguments.wordID("the sender's id")
        let route = "/api/v1/senders/\(id)"
        switch verb {
        case "show":
            try arguments.finish()
            show(try await client.call(.get, route) as SenderView)
        case "revoke":
            try arguments.finish()
            try await client.callEmpty(.delete, route)
        case "renew": try await renew(id, &arguments, client)
        case "transfer": try await transfer(id, &arguments, client)
        case "rename":
            let request = ChangeSenderRequest(name: try arguments.required("name"))
            try arguments.finish()
            show(try await client.call(.patch, route, request) as SenderView)
        case "configure":
            let request = ChangeConfigurationRequest(toml: try Self.text(of: arguments.required("file")))
            try arguments.finish()
            show(try await client.call(.put, "\(route)/configuration", request) as ConfigurationAnswer)
        case "reset-modem":
            let isForced = arguments.has("force")
            let request = ResetModemRequest(modem: try arguments.word("the modem's id"), force: isForced)
            try arguments.finish()
            show(try await client.call(.post, "\(route)/modem-reset", request) as ResetModemAnswer)
        case "speed-test":
            let request = SpeedTestRequest(link: try arguments.word("the link's name"))
            try arguments.finish()
            show(try await client.call(.post, "\(route)/speed-test", request) as SpeedTestView)
        case let other: throw Arguments.Fault("'sender \(other)' is not a command; see --help")
        }
    }

    func destination(_ arguments: inout Arguments, _ client: ControlClient) async throws {
        switch try arguments.word("add, list or remove") {
        case "add": try await addDestination(&arguments, client)
        case "list":
            try arguments.finish()
            show(try await client.call(.get, "/api/v1/destinations") as ListView<DestinationView>)
        case "remove":
            let id: DestinationID = try arguments.wordID("the destination's id")
            try arguments.finish()
            try await client.callEmpty(.delete, "/api/v1/destinations/\(id)")
        case let other: throw Arguments.Fault("'destination \(other)' is not a command; see --help")
        }
    }

    private func addDestination(_ arguments: inout Arguments, _ client: ControlClient) async throws {
        let preset = try arguments.optional("preset").map { text in
            guard let preset = DestinationRequest.Preset(rawValue: text) else {
                throw Arguments.Fault("--preset is '\(text)'; expected youtube or twitch")
            }
            return preset
        }
        let mode = try arguments.optional("srt-mode").map { text in
            guard let mode = SRTTarget.Mode(rawValue: text) else {
                throw Arguments.Fault("--srt-mode is '\(text)'; expected caller or listener")
            }
            return mode
        }
        let request = DestinationRequest(
            name: try arguments.required("name"), url: try arguments.optional("url"), preset: preset,
            secret: try arguments.optional("secret-file").map { try Self.secret(of: $0) }, streamID: try arguments.optional("stream-id"),
            srtMode: mode, latencyMs: try arguments.integer("latency", in: 20...8000))
        try arguments.finish()
        show(try await client.call(.post, "/api/v1/destinations", request) as DestinationView)
    }

    func broadcast(_ arguments: inout Arguments, _ client: ControlClient) async throws {
        switch try arguments.word("start, list, show, stop, change or output") {
        case "start": try await start(&arguments, client)
        case "list":
            try arguments.finish()
            show(try await client.call(.get, "/api/v1/broadcasts") as ListView<BroadcastView>)
        case "show":
            let id: BroadcastID = try arguments.wordID("the broadcast's id")
            try arguments.finish()
            show(try await client.call(.get, "/api/v1/broadcasts/\(id)") as BroadcastView)
        case "stop":
            let id: BroadcastID = try arguments.wordID("the broadcast's id")
            let waits = arguments.has("wait")
            try arguments.finish()
            let stopped: BroadcastView = try await client.call(.post, "/api/v1/broadcasts/\(id)/stop")
            show(waits ? try await settled(stopped, client) { $0.state == "ended" } : stopped)
        case "change": try await change(&arguments, client)
        case "output": try await output(&arguments, client)
        case let other: throw Arguments.Fault("'broadcast \(other)' is not a command; see --help")
        }
    }

    private func start(_ arguments: inout Arguments, _ client: ControlClient) async throws {
        let video = try arguments.optional("input")
        let audio = try arguments.optional("audio")
        let bitrate = try arguments.integer("bitrate", in: 100_000...50_000_000)
        var request = StartRequest(
            sender: try arguments.id("sender"), destinations: try arguments.ids("destination"),
            bufferMs: try arguments.integer("buffer", in: 100...10_000), graceSeconds: try arguments.integer("grace", in: 0...604_800))
        let waits = arguments.has("wait")
        try arguments.finish()
        guard !request.destinations.isEmpty else {
            throw Arguments.Fault("--destination is missing: 'strata-provision destination list' has the ids")
        }
        if video != nil || audio != nil || bitrate != nil {
            // What is not named stays as the sender is configured.
            let sender: SenderView = try await client.call(.get, "/api/v1/senders/\(request.sender)")
            guard let defaults = sender.defaults else {
                throw Arguments.Fault(
                    "the sender's configuration cannot be read: give it a new one, or start without --input, --audio and --bitrate")
            }
            if video != nil || audio != nil {
                request.input = InputChoice(video: video ?? defaults.input.video, audio: audio ?? defaults.input.audio)
            }
            if let bitrate {
                request.encoder = defaults.encoder
                request.encoder?.bitrate = Bitrate(bitsPerSecond: bitrate)
            }
        }
        let started: BroadcastView = try await client.call(.post, "/api/v1/broadcasts", request)
        guard waits else { return show(started) }
        let last = try await settled(started, client) { $0.state != "starting" && $0.state != "stopping" }
        show(last)
        if last.state == "ended" { throw Arguments.Fault("the broadcast did not start: \(last.reason ?? "no reason was given")") }
    }

    /// Asks each second until the state is settled, a minute at most.
    private func settled(
        _ view: BroadcastView, _ client: ControlClient, _ isSettled: (BroadcastView) -> Bool
    ) async throws -> BroadcastView {
        var view = view
        for _ in 0..<60 where !isSettled(view) {
            try await Task.sleep(for: .seconds(1))
            view = try await client.call(.get, "/api/v1/broadcasts/\(view.id)")
        }
        return view
    }

    private func change(_ arguments: inout Arguments, _ client: ControlClient) async throws {
        let id: BroadcastID = try arguments.wordID("the broadcast's id")
        var request = ChangeBroadcastRequest(
            bitrate: try arguments.integer("bitrate", in: 100_000...50_000_000).map(Bitrate.init(bitsPerSecond:)))
        let (video, audio) = (try arguments.optional("input"), try arguments.optional("audio"))
        try arguments.finish()
        if video != nil || audio != nil {
            // Whoever changes the picture keeps the sound.
            let now: BroadcastView = try await client.call(.get, "/api/v1/broadcasts/\(id)")
            request.input = InputChoice(video: video ?? now.input.video, audio: audio ?? now.input.audio)
        }
        show(try await client.call(.patch, "/api/v1/broadcasts/\(id)", request) as BroadcastView)
    }

    private func output(_ arguments: inout Arguments, _ client: ControlClient) async throws {
        let verb = try arguments.word("add, remove or retry")
        let id: BroadcastID = try arguments.wordID("the broadcast's id")
        let route = "/api/v1/broadcasts/\(id)/outputs"
        switch verb {
        case "add":
            let request = AddOutputRequest(destination: try arguments.id("destination"))
            try arguments.finish()
            show(try await client.call(.post, route, request) as BroadcastView)
        case "remove", "retry":
            let output: OutputID = try arguments.wordID("the output's id")
            try arguments.finish()
            let removes = verb == "remove"
            show(
                try await client.call(removes ? .delete : .post, "\(route)/\(output)" + (removes ? "" : "/retry")) as BroadcastView)
        case let other: throw Arguments.Fault("'broadcast output \(other)' is not a command; see --help")
        }
    }
}
