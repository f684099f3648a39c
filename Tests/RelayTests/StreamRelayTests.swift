import Foundation
import Support
import Testing
import Wire

@Suite(.serialized, .timeLimit(.minutes(2))) struct StreamRelayTests {
    @Test("a stream that is ended is recorded to its last picture and sound by RTMP, SRT and file")
    func toTheEnd() async throws {
        try await onStage { stage in
            let nginx = try await Nginx(on: stage)
            let peer = try SRTPeer.listener(on: stage, passphrase: "a-passphrase")
            let clip = try await Clip.h264.value
            let targets = [nginx.target("show"), srt(.caller, port: peer.port), .file(FileTarget(name: "show.ts"))]
            try await withRelay(targets, folder: stage.folder.path) { live in
                try await live.play(clip, times: 3, to: 0.5)
                for output in 0..<3 { try await live.wait(output, is: .connected) }
                try await live.play(clip, times: 3, from: 0.5)
                let took = await live.end()
                print("StreamRelayTests: ended after \(took.milliseconds) ms")
                #expect(took < .seconds(3))
            }
            for file in [try #require(nginx.recordings("show").last), peer.recording, stage.folder["show.ts"]] {
                try expectWhole(file, clip, on: stage)
            }
        }
    }

    /// From its first key frame on a recording has all that the clip has, to the end.
    private func expectWhole(_ file: String, _ clip: [UInt8], on stage: Stage) throws {
        let origin = stage.folder["clip.ts"]
        try Data(clip).write(to: URL(fileURLWithPath: origin))
        let sent = try Recording.accessUnits(origin, isEnded: true)
        let recorded = try Recording.accessUnits(file, isEnded: true)
        for kind in [AccessUnit.Kind.video, .audio] {
            let delivery = Delivery(sent: sent, recorded: recorded, kind)
            print("StreamRelayTests: \(file.split(separator: "/").last ?? ""): \(kind): \(delivery)")
            #expect(delivery.isCompleteToTheEnd && delivery.recorded > 100, "\(file), \(kind): \(delivery)")
        }
    }

    @Test("a full disk is told with the file and the reason, and the platform beside it misses nothing")
    func fullDisk() async throws {
        try await onStage { stage in
            let nginx = try await Nginx(on: stage)
            let clip = try await Clip.h264.value
            let disk = try stage.folder.makeFolder("disk")
            _ = try await runTool("mount", ["-t", "tmpfs", "-o", "size=512k", "tmpfs", disk])
            do {
                try await withRelay([nginx.target("show"), .file(FileTarget(name: "show.ts"))], folder: disk) { live in
                    try await live.play(clip, times: 3)
                    let report = try await live.wait(1, is: .retrying)
                    print("StreamRelayTests: \(report.reason ?? "")")
                    #expect(report.reason?.contains("show.ts") == true && report.reason?.contains("No space left") == true)
                    #expect(live.report(0)?.state == .connected && live.report(0)?.reconnectsTotal == 0)
                    await live.end()
                }
                try expectWhole(try #require(nginx.recordings("show").last), clip, on: stage)
            } catch {
                _ = try await runTool("umount", ["-l", disk])
                throw error
            }
            _ = try await runTool("umount", ["-l", disk])
        }
    }

    @Test("a platform that cannot be reached for 4 s misses nothing, and its session goes on")
    func shortCut() async throws {
        try await onStage { stage in
            let nginx = try await Nginx(on: stage)
            let clip = try await Clip.h264.value
            try await withRelay([nginx.target("show")]) { live in
                try await live.play(clip, times: 1, to: 0.1)
                try await live.wait(0, is: .connected)
                try await whileCut(.silent, port: nginx.rtmpPort) { try await live.play(clip, times: 1, from: 0.1, to: 0.1 + 4.0 / 12) }
                try await live.play(clip, times: 1, from: 0.1 + 4.0 / 12, to: 0.85)
                #expect(live.report(0)?.state == .connected && live.report(0)?.reconnectsTotal == 0)
                try await live.play(clip, times: 4, from: 0.85)
                await live.end()
            }
            let files = try nginx.recordings("show")
            #expect(files.count == 1)
            try expectWhole(try #require(files.last), clip, on: stage)
        }
    }

    @Test("who joins an SRT listener in the middle has the tables at once and every picture from the next key frame on")
    func joiner() async throws {
        try await onStage { stage in
            let clip = try await Clip.h264.value
            let port = try FreePorts.udp()
            try await withRelay([srt(.listener, port: port)]) { live in
                try await live.play(clip, times: 2, to: 0.3)
                try await live.wait(0, is: .connected)
                async let rest: Void = live.play(clip, times: 2, from: 0.3)
                // Between two key frames, which are half a second apart at this speed.
                try await Task.sleep(for: .milliseconds(400))
                let friend = try SRTPeer.caller(on: stage, port: port, passphrase: "a-passphrase", name: "friend")
                try await rest
                await live.end()
                try expectTables(friend.recording)
                try expectWhole(friend.recording, clip, on: stage)
            }
        }
    }

    /// The association and the map of the program are among the first packets: what a player needs before anything else.
    private func expectTables(_ file: String) throws {
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: file)))
        let identifiers = stride(from: 0, to: bytes.count - 188, by: 188).map { Int(bytes[$0 + 1] & 0x1F) << 8 | Int(bytes[$0 + 2]) }
        let association = try #require(identifiers.firstIndex(of: 0))
        let map = try #require(identifiers.firstIndex(of: 0x1000))
        let perSecond = Double(identifiers.count) / 8
        print("StreamRelayTests: a joiner has the tables after \(association) and \(map) packets of \(Int(perSecond)) a second")
        #expect(Double(max(association, map)) < perSecond / 5)
    }
}
