import Foundation
import Testing

@testable import Support

/// Sends a file to a URL in real time with ffmpeg, without decoding it.
private func publish(_ stage: Stage, _ file: String, _ format: String, _ url: String) throws -> RunningProgram {
    try stage.start("ffmpeg", ["-v", "error", "-re", "-i", file, "-c", "copy", "-f", format, url])
}

@Suite("The peers of the end-to-end tests")
struct PeerTests {
    @Test("nginx records what is published, and the access units are those of the file")
    func nginx() async throws {
        try await onStage { stage in
            let nginx = try await Nginx(on: stage)
            let source = try await shortSource(stage)
            let sender = try publish(stage, source, "flv", nginx.url() + "/demo")
            try await eventually(within: .seconds(5), "the stream is shown as published") {
                try await nginx.publishedStreams() == ["demo"]
            }
            #expect(try await sender.end(within: .seconds(10)) == 0, "\(sender.tail)")
            let recording = try #require(try nginx.recordings("demo").first)
            try await eventually(within: .seconds(5), "the stream is gone") { try await nginx.publishedStreams().isEmpty }
            let sent = try Recording.accessUnits(source)
            let recorded = try Recording.accessUnits(recording)
            for kind in [AccessUnit.Kind.video, .audio] {
                let delivery = Delivery(sent: sent, recorded: recorded, kind)
                #expect(delivery.isComplete && delivery.before == 0 && delivery.after <= 1, "\(kind): \(delivery)")
            }
            let probe = try await Probe(recording)
            #expect(probe.video?.codecName == "h264" && probe.audio?.codecName == "aac")
            #expect(try await decodingErrors(recording) == "")
        }
    }

    @Test("nginx refuses where it is told to, and takes a publisher once its door is open")
    func refusal() async throws {
        try await onStage { stage in
            let nginx = try await Nginx(on: stage)
            let clip = try Places.clip()
            for application in ["refusing", "keyed"] {
                let sender = try publish(stage, clip, "flv", nginx.url(application) + "/demo")
                #expect(try await sender.end(within: .seconds(10)) != 0)
            }
            try nginx.setOpen(true)
            let sender = try publish(stage, clip, "flv", nginx.url("keyed") + "/demo")
            try await eventually(within: .seconds(5), "it publishes") { try await nginx.publishedStreams() == ["demo"] }
            sender.signal(SIGTERM)
        }
    }

    @Test("an SRT listener with a passphrase writes down what a caller sends")
    func srt() async throws {
        try await onStage { stage in
            let peer = try SRTPeer.listener(on: stage, passphrase: "a long passphrase")
            let source = try await shortSource(stage)
            let url = "srt://127.0.0.1:\(peer.port)?mode=caller&passphrase=a%20long%20passphrase&pkt_size=1316"
            let sender = try publish(stage, source, "mpegts", url.replacingOccurrences(of: "%20", with: " "))
            // Its exit code says nothing: libsrt 1.5.1 has crashed as ffmpeg tore it down, with all sent. What was recorded says it.
            _ = try await sender.end(within: .seconds(15))
            let sent = try Recording.accessUnits(source)
            try await eventually(within: .seconds(5), "the recording is complete, \(sender.tail)") {
                let recorded = try Recording.accessUnits(peer.recording)
                // What is on its way when the caller closes is lost: about the latency of 120 ms.
                return [AccessUnit.Kind.video, .audio].allSatisfy { kind in
                    let delivery = Delivery(sent: sent, recorded: recorded, kind)
                    return delivery.isComplete && delivery.before == 0 && delivery.after <= 20
                }
            }
        }
    }
}

/// Two seconds of the clip.
private func shortSource(_ stage: Stage) async throws -> String {
    let source = stage.folder["source.flv"]
    _ = try await runTool("ffmpeg", ["-v", "error", "-i", try Places.clip(), "-t", "2", "-c", "copy", source])
    return source
}

@Suite("A stage")
struct StageTests {
    @Test("clearing it ends what its programs have left behind, and only that")
    func clear() async throws {
        let stage = try Stage()
        let other = try Stage()
        let bystander = try other.start("sleep", ["60"])
        // A grandchild in a session of its own, as the receivers are.
        let program = try stage.start("sh", ["-c", "setsid sleep 60 & echo started; wait"])
        try await program.line(containing: "started")
        try await eventually(within: .seconds(5), "the grandchild runs") { stage.survivors.count == 2 }
        try await program.kill9()
        #expect(stage.survivors.count == 1)
        await stage.clear()
        try await eventually(within: .seconds(5), "all is gone") { stage.survivors.isEmpty }
        #expect(bystander.isRunning)
        await other.clear()
    }

    @Test("a program's lines, its exit code and its signal are told")
    func endings() async throws {
        try await onStage { stage in
            let program = try stage.start("sh", ["-c", "echo out; echo err >&2; exit 3"])
            #expect(try await program.end(within: .seconds(5)) == 3)
            try await eventually(within: .seconds(5), "both lines came") { program.lines == ["out", "err"] }
            let sleeper = try stage.start("sleep", ["60"])
            #expect(try await sleeper.stop() == -SIGTERM)
            await #expect(throws: SupportFailure.self) { try await program.line(containing: "never", within: .milliseconds(50)) }
        }
    }

    @Test("a free range of UDP ports has as many as were asked for")
    func ports() throws {
        let range = try FreePorts.udpRange(10)
        #expect(range.count == 10 && range.lowerBound >= 20_000)
    }
}
