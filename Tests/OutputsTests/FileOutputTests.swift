import Foundation
import Outputs
import Posix
import Testing
import Units
import Wire

@Suite(.serialized) struct FileOutputTests {
    private func target(_ name: String) -> OutputSpec.Target { .file(FileTarget(name: name)) }

    @Test("a recording begins at a key frame, plays without a fault, and never overwrites another")
    func records() async throws {
        let folder = try Folder()
        try Data("old".utf8).write(to: URL(fileURLWithPath: folder.file("show.ts")))
        let stage = try await Stage(target("show.ts"), folder: try RecordingFolder(path: folder.path))
        _ = try await stage.report { $0.sentBytesTotal > 2 * Clip.h264.count }
        await stage.end()
        #expect(try String(contentsOfFile: folder.file("show.ts"), encoding: .utf8) == "old")
        let probe = try Probe(folder.file("show-2.ts"))
        #expect(probe.video > 500)
        #expect(probe.firstIsKey)
        #expect(probe.isMonotonic)
        let decode = try Running.output(
            of: "bash",
            ["-c", "ffmpeg -v warning -i '\(folder.file("show-2.ts"))' -map 0:v -f null - 2>&1 | grep -cE 'corrupt|Continuity|error'"])
        #expect(decode.trimmingCharacters(in: .whitespacesAndNewlines) == "0")
    }

    @Test("a name that is a path is refused", arguments: ["../evil.ts", "/etc/evil", ".hidden", "a/b.ts", "", "a\nb", "x?y"])
    func names(_ name: String) async throws {
        let folder = try Folder()
        let stage = try await Stage(target(name), folder: try RecordingFolder(path: folder.path))
        let report = try await stage.report { $0.state == .failed }
        #expect(report.reason?.contains("not a file name") == true)
        await stage.end()
        #expect(try folder.files("").isEmpty)
    }

    @Test("a link in the folder is not followed")
    func links() async throws {
        let folder = try Folder()
        let elsewhere = try Folder()
        symlink(elsewhere.file("victim.ts"), folder.file("show.ts"))
        let stage = try await Stage(target("show.ts"), folder: try RecordingFolder(path: folder.path))
        _ = try await stage.report { $0.state == .connected }
        await stage.end()
        #expect(try elsewhere.files("").isEmpty)
        #expect(try folder.files("").contains(folder.file("show-2.ts")))
    }

    @Test("a full disk is retried with its reason, and goes on in a new file when there is room")
    func full() async throws {
        let folder = try Folder()
        // Needs a small file system of its own.
        guard try Running.output(of: "bash", ["-c", "mount -t tmpfs -o size=1m tmpfs '\(folder.path)' && echo yes"]).contains("yes") else {
            return
        }
        defer { _ = try? Running.output(of: "umount", ["-l", folder.path]) }
        let stage = try await Stage(target("show.ts"), folder: try RecordingFolder(path: folder.path))
        let report = try await stage.report { $0.state == .retrying }
        #expect(report.reason?.contains("No space left") == true)
        _ = try Running.output(of: "mount", ["-o", "remount,size=64m", folder.path])
        await stage.output.retryNow()
        let sent = try await stage.report { $0.state == .connected }.sentBytesTotal
        _ = try await stage.report { $0.sentBytesTotal > sent + 500_000 }
        await stage.end()
        let probe = try Probe(try #require(try folder.files(".ts").first { $0 != folder.file("show.ts") }))
        #expect(probe.firstIsKey)
    }
}
