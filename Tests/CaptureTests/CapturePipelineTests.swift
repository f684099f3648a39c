import Inputs
import Logging
import Testing
import Units
import Wire

@testable import Capture

private let quiet = Log("test", threshold: .error)
private let small = EncoderChoice(bitrate: .kilobits(800), width: 320, height: 180, frameRate: 30)

@Suite("Capture", .serialized) struct CapturePipelineTests {
    private let scratch = Scratch()

    @Test("the test picture becomes H.264 and AAC in a transport stream with a key frame each 2 s")
    func testPicture() async throws {
        let recorder = Recorder()
        let capture = CapturePipeline(encoder: small, log: quiet, sink: recorder.sink)
        try await capture.start(CaptureSources(picture: .test))
        await recorder.wait(forPictures: 70)
        await capture.stop()
        let probe = try await Probe(scratch.write("test.ts", recorder.bytes))
        #expect(probe.videoCodec == "h264")
        #expect(probe.profile == "High")
        #expect(probe.size == "320x180")
        #expect(probe.hasBFrames == 0)
        #expect(probe.audioCodec == "aac")
        #expect(probe.audioRate == "48000/2")
        #expect(recorder.largest <= 1316)
        #expect(recorder.bytes.count % 188 == 0)
        let keys = probe.video.enumerated().filter { $0.element.isKey }.map(\.offset)
        #expect(keys == [0, 60])
        #expect(zip(probe.video, probe.video.dropFirst()).allSatisfy { $1.pts - $0.pts == 3000 })
        #expect(zip(probe.audio, probe.audio.dropFirst()).allSatisfy { abs($1.pts - $0.pts - 1920) <= 1 })
        #expect(capture.figures.framesTotal >= 70)
        #expect(capture.figures.producedBytesTotal >= recorder.bytes.count)
    }
}
