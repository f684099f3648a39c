import Crypto
import Foundation
import Identity
import Posix
import Support
import Testing
import Units
import Web
import Wire

/// Recordings, of a host that has one and brings it.
extension DescriptionTests {
    func recordings(
        _ api: DescribedAPI, _ desk: FrontDesk, _ owner: Visitor, _ host: WebSocket, _ machine: RawBoard, _ stream: StreamSpec,
        _ asked: Guarded<[BringRecordingOrder]>
    ) async throws {
        let spec = try #require(stream.recording)
        let film = Array("a film".utf8)
        let file = RecordedFile(
            number: 1, bytes: film.count, sha256: Hex.encode(SHA256.hash(film)), beganAtMs: 1_800_000_000_000, durationMs: 1000,
            codecs: "avc1.42c01f", width: 640, height: 360)
        let take = RecordedTake(
            lease: stream.lease, recording: spec.id, organization: spec.organization, files: [file], damagedFragments: 0)
        let list = RecordingList(takes: [take], present: [stream.lease], isComplete: true)
        let order = try await eventually(within: .seconds(5), "the host is asked for it") { () -> BringRecordingOrder? in
            // The end may be shown a moment before it is stored: hosts say again what they have.
            try await host.send(PoolMessage.recordings(list))
            return asked.withLock { $0.first }
        }
        let bringing = Task { try await machine.give([film], order) }
        try await eventually(within: .seconds(10), "it is stored") {
            try await owner.get("/recordings/\(spec.id)").text("state") == "ready"
        }
        try await bringing.value
        try await api.call("GET /recordings", by: owner)
        try await api.call("GET /recordings/{id}", [spec.id.text], by: owner)
        let links = try await api.call("POST /recordings/{id}/links", [spec.id.text], by: owner)
        let url = try #require((try links.object()["items"] as? [[String: Any]])?.first?["url"] as? String)
        try await api.call("GET /objects/org/{organization}/sessions/{session}/composite/{object}", to: url, by: desk.visitor())
        try await api.call("DELETE /recordings/{id}", [spec.id.text], by: owner)
        try await api.call("GET /organization/recording-settings", by: owner)
        try await api.call("PUT /organization/recording-settings", [], #"{"policy":"asked","keepDays":30}"#, by: owner)
    }
}

extension RawBoard {
    /// Comes with an order's ticket, and gives what is asked for of some files.
    func give(_ files: [[UInt8]], _ order: BringRecordingOrder) async throws {
        let socket = try await client.webSocket(identity.server.recordingURL)
        guard case .text(let text)? = try await socket.receive() else { throw SupportFailure("no challenge") }
        let challenge = try JSONDecoder().decode(Challenge.self, from: Data(text.utf8))
        let proof = try Proof.answering(challenge, identity: identity, exporter: socket.tlsExporter)
        try await socket.send(String(decoding: JSONEncoder().encode(proof), as: UTF8.self))
        try await socket.send(String(decoding: JSONEncoder().encode(BringRecordingHello(ticket: order.ticket)), as: UTF8.self))
        while case .text(let text)? = try await socket.receive() {
            let ask = try JSONDecoder().decode(RecordingAsk.self, from: Data(text.utf8))
            try await socket.send(Array(files[ask.file - 1][ask.offset..<ask.offset + ask.count]))
        }
    }
}
