import GStreamer
import MPEGTS
import Posix
import Support
import Testing

@testable import Field

/// The pipeline by itself: what it offers, before anybody answers.
@Suite(.serialized, .unlessStolen, .timeLimit(.minutes(1)))
struct FieldPipelineTests {
    @Test("offers H.264 and Opus, to be sent and not received, as soon as some of both has come through", arguments: [true, false])
    func offers(_ hasSound: Bool) async throws {
        let made = try FieldPipeline(hasSound: hasSound) {}
        try await made.pipeline.start()
        #expect(try !made.isKnown(), "nothing has come")
        push(try await Clip.h264.value, to: made)
        try await eventually(within: .seconds(10), "it is known what is sent") { try made.isKnown() }
        try await Task.sleep(for: .milliseconds(50))
        let offer = try await made.pipeline.offer(of: "peer", sections: hasSound ? 2 : 1)
        let lines = offer.split { $0.isNewline }.map(String.init)
        #expect(lines.count { $0.hasPrefix("m=") } == (hasSound ? 2 : 1), "\(offer)")
        #expect(lines.contains { $0.hasPrefix("a=rtpmap:96 H264/90000") })
        #expect(lines.contains { $0.hasPrefix("a=fmtp:96 packetization-mode=1") })
        #expect(OfferText.profile(in: OfferText.offered(offer)) == OfferText.baseline)
        #expect(lines.contains { $0.uppercased().hasPrefix("A=RTPMAP:97 OPUS/48000") } == hasSound)
        #expect(lines.count { $0 == "a=sendonly" } == (hasSound ? 2 : 1) && !lines.contains("a=sendrecv"))
        #expect(lines.contains { $0.hasPrefix("a=ssrc:") } && lines.contains { $0.hasPrefix("a=rtcp-fb:96 nack pli") })
        #expect(lines.contains { $0.hasPrefix("a=ice-ufrag:") } && lines.contains { $0.hasPrefix("a=fingerprint:") })
        #expect(try made.pipeline.peerState(of: "peer") == .new)
        #expect(await made.pipeline.stop())
    }

    /// A first picture, and the sound beside it.
    private func push(_ clip: [UInt8], to pipeline: FieldPipeline) {
        var reader = StreamReader()
        var clock = FieldClock()
        var (pictures, sounds) = (0, 0)
        reader.feed(Array(clip.prefix(clip.count / 188 / 2 * 188)), arrival: .zero) { event in
            let now = pipeline.runningTime
            switch event {
            case .video(let picture) where pictures == 0 && picture.isKey:
                pictures += 1
                if let time = clock.place(picture.presentation, at: now, isStart: true) { pipeline.push(picture, at: time) }
            case .audio(let sound) where pictures > 0 && sounds < 12:
                if sounds == 0 { pipeline.prepare(for: sound.format) }
                sounds += 1
                if let time = clock.place(sound.presentation, at: now, isStart: false) { pipeline.push(sound, at: time) }
            default: break
            }
        }
    }
}
