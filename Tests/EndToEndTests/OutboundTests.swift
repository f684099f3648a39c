import Foundation
import Support
import Testing
import Units
import Wire

/// Where media is not sent (THREATS 9).
@Suite(.serialized, .unlessStolen)
struct OutboundTests {
    @Test("what control lets pass is still refused by the host that would send it, by name and before it is connected to", .row("RCV-03"))
    func hostsLastWord() async throws {
        var settings = Installation.Settings()
        settings.poolOutbound = []
        try await inStudio(settings) { studio in
            let sender = try await studio.sender()
            let platform = try await studio.destination("platform", url: studio.nginx.url(), secret: "show")
            let request = DestinationRequest(
                name: "thief", url: "srt://0.0.0.0:\(studio.installation.ports.upperBound)",
                secret: SecretOnWire(Secret("a-passphrase")), srtMode: .listener)
            let listener: DestinationView = try await studio.owner.call(.post, "/destinations", request)
            // Of its ports the host has told control; the last word on them is the receiver's too (`OutputPolicyTests`).
            let early = try await studio.owner.refusal(
                .post, "/broadcasts", StartRequest(sender: sender.id, destinations: [platform, listener.id], encoder: Studio.small()))
            #expect(early.status == 409 && early.detail?.contains("one of the pool host's ports for streams") == true, "\(early)")
            let id = try await studio.start(StartRequest(sender: sender.id, destinations: [platform], encoder: Studio.small()))
            let ended = try await studio.owner.wait(id, for: ["ended"])
            let reason = try #require(ended.reason)
            #expect(reason.contains("outputs failed: ") && reason.contains("sends nothing to 127.0.0.1, which is loopback"), "\(reason)")
            #expect(try studio.nginx.recordings("show").isEmpty)
            try await studio.expectNothingLeft(sender.id)
        }
    }
}
