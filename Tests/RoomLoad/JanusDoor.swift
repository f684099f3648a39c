import FoundationEssentials
import HTTP
import Posix
import Web

/// Janus' HTTP API with its plugin `videoroom`: a session and a handle for each peer, events by long polls.
///
/// Source: janus.conf.meetecho.com/docs/rest and /docs/videoroom, for version 1.1.
final class JanusDoor: Door {
    private let client: Client
    private let url: String
    /// Of each room its publisher, as players name it.
    private let feeds = Guarded<[String: Int64]>([:])

    /// Events of no matter before the one that is waited for: `webrtcup`, `media`, `keepalive` and the like.
    private static let eventLimit = 20

    init(client: Client, url: String) {
        self.client = client
        self.url = url
    }

    private struct Command: Encodable {
        var janus: String
        var transaction = String(UInt64.random(in: 0 ... .max), radix: 36)
        var plugin: String?
        var body: Body?
        var jsep: Description?
    }

    private struct Body: Encodable {
        var request: String
        var ptype: String?
        var room: Int64?
        var streams: [Feed]?
    }

    private struct Feed: Encodable { var feed: Int64 }

    private struct Description: Codable {
        var type: String
        var sdp: String
    }

    private struct Answer: Decodable {
        struct Identity: Decodable { var id: Int64 }
        struct Plugin: Decodable { var data: Event? }
        struct Event: Decodable {
            /// Of the publisher that has joined.
            var id: Int64?
            var error: String?
        }
        struct Fault: Decodable { var reason: String }

        var janus: String
        var transaction: String?
        var data: Identity?
        var plugindata: Plugin?
        var jsep: Description?
        var error: Fault?
    }

    func prepare() async throws -> Visit {
        var visit = Visit()
        visit.session = try await identity(Command(janus: "create"), at: url)
        visit.handle = try await identity(Command(janus: "attach", plugin: "janus.plugin.videoroom"), at: "\(url)/\(visit.session)")
        return visit
    }

    func enter(
        _ use: PeerDescription.Use, _ room: RoomLoadPlan.Room, _ visit: inout Visit, _ describe: @Sendable (RemoteEnd?) -> String
    ) async throws -> RemoteEnd {
        guard let number = Int64(room.id) else { throw RoomLoadFault(description: "\(room.id) is no room of Janus") }
        switch use {
        case .publish:
            let body = Body(request: "joinandconfigure", ptype: "publisher", room: number)
            let joined = try await ask(body, Description(type: "offer", sdp: describe(nil)), visit)
            guard let feed = joined.plugindata?.data?.id else { throw RoomLoadFault(description: "Janus names no publisher") }
            feeds.withLock { $0[room.id] = feed }
            return try Self.remote(joined)
        case .play:
            guard let feed = feeds.withLock({ $0[room.id] }) else { throw RoomLoadFault(description: "nobody sends into \(room.id)") }
            let body = Body(request: "join", ptype: "subscriber", room: number, streams: [Feed(feed: feed)])
            let remote = try Self.remote(try await ask(body, nil, visit))
            let answer = Description(type: "answer", sdp: describe(remote))
            // What it says of that is that it has begun, which the first picture says as well.
            _ = try await send(Command(janus: "message", body: Body(request: "start"), jsep: answer), at: Self.handle(visit, url))
            return remote
        }
    }

    func leave(_ visit: Visit) async throws { _ = try await send(Command(janus: "destroy"), at: "\(url)/\(visit.session)") }

    private static func handle(_ visit: Visit, _ url: String) -> String { "\(url)/\(visit.session)/\(visit.handle)" }

    private static func remote(_ answer: Answer) throws -> RemoteEnd {
        guard let text = answer.jsep?.sdp else { throw RoomLoadFault(description: "Janus describes nothing") }
        return try RemoteEnd(text)
    }

    /// Sends a message to the plugin, and waits for its event.
    private func ask(_ body: Body, _ jsep: Description?, _ visit: Visit) async throws -> Answer {
        let command = Command(janus: "message", body: body, jsep: jsep)
        _ = try await send(command, at: Self.handle(visit, url))
        for _ in 0..<Self.eventLimit {
            let response = try await client.request(.get, "\(url)/\(visit.session)")
            let event = try Self.read(response)
            if let fault = event.plugindata?.data?.error { throw RoomLoadFault(description: "Janus, \(body.request): \(fault)") }
            if event.janus == "event", event.transaction == command.transaction { return event }
        }
        throw RoomLoadFault(description: "Janus has not answered \(body.request)")
    }

    private func identity(_ command: Command, at url: String) async throws -> Int64 {
        guard let identity = try await send(command, at: url).data else {
            throw RoomLoadFault(description: "Janus gives no id for \(command.janus)")
        }
        return identity.id
    }

    private func send(_ command: Command, at url: String) async throws -> Answer {
        let body = [UInt8](try JSONEncoder().encode(command))
        return try Self.read(try await client.request(.post, url, headers: ["Content-Type": "application/json"], body: body))
    }

    private static func read(_ response: ClientResponse) throws -> Answer {
        let answer = try JSONDecoder().decode(Answer.self, from: Data(response.body))
        if let fault = answer.error { throw RoomLoadFault(description: "Janus: \(fault.reason)") }
        return answer
    }
}
