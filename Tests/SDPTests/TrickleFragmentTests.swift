import SDP
import Testing

struct TrickleFragmentTests {
    private func parse(_ text: String) throws(SDPFault) -> TrickleFragment { try TrickleFragment(parsing: Array(sdp(text).utf8)) }

    @Test("a client's candidates are read with the section they are for (RFC 9725 section 4.3.2)")
    func trickle() throws {
        let fragment = try parse(
            """
            a=group:BUNDLE 0 1
            m=audio 9 UDP/TLS/RTP/SAVPF 111
            a=mid:0
            a=ice-ufrag:EsAw
            a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1
            a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0 ufrag EsAw network-id 1
            a=candidate:3471623853 1 udp 2122194687 198.51.100.2 61765 typ host generation 0 ufrag EsAw network-id 2
            a=end-of-candidates
            """)
        #expect(fragment.ufrag == "EsAw")
        #expect(fragment.password == "P2uYro0UCOQ4zxjKXaWCBui1")
        #expect(fragment.bundle == ["0", "1"])
        #expect(fragment.parts.map(\.mid) == ["0"])
        #expect(fragment.parts[0].transport.candidates.map(\.port) == [61764, 61765])
        #expect(fragment.parts[0].transport.isComplete)
        #expect(try TrickleFragment(parsing: Array(fragment.text.utf8)) == fragment)
    }

    @Test("a restart's answer has the new credentials and our candidates (RFC 9725 section 4.3.3)")
    func restart() throws {
        let lines = TransportLines(ufrag: "289b", password: "0123456789abcdefghijkl", candidates: local.candidates, isComplete: true)
        let fragment = TrickleFragment(
            isLite: true, transport: TransportLines(ufrag: "289b", password: "0123456789abcdefghijkl"),
            parts: [.init(kind: .audio, mid: "0", transport: lines)])
        #expect(
            fragment.text.hasPrefix(
                "a=ice-lite\r\na=ice-ufrag:289b\r\na=ice-pwd:0123456789abcdefghijkl\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n"))
        #expect(try TrickleFragment(parsing: Array(fragment.text.utf8)) == fragment)
    }

    @Test("credentials of two sessions are nobody's")
    func mixed() throws {
        let fragment = try parse("a=ice-ufrag:aaaa\nm=audio 9 RTP/AVP 0\na=mid:0\na=ice-ufrag:bbbb")
        #expect(fragment.ufrag == nil)
        #expect(fragment.password == nil)
    }

    @Test(
        "a section without its mid, two of one mid, and too much are refused",
        arguments: [
            ("m=audio 9 RTP/AVP 0\na=end-of-candidates", SDPFault(line: 1, .missing, "a=mid")),
            ("m=audio 9 RTP/AVP 0\na=mid:0\nm=video 9 RTP/AVP 0\na=mid:0", SDPFault(line: 3, .duplicate, "a=mid")),
            ("m=audio 9 RTP/AVP 0\na=mid:0\na=mid:1", SDPFault(line: 3, .duplicate, "a=mid")),
            ("a=candidate:nothing", SDPFault(line: 1, .syntax, "a=candidate")),
            ((0..<101).map { "a=x:\($0)" }.joined(separator: "\n"), SDPFault(line: 101, .tooManyAttributes, "a=")),
            ((0..<33).map { "m=audio 9 RTP/AVP 0\na=mid:\($0)" }.joined(separator: "\n"), SDPFault(line: 65, .tooManySections, "m=")),
        ])
    func refused(_ text: String, _ fault: SDPFault) {
        #expect(throws: fault) { try parse(text) }
    }
}
