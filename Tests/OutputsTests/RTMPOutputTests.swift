import Foundation
import Outputs
import Posix
import Support
import Testing
import Units
import Wire

@Suite(.serialized, .unlessStolen, .timeLimit(.minutes(2))) struct RTMPOutputTests {
    private func target(
        _ port: Int, application: String = "live", key: String = "show", host: String = "platform.example", tls: Bool = false,
        address: String = "127.0.0.1"
    ) -> OutputSpec.Target {
        .rtmp(
            RTMPTarget(
                tls: tls, host: host, port: port, application: application, streamKey: SecretOnWire(Secret(key)), address: address))
    }

    @Test("a platform whose address changed is tried there at once, while a connection that holds is left alone until it ends")
    func moves() async throws {
        try await onStage { stage in
            let nginx = try await Nginx(on: stage, listeningOn: "127.0.0.1")
            try await withOutput(target(nginx.rtmpPort, address: "127.0.0.9")) { live in
                let refused = try await live.report("is refused") { $0.state == .retrying }
                #expect(refused.reason?.contains("refused") == true, "\(refused.reason ?? "")")
                // Far in its back-off.
                try await live.report("was tried four times", within: .seconds(20)) { $0.reconnectsTotal >= 3 && $0.state == .retrying }
                let moved = Instant.now
                #expect(await live.output.move(to: target(nginx.rtmpPort)))
                try await live.report("connects at the new address") { $0.state == .connected }
                print("RTMPOutputTests: connected \((Instant.now - moved).milliseconds) ms after the move")
                #expect(Instant.now - moved < .seconds(1.5))

                #expect(await live.output.move(to: target(nginx.rtmpPort, key: "second")))
                #expect(await live.output.move(to: .file(FileTarget(name: "other.ts"))) == false)
                try await live.passOn(300_000)
                #expect(try await nginx.publishedStreams() == ["show"])
                try await nginx.drop("show")
                try await eventually(within: .seconds(5), "it comes back with its new key") {
                    try await nginx.publishedStreams() == ["second"]
                }
            }
        }
    }

    @Test("a platform records picture and sound from a key frame on, in one session over restarts of the sender")
    func records() async throws {
        try await onStage { stage in
            let nginx = try await Nginx(on: stage)
            try await withOutput(target(nginx.rtmpPort)) { live in
                try await live.report("connects") { $0.state == .connected }
                try await live.passOn(3_500_000)
                #expect(live.output.report.reconnectsTotal == 0)
                #expect(live.output.report.droppedUnitsTotal == 0)
            }
            try await nginx.stop()
            let recordings = try nginx.recordings("show")
            #expect(recordings.count == 1)
            try expectGood(try #require(recordings.first), video: 500, audio: 900)
        }
    }

    @Test("a stream key in use is retried with the reason, and taken over once it is free")
    func alreadyPublishing() async throws {
        try await onStage { stage in
            let nginx = try await Nginx(on: stage)
            let first = try await LiveOutput(target(nginx.rtmpPort))
            try await first.report("connects") { $0.state == .connected }
            try await withOutput(target(nginx.rtmpPort)) { second in
                let report = try await second.report("is refused") { $0.state == .retrying }
                #expect(report.reason?.contains("already publishing") == true)
                await first.end()
                await second.output.retryNow()
                try await second.report("connects") { $0.state == .connected }
            }
        }
    }

    @Test("a refused key or application is named, without the key", arguments: ["refusing", "keyed", "unknown"])
    func refused(_ application: String) async throws {
        try await onStage { stage in
            let nginx = try await Nginx(on: stage)
            try await withOutput(target(nginx.rtmpPort, application: application, key: "very-secret")) { live in
                let report = try await live.report("is refused") { $0.state == .retrying }
                #expect(report.reason?.contains("stream key") == true)
                #expect(report.reason?.contains("very-secret") == false)
            }
        }
    }

    @Test("a platform that goes away is connected again, from a key frame on")
    func returns() async throws {
        try await onStage { stage in
            let nginx = try await Nginx(on: stage)
            try await withOutput(target(nginx.rtmpPort)) { live in
                try await live.report("connects") { $0.state == .connected }
                try await nginx.kill9()
                let lost = try await live.report("notices") { $0.state == .retrying }
                #expect(lost.reason?.isEmpty == false)
                try await nginx.start()
                await live.output.retryNow()
                let back = try await live.report("connects again") { $0.state == .connected }
                #expect(back.reconnectsTotal >= 1)
                try await live.passOn(500_000)
            }
            try await nginx.stop()
            try expectGood(try #require(try nginx.recordings("show").last), video: 20, audio: 20)
        }
    }

    @Test("a platform that takes nothing more without a word is given up, and whole groups are lost meanwhile")
    func silent() async throws {
        try await onStage { stage in
            let nginx = try await Nginx(on: stage)
            let port = try FreePorts.tcp()
            let relay = try stage.start(
                "socat", ["-d", "-d", "TCP-LISTEN:\(port),bind=127.0.0.1,reuseaddr", "TCP:127.0.0.1:\(nginx.rtmpPort)"])
            try await relay.line(containing: "listening on")
            try await withOutput(target(port)) { live in
                try await live.report("connects") { $0.state == .connected }
                relay.signal(SIGSTOP)
                let lost = try await live.report("gives up", within: .seconds(12)) { $0.state == .retrying }
                relay.signal(SIGCONT)
                #expect(lost.reason?.contains("confirmed nothing for 8 s") == true, "\(lost.reason ?? "")")
                #expect(lost.droppedUnitsTotal > 0)
            }
        }
    }

    @Test("a server that hangs is told within 3 s, and one that goes on again is well without another connection")
    func hangs() async throws {
        try await onStage { stage in
            let nginx = try await Nginx(on: stage)
            try await withOutput(target(nginx.rtmpPort)) { live in
                try await live.report("connects") { $0.state == .connected }
                try await live.passOn(2_000_000)
                #expect(live.output.report.reason == nil)
                nginx.hang()
                defer { nginx.goOn() }
                let stopped = Instant.now
                let told = try await live.report("is told", within: .seconds(5)) { $0.reason != nil }
                print("RTMPOutputTests: a hang is told after \((Instant.now - stopped).milliseconds) ms: \(told.reason ?? "")")
                #expect(told.state == .connected && told.reason == "it has taken nothing for 2 s")
                #expect(Instant.now - stopped < .seconds(3))
                nginx.goOn()
                try await live.report("is well", within: .seconds(5)) { $0.state == .connected && $0.reason == nil }
                #expect(live.output.report.reconnectsTotal == 0)
            }
        }
    }

    @Test("a server whose packets vanish is told within 10 s, one that resets at once, and each is connected again by itself")
    func cuts() async throws {
        try await onStage { stage in
            let nginx = try await Nginx(on: stage)
            try await withOutput(target(nginx.rtmpPort, application: "dropping")) { live in
                try await live.report("connects") { $0.state == .connected }
                try await whileCut(.silent, port: nginx.rtmpPort) {
                    let lost = try await live.report("is told") { $0.state == .retrying }
                    #expect(lost.reason?.contains("confirmed nothing for 8 s") == true, "\(lost.reason ?? "")")
                }
                try await live.report("connects again") { $0.state == .connected }
                try await whileCut(.reset, port: nginx.rtmpPort) {
                    let lost = try await live.report("is told", within: .seconds(2)) { $0.state == .retrying }
                    #expect(lost.reason?.contains("closed or reset it") == true, "\(lost.reason ?? "")")
                }
                try await live.report("connects again") { $0.state == .connected }
            }
        }
    }

    @Test("a server that talks and talks is ended with the reason, and costs neither memory nor log")
    func talkative() async throws {
        // As the receiver does: what a server announces and never says is then memory that nobody has touched.
        releaseAtOnce(from: 128 << 10)
        let server = try TalkativeServer()
        defer { server.stop() }
        let before = try residentBytes()
        try await withOutput(target(server.port)) { live in
            for _ in 1...2 {
                let ended = try await live.report("is ended") { $0.state == .retrying }
                #expect(ended.reason?.contains("to one who only publishes") == true, "\(ended.reason ?? "")")
                await live.output.retryNow()
                try await live.report("is tried again") { $0.state == .connecting }
            }
        }
        #expect(server.saidBytes < 8 << 20)
        // A sanitizer keeps books of its own, of several times what is used.
        let isSanitized = ProcessInfo.processInfo.environment["STRATA_SANITIZER"] != nil
        let grown = try residentBytes() - before
        print("RTMPOutputTests: a talkative server said \(server.saidBytes >> 20) MiB and cost \(grown >> 20) MiB")
        #expect(isSanitized || grown < 64 << 20)
    }

    private func residentBytes() throws -> Int {
        let pages = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
        return try #require(Int(pages[1])) * 4096
    }

    @Test("H.265 to RTMP fails with a sentence that says what to do")
    func hevc() async throws {
        try await onStage { stage in
            let nginx = try await Nginx(on: stage)
            try await withOutput(target(nginx.rtmpPort), clip: Clip.h265) { live in
                let report = try await live.report("fails") { $0.state == .failed }
                #expect(report.reason?.contains("H.265") == true)
            }
            #expect(try nginx.recordings("show").isEmpty)
        }
    }

    @Test("RTMPS goes to the checked address under the right name, and not to a certificate nobody vouches for")
    func certificates() async throws {
        try await onStage { stage in
            let (chain, key) = (stage.folder["chain.pem"], stage.folder["key.pem"])
            _ = try await runTool(
                "openssl",
                [
                    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                    "/CN=platform.example",
                    "-addext", "subjectAltName=DNS:platform.example", "-keyout", key, "-out", chain,
                ])
            let nginx = try await Nginx(on: stage, certificate: (chain, key))
            try await withOutput(target(try #require(nginx.rtmpsPort), tls: true)) { live in
                let report = try await live.report("is refused") { $0.state == .retrying }
                #expect(report.reason?.contains("certificate") == true)
            }
        }
    }

    @Test("nothing in a field becomes an element or a parameter", arguments: 0..<3)
    func hostile(_ field: Int) async throws {
        try await onStage { stage in
            let nginx = try await Nginx(on: stage)
            let evil = "x ! filesink location=\(stage.folder["evil"]) ?mode=listener"
            let target =
                [
                    target(nginx.rtmpPort, key: evil), target(nginx.rtmpPort, application: evil), target(nginx.rtmpPort, host: evil),
                ][field]
            try await withOutput(target) { live in
                try await live.report("is treated as text") { $0.state == .connected || $0.state == .retrying }
            }
            #expect(access(stage.folder["evil"], F_OK) != 0)
        }
    }
}
