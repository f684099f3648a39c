import Support
import Testing
import Units
import Wire

/// The ports of a pool host, which SRT listeners of several broadcasts ask for.
@Suite(.serialized, .unlessStolen)
struct ListenerPortTests {
    @Test("an SRT listener whose port is held is refused where it is asked for, with the field and what holds it", .row("RCV-04"))
    func held() async throws {
        try await inStudio { studio in
            let sender = try await studio.sender()
            let (port, other) = (try FreePorts.udp(), try FreePorts.udp())
            let door = try await listener(studio, "door", port)
            let twin = try await listener(studio, "twin", port)
            let id = try await studio.start(StartRequest(sender: sender.id, destinations: [door], encoder: Studio.small))
            let live = try await studio.owner.wait(id, for: ["live"])

            try await refused(studio, id, twin, "port \(port) is held by the output 'door'")
            let stream = try #require(live.receiver?.port)
            try await refused(studio, id, try await listener(studio, "own", stream), "the broadcast's own stream")
            let free = try #require(studio.installation.ports.first { $0 != stream })
            try await refused(studio, id, try await listener(studio, "range", free), "ports for streams")

            // One that may listen is not moved to where it may not.
            let second = try await listener(studio, "second", other)
            let _: BroadcastView = try await studio.owner.call(.post, "/broadcasts/\(id)/outputs", AddOutputRequest(destination: second))
            try await studio.wait(second, of: id, is: .connected)
            let moved = try await studio.owner.refusal(.put, "/destinations/\(second)", request("second", port))
            measured("a move is refused", "\(moved.status) \(moved.detail ?? "")")
            #expect(moved.status == 409 && moved.faults?.map(\.field) == ["url"] && moved.detail?.contains("the output 'door'") == true)

            // Nor is a second broadcast begun that could not have it.
            let colleague = try await studio.secondSender()
            let platform = try await studio.destination("platform", url: studio.nginx.url(), secret: "show")
            let start = StartRequest(sender: colleague.id, destinations: [platform, twin], encoder: Studio.small)
            let refusal = try await studio.owner.refusal(.post, "/broadcasts", start)
            measured("a start is refused", "\(refusal.status) \(refusal.detail ?? "")")
            #expect(refusal.status == 409 && refusal.faults?.map(\.field) == ["destinations[1]"])
            #expect(refusal.detail?.contains("'twin' cannot listen there") == true)
            #expect(refusal.detail?.contains("the output 'door' of the broadcast \(id)") == true)

            #expect(try studio.owner.broadcast(id)?.state == "live", "nothing of it was disturbed")
            try await studio.stop(id)
            // Whoever had it is gone.
            let next = try await studio.start(start)
            try await studio.wait(twin, of: next, is: .connected, within: .seconds(20))
            try await studio.stop(next)
        }
    }

    private func request(_ name: String, _ port: Int) -> DestinationRequest {
        DestinationRequest(
            name: name, url: "srt://0.0.0.0:\(port)", secret: SecretOnWire(Secret("a-long-passphrase")), srtMode: .listener)
    }

    private func listener(_ studio: Studio, _ name: String, _ port: Int) async throws -> DestinationID {
        let made: DestinationView = try await studio.owner.call(.post, "/destinations", request(name, port))
        return made.id
    }

    private func refused(_ studio: Studio, _ id: BroadcastID, _ destination: DestinationID, _ words: String) async throws {
        let refusal = try await studio.owner.refusal(.post, "/broadcasts/\(id)/outputs", AddOutputRequest(destination: destination))
        measured("an output is refused", "\(refusal.status) \(refusal.detail ?? "")")
        #expect(refusal.status == 409 && refusal.faults?.map(\.field) == ["destination"] && refusal.detail?.contains(words) == true)
        #expect(try studio.owner.broadcast(id)?.outputs.contains { $0.destination == destination } == false)
    }
}
