import BondWire
import Congestion
import ICE
import SDP
import Testing
import Units
import Wire

@testable import SFU

/// What one participant is offered of what the others send.
@Suite("A subscriber")
struct SubscriberTests {
    private let anna: ParticipantID = Self.id("A")
    private let ben: ParticipantID = Self.id("B")

    private static func id<Kind>(_ letter: String) -> ID<Kind> { ID("0000000000000000000000000" + letter)! }

    private func subscriber() throws -> Subscriber {
        let subscriber = Subscriber(id: Self.id("P"), room: Self.id("R"), owner: anna)
        subscriber.begin(SessionNumber(slot: 0, turn: 1), try Agreed.local(), sessionID: 7)
        return subscriber
    }

    /// Sound and a picture that somebody sends.
    private func tracks() throws -> [IncomingTrack] {
        let tracks = try Agreed.sections().compactMap(IncomingTrack.init)
        try #require(tracks.map(\.name) == ["0", "1"])
        return tracks
    }

    private func add(_ track: IncomingTrack, _ number: UInt32, to subscriber: Subscriber) {
        subscriber.add(
            track,
            SentTrack(
                codec: track.format, stream: StreamName(stream: ben.text, track: "t\(number)"), name: "ben", source: number,
                retransmissionSource: track.format == .opus ? nil : number + 1000),
            of: ben)
    }

    /// What a browser answers to an offer; sections in `refused` by port 0.
    private func answer(_ offer: PeerOffered, ufrag: String = "abcd", digest: String = Agreed.digest, refused: Set<String> = []) throws
        -> SessionDescription
    {
        let offered = try SessionDescription(parsing: offer.offer, limits: .answer)
        var answer = SessionDescription(sessionID: 1, version: offered.version)
        answer.sections = try offered.sections.map { one in
            var section = one
            section.direction = one.direction?.reversed
            section.streams = []
            section.sources = []
            section.sourceGroups = []
            section.transport = TransportLines()
            if refused.contains(one.mid ?? "") { section.port = 0 }
            if section.port > 0 {
                let fingerprint = try #require(Fingerprint("sha-256 " + digest))
                section.transport = TransportLines(
                    ufrag: ufrag, password: "0123456789abcdefghijkl", fingerprints: [fingerprint], setup: .active)
            }
            return section
        }
        answer.bundles = [answer.sections.filter { $0.port > 0 }.compactMap(\.mid)]
        return answer
    }

    @Test("one's own tracks are none to get, and nobody else's are got twice")
    func takes() throws {
        let subscriber = try subscriber()
        let track = try tracks()[0]
        #expect(!subscriber.takes(track, of: anna))
        #expect(subscriber.takes(track, of: ben))
        add(track, 1, to: subscriber)
        #expect(!subscriber.takes(track, of: ben))
    }

    @Test("what came together is one offer, which says whose track lies where; what comes meanwhile is in the next")
    func offers() throws {
        let subscriber = try subscriber()
        #expect(subscriber.offer() == nil)
        let tracks = try tracks()
        add(tracks[0], 1, to: subscriber)
        add(tracks[1], 2, to: subscriber)
        let first = try #require(subscriber.offer())
        #expect(first.number == 0 && first.peer == subscriber.id)
        #expect(
            first.tracks == [
                SubscribedTrack(mid: "0", participant: ben, track: "0"), SubscribedTrack(mid: "1", participant: ben, track: "1"),
            ])
        let more = try self.tracks()[1]
        add(more, 3, to: subscriber)
        #expect(subscriber.offer() == nil)
        let answered = try subscriber.take(try answer(first), to: 0)
        #expect(answered.opening?.ufrag == "abcd" && answered.opening?.weArePassive == true)
        #expect(answered.begins.map(\.sent.source) == [1, 2])
        let second = try #require(subscriber.offer())
        #expect(second.number == 1 && second.tracks.map(\.mid) == ["0", "1", "2"])
        // The others are on their way.
        let again = try subscriber.take(try answer(second), to: 1)
        #expect(again.opening == nil && again.begins.map(\.sent.source) == [1, 2, 3])
    }

    @Test("an answer to another offer, or of another connection, is refused, and the offer still waits")
    func others() throws {
        let subscriber = try subscriber()
        let tracks = try tracks()
        add(tracks[0], 1, to: subscriber)
        let first = try #require(subscriber.offer())
        #expect(throws: RoomWorker.Refusal.self) { try subscriber.take(try answer(first), to: 1) }
        _ = try subscriber.take(try answer(first), to: 0)
        #expect(throws: RoomWorker.Refusal.self) { try subscriber.take(try answer(first), to: 0) }
        add(tracks[1], 2, to: subscriber)
        let second = try #require(subscriber.offer())
        let other = (0..<32).map { _ in "CD" }.joined(separator: ":")
        #expect(throws: RoomWorker.Refusal.self) { try subscriber.take(try answer(second, digest: other), to: 1) }
        #expect(throws: RoomWorker.Refusal.self) { try subscriber.take(try answer(second, ufrag: "efgh"), to: 1) }
        #expect(try subscriber.take(try answer(second), to: 1).opening == nil)
    }

    @Test("a track that the page cannot decode is not sent, and not offered again")
    func refused() throws {
        let subscriber = try subscriber()
        let tracks = try tracks()
        add(tracks[0], 1, to: subscriber)
        add(tracks[1], 2, to: subscriber)
        let first = try #require(subscriber.offer())
        #expect(try subscriber.take(try answer(first, refused: ["1"]), to: 0).begins.map(\.sent.source) == [1])
        let second = try #require(subscriber.offer())
        #expect(second.tracks.map(\.mid) == ["0"])
        #expect(!subscriber.takes(tracks[1], of: ben))
    }

    @Test("what had no place is shown once there is one")
    func short() throws {
        let subscriber = try subscriber()
        let all = try (0..<Subscriber.trackLimit).map { _ in try tracks()[0] }
        for (number, track) in all.enumerated() { add(track, UInt32(number + 1), to: subscriber) }
        #expect(!subscriber.hasPlaceAgain())
        let more = try tracks()[0]
        #expect(!subscriber.takes(more, of: ben))
        #expect(!subscriber.hasPlaceAgain())
        subscriber.drop(all[0])
        let again = [subscriber.hasPlaceAgain(), subscriber.hasPlaceAgain()]
        #expect(again == [true, false])
        #expect(subscriber.takes(more, of: ben))
    }

    @Test("a section of a later offer goes on with its track where it is as before")
    func sections() throws {
        let first = try tracks()
        let again = try Agreed.sections()
        #expect(first[0].isOf(again[0]) && first[1].isOf(again[1]))
        #expect(!first[0].isOf(again[1]) && !first[1].isOf(again[0]))
        var other = again[1]
        other.mid = "2"
        #expect(!first[1].isOf(other))
        other = again[1]
        other.codecs[0].payloadType = 97
        #expect(!first[1].isOf(other))
    }

    @Test("a track that is gone is fed no more, and the next offer is without it")
    func drops() throws {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 2048, alignment: 16)
        defer { buffer.deallocate() }
        let subscriber = try subscriber()
        let track = try tracks()[1]
        add(track, 2, to: subscriber)
        let first = try #require(subscriber.offer())
        let departures = Departures(.transport, buffer: buffer, protection: { nil }, send: { _ in }, waits: {})
        for (agreed, sent) in try subscriber.take(try answer(first), to: 0).begins {
            subscriber.began(
                OutgoingTrack(
                    try #require(agreed.codecs.first), agreed.extensions, source: sent.source, repeatSource: 0, random: 1,
                    departures: departures, buffer: buffer, at: 0))
        }
        subscriber.feed()
        subscriber.feed()
        #expect(track.subscribers.count == 1)
        subscriber.drop(track)
        #expect(track.subscribers.isEmpty && !subscriber.hasTracks)
        let next = try #require(subscriber.offer())
        #expect(next.tracks.isEmpty)
    }

    @Test("offers to many wait for whoever is to pass them on, and each of them comes in the end, once")
    func paced() throws {
        let subscribers = try (0..<10).map { _ in try subscriber() }
        let all = try tracks()
        for subscriber in subscribers { add(all[0], 1, to: subscriber) }
        var told: [PeerOffered] = []
        for turn in 1...5 {
            let before = told.count
            Subscriber.offer(to: subscribers, while: { told.count < before + 3 }) { told.append($0) }
            #expect(told.count == min(10, 3 * turn))
        }
    }

    @Test("tracks of one subscriber are bounded, and their offer is within a line of the worker's socket")
    func bound() throws {
        let subscriber = try subscriber()
        var all: [IncomingTrack] = []
        while all.count < Subscriber.trackLimit {
            let track = try tracks()[1]
            guard subscriber.takes(track, of: ben) else { break }
            all.append(track)
            add(track, UInt32(all.count), to: subscriber)
        }
        #expect(all.count == Subscriber.trackLimit)
        #expect(!subscriber.takes(try tracks()[0], of: ben))
        let offer = try #require(subscriber.offer())
        #expect(offer.offer.utf8.count < 128 << 10)
    }
}
