import Auth
import Blobs
import Glibc
import HTTP
import Store
import Units
import Web
import Wire

/// What an organisation did, and what it takes of the server's disk.
struct AnalyticsRoutes: Sendable {
    private let parts: Gateway.Parts
    private static let standardDays = 30

    init(_ parts: Gateway.Parts) { self.parts = parts }

    var routes: [Route] {
        [
            Route(
                method: .get, path: "/api/v1/analytics/days", access: .user(.viewAnalytics),
                summary: "What the organisation did on each of the last days, by UTC: what began then, however long it lasted",
                query: [.optional("days", .integer(Analytics.dayBounds))], success: .page("DayFigures"),
                run: { call in
                    let days = call.query("days").flatMap { Int($0) } ?? Self.standardDays
                    return .list(try await parts.store.analytics(in: call.scope()).days(days).map(DayFiguresView.init))
                }),
            Route(
                method: .get, path: "/api/v1/organization/storage", access: .user(.changeOrganization),
                summary:
                    "What the organisation's files take, and how long what is kept by itself is kept; with the server's disk where it looks after it",
                success: .one("Storage"), run: storage),
        ]
    }

    private struct DayFiguresView: Codable, Sendable {
        var day: String
        var broadcasts: Int
        var broadcastSeconds: Int
        var senders: Int
        var rehearsals: Int
        var meetings: Int
        var meetingSeconds: Int

        init(_ figures: DayFigures) {
            day = figures.day
            broadcasts = figures.broadcasts
            broadcastSeconds = figures.broadcastSeconds
            senders = figures.senders
            rehearsals = figures.rehearsals
            meetings = figures.meetings
            meetingSeconds = figures.meetingSeconds
        }
    }

    private struct StorageView: Codable, Sendable {
        struct Area: Codable, Sendable {
            var name: String
            var files: Int
            var bytes: Int
        }

        /// In bytes.
        struct Disk: Codable, Sendable {
            var database: Int
            var copies: Int
            var free: Int
            var total: Int
        }

        var areas: [Area]
        var used: Int
        var limit: Int
        var deliveryDays: Int
        var healthDays: Int
        var disk: Disk?
    }

    @Sendable private func storage(_ call: Call) async throws -> Response {
        let scope = try call.scope()
        let share = try await parts.store.shares(in: scope).first { $0.quota == .storage }
        let areas = try await parts.store.storageShares(in: scope).map {
            StorageView.Area(name: $0.area?.rawValue ?? "slate", files: $0.files, bytes: $0.bytes)
        }
        let retention = parts.settings.retention
        return .value(
            StorageView(
                areas: areas, used: share?.used ?? 0, limit: share?.limit ?? 0, deliveryDays: Self.days(retention.deliveries),
                healthDays: Self.days(retention.health), disk: try await parts.keepsPool(call.caller()) ? disk() : nil))
    }

    /// The disk is everybody's: it is told to those alone who look after the server.
    private func disk() throws -> StorageView.Disk {
        let folder = parts.settings.stateFolder, space = try DiskSpace(of: folder.path)
        let database = ["", "-wal", "-shm"].reduce(0) { $0 + Self.bytes(of: folder.database + $1) }
        let copies = try SafetyCopies(of: folder.database).all().reduce(0) { $0 + Self.bytes(of: "\(folder.path)/\($1.name)") }
        return StorageView.Disk(database: database, copies: copies, free: space.free, total: space.total)
    }

    private static func days(_ duration: Duration) -> Int { Int(duration.seconds / 86_400) }

    /// Zero where there is no such file.
    private static func bytes(of path: String) -> Int {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_size) : 0
    }
}
