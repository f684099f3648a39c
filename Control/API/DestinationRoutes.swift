import HTTP
import Store
import Units
import Web
import Wire

/// Where broadcasts go. A secret goes in and never comes out again.
struct DestinationRoutes: Sendable {
    private let parts: Gateway.Parts

    init(_ parts: Gateway.Parts) { self.parts = parts }

    var routes: [Route] {
        [
            Route(
                method: .get, path: "/api/v1/destinations", access: .user(.viewDestinations),
                summary: "List the organisation's destinations",
                success: .page("Destination"),
                run: { call in .list(try await parts.store.destinations(in: call.scope()).all().map(DestinationView.init)) }),
            Route(
                method: .post, path: "/api/v1/destinations", access: .user(.manageDestinations), summary: "Add a destination",
                body: "DestinationRequest", success: .one("Destination", .created), problems: [.conflict, .quota],
                run: { call in
                    let request = try call.body(DestinationRequest.self)
                    let made = try await parts.store.destinations(in: call.scope()).create(
                        name: request.name, endpoint: try endpoint(request), secret: request.secret?.secret)
                    try await publish(call)
                    return .value(DestinationView(made), .created)
                }),
            Route(
                method: .get, path: "/api/v1/destinations/{id}", access: .user(.viewDestinations), summary: "One destination",
                success: .one("Destination"),
                run: { call in .value(DestinationView(try await parts.store.destinations(in: call.scope()).find(call.id()))) }),
            Route(
                method: .put, path: "/api/v1/destinations/{id}", access: .user(.manageDestinations),
                summary:
                    "Change a destination; its secret is kept where none is given and the place stays; outputs follow at their next attempt",
                body: "DestinationRequest",
                success: .one("Destination"), problems: [.conflict],
                run: { call in
                    let request = try call.body(DestinationRequest.self)
                    let changed = try await parts.broadcasts.change(
                        call.id(), name: request.name, endpoint: try endpoint(request), secret: request.secret?.secret, in: call.scope())
                    try await publish(call)
                    return .value(DestinationView(changed))
                }),
            Route(
                method: .delete, path: "/api/v1/destinations/{id}", access: .user(.manageDestinations),
                summary: "Remove a destination that no broadcast goes to", success: .empty, problems: [.conflict],
                run: { call in
                    try await parts.broadcasts.remove(call.id(), in: call.scope())
                    try await publish(call)
                    return .empty
                }),
            Route(
                method: .post, path: "/api/v1/destinations/{id}/test", access: .user(.manageDestinations),
                summary: "Try a destination that no broadcast goes to, from a pool host: as an output would, without media",
                success: .one("DestinationTest"), problems: [.conflict, .busy, .tooMany],
                run: { call in
                    let (scope, id): (OrganizationScope, DestinationID) = (try call.scope(), try call.id())
                    _ = try await parts.store.destinations(in: scope).find(id)
                    try parts.destinationTests.take(scope.organization.text, at: parts.store.now)
                    return .value(try await parts.broadcasts.test(id, in: scope))
                }),
        ]
    }

    /// Has the organisation's pages read the list again; what is in it is not for everybody who watches.
    private func publish(_ call: Call) async throws {
        await parts.feed.publish(try call.caller().user.organization, topic: "destinations", body: "{}")
    }

    /// The place that a request names, by a preset or by an address.
    private func endpoint(_ request: DestinationRequest) throws -> DestinationEndpoint {
        if let preset = request.preset {
            guard request.url == nil else { throw Self.fault("url", "left out, because the preset names the place") }
            let platform: DestinationEndpoint.Platform = preset == .youtube ? .youtube : .twitch
            guard let endpoint = DestinationEndpoint.preset(platform) else { throw Self.fault("preset", "youtube or twitch") }
            return endpoint
        }
        guard let text = request.url else { throw Self.fault("url", "an address, or a preset instead") }
        let url: URLParts
        do {
            url = try URLParts(text, schemes: [.rtmp, .rtmps, .srt])
        } catch {
            throw Self.fault("url", "an address such as rtmp://host/app, rtmps://host/app or srt://host:port: \(error)")
        }
        return try endpoint(url, request)
    }

    private func endpoint(_ url: URLParts, _ request: DestinationRequest) throws -> DestinationEndpoint {
        guard url.query == nil else { throw Self.fault("url", "no query: stream id, mode and latency are fields of their own") }
        guard url.scheme == .srt else {
            guard request.streamID == nil, request.srtMode == nil, request.latencyMs == nil else {
                let given = [
                    ("streamID", request.streamID != nil), ("srtMode", request.srtMode != nil), ("latencyMs", request.latencyMs != nil),
                ]
                throw Self.problem(given.filter(\.1).map { Problem.Fault(field: $0.0, expected: "left out: it is for SRT") })
            }
            let application = url.path.split(separator: "/").joined(separator: "/")
            guard !application.isEmpty else { throw Self.fault("url", "the application after the host: rtmp://host/app") }
            return .rtmp(.init(tls: url.scheme.isTLS, host: url.host, port: url.port, application: application))
        }
        guard url.path.isEmpty || url.path == "/" else { throw Self.fault("url", "no path: srt://host:port") }
        if request.srtMode == .listener, url.port < 1024 {
            throw Self.fault("url", "a port of 1024 to 65535 for a listener: receivers open no lower one")
        }
        return .srt(
            .init(
                mode: request.srtMode ?? .caller, host: url.host, port: url.port, streamID: request.streamID,
                latencyMs: request.latencyMs ?? 120))
    }

    private static func fault(_ field: String, _ expected: String) -> Problem {
        problem([Problem.Fault(field: field, expected: expected)])
    }

    private static func problem(_ faults: [Problem.Fault]) -> Problem {
        Problem(.invalid, "the destination is not as it should be", faults: faults)
    }
}

extension DestinationView {
    init(_ destination: Destination) {
        let mask = destination.hasSecret ? "••••••" : nil
        switch destination.endpoint {
        case .rtmp(let rtmp):
            let url = "\(rtmp.tls ? "rtmps" : "rtmp")://\(Self.authority(rtmp.host, rtmp.port))/\(rtmp.application)"
            self.init(
                id: destination.id, name: destination.name, url: url, maskedSecret: mask, streamID: nil, srtMode: nil, latencyMs: nil)
        case .srt(let srt):
            self.init(
                id: destination.id, name: destination.name, url: "srt://\(Self.authority(srt.host, srt.port))", maskedSecret: mask,
                streamID: srt.streamID, srtMode: srt.mode, latencyMs: srt.latencyMs)
        }
    }

    private static func authority(_ host: String, _ port: Int) -> String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
