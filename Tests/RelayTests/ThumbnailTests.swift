import Foundation
import Posix
import Stills
import Support
import Testing
import Units
import Wire

@testable import MPEGTS
@testable import Relay

@Suite(.unlessStolen, .timeLimit(.minutes(1))) struct ThumbnailPaceTests {
    /// When pictures are made of key frames each 2 s in one minute, each of this cost.
    private func times(cost: Duration) -> [Int] {
        var pace = ThumbnailPace()
        return stride(from: 0, to: 60, by: 2).filter { second in
            guard pace.take(at: .seconds(second)) else { return false }
            pace.finished(cost: cost)
            return true
        }
    }

    @Test("of key frames each 2 s one each 5 s is made a picture of, in the mean")
    func mean() { #expect(times(cost: .milliseconds(30)) == [0, 6, 10, 16, 20, 26, 30, 36, 40, 46, 50, 56]) }

    @Test("whatever one costs, all of them cost one part in a hundred: of a hostile one that takes a second the next is made after 100")
    func cost() {
        #expect(times(cost: .milliseconds(200)) == [0, 20, 40])
        #expect(times(cost: .seconds(1)) == [0])
    }

    @Test("none is begun while one is made, and after a pause the next key frame is one")
    func pause() {
        var pace = ThumbnailPace()
        var taken = [1, 20].map { pace.take(at: .seconds($0)) }
        pace.finished(cost: .zero)
        taken.append(pace.take(at: .seconds(300)))
        pace.finished(cost: .zero)
        // Not made up for.
        taken += [302, 303].map { pace.take(at: .seconds($0)) }
        #expect(taken == [true, false, true, false, true])
    }
}

@Suite(.serialized, .unlessStolen, .timeLimit(.minutes(2))) struct ThumbnailTests {
    private static func unit(
        isKey: Bool = true, isDamaged: Bool = false, _ size: (Int, Int) = (1280, 720), bytes: Int = 100, withSets: Bool = false
    ) throws -> VideoUnit {
        let set = SequenceParameters.h264(columns: size.0 / 16, rows: size.1 / 16)
        let slice = [0, 0, 1, 0x65] + [UInt8](repeating: 0xAA, count: bytes)
        let whole = (withSets ? [0, 0, 1] + set : []) + slice
        let size = PictureSize(h264: set[...])
        let format = VideoFormat(coding: .h264, parameterSets: [set], size: size)
        return VideoUnit(
            bytes: whole, units: NALUnits.ranges(whole), presentation: MediaTime(ticks: 0), decode: MediaTime(ticks: 0), isKey: isKey,
            isDamaged: isDamaged, format: format)
    }

    @Test("what is no whole key frame, or would cost too much, is not given to a process; one without its parameter sets gets them")
    func keyFrames() throws {
        func frame(_ unit: VideoUnit) -> KeyFrame? { KeyFrame(unit, at: .now) }
        let none = [
            try Self.unit(isKey: false), try Self.unit(isDamaged: true), try Self.unit((16_384, 16_384)), try Self.unit(bytes: 3 << 20),
        ]
        #expect(none.compactMap { frame($0) }.isEmpty)
        let (without, with) = (try Self.unit(), try Self.unit(withSets: true))
        #expect(frame(with)?.bytes == with.bytes)
        let set = SequenceParameters.h264(columns: 80, rows: 45)
        #expect(frame(without)?.bytes == [0, 0, 0, 1] + set + without.bytes)
        // What the process takes stands in a module that the receiver is not made of.
        #expect(KeyFrame.limit == Still.inputBytes && VideoCodec.allCases.allSatisfy { Still.Coding(rawValue: $0.rawValue) != nil })
    }

    @Test("a decoder that hangs, dies, or gives what is no small JPEG is ended, costs its time and leaves nothing")
    func decoders() async throws {
        let (loop, folder) = (try Loop(name: "maker"), try TemporaryFolder())
        defer { loop.stop() }
        let key = try #require(KeyFrame(try Self.unit(), at: .now))
        func made(_ script: String, within limit: Duration = .seconds(20)) async throws -> ThumbnailMaker.Made {
            let path = try folder.write("#!/bin/sh\n\(script)\n", to: "still")
            #expect(chmod(path, 0o700) == 0)
            var maker = ThumbnailMaker(program: path)
            maker.limit = limit
            return await maker.make(of: key, on: loop)
        }
        let hanging = try await made("while :; do :; done", within: .milliseconds(700))
        #expect(hanging.thumbnail == nil && hanging.fault?.contains("signal 9") == true && hanging.cost > .milliseconds(50))
        #expect(try await made("kill -SEGV $$").fault?.contains("signal 11") == true)
        #expect(try await made("exit 1").fault?.contains("exit code 1") == true)
        for script in ["echo no picture", "head -c 1000000 /dev/zero", ":"] {
            let none = try await made(script)
            #expect(none.thumbnail == nil && none.fault?.contains("no small JPEG") == true, "\(none)")
        }
        let missing = await ThumbnailMaker(program: folder["none"]).make(of: key, on: loop)
        #expect(missing.thumbnail == nil && missing.fault?.contains("posix_spawn") == true)
    }

    @Test("pictures of the sender's are made while it is shown, and none of the slate")
    func slate() async throws {
        let clip = try await Clip.h264.value
        try await withRelay([], still: try Places.program("strata-still")) { live in
            let began = Instant.now
            try await live.play(clip, times: 1, to: 2.4 / 12)
            try await eventually(within: .seconds(3), "a picture is there") { live.thumbnails.count == 1 }
            let bytes = try #require(Data(base64Encoded: live.thumbnails[0].base64))
            let picture = try #require(Thumbnail([UInt8](bytes)))
            #expect((picture.width, picture.height) == (320, 180) && live.thumbnails[0].ageMs < 3000)
            try await eventually(within: .seconds(4), "the slate is reported") { live.ingest?.slateMs != nil }
            // The next one would be due after 5 s, and the slate's key frames come each second.
            try await always(for: .seconds(8) - (Instant.now - began), "there is no other") { live.thumbnails.count == 1 }
            async let rest: Void = live.play(clip, times: 1, from: 8 / 12)
            try await eventually(within: .seconds(5), "the sender's next one is there") { live.thumbnails.count == 2 }
            try await rest
            await live.end()
        }
    }
}
