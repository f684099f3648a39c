import Broadcasts
import HTTP
import Store
import Units
import Web
import Wire

/// A broadcast to nowhere: what the links would carry of it, and a verdict.
struct RehearsalRoutes: Sendable {
    private let parts: Gateway.Parts

    init(_ parts: Gateway.Parts) { self.parts = parts }

    var routes: [Route] {
        [
            Route(
                method: .post, path: "/api/v1/rehearsals", access: .user(.runBroadcasts),
                summary: "Rehearse a broadcast: the same way without outputs, for a minute; a start of the sender ends it",
                body: "RehearsalRequest", success: .one("Rehearsal", .created), problems: [.conflict, .quota, .notFound], run: start),
            Route(
                method: .get, path: "/api/v1/rehearsals", access: .user(.viewBroadcasts),
                summary: "The organisation's last \(BroadcastDirector.rehearsalLimit) rehearsals with their reports, the newest first",
                success: .page("Rehearsal"),
                run: { call in .list(try await parts.broadcasts.rehearsals(in: call.caller().user.organization)) }),
            Route(
                method: .get, path: "/api/v1/rehearsals/{id}", access: .user(.viewBroadcasts),
                summary: "One rehearsal, with its report once it is over", success: .one("Rehearsal"),
                run: { call in .value(try await parts.broadcasts.rehearsal(call.id(), in: call.caller().user.organization)) }),
            Route(
                method: .post, path: "/api/v1/rehearsals/{id}/stop", access: .user(.runBroadcasts),
                summary: "Stop a rehearsal; no error where it is over already", success: .one("Rehearsal"), isUrgent: true, run: stop),
        ]
    }

    @Sendable private func start(_ call: Call) async throws -> Response {
        let request = try call.body(RehearsalRequest.self)
        let scope = try call.scope()
        // The sender must be the organisation's own: another one does not exist for it.
        let device = try await parts.store.devices(in: scope).find(request.sender)
        guard !device.isRevoked else { throw Problem(.notFound, "that sender was revoked") }
        return .value(try await parts.broadcasts.rehearse(request, in: scope.organization, by: scope.author), .created)
    }

    @Sendable private func stop(_ call: Call) async throws -> Response {
        let (scope, id): (OrganizationScope, BroadcastID) = (try call.scope(), try call.id())
        let view = try await parts.broadcasts.stopRehearsal(id, in: scope.organization, by: scope.author)
        do {
            try await parts.store.broadcasts(in: scope).note(.rehearsalStopped, id)
        } catch {
            // It is done by then: the program's log has what the audit log lacks.
            parts.log.error(
                "what was done could not be written into the audit log",
                ["action": "\(AuditAction.rehearsalStopped)", "rehearsal": "\(id)", "author": "\(scope.author)", "error": "\(error)"])
        }
        return .value(view)
    }
}
