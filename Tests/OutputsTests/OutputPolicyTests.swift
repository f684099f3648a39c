import Posix
import Support
import Testing
import Units
import Wire

@testable import Outputs

/// What an output does not do, whatever it is told (THREATS 9).
@Suite(.serialized, .unlessStolen, .timeLimit(.minutes(2))) struct OutputPolicyTests {
    private func rtmp(_ address: String, port: Int = 1935, host: String = "live.example.org") -> OutputSpec.Target {
        .rtmp(
            RTMPTarget(
                tls: false, host: host, port: port, application: "live", streamKey: SecretOnWire(Secret("policy")), address: address))
    }

    private func srt(_ mode: SRTTarget.Mode, _ address: String, _ port: Int) -> OutputSpec.Target {
        .srt(
            SRTTarget(
                mode: mode, address: address, port: port, passphrase: SecretOnWire(Secret("a-passphrase")), streamID: nil, latencyMs: 200))
    }

    @Test(
        "nothing is sent into somebody's house, to a cloud's own services or to this machine",
        arguments: [
            "127.0.0.1", "10.0.0.1", "172.16.9.9", "192.168.1.1", "169.254.169.254", "168.63.129.16", "100.100.100.200", "0.0.0.0", "::1",
            "fd00:ec2::254", "fe80::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "224.0.0.1", "name.example.org", "", "127.1",
        ])
    func addresses(address: String) {
        let policy = OutputPolicy(allowing: [])
        #expect(policy.refusal(of: rtmp(address)) != nil)
        #expect(policy.refusal(of: srt(.caller, address, 9000)) != nil)
    }

    @Test("the public net is reached, and what the operator opened")
    func allowed() throws {
        let policy = OutputPolicy(allowing: [try #require(AddressRange("192.168.7.0/24"))])
        for address in ["1.1.1.1", "2606:4700::1111", "192.168.7.9"] { #expect(policy.refusal(of: rtmp(address)) == nil) }
        #expect(policy.refusal(of: rtmp("192.168.8.9")) != nil)
        for own in OutboundRule.ownAddresses() where !own.isLoopback { #expect(policy.refusal(of: rtmp(own.host)) != nil) }
    }

    @Test("a listener takes neither a stream's port nor one of the system's")
    func listeners() {
        let policy = OutputPolicy(allowing: [], streamPorts: 20_000...20_999)
        for port in [1, 1023, 20_000, 20_500, 20_999] { #expect(policy.refusal(of: srt(.listener, "0.0.0.0", port)) != nil, "\(port)") }
        for port in [1024, 19_999, 21_000] { #expect(policy.refusal(of: srt(.listener, "0.0.0.0", port)) == nil, "\(port)") }
    }

    @Test("a refused output has failed for good, and nobody was connected to")
    func refused() async throws {
        try await onStage { stage in
            let nginx = try await Nginx(on: stage)
            try await withOutput(rtmp("127.0.0.1", port: nginx.rtmpPort), policy: OutputPolicy(allowing: [])) { live in
                let report = try await live.report("has failed") { $0.state == .failed }
                #expect(
                    report.reason == "this host sends nothing to 127.0.0.1, which is loopback; its operator can allow it in outbound.allow")
                #expect(report.sentBytesTotal == 0)
                await live.output.retryNow()
                try await live.report("has failed again") { $0.state == .failed && $0.reconnectsTotal > 0 }
            }
            #expect(try nginx.recordings("policy").isEmpty)
        }
    }

    @Test("a name leads to the address that was checked for it, and is resolved by nobody: no answer of a name server counts")
    func rebinding() async throws {
        try await onStage { stage in
            let nginx = try await Nginx(on: stage)
            // No name server knows it; one that did, and changed its mind, would not be asked either.
            try await withOutput(rtmp("127.0.0.1", port: nginx.rtmpPort, host: "rebound.invalid")) { live in
                try await live.passOn(200_000)
            }
            #expect(try nginx.recordings("policy").count == 1)
            // The same name leads elsewhere: to where nobody listens.
            try await withOutput(rtmp("127.0.0.2", port: try FreePorts.tcp(), host: "rebound.invalid")) { live in
                try await live.report("is refused") { $0.state == .retrying }
            }
            #expect(try nginx.recordings("policy").count == 1)
        }
    }
}
