import Auth
import HTTP
import Store
import Units
import Web
import Wire

/// What users are told of, each for themselves.
struct AlertRoutes: Sendable {
    private let parts: Gateway.Parts

    init(_ parts: Gateway.Parts) { self.parts = parts }

    var routes: [Route] {
        [
            Route(
                method: .get, path: "/api/v1/auth/me/alerts", access: .user(.manageOwnAccount), summary: "What one is told of, and how",
                success: .one("Alerts"),
                run: { call in .value(view(try await parts.store.alerts(in: call.scope()).find(call.caller().user.id))) }),
            Route(
                method: .put, path: "/api/v1/auth/me/alerts", access: .user(.manageOwnAccount),
                summary: "Choose what one is told of, and how; the signing secret of another address is in this answer and in no other",
                body: "AlertsRequest", success: .one("Alerts"), run: change),
            Route(
                method: .get, path: "/api/v1/auth/me/incidents", access: .user(.manageOwnAccount),
                summary: "The last 100 things that one was told of, the newest first", success: .page("Incident"), run: incidents),
        ]
    }

    @Sendable private func change(_ call: Call) async throws -> Response {
        let (request, caller) = (try call.body(AlertsRequest.self), try call.caller())
        let faults = Self.faults(of: request.rules, for: caller.user.role)
        guard faults.isEmpty else { throw Problem(.invalid, "some rules are not as they should be", faults: faults) }
        let url = try request.webhookURL.map { text -> String in
            do {
                return try URLParts(text, schemes: [.https, .http]).description
            } catch {
                throw Problem(
                    .invalid, faults: [.init(field: "webhookURL", expected: "an address such as https://example.org/strata: \(error)")])
            }
        }
        let saved = try await parts.store.alerts(in: call.scope()).save(
            request.rules, byMail: request.byMail, recovery: request.recovery, url: url, for: caller.user.id)
        return .secret(view(saved))
    }

    @Sendable private func incidents(_ call: Call) async throws -> Response {
        let found = try await parts.store.alerts(in: call.scope()).incidents(of: call.caller().user.id)
        return .list(
            found.map { one in
                IncidentView(
                    id: one.id, kind: one.kind, name: one.name, broadcast: one.broadcast, reason: one.reason,
                    openedAt: one.openedAt.text, closedAt: one.closedAt?.text)
            })
    }

    /// What the schema of one rule does not say.
    private static func faults(of rules: [AlertRule], for role: Role) -> [Problem.Fault] {
        rules.enumerated().flatMap { index, rule -> [Problem.Fault] in
            var faults: [Problem.Fault] = []
            func fault(_ field: String, _ expected: String) { faults.append(.init(field: "rules[\(index)].\(field)", expected: expected)) }
            if rules.prefix(index).contains(where: { $0.kind == rule.kind }) { fault("kind", "each kind once") }
            if (rule.value != nil) != rule.kind.takesValue { fault("value", rule.kind.takesValue ? "a number" : "nothing, of this kind") }
            if rule.kind == .loss, let value = rule.value, value > 99 { fault("value", "a whole number from 1 to 99") }
            if (rule.seconds != nil) != rule.kind.takesSeconds {
                fault("seconds", rule.kind.takesSeconds ? "a number of seconds" : "nothing, of this kind")
            }
            if rule.kind == .health, !Policy.allows(role, .viewDiagnostics) { fault("kind", "one that the role \(role.rawValue) may see") }
            return faults
        }
    }

    private func view(_ settings: AlertSettings) -> AlertsView {
        AlertsView(
            rules: settings.rules, byMail: settings.byMail, recovery: settings.tellsRecovery,
            webhook: settings.webhook.map { hook in
                AlertsView.Hook(
                    url: hook.url, active: hook.active, failingSince: hook.failingSince?.text, waiting: hook.waiting, secret: hook.secret)
            })
    }
}
