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

    /// Seconds before whoever found nobody sending, or no worker, asks again.
    private static let pause = "2"
    private static let sdp = "application/sdp"
    private static let fragment = "application/trickle-ice-sdpfrag"

    var routes: [Route] { [RoomUse.publish, .play].flatMap(routes) }

    private func routes(_ use: RoomUse) -> [Route] {
        let door = Self.door(use)
        let name = use == .publish ? "WHIP" : "WHEP"
        let purpose = use == .publish ? "Send into a room by WHIP" : "Receive from a room by WHEP"
        return [
            Route(
                method: .options, path: "/\(door)/{id}", access: .open, summary: "What a page of another origin may send",
                success: .done, run: { call in await options(use, call) }),
            Route(
                method: .post, path: "/\(door)/{id}", access: .open, summary: "\(purpose): an offer of SDP, with a pass for it",
                file: [Self.sdp],
                success: .file([Self.sdp], .created), problems: [.unauthorized, .notAcceptable, .conflict, .busy, .quota],
                run: { call in try await open { try await enter(use, call) } }),
            Route(
                method: .options, path: "/\(door)/{id}/{peer}", access: .open, summary: "What a page of another origin may send",
                success: .done, run: { _ in Self.shared(.ok, ["Accept-Patch": Self.fragment]) }),
            Route(
                method: .patch, path: "/\(door)/{id}/{peer}", access: .open,
                summary: "Candidates of a session by \(name), or a restart of its ICE, with the same pass", file: [Self.fragment],
                success: .fileOrNothing([Self.fragment]), problems: [.unauthorized, .outdated, .conditionNeeded, .busy],
                run: { call in try await open { try await trickle(use, call) } }),
            Route(
                method: .delete, path: "/\(door)/{id}/{peer}", access: .open, summary: "End a session by \(name), with the same pass",
                success: .done, problems: [.unauthorized], isUrgent: true, run: { call in try await open { try await leave(use, call) } }),
        ]
    }

    private static func door(_ use: RoomUse) -> String { use == .publish ? "whip" : "whep" }

    /// A page of another origin reads also why it was not let in, and who may be let in later is told when to ask.
    private func open(_ body: () async throws -> Response) async throws -> Response {
        do {
            return try await body()
        } catch let problem as Problem {
            var response = Gateway.response(to: problem)
            let mayPass = [Status.conflict, .unavailable].map(\.code).contains(problem.status)
            if mayPass { response.headers.add("Retry-After", Self.pause) }
            response.headers.add("Access-Control-Allow-Origin", "*")
            return response
        }
    }

    /// Pages of any origin may come: the pass says who may, and no cookie is read here.
    private static func shared(_ status: Status, _ headers: Headers, _ body: [UInt8] = []) -> Response {
        var response = Response(status, headers: headers, body: .bytes(body))
        // Credentials of ICE stand beside what the other end wrote (THREATS 20).
        response.isSecret = true
        response.headers.add("Access-Control-Allow-Origin", "*")
        response.headers.add("Access-Control-Allow-Methods", "POST, PATCH, DELETE, OPTIONS")
        response.headers.add("Access-Control-Allow-Headers", "Authorization, Content-Type, If-Match")
        response.headers.add("Access-Control-Expose-Headers", "Location, ETag, Link, Accept-Patch")
        response.headers.add("Access-Control-Max-Age", "86400")
        response.headers.add("Cache-Control", "no-store")
        return response
    }

    /// A pass that lets into the room, where that is there still.
    private func pass(_ use: RoomUse, _ call: Call) async throws -> RoomPass {
        let id: RoomID = try call.id()
        guard let bearer = Gateway.bearer(call.request) else { throw Problem(.unauthorized, "show the room's pass: Authorization: Bearer") }
        guard let pass = parts.passes.read(bearer, at: parts.store.now.unixSeconds), pass.room == id, pass.use == use, await isGood(pass)
        else { throw Problem(.unauthorized, "this pass is not good for it: it is over, or of another room or purpose") }
        _ = try await parts.store.rooms(in: OrganizationScope(pass.organization, by: .system)).find(id)
        return pass
    }

    /// A live broadcast's pass ends with the output that it is of.
    private func isGood(_ pass: RoomPass) async -> Bool {
        guard let holder = pass.holder else { return true }
        guard let field = holder.field else { return holder.kind != nil }
        return await parts.broadcasts.brings(field.broadcast, into: pass.room, by: field.output, of: pass.organization)
    }

    /// The same for whoever goes: a live broadcast that was taken out leaves by a pass that lets nobody in any more.
    private func leaving(_ use: RoomUse, _ call: Call) async throws -> RoomID {
        let id: RoomID = try call.id()
        guard let bearer = Gateway.bearer(call.request), let pass = parts.passes.read(bearer, at: parts.store.now.unixSeconds),
            pass.use == use, pass.room == id, pass.holder?.field != nil
        else { return try await room(use, call) }
        return id
    }

    private func room(_ use: RoomUse, _ call: Call) async throws -> RoomID { try await pass(use, call).room }

    /// A program that cannot change its STUN and TURN servers once it has made its offer asks for them here, with its pass; a browser's own
    /// question before the real one has none. Source: RFC 9725 sections 4.2 and 4.6.
    @Sendable private func options(_ use: RoomUse, _ call: Call) async -> Response {
        var response = Self.shared(.ok, ["Accept-Post": Self.sdp])
        // try?: who has no pass is told what anybody is told.
        if let room = try? await room(use, call) { tellServers(to: room.text, in: &response) }
        return response
    }

    private func tellServers(to user: String, in response: inout Response) {
        for link in parts.rooms.servers.links(for: user, at: parts.store.now.unixSeconds) { response.headers.add("Link", link) }
    }

    private func enter(_ use: RoomUse, _ call: Call) async throws -> Response {
        let pass = try await pass(use, call)
        let room = pass.room
        let entry = try await enter(pass, String(decoding: call.bytes, as: UTF8.self))
        do {
            // Once more: a room that went meanwhile has not found it.
            _ = try await self.room(use, call)
        } catch {
            await parts.sessions.left(entry.peer, in: room)
            await parts.rooms.discard(entry.peer)
            throw error
        }
        var response = Self.shared(
            .created,
            [
                "Content-Type": Self.sdp, "Location": "/\(Self.door(use))/\(room)/\(entry.peer)", "ETag": "\"\(entry.tag)\"",
                "Accept-Patch": Self.fragment,
            ], Array(entry.answer.utf8))
        tellServers(to: entry.peer.text, in: &response)
        return response
    }

    private func enter(_ pass: RoomPass, _ offer: String) async throws -> RoomDesk.Entry {
        guard pass.holder != nil else {
            do {
                switch pass.use {
                case .play: return try await parts.rooms.play(offer, in: pass.room)
                case .publish, .join: return try await parts.rooms.publish(offer, in: pass.room)
                }
            } catch {
                throw Self.problem(error)
            }
        }
        do {
            return try await parts.sessions.enter(pass, offer: offer)
        } catch {
            switch error {
            case .desk(let refusal): throw Self.problem(refusal)
            case .room(let refusal): throw Problem(refusal.reason == .full ? .quota : .conflict, refusal.text)
            }
        }
    }

    private func trickle(_ use: RoomUse, _ call: Call) async throws -> Response {
        let (room, peer): (RoomID, PeerID) = (try await room(use, call), try call.id("peer"))
        let conditions = call.request.headers.all("if-match")
        guard !conditions.isEmpty else {
            throw Problem(.conditionNeeded, "If-Match: the session's ETag, or * for a restart (RFC 9725 section 4.3.1)")
        }
        // Only strong tags match here (RFC 9110 section 13.1.1).
        let tags = conditions == ["*"] ? nil : conditions.flatMap(EntityTag.list).filter { !$0.isWeak }.map(\.opaque)
        do {
            let text = String(decoding: call.bytes, as: UTF8.self)
            guard let entry = try await parts.rooms.trickle(text, of: peer, in: room, by: use, tags: tags) else {
                return Self.shared(.noContent, [:])
            }
            return Self.shared(.ok, ["Content-Type": Self.fragment, "ETag": "\"\(entry.tag)\""], Array(entry.answer.utf8))
        } catch {
            throw Self.problem(error)
        }
    }

    private func leave(_ use: RoomUse, _ call: Call) async throws -> Response {
        let (room, peer): (RoomID, PeerID) = (try await leaving(use, call), try call.id("peer"))
        var refusal: RoomDesk.Refusal?
        do {
            try await parts.rooms.close(peer, in: room, by: use)
        } catch {
            refusal = error
        }
        await parts.sessions.left(peer, in: room)
        if let refusal { throw Self.problem(refusal) }
        return Self.shared(.ok, [:])
    }

    private static func problem(_ refusal: RoomDesk.Refusal) -> Problem {
        switch refusal {
        case .none: Problem(.busy, "this server has no rooms: rooms.workers is 0 in its configuration")
        case .away(let reason): Problem(.busy, reason)
        case .refused(let reason): Problem(.malformed, reason)
        case .unanswerable(let reason): Problem(.notAcceptable, reason)
        case .missing: Problem(.notFound, "nobody is in the room by that address")
        case .outdated: Problem(.outdated, "the session was restarted meanwhile: its ETag is another")
        case .empty: Problem(.conflict, "nobody sends into the room yet")
        case .full(let limit): Problem(.quota, "the room is full: \(limit) are in it")
        }
    }
}
