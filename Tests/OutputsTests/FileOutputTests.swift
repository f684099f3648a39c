import Foundation
import Outputs
import Support
import Testing
import Units
import Wire

@Suite(.serialized, .unlessStolen, .timeLimit(.minutes(2))) struct FileOutputTests {
    private func target(_ name: String) -> OutputSpec.Target { .file(FileTarget(name: name)) }

    @Test("a recording begins at a key frame, decodes without a fault, and never overwrites another")
    func records() async throws {
        let folder = try TemporaryFolder()
        _ = try folder.write("old", to: "show.ts")
        try await withOutput(target("show.ts"), folder: try RecordingFolder(path: folder.path)) { live in
            try await live.passOn(3_500_000)
        }
        #expect(try String(contentsOfFile: folder["show.ts"], encoding: .utf8) == "old")
        try expectGood(folder["show-2.ts"], video: 500, audio: 900)
        // The pictures alone: the end of a recording cuts the last packet of sound.
        let decoded = try await runTool("ffmpeg", ["-v", "error", "-i", folder["show-2.ts"], "-map", "0:v", "-f", "null", "-"])
        #expect(decoded.errors == "")
    }

    @Test("a name that is a path is refused", arguments: ["../evil.ts", "/etc/evil", ".hidden", "a/b.ts", "", "a\nb", "x?y"])
    func names(_ name: String) async throws {
        let folder = try TemporaryFolder()
        try await withOutput(target(name), folder: try RecordingFolder(path: folder.path)) { live in
            let report = try await live.report("fails") { $0.state == .failed }
            #expect(report.reason?.contains("not a file name") == true)
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }

    @Test("a link in the folder is not followed")
    func links() async throws {
        let folder = try TemporaryFolder()
        let elsewhere = try TemporaryFolder()
        try FileManager.default.createSymbolicLink(atPath: folder["show.ts"], withDestinationPath: elsewhere["victim.ts"])
        try await withOutput(target("show.ts"), folder: try RecordingFolder(path: folder.path)) { live in
            try await live.passOn(100_000)
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: elsewhere.path).isEmpty)
        #expect(FileManager.default.fileExists(atPath: folder["show-2.ts"]))
    }

    @Test("a full disk is retried with its reason, and the recording goes on in a new file once there is room")
    func full() async throws {
        let folder = try TemporaryFolder()
        let mounted = try await runTool("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", folder.path], mayFail: true)
        try #require(mounted.status == 0, "a small file system of its own is needed: \(mounted.errors)")
        do {
            try await withOutput(target("show.ts"), folder: try RecordingFolder(path: folder.path)) { live in
                let report = try await live.report("is told") { $0.state == .retrying }
                #expect(report.reason?.contains("No space left") == true)
                _ = try await runTool("mount", ["-o", "remount,size=64m", folder.path])
                await live.output.retryNow()
                try await live.report("goes on") { $0.state == .connected }
                try await live.passOn(500_000)
            }
            let others = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0 != "show.ts" }
            try expectGood(folder[try #require(others.max())], video: 20, audio: 20)
        } catch {
            _ = try await runTool("umount", ["-l", folder.path])
            throw error
        }
        _ = try await runTool("umount", ["-l", folder.path])
    }
}
