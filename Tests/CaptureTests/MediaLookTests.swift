import Foundation
import Inputs
import Logging
import Posix
import Support
import Testing
import Units
import Wire

@testable import Capture

private let small = EncoderChoice(bitrate: .kilobits(800), width: 320, height: 180, frameRate: 30)

/// What a real capture says of its picture and its sound.
@Suite("What is shown and heard", .serialized, .unlessStolen, .timeLimit(.minutes(1))) struct MediaLookTests {
    private func capture() -> CapturePipeline { CapturePipeline(encoder: small, log: Log("test", threshold: .warning), sink: { _ in }) }

    private func wait(_ what: String, _ capture: CapturePipeline, until isSo: (MediaSigns) -> Bool) async throws {
        let end = Instant.now + .seconds(10)
        while !isSo(capture.signs) {
            try #require(Instant.now < end, "\(what): \(capture.signs)")
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    @Test("a tone has its level on both channels, silence none, and what replaces the one by the other shows it")
    func sound() async throws {
        let capture = capture()
        try await capture.start(CaptureSources(picture: .test, sound: try await Clips.make(.wav)))
        // ffmpeg's sine has an eighth of full scale: -18 dBFS, and 3 less in the mean.
        try await wait("the tone", capture) { $0.levels?.peak.map { abs($0 + 18) <= 1 } == [true, true] }
        try await wait("its mean", capture) { $0.levels?.rms.map { abs($0 + 21) <= 1 } == [true, true] }
        #expect(capture.signs.hasSound && !capture.signs.isDark)
        // A source without sound: there is nothing to be silent.
        try await capture.switchInput(to: CaptureSources(picture: try await Clips.make(.silentMP4)))
        try await wait("no sound", capture) { !$0.hasSound && $0.levels == nil }
        try await capture.switchInput(to: CaptureSources(picture: .test, sound: try await Clips.make(.hush)))
        try await wait("silence", capture) { $0.hasSound && $0.levels?.isSilent == true }
        await capture.stop()
    }

    @Test("a picture that moves is not still, a file of one picture is, and a black one is dark")
    func picture() async throws {
        let capture = capture()
        try await capture.start(CaptureSources(picture: .test))
        for _ in 0..<20 {
            try await Task.sleep(for: .milliseconds(100))
            #expect(!capture.signs.isStill)
        }
        try await capture.switchInput(to: CaptureSources(picture: try await Clips.make(.stillMP4)))
        try await wait("still", capture) { $0.isStill && !$0.isDark }
        try await capture.switchInput(to: CaptureSources(picture: try await Clips.make(.blackMP4)))
        try await wait("dark", capture) { $0.isStill && $0.isDark }
        await capture.stop()
    }
}
