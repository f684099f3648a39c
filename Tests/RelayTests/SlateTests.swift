import Foundation
import Posix
import Support
import Testing
import Wire

/// A sender that is away, as the platform and the SRT peer record it.
@Suite(.serialized, .unlessStolen, .timeLimit(.minutes(3))) struct SlateTests {
    /// 30 s in the nightly run.
    private static let darkness: Duration = .seconds(ProcessInfo.processInfo.environment["STRATA_SOAK"] == nil ? 6 : 30)

    @Test("a silent sender costs no session: platform, SRT peer and file see one stream, the slate, and the picture within 2 s")
    func silence() async throws {
        try await onStage { stage in
            let nginx = try await Nginx(on: stage)
            let peer = try SRTPeer.listener(on: stage, passphrase: "a-passphrase")
            let clip = try await Clip.h264.value
            let targets = [nginx.target("show"), srt(.caller, port: peer.port), .file(FileTarget(name: "show.ts"))]
            var away = Duration.zero
            try await withRelay(targets, folder: stage.folder.path) { live in
                // Key frames come each second: the last picture lies between two.
                try await live.play(clip, times: 1, to: 4.3 / 12)
                for output in 0..<3 { try await live.wait(output, is: .connected) }
                let began = Instant.now
                try await eventually(within: .seconds(4), "the slate is reported") { live.ingest?.slateMs != nil }
                #expect(Instant.now - began < .milliseconds(2500) && live.ingest?.state == .interrupted)
                try await Task.sleep(for: Self.darkness - (Instant.now - began))
                let back = Instant.now
                away = back - began
                async let rest: Void = live.play(clip, times: 1, from: 8.5 / 12)
                try await eventually(within: .seconds(3), "the picture is reported") { live.ingest?.state == .flowing }
                print("SlateTests: flowing is reported \((Instant.now - back).milliseconds) ms after media")
                #expect(live.ingest?.slateMs == nil)
                try await rest
                for output in 0..<3 { #expect(live.report(output)?.reconnectsTotal == 0 && live.report(output)?.droppedUnitsTotal == 0) }
                await live.end()
            }
            let sessions = try await nginx.finished("show")
            #expect(sessions.count == 1)
            for file in [try #require(sessions.last), try await peer.finished(), stage.folder["show.ts"]] {
                try await expectDark(file, for: away)
            }
        }
    }

    private func expectDark(_ file: String, for away: Duration) async throws {
        let stretch = try await DarkStretch(file)
        let backMs = stretch.seconds * 1000 - Double(away.milliseconds)
        print(
            "SlateTests: \(file.split(separator: "/").last ?? ""): away \(away.milliseconds) ms, \(stretch), back after \(Int(backMs)) ms")
        #expect(stretch.isMonotonic && stretch.complaints.isEmpty, "\(stretch)")
        #expect(stretch.widestVideoMs <= 85 && stretch.widestAudioMs <= 65, "\(stretch)")
        #expect(stretch.changes == 2 && stretch.slatePictures > 100, "\(stretch)")
        #expect(backMs <= 2000, "\(stretch)")
        let probe = try await Probe(file)
        #expect(probe.video?.width == 640 && probe.video?.height == 360 && probe.audio?.sampleRate == "48000")
    }

    @Test("a picture of the organisation's that no decoder takes, though its head is right, is told; one that is too large as well")
    func damaged() async throws {
        try await onStage { stage in
            let clip = try await Clip.h264.value
            // A PNG's frame around what is no image.
            let head: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52]
            let size: [UInt8] = [0, 0, 0, 16, 0, 0, 0, 16, 8, 2, 0, 0, 0, 0x90, 0x91, 0x68, 0x36]
            let data: [UInt8] = [0, 0, 0, 8] + Array("IDAT".utf8) + [UInt8](repeating: 0xA5, count: 12)
            let end: [UInt8] = [0, 0, 0, 0] + Array("IEND".utf8) + [0xAE, 0x42, 0x60, 0x82]
            let damaged = head + size + data + end
            _ = try OwnPicture(damaged)
            for (bytes, word) in [(damaged, "cannot be shown"), ([UInt8](repeating: 0, count: WireLimits.slateBytes + 1), "at most")] {
                let slate = SlateFile(kind: .png, base64: Data(bytes).base64EncodedString())
                try await withRelay([.file(FileTarget(name: "\(bytes.count).ts"))], folder: stage.folder.path, slate: slate) { live in
                    try await live.play(clip, times: 4, to: 0.4)
                    let fault = try await eventually(within: .seconds(10), "it is told") { live.slateFault }
                    print("SlateTests: \(fault)")
                    #expect(fault.hasPrefix("the organisation's picture cannot be shown: ") && fault.contains(word) && fault.isPlain)
                    #expect(fault.hasSuffix("; ours is shown instead"))
                    await live.end()
                }
            }
            try await withRelay([.file(FileTarget(name: "ours.ts"))], folder: stage.folder.path) { live in
                try await live.play(clip, times: 4, to: 0.4)
                try await eventually(within: .seconds(4), "the slate is reported") { live.ingest?.slateMs != nil }
                #expect(live.slateFault == nil)
                await live.end()
            }
        }
    }

    @Test("a stream of H.265 has a slate of its own coding on its way to SRT")
    func h265() async throws {
        try await onStage { stage in
            let peer = try SRTPeer.listener(on: stage, passphrase: "a-passphrase")
            let clip = try await Clip.h265.value
            try await withRelay([srt(.caller, port: peer.port)]) { live in
                try await live.play(clip, times: 1, to: 4.3 / 12)
                try await live.wait(0, is: .connected)
                try await eventually(within: .seconds(5), "the slate is reported") { live.ingest?.slateMs != nil }
                try await live.play(clip, times: 1, from: 8.5 / 12)
                #expect(live.report(0)?.reconnectsTotal == 0)
                await live.end()
            }
            let stretch = try await DarkStretch(try await peer.finished())
            print("SlateTests: H.265: \(stretch)")
            #expect(stretch.isMonotonic && stretch.complaints.isEmpty && stretch.changes == 2 && stretch.slatePictures > 30, "\(stretch)")
        }
    }
}
