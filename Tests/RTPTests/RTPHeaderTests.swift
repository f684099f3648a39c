import RTP
import Testing

struct RTPHeaderTests {
    /// V=2, P, X, two contributors; marker, type 96; number, time, source; contributors; 0xbede with one word; payload; padding of three.
    private static let full = hex(
        """
        b2 e0 1234 89abcdef 01020304
        11111111 22222222
        bede 0001 10 ff 0000
        aabbcc 000003
        """)

    @Test("each part of a header is where RFC 3550 has it")
    func fields() throws {
        let read = try header(Self.full)
        #expect(
            read.fields == RTPFields(marker: true, payloadType: 96, sequence: 0x1234, timestamp: 0x89ab_cdef, source: 0x0102_0304))
        #expect(read.contributorCount == 2)
        #expect(read.extensionForm == .oneByte)
        #expect(read.extensionRange == 24..<28)
        #expect(read.payload == 28..<31)
        #expect(read.paddingBytes == 3)
        #expect(!read.isPaddingOnly)
    }

    @Test("a header that is cut anywhere is refused")
    func cut() {
        for end in 0..<28 {
            #expect(throws: RTPFault.self, "\(end)") { try header(Array(Self.full[..<end])) }
        }
    }

    @Test(
        "what contradicts itself is refused with its reason",
        arguments: [
            ("70 e0 1234 89abcdef 01020304", RTPFault.version),
            ("8f e0 1234 89abcdef 01020304", .short),
            ("90 e0 1234 89abcdef 01020304 bede 0001 112233", .extensionLength),
            ("a0 e0 1234 89abcdef 01020304", .padding),
            ("a0 e0 1234 89abcdef 01020304 aa 00", .padding),
            ("a0 e0 1234 89abcdef 01020304 aa 03", .padding),
        ])
    func refused(_ text: String, _ fault: RTPFault) {
        #expect(throws: fault) { try header(hex(text)) }
    }

    @Test("a packet of padding alone has no payload")
    func paddingOnly() throws {
        let read = try header(hex("a0 60 1234 89abcdef 01020304 00 00 03"))
        #expect(read.isPaddingOnly)
        #expect(read.paddingBytes == 3)
    }

    @Test("rewriting changes the fields and nothing else")
    func rewrite() throws {
        let fields = RTPFields(marker: false, payloadType: 111, sequence: 0xffff, timestamp: 1, source: 0xdead_beef)
        var bytes = Self.full
        var span = bytes.mutableSpan
        fields.rewrite(&span)
        #expect(try header(bytes).fields == fields)
        #expect(bytes[0] == Self.full[0])
        #expect(bytes[12...] == Self.full[12...])
    }

    @Test("a header is not written where there is no room for it")
    func room() {
        let fields = RTPFields(payloadType: 1, sequence: 2, timestamp: 3, source: 4)
        var extensions = ExtensionValues()
        extensions.transportSequence = 5
        for count in 0..<20 {
            var bytes = [UInt8](repeating: 0, count: count)
            #expect(throws: RTPFault.room, "\(count)") {
                var span = bytes.mutableSpan
                _ = try fields.write(into: &span, extensions, map([.transportSequence: 3]))
            }
        }
    }
}
