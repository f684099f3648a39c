import Foundation
import Inputs
import Posix
import Support
import Testing
import Wire

@testable import Capture

@Suite("Pictures of idle inputs", .serialized, .unlessStolen, .timeLimit(.minutes(1))) struct InputStillTests {
    /// It is a small JPEG file of 320x180 that decodes.
    private func check(_ file: [UInt8]) async throws {
        let picture = try #require(Thumbnail(file))
        #expect((picture.width, picture.height) == (320, 180) && file.count <= WireLimits.thumbnailBytes)
    }

    @Test("the test picture and the first picture of a file are taken", arguments: [Clips.Kind.mp4, .mkv, .ts, .silentMP4])
    func files(_ kind: Clips.Kind) async throws {
        try await check(try await InputStill.take(of: .test, within: .seconds(10)))
        let input = try await Clips.make(kind)
        try await check(try await InputStill.take(of: input, within: .seconds(10)))
        // It was let go: the same again.
        try await check(try await InputStill.take(of: input, within: .seconds(10)))
    }

    @Test("sound has no picture, and what cannot be opened or gives nothing says so")
    func none() async throws {
        for kind in [Clips.Kind.mp3, .wav] {
            let input = try await Clips.make(kind)
            await #expect(throws: CaptureFault.self) { try await InputStill.take(of: input, within: .seconds(10)) }
        }
        let missing = OpenInput.camera(Camera(id: "v4l2:none", path: "/dev/video-none", modes: []))
        let fault = await #expect(throws: CaptureFault.self) { try await InputStill.take(of: missing, within: .seconds(10)) }
        #expect(fault?.step == .input && fault?.reason.isEmpty == false)
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("still-\(UUID().uuidString).mp4").path
        try Data("no film".utf8).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        let broken = try Clips.open(path, .mp4)
        await #expect(throws: CaptureFault.self) { try await InputStill.take(of: broken, within: .seconds(10)) }
    }

    @Test("it ends where its task is cancelled, with the input let go, and is small for a picture of noise")
    func ends() async throws {
        let taking = Task { try await InputStill.take(of: .test, within: .seconds(30)) }
        taking.cancel()
        let began = Instant.now
        _ = await taking.result
        #expect(Instant.now - began < .seconds(5))
        let noise = FileManager.default.temporaryDirectory.appendingPathComponent("noise-\(UUID().uuidString).mp4").path
        defer { try? FileManager.default.removeItem(atPath: noise) }
        let source = "nullsrc=size=320x180:rate=25:duration=2,geq=random(1)*255:128:128"
        let made = try await run(
            "ffmpeg", ["-v", "error", "-y", "-f", "lavfi", "-i", source, "-c:v", "libx264", "-qp", "4", "-pix_fmt", "yuv420p", noise])
        #expect(made.status == 0, "\(made.errors)")
        try await check(try await InputStill.take(of: try Clips.open(noise, .mp4), within: .seconds(10)))
    }
}
