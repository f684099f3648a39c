import Posix
import Support
import Testing
import Units
import Wire

/// A picture that is larger than the board can make it.
@Suite(.serialized, .unlessStolen)
struct SlowEncoderTests {
    @Test("a board that cannot make the frames it was asked for says so with the figures, and is well again with a smaller picture")
    func tooLarge() async throws {
        try await inStudio { studio in
            let sender = try await studio.sender()
            let platform = try await studio.destination("platform", url: studio.nginx.url(), secret: "show")
            let page = try await Dashboard.opened(on: studio.stage, at: studio.owner.server, studio.installation.ownerPassword)
            let huge = EncoderChoice(id: .x264, bitrate: .kilobits(3000), width: 3840, height: 2160, frameRate: 60)
            let id = try await studio.start(StartRequest(sender: sender.id, destinations: [platform], encoder: huge))
            try await studio.owner.wait(id, for: ["live"], within: .seconds(30))
            let live = Instant.now
            let said = try await eventually(within: .seconds(12), "the missing frames are told") {
                try studio.owner.broadcast(id)?.reason.flatMap { $0.contains("of 60 frames a second") ? $0 : nil }
            }
            measured("frames that are not made are told after", Instant.now - live)
            measured("reason", said)
            #expect(said.hasPrefix("sender degraded: ") && said.hasSuffix(": choose a smaller size or frame rate"))
            #expect(try studio.owner.broadcast(id)?.state == "degraded")
            let frames = try #require(
                try studio.owner.latest("telemetry/\(sender.id)", as: AgentTelemetry.self)?.pipeline?.frames, "the telemetry has them")
            #expect(frames.made < 54, "\(frames)")
            try await page.go("/broadcasts/\(id)")
            try await page.wait(#"/[0-9]+ of 60 pictures a second/.test(document.body.innerText)"#, "the page has both rates")
            try await page.wait("/choose a smaller size/.test(document.querySelector('.reason')?.textContent)", "and what to do")
            try await page.browser.screenshot("8-slow-encoder")
            try await studio.stop(id)
            let recorded = try await studio.owner.recorder(of: id).filter { $0.entry.kind == .sending }.compactMap(\.entry.reason)
            #expect(recorded.contains { $0.hasPrefix("degraded: ") && $0.contains("of 60 frames a second") }, "\(recorded)")

            let next = try await studio.start(StartRequest(sender: sender.id, destinations: [platform], encoder: Studio.small))
            try await studio.owner.wait(next, for: ["live"])
            try await page.go("/broadcasts/\(next)")
            try await page.wait(#"/2[3-7] of 25 pictures a second/.test(document.body.innerText)"#, "all are made")
            #expect(try studio.owner.broadcast(next)?.state == "live")
            try await studio.stop(next)
        }
    }
}
