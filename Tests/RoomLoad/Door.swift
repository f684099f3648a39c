import HTTP
import Web

/// How peers of the load come into a server's rooms: by the server's own signalling.
protocol Door: Sendable {
    /// What can be done before somebody comes, outside of what is measured.
    func prepare() async throws -> Visit

    /// Lets a peer in.
    ///
    /// - Parameter describe: makes the peer's description: an offer, or the answer to one that the server makes.
    /// - Returns: the server's own.
    /// - Throws: `RoomLoadFault` where it is not let in.
    func enter(
        _ use: PeerDescription.Use, _ room: RoomLoadPlan.Room, _ visit: inout Visit, _ describe: @Sendable (RemoteEnd?) -> String
    ) async throws -> RemoteEnd

    func leave(_ visit: Visit) async throws
}

/// What is needed to go again.
struct Visit: Sendable {
    /// Of Janus.
    var session: Int64 = 0
    var handle: Int64 = 0
    /// Of WHIP and WHEP: the path of the session, and the pass.
    var path = ""
    var pass = ""
}

/// WHIP (RFC 9725) and WHEP, as control has them.
struct StrataDoor: Door {
    let client: Client
    /// Of control.
    let origin: String

    /// Whoever comes before the publisher comes again, so often.
    private static let attempts = 20
    private static let pause = Duration.milliseconds(250)

    func prepare() async throws -> Visit { Visit() }

    func enter(
        _ use: PeerDescription.Use, _ room: RoomLoadPlan.Room, _ visit: inout Visit, _ describe: @Sendable (RemoteEnd?) -> String
    ) async throws -> RemoteEnd {
        visit.pass = use == .publish ? room.publish : room.play
        let url = "\(origin)/\(use == .publish ? "whip" : "whep")/\(room.id)"
        let offer = Array(describe(nil).utf8)
        for _ in 0..<Self.attempts {
            let headers: Headers = ["Authorization": "Bearer \(visit.pass)", "Content-Type": "application/sdp"]
            let answer = try await client.request(.post, url, headers: headers, body: offer)
            let text = String(decoding: answer.body, as: UTF8.self)
            if answer.status.code == 201, let path = answer.headers["location"] {
                visit.path = path
                return try RemoteEnd(text)
            }
            guard answer.status.code == 409 else { throw RoomLoadFault(description: "\(url): \(answer.status.code) \(text)") }
            try await Task.sleep(for: Self.pause)
        }
        throw RoomLoadFault(description: "\(url): nobody sends into the room")
    }

    func leave(_ visit: Visit) async throws {
        let answer = try await client.request(.delete, origin + visit.path, headers: ["Authorization": "Bearer \(visit.pass)"])
        // 404: it has gone by itself meanwhile.
        guard [200, 404].contains(answer.status.code) else {
            throw RoomLoadFault(description: "\(visit.path): \(answer.status.code) at the end")
        }
    }
}
