import Foundation
import Logging
import Outputs
import Posix
import Relay
import Support
import Testing
import Units
import Wire

/// A receiver's relay with its outputs, without the process around it: media is put in where the port would.
final class LiveRelay: Sendable {
    let relay: StreamRelay
    private let loops: [Loop]
    private let heard: Guarded<[ReceiverMessage]>

    /// - Parameter takes: where the stream is recorded.
    init(
        _ targets: [OutputSpec.Target], folder: String? = nil, takes: String? = nil, slate: SlateFile? = nil, still: String? = nil
    ) async throws {
        let (loop, mediaLoop) = (try Loop(name: "relay"), try Loop(name: "media"))
        let heard = Guarded<[ReceiverMessage]>([])
        relay = StreamRelay(
            folder: try folder.map { try RecordingFolder(path: $0) }, takes: takes,
            policy: OutputPolicy(allowing: ["127.0.0.0/8"].compactMap { AddressRange($0) }),
            still: still, slate: try Places.program("strata-slate"), loop: loop, mediaLoop: mediaLoop, log: Log("test", threshold: .error)
        ) { message in heard.withLock { $0.append(message) } }
        self.heard = heard
        loops = [loop, mediaLoop]
        let key = SecretOnWire(Secret("0123456789abcdef0123456789abcdef"))
        let outputs = targets.enumerated().map { OutputSpec(id: Self.id(UInt64($0.offset)), target: $0.element) }
        let spec = StreamSpec(
            lease: Self.id(100), broadcast: Self.id(101), carrier: .rist, streamKey: key, bufferMs: 300, outputs: outputs,
            slate: slate, recording: takes == nil ? nil : Self.recording)
        let start = ReceiverStart(spec: spec, port: try FreePorts.udp(), bind: ["127.0.0.1"])
        await relay.handle(Command(id: Self.id(102), order: .open(start)))
        try #require(heard.withLock { $0.contains { if case .listening = $0 { true } else { false } } })
    }

    static let recording = RecordingSpec(id: id(103), organization: id(104))

    static func id<Kind>(_ number: UInt64) -> ID<Kind> {
        var random = SystemRandomNumberGenerator()
        return ID(ULID(unixMs: Int64(number), random: &random))
    }

    /// Plays a transport stream so many times faster than it was made for, from `seconds` of its length.
    func play(_ clip: [UInt8], seconds: Double = 12, times speed: Double, from: Double = 0, to: Double = 1) async throws {
        let began = Instant.now
        let (first, last) = (Self.packets(clip, from), Self.packets(clip, to))
        var position = first
        while position < last {
            let elapsed = (Instant.now - began) / .seconds(1) * speed / seconds
            let end = min(last, max(position, first + Self.packets(clip, elapsed)))
            clip[position..<end].withUnsafeBytes { relay.receive($0) }
            position = end
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    private static func packets(_ clip: [UInt8], _ share: Double) -> Int { min(clip.count, Int(Double(clip.count / 188) * share) * 188) }

    /// The last report of the output of this number.
    func report(_ output: Int) -> OutputReport? {
        guard let report = lastReport, report.outputs.indices.contains(output) else { return nil }
        return report.outputs[output]
    }

    /// The stream as it was reported last.
    var ingest: IngestReport? { lastReport?.ingest }

    /// The pictures that it has sent, in order.
    var thumbnails: [StreamThumbnail] {
        heard.withLock { $0.compactMap { if case .thumbnail(let thumbnail) = $0 { thumbnail } else { nil } } }
    }

    /// Why the organisation's picture is not shown.
    var slateFault: String? { lastReport?.slateFault }

    /// How its recording is.
    var recording: RecordingReport? { lastReport?.recording }

    private var lastReport: StreamReport? {
        let last = heard.withLock { $0.last { if case .report = $0 { true } else { false } } }
        guard case .report(let report)? = last else { return nil }
        return report
    }

    /// Waits until an output shows a state.
    @discardableResult
    func wait(_ output: Int, is state: OutputReport.State, within limit: Duration = .seconds(10)) async throws -> OutputReport {
        do {
            return try await eventually(within: limit, "output \(output) is \(state)") {
                guard let report = self.report(output), report.state == state else { return nil }
                return report
            }
        } catch {
            throw SupportFailure("\(error); the last report: \(String(describing: report(output)))")
        }
    }

    /// - Returns: how long it took.
    @discardableResult
    func end() async -> Duration {
        let began = Instant.now
        await relay.end("stopped")
        for loop in loops { loop.stop() }
        return Instant.now - began
    }
}

/// Runs a body with a relay and ends it whatever happens.
func withRelay(
    _ targets: [OutputSpec.Target], folder: String? = nil, takes: String? = nil, slate: SlateFile? = nil, still: String? = nil,
    _ body: (LiveRelay) async throws -> Void
) async throws {
    let live = try await LiveRelay(targets, folder: folder, takes: takes, slate: slate, still: still)
    do {
        try await body(live)
    } catch {
        await live.end()
        throw error
    }
}

extension Nginx {
    func target(_ key: String) -> OutputSpec.Target {
        .rtmp(
            RTMPTarget(
                tls: false, host: "platform.example", port: rtmpPort, application: "live", streamKey: SecretOnWire(Secret(key)),
                address: "127.0.0.1"))
    }
}

func srt(_ mode: SRTTarget.Mode, port: Int) -> OutputSpec.Target {
    .srt(
        SRTTarget(
            mode: mode, address: "127.0.0.1", port: port, passphrase: SecretOnWire(Secret("a-passphrase")), streamID: nil, latencyMs: 200))
}
