import Alerts
import Auth
import Fleet
import FoundationEssentials
import Rooms
import Store
import Units
import Web
import Wire

/// Whether the server is well, now and before (DIA-09, DIA-10), what runs on it (DIA-13), and what it is made of.
struct DiagnosticsRoutes: Sendable {
    private let parts: Gateway.Parts

    init(_ parts: Gateway.Parts) { self.parts = parts }

    static let pageLimit = 500
    /// As many as a list has; an organisation has fewer at once (`quotas.meetings`).
    private static let meetingLimit = 10_000

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
            Route(
                method: .get, path: "/api/v1/diagnostics/meetings", access: .user(.viewDiagnostics),
                summary: "The organisation's meetings that run, since when, and who is in them", success: .page("RunningMeeting"),
                run: meetings),
            Route(
                method: .get, path: "/api/v1/diagnostics/versions", access: .user(.viewDiagnostics),
                summary: "The server's version, how long it has run, and the upgrades of its database, the newest first",
                success: .one("Versions"),
                run: { _ in
                    .value(
                        VersionsView(
                            version: parts.settings.version, uptimeSeconds: parts.health.uptimeSeconds,
                            upgrades: try await parts.store.operations.upgrades().map(VersionsView.Step.init)))
                }),
        ]
    }

    @Sendable private func meetings(_ call: Call) async throws -> Response {
        let (now, running) = (
            parts.store.now, try await parts.store.meetings(in: call.scope()).page(state: .active, limit: Self.meetingLimit)
        )
        var views: [RunningMeetingView] = []
        for meeting in running {
            let people = if let room = meeting.room { await parts.sessions.people(in: room) } else { [RoomState.Person]() }
            views.append(RunningMeetingView(meeting, people, at: now))
        }
        return .list(views)
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

/// A meeting as long as it lasts, for whoever looks after the organisation.
struct RunningMeetingView: Codable, Sendable {
    struct Participant: Codable, Sendable {
        var name: String
        var role: RoomRole
        /// Their connection is lost, and their seat is kept.
        var away: Bool
    }

    var id: MeetingID
    var title: String
    var type: MeetingType
    var startedAt: String
    var durationSeconds: Int
    var participants: [Participant]

    init(_ meeting: Meeting, _ people: [RoomState.Person], at now: Timestamp) {
        let start = meeting.startedAt ?? meeting.createdAt
        id = meeting.id
        title = meeting.title
        type = meeting.type
        startedAt = start.text
        durationSeconds = max(0, Int((now - start).seconds))
        participants = people.map { Participant(name: $0.name, role: $0.role, away: $0.isAway) }
    }
}

struct VersionsView: Codable, Sendable {
    struct Step: Codable, Sendable {
        var step: Int
        var name: String
        var appliedAt: String
        /// Of the program that brought it.
        var version: String

        init(_ upgrade: SchemaUpgrade) {
            step = upgrade.step
            name = upgrade.name
            appliedAt = upgrade.appliedAt
            version = upgrade.program
        }
    }

    var version: String
    var uptimeSeconds: Int
    var upgrades: [Step]
}
