import FoundationEssentials
import HTTP
import Posix
import Units
import Web
import Wire

/// A room's door for programs, as who sends uses it. Source: RFC 9725, sections 4.2 and 4.4.
struct RoomDoorway: Sendable {
    private let place: ControlPlace
    private let client: Client
    /// For whoever is about to end.
    private let hasty: Client

    init(_ place: ControlPlace, loop: Loop) {
        self.place = place
        client = Client(loop: loop, options: place.options)
        var options = place.options
        (options.connectTimeout, options.responseTimeout) = (.milliseconds(1000), .milliseconds(1500))
        hasty = Client(loop: loop, options: options)
    }

    struct Entry: Sendable {
        let answer: String
        /// Where the session ends.
        let resource: String
    }

    /// - Throws: `FieldFault`.
    func enter(_ target: RoomTarget, _ offer: String) async throws(FieldFault) -> Entry {
        let path = "/whip/\(target.room)"
        var headers = Self.proof(target)
        headers["Content-Type"] = "application/sdp"
        let response: ClientResponse
        do {
            response = try await client.request(.post, place.server.text + path, headers: headers, body: Array(offer.utf8))
        } catch {
            throw .lost("control cannot be asked for the room: \(error)")
        }
        guard response.status == .created else { throw Self.fault(response) }
        // Of this room alone: the pass is shown there.
        guard let resource = response.headers["Location"], resource.hasPrefix(path + "/") else {
            throw .lost("control does not say where the session is")
        }
        return Entry(answer: String(decoding: response.body, as: UTF8.self), resource: resource)
    }

    /// What cannot be said within 2.5 s is found out by the room.
    func leave(_ target: RoomTarget, _ resource: String) async {
        // try?: as the doc says.
        _ = try? await hasty.request(.delete, place.server.text + resource, headers: Self.proof(target))
    }

    private static func proof(_ target: RoomTarget) -> Headers {
        var headers = Headers()
        headers["Authorization"] = "Bearer \(target.pass.secret.revealed)"
        return headers
    }

    private struct Problem: Decodable {
        let detail: String?
    }

    private static func fault(_ response: ClientResponse) -> FieldFault {
        // try?: a proxy answers what it likes; the status is said then.
        let problem = try? JSONDecoder().decode(Problem.self, from: Data(response.body))
        let reason = problem?.detail?.bounded(to: 200) ?? "control answered \(response.status)"
        switch response.status.code {
        case 400, 406, 415: return .hopeless("the room does not take it: \(reason)")
        default: return .lost("the room's door: \(reason)")
        }
    }
}
