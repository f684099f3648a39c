import Foundation
import Lab
import Posix
import Support
import Testing
import Units
import Wire

/// A board that is away during a broadcast, as its viewers and its producer see it.
@Suite(.serialized, .unlessStolen, .enabled(if: NetworkNamespace.areAllowed, "namespaces are not allowed here"))
struct SilenceTests {
    /// 30 s in the nightly run.
    private static let darkness: Duration = .seconds(ProcessInfo.processInfo.environment["STRATA_SOAK"] == nil ? 6 : 30)

    @Test("a board that is away costs the platform no session: it sees the slate, and the picture within 2 s of its return")
    func away() async throws {
        try await inStudio { studio in
            let sender = try await studio.sender()
            let platform = try await studio.destination("show", url: studio.nginx.url(), secret: "show")
            let id = try await studio.start(
                StartRequest(sender: sender.id, destinations: [platform], input: InputChoice(video: "test"), encoder: Studio.small))
            try await studio.owner.wait(id, for: ["live"])
            let receiver = try #require(studio.receivers.first)
            measured("resident before the slate is ready", "\(try residentKilobytes(of: receiver)) kB")
            try await studio.record(.seconds(3), of: "show", by: studio.nginx)
            try await measure(receiver, "live")
            let killed = Instant.now
            try await studio.installation.program("sender").kill9()
            let shown = try await eventually(within: .seconds(5), "the slate is shown") {
                try studio.owner.broadcast(id).flatMap { $0.ingest?.slateMs != nil ? $0 : nil }
            }
            measured("the slate is told after", Instant.now - killed)
            #expect(shown.state == "interrupted")
            try await measure(receiver, "slate")
            // Encoders and decoders, and what asks for proxies.
            let libraries = try String(contentsOfFile: "/proc/\(receiver)/maps", encoding: .utf8)
            for name in ["libx264", "libx265", "libgstpng", "libgstvideo", "libavcodec", "libproxy", "/gio/modules/"] {
                #expect(!libraries.contains(name), "\(name) is loaded")
            }
            try await Task.sleep(for: max(.zero, Self.darkness - (Instant.now - killed)))
            #expect(try studio.owner.broadcast(id)?.state == "interrupted")
            try await studio.startSender()
            try await studio.installation.program("sender").line(containing: "\"state\":\"sending\"", within: .seconds(10))
            let sending = Instant.now
            try await eventually(within: .seconds(6), "live without the slate is told") {
                try studio.owner.broadcast(id).map { $0.state == "live" && $0.ingest?.slateMs == nil } == true
            }
            measured("live is told after it sends again by", Instant.now - sending)
            // A buffer of 1 s lies between sending and the receiver's media.
            #expect(Instant.now - sending < .seconds(4))
            try await studio.record(.seconds(2), of: "show", by: studio.nginx)
            try await studio.stopCleanly(id)
            let files = try studio.nginx.recordings("show")
            #expect(files.count == 1)
            let stretch = try await DarkStretch(#require(files.last))
            let away = Double((sending - killed).milliseconds)
            measured("the platform's file", "\(stretch), back after \(Int(stretch.seconds * 1000 - away)) ms")
            // A new sender begins with a key frame. Its buffer of 1 s is on both ends of the stretch.
            #expect(stretch.seconds * 1000 - away <= 2000)
            #expect(stretch.isMonotonic && stretch.complaints.isEmpty && stretch.changes == 2, "\(stretch)")
            #expect(stretch.widestSlateMs <= 85 && stretch.widestAudioMs <= 65, "\(stretch)")
            #expect(try studio.output(platform, of: id)?.report?.reconnectsTotal == 0)
        }
    }

    @Test("viewers see the organisation's picture meanwhile, which strata-provision has given")
    func ownPicture() async throws {
        try await inStudio { studio in
            let folder = studio.stage.folder
            let shell = Shell(session: folder["shell.json"])
            try await shell([
                "login", "--server", "http://127.0.0.1:\(studio.installation.pagePort)", "--email", "owner@example.org", "--password-file",
                folder["password"],
            ])
            let picture = folder["green.png"]
            _ = try await runTool("ffmpeg", ["-v", "error", "-f", "lavfi", "-i", "color=0x20C040:size=320x180", "-frames:v", "1", picture])
            let text = try folder.write("no picture", to: "picture.txt")
            try await shell.refused(["slate", "set", "--file", text], "neither a whole PNG nor a whole JPEG")
            try await shell.refused(["slate", "get", "--output", folder["back.png"]], "no picture of its own")
            try await shell(["slate", "set", "--file", picture])
            try await shell(["slate", "get", "--output", folder["back.png"]])
            #expect(try Data(contentsOf: URL(fileURLWithPath: folder["back.png"])) == Data(contentsOf: URL(fileURLWithPath: picture)))

            let sender = try await studio.sender()
            let platform = try await studio.destination("show", url: studio.nginx.url(), secret: "show")
            let id = try await studio.start(
                StartRequest(sender: sender.id, destinations: [platform], input: InputChoice(video: "test"), encoder: Studio.small))
            try await studio.owner.wait(id, for: ["live"])
            try await studio.record(.seconds(3), of: "show", by: studio.nginx)
            let live = try await Self.lastColor(#require(try studio.nginx.recordings("show").last))
            try await studio.installation.program("sender").kill9()
            try await eventually(within: .seconds(5), "the slate is shown") { try studio.owner.broadcast(id)?.ingest?.slateMs != nil }
            try await Task.sleep(for: .seconds(2))
            let dark = try await Self.lastColor(#require(try studio.nginx.recordings("show").last))
            func isOurs(_ color: [UInt8]) -> Bool { color[0] < 60 && color[1] > 160 && color[2] < 100 }
            #expect(isOurs(dark) && !isOurs(live), "\(live), then \(dark)")
            try await studio.startSender()
            try await studio.owner.wait(id, for: ["live"])
            try await studio.stopCleanly(id)
            try await shell(["slate", "remove"])
            try await shell.refused(["slate", "remove"], "slate")
        }
    }

    /// Of all points of the last picture of a recording: red, green and blue.
    private static func lastColor(_ recording: String) async throws -> [UInt8] {
        let raw = try await runTool(
            "ffmpeg",
            ["-v", "error", "-i", recording, "-an", "-vf", "scale=1:1:flags=area", "-pix_fmt", "rgb24", "-f", "rawvideo", "-"])
        return [UInt8](raw.output.suffix(3))
    }

    /// Over 2 s.
    private func measure(_ receiver: Int32, _ what: String) async throws {
        let share = try await ProcessorTime.share(of: receiver, over: .seconds(2)) * 100
        measured("receiver, \(what)", "\(share) % of a core, \(try residentKilobytes(of: receiver)) kB resident")
    }
}
