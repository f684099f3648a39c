import Foundation
import Posix
import Spool
import Support
import Testing
import Units
import Wire

/// A stream that is recorded beside its outputs.
@Suite(.serialized, .unlessStolen, .timeLimit(.minutes(2))) struct RecordingRelayTests {
    @Test("what an output is given is recorded unit by unit, the slate too, in one file")
    func recorded() async throws {
        let folder = try TemporaryFolder()
        let clip = try await Clip.h264.value
        var lease: LeaseID?
        try await withRelay([.file(FileTarget(name: "show.ts"))], folder: folder.path, takes: folder["takes"]) { live in
            try await live.play(clip, times: 1, to: 4.3 / 12)
            try await eventually(within: .seconds(4), "the slate is reported") { live.ingest?.slateMs != nil }
            try await live.play(clip, times: 1, from: 8.5 / 12)
            let report = try #require(live.recording)
            #expect(report.state == .recording && report.reason == nil && report.bytesTotal > 0 && report.lostFragmentsTotal == 0)
            await live.end()
            lease = try TakeShelf(folder["takes"]).leases().first
        }
        let own = try #require(lease)
        let shelf = TakeShelf(folder["takes"])
        let completion = try TakeCompletion(own, on: shelf)
        var made: RecordedTake?
        while made == nil { made = try completion.step() }
        let take = try #require(made)
        #expect(take.files.count == 1 && take.damagedFragments == 0)
        var bytes: [UInt8] = []
        while let file = take.files.first, bytes.count < file.bytes {
            bytes += try shelf.read(
                RecordingAsk(file: 1, offset: bytes.count, count: min(WireLimits.recordingPiece, file.bytes - bytes.count)), of: own)
        }
        let (film, back) = (folder["film.mp4"], folder["film.ts"])
        try Data(bytes).write(to: URL(fileURLWithPath: film))
        #expect(try await decodingErrors(film).isEmpty)
        _ = try await runTool("ffmpeg", ["-v", "error", "-i", film, "-c", "copy", "-f", "mpegts", back])
        let given = try Recording.accessUnits(folder["show.ts"], isEnded: true)
        let recorded = try Recording.accessUnits(back, isEnded: true)
        for kind in [AccessUnit.Kind.video, .audio] {
            let delivery = Delivery(sent: given, recorded: recorded, kind)
            print("RecordingRelayTests: \(kind): \(delivery)")
            #expect(delivery.missing.isEmpty && delivery.after == 0 && delivery.recorded > 50, "\(kind): \(delivery)")
            // Of the very last a packet may be missing in the other file.
            #expect(delivery.extra.allSatisfy { $0 >= delivery.recorded - 3 }, "\(kind): \(delivery)")
        }
    }

    @Test("a host without a folder for recordings says so, and the stream is none the worse for it")
    func noFolder() async throws {
        let folder = try TemporaryFolder()
        let clip = try await Clip.h264.value
        try Data("no folder".utf8).write(to: URL(fileURLWithPath: folder["takes"]))
        try await withRelay([.file(FileTarget(name: "show.ts"))], folder: folder.path, takes: folder["takes"]) { live in
            try await live.play(clip, times: 2, to: 0.5)
            try await live.wait(0, is: .connected)
            #expect(live.recording?.state == .waiting && live.recording?.reason?.contains("nothing is recorded") == true)
            await live.end()
        }
        #expect(try Recording.accessUnits(folder["show.ts"], isEnded: true).count > 50)
    }
}
