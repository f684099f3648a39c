import Testing

@testable import Field

struct OfferTextTests {
    @Test("H.264 is offered under the name that every browser takes, and nothing else of the offer changes")
    func named() {
        let offer = "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1;profile-level-id=640028;"
        let rest = "sprop-parameter-sets=Z2QAKA==,aM4=\r\na=mid:video0\r\n"
        let wanted = String(offer.split(separator: "640028")[0]) + "42e01f;" + rest
        #expect(OfferText.named(offer + rest, OfferText.baseline) == wanted)
        #expect(OfferText.profile(in: offer + rest) == "640028")
        #expect(OfferText.named(wanted, "640028") == offer + rest, "and back")
        for text in ["", "a=profile-level-id=64", "profile-level-id"] {
            #expect(OfferText.named(text, OfferText.baseline) == text && OfferText.profile(in: text) == nil)
        }
    }

    @Test("H.264 without a name gets that one, and other codecs do not")
    func nameless() {
        let offer = "a=rtpmap:97 OPUS/48000/2\r\na=fmtp:97 stereo=1\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1"
        let rest = ";sprop-parameter-sets=Z2QAKA==,aM4=\r\na=mid:video0\r\n"
        let wanted = offer + rest.replacing("aM4=", with: "aM4=;profile-level-id=42e01f")
        #expect(OfferText.offered(offer + rest) == wanted)
        #expect(OfferText.offered(wanted) == wanted)
        let named = wanted.replacing("42e01f", with: "640028")
        #expect(OfferText.offered(named) == wanted)
        #expect(OfferText.offered("a=rtpmap:96 VP8/90000\r\n") == "a=rtpmap:96 VP8/90000\r\n")
    }

    @Test("an answer's candidates are taken, some at most")
    func candidates() {
        let line = "a=candidate:1 1 udp 2130706431 192.0.2.7 8189 typ host"
        let answer = "v=0\r\n\(line)\r\na=end-of-candidates\r\n\(line) generation 0\r\n"
        let whole = String(line.dropFirst(2))
        #expect(OfferText.candidates(of: answer) == [whole, whole + " generation 0"])
        let many = String(repeating: "\(line)\n", count: 1000)
        #expect(OfferText.candidates(of: many).count == OfferText.candidateLimit)
    }

    @Test("where control is must be said whole, and nothing else is taken")
    func place() {
        #expect(ControlPlace(["--control", "https://live.example.org", "--authority", "system"]) != nil)
        #expect(ControlPlace(["--authority", "system"]) == nil)
        #expect(ControlPlace(["--control", "http://live.example.org", "--authority", "system"]) == nil, "in the clear only at home")
        #expect(ControlPlace(["--control", "https://live.example.org/x", "--authority", "system"]) == nil)
        #expect(ControlPlace(["--control", "https://live.example.org", "--authority", "nobody"]) == nil)
        #expect(ControlPlace(["--control", "https://live.example.org", "--room", "x"]) == nil)
        #expect(ControlPlace(["--control"]) == nil)
    }
}
