import Auth
import HTTP
import Logging
import Redaction
import Reporting
import Store
import Units
import Web
import Wire

/// What fails in the web application, told by itself: it speaks to nobody but this server (DIA-15, DIA-16).
struct PageErrorRoutes: Sendable {
    private let parts: Gateway.Parts

    init(_ parts: Gateway.Parts) { self.parts = parts }

    var routes: [Route] {
        [
            // For those who cannot sign in because of it as well.
            Route(
                method: .post, path: "/api/v1/errors", access: .open, summary: "Tell of an error of the web application",
                body: "PageErrorRequest",
                success: .one("PageError", .created), run: told)
        ]
    }

    private struct PageErrorRequest: Decodable {
        let kind: PageErrorKind
        let name: String
        let message: String
        let stack: String?
        let path: String
        /// What happened in the page before, the oldest first.
        let trail: [Step]?

        struct Step: Decodable {
            let msAgo: Int
            let text: String
        }
    }

    private struct PageErrorView: Codable, Sendable {
        /// By which a tracker finds it.
        var id: String
    }

    @Sendable private func told(_ call: Call) async throws -> Response {
        let request = try call.body(PageErrorRequest.self)
        let now = parts.store.now
        try parts.pageErrors.take(call.origin.subscriber, at: now)
        // What comes here is written to the log.
        try parts.allPageErrors.take("", at: now)
        let (path, frames, trail) = (Self.template(of: request.path), PageStack.frames(request.stack ?? ""), request.trail ?? [])
        let event = ErrorEvent(
            at: now.unixMs, on: .javascript, component: "web", message: request.name, detail: request.message,
            fields: [.init(name: "kind", value: request.kind.rawValue)], frames: frames, route: path,
            organization: await organization(call),
            crumbs: trail.map { Log.Entry(unixMs: now.unixMs - Int64($0.msAgo), level: .info, part: "page", message: $0.text) })
        parts.reporter.report(event)
        let place = frames.last.map { "\($0.file):\($0.line ?? 0):\($0.column ?? 0)" } ?? ""
        parts.log.warning(
            "a page failed",
            [
                "kind": "\(request.kind.rawValue)", "path": "\(Redactor.redacted(path, upTo: 200))",
                "error": "\(Redactor.redacted("\(request.name): \(request.message)", upTo: 500))",
                "place": "\(Redactor.redacted(place, upTo: 200))",
                "trail": "\(Redactor.redacted(trail.map(\.text).joined(separator: "; "), upTo: 500))",
            ])
        return .value(PageErrorView(id: event.id), .created)
    }

    /// Of whoever is signed in.
    private func organization(_ call: Call) async -> String? {
        guard let bearer = Gateway.bearer(call.request) else { return nil }
        // try?: an error is told whoever sees it, and whatever has become of their session.
        return (try? await parts.gate.authenticate(bearer: bearer))?.user.organization.text
    }

    /// `/senders/{id}`: what is one page comes together.
    private static func template(of path: String) -> String {
        path.prefix { $0 != "?" && $0 != "#" }.split(separator: "/", omittingEmptySubsequences: false)
            .map { ULID(String($0)) == nil ? String($0) : "{id}" }.joined(separator: "/")
    }
}

/// What an error of a page was noticed by.
enum PageErrorKind: String, Codable, Sendable, CaseIterable {
    case error
    case rejection
    /// A page could not be drawn: its place says so.
    case render
    /// A camera, a microphone or a screen was not to be had, or sound and pictures did not get through.
    case media
}
