import Auth
import HTTP
import Reporting
import Store
import Units
import Web
import Wire

/// Where the server's errors are told, for whoever runs it (DIA-02).
struct ErrorTrackingRoutes: Sendable {
    private let parts: Gateway.Parts

    init(_ parts: Gateway.Parts) { self.parts = parts }

    private static let path = "/diagnostics/error-tracking"

    var routes: [Route] {
        [
            Route(
                method: .get, path: "/api/v1" + Self.path, access: .user(.manageReports),
                summary: "Where the server's errors are told; in the organisation that the server was set up with",
                success: .one("ErrorTracking"), problems: [.notFound],
                run: { call in
                    try await parts.demandHouse(call)
                    return try await shown()
                }),
            Route(
                method: .put, path: "/api/v1" + Self.path, access: .user(.manageReports),
                summary:
                    "Tell the server's errors to another tracker, from the next one on, or to none; in the organisation that the server was set up with",
                body: "ErrorTrackingRequest", success: .one("ErrorTracking"), problems: [.notFound],
                run: { call in
                    try await parts.demandHouse(call)
                    return try await change(call, by: try call.scope())
                }),
            Route(
                method: .get, path: "/api/v1/operator/error-tracking", access: .operator, summary: "Where the server's errors are told",
                success: .one("ErrorTracking"), run: { _ in try await shown() }),
            Route(
                method: .put, path: "/api/v1/operator/error-tracking", access: .operator,
                summary: "Tell the server's errors to another tracker, from the next one on, or to none", body: "ErrorTrackingRequest",
                success: .one("ErrorTracking"), run: { call in try await change(call, by: nil) }),
        ]
    }

    /// `PUT`: an empty one tells nobody.
    private struct ErrorTrackingRequest: Decodable {
        let dsn: String
    }

    private struct ErrorTrackingView: Codable, Sendable {
        struct Tracker: Codable, Sendable {
            var whose: String
            var waiting: Int
            var taken: Int
            var refused: Int
            var dropped: Int
        }

        /// Without its key.
        var own: String?
        var vendor: String?
        var trackers: [Tracker]
    }

    private func change(_ call: Call, by scope: OrganizationScope?) async throws -> Response {
        let text = try call.body(ErrorTrackingRequest.self).dsn
        let dsn = DSN(text)
        guard text.isEmpty || dsn != nil else {
            throw Problem(.invalid, faults: [.init(field: "dsn", expected: "\(DSN.expected), or nothing")])
        }
        try await parts.store.errorTracking.change(to: dsn?.text, shown: dsn.map { "to \($0)" } ?? "to nobody", by: scope)
        parts.reporter.direct(to: dsn)
        return try await shown()
    }

    private func shown() async throws -> Response {
        let own = try await parts.store.errorTracking.find().flatMap { DSN($0.revealed) }
        let trackers = parts.reporter.accounts.map { account in
            ErrorTrackingView.Tracker(
                whose: account.tracker, waiting: account.waiting, taken: account.taken, refused: account.refused, dropped: account.dropped)
        }
        return .value(ErrorTrackingView(own: own?.description, vendor: parts.settings.vendor?.description, trackers: trackers))
    }
}
