import Testing

@testable import Support

@Suite("What recordings are measured with")
struct MeasuringTests {
    @Test("a clip's flashes and beeps are found, and are together", arguments: ["mp4", "flv", "ts"])
    func together(container: String) async throws {
        let folder = try TemporaryFolder()
        let clip = folder["clip.\(container)"]
        try await FlashAndBeep.makeClip(clip, seconds: 4)
        let measured = try await FlashAndBeep(recording: clip)
        #expect(measured.flashes == 3 && measured.offsetsMs.count == 3, "\(measured)")
        #expect(measured.worstMs <= 40, "\(measured)")
    }

    @Test("a sound that is 100 ms late is measured as such")
    func late() async throws {
        let folder = try TemporaryFolder()
        try await FlashAndBeep.makeClip(folder["clip.mp4"], seconds: 4)
        _ = try await runTool(
            "ffmpeg",
            [
                "-v", "error", "-i", folder["clip.mp4"], "-itsoffset", "0.1", "-i", folder["clip.mp4"], "-map", "0:v", "-map", "1:a", "-c",
                "copy", folder["late.ts"],
            ])
        let measured = try await FlashAndBeep(recording: folder["late.ts"])
        #expect(measured.offsetsMs.allSatisfy { (80...120).contains($0) } && measured.flashes == 3, "\(measured)")
    }

    @Test("what is missing, doubled or cut off at the ends is told apart")
    func deliveries() {
        func unit(_ number: Int) -> AccessUnit { AccessUnit(.h264, [[number % 5 == 0 ? 0x65 : 0x41, UInt8(number)]], ptsTicks: 0) }
        let sent = (0..<20).map(unit)
        let whole = Delivery(sent: sent, recorded: Array(sent[3..<18]), .video)
        #expect(whole.isComplete && whole.before == 5 && whole.after == 2 && whole.recorded == 13)
        let holes = Delivery(sent: sent, recorded: [0, 1, 4, 5, 6].map(unit), .video)
        #expect(holes.missing == [2, 3] && holes.extra.isEmpty && holes.after == 13)
        let doubled = Delivery(sent: sent, recorded: [0, 1, 1, 2].map(unit), .video)
        #expect(doubled.extra.count == 1 && doubled.missing.isEmpty && !doubled.isComplete)
        #expect(!Delivery(sent: sent, recorded: [], .video).isComplete)
        #expect(!Delivery(sent: sent, recorded: [25].map(unit), .video).isComplete)
    }

    @Test("the same picture again and again is aligned where most agrees")
    func repetition() {
        func unit(_ text: String) -> AccessUnit { AccessUnit(audio: ArraySlice(text.utf8), ptsTicks: 0) }
        let sent = ["s", "s", "s", "a", "b", "c", "s", "d"].map(unit)
        let delivery = Delivery(sent: sent, recorded: ["s", "a", "b", "c", "s"].map(unit), .audio)
        #expect(delivery.isComplete && delivery.before == 2 && delivery.after == 1)
    }
}
