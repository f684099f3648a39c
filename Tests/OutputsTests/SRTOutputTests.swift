import Outputs
import Support
import Testing
import Units
import Wire

@Suite(.serialized, .unlessStolen, .timeLimit(.minutes(2))) struct SRTOutputTests {
    private func target(_ mode: SRTTarget.Mode, _ port: Int, passphrase: String? = "a-passphrase", streamID: String? = "stream")
        -> OutputSpec.Target
    {
        .srt(
            SRTTarget(
                mode: mode, address: "127.0.0.1", port: port, passphrase: passphrase.map { SecretOnWire(Secret($0)) }, streamID: streamID,
                latencyMs: 200))
    }

    @Test("a caller is refused while nobody listens, sends to a peer, and again after it went away")
    func caller() async throws {
        try await onStage { stage in
            let port = try FreePorts.udp()
            try await withOutput(target(.caller, port)) { live in
                for _ in 1...2 {
                    let refused = try await live.report("is refused, and never shown as connected") { $0.state != .connecting }
                    #expect(refused.state == .retrying)
                    #expect(refused.reason?.hasPrefix("no connection") == true)
                    try await live.report("is tried again") { $0.state == .connecting }
                }
                let first = try SRTPeer.listener(on: stage, port: port, passphrase: "a-passphrase", name: "first")
                try await live.report("connects", within: .seconds(20)) { $0.state == .connected }
                try await live.passOn(1_000_000)
                try await first.program.stop()
                try await live.report("notices", within: .seconds(15)) { $0.state == .retrying }
                let second = try SRTPeer.listener(on: stage, port: port, passphrase: "a-passphrase", name: "second")
                try await live.report("connects again", within: .seconds(20)) { $0.state == .connected }
                try await eventually(within: .seconds(10), "the second peer records") { second.recordedBytes > 300_000 }
                #expect(try Recording.accessUnits(first.recording).count > 50)
            }
        }
    }

    @Test("a peer whose packets vanish is told within 10 s with the reason, and called again by itself")
    func cut() async throws {
        try await onStage { stage in
            let peer = try SRTPeer.listener(on: stage, passphrase: "a-passphrase")
            try await withOutput(target(.caller, peer.port)) { live in
                try await live.report("connects", within: .seconds(20)) { $0.state == .connected }
                try await live.passOn(200_000)
                try await whileCut(.silent, port: peer.port) {
                    let lost = try await live.report("is told") { $0.state == .retrying }
                    #expect(lost.reason?.contains("did not answer for 5 s") == true, "\(lost.reason ?? "")")
                }
                try await live.report("connects again") { $0.state == .connected }
                let recorded = peer.recordedBytes
                try await eventually(within: .seconds(10), "the peer records again") { peer.recordedBytes > recorded + 100_000 }
            }
        }
    }

    @Test("a listener serves a caller that knows the passphrase, and nobody else")
    func listener() async throws {
        try await onStage { stage in
            let port = try FreePorts.udp()
            try await withOutput(target(.listener, port)) { live in
                try await live.report("listens") { $0.state == .connected }
                let stranger = try SRTPeer.caller(on: stage, port: port, passphrase: "another-phrase", name: "stranger")
                let friend = try SRTPeer.caller(on: stage, port: port, passphrase: "a-passphrase", name: "friend")
                try await eventually(within: .seconds(10), "the friend records") { friend.recordedBytes > 1_000_000 }
                #expect(stranger.recordedBytes == 0)
            }
        }
    }

    @Test("a passphrase that libsrt would refuse fails with the rule, and so does a listener without one")
    func passphrases() async throws {
        for (mode, passphrase) in [(SRTTarget.Mode.caller, "short"), (.listener, nil)] {
            try await withOutput(target(mode, try FreePorts.udp(), passphrase: passphrase)) { live in
                let report = try await live.report("fails") { $0.state == .failed }
                #expect(report.reason?.contains("passphrase") == true)
            }
        }
    }

    @Test("a caller with another passphrase is refused, and never shown as connected")
    func stranger() async throws {
        try await onStage { stage in
            let peer = try SRTPeer.listener(on: stage, passphrase: "a-passphrase")
            try await withOutput(target(.caller, peer.port, passphrase: "another-phrase")) { live in
                let refused = try await live.report("is refused") { $0.state != .connecting }
                #expect(refused.state == .retrying)
                #expect(refused.reason?.contains("passphrase") == true)
                #expect(peer.recordedBytes == 0)
            }
        }
    }

    @Test("a stream id with parameters in it stays a stream id")
    func hostile() async throws {
        try await onStage { stage in
            let peer = try SRTPeer.listener(on: stage, passphrase: "a-passphrase")
            try await withOutput(target(.caller, peer.port, streamID: "x?mode=listener&passphrase=")) { live in
                try await live.report("connects", within: .seconds(20)) { $0.state == .connected }
                try await eventually(within: .seconds(10), "the peer records") { peer.recordedBytes > 100_000 }
            }
        }
    }
}
