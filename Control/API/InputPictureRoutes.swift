import Fleet
import HTTP
import Store
import Units
import Web
import Wire

/// What an input shows before a broadcast.
struct InputPictureRoutes: Sendable {
    private let parts: Gateway.Parts

    init(_ parts: Gateway.Parts) { self.parts = parts }

    var routes: [Route] {
        [
            Route(
                method: .get, path: "/api/v1/senders/{id}/picture", access: .user(.operateSenders),
                summary: "A small picture of an input that no broadcast uses, at most five seconds old: the sender is asked for it",
                query: [.required("input", .text(.init(length: 1...256, expectation: "an input's id")))], success: .file(["image/jpeg"]),
                problems: [.notFound, .conflict, .busy],
                // Counted by itself: who looks takes nothing from who changes something.
                isUrgent: true, run: picture)
        ]
    }

    @Sendable private func picture(_ call: Call) async throws -> Response {
        let (scope, id): (OrganizationScope, DeviceID) = (try call.scope(), try call.id())
        let device = try await parts.store.devices(in: scope).find(id)
        guard !device.isRevoked else { throw Problem(.notFound, "that sender was revoked") }
        guard let hello = await parts.fleet.hello(of: id) else { throw Problem(.busy, "the sender is offline") }
        guard let input = hello.inventory.inputs.first(where: { $0.id == call.query("input") && $0.media != .audio }) else {
            throw Problem(.notFound, "the sender has no such input with a picture")
        }
        let shown: PictureDesk.Shown
        do throws(PictureDesk.Refusal) {
            shown = try await parts.fleet.pictures.picture(of: input.id, on: id) { await ask(input.id, id) }
        } catch .busy {
            throw Problem(.busy, "a picture of another input of this sender is on its way")
        } catch .fault(let reason) {
            throw Problem(.conflict, reason)
        }
        return Response(
            .ok, headers: ["Content-Type": "image/jpeg", "Cache-Control": "private, max-age=2", "Vary": "Authorization"],
            body: .bytes(shown.picture.bytes))
    }

    /// - Returns: why there is none.
    private func ask(_ input: String, _ sender: DeviceID) async -> String? {
        switch await parts.fleet.order(AgentOrder.picture(PictureOrder(input: input)), to: sender) {
        case .outcome(let outcome) where outcome.result == .done: return nil
        case .outcome(let outcome):
            let isOld = outcome.reason?.contains("does not know the order") == true
            return isOld
                ? "this agent is too old for pictures of its inputs: update it" : outcome.reason ?? "the sender does not say why not"
        case .unknown: return "the sender did not answer in time"
        }
    }
}
