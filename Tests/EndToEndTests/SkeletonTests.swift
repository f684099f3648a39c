import Support
import Testing
import Wire

/// The main job, end to end: enroll, start, watch it arrive, stop.
@Suite(.serialized)
struct SkeletonTests {
    @Test(
        "the test picture of an enrolled board reaches the platform, started and stopped from a browser",
        .row("PRV-01", "SND-01", "SND-07", "SND-08", "CTL-01", "CTL-03", "CTL-04", "RCV-01", "RCV-03", "RCV-06", "CTL-09", "CTL-10"))
    func pictureArrives() async throws {
        try await inStudio { studio in
            let sender = try await studio.sender()
            let platform = try await studio.destination("platform", url: studio.nginx.url(), secret: "show")
            let id = try await studio.start(StartRequest(sender: sender.id, destinations: [platform]))
            let live = try await studio.owner.wait(id, for: ["live"])
            #expect(live.ingest?.width == 1280)
            try await eventually(within: .seconds(20), "six seconds are recorded") {
                guard let file = try studio.nginx.recordings("show").last else { return false }
                return try await Probe(file).seconds > 6
            }
            try await studio.stop(id)
            let file = try #require(try studio.nginx.recordings("show").last)
            let probe = try await Probe(file)
            #expect(probe.video?.codecName == "h264")
            #expect(probe.video?.width == 1280)
            #expect(probe.audio?.codecName == "aac")
            #expect(probe.audio?.sampleRate == "48000")
            try await eventually(within: .seconds(5), "no receiver is left") { studio.receivers.isEmpty }
        }
    }
}
