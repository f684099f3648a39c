import Auth
import HTTP
import Store
import Units
import Web
import Wire

/// Where an organisation's events are told, and what became of each.
struct WebhookRoutes: Sendable {
    private let parts: Gateway.Parts

    init(_ parts: Gateway.Parts) { self.parts = parts }

    var routes: [Route] { lists + changes + [secret, test] + deliveries }

    private var lists: [Route] {
        [
            Route(
                method: .get, path: "/api/v1/webhooks", access: .user(.manageWebhooks), summary: "List the organisation's webhooks",
                success: .page("Webhook"), run: { call in .list(try await parts.store.webhooks(in: call.scope()).all()) }),
            Route(
                method: .get, path: "/api/v1/webhooks/events", access: .user(.manageWebhooks), summary: "The kinds of events there are",
                success: .page("EventKind"), run: { _ in .list(EventKind.offered.map { KindView(name: $0.rawValue) }) }),
            Route(
                method: .get, path: "/api/v1/webhooks/{id}", access: .user(.manageWebhooks), summary: "One webhook",
                success: .one("Webhook"),
                run: { call in .value(try await parts.store.webhooks(in: call.scope()).find(call.id())) }),
            Route(
                method: .get, path: "/api/v1/webhooks/{id}/deliveries", access: .user(.manageWebhooks),
                summary: "The last 100 deliveries to a webhook, the newest first", success: .page("Delivery"),
                run: { call in .list(try await parts.store.deliveries(in: call.scope()).newest(of: call.id())) }),
        ]
    }

    private var changes: [Route] {
        [
            Route(
                method: .post, path: "/api/v1/webhooks", access: .user(.manageWebhooks),
                summary: "Have events told to an address; its signing secret is in this answer and in no other", body: "WebhookRequest",
                success: .one("Webhook", .created), problems: [.quota],
                run: { call in
                    .secret(try await parts.store.webhooks(in: call.scope()).create(try fields(call)), .created)
                }),
            Route(
                method: .put, path: "/api/v1/webhooks/{id}", access: .user(.manageWebhooks),
                summary: "Change a webhook; what waits for it is tried at once", body: "WebhookRequest", success: .one("Webhook"),
                run: { call in
                    .value(try await parts.store.webhooks(in: call.scope()).change(call.id(), try fields(call)))
                }),
            Route(
                method: .delete, path: "/api/v1/webhooks/{id}", access: .user(.manageWebhooks),
                summary: "Remove a webhook, with what waits for it", success: .empty,
                run: { call in
                    try await parts.store.webhooks(in: call.scope()).remove(call.id())
                    return .empty
                }),
        ]
    }

    private var secret: Route {
        Route(
            method: .post, path: "/api/v1/webhooks/{id}/secret", access: .user(.manageWebhooks),
            summary: "Make a new signing secret, in this answer alone; the one before signs beside it for a day or as long as is said",
            body: "RotateSecretRequest", success: .one("Webhook"),
            run: { call in
                let overlap = try call.body(RotateSecretRequest.self).overlapSeconds ?? 86_400
                return .secret(
                    try await parts.store.webhooks(in: call.scope()).rotateSecret(of: call.id(), overlap: .seconds(overlap)))
            })
    }

    private var test: Route {
        Route(
            method: .post, path: "/api/v1/webhooks/{id}/test", access: .user(.manageWebhooks),
            summary: "Tell a webhook that this is a test, behind what waits for it", success: .one("Delivery", .created),
            problems: [.conflict, .quota],
            run: { call in
                let webhooks = parts.store.webhooks(in: try call.scope())
                guard try await webhooks.find(call.id()).active else { throw Problem(.conflict, "the webhook is switched off") }
                return .value(try await webhooks.test(call.id()), .created)
            })
    }

    /// They say what the audit log says, so that no API token that reads diagnostics alone has them.
    private var deliveries: [Route] {
        [
            Route(
                method: .get, path: "/api/v1/diagnostics/deliveries", access: .user(.manageWebhooks),
                summary: "The last 100 deliveries to all webhooks, the newest first", success: .page("Delivery"),
                run: { call in .list(try await parts.store.deliveries(in: call.scope()).newest()) }),
            Route(
                method: .get, path: "/api/v1/diagnostics/deliveries/{id}", access: .user(.manageWebhooks),
                summary: "One delivery, with what is sent", success: .one("Delivery"),
                run: { call in .value(try await parts.store.deliveries(in: call.scope()).find(call.id())) }),
            Route(
                method: .post, path: "/api/v1/diagnostics/deliveries/{id}/replay", access: .user(.manageWebhooks),
                summary: "Deliver an event again, behind what waits; where it still waits itself, its webhook is tried at once",
                success: .one("Delivery", .created), problems: [.quota],
                run: { call in .value(try await parts.store.deliveries(in: call.scope()).replay(call.id()), .created) }),
        ]
    }

    // MARK: Parts

    /// `POST /webhooks` and `PUT /webhooks/{id}`.
    private struct WebhookRequest: Decodable {
        let url: String
        let description: String
        let kinds: [EventKind]?
        let active: Bool
    }

    private struct RotateSecretRequest: Decodable {
        let overlapSeconds: Int?
    }

    private struct KindView: Codable, Sendable {
        let name: String
    }

    private func fields(_ call: Call) throws -> WebhookFields {
        let request = try call.body(WebhookRequest.self)
        let url: URLParts
        do {
            url = try URLParts(request.url, schemes: [.https, .http])
        } catch {
            throw Problem(
                .invalid, faults: [.init(field: "url", expected: "an address such as https://example.org/strata: \(error)")])
        }
        return try WebhookFields(url: url.description, description: request.description, kinds: request.kinds, active: request.active)
    }
}
