import Foundation
import Outputs
import Testing
import Units
import Wire

@Suite(.serialized) struct SRTOutputTests {
    private func target(_ mode: SRTTarget.Mode, _ port: Int, passphrase: String? = "a passphrase") -> OutputSpec.Target {
        .srt(
            SRTTarget(
                mode: mode, address: "127.0.0.1", port: port, passphrase: passphrase.map { SecretOnWire(Secret($0)) }, streamID: "stream",
                latencyMs: 200))
    }

    @Test("a caller sends to a listening peer, and again after it went away")
    func caller() async throws {
        let folder = try Folder()
        let port = try freePort(SOCK_DGRAM)
        let stage = try await Stage(target(.caller, port))
        let refused = try await stage.report(within: .seconds(10)) { $0.state == .retrying }
        #expect(refused.reason?.isEmpty == false)
        var peer = try listen(port, folder.file("a.ts"))
        await stage.output.retryNow()
        _ = try await stage.report { $0.state == .connected }
        let sent = stage.output.report.sentBytesTotal
        _ = try await stage.report { $0.sentBytesTotal > sent + 1_000_000 }
        peer.end()
        _ = try await stage.report(within: .seconds(15)) { $0.state == .retrying }
        peer = try listen(port, folder.file("b.ts"))
        await stage.output.retryNow()
        _ = try await stage.report { $0.state == .connected }
        let again = stage.output.report.sentBytesTotal
        _ = try await stage.report { $0.sentBytesTotal > again + 500_000 }
        await stage.end()
        peer.end()
        for name in ["a.ts", "b.ts"] {
            let probe = try Probe(folder.file(name))
            #expect(probe.video > 50)
            #expect(probe.isMonotonic)
        }
    }

    @Test("a listener serves a caller that knows the passphrase, and nobody else")
    func listener() async throws {
        let folder = try Folder()
        let port = try freePort(SOCK_DGRAM)
        let stage = try await Stage(target(.listener, port))
        _ = try await stage.report { $0.state == .connected }
        let stranger = try call(port, "another passphrase", folder.file("stranger.ts"))
        let friend = try call(port, "a passphrase", folder.file("friend.ts"))
        let sent = stage.output.report.sentBytesTotal
        _ = try await stage.report(within: .seconds(10)) { $0.sentBytesTotal > sent + 2_000_000 }
        await stage.end()
        friend.end()
        stranger.end()
        #expect(try Probe(folder.file("friend.ts")).video > 50)
        #expect(FileManager.default.contents(atPath: folder.file("stranger.ts"))?.isEmpty == true)
    }

    @Test("a passphrase that libsrt would refuse fails with the rule, and so does a listener without one")
    func passphrases() async throws {
        for (mode, passphrase) in [(SRTTarget.Mode.caller, "short"), (.listener, nil)] {
            let stage = try await Stage(target(mode, try freePort(SOCK_DGRAM), passphrase: passphrase))
            let report = try await stage.report { $0.state == .failed }
            #expect(report.reason?.contains("passphrase") == true)
            await stage.end()
        }
    }

    private func listen(_ port: Int, _ file: String) throws -> Running {
        try Running(
            "srt-live-transmit", ["-q", "srt://127.0.0.1:\(port)?mode=listener&passphrase=a passphrase", "file://con"], output: file)
    }

    private func call(_ port: Int, _ passphrase: String, _ file: String) throws -> Running {
        try Running(
            "srt-live-transmit", ["-q", "srt://127.0.0.1:\(port)?mode=caller&passphrase=\(passphrase)", "file://con"], output: file)
    }
}
