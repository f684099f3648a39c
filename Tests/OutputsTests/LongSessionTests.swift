import Foundation
import Logging
import Posix
import Support
import Testing
import Units
import Wire

@testable import MPEGTS
@testable import Outputs

/// What a day does to a session. RTMP's timestamps have 24 bits of milliseconds, and 32 where those are not enough.
@Suite(.serialized, .unlessStolen, .timeLimit(.minutes(1))) struct LongSessionTests {
    /// A picture or a sound as it was offered: when it is shown, in milliseconds since the session's first picture.
    private struct Offered {
        let isPicture: Bool
        let ms: Double
    }

    /// Where three seconds of media each lie: at the beginning, over the end of 24 bits (4.7 hours), and after 24 hours.
    private static let parts: [Int64] = [0, (1 << 24) - 1500, 86_400_000]

    @Test("a day of RTMP in one session: what a platform records after 4.7 and 24 hours lies where it was sent, picture and sound")
    func day() async throws {
        try await onStage { stage in
            let nginx = try await Nginx(on: stage)
            let loop = try Loop(name: "day")
            var random = SystemRandomNumberGenerator()
            let target = RTMPTarget(
                tls: false, host: "platform.example", port: nginx.rtmpPort, application: "live", streamKey: SecretOnWire(Secret("show")),
                address: "127.0.0.1")
            let spec = OutputSpec(id: OutputID(ULID(unixMs: 1, random: &random)), target: .rtmp(target))
            let output = Output(spec, folder: nil, policy: LiveOutput.house, loop: loop, log: Log("test", threshold: .error))
            await output.start()
            let events = try await read(Clip.h264.value)
            var offered: [Offered] = []
            for (part, begin) in Self.parts.enumerated() {
                offered += try await play(events, from: 4 * part, at: begin, to: output)
            }
            let report = output.report
            await output.stop()
            loop.stop()
            #expect(report.state == .connected && report.reconnectsTotal == 0 && report.droppedUnitsTotal == 0, "\(report)")
            let sessions = try await nginx.finished("show")
            #expect(sessions.count == 1)
            try compare(try Recording.accessUnits(try #require(sessions.last)), offered)
        }
    }

    private func compare(_ recorded: [AccessUnit], _ offered: [Offered]) throws {
        for kind in [AccessUnit.Kind.video, .audio] {
            let times = recorded.filter { $0.kind == kind }.map { Double($0.ptsTicks) / 90 }
            let wanted = offered.filter { $0.isPicture == (kind == .video) && $0.ms >= 0 }.map(\.ms)
            // Of the sound before the first picture is its own frame at most.
            let off = zip(times, wanted.suffix(times.count)).map { $0 - $1 }
            let last = times.last.map { $0 / 3_600_000 } ?? .nan
            print(
                "LongSessionTests: \(times.count) of \(wanted.count) \(kind), off by \(off.min() ?? .nan)...\(off.max() ?? .nan) ms, \(last) h"
            )
            #expect(wanted.count - times.count <= (kind == .video ? 0 : 1) && times.count > 200)
            #expect(off.allSatisfy { abs($0) <= 2 })
        }
    }

    private func read(_ clip: [UInt8]) -> [StreamReader.Event] {
        var reader = StreamReader()
        var events: [StreamReader.Event] = []
        reader.feed(clip, arrival: .zero) { events.append($0) }
        return events
    }

    /// Offers three seconds of a clip, 20 times faster than they were made for, moved to begin at `begin` milliseconds.
    private func play(_ events: [StreamReader.Event], from second: Int, at begin: Int64, to output: Output) async throws -> [Offered] {
        let first = try #require(events.lazy.compactMap { if case .video(let unit) = $0 { unit.decode } else { nil } }.first)
        let start = MediaTime(ticks: first.ticks + Int64(second) * 90_000)
        let move = MediaTime(ticks: begin * 90) - start
        let chosen = events.compactMap { $0.moved(by: move, within: start..<MediaTime(ticks: start.ticks + 270_000)) }
        var offered: [Offered] = []
        for group in stride(from: 0, to: chosen.count, by: 10).map({ chosen[$0..<min($0 + 10, chosen.count)] }) {
            output.offer(group.map(\.event))
            offered += group.map { Offered(isPicture: $0.isPicture, ms: Double($0.shown.ticks) / 90) }
            try await Task.sleep(for: .milliseconds(10))
        }
        // Nothing may wait when the hours pass: the queue would take them for a platform that hangs.
        try await eventually(within: .seconds(5), "all is passed on") { !output.hasBacklog && output.report.state == .connected }
        return offered
    }
}

extension StreamReader.Event {
    fileprivate struct Moved {
        let event: StreamReader.Event
        let isPicture: Bool
        let shown: MediaTime
    }

    /// Nil for what lies outside of `range`, or is neither picture nor sound.
    fileprivate func moved(by move: MediaTime, within range: Range<MediaTime>) -> Moved? {
        switch self {
        case .video(let unit) where range.contains(unit.decode):
            let shown = unit.presentation + move
            let moved = VideoUnit(
                bytes: unit.bytes, units: unit.units, presentation: shown, decode: unit.decode + move, isKey: unit.isKey,
                isDamaged: unit.isDamaged, format: unit.format)
            return Moved(event: .video(moved), isPicture: true, shown: shown)
        case .audio(let unit) where range.contains(unit.presentation):
            let shown = unit.presentation + move
            return Moved(
                event: .audio(AudioUnit(bytes: unit.bytes, presentation: shown, format: unit.format)), isPicture: false, shown: shown)
        default: return nil
        }
    }
}
