import Alerts
import Auth
import Fleet
import FoundationEssentials
import Store
import Units
import Web
import Wire

/// Whether the server is well, now and before (DIA-09, DIA-10).
struct DiagnosticsRoutes: Sendable {
    private let parts: Gateway.Parts

    init(_ parts: Gateway.Parts) { self.parts = parts }

    static let pageLimit = 500

    var routes: [Route] {
        [
            Route(
                method: .get, path: "/api/v1/diagnostics/health", access: .user(.viewDiagnostics),
                summary: "Whether the parts the server needs answer", success: .one("Diagnosis"),
                run: { _ in .value(await parts.health.diagnose(parts.fleet, isThorough: false)) }),
            Route(
                method: .post, path: "/api/v1/diagnostics/health", access: .user(.viewDiagnostics),
                summary: "Ask all of them now, and keep what they say", success: .one("HealthSnapshot", .created),
                run: { call in
                    try parts.healthChecks.take(try call.scope().organization.text, at: parts.store.now)
                    return .value(try HealthSnapshotView(try await parts.checkHealth(.manual)), .created)
                }),
            Route(
                method: .get, path: "/api/v1/diagnostics/snapshots", access: .user(.viewDiagnostics),
                summary:
                    "How the server was, each five minutes and when somebody asked: the newest first, as long as they are kept, a part of it",
                query: [.optional("after", Schemas.id), .optional("limit", .integer(1...Self.pageLimit))],
                success: .one("HealthSnapshots"), run: snapshots),
        ]
    }

    @Sendable private func snapshots(_ call: Call) async throws -> Response {
        let limit = call.query("limit").flatMap { Int($0) } ?? 100
        let found = try await parts.store.healthSnapshots.page(after: call.query("after").flatMap { ID($0) }, limit: limit)
        let next = found.count < limit ? nil : found.last?.id.text
        return .value(HealthSnapshotsView(items: try found.map(HealthSnapshotView.init), next: next))
    }
}

extension Gateway.Parts {
    /// Asks all parts, and keeps what they say.
    func checkHealth(_ occasion: HealthSnapshot.Occasion) async throws -> HealthSnapshot {
        let diagnosis = await health.diagnose(fleet, isThorough: true)
        await alerts.note(
            diagnosis.probes.map { HealthFinding(part: $0.name, hasFailed: $0.status == .unhealthy, detail: $0.detail) })
        return try await store.healthSnapshots.add(
            occasion, status: diagnosis.status.rawValue, probes: Feed.json(diagnosis.probes))
    }
}

struct HealthSnapshotView: Codable, Sendable {
    var id: String
    var at: String
    var occasion: String
    var status: String
    var probes: [Health.Probe]

    init(_ snapshot: HealthSnapshot) throws {
        id = snapshot.id.text
        at = snapshot.at.text
        occasion = snapshot.occasion.rawValue
        status = snapshot.status
        probes = try JSONDecoder().decode([Health.Probe].self, from: Data(snapshot.probes.utf8))
    }
}

struct HealthSnapshotsView: Codable, Sendable {
    var items: [HealthSnapshotView]
    var next: String?
}
