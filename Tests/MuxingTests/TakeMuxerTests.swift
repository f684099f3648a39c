import Forwarding
import Frames
import Posix
import RTP
import Testing
import TrackLog
import TrackSpool

@testable import Muxing

/// From logs to files that another program plays.
@Suite(.timeLimit(.minutes(2)))
struct TakeMuxerTests {
    private static let second = Rehearsal.second

    /// Four seconds of a publisher: its sound comes 30 ms after it was taken and begins at once, its picture a quarter of a second after
    /// and half a second later; both have reports, and timestamps that begin anywhere and go round.
    private static func record(
        _ codec: Codec, _ rehearsal: Rehearsal, pictures: [Encoded], losing lost: Set<Int> = [], mute: Range<Int64> = 0..<0
    ) async {
        let sound = rehearsal.begin(.opus)
        let picture = rehearsal.begin(codec)
        var number: UInt16 = 65_500
        for (index, encoded) in pictures.enumerated() {
            let taken = second / 2 + Int64(index) * second / 30
            let timestamp = 0xffff_ff00 &+ UInt32(index) &* 3000
            let payloads = encoded.payloads(codec)
            for (place, payload) in payloads.enumerated() {
                number &+= 1
                guard !lost.contains(index) else { continue }
                let fields = RTPFields(
                    marker: place == payloads.count - 1, payloadType: 96, sequence: number, timestamp: timestamp, source: 2)
                rehearsal.append(fields, payload, at: taken + 250_000 + Int64(place) * 100, to: picture)
            }
            if index % 30 == 0 { rehearsal.report(2, timestamp, taken: taken, at: taken + 260_000, to: picture) }
        }
        for index in 0..<225 {
            let taken = Int64(index) * 20_000
            let timestamp = 0xffff_f000 &+ UInt32(index) &* 960
            if !mute.contains(taken) {
                let fields = RTPFields(payloadType: 111, sequence: UInt16(index), timestamp: timestamp, source: 1)
                rehearsal.append(fields, OpusPacket.silence, at: taken + 30_000, to: sound)
            }
            if index % 50 == 0 { rehearsal.report(1, timestamp, taken: taken, at: taken + 35_000, to: sound) }
        }
        await rehearsal.end()
    }

    @Test("sound and picture lie in the file as they were taken, not as they came", arguments: [Codec.vp8, .h264])
    func inStep(codec: Codec) async throws {
        let rehearsal = try Rehearsal()
        await Self.record(codec, rehearsal, pictures: try await Encoded.pictures(codec, 120))
        let plans = try MuxPlan.all(of: rehearsal.folder)
        let plan = try #require(plans.first)
        #expect(plans.count == 1 && plan.container == (codec == .vp8 ? .webm : .mp4))
        let product = try await rehearsal.muxer.make(plan)
        #expect(product.pictures == 120 && product.sounds == 225 && product.droppedPictures == 0 && product.skips.isEmpty)
        #expect(product.damagedBytes == 0 && abs(product.durationMs - 4500) <= 60)
        let (pictures, sounds) = try await Rehearsal.read(product.path, product.container)
        #expect(pictures.count == 120)
        #expect(sounds.count == 225)
        let first = try #require(pictures.first)
        #expect(abs(first - Self.second / 2) <= 40_000, "the first picture at \(first) us")
        #expect(zip(pictures, pictures.dropFirst()).allSatisfy { 30_000...37_000 ~= $1 - $0 })
        #expect(zip(sounds, sounds.dropFirst()).allSatisfy { 10_000...30_000 ~= $1 - $0 })
    }

    @Test("a second time comes to the same, and leaves nothing else behind")
    func again() async throws {
        let rehearsal = try Rehearsal()
        await Self.record(.vp8, rehearsal, pictures: try await Encoded.pictures(.vp8, 45))
        let plan = try #require(try MuxPlan.all(of: rehearsal.folder).first)
        let first = try await rehearsal.muxer.make(plan)
        let before = try await Rehearsal.read(first.path, .webm)
        let second = try await rehearsal.muxer.make(plan)
        let after = try await Rehearsal.read(second.path, .webm)
        #expect(first == second && before.pictures == after.pictures && before.sounds == after.sounds)
        #expect(try FileTree.names(in: rehearsal.root.path).sorted() == [plan.name, "t"].sorted())
    }

    @Test("of a picture that was lost nothing is shown up to the next key frame, and whoever was muted is silent")
    func lossAndMute() async throws {
        let rehearsal = try Rehearsal()
        await Self.record(
            .vp8, rehearsal, pictures: try await Encoded.pictures(.vp8, 120), losing: [40], mute: Self.second..<3 * Self.second)
        let plan = try #require(try MuxPlan.all(of: rehearsal.folder).first)
        let product = try await rehearsal.muxer.make(plan)
        // Key frames are 0, 30, 60 and 90: 40 is lost, and of 41 to 59 none is shown.
        #expect(product.pictures == 100 && product.droppedPictures == 19)
        let (pictures, sounds) = try await Rehearsal.read(product.path, product.container)
        #expect(pictures.count == 100)
        #expect(zip(sounds, sounds.dropFirst()).allSatisfy { 10_000...61_000 ~= $1 - $0 })
        #expect(sounds.count >= 222)
    }

    @Test("what cannot be a file says why")
    func refused() async throws {
        let rehearsal = try Rehearsal()
        let other = rehearsal.begin(.av1, publisher: "a")
        rehearsal.append(RTPFields(payloadType: 99, sequence: 1, timestamp: 2, source: 3), [1, 2], at: 5, to: other)
        let empty = rehearsal.begin(.vp8, publisher: "b")
        rehearsal.append(RTPFields(payloadType: 96, sequence: 1, timestamp: 2, source: 3), [0x00, 1], at: 5, to: empty)
        await rehearsal.end()
        let plans = try MuxPlan.all(of: rehearsal.folder)
        #expect(plans.map(\.name) == ["1-1.webm", "1-2.webm"])
        await #expect(throws: MuxFault.codec("av1")) { try await rehearsal.muxer.make(plans[0]) }
        await #expect(throws: MuxFault.empty) { try await rehearsal.muxer.make(plans[1]) }
        #expect(try FileTree.names(in: rehearsal.root.path) == ["t"])
    }
}
