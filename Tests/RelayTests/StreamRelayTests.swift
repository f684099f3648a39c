import Foundation
import Support
import Testing
import Wire

@Suite(.serialized, .unlessStolen, .timeLimit(.minutes(2))) struct StreamRelayTests {
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
            for file in [try #require(try await nginx.finished("show").last), try await peer.finished(), stage.folder["show.ts"]] {
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
                try expectWhole(try #require(try await nginx.finished("show").last), clip, on: stage)
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
            let files = try await nginx.finished("show")
            #expect(files.count == 1)
            try expectWhole(try #require(files.last), clip, on: stage)
        }
    }

    @Test("who joins an SRT listener in the middle begins with the tables and a key frame, and misses nothing after it")
    func joiners() async throws {
        try await onStage { stage in
            let clip = try await Clip.h264.value
            let port = try FreePorts.udp()
            try await withRelay([srt(.listener, port: port)]) { live in
                try await live.play(clip, times: 2, to: 0.3)
                try await live.wait(0, is: .connected)
                async let rest: Void = live.play(clip, times: 2, from: 0.3)
                var friends: [SRTPeer] = []
                // Wherever they come between two key frames, which are half a second apart at this speed.
                for name in ["first", "second", "third"] {
                    try await Task.sleep(for: .milliseconds(400))
                    friends.append(try SRTPeer.caller(on: stage, port: port, passphrase: "a-passphrase", name: name))
                }
                try await rest
                await live.end()
                for friend in friends {
                    _ = try await friend.finished()
                    try expectBeginning(friend.recording)
                    try expectWhole(friend.recording, clip, on: stage)
                }
            }
        }
    }

    /// The association, the map of the program, a key frame: what a player needs, and nothing before it.
    private func expectBeginning(_ file: String) throws {
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: file)))
        try #require(bytes.count > 1000 * 188)
        let identifiers = [0, 188].map { Int(bytes[$0 + 1] & 0x1F) << 8 | Int(bytes[$0 + 2]) }
        #expect(identifiers == [0, 0x1000], "\(identifiers)")
        #expect(bytes[377] & 0x40 != 0, "a unit begins")
        let head = bytes[376..<940]
        let isKey = head.indices.dropLast(3).contains { bytes[$0..<$0 + 3] == [0, 0, 1] && bytes[$0 + 3] & 0x1F == 7 }
        #expect(isKey, "its parameters come with it")
    }
}
