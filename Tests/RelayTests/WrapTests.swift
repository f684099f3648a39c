import Foundation
import Support
import Testing
import Wire

/// What 33 bits of a transport stream's timestamps mean for whoever records it: nothing.
@Suite(.serialized, .unlessStolen, .timeLimit(.minutes(2))) struct WrapTests {
    /// Ticks before the 33-bit timestamps begin anew, 26.5 hours after they began.
    private static let modulus: Int64 = 1 << 33

    @Test("a stream whose timestamps wrap is recorded by RTMP, SRT and file without gap, jump or loss", arguments: [(3, 10), (30, 34)])
    func wraps(_ before: Int, _ seconds: Int) async throws {
        try await onStage { stage in
            let nginx = try await Nginx(on: stage)
            let peer = try SRTPeer.listener(on: stage, passphrase: "a-passphrase")
            let origin = stage.folder["origin.ts"]
            try await Clip.makeWrapping(origin, after: before, seconds: seconds)
            let clip = [UInt8](try Data(contentsOf: URL(fileURLWithPath: origin)))
            let targets = [nginx.target("show"), srt(.caller, port: peer.port), .file(FileTarget(name: "show.ts"))]
            // In three seconds: faster than it was made for, and slower than the pipelines can.
            let speed = Double(seconds) / 3
            try await withRelay(targets, folder: stage.folder.path) { live in
                try await live.play(clip, seconds: Double(seconds), times: speed, to: 0.25)
                for output in 0..<3 { try await live.wait(output, is: .connected) }
                try await live.play(clip, seconds: Double(seconds), times: speed, from: 0.25)
                await live.end()
                for output in 0..<3 { #expect(live.report(output)?.reconnectsTotal == 0 && live.report(output)?.droppedUnitsTotal == 0) }
            }
            let sent = Self.unwrapped(try Recording.accessUnits(origin, isEnded: true))
            try #require(sent.contains { $0.ptsTicks < Self.modulus } && sent.contains { $0.ptsTicks > Self.modulus })
            let sessions = try await nginx.finished("show")
            #expect(sessions.count == 1)
            for file in [try #require(sessions.last), try await peer.finished(), stage.folder["show.ts"]] {
                try await expectUnbroken(file, sent)
            }
        }
    }

    /// Every unit is there, each as far from the first one as it was sent: so nothing jumps, and sound stays with its picture.
    private func expectUnbroken(_ file: String, _ sent: [AccessUnit]) async throws {
        let recorded = Self.unwrapped(try Recording.accessUnits(file, isEnded: true))
        let name = file.split(separator: "/").last ?? ""
        var moves: [(sent: Int64, ms: Double)] = []
        for kind in [AccessUnit.Kind.video, .audio] {
            let delivery = Delivery(sent: sent, recorded: recorded, kind)
            print("WrapTests: \(name): \(kind): \(delivery)")
            try #require(delivery.isCompleteToTheEnd && delivery.recorded > 100, "\(name), \(kind): \(delivery)")
            let pairs = zip(sent.filter { $0.kind == kind }.suffix(delivery.recorded), recorded.filter { $0.kind == kind })
            moves += pairs.map { (sent: $0.ptsTicks, ms: Double($1.ptsTicks - $0.ptsTicks) / 90) }
        }
        let before = moves.filter { $0.sent < Self.modulus }.map(\.ms)
        let after = moves.filter { $0.sent >= Self.modulus }.map(\.ms)
        let least = moves.map(\.ms).min() ?? .nan
        let range = "\(before.count) by 0...\((before.max() ?? .nan) - least) ms, \(after.count) by 0...\((after.max() ?? .nan) - least) ms"
        print("WrapTests: \(name): units before and after the wrap are moved: \(range)")
        #expect(before.count > 50 && after.count > 100)
        // FLV has milliseconds: a picture's time is the sum of two of them.
        #expect((moves.map(\.ms).max() ?? .infinity) - least <= 2, "\(name): \(range)")
        // Decoding takes its time: the times above say the same of the longer stream.
        guard moves.count < 2000 else { return }
        let sync = try await FlashAndBeep(recording: file)
        print("WrapTests: \(name): \(sync)")
        #expect(sync.offsetsMs.count >= 5 && sync.worstMs <= 40, "\(name): \(sync)")
    }

    /// The same units with times that go on over the wrap; those of FLV are as they are.
    private static func unwrapped(_ units: [AccessUnit]) -> [AccessUnit] {
        var last: [AccessUnit.Kind: Int64] = [:]
        return units.map { unit in
            let turns = last[unit.kind].map { ($0 - unit.ptsTicks + modulus / 2) / modulus } ?? 0
            last[unit.kind] = unit.ptsTicks + turns * modulus
            return unit.at(unit.ptsTicks + turns * modulus)
        }
    }
}
