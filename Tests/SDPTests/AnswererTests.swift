import RTP
import SDP
import Testing

struct AnswererTests {
    /// A publisher's sections under one bundle, each with the same transport.
    private func offer(_ sections: [String], bundled: Bool = true, session: String = "") throws -> SessionDescription {
        let mids = sections.indices.map(String.init).joined(separator: " ")
        var text = sdp(start)
        if bundled { text += sdp("a=group:BUNDLE " + mids) }
        if !session.isEmpty { text += sdp(session) }
        for (index, section) in sections.enumerated() { text += sdp(section, "a=mid:\(index)\na=rtcp-mux", transport) }
        return try SessionDescription(parsing: text)
    }

    private static let audio = """
        m=audio 9 UDP/TLS/RTP/SAVPF 63 111 0
        a=rtpmap:63 red/48000/2
        a=rtpmap:111 opus/48000/2
        a=fmtp:111 minptime=10;useinbandfec=1
        a=rtcp-fb:111 transport-cc
        """
    private static let video = """
        m=video 9 UDP/TLS/RTP/SAVPF 102 103 96 97 100
        a=rtpmap:96 VP8/90000
        a=rtcp-fb:96 goog-remb
        a=rtcp-fb:96 transport-cc
        a=rtcp-fb:96 ccm fir
        a=rtcp-fb:96 nack
        a=rtcp-fb:96 nack pli
        a=rtcp-fb:96 unheard of
        a=rtpmap:97 rtx/90000
        a=fmtp:97 apt=96
        a=rtpmap:102 H264/90000
        a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42c016;x-evil=1
        a=rtpmap:103 rtx/90000
        a=fmtp:103 apt=102
        a=rtpmap:100 ulpfec/90000
        """
    private static let simulcast = """

        a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid
        a=extmap:2 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id
        a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id
        a=extmap:5 urn:example:unknown
        a=rid:f send
        a=rid:h send
        a=rid:q send
        a=rid:x send
        a=simulcast:send f;~h;q;x;z
        a=sendonly
        """
    private static let data = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\na=sctp-port:5001\na=max-message-size:262144"

    @Test("the codecs of the room are answered under the offered numbers, the preferred first, with RTX")
    func codecs() throws {
        var answerer = answerer()
        let answer = try answerer.answer(to: try offer([Self.audio, Self.video + "\na=sendonly"]), anything)
        let video = answer.sections[1]
        #expect(video.codecs.map(\.codec) == [.vp8, .h264Baseline])
        #expect(video.codecs.map(\.payloadType) == [96, 102])
        #expect(video.codecs.map(\.retransmissionType) == [97, 103])
        #expect(video.codecs[0].feedback == [.bandwidth, .transport, .fullIntra, .nack, .pictureLoss])
        #expect(video.direction == .receive)
        #expect(answer.sections[0].codecs.map(\.payloadType) == [111])
        #expect(answer.sections[0].codecs[0].feedback == .transport)
        let section = answer.description.sections[1]
        #expect(section.formats == ["96", "97", "102", "103"])
        #expect(section.codecs[2]["profile-level-id"] == "42c016")
        #expect(section.codecs[2]["x-evil"] == nil)
        #expect(section.codecs[0].feedback == ["goog-remb", "transport-cc", "ccm fir", "nack", "nack pli"])
        #expect(section.direction == .receive)
        #expect(try SessionDescription(parsing: answer.description.text) == answer.description)
    }

    @Test("a room without a codec refuses the section that has nothing else, and keeps its place and mid")
    func refusedCodec() throws {
        var answerer = answerer(RoomCodecs(audio: [.opus], video: [.av1]))
        let answer = try answerer.answer(
            to: try offer([Self.video, Self.audio, "m=text 9 UDP/TLS/RTP/SAVPF 98\na=rtpmap:98 t140/1000"]), anything)
        #expect(answer.description.sections.map(\.port) == [0, 9, 0])
        #expect(answer.description.sections.map(\.mid) == ["0", "1", "2"])
        #expect(answer.description.sections.map(\.formats.count) == [5, 1, 1])
        #expect(answer.description.bundles == [["1"]])
        #expect(answer.sections.map(\.index) == [1])
        // The candidates stand in the first section that is taken.
        #expect(answer.description.sections[1].transport.candidates.count == 2)
        #expect(answer.description.sections[0].transport == TransportLines())
    }

    @Test("an audio-only room refuses pictures, and data where it takes none")
    func accepts() throws {
        var answerer = answerer()
        let answer = try answerer.answer(to: try offer([Self.audio, Self.video, Self.data]), .publish(accepts: [.audio]))
        #expect(answer.description.sections.map(\.port) == [9, 0, 0])
    }

    @Test("layers of a simulcast are answered as received, three of them, and only where packets can name them")
    func simulcast() throws {
        var answerer = answerer()
        let answer = try answerer.answer(to: try offer([Self.video + Self.simulcast]), anything)
        let section = answer.description.sections[0]
        #expect(section.simulcast == Simulcast(receive: [[.init(id: "f")], [.init(id: "h")], [.init(id: "q")]]))
        #expect(section.layers.map(\.id) == ["f", "h", "q"])
        #expect(section.layers.allSatisfy { $0.direction == .receive })
        #expect(answer.sections[0].layers.map(\.description) == ["f", "h", "q"])
        #expect(answer.sections[0].extensions[.rid] == 2)
        #expect(answer.extensions[.repairedRID] == 3)
        #expect(section.extensions.map(\.id) == [1, 2, 3])
        let nameless = try answerer.answer(
            to: try offer([(Self.video + Self.simulcast).replacing("sdes:rtp-stream-id", with: "sdes:other")]), anything)
        #expect(nameless.description.sections[0].simulcast == nil)
        #expect(nameless.sections[0].layers.isEmpty)
    }

    @Test("an id has one meaning on the whole transport")
    func extensionConflict() throws {
        var answerer = answerer()
        let mid = "\na=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid"
        let level = "\na=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level"
        let answer = try answerer.answer(to: try offer([Self.video + mid, Self.audio + level]), anything)
        #expect(answer.sections[0].extensions[.mid] == 1)
        #expect(answer.sections[1].extensions == ExtensionMap())
        #expect(answer.description.sections[1].extensions.isEmpty)
    }

    @Test(
        "H.264 is known by its profile, at any level",
        arguments: [
            ("42e01f", RoomCodec.h264Baseline), ("42c016", .h264Baseline), ("42E034", .h264Baseline), ("4d801f", .h264Baseline),
            ("42001f", nil), ("4d001f", .h264Main), ("4d0032", .h264Main), ("64001f", .h264High), ("640c1f", .h264High), ("f4001f", nil),
            ("64001", nil), ("+2e01f", nil), ("", nil),
        ] as [(String, RoomCodec?)])
    func h264(_ profile: String, _ codec: RoomCodec?) {
        func offered(_ mode: String) -> MediaCodec {
            MediaCodec(
                payloadType: 96, name: "h264", clockRate: 90_000,
                parameters: [.init("packetization-mode", mode), .init("profile-level-id", profile)])
        }
        #expect(RoomCodec(offered("1")) == codec)
        #expect(RoomCodec(offered("0")) == nil)
    }

    @Test("VP9 and AV1 are known in their profile 0 alone, Opus with two channels, names in any case")
    func profiles() {
        func codec(_ name: String, _ rate: Int, _ channels: Int = 1, _ parameters: [MediaCodec.Parameter] = []) -> RoomCodec? {
            RoomCodec(MediaCodec(payloadType: 1, name: name, clockRate: rate, channels: channels, parameters: parameters))
        }
        #expect(codec("vp9", 90_000) == .vp9)
        #expect(codec("VP9", 90_000, 1, [.init("profile-id", "2")]) == nil)
        #expect(codec("AV1", 90_000, 1, [.init("profile", "1")]) == nil)
        #expect(codec("OPUS", 48_000, 2) == .opus)
        #expect(codec("opus", 8000) == nil)
        #expect(codec("VP8", 48_000) == nil)
    }

    @Test("stereo is asked for where it is offered")
    func stereo() throws {
        var answerer = answerer()
        let plain = try answerer.answer(to: try offer([Self.audio]), anything)
        #expect(plain.description.sections[0].codecs[0]["stereo"] == nil)
        let stereo = try answerer.answer(to: try offer([Self.audio.replacing("useinbandfec=1", with: "stereo=1;sprop-stereo=1")]), anything)
        #expect(stereo.description.sections[0].codecs[0]["stereo"] == "1")
        #expect(stereo.description.sections[0].codecs[0]["useinbandfec"] == "1")
    }

    @Test("data is answered once, with the other end's port and limit known")
    func data() throws {
        var answerer = answerer()
        let answer = try answerer.answer(to: try offer([Self.data, Self.data]), anything)
        #expect(answer.description.sections.map(\.port) == [9, 0])
        #expect(answer.sections[0].sctpPort == 5001)
        #expect(answer.sections[0].messageLimit == 262_144)
        #expect(answer.description.sections[0].sctpPort == 5000)
    }

    @Test("our DTLS role is passive where we may choose, and the other one where not")
    func roles() throws {
        for (offered, ours) in [("actpass", SetupRole.passive), ("active", .passive), ("passive", .active)] {
            var answerer = answerer()
            let text = try offer([Self.audio]).text.replacing("a=setup:actpass", with: "a=setup:" + offered)
            let answer = try answerer.answer(to: try SessionDescription(parsing: text), anything)
            #expect(answer.description.sections[0].transport.setup == ours)
            #expect(answer.remote?.weArePassive == (ours == .passive))
        }
    }

    @Test("the roles of an association that is there stay, and other credentials are a restart")
    func later() throws {
        var answerer = answerer()
        let first = try offer([Self.audio])
        func changed(_ part: String, _ other: String) throws -> SessionDescription {
            try SessionDescription(parsing: first.text.replacing(part, with: other))
        }
        #expect(!answerer.isRestart(first))
        let passive = try answerer.answer(to: try changed("a=setup:actpass", "a=setup:passive"), anything)
        #expect(passive.remote?.weArePassive == false)
        #expect(try answerer.answer(to: first, anything).remote?.weArePassive == false)
        let active = try changed("a=setup:actpass", "a=setup:active")
        #expect(throws: NegotiationFault.role) { try answerer.answer(to: active, anything) }
        #expect(!answerer.isRestart(first))
        #expect(answerer.isRestart(try changed("a=ice-ufrag:abcd", "a=ice-ufrag:efgh")))
    }

    @Test("the answer is ICE-lite, has all candidates and one session, and its version goes up")
    func session() throws {
        var answerer = answerer()
        let first = try answerer.answer(to: try offer([Self.audio, Self.video]), anything)
        let second = try answerer.answer(to: try offer([Self.audio, Self.video]), anything)
        #expect(first.description.isLite)
        #expect(first.description.sessionID == second.description.sessionID)
        #expect(second.description.version == first.description.version + 1)
        #expect(first.description.sections.map(\.transport.candidates.count) == [2, 0])
        #expect(first.description.sections.allSatisfy { $0.transport.ufrag == "serverfrag" })
        #expect(first.remote?.ufrag == "abcd")
        #expect(first.remote.map { !$0.isRestart(after: $0) } == true)
    }

    @Test("an offer that we cannot connect to is refused with the reason")
    func faults() throws {
        func fault(_ description: SessionDescription) -> NegotiationFault? {
            var answerer = answerer()
            do throws(NegotiationFault) {
                _ = try answerer.answer(to: description, anything)
                return nil
            } catch {
                return error
            }
        }
        func changed(_ change: (String) -> String) throws -> SessionDescription {
            try SessionDescription(parsing: change(try offer([Self.audio, Self.video]).text))
        }
        #expect(fault(try offer([Self.audio, Self.video], bundled: false)) == .notBundled)
        #expect(fault(try offer([Self.audio], bundled: false)) == nil)
        #expect(fault(try offer([Self.audio], session: "a=ice-lite")) == .bothLite)
        #expect(fault(try changed { $0.replacing("a=ice-ufrag:abcd\r\n", with: "") }) == .noCredentials)
        #expect(fault(try changed { $0.replacing("sha-256 " + digest, with: "sha-1 " + digest.prefix(59)) }) == .noFingerprint)
        #expect(fault(try changed { $0.replacing("a=rtcp-mux\r\n", with: "") }) == .noMultiplexing)
        #expect(fault(try changed { $0.replacing("actpass", with: "holdconn") }) == .role)
        #expect(fault(try changed { $0.replacing("UDP/TLS/RTP/SAVPF", with: "RTP/AVP") }) == .nothingTaken)
    }

    @Test("of an offer with a transport for each section the first one's is that of all")
    func transports() throws {
        var offer = try offer([Self.audio, Self.video])
        offer.sections[1].transport.ufrag = "efgh"
        offer.sections[1].transport.password = String(repeating: "p", count: 24)
        offer.sections[1].transport.fingerprints = [try #require(Fingerprint(.sha256, [UInt8](repeating: 1, count: 32)))]
        var answerer = answerer()
        let answer = try answerer.answer(to: offer, anything)
        #expect(answer.remote?.ufrag == "abcd")
        #expect(answer.remote?.fingerprints == offer.sections[0].transport.fingerprints)
        #expect(answer.description.bundles.map(\.count) == [2])
    }

    @Test("an offer whose sections are all stopped is answered with the same")
    func stopped() throws {
        var offer = try offer([Self.audio, Self.video], bundled: false)
        for index in offer.sections.indices { offer.sections[index].port = 0 }
        var answerer = answerer()
        let answer = try answerer.answer(to: offer, anything)
        #expect(answer.remote == nil)
        #expect(answer.description.sections.map(\.port) == [0, 0])
    }

    @Test("sections beyond the limit are refused, not the offer")
    func many() throws {
        var answerer = answerer()
        let answer = try answerer.answer(to: try offer([String](repeating: Self.audio, count: 20)), anything)
        #expect(answer.sections.count == Answerer.sectionLimit)
        #expect(answer.description.sections.count == 20)
    }

    @Test("a player gets the tracks that it can decode, each in its section, and the others wait")
    func play() throws {
        let receive = "\na=recvonly"
        let player = try offer([Self.audio + receive, Self.video + receive, Self.video + receive])
        let tracks = [track(.opus, 1), track(.av1, 2), track(.h264Baseline, 3)]
        var answerer = answerer()
        let answer = try answerer.answer(to: player, .play(tracks))
        #expect(answer.tracks == [tracks[0]: 0, tracks[2]: 1])
        #expect(answer.description.sections.map(\.direction) == [.send, .send, .inactive])
        let video = answer.description.sections[1]
        #expect(video.formats == ["102", "103"])
        #expect(video.sources.map(\.source) == [1003, 2003])
        #expect(video.sourceGroups == [SourceGroup(semantics: "FID", sources: [1003, 2003])])
        #expect(video.streams == [StreamName(stream: "s3", track: "t3")])
        #expect(answer.description.sections[2].sources.isEmpty)
    }

    @Test("real publishers' offers are answered in full", arguments: fixtureNames("-publish") + fixtureNames("-both"))
    func published(_ name: String) throws {
        let offer = try SessionDescription(parsing: try fixture(name))
        var answerer = answerer()
        let answer = try answerer.answer(to: offer, anything)
        #expect(answer.description.sections.allSatisfy { $0.port == 9 })
        #expect(answer.sections.map(\.kind) == offer.sections.map(\.kind))
        #expect(answer.sections[0].codecs.map(\.codec) == [.opus])
        #expect(answer.sections[1].codecs.first?.codec == .vp8)
        #expect(answer.sections[1].codecs.first?.retransmissionType != nil)
        #expect(answer.sections[0].extensions[.mid] != nil)
        #expect(answer.remote?.weArePassive == true)
        let isBrowser = !name.hasPrefix("aiortc")
        #expect(answer.sections[1].layers.count == (isBrowser && name.contains("publish") ? 3 : 0))
        if isBrowser { #expect(answer.sections[1].codecs[0].feedback.isSuperset(of: [.transport, .nack, .pictureLoss])) }
        #expect(try SessionDescription(parsing: answer.description.text) == answer.description)
    }

    @Test("real players' offers are answered with our tracks", arguments: fixtureNames("-play"))
    func played(_ name: String) throws {
        let offer = try SessionDescription(parsing: try fixture(name))
        var answerer = answerer()
        let tracks = [track(.vp8, 1), track(.opus, 2)]
        let answer = try answerer.answer(to: offer, .play(tracks))
        #expect(answer.tracks == [tracks[1]: 0, tracks[0]: 1])
        #expect(answer.description.sections.map(\.direction) == [.send, .send])
    }

    @Test("there are offers of each browser and of aiortc")
    func collected() {
        for name in ["chromium-publish", "chromium-play", "firefox-publish", "firefox-play", "aiortc-publish", "aiortc-play"] {
            #expect(fixtureNames(name).count == 1, "\(name)")
        }
    }
}
