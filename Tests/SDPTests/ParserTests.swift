import SDP
import Testing

struct ParserTests {
    private static let media = "m=video 9 UDP/TLS/RTP/SAVPF 96 97 98\nc=IN IP4 0.0.0.0\na=mid:0\na=rtcp-mux"

    private func parse(_ parts: String...) throws(SDPFault) -> SessionDescription {
        try SessionDescription(parsing: parts.map { sdp($0) }.joined())
    }

    @Test("what WebRTC says in one section is read, each in its place")
    func section() throws {
        let description = try parse(
            start, "a=group:BUNDLE 0\na=msid-semantic: WMS *\na=extmap-allow-mixed", Self.media, transport,
            """
            a=sendonly
            a=rtcp-rsize
            a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
            a=extmap:10/sendonly urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id
            a=msid:stream track
            a=rtpmap:97 rtx/90000
            a=fmtp:97 apt=96
            a=rtcp-fb:96 nack pli
            a=rtcp-fb:* transport-cc
            a=fmtp:98 profile-level-id=42e01f; packetization-mode=1 ;level-asymmetry-allowed=1
            a=rtpmap:96 VP8/90000
            a=rtpmap:98 H264/90000
            a=rid:f send
            a=rid:h send pt=96;max-width=640
            a=simulcast:send f;~h,q
            a=ssrc-group:FID 11 12
            a=ssrc:11 cname:name
            a=ssrc:11 msid:stream track
            a=ssrc:12 cname:name
            a=candidate:1 1 udp 2130706431 192.0.2.7 5000 typ host generation 0
            a=candidate:2 1 tcp 1518280447 192.0.2.7 9 typ host tcptype active
            a=end-of-candidates
            a=ice-options:trickle renomination
            a=unknown:anything at all
            """)
        #expect(description.sessionID == 4_962_303_333_179_871_722)
        #expect(description.bundles == [["0"]])
        let section = try #require(description.sections.first)
        #expect(section.kind == .video)
        #expect(section.isSecureMedia)
        #expect(section.direction == .send)
        #expect(section.codecs.map(\.name) == ["VP8", "rtx", "H264"])
        #expect(section.codecs[1]["apt"] == "96")
        #expect(section.codecs[2]["packetization-mode"] == "1")
        #expect(section.feedback(section.codecs[0]) == ["nack pli", "transport-cc"])
        #expect(section.extensions.map(\.id) == [4, 10])
        #expect(section.extensions[1].direction == .send)
        #expect(section.layers.map(\.id) == ["f", "h"])
        #expect(section.layers[1].restrictions == "pt=96;max-width=640")
        #expect(section.simulcast?.send == [[.init(id: "f")], [.init(id: "h", isPaused: true), .init(id: "q")]])
        #expect(section.sourceGroups == [SourceGroup(semantics: "FID", sources: [11, 12])])
        #expect(section.sources.map(\.source) == [11, 12])
        #expect(section.sources[0].stream == StreamName(stream: "stream", track: "track"))
        #expect(section.transport.ufrag == "abcd")
        #expect(section.transport.options == ["trickle", "renomination"])
        #expect(section.transport.candidates.map(\.transport) == [.udp, .tcp(.active)])
        #expect(section.transport.isComplete)
        #expect(section.transport.setup == .actpass)
        #expect(section.transport.fingerprints.first?.bytes == [UInt8](repeating: 0xab, count: 32))
    }

    @Test("what is written is read again")
    func roundTrip() throws {
        for name in fixtureNames("") {
            let read = try SessionDescription(parsing: try fixture(name))
            #expect(try SessionDescription(parsing: read.text) == read, "\(name)")
        }
    }

    @Test("lines end with CRLF or LF, the last one with nothing too, and empty lines may follow")
    func lineEnds() throws {
        let text = sdp(start, Self.media)
        let bytes = Array(text.utf8)
        let wanted = try SessionDescription(parsing: bytes)
        let bare = bytes.filter { $0 != 0x0d }
        #expect(try SessionDescription(parsing: bare) == wanted)
        #expect(try SessionDescription(parsing: Array(bare.dropLast())) == wanted)
        #expect(try SessionDescription(parsing: text + "\r\n\r\n") == wanted)
        #expect(throws: SDPFault.self) { try SessionDescription(parsing: text + "\r\na=mid:1\r\n") }
    }

    @Test("any name of the session is taken", arguments: ["s=", "s= ", "s=-", "s=täglich v=1"])
    func name(_ line: String) throws {
        #expect(try parse("v=0\no=x 1 2 IN IP6 ::1", line, "t=0 0").sections.isEmpty)
    }

    private static func inSession(_ text: String) -> String { start + "\n" + text }
    private static func inMedia(_ text: String) -> String { start + "\n" + media + "\n" + text }

    private static let faults: [(text: String, fault: SDPFault)] = [
        ("v=1", SDPFault(line: 1, .range, "v=")),
        ("o=- 1 2 IN IP4 0.0.0.0", SDPFault(line: 1, .order, "v=")),
        ("v=0\no=- 1 2 IN IP4", SDPFault(line: 2, .syntax, "o=")),
        ("v=0\no=- 1 -2 IN IP4 0.0.0.0", SDPFault(line: 2, .syntax, "o=")),
        ("v=0\no=- 1 2 IN IP4 0.0.0.0\nt=0 0", SDPFault(line: 3, .order, "s=")),
        ("v=0\no=- 1 2 IN IP4 0.0.0.0", SDPFault(line: 2, .missing, "s=")),
        (inSession("hello"), SDPFault(line: 5, .syntax, "line")),
        (inSession("x=1"), SDPFault(line: 5, .order, "line")),
        (inSession("a=mid:a\u{1}b"), SDPFault(line: 5, .character, "line")),
        (inSession("a=group:BUNDLE 0"), SDPFault(line: 5, .unknownSection, "a=group")),
        (inSession("a=group:BUNDLE 0 0\n" + media), SDPFault(line: 5, .duplicate, "a=group")),
        (inSession("m=video"), SDPFault(line: 5, .syntax, "m=")),
        (inSession("m=video 65536 RTP/SAVPF 96"), SDPFault(line: 5, .syntax, "m=")),
        (inSession("m=video 9 RTP/SAVPF 128"), SDPFault(line: 5, .syntax, "m=")),
        (inSession("m=video 9 RTP/SAVPF 96 96"), SDPFault(line: 5, .syntax, "m=")),
        (inMedia(media), SDPFault(line: 11, .duplicate, "a=mid")),
        (inMedia("a=mid:1"), SDPFault(line: 9, .duplicate, "a=mid")),
        (inMedia("a=rtpmap:96"), SDPFault(line: 9, .syntax, "a=rtpmap")),
        (inMedia("a=rtpmap:96 VP8/0"), SDPFault(line: 9, .syntax, "a=rtpmap")),
        (inMedia("a=rtpmap:96 VP8/90000\na=rtpmap:96 VP9/90000"), SDPFault(line: 10, .duplicate, "a=rtpmap")),
        (inMedia("a=ice-ufrag:abc"), SDPFault(line: 9, .syntax, "a=ice-ufrag")),
        (inMedia("a=ice-pwd:short"), SDPFault(line: 9, .syntax, "a=ice-pwd")),
        (inMedia("a=fingerprint:sha-256 AB:CD"), SDPFault(line: 9, .syntax, "a=fingerprint")),
        (inMedia("a=setup:maybe"), SDPFault(line: 9, .syntax, "a=setup")),
        (inMedia("a=candidate:1 1 udp"), SDPFault(line: 9, .syntax, "a=candidate")),
        (inMedia("a=extmap:0 urn:x"), SDPFault(line: 9, .syntax, "a=extmap")),
        (inMedia("a=rid:f sideways"), SDPFault(line: 9, .syntax, "a=rid")),
        (inMedia("a=rid:f send\na=rid:f send"), SDPFault(line: 10, .duplicate, "a=rid")),
        (inMedia("a=simulcast:send f;;h"), SDPFault(line: 9, .syntax, "a=simulcast")),
        (inMedia("a=sendrecv\na=recvonly"), SDPFault(line: 10, .duplicate, "a=recvonly")),
        (inMedia("a=ssrc:4294967296 cname:x"), SDPFault(line: 9, .range, "a=ssrc")),
        (inMedia("a=sctp-port:70000"), SDPFault(line: 9, .range, "a=sctp-port")),
    ]

    @Test("a fault names its line and what it is", arguments: faults)
    func fault(_ text: String, _ fault: SDPFault) {
        #expect(throws: fault) { try parse(text) }
    }

    @Test("a fault's text never repeats what the sender wrote")
    func faultText() {
        let fault = SDPFault(line: 9, .syntax, "a=candidate")
        #expect(fault.description == "line 9, a=candidate: not of the form that its standard gives")
    }

    @Test("bombs are refused at their limits, by bytes, lines, their length, sections and attributes")
    func bombs() {
        let limits = SDPLimits(bytes: 10_000, lines: 100, lineBytes: 300, sections: 4, attributes: 20)
        func reason(_ text: String) -> SDPFault.Reason? {
            do throws(SDPFault) {
                _ = try SessionDescription(parsing: sdp(text), limits: limits)
                return nil
            } catch {
                return error.reason
            }
        }
        func many(_ line: (Int) -> String, _ count: Int) -> String { (0..<count).map(line).joined(separator: "\n") }
        #expect(reason(start + "\n" + many({ _ in "b=" + String(repeating: "x", count: 200) }, 60)) == .tooManyBytes)
        #expect(reason(start + "\n" + many({ _ in "b=x" }, 97)) == .tooManyLines)
        #expect(reason(start + "\n" + many({ _ in "b=x" }, 96)) == nil)
        #expect(reason(start + "\nb=" + String(repeating: "x", count: 299)) == .longLine)
        #expect(reason(start + "\n" + many({ "m=audio 9 RTP/SAVPF \($0)" }, 5)) == .tooManySections)
        #expect(reason(start + "\nm=audio 9 RTP/SAVPF 1\n" + many({ "a=x:\($0)" }, 21)) == .tooManyAttributes)
        #expect(reason(start + "\nm=audio 9 RTP/SAVPF 1\n" + many({ "a=x:\($0)" }, 20)) == nil)
        #expect(reason(start + "\n" + many({ "a=x:\($0)" }, 21)) == .tooManyAttributes)
        #expect(reason(start + "\nm=audio 9 RTP/SAVPF " + (0..<60).map { "\($0 + 200)" }.joined(separator: " ")) == .syntax)
    }

    @Test("bytes that are no text are refused")
    func text() {
        #expect(throws: SDPFault(line: 0, .character, "text")) {
            try SessionDescription(parsing: Array("v=0\r\n".utf8) + [0xff, 0xfe])
        }
        #expect(throws: SDPFault(line: 0, .missing, "v=")) { try SessionDescription(parsing: [UInt8]()) }
    }

    @Test("what the session says counts for sections that say nothing")
    func levels() throws {
        let description = try parse(
            start, transport, "a=recvonly", Self.media,
            "m=audio 9 UDP/TLS/RTP/SAVPF 0\na=sendonly\na=ice-ufrag:efgh\na=ice-pwd:abcdefghijklmnopqrstuv")
        let (first, second) = (description.sections[0], description.sections[1])
        #expect(description.transport(of: first).ufrag == "abcd")
        #expect(description.transport(of: second).ufrag == "efgh")
        #expect(description.transport(of: second).fingerprints.count == 1)
        #expect(description.direction(of: first) == .receive)
        #expect(description.direction(of: second) == .send)
    }

    @Test(
        "candidates are read with all that stands behind them, and written as RFC 8839 has them",
        arguments: [
            (
                "842163049 1 udp 1677729535 198.51.100.1 46154 typ srflx raddr 10.0.0.1 rport 46154 generation 0",
                Candidate.Kind.serverReflexive, Candidate.Transport.udp
            ),
            ("candidate:1 1 UDP 2122252543 8bb2f5b1-2b2d-4f1c-9b5a-1f1e1d1c1b1a.local 50000 typ host", .host, .udp),
            ("4 1 TCP 2105458943 192.0.2.1 9 typ host tcptype active", .host, .tcp(.active)),
            ("0 1 udp 1 fe80::1%eth0 0 typ relay raddr :: rport 9 network-id 3", .relayed, .udp),
        ])
    func candidates(_ text: String, _ kind: Candidate.Kind, _ transport: Candidate.Transport) throws {
        let candidate = try #require(Candidate(text))
        #expect(candidate.kind == kind)
        #expect(candidate.transport == transport)
        #expect(Candidate(candidate.text) == candidate)
    }

    @Test(
        "a candidate that is none is refused",
        arguments: [
            "", "1 1 udp 1 192.0.2.1 1 typ", "1 1 udp 1 192.0.2.1 1 typ nothing", "1 0 udp 1 192.0.2.1 1 typ host",
            "1 1 udp 0 192.0.2.1 1 typ host",
            "1 1 udp 2147483648 192.0.2.1 1 typ host", "1 1 udp 1 192.0.2.1 65536 typ host", "1 1 udp 1 a;b 1 typ host",
            "1 1 udp 1 192.0.2.1 1 typ host generation", "ä 1 udp 1 192.0.2.1 1 typ host",
        ])
    func badCandidates(_ text: String) { #expect(Candidate(text) == nil) }

    @Test("a host candidate of ours has RFC 8445's priority, and TCP comes behind UDP")
    func priorities() {
        #expect(local.candidates[0].priority == 2_130_706_431)
        #expect(local.candidates[0].text == "1 1 udp 2130706431 192.0.2.2 7000 typ host")
        #expect(local.candidates[1].priority < local.candidates[0].priority)
        #expect(local.candidates[1].text.hasSuffix("tcptype passive"))
    }

    @Test("a fingerprint of an unknown hash is as none, one of a known hash has its length")
    func fingerprints() throws {
        #expect(Fingerprint("SHA-256 " + digest.lowercased())?.text == "sha-256 " + digest)
        for text in ["sha-256", "sha-256 " + digest + ":AB", "sha-256 " + digest.replacing("AB", with: "+A"), "sha-1 " + digest] {
            #expect(Fingerprint(text) == nil, "\(text)")
        }
        #expect(try parse(start, "a=fingerprint:md5 00:11").transport.fingerprints.isEmpty)
    }
}
