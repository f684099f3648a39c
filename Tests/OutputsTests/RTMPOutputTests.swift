import Glibc
import MPEGTS
import Outputs
import Posix
import Testing
import Units
import Wire

@Suite(.serialized) struct RTMPOutputTests {
    private func target(_ port: Int, application: String = "live", key: String = "key-of-the-test", host: String = "platform.example")
        -> OutputSpec.Target
    {
        .rtmp(
            RTMPTarget(
                tls: false, host: host, port: port, application: application, streamKey: SecretOnWire(Secret(key)), address: "127.0.0.1"))
    }

    @Test("a platform records picture and sound from a key frame on, over restarts of the sender")
    func records() async throws {
        let platform = try Platform()
        let stage = try await Stage(target(platform.port))
        _ = try await stage.report { $0.state == .connected }
        // Twice the clip and more.
        _ = try await stage.report(within: .seconds(15)) { $0.sentBytesTotal > 2 * Clip.h264.count }
        await stage.end()
        #expect(stage.output.report.reconnectsTotal == 0)
        platform.stop()
        let probe = try Probe(try #require(platform.recordings.first))
        #expect(probe.video > 500)
        #expect(probe.audio > 900)
        #expect(probe.firstIsKey)
        #expect(probe.isMonotonic)
    }

    @Test("a stream key in use is retried with the reason, and taken over once it is free")
    func alreadyPublishing() async throws {
        let platform = try Platform()
        let first = try await Stage(target(platform.port))
        _ = try await first.report { $0.state == .connected }
        let second = try await Stage(target(platform.port))
        let report = try await second.report { $0.state == .retrying }
        #expect(report.reason?.contains("already publishing") == true)
        await first.end()
        await second.output.retryNow()
        _ = try await second.report { $0.state == .connected }
        await second.end()
    }

    @Test("a refused key or application is named, without the key")
    func refused() async throws {
        let platform = try Platform()
        for application in ["closed", "unknown"] {
            let stage = try await Stage(target(platform.port, application: application, key: "very-secret"))
            let report = try await stage.report { $0.state == .retrying }
            #expect(report.reason?.contains("application or the stream key") == true)
            #expect(report.reason?.contains("very-secret") == false)
            await stage.end()
        }
    }

    @Test("a platform that goes away is connected again, from a key frame on")
    func returns() async throws {
        let platform = try Platform()
        let stage = try await Stage(target(platform.port))
        _ = try await stage.report { $0.state == .connected }
        platform.stop()
        let lost = try await stage.report { $0.state == .retrying }
        #expect(lost.reason?.isEmpty == false)
        try platform.start()
        await stage.output.retryNow()
        let back = try await stage.report { $0.state == .connected }
        #expect(back.reconnectsTotal >= 1)
        #expect(back.droppedUnitsTotal > 0)
        let sent = back.sentBytesTotal
        _ = try await stage.report { $0.sentBytesTotal > sent + 500_000 }
        await stage.end()
        platform.stop()
        #expect(try Probe(try #require(platform.recordings.last)).firstIsKey)
    }

    @Test("a platform that takes nothing more without a word is given up, and loses whole groups meanwhile")
    func silent() async throws {
        let platform = try Platform()
        let stage = try await Stage(target(platform.port))
        _ = try await stage.report { $0.state == .connected }
        platform.freeze()
        let lost = try await stage.report(within: .seconds(40)) { $0.state == .retrying }
        #expect(lost.reason?.contains("no media for") == true)
        #expect(lost.droppedUnitsTotal > 0)
        await stage.end()
    }

    @Test("H.265 to RTMP fails with a sentence that says what to do")
    func hevc() async throws {
        let platform = try Platform()
        let stage = try await Stage(target(platform.port), clip: Clip.h265)
        let report = try await stage.report { $0.state == .failed }
        #expect(report.reason?.contains("H.265") == true)
        await stage.end()
        #expect(platform.recordings.isEmpty)
    }

    @Test("nothing in a field becomes an element or a parameter")
    func hostile() async throws {
        let platform = try Platform()
        let evil = "x ! filesink location=/tmp/evil?mode=listener"
        for target in [target(platform.port, key: evil), target(platform.port, application: evil), target(platform.port, host: evil)] {
            let stage = try await Stage(target)
            _ = try await stage.report { $0.state == .connected || $0.state == .retrying }
            await stage.end()
        }
        #expect(access("/tmp/evil", F_OK) != 0)
    }
}
