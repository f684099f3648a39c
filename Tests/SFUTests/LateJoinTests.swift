import BondWire
import Congestion
import Forwarding
import SDP
import Testing

@testable import SFU

/// Who comes late gets what is kept of a picture at once, and what comes soon; a publisher is asked for a key frame only where nothing of use
/// is kept.
@Suite("Late joins")
struct LateJoinTests {
    private static let ms: Microseconds = 1000

    @Test("a hundred who come within two seconds have their first picture without waiting, and the publisher is asked four times at most")
    func hundred() throws {
        let stage = try Stage()
        try stage.run(500)
        for number in 0..<100 {
            try stage.join(number % 2 == 0 ? .nothing : .transport)
            try stage.run(20)
        }
        try stage.run(1500)
        #expect((1...4).contains(stage.asked.count), "\(stage.asked.count) requests")
        var waits: [Microseconds] = []
        for player in stage.players { waits.append(try #require(player.inbox.firstPicture) - player.cameAt) }
        waits.sort()
        #expect(waits[94] <= 300 * Self.ms, "\(waits[94] / Self.ms) ms")
        for player in stage.players {
            let inbox = player.inbox
            #expect(inbox.faults == 0 && inbox.gaps == [] && inbox.standstills == 0)
            // It has caught up with all the others.
            #expect(inbox.media.last?.taken == stage.picture)
        }
    }

    @Test(
        "it is in step from its first picture on: timestamps go as fast as time does, and those of what comes as they came",
        arguments: [Downlink.Feedback.nothing, .transport, .receiver])
    func inStep(feedback: Downlink.Feedback) throws {
        let stage = try Stage()
        stage.sendKeyFrame()
        try stage.run(1000)
        let player = try stage.join(feedback)
        try stage.run(1500)
        #expect(stage.asked == [])
        let media = player.inbox.media
        let (first, last) = (try #require(media.first), try #require(media.last))
        #expect(first.isKey && first.at - player.cameAt <= 25 * Self.ms && last.taken == stage.picture)
        let told = Microseconds(last.fields.timestamp &- first.fields.timestamp) * 100 / 9
        #expect((told - (last.at - first.at)).magnitude <= 150 * 1000, "\(told) us for \(last.at - first.at) us")
        // The newest thirty pictures, each 33 ms behind the one before.
        let starts = media.filter(\.startsPicture).suffix(30)
        for (before, after) in zip(starts, starts.dropFirst()) {
            #expect((after.fields.timestamp &- before.fields.timestamp) == 33 * 90)
        }
        // Nothing of what is kept came twice, and nothing was left out: two packets for each picture, and a key frame.
        #expect(media.count == 2 * Int(last.taken - first.taken) + 12)
    }

    @Test("what is kept goes no faster than the way of the player carries, or forty megabits a second where nobody knows that")
    func paced() throws {
        let stage = try Stage()
        stage.sendKeyFrame()
        try stage.run(1000)
        let (known, unknown) = (try stage.join(.transport), try stage.join(.nothing))
        try stage.run(400)
        for (player, most) in [(known, 4000), (unknown, 4 * 440 * 12)] {
            // In any ten milliseconds, with a step more and a burst of the pacer.
            let media = player.inbox.media
            var worst = 0
            for packet in media {
                let together = media.count { packet.at...packet.at + 10 * Self.ms ~= $0.at }
                worst = max(worst, together * 440)
            }
            #expect(worst <= most, "\(worst) bytes in 10 ms")
        }
    }

    @Test("the tracks of one player go through what is kept one after the other, together no faster than one alone")
    func several() throws {
        let stage = try Stage()
        stage.sendKeyFrame()
        try stage.run(1000)
        let player = try stage.join(.nothing)
        for number in UInt32(1)...3 { try player.playAgain(stage, number: number) }
        try stage.run(400)
        let media = player.inbox.media
        // In any ten milliseconds, with steps of a tick and what comes of the present.
        var worst = 0
        for packet in media { worst = max(worst, media.count { packet.at...packet.at + 10 * Self.ms ~= $0.at }) }
        #expect(worst <= 4 * 13 + 4 * 2, "\(worst) packets in 10 ms")
        let sources = Set(media.map(\.fields.source))
        #expect(sources.count == 4 && stage.asked == [] && player.inbox.faults == 0)
        for source in sources {
            let newest = media.last { $0.fields.source == source }
            #expect(newest?.taken == stage.picture)
        }
    }

    @Test("what was lost of the past is repeated as it was")
    func repeated() throws {
        let stage = try Stage()
        stage.sendKeyFrame()
        try stage.run(1000)
        let player = try stage.join(.nothing)
        try stage.run(60)
        let media = player.inbox.media
        try #require(media.count > 40)
        let lost = [media[3], media[21], media[40]]
        for packet in lost { player.outgoing.askedAgain(packet.fields.sequence, at: stage.now) }
        let repeats = player.inbox.repeats
        #expect(repeats.map(\.original) == lost.map { Optional($0.fields.sequence) })
        #expect(repeats.map(\.fields.timestamp) == lost.map(\.fields.timestamp))
        #expect(repeats.map(\.picture) == lost.map(\.picture))
    }

    @Test("a key frame that is too old is not begun with: the publisher is asked, and the next one comes to who waits")
    func old() throws {
        let stage = try Stage()
        stage.sendKeyFrame()
        try stage.run(1700)
        let player = try stage.join(.nothing)
        try stage.run(40)
        #expect(stage.asked.count == 1 && player.inbox.media.isEmpty)
        try stage.run(120)
        let first = try #require(player.inbox.media.first)
        #expect(first.isKey && first.at > stage.asked[0] + 40 * Self.ms)
    }

    @Test("what is more than a way carries in half a second is not begun with", arguments: [Downlink.Feedback.nothing, .transport])
    func large(feedback: Downlink.Feedback) throws {
        // 4 Mbit/s: 380 kB since the key frame; 1 Mbit/s: 190 kB, at two and a half times of that 0.6 s.
        let stage = try feedback == .nothing ? Stage(packets: 16, bytes: 1040) : Stage(packets: 4, bytes: 1040)
        stage.sendKeyFrame()
        try stage.run(feedback == .nothing ? 800 : 1450)
        let player = try stage.join(feedback)
        try stage.run(40)
        #expect(stage.asked.count == 1 && player.inbox.media.isEmpty)
    }

    @Test("a newer key frame takes the place of what is left of the past, without a gap")
    func newer() throws {
        let stage = try Stage()
        stage.sendKeyFrame()
        try stage.run(1000)
        let player = try stage.join(.transport)
        try stage.run(60)
        let before = player.inbox.media.count
        stage.sendKeyFrame()
        try stage.run(1000)
        let media = player.inbox.media
        let keys = media.indices.filter { media[$0].isKey }
        try #require(keys.count == 2)
        #expect(before > 0 && keys[1] < 60 && player.inbox.gaps == [] && player.inbox.standstills == 0)
        #expect(media[keys[1]].picture == media[keys[1] - 1].picture &+ 1, "the line of picture ids goes on")
        #expect(stage.asked == [] && player.inbox.firstPicture != nil)
    }

    @Test("of a simulcast it is the layer that is chosen, and whoever publishes next goes on with the same numbers")
    func simulcast() throws {
        let stage = try Stage(layers: ["q", "h", "f"])
        stage.sendKeyFrame()
        try stage.run(1000)
        let player = try stage.join(.nothing)
        try stage.run(300)
        #expect(stage.asked == [] && player.inbox.media.first?.isKey == true)
        let count = player.inbox.media.count
        // As where its publisher comes again: other layers for the rewriter, the same line of numbers.
        stage.track.remove(player.outgoing)
        player.outgoing.starve()
        player.outgoing.feed(from: stage.track)
        player.peer.choose(at: stage.now)
        stage.sendKeyFrame()
        try stage.run(600)
        #expect(player.inbox.media.count > count + 20 && player.inbox.gaps == [] && player.inbox.standstills == 0)
    }

    @Test("what came while a track was held is for nobody, whoever comes later")
    func held() throws {
        let stage = try Stage()
        let first = try stage.join(.nothing)
        try stage.run(500)
        #expect(first.inbox.firstPicture != nil)
        stage.track.hold(true, at: stage.now)
        stage.sendKeyFrame()
        try stage.run(300)
        let (asked, shown) = (stage.asked.count, first.inbox.media.count)
        stage.track.hold(false, at: stage.now)
        let release = stage.now
        let late = try stage.join(.nothing)
        try stage.run(40)
        #expect(late.inbox.media.isEmpty && first.inbox.media.count == shown && stage.asked.count > asked)
        try stage.run(200)
        for player in [first, late] {
            let next = try #require(player.inbox.media.first { $0.at > release })
            #expect(next.isKey && next.at > stage.asked[asked])
        }
    }

    @Test("what came together goes on to one after the other, all of it: so it may leave in one call")
    func together() throws {
        let stage = try Stage(packets: 5)
        for _ in 0..<3 { try stage.join(.nothing) }
        try stage.run(700)
        #expect(stage.order.suffix(15) == [1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3])
    }

    @Test("who pauses and goes on waits for a key frame: what is kept it has had")
    func resumed() throws {
        let stage = try Stage()
        let player = try stage.join(.nothing)
        try stage.run(400)
        let shown = player.inbox.media.count
        #expect(shown > 0)
        player.outgoing.pause()
        try stage.run(100)
        #expect(player.inbox.media.count == shown)
        player.outgoing.select(LayerTarget(layer: 0))
        let asked = stage.asked.count
        try stage.run(1100)
        #expect(stage.asked.count > asked && player.inbox.media.count > shown)
        #expect(player.inbox.gaps == [] && player.inbox.standstills == 0)
    }
}
