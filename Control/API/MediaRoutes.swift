import HTTP
import Rooms
import Store
import Units
import Web
import Wire

/// The doors of rooms for programs: WHIP (RFC 9725) for those that send, WHEP (draft-ietf-wish-whep) for those that receive and offer themselves.
///
/// Both are one: an offer is answered, and the session has an address at which candidates come and at which it ends.
struct MediaRoutes: Sendable {
    private let parts: Gateway.Parts

    init(_ parts: Gateway.Parts) { self.parts = parts }

    private static let sdp = "application/sdp"
    private static let fragment = "application/trickle-ice-sdpfrag"

    var routes: [Route] { [RoomUse.publish, .play].flatMap(routes) }

    private func routes(_ use: RoomUse) -> [Route] {
        let door = Self.door(use)
        return [
            Route(
                method: .options, path: "/\(door)/{id}", access: .open, summary: "What a page of another origin may send",
                success: .empty, run: { _ in Self.shared(.noContent, ["Accept-Post": Self.sdp]) }),
            Route(
                method: .post, path: "/\(door)/{id}", access: .open, summary: "Come in with an offer", file: [Self.sdp],
                success: .file([Self.sdp]), problems: [.unauthorized, .conflict, .busy, .quota],
                run: { call in try await open { try await enter(use, call) } }),
            Route(
                method: .options, path: "/\(door)/{id}/{peer}", access: .open, summary: "What a page of another origin may send",
                success: .empty, run: { _ in Self.shared(.noContent, ["Accept-Patch": Self.fragment]) }),
            Route(
                method: .patch, path: "/\(door)/{id}/{peer}", access: .open, summary: "Candidates, or a restart of ICE",
                file: [Self.fragment], success: .file([Self.fragment]), problems: [.unauthorized, .outdated, .conditionNeeded, .busy],
                run: { call in try await open { try await trickle(use, call) } }),
            Route(
                method: .delete, path: "/\(door)/{id}/{peer}", access: .open, summary: "Leave", success: .empty, problems: [.unauthorized],
                isUrgent: true, run: { call in try await open { try await leave(use, call) } }),
        ]
    }

    private static func door(_ use: RoomUse) -> String { use == .publish ? "whip" : "whep" }

    /// A page of another origin reads also why it was not let in.
    private func open(_ body: () async throws -> Response) async throws -> Response {
        do {
            return try await body()
        } catch let problem as Problem {
            var response = Gateway.response(to: problem)
            if problem.status == Status(code: 409).code { response.headers.add("Retry-After", "2") }
            response.headers.add("Access-Control-Allow-Origin", "*")
            return response
        }
    }

    /// Pages of any origin may come: the pass says who may, and no cookie is read here.
    private static func shared(_ status: Status, _ headers: Headers, _ body: [UInt8] = []) -> Response {
        var response = Response(status, headers: headers, body: .bytes(body))
        response.headers.add("Access-Control-Allow-Origin", "*")
        response.headers.add("Access-Control-Allow-Methods", "POST, PATCH, DELETE, OPTIONS")
        response.headers.add("Access-Control-Allow-Headers", "Authorization, Content-Type, If-Match")
        response.headers.add("Access-Control-Expose-Headers", "Location, ETag, Link, Accept-Patch")
        response.headers.add("Access-Control-Max-Age", "86400")
        response.headers.add("Cache-Control", "no-store")
        return response
    }

    /// The room that a pass lets in, where it is there still.
    private func room(_ use: RoomUse, _ call: Call) async throws -> RoomID {
        let id: RoomID = try call.id()
        guard let bearer = Gateway.bearer(call.request) else { throw Problem(.unauthorized, "show the room's pass: Authorization: Bearer") }
        guard let pass = parts.passes.read(bearer, at: parts.store.now.unixSeconds), pass.room == id, pass.use == use else {
            throw Problem(.unauthorized, "this pass is not good for it: it is over, or of another room or purpose")
        }
        return try await parts.store.rooms(in: OrganizationScope(pass.organization, by: .system)).find(id).id
    }

    private func enter(_ use: RoomUse, _ call: Call) async throws -> Response {
        let room = try await room(use, call)
        let offer = String(decoding: call.bytes, as: UTF8.self)
        let entry: RoomDesk.Entry
        do {
            entry = use == .publish ? try await parts.rooms.publish(offer, in: room) : try await parts.rooms.play(offer, in: room)
        } catch {
            throw Self.problem(error)
        }
        return Self.shared(
            .created,
            [
                "Content-Type": Self.sdp, "Location": "/\(Self.door(use))/\(room)/\(entry.peer)", "ETag": "\"\(entry.tag)\"",
                "Accept-Patch": Self.fragment,
            ], Array(entry.answer.utf8))
    }

    private func trickle(_ use: RoomUse, _ call: Call) async throws -> Response {
        let (room, peer): (RoomID, PeerID) = (try await room(use, call), try call.id("peer"))
        guard let condition = call.request.headers["if-match"] else {
            throw Problem(.conditionNeeded, "If-Match: the session's ETag, or * for a restart (RFC 9725 section 4.3.1)")
        }
        let tag = condition == "*" ? nil : String(condition.filter { $0 != "\"" })
        do {
            let text = String(decoding: call.bytes, as: UTF8.self)
            guard let entry = try await parts.rooms.trickle(text, of: peer, in: room, tag: tag) else { return Self.shared(.noContent, [:]) }
            return Self.shared(.ok, ["Content-Type": Self.fragment, "ETag": "\"\(entry.tag)\""], Array(entry.answer.utf8))
        } catch {
            throw Self.problem(error)
        }
    }

    private func leave(_ use: RoomUse, _ call: Call) async throws -> Response {
        let (room, peer): (RoomID, PeerID) = (try await room(use, call), try call.id("peer"))
        do {
            try await parts.rooms.close(peer, in: room)
        } catch {
            throw Self.problem(error)
        }
        return Self.shared(.ok, [:])
    }

    private static func problem(_ refusal: RoomDesk.Refusal) -> Problem {
        switch refusal {
        case .none: Problem(.busy, "this server has no rooms: rooms.workers is 0 in its configuration")
        case .away(let reason): Problem(.busy, reason)
        case .refused(let reason): Problem(.malformed, reason)
        case .missing: Problem(.notFound, "nobody is in the room by that address")
        case .outdated: Problem(.outdated, "the session was restarted meanwhile: its ETag is another")
        case .empty: Problem(.conflict, "nobody sends into the room yet")
        case .full(let limit): Problem(.quota, "the room is full: \(limit) are in it")
        }
    }
}
