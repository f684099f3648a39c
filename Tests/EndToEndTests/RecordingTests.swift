import Crypto
import Foundation
import HTTP
import Posix
import Support
import Testing
import Units
import Wire

/// A broadcast that is recorded by its receiver, as far as the file that somebody downloads.
@Suite(.serialized, .unlessStolen)
struct RecordingTests {
    @Test(
        "a broadcast whose receiver, pool and control are killed is in the library: what the platform got, but a second at a kill, and it plays",
        .row("REC-08", "PST-18", "STO-06"))
    func recorded() async throws {
        try await inStudio { studio in
            let sender = try await studio.sender()
            let platform = try await studio.destination("platform", url: studio.nginx.url(), secret: "show")
            let request = StartRequest(sender: sender.id, destinations: [platform], encoder: Studio.small(), record: true)
            let id = try await studio.start(request)
            let live = try await studio.owner.wait(id, for: ["live"])
            try await studio.record(.seconds(4), of: "show", by: studio.nginx)
            let running = try #require(try await library(studio).first)
            #expect(running.state == .recording && running.broadcast == id && running.name == sender.name)

            kill(Int32(try #require(live.receiver?.pid)), SIGKILL)
            try await eventually(within: .seconds(10), "there is a second session of the platform") {
                try studio.nginx.recordings("show").count == 2
            }
            // The store, and whoever decides, are away for a part of it.
            try await studio.installation.program("control").kill9()
            try await studio.record(.seconds(4), of: "show", by: studio.nginx)
            studio.owner.forget()
            try await studio.installation.startControl()
            try await studio.owner.wait(id, for: ["live"], within: .seconds(10))
            try await studio.stopCleanly(id)
            // While it is being finished, or on its way.
            try await studio.installation.program("pool").kill9()
            try await studio.installation.startPool()
            let ready = try await eventually(within: .seconds(60), "it is stored") { () -> RecordingView? in
                try await library(studio).first { $0.state == .ready }
            }
            #expect(ready.reason == nil && ready.bytes > 0 && ready.durationMs > 8000, "\(ready)")
            try await eventually(within: .seconds(20), "the host has let go of it") {
                try FileManager.default.contentsOfDirectory(atPath: studio.stage.folder["recordings/.takes"]).isEmpty
            }
            try await judge(studio, ready)
            try await watch(studio, ready)
            try await strangers(studio, ready)
            try await remove(studio, ready)
        }
    }

    private func library(_ studio: Studio, _ query: String = "") async throws -> [RecordingView] {
        let page: RecordingPage = try await studio.owner.call(.get, "/recordings\(query)")
        return page.items
    }

    private func links(_ studio: Studio, _ recording: RecordingView) async throws -> [RecordingLinks.Link] {
        let links: RecordingLinks = try await studio.owner.call(.post, "/recordings/\(recording.id)/links")
        return links.items
    }

    /// The file that somebody downloads who is not signed in, against what the platform and the board's own trace have.
    private func judge(_ studio: Studio, _ recording: RecordingView) async throws {
        let found: RecordingView = try await studio.owner.call(.get, "/recordings/\(recording.id)")
        let files = try #require(found.files)
        // The encoder is the same after the kill: one file.
        #expect(files.count == 1 && files.allSatisfy(\.stored))
        let link = try #require(try await links(studio, recording).first)
        let (film, back) = (studio.stage.folder["film.mp4"], studio.stage.folder["film.ts"])
        _ = try await runTool("curl", ["-sSf", "-o", film, studio.owner.server + link.url])
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: film)))
        #expect(bytes.count == files[0].bytes && Hex.encode(SHA256.hash(bytes)) == files[0].sha256)
        let part = try await runTool("curl", ["-sSf", "-D", "-", "-o", back, "-r", "1000-1999", studio.owner.server + link.url])
        #expect(part.text.contains(" 206 ") && part.text.lowercased().contains("content-range: bytes 1000-1999/\(bytes.count)"))
        #expect([UInt8](try Data(contentsOf: URL(fileURLWithPath: back))) == Array(bytes[1000..<2000]))

        let probe = try await Probe(film)
        #expect(probe.video?.codecName == "h264" && probe.video?.width == 640 && probe.audio?.codecName == "aac")
        #expect(abs(probe.seconds - Double(recording.durationMs) / 1000) < 1, "\(probe.seconds)")
        #expect(try await decodingErrors(film).isEmpty)
        _ = try await runTool("ffmpeg", ["-v", "error", "-y", "-i", film, "-c", "copy", "-f", "mpegts", back])
        let recorded = try Recording.accessUnits(back, isEnded: true)
        let sessions = try studio.nginx.recordings("show").map { try Recording.accessUnits($0) }
        let sent = try studio.sent()
        for kind in [AccessUnit.Kind.video, .audio] {
            // Nothing that was not sent, and nothing twice. What the board's encoder still had when it was stopped the platform did not get
            // either.
            let whole = Delivery(sent: sent, recorded: recorded, kind)
            measured("the recording's \(kind)", "\(whole)")
            #expect(whole.extra.isEmpty, "\(kind): \(whole)")
            let kept = Set(recorded.filter { $0.kind == kind }.map(\.hash))
            let lost = sessions.map { session in session.filter { $0.kind == kind && !kept.contains($0.hash) }.count }
            measured("of the platform's \(kind) not recorded, by session", "\(lost)")
            // 25 pictures and 47 sounds are a second; what came before the kill's may be lost at the first session's end alone.
            #expect(lost.count == 2 && lost[0] <= (kind == .video ? 25 : 47) && lost[1] == 0, "\(kind): \(lost)")
        }
    }

    /// As a person finds and plays it.
    private func watch(_ studio: Studio, _ recording: RecordingView) async throws {
        let page = try await Dashboard.opened(on: studio.stage, at: studio.owner.server, studio.installation.ownerPassword)
        try await page.press("Recordings")
        try await page.fill("Name of the sender", String(recording.name.prefix(3)))
        try await page.press(recording.name)
        let video = "document.querySelector('.preview video')"
        try await page.wait("\(video)?.readyState >= 2 && \(video).videoWidth === 640", "its first picture is there")
        // The length is known at once, and any place can be gone to.
        let seconds = Double(recording.durationMs) / 1000
        let length = try await page.run("\(video).duration") as? Double ?? 0
        #expect(abs(length - seconds) < 1.5, "\(length)")
        _ = try await page.run("(\(video).muted = true, \(video).currentTime = \(seconds - 2.5))")
        try await page.wait("!\(video).seeking && \(video).readyState >= 2", "it has gone there")
        _ = try await page.run("\(video).play()")
        try await page.wait("\(video).currentTime > \(seconds - 2)", "it plays")
        #expect(try await page.faults() == [])
        try await page.browser.screenshot("recording")
    }

    /// Addresses that are not what was signed.
    private func strangers(_ studio: Studio, _ recording: RecordingView) async throws {
        let link = try #require(try await links(studio, recording).first).url
        let other = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
        for spoiled in [
            link.split(separator: "?").first.map(String.init) ?? "", link.replacing("expires=1", with: "expires=2"),
            link.replacing(recording.id.text, with: other), link.replacing("-1.mp4", with: "-2.mp4"), link + "&signature=x",
            link.replacing("/composite/", with: "/composite/..%2F..%2F"),
        ] {
            let status = try await runTool("curl", ["-s", "-o", "/dev/null", "-w", "%{http_code}", studio.owner.server + spoiled]).text
            #expect(["404", "422", "400"].contains(status), "\(spoiled): \(status)")
        }
        #expect(try await library(studio, "?search=nobody").isEmpty)
        #expect(try await library(studio, "?search=\(recording.name.prefix(3))&state=ready").map(\.id) == [recording.id])
    }

    private func remove(_ studio: Studio, _ recording: RecordingView) async throws {
        let link = try #require(try await links(studio, recording).first).url
        #expect(try await studio.owner.answer(.delete, "/recordings/\(recording.id)").status == .noContent)
        #expect(try await library(studio).isEmpty)
        try await eventually(within: .seconds(10), "its file is gone") {
            try await studio.owner.answer(.get, link).status == .notFound
        }
        #expect(try await studio.owner.answer(.get, "/recordings/\(recording.id)").status == .notFound)
    }
}
