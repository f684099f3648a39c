import Fleet
import HTTP
import Store
import Units
import Web
import Wire

/// What somebody has a sender's modems do.
struct ModemRoutes: Sendable {
    private let parts: Gateway.Parts

    init(_ parts: Gateway.Parts) { self.parts = parts }

    var routes: [Route] {
        [
            Route(
                method: .post, path: "/api/v1/senders/{id}/modem-reset", access: .user(.operateSenders),
                summary: "Restart a modem that is stuck; one that carries the only working link of a live broadcast where it is forced",
                body: "ResetModemRequest", success: .one("ResetModemAnswer"), problems: [.conflict, .busy], run: reset)
        ]
    }

    @Sendable private func reset(_ call: Call) async throws -> Response {
        let (scope, request, id): (OrganizationScope, ResetModemRequest, DeviceID) = (try call.scope(), try call.body(), try call.id())
        let device = try await parts.store.devices(in: scope).find(id)
        guard !device.isRevoked else { throw Problem(.notFound, "that sender was revoked") }
        guard await parts.fleet.isOnline(id) else { throw Problem(.busy, "the sender is offline") }
        let order = AgentOrder.resetModem(ModemReset(modem: request.modem, force: request.force ?? false))
        let answer = await parts.fleet.order(order, to: id)
        await note(request, answer, id, scope)
        switch answer {
        case .outcome(let outcome) where outcome.result == .done:
            return .value(ResetModemAnswer(modem: request.modem, reason: outcome.reason))
        case .outcome(let outcome): throw Problem(.conflict, outcome.reason ?? "the sender does not say why not")
        case .unknown:
            throw Problem(.busy, "the sender did not answer: whether the modem was reset is not known")
        }
    }

    /// Who did it, and what became of it. It is done by then: where it cannot be written down, the program's log has it.
    private func note(_ request: ResetModemRequest, _ answer: Answer, _ id: DeviceID, _ scope: OrganizationScope) async {
        let result = if case .outcome(let outcome) = answer { outcome.result.rawValue } else { "unknown" }
        let detail = "\(request.modem)\(request.force == true ? ", forced" : ""): \(result)"
        do {
            try await parts.store.devices(in: scope).note(.modemReset, id, detail: detail)
        } catch {
            parts.log.error(
                "what was done could not be written into the audit log",
                ["action": "\(AuditAction.modemReset)", "device": "\(id)", "author": "\(scope.author)", "error": "\(error)"])
        }
    }
}
