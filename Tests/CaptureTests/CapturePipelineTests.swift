import Foundation
import Inputs
import Logging
import Posix
import Support
import Testing
import Units
import Wire

@testable import Capture

private let quiet = Log("test", threshold: .warning)
private let small = EncoderChoice(bitrate: .kilobits(800), width: 320, height: 180, frameRate: 30)

@Suite("Capture", .serialized, .unlessStolen, .timeLimit(.minutes(1))) struct CapturePipelineTests {
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
        // A loaded machine may drop a frame, never move one.
        #expect(zip(probe.video, probe.video.dropFirst()).allSatisfy { $1.pts > $0.pts && ($1.pts - $0.pts) % 3000 == 0 })
        #expect(zip(probe.audio, probe.audio.dropFirst()).allSatisfy { abs($1.pts - $0.pts - 1920) <= 1 })
        #expect(capture.figures.framesTotal >= 70)
        #expect(capture.figures.producedBytesTotal >= recorder.bytes.count)
    }

    @Test("a file is played in a loop whose timestamps go on", arguments: [Clips.Kind.mp4, .mkv, .ts])
    func loop(kind: Clips.Kind) async throws {
        let probe = try await record(CaptureSources(picture: try await Clips.make(kind)), pictures: 120)
        #expect(probe.videoCodec == "h264")
        #expect(probe.audioCodec == "aac")
        // 1.5 s are 45 frames: two ends lie within. The sound is 1.5 s and the rest of an AAC frame, so an end may add a frame.
        let gaps = zip(probe.video, probe.video.dropFirst()).map { $1.pts - $0.pts }
        #expect(gaps.allSatisfy { $0 > 0 && $0 <= 9000 }, "\(gaps)")
        #expect(gaps.filter { $0 != 3000 }.count <= 6, "\(gaps)")
        #expect(isContinuous(probe.audio))
    }

    @Test("a file without sound is sent with silence")
    func silentFile() async throws {
        let probe = try await record(CaptureSources(picture: try await Clips.make(.silentMP4)), pictures: 60)
        #expect(probe.audioCodec == "aac")
        #expect(isContinuous(probe.audio))
        #expect(probe.audio.count > 60)
    }

    @Test("a sound file plays under the test picture, in a loop", arguments: [Clips.Kind.mp3, .wav])
    func soundFile(kind: Clips.Kind) async throws {
        let recorder = Recorder()
        let capture = CapturePipeline(encoder: small, log: quiet, sink: recorder.sink)
        try await capture.start(CaptureSources(picture: .test, sound: try await Clips.make(kind)))
        await recorder.wait(forPictures: 105)
        let figures = capture.figures
        await capture.stop()
        let probe = try await Probe(scratch.write("sound.ts", recorder.bytes))
        #expect(isContinuous(probe.audio))
        // Silence only before its first sample, and where an MP3 frame is lost at the end of the loop.
        #expect(figures.silentSamplesTotal < 12_000, "\(figures)")
    }

    @Test("an input is exchanged with a gap under 1 s, and timestamps go on")
    func switching() async throws {
        let recorder = Recorder()
        let capture = CapturePipeline(encoder: small, log: quiet, sink: recorder.sink)
        try await capture.start(CaptureSources(picture: .test))
        await recorder.wait(forPictures: 30)
        try await capture.switchInput(to: CaptureSources(picture: try await Clips.make(.mp4)))
        await recorder.wait(forPictures: 60)
        try await capture.switchInput(to: CaptureSources(picture: .test))
        await recorder.wait(forPictures: 90)
        await capture.stop()
        let probe = try await Probe(scratch.write("switch.ts", recorder.bytes))
        let gaps = zip(probe.video, probe.video.dropFirst()).map { $1.pts - $0.pts }
        #expect(gaps.allSatisfy { $0 > 0 && $0 < 90_000 }, "\(gaps.max() ?? 0)")
        #expect(isContinuous(probe.audio))
    }

    @Test("an input that cannot be opened leaves the running one in place")
    func badSwitch() async throws {
        let recorder = Recorder()
        let capture = CapturePipeline(encoder: small, log: quiet, sink: recorder.sink)
        try await capture.start(CaptureSources(picture: .test))
        let nothing = try scratch.write("broken.mp4", Array("this is no film".utf8))
        do {
            try await capture.switchInput(to: CaptureSources(picture: try Clips.open(nothing, .mp4)))
            Issue.record("it was taken")
        } catch {
            #expect((error as? CaptureFault)?.step == .input)
        }
        let before = recorder.pictures
        await recorder.wait(forPictures: before + 15)
        await capture.stop()
    }

    @Test("what cannot start is named by its step and element")
    func preflight() async throws {
        let camera = OpenInput.camera(Camera(id: "v4l2:gone", path: "/dev/video99", modes: []))
        await expectFault(.input, "camera", CaptureSources(picture: camera))
        await expectFault(.input, "alsa:x", CaptureSources(picture: .microphone(Microphone(id: "alsa:x", device: "hw:9"))))
        await expectFault(
            .input, "microphone", CaptureSources(picture: .test, sound: .microphone(Microphone(id: "alsa:x", device: "hw:9"))))
        var absent = small
        absent.id = .vah264
        await expectFault(.encoder, "vah264", CaptureSources(picture: .test), absent)
        var wrong = small
        wrong.id = .x264
        wrong.codec = .h265
        await expectFault(.encoder, "x264", CaptureSources(picture: .test), wrong)
    }

    @Test("the bit rate changes while it runs, without a new key frame", arguments: [EncoderID.x264, .openh264])
    func bitrate(encoder: EncoderID) async throws {
        var choice = EncoderChoice(id: encoder, bitrate: .kilobits(2000), width: 640, height: 360, frameRate: 30)
        choice.id = encoder
        let recorder = Recorder()
        let capture = CapturePipeline(encoder: choice, log: quiet, sink: recorder.sink)
        try await capture.start(CaptureSources(picture: .test))
        await recorder.wait(forPictures: 64)
        let high = recorder.bytes.count
        await capture.setBitrate(.kilobits(300))
        await recorder.wait(forPictures: 75)
        let middle = recorder.bytes.count
        await recorder.wait(forPictures: 118)
        let low = recorder.bytes.count
        await capture.stop()
        let probe = try await Probe(scratch.write("rate.ts", recorder.bytes))
        let keys = probe.video.enumerated().filter { $0.element.isKey }.map(\.offset)
        // openh264 begins anew by itself.
        #expect(keys.prefix(2) == [0, 60] && (encoder == .openh264 || keys.count == 2 || keys[2] == 120), "\(keys)")
        let before = Double(high) / 64
        let after = Double(low - middle) / 43
        #expect(after < before * 0.6, "\(before) then \(after) bytes a frame")
    }

    @Test(
        "frames that are left out come at even distances and with as many bits as before, and sound stays whole",
        arguments: [EncoderID.x264, .openh264])
    func thinned(encoder: EncoderID) async throws {
        let choice = EncoderChoice(id: encoder, bitrate: .kilobits(400), width: 640, height: 360, frameRate: 30)
        let recorder = Recorder()
        let capture = CapturePipeline(encoder: choice, log: quiet, sink: recorder.sink)
        try await capture.start(CaptureSources(picture: .test))
        await recorder.wait(forPictures: 75)
        let whole = recorder.pictures
        capture.keep(oneOf: 5)
        await recorder.wait(forPictures: whole + 25)
        let figures = capture.figures
        await capture.stop()
        let probe = try await Probe(scratch.write("thin.ts", recorder.bytes))
        let gaps = zip(probe.video, probe.video.dropFirst()).map { $1.pts - $0.pts }
        // Some that the encoder had already.
        let thin = gaps.dropFirst(whole + 4)
        #expect(thin.count > 12 && thin.allSatisfy { $0 % 3000 == 0 && $0 >= 15_000 }, "\(gaps)")
        #expect(thin.count { $0 == 15_000 } * 2 > thin.count, "\(gaps)")
        #expect(figures.thinnedFramesTotal >= 4 * 20)
        // By the encoder's count the third key frame would come ten seconds after the second.
        let keys = probe.video.filter(\.isKey).map(\.pts) + [probe.video.last?.pts ?? 0]
        #expect(zip(keys, keys.dropFirst()).allSatisfy { $1 - $0 <= 3 * 90_000 }, "\(keys)")
        #expect(isContinuous(probe.audio))
        func mean(_ pictures: ArraySlice<Probe.Packet>) -> Double { Double(pictures.reduce(0) { $0 + $1.bytes }) / Double(pictures.count) }
        let (before, after) = (mean(probe.video[32..<58]), mean(probe.video[(whole + 8)...].filter { !$0.isKey }[...]))
        #expect((0.4...2).contains(after / before), "\(before) then \(after) bytes a frame")
    }

    @Test("a key frame that is asked for comes soon, out of its turn", arguments: [EncoderID.x264, .openh264])
    func keyFrame(encoder: EncoderID) async throws {
        var choice = small
        choice.id = encoder
        let recorder = Recorder()
        let capture = CapturePipeline(encoder: choice, log: quiet, sink: recorder.sink)
        try await capture.start(CaptureSources(picture: .test))
        await recorder.wait(forPictures: 20)
        let before = recorder.pictures
        await capture.requestKeyFrame()
        await recorder.wait(forPictures: 50)
        await capture.stop()
        let probe = try await Probe(scratch.write("key.ts", recorder.bytes))
        let keys = probe.video.enumerated().filter { $0.element.isKey }.map(\.offset)
        // The next regular one would be the sixtieth.
        let asked = keys.dropFirst().first ?? 0
        #expect(keys.first == 0 && (before - 1..<before + 15).contains(asked), "\(keys) from \(before) on")
    }

    @Test("timestamps run through the wrap of 33 bits")
    func wrap() async throws {
        let recorder = Recorder()
        let timeline = CaptureTimeline(base: .now, firstTicks: (1 << 33) - 270_000)
        let capture = CapturePipeline(encoder: small, timeline: timeline, log: quiet, sink: recorder.sink)
        try await capture.start(CaptureSources(picture: .test))
        await recorder.wait(forPictures: 110)
        await capture.stop()
        let times = recorder.videoTimes
        #expect(times.first.map { $0 > (1 << 33) - 270_000 } == true)
        #expect(times.last.map { $0 < 180_000 } == true)
        #expect(zip(times, times.dropFirst()).allSatisfy { ($1 - $0 + (1 << 33)) % (1 << 33) <= 90_000 })
    }

    @Test("each access unit is traced with its time and hash, as it stands in the stream")
    func trace() async throws {
        let recorder = Recorder()
        let path = "\(scratch.path)/units"
        let capture = CapturePipeline(encoder: small, trace: path, log: quiet, sink: recorder.sink)
        try await capture.start(CaptureSources(picture: .test))
        await recorder.wait(forPictures: 40)
        await capture.stop()
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map { $0.split(separator: " ") }
        #expect(lines.allSatisfy { $0.count == 3 && $0[2].count == 64 })
        let video = lines.filter { $0[0] == "v" }.compactMap { Int64($0[1]) }
        #expect(video.prefix(40) == recorder.videoTimes.prefix(40))
        #expect(lines.filter { $0[0] == "a" }.count > 40)
    }

    @Test("flash and beep of the test input are within 40 ms of each other")
    func flashAndBeep() async throws {
        let recorder = Recorder()
        let capture = CapturePipeline(encoder: small, log: quiet, sink: recorder.sink)
        try await capture.start(CaptureSources(picture: .test))
        await recorder.wait(forPictures: 100)
        await capture.stop()
        let file = try scratch.write("sync.ts", recorder.bytes)
        let flashes = try await beginnings(
            file, ["-vf", "crop=iw/4:ih/4,signalstats,metadata=print:key=lavfi.signalstats.YAVG:file=-"], key: "YAVG", over: 128)
        let beeps = try await beginnings(
            file,
            ["-af", "asetnsamples=96,astats=metadata=1:reset=1,ametadata=print:key=lavfi.astats.Overall.RMS_level:file=-"],
            key: "RMS_level", over: -30)
        #expect(flashes.count >= 2)
        for flash in flashes {
            #expect(beeps.contains { abs($0 - flash) <= 0.040 }, "flash at \(flash), beeps at \(beeps)")
        }
    }

    @Test("an input that stops giving frames is a failure within 3 s")
    func stall() async throws {
        let capture = CapturePipeline(encoder: small, log: Log("test", threshold: .error), sink: { _ in })
        try await capture.start(CaptureSources(picture: .test))
        var events = capture.events.makeAsyncIterator()
        #expect(await events.next() == .flowing)
        let before = Instant.now
        // The input goes on and nothing of it is heard or seen, as with a camera whose driver hangs.
        capture.junction.activate(picture: nil, sound: nil)
        guard case .failed(let fault) = await events.next() else { return #expect(Bool(false), "no failure was told") }
        #expect(fault.reason.contains("stalled"))
        #expect((.seconds(1.9)...(.seconds(3))).contains(Instant.now - before))
        await capture.stop()
    }

    @Test("a file that is cut off under the player is a failure within 2 s", arguments: [Clips.Kind.mp4, .ts])
    func broken(kind: Clips.Kind) async throws {
        let (input, path) = try await Clips.makeFile(kind)
        let recorder = Recorder()
        let capture = CapturePipeline(encoder: small, log: Log("test", threshold: .error), sink: recorder.sink)
        try await capture.start(CaptureSources(picture: input))
        var events = capture.events.makeAsyncIterator()
        #expect(await events.next() == .flowing)
        await recorder.wait(forPictures: 45)
        let before = Instant.now
        #expect(truncate(path, 0) == 0)
        guard case .failed(let fault) = await events.next() else { return #expect(Bool(false), "no failure was told") }
        #expect(Instant.now - before < .seconds(2), "\(fault)")
        await capture.stop()
    }

    @Test("a sound input that breaks is told as lacking, the picture goes on with silence, and with the sound's return all is as planned")
    func soundReturns() async throws {
        let (sound, path) = try await Clips.makeFile(.mp4)
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        let recorder = Recorder()
        let capture = CapturePipeline(encoder: small, log: Log("test", threshold: .error), sink: recorder.sink)
        try await capture.start(CaptureSources(picture: .test, sound: sound))
        var events = capture.events.makeAsyncIterator()
        #expect(await events.next() == .flowing)
        #expect(truncate(path, 0) == 0)
        guard case .degraded(let reason) = await events.next() else { return #expect(Bool(false), "the loss was not told") }
        #expect(reason.contains(path) && reason.contains("cut off"))
        await recorder.wait(forPictures: recorder.pictures + 30)
        try whole.write(to: URL(fileURLWithPath: path))
        try await capture.switchInput(to: CaptureSources(picture: .test, sound: sound))
        #expect(await events.next() == .restored)
        await recorder.wait(forPictures: recorder.pictures + 30)
        await capture.stop()
        #expect(isContinuous(try await Probe(scratch.write("returned.ts", recorder.bytes)).audio))
    }

    @Test("a sound input that floods is cut, and the picture goes on")
    func flood() async throws {
        let recorder = Recorder()
        let capture = CapturePipeline(encoder: small, log: Log("test", threshold: .error), sink: recorder.sink)
        // ALSA's `null` device gives zeros as fast as they are read.
        try await capture.start(CaptureSources(picture: .test, sound: .microphone(Microphone(id: "alsa:null", device: "null"))))
        await recorder.wait(forPictures: 45)
        await capture.stop()
        let probe = try await Probe(scratch.write("null.ts", recorder.bytes))
        #expect(isContinuous(probe.audio))
        #expect(probe.audio.count > 40)
    }

    @Test("H.265 is made by x265")
    func h265() async throws {
        var choice = small
        choice.codec = .h265
        let probe = try await record(CaptureSources(picture: .test), pictures: 20, choice)
        #expect(probe.videoCodec == "hevc")
        #expect(probe.audioCodec == "aac")
    }

    @Test("a capture that is stopped while it starts ends")
    func stopDuringStart() async throws {
        let capture = CapturePipeline(encoder: small, log: quiet, sink: { _ in })
        async let started: Void = capture.start(CaptureSources(picture: .test))
        await capture.stop()
        _ = try? await started
        await capture.stop()
        var events = capture.events.makeAsyncIterator()
        while await events.next() != nil {}
    }

    // MARK: - Steps

    private func record(_ sources: CaptureSources, pictures: Int, _ choice: EncoderChoice = small) async throws -> Probe {
        let recorder = Recorder()
        let capture = CapturePipeline(encoder: choice, log: quiet, sink: recorder.sink)
        try await capture.start(sources)
        await recorder.wait(forPictures: pictures)
        await capture.stop()
        return try await Probe(scratch.write("out.ts", recorder.bytes))
    }

    /// Times at which a value that ffmpeg prints per frame comes over a limit.
    private func beginnings(_ file: String, _ filter: [String], key: String, over limit: Double) async throws -> [Double] {
        let result = try await run("ffmpeg", ["-v", "error", "-copyts", "-i", file] + filter + ["-f", "null", "-"])
        var time = 0.0
        var isOver = true
        var found: [Double] = []
        for line in result.output.split(separator: "\n") {
            if let range = line.range(of: "pts_time:") { time = Double(line[range.upperBound...].prefix { $0 != " " }) ?? 0 }
            guard line.contains(key), let text = line.split(separator: "=").last else { continue }
            // Silence is "-inf" or "nan".
            let value = Double(text).flatMap { $0.isFinite ? $0 : nil } ?? -1000
            if value > limit, !isOver { found.append(time) }
            isOver = value > limit
        }
        return found
    }

    private func expectFault(
        _ step: CaptureFault.Step, _ element: String, _ sources: CaptureSources, _ choice: EncoderChoice = small
    ) async {
        let capture = CapturePipeline(encoder: choice, log: quiet, sink: { _ in })
        do {
            try await capture.start(sources)
            Issue.record("it started")
        } catch {
            #expect(error.step == step)
            #expect(error.element.contains(element), "\(error)")
        }
        await capture.stop()
    }

    /// Each AAC frame follows the one before it.
    private func isContinuous(_ audio: [Probe.Packet]) -> Bool {
        zip(audio, audio.dropFirst()).allSatisfy { abs($1.pts - $0.pts - 1920) <= 2 }
    }
}
