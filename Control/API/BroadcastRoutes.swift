import Auth
import Broadcasts
import Fleet
import FoundationEssentials
import HTTP
import Meetings
import Store
import Units
import Web
import Wire

/// Starting, watching, changing and stopping broadcasts.
struct BroadcastRoutes: Sendable {
    private let parts: Gateway.Parts

    init(_ parts: Gateway.Parts) { self.parts = parts }

    var routes: [Route] { wholeRoutes + outputRoutes + [recorder, events, thumbnail] }

    private var wholeRoutes: [Route] {
        [
            Route(
                method: .post, path: "/api/v1/broadcasts", access: .user(.runBroadcasts),
                summary: "Start a broadcast to at least one destination, each named once: a wish, carried out step by step",
                body: "StartRequest", success: .one("Broadcast", .created), problems: [.conflict, .quota, .notFound], run: start),
            Route(
                method: .get, path: "/api/v1/broadcasts", access: .user(.viewBroadcasts),
                summary: "The organisation's last 100 broadcasts, the newest first",
                success: .page("Broadcast"),
                run: { call in .list(try await parts.broadcasts.list(in: call.caller().user.organization)) }),
            Route(
                method: .get, path: "/api/v1/broadcasts/{id}", access: .user(.viewBroadcasts), summary: "One broadcast",
                success: .one("Broadcast"),
                run: { call in .value(try await parts.broadcasts.view(of: call.id(), in: call.caller().user.organization)) }),
            Route(
                method: .post, path: "/api/v1/broadcasts/{id}/stop", access: .user(.runBroadcasts),
                summary: "Stop a broadcast; no error where it is over already", success: .one("Broadcast"), isUrgent: true,
                run: { call in
                    let scope = try call.scope()
                    let view = try await parts.broadcasts.stop(call.id(), in: scope.organization, by: scope.author)
                    try await note(.broadcastStopped, call)
                    return .value(view)
                }),
            Route(
                method: .patch, path: "/api/v1/broadcasts/{id}", access: .user(.runBroadcasts),
                summary: "Change the bitrate or the input while it runs", body: "ChangeBroadcastRequest", success: .one("Broadcast"),
                problems: [.gone, .conflict, .busy],
                run: { call in
                    let request = try call.body(ChangeBroadcastRequest.self)
                    let scope = try call.scope()
                    let view = try await parts.broadcasts.change(call.id(), request, in: scope.organization, by: scope.author)
                    try await note(.broadcastChanged, call, Feed.json(request))
                    return .value(view)
                }),
        ]
    }

    /// Writes down who did it. It is done by then: on a full disk the show goes on, and the program's log has what the audit log lacks.
    private func note(_ action: AuditAction, _ call: Call, _ detail: String? = nil) async throws {
        let (scope, id): (OrganizationScope, BroadcastID) = (try call.scope(), try call.id())
        do {
            try await parts.store.broadcasts(in: scope).note(action, id, detail: detail)
        } catch {
            parts.log.error(
                "what was done could not be written into the audit log",
                ["action": "\(action)", "broadcast": "\(id)", "author": "\(scope.author)", "error": "\(error)"])
        }
    }

    @Sendable private func start(_ call: Call) async throws -> Response {
        let request = try call.body(StartRequest.self)
        let scope = try call.scope()
        // The sender must be the organisation's own: another one does not exist for it.
        let device = try await parts.store.devices(in: scope).find(request.sender)
        guard !device.isRevoked else { throw Problem(.notFound, "that sender was revoked") }
        return .value(try await parts.broadcasts.start(request, in: scope.organization, by: scope.author), .created)
    }

    private var recorder: Route {
        Route(
            method: .get, path: "/api/v1/broadcasts/{id}/recorder", access: .user(.viewBroadcasts),
            summary: "The flight recorder: what happened and why, and the figures each 5 s; a JSON line each",
            success: .text("application/x-ndjson"), problems: [.notFound],
            run: { call in
                let id: BroadcastID = try call.id()
                // Of the caller's organisation, or not there.
                _ = try await parts.broadcasts.view(of: id, in: call.caller().user.organization)
                return download(id, parts.store.flightRecords(in: try call.scope()))
            })
    }

    /// Part for part: nobody needs the whole of it in memory.
    private func download(_ id: BroadcastID, _ records: FlightRecords) -> Response {
        let headers: Headers = [
            "Content-Type": "application/x-ndjson", "Cache-Control": "no-store",
            "Content-Disposition": "attachment; filename=\"strata-\(id).ndjson\"",
        ]
        let body = ResponseBody.stream(length: nil) { writer in
            var last: FlightLine?
            repeat {
                let lines = try await records.page(id, after: last)
                for line in lines { try await writer.write(Array((line.text + "\n").utf8)) }
                last = lines.last
            } while last != nil
        }
        return Response(.ok, headers: headers, body: body)
    }

    private var events: Route {
        Route(
            method: .get, path: "/api/v1/broadcasts/{id}/events", access: .user(.viewBroadcasts),
            summary: "What happened to a broadcast, and who asked for what: its flight recorder without the figures, a part of it",
            query: [
                .optional("order", Schemas.choice(FlightRecords.Order.self)), .optional("after", Schemas.eventID),
                .optional("limit", .integer(1...Self.eventLimit)),
            ],
            success: .one("BroadcastEvents"), problems: [.notFound],
            run: { call in
                let id: BroadcastID = try call.id()
                // Of the caller's organisation, or not there.
                _ = try await parts.broadcasts.view(of: id, in: call.caller().user.organization)
                let limit = call.query("limit").flatMap { Int($0) } ?? 100
                let lines = try await parts.store.flightRecords(in: call.scope()).events(
                    id, call.query("order").flatMap { FlightRecords.Order(rawValue: $0) } ?? .newestFirst,
                    after: call.query("after").flatMap { FlightPlace($0) }, limit: limit)
                let items = lines.compactMap(Self.event)
                return .value(BroadcastEvents(items: items, next: lines.count < limit ? nil : lines.last?.place.description))
            })
    }

    static let eventLimit = 200

    /// nil for what this version cannot read: another one has written it.
    private static func event(_ line: FlightLine) -> BroadcastEvent? {
        // try?: as the doc says.
        (try? JSONDecoder().decode(FlightRecord.self, from: Data(line.text.utf8))).map { BroadcastEvent($0) }
    }

    private var thumbnail: Route {
        Route(
            method: .get, path: "/api/v1/broadcasts/{id}/thumbnail", access: .user(.viewBroadcasts),
            summary: "The newest picture of a running broadcast, small, of the time that its thumbnailAt tells",
            success: .file(["image/jpeg"]), problems: [.notFound],
            // Counted by itself: screens that show pictures take nothing from who changes something.
            isUrgent: true,
            run: { call in
                guard let shown = try await parts.broadcasts.thumbnail(of: call.id(), in: call.caller().user.organization) else {
                    throw Problem(.notFound, "there is no picture of this broadcast now")
                }
                var response = Response(
                    .ok, headers: ["Content-Type": "image/jpeg", "Cache-Control": "private, max-age=2", "Vary": "Authorization"],
                    body: .bytes(shown.picture.bytes))
                // One is shown a second at most.
                response.headers["ETag"] = EntityTag(opaque: "\(shown.shownAtMs)")?.description
                return response
            })
    }

    /// Rooms of meetings are their own hosts' to bring somebody into.
    @Sendable private func bring(_ call: Call) async throws -> Response {
        let request = try call.body(BringIntoRoomRequest.self)
        let principal = try call.caller()
        try principal.demand(.runRooms)
        let scope = try call.scope()
        let room = try await parts.store.rooms(in: scope).find(request.room)
        if let meeting = try await parts.store.meetings(in: scope).find(in: room.id),
            !MeetingOwnership.runs(principal.role, isCreator: meeting.createdBy == principal.user.id)
        {
            throw Problem(.forbidden, "the meeting is somebody else's: its host brings a broadcast into it")
        }
        let view = try await parts.broadcasts.bring(
            call.id(), into: room.id, named: room.name, in: scope.organization, by: scope.author)
        try await note(.outputAdded, call, room.id.text)
        return .value(view)
    }

    private var outputRoutes: [Route] {
        [
            Route(
                method: .post, path: "/api/v1/broadcasts/{id}/outputs", access: .user(.runBroadcasts),
                summary: "Add an output to a running broadcast, to a destination that it has none for", body: "AddOutputRequest",
                success: .one("Broadcast"),
                problems: [.gone, .conflict, .quota],
                run: { call in
                    let destination = try call.body(AddOutputRequest.self).destination
                    let scope = try call.scope()
                    let view = try await parts.broadcasts.addOutput(destination, to: call.id(), in: scope.organization, by: scope.author)
                    try await note(.outputAdded, call, destination.text)
                    return .value(view)
                }),
            Route(
                method: .post, path: "/api/v1/broadcasts/{id}/rooms", access: .user(.runBroadcasts),
                summary: "Have a running broadcast join a room, as a participant named after its sender; it leaves with its output",
                body: "BringIntoRoomRequest", success: .one("Broadcast"), problems: [.gone, .conflict, .quota], run: bring),
            Route(
                method: .delete, path: "/api/v1/broadcasts/{id}/outputs/{output}", access: .user(.runBroadcasts),
                summary: "Take an output off a running broadcast; without its last one it goes on, degraded", success: .one("Broadcast"),
                problems: [.gone],
                run: { call in
                    let output: OutputID = try call.id("output")
                    let scope = try call.scope()
                    let view = try await parts.broadcasts.removeOutput(output, from: call.id(), in: scope.organization, by: scope.author)
                    await parts.sessions.dismiss(output)
                    try await note(.outputRemoved, call, output.text)
                    return .value(view)
                }),
            Route(
                method: .post, path: "/api/v1/broadcasts/{id}/outputs/{output}/retry", access: .user(.runBroadcasts),
                summary: "Try an output again now, where its destination is by now", success: .one("Broadcast"), problems: [.gone],
                run: { call in
                    let scope = try call.scope()
                    return .value(
                        try await parts.broadcasts.retryOutput(call.id("output"), of: call.id(), in: scope.organization, by: scope.author))
                }),
        ]
    }
}
