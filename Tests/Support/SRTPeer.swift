import Foundation
import Posix

/// `srt-live-transmit` as the SRT endpoint that streams are sent to, or that fetches them: writes the MPEG-TS to a file.
package final class SRTPeer: Sendable {
    package let port: Int
    package let recording: String
    package let program: RunningProgram

    private init(port: Int, recording: String, program: RunningProgram) {
        self.port = port
        self.recording = recording
        self.program = program
    }

    /// Waits for a caller.
    package static func listener(on stage: Stage, port: Int? = nil, passphrase: String? = nil, name: String = "srt") throws -> SRTPeer {
        let port = try port ?? FreePorts.udp()
        return try start(on: stage, "srt://127.0.0.1:\(port)?mode=listener", port, passphrase, name)
    }

    /// Calls our own listener.
    package static func caller(
        on stage: Stage, port: Int, streamID: String? = nil, passphrase: String? = nil, name: String = "srt"
    ) throws -> SRTPeer {
        try start(on: stage, "srt://127.0.0.1:\(port)?mode=caller" + (streamID.map { "&streamid=\($0)" } ?? ""), port, passphrase, name)
    }

    private static func start(on stage: Stage, _ url: String, _ port: Int, _ passphrase: String?, _ name: String) throws -> SRTPeer {
        let recording = stage.folder["\(name)-\(port).ts"]
        let secret = passphrase.map { "&passphrase=\($0)&pbkeylen=16" } ?? ""
        let program = try stage.start("srt-live-transmit", ["-chunk:1316", url + secret, "file://con"], stdout: recording)
        return SRTPeer(port: port, recording: recording, program: program)
    }

    /// The recording once nothing more comes: its buffer of 120 ms is on the way of the last of what was sent.
    package func finished() async throws -> String {
        var (size, since) = (recordedBytes, Instant.now)
        while Instant.now - since < .milliseconds(500) {
            try await Task.sleep(for: .milliseconds(20))
            if recordedBytes != size { (size, since) = (recordedBytes, .now) }
        }
        return recording
    }

    package var recordedBytes: Int {
        ((try? FileManager.default.attributesOfItem(atPath: recording))?[.size] as? Int) ?? 0
    }
}
