import RTP
import Testing

struct RetransmissionTests {
    private static let original = RTPFields(marker: true, payloadType: 96, sequence: 0xabcd, timestamp: 5, source: 1)
    private static let repair = RTPFields(marker: true, payloadType: 97, sequence: 3, timestamp: 5, source: 2)
    private static let ids = map([.mid: 1, .transportSequence: 2])

    private func wrapped(_ bytes: [UInt8], _ extensions: ExtensionValues = ExtensionValues()) throws -> [UInt8] {
        var buffer = [UInt8](repeating: 0xee, count: 1500)
        let parsed = try header(bytes)
        var span = buffer.mutableSpan
        let count = try Retransmission.wrap(
            bytes.span, parsed, original: parsed.fields.sequence, as: Self.repair, extensions, Self.ids, into: &span)
        return Array(buffer[..<count])
    }

    @Test("the payload of a retransmission is the original's number and payload, without its padding")
    func wrap() throws {
        let bytes = hex("a0 e0 abcd 00000005 00000001 aabbcc 0002")
        #expect(try wrapped(bytes) == hex("80 e1 0003 00000005 00000002 abcd aabbcc"))
    }

    @Test("what was wrapped is the original when it is unwrapped, with its extensions")
    func roundTrip() throws {
        var extensions = ExtensionValues()
        extensions.mid = Label("0")
        extensions.transportSequence = 9
        let bytes = try packet(Self.original, extensions, Self.ids, payload: Array(1...100))
        var again = try wrapped(bytes, extensions)
        let parsed = try header(again)
        #expect(parsed.fields == Self.repair)
        var span = again.mutableSpan
        let unwrapped = Retransmission.unwrap(&span, parsed, source: 1, payloadType: 96)
        let count = try #require(unwrapped)
        #expect(Array(again[..<count]) == bytes)
    }

    @Test("a retransmission's own padding goes when it is unwrapped")
    func padding() throws {
        var bytes = hex("a0 e1 0003 00000005 00000002 abcd aabbcc 0003 000003")
        let parsed = try header(bytes)
        var span = bytes.mutableSpan
        let unwrapped = Retransmission.unwrap(&span, parsed, source: 1, payloadType: 96)
        let count = try #require(unwrapped)
        #expect(Array(bytes[..<count]) == hex("80 e0 abcd 00000005 00000001 aabbcc 0003"))
    }

    @Test(
        "a probe for bandwidth has no original",
        arguments: ["a0 61 0003 00000005 00000002 000003", "80 61 0003 00000005 00000002 abcd", "80 61 0003 00000005 00000002 ab"])
    func probe(_ text: String) throws {
        var bytes = hex(text)
        let parsed = try header(bytes)
        var span = bytes.mutableSpan
        let count = Retransmission.unwrap(&span, parsed, source: 1, payloadType: 96)
        #expect(count == nil)
        #expect(bytes == hex(text))
    }

    @Test("nothing is written over the end of the place")
    func room() throws {
        let bytes = try packet(Self.original, payload: [1, 2, 3])
        let parsed = try header(bytes)
        for count in 0..<17 {
            var buffer = [UInt8](repeating: 0, count: count)
            #expect(throws: RTPFault.room) {
                var span = buffer.mutableSpan
                _ = try Retransmission.wrap(bytes.span, parsed, original: 1, as: Self.repair, into: &span)
            }
        }
    }
}
