import Foundation
import Support
import Testing
import Units

@testable import MPEGTS
@testable import Relay

@Suite(.unlessStolen, .timeLimit(.minutes(2))) struct SplicerTests {
    @Test("a sender that is silent for 3 s and goes on is replaced from its last picture on, and taken up at its next key frame")
    func links() async throws {
        let clip = try await Clip.h264.value
        var simulation = Simulation()
        simulation.play(clip, to: 3.3)
        simulation.dark(.seconds(3))
        // Its clock ran on meanwhile.
        let back = simulation.now
        simulation.play(clip, from: 6.3, to: 12)
        simulation.finish()
        try simulation.expectUnbroken()
        let first = try #require(simulation.shown.last { $0.isSlate })
        let returned = try #require(simulation.shown.first { $0.at > back && !$0.isSlate })
        print("SplicerTests: \(simulation.slatePictures.count) pictures of the slate, back after \((returned.at - back).milliseconds) ms")
        #expect(returned.at - back <= .seconds(2) && first.at >= back)
        #expect(simulation.slatePictures.count >= 74)
        // The pace is that of time: 3.3 s, 3 s of darkness and what came after them.
        let length = try #require(simulation.shown.last).unit.decode - simulation.shown[0].unit.decode
        #expect(abs(Double(length.ticks) / 90_000 - 12) < 0.3)
    }

    @Test("a sender that is started again, counts from zero, with the tables first, goes on behind the slate")
    func restarted() async throws {
        let clip = try await Clip.h264.value
        var simulation = Simulation()
        simulation.play(clip, to: 4)
        simulation.dark(.seconds(5))
        simulation.play(clip, to: 3)
        simulation.dark(.seconds(4))
        simulation.play(clip, to: 3)
        simulation.finish()
        try simulation.expectUnbroken()
    }

    @Test("sound that was cut off in the middle of a frame, and a torn picture, are left out for everybody")
    func torn() async throws {
        let clip = try await Clip.h264.value
        for cut in stride(from: 3.0, to: 3.4, by: 0.021) {
            var simulation = Simulation()
            simulation.play(clip, to: cut)
            simulation.dark(.seconds(2))
            simulation.play(clip, from: 6, to: 8)
            simulation.finish()
            try simulation.expectUnbroken()
        }
    }

    @Test("sound that ended long before its pictures is not caught up with: silence begins where the slate does")
    func soundEnded() async throws {
        let clip = try await Clip.h264.value
        var simulation = Simulation()
        simulation.play(clip, to: 2.5)
        let pid = try #require(simulation.splicer.reader.program?.audio?.pid)
        var mute = clip
        for start in stride(from: 0, to: clip.count, by: 188) where Packet(clip, at: start)?.pid == pid {
            // A packet of nothing.
            (mute[start + 1], mute[start + 2]) = (0x1F, 0xFF)
        }
        simulation.play(mute, from: 2.5, to: 11.5)
        simulation.dark(.seconds(3))
        simulation.finish()
        let last = try #require(simulation.shown.last { !$0.isSlate }).unit.decode.ticks
        // The sound ended 9 s before that.
        let silence = simulation.sounds.map(\.presentation.ticks).filter { $0 > last - 7 * 90_000 }
        #expect(silence.count > 60 && silence.count < 180, "\(silence.count) sounds for 3 s")
        #expect(silence.allSatisfy { $0 > last - 90_000 })
        #expect(simulation.slatePictures.count > 60)
        #expect(simulation.splicer.reader.restarts == 0)
    }

    @Test("a sender whose sound is hours ahead of its pictures is taken up without it")
    func soundFarAhead() async throws {
        let clip = try await Clip.h264.value
        var simulation = Simulation()
        simulation.play(clip, to: 3)
        let pid = try #require(simulation.splicer.reader.program?.audio?.pid)
        simulation.dark(.seconds(3))
        var ahead = clip
        for start in stride(from: 0, to: clip.count, by: 188) {
            guard let packet = Packet(clip, at: start), packet.pid == pid, packet.startsUnit,
                let place = PESHeader(clip, at: packet.payloadStart, end: packet.end)?.presentationStart
            else { continue }
            Timestamp.writeStamp(Timestamp.wrap(Timestamp.readStamp(clip, at: place) + 3600 * 90_000), &ahead, at: place)
        }
        let heard = simulation.sounds.count
        simulation.play(ahead, from: 6, to: 9)
        #expect(simulation.sounds.count - heard < 1000, "\(simulation.sounds.count - heard) sounds in 3 s")
        #expect(simulation.shown.last?.isSlate == false)
    }

    @Test("a sender that flaps is never shown without a key frame, and not at all before it comes steadily")
    func flapping() async throws {
        let clip = try await Clip.h264.value
        var simulation = Simulation()
        simulation.play(clip, to: 3)
        for turn in 0..<6 {
            simulation.dark(.seconds(2))
            let at = 3.1 + Double(turn) * 0.9
            simulation.play(clip, from: at, to: at + 0.3)
        }
        simulation.dark(.seconds(2))
        let back = simulation.now
        simulation.play(clip, from: 8.5, to: 12)
        simulation.finish()
        try simulation.expectUnbroken()
        let changes = zip(simulation.shown, simulation.shown.dropFirst()).filter { $0.isSlate != $1.isSlate }
        print("SplicerTests: a flapping sender: \(changes.count) changes")
        #expect(changes.count <= 4)
        let returned = try #require(simulation.shown.last { $0.isSlate })
        #expect(returned.at - back <= .milliseconds(2300))
    }

    @Test("nothing is shown before the first picture, however long it takes, and nothing for a stream that has no slate yet")
    func before() async throws {
        let clip = try await Clip.h264.value
        var simulation = Simulation()
        simulation.dark(.seconds(60))
        #expect(simulation.shown.isEmpty)
        // Half a second tells no rate: its gap is a gap.
        simulation.play(clip, to: 0.5)
        simulation.dark(.seconds(3))
        #expect(simulation.slatePictures.isEmpty)
        simulation.play(clip, from: 0.5, to: 3)
        simulation.dark(.seconds(3))
        #expect(simulation.slatePictures.count > 60)
    }

    @Test("a slate over the end of 33 bits has no gap, and after a day in which the machine stood still for hours it is where time is")
    func day() async throws {
        let clip = try await wrapping(after: 6)
        var simulation = Simulation()
        simulation.play(clip, to: 3.5)
        let begin = (now: simulation.now, last: try #require(simulation.shown.last).unit.decode)
        simulation.dark(.seconds(120))
        try simulation.expectUnbroken()
        let seconds = Double(((try #require(simulation.shown.last)).unit.decode - begin.last).ticks) / 90_000
        print("SplicerTests: 120 s of slate: \(simulation.slatePictures.count) pictures, \(seconds) s")
        #expect(abs(seconds - 120) < 0.1)
        for hour in 1...24 {
            simulation.now = begin.now + .seconds(hour * 3600)
            simulation.dark(.seconds(1))
        }
        let pictures = simulation.shown.map(\.unit.decode)
        #expect(zip(pictures, pictures.dropFirst()).allSatisfy { $0 < $1 })
        #expect(zip(simulation.sounds, simulation.sounds.dropFirst()).allSatisfy { $0.presentation < $1.presentation })
        let late = Double(((try #require(pictures.last)) - begin.last).ticks) / 90_000 - (simulation.now - begin.now) / .seconds(1)
        print("SplicerTests: after a day \(late * 1000) ms off")
        #expect(abs(late) < 0.15)
        let sound = try #require(simulation.sounds.last).presentation
        #expect(abs((try #require(pictures.last) - sound).ticks) < 9000)
    }

    private func wrapping(after seconds: Int) async throws -> [UInt8] {
        try await onStage { stage in
            let path = stage.folder["wrap.ts"]
            try await Clip.makeWrapping(path, after: seconds, seconds: 12)
            return [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        }
    }

    @Test(
        "pictures that are shown in another order than decoded stay behind the slate's, and the slate's behind theirs",
        arguments: [true, false])
    func reordered(_ hasSound: Bool) async throws {
        let clip = try await onStage { stage in
            let path = stage.folder["b.ts"]
            let sound = ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=44100"]
            let arguments = ["-v", "error", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=30"] + (hasSound ? sound : [])
            let coding = ["-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "veryfast", "-bf", "3", "-g", "30", "-flags", "-cgop"]
            let format = (hasSound ? ["-c:a", "aac", "-ac", "1"] : []) + ["-t", "12", "-f", "mpegts", path]
            _ = try await runTool("ffmpeg", arguments + coding + format)
            return [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        }
        var simulation = Simulation()
        simulation.play(clip, to: 4)
        simulation.dark(.seconds(4))
        simulation.play(clip, from: 8, to: 12)
        simulation.finish()
        // A picture that is shown later than decoded keeps its place free.
        try simulation.expectUnbroken(pictureMs: 110, soundMs: 50)
        #expect(simulation.sounds.isEmpty == !hasSound)
        #expect(simulation.slatePictures.count > 100)
        // No two pictures are shown at once, nor is a slate's later than what follows it.
        let shown = simulation.shown.map(\.unit.presentation).sorted()
        #expect(zip(shown, shown.dropFirst()).allSatisfy { $0 < $1 })
    }
}
