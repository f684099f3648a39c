import RTP
import SDP
import Testing

struct SubscriptionOfferTests {
    private func subscription(_ places: SubscriptionOffer.Places = .reused, hasData: Bool = false) -> SubscriptionOffer {
        SubscriptionOffer(local: local, places: places, hasData: hasData, sessionID: 7)
    }

    /// What a browser answers: each section as it is offered, received; those in `refused` by port 0.
    private func answer(_ offer: SessionDescription, refused: Set<String> = []) throws -> SessionDescription {
        var answer = SessionDescription(sessionID: 1, version: offer.version)
        answer.sections = offer.sections.map { offered in
            var section = offered
            section.direction = offered.direction?.reversed
            section.streams = []
            section.sources = []
            section.sourceGroups = []
            section.transport = TransportLines()
            if refused.contains(offered.mid ?? "") { section.port = 0 }
            if section.port > 0 {
                section.transport = TransportLines(
                    ufrag: "abcd", password: "0123456789abcdefghijkl", fingerprints: [Fingerprint("sha-256 " + digest)!], setup: .active)
            }
            return section
        }
        answer.bundles = [answer.sections.filter { $0.port > 0 }.compactMap(\.mid)]
        return try SessionDescription(parsing: answer.text, limits: .answer)
    }

    private func next(_ subscription: inout SubscriptionOffer) throws -> SessionDescription {
        let offer = subscription.offer()
        return try #require(offer)
    }

    private func exchange(_ subscription: inout SubscriptionOffer, refused: Set<String> = []) throws -> SubscriptionOffer.Agreed {
        let offer = try next(&subscription)
        #expect(try SessionDescription(parsing: offer.text, limits: .answer) == offer)
        return try subscription.take(try answer(offer, refused: refused))
    }

    @Test("tracks are offered in sections of their own, and sent once they are answered")
    func first() throws {
        var subscription = subscription(hasData: true)
        #expect(subscription.add(track(.opus, 1)) == "1")
        #expect(subscription.add(track(.vp8, 2)) == "2")
        let offer = try next(&subscription)
        #expect(offer.isLite)
        #expect(offer.bundles == [["0", "1", "2"]])
        #expect(offer.sections.map(\.kind) == [.application, .audio, .video])
        #expect(offer.sections.allSatisfy { $0.transport.setup == .actpass })
        #expect(offer.sections[2].formats == ["96", "97"])
        #expect(subscription.offer() == nil)
        let agreed = try subscription.take(try answer(offer))
        #expect(agreed.sections.map(\.mid) == ["0", "1", "2"])
        #expect(
            agreed.sections[2].codecs == [
                AgreedCodec(
                    codec: .vp8, payloadType: 96, retransmissionType: 97,
                    feedback: [.bandwidth, .transport, .fullIntra, .nack, .pictureLoss])
            ])
        #expect(agreed.sections[1].extensions[.audioLevel] == SubscriptionOffer.extensions[.audioLevel])
        #expect(agreed.sections[2].extensions[.audioLevel] == nil)
        #expect(agreed.remote?.weArePassive == true)
        #expect(!subscription.hasChanges)
        #expect(subscription.offer() == nil)
    }

    @Test("a section whose track went takes the next of its kind under the same mid, once the other end knows that it is empty")
    func reused() throws {
        var subscription = subscription()
        #expect(subscription.add(track(.vp8, 1)) == "0")
        _ = try exchange(&subscription)
        subscription.remove("0")
        // Not told yet: another place.
        #expect(subscription.add(track(.vp8, 2)) == "1")
        let second = try exchange(&subscription)
        #expect(second.sections.map(\.mid) == ["1"])
        #expect(subscription.add(track(.opus, 3)) == "2")
        #expect(subscription.add(track(.h264Baseline, 4)) == "0")
        let offer = try next(&subscription)
        #expect(offer.sections.map(\.mid) == ["0", "1", "2"])
        #expect(offer.sections[0].formats == ["102", "103"])
        #expect(offer.sections[0].sources.map(\.source) == [1004, 2004])
        #expect(try subscription.take(try answer(offer)).sections.map(\.mid) == ["0", "1", "2"])
    }

    @Test("a retired section is stopped, and its place has a new mid when it is taken again")
    func retired() throws {
        var subscription = subscription(.retired)
        #expect(subscription.add(track(.vp8, 1)) == "0")
        #expect(subscription.add(track(.opus, 2)) == "1")
        _ = try exchange(&subscription)
        subscription.remove("0")
        let offer = try next(&subscription)
        #expect(offer.sections.map(\.port) == [0, 9])
        #expect(offer.bundles == [["1"]])
        #expect(offer.sections.map(\.transport.candidates.count) == [0, 2])
        #expect(try subscription.take(try answer(offer)).sections.map(\.mid) == ["1"])
        #expect(subscription.add(track(.vp8, 3)) == "2")
        let again = try next(&subscription)
        #expect(again.sections.map(\.mid) == ["2", "1"])
        #expect(try subscription.take(try answer(again)).sections.map(\.mid) == ["2", "1"])
    }

    @Test("a track that the other end cannot decode is told, and its place is had again under a new mid")
    func refused() throws {
        var subscription = subscription()
        #expect(subscription.add(track(.h264High, 1)) == "0")
        #expect(subscription.add(track(.opus, 2)) == "1")
        let agreed = try exchange(&subscription, refused: ["0"])
        #expect(agreed.refused == [track(.h264High, 1)])
        #expect(agreed.sections.map(\.mid) == ["1"])
        #expect(subscription.add(track(.vp8, 3)) == "2")
        let offer = try next(&subscription)
        #expect(offer.sections.map(\.mid) == ["2", "1"])
    }

    @Test("an answer under another number, or with another codec, is a refusal")
    func otherCodec() throws {
        var subscription = subscription()
        _ = subscription.add(track(.vp8, 1))
        let offer = try next(&subscription)
        var answer = try answer(offer)
        answer.sections[0].codecs[0].payloadType = 100
        #expect(try subscription.take(answer).refused == [track(.vp8, 1)])
        #expect(try exchange(&subscription).sections.isEmpty)
    }

    @Test("what changes while an answer is awaited goes into the next offer")
    func pending() throws {
        var subscription = subscription()
        _ = subscription.add(track(.opus, 1))
        let offer = try next(&subscription)
        subscription.remove("0")
        _ = subscription.add(track(.opus, 2))
        #expect(subscription.offer() == nil)
        let agreed = try subscription.take(try answer(offer))
        // The track has gone already.
        #expect(agreed.sections.isEmpty)
        let next = try exchange(&subscription)
        #expect(next.sections.map(\.mid) == ["1"])
    }

    @Test("tracks that come and go while an answer is awaited take up a place each at a time, and none of those that went before")
    func fleeting() throws {
        var subscription = subscription()
        _ = subscription.add(track(.vp8, 1))
        let offer = try next(&subscription)
        subscription.remove("0")
        for number in 2..<1000 as Range<UInt32> {
            let mid = subscription.add(track(.vp8, number))
            #expect(mid == "1")
            subscription.remove("1")
        }
        let last = subscription.add(track(.h264Baseline, 1000))
        #expect(last == "1")
        #expect(try subscription.take(try answer(offer)).sections.isEmpty)
        let second = try next(&subscription)
        #expect(second.sections.map(\.mid) == ["0", "1"] && second.sections.map(\.direction) == [.inactive, .send])
        #expect(second.sections[1].formats == ["102", "103"])
        // What was offered and went is no place before that was answered.
        subscription.remove("1")
        let third = subscription.add(track(.vp8, 1001))
        #expect(third == "2")
        #expect(try subscription.take(try answer(second)).sections.isEmpty)
    }

    @Test("an answer that is not to our offer is refused, and the offer still waits")
    func faults() throws {
        var subscription = subscription()
        _ = subscription.add(track(.opus, 1))
        _ = subscription.add(track(.vp8, 2))
        let offer = try next(&subscription)
        func fault(_ change: (inout SessionDescription) -> Void) throws -> NegotiationFault? {
            var answer = try answer(offer)
            change(&answer)
            do throws(NegotiationFault) {
                _ = try subscription.take(answer)
                return nil
            } catch {
                return error
            }
        }
        #expect(try fault { $0.sections.removeLast() } == .otherSections)
        #expect(try fault { $0.sections.swapAt(0, 1) } == .otherSections)
        #expect(try fault { $0.sections[0].mid = "9" } == .otherSections)
        #expect(try fault { $0.sections[0].transport.setup = .actpass } == .role)
        #expect(try fault { $0.bundles = [] } == .notBundled)
        #expect(try fault { $0.sections[1].transport.ufrag = "efgh" } == .notBundled)
        #expect(subscription.isPending)
        #expect(try fault { _ in } == nil)
        #expect(try fault { _ in } == .unexpected)
        // The association is there: its roles stay.
        _ = subscription.add(track(.vp8, 3))
        let next = try next(&subscription)
        var swapped = try answer(next)
        for index in swapped.sections.indices { swapped.sections[index].transport.setup = .passive }
        #expect(throws: NegotiationFault.role) { try subscription.take(swapped) }
    }

    @Test(
        "tracks come and go 10,000 times: the offer does not grow, mids are never those of two sections",
        arguments: [SubscriptionOffer.Places.reused, .retired])
    func churn(_ places: SubscriptionOffer.Places) throws {
        var subscription = subscription(places)
        var random = SystemRandomNumberGenerator()
        var mids: [String: SentTrack] = [:]
        var number: UInt32 = 0
        for _ in 0..<2000 {
            for _ in 0..<5 {
                if mids.count < 10, Bool.random(using: &random) {
                    number += 1
                    let next = track([RoomCodec.opus, .vp8, .av1].randomElement(using: &random) ?? .opus, number)
                    let mid = subscription.add(next)
                    #expect(mids.updateValue(next, forKey: try #require(mid)) == nil)
                } else if let gone = mids.keys.randomElement(using: &random) {
                    subscription.remove(gone)
                    mids[gone] = nil
                }
            }
            guard let offer = subscription.offer() else { continue }
            let agreed = try subscription.take(try answer(offer))
            #expect(Set(agreed.sections.compactMap(\.mid)) == Set(mids.keys))
            for section in agreed.sections { #expect(section.codecs.first?.codec == section.mid.flatMap { mids[$0]?.codec }) }
            #expect(offer.sections.count <= 40)
        }
    }

    @Test("sections are bounded")
    func bound() {
        var subscription = subscription()
        for number in 0..<SubscriptionOffer.sectionLimit { #expect(subscription.add(track(.opus, UInt32(number))) != nil) }
        #expect(subscription.add(track(.opus, 999)) == nil)
    }

    @Test("real browsers' answers to our offers are agreed on", arguments: fixtureNames("-answers-"))
    func answered(_ name: String) throws {
        var subscription = Self.example()
        let offer = try next(&subscription)
        #expect(try SessionDescription(parsing: try fixture("our-offer.sdp")) == offer)
        let answer = try SessionDescription(parsing: try fixture(name), limits: .answer)
        let agreed = try subscription.take(answer)
        #expect(agreed.sections.map(\.mid).prefix(3) == ["0", "1", "2"])
        #expect(agreed.sections[2].codecs.map(\.retransmissionType) == [97])
        #expect(agreed.sections[2].extensions[.transportSequence] == 3)
        // Of H.264 Debian's Firefox has none before it has fetched a plugin.
        #expect(agreed.refused.allSatisfy { $0.codec == .h264Baseline && name.hasPrefix("firefox") })
    }

    /// What `our-offer.sdp` is.
    static func example() -> SubscriptionOffer {
        var subscription = SubscriptionOffer(local: local, places: .reused, hasData: true, sessionID: 7)
        for codec in [RoomCodec.opus, .vp8, .h264Baseline, .vp9, .av1] { _ = subscription.add(track(codec, UInt32(codec.payloadType))) }
        return subscription
    }
}
