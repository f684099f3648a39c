import Foundation
import Logging
import MPEGTS
import Outputs
import Posix
import Support
import Testing
import Units
import Wire

/// One output that is fed a clip at eight times its speed, again and again, each time as a sender that began anew.
final class LiveOutput: Sendable {
    let output: Output
    /// The peers of tests are on this machine.
    static let house = OutputPolicy(allowing: ["127.0.0.0/8", "::1/128"].compactMap { AddressRange($0) })

    private let loop: Loop
    private let player: Task<Void, Never>

    init(
        _ target: OutputSpec.Target, folder: RecordingFolder? = nil, clip: Task<[UInt8], any Error> = Clip.h264,
        policy: OutputPolicy = LiveOutput.house
    ) async throws {
        let bytes = try await clip.value
        let loop = try Loop(name: "live")
        var random = SystemRandomNumberGenerator()
        let spec = OutputSpec(id: OutputID(ULID(unixMs: 1, random: &random)), target: target)
        let output = Output(spec, folder: folder, policy: policy, loop: loop, log: Log("test", threshold: .error))
        self.loop = loop
        self.output = output
        await output.start()
        player = loop.spawn { await LiveOutput.play(bytes, to: output, on: loop) }
    }

    private static func play(_ clip: [UInt8], to output: Output, on loop: Loop) async {
        var reader = StreamReader()
        reader.makesGroups = output.takesGroups
        var position = 0
        let began = Instant.now
        // 20 ms of wall time are 160 ms of media.
        let step = clip.count / 75 / 188 * 188
        while !Task.isCancelled, step > 0 {
            let end = min(clip.count, position + step)
            var events: [StreamReader.Event] = []
            reader.feed(Array(clip[position..<end]), arrival: Instant.now - began) { events.append($0) }
            output.offer(events)
            position = end == clip.count ? 0 : end
            // Cancellation ends the play.
            try? await loop.sleep(for: .milliseconds(20))
        }
    }

    /// The first report that fits, within `limit`.
    @discardableResult
    func report(_ what: String, within limit: Duration = .seconds(10), where fits: (OutputReport) -> Bool) async throws -> OutputReport {
        do {
            return try await eventually(within: limit, what) {
                let report = output.report
                return fits(report) ? report : nil
            }
        } catch {
            throw SupportFailure("\(error); the last report: \(output.report)")
        }
    }

    /// Passes on `bytes` more than so far.
    func passOn(_ bytes: Int, within limit: Duration = .seconds(15)) async throws {
        let goal = output.report.sentBytesTotal + bytes
        try await report("passes \(bytes) bytes on", within: limit) { $0.sentBytesTotal >= goal }
    }

    func end() async {
        await output.stop()
        player.cancel()
        await player.value
        loop.stop()
    }
}

/// Runs a body with an output and ends it whatever happens.
func withOutput(
    _ target: OutputSpec.Target, folder: RecordingFolder? = nil, clip: Task<[UInt8], any Error> = Clip.h264,
    policy: OutputPolicy = LiveOutput.house, _ body: (LiveOutput) async throws -> Void
) async throws {
    let live = try await LiveOutput(target, folder: folder, clip: clip, policy: policy)
    do {
        try await body(live)
        await live.end()
    } catch {
        await live.end()
        throw error
    }
}

/// Video and sound of a recording go forward, and it begins with a key frame.
func expectGood(_ path: String, video: Int, audio: Int) throws {
    let units = try Recording.accessUnits(path)
    let pictures = units.filter { $0.kind == .video }
    #expect(pictures.count >= video, "\(path)")
    #expect(units.count - pictures.count >= audio, "\(path)")
    #expect(pictures.first?.isKey == true, "\(path)")
    #expect(zip(pictures, pictures.dropFirst()).allSatisfy { $0.ptsTicks < $1.ptsTicks }, "\(path)")
}
