import Fleet
import HTTP
import Releases
import Store
import Units
import Web
import Wire

/// Which release an organisation's boards have: what there is, its way through them, and where their updaters ask.
struct RolloutRoutes: Sendable {
    private let parts: Gateway.Parts

    init(_ parts: Gateway.Parts) { self.parts = parts }

    var routes: [Route] { rolloutRoutes + boardRoutes }

    private var rolloutRoutes: [Route] {
        [
            Route(
                method: .get, path: "/api/v1/releases", access: .user(.manageUpdates),
                summary: "The releases for boards that the operator has published, the newest first", success: .page("Release"),
                run: { _ in .list(try ReleaseShelf(parts.settings.stateFolder).items().map { ReleaseView($0) }) }),
            Route(
                method: .get, path: "/api/v1/rollouts", access: .user(.manageUpdates),
                summary: "The last 50 rollouts of releases to the organisation's boards, the newest first", success: .page("Rollout"),
                run: { call in .list(try await parts.store.rollouts(in: call.scope()).newest().map { RolloutView($0) }) }),
            Route(
                method: .get, path: "/api/v1/rollouts/{id}", access: .user(.manageUpdates),
                summary: "One rollout, and what became of it on each board", success: .one("Rollout"),
                run: { call in .value(RolloutView(try await parts.store.rollouts(in: call.scope()).find(call.id()))) }),
            Route(
                method: .post, path: "/api/v1/rollouts", access: .user(.manageUpdates),
                summary: "Begin to bring a release to the organisation's boards: canaries, then parts of them; one rollout at a time",
                body: "CreateRolloutRequest", success: .one("Rollout", .created), problems: [.conflict, .notFound], run: create),
            Route(
                method: .patch, path: "/api/v1/rollouts/{id}", access: .user(.manageUpdates),
                summary: "Pause, resume, halt or end a rollout; or roll it back: boards that have the release go back to what they had",
                body: "ChangeRolloutRequest", success: .one("Rollout"), problems: [.conflict], run: change),
        ]
    }

    private var boardRoutes: [Route] {
        [
            Route(
                method: .get, path: "/api/v1/senders/{id}/updates", access: .user(.viewSenders),
                summary: "Which release a sender has, as its updater said last, and which channel it follows", success: .one("BoardUpdate"),
                run: { call in .value(try await view(call)) }),
            Route(
                method: .put, path: "/api/v1/senders/{id}/updates", access: .user(.manageUpdates),
                summary: "Have a sender follow another channel: it takes releases of that one and of the steadier ones",
                body: "ChangeBoardUpdateRequest", success: .one("BoardUpdate"), run: follow),
            Route(
                method: .get, path: "/api/v1/devices/updates", access: .open,
                summary: "The WebSocket on which a board's updater asks which release it shall have", success: .socket,
                // Counted by itself: a fleet behind one address takes nothing from people there.
                isUrgent: true,
                run: { _ in .upgrade(options: DeviceDoor.updateSocket) { socket in await parts.devices.serveUpdate(socket) } }),
        ]
    }

    @Sendable private func create(_ call: Call) async throws -> Response {
        let request = try call.body(CreateRolloutRequest.self)
        // One that is over is refused by each board, which would count as a failure of the board.
        guard let version = ReleaseVersion(request.version), let item = ReleaseShelf(parts.settings.stateFolder).item(version),
            parts.store.now.unixSeconds < item.manifest.expires
        else {
            let expected = "a release that is published here, with files for boards, and still offered"
            throw Problem(.invalid, faults: [.init(field: "version", expected: expected)])
        }
        let rollouts = parts.store.rollouts(in: try call.scope())
        let id = try await rollouts.create(
            NewRollout(
                version: version, digest: item.digest, channel: item.manifest.channel, machines: item.machines, plan: request.plan,
                isForced: request.forced ?? false))
        return .value(RolloutView(try await rollouts.find(id)), .created)
    }

    @Sendable private func change(_ call: Call) async throws -> Response {
        let request = try call.body(ChangeRolloutRequest.self)
        let (rollouts, id): (StoredRollouts, RolloutID) = (parts.store.rollouts(in: try call.scope()), try call.id())
        try await rollouts.carryOut(request.move, on: id)
        return .value(RolloutView(try await rollouts.find(id)))
    }

    private func view(_ call: Call) async throws -> BoardUpdateView {
        let board = try await parts.store.boardUpdates(in: call.scope()).find(call.id())
        return BoardUpdateView(
            channel: (board?.channel ?? .stable).rawValue, report: board?.report, reportedAt: board?.reportedAt?.text)
    }

    @Sendable private func follow(_ call: Call) async throws -> Response {
        let request = try call.body(ChangeBoardUpdateRequest.self)
        guard let channel = ReleaseChannel(rawValue: request.channel) else {
            throw Problem(.invalid, "the body does not have the expected fields")
        }
        try await parts.store.boardUpdates(in: call.scope()).setChannel(channel, of: call.id())
        return .value(try await view(call))
    }
}

extension RolloutView {
    init(_ found: (rollout: StoredRollout, boards: [RolloutBoard])) {
        let rollout = found.rollout
        self.init(
            id: rollout.id, version: rollout.version, channel: rollout.channel.rawValue, state: rollout.state, reason: rollout.reason,
            forced: rollout.isForced, plan: rollout.plan, step: rollout.step + 1, createdAt: rollout.createdAt.text,
            endedAt: rollout.endedAt?.text, boards: found.boards)
    }
}
