import RTP
import Testing

struct ExtensionTests {
    private static let fields = RTPFields(payloadType: 96, sequence: 7, timestamp: 8, source: 9)
    private static let ids = map([
        .mid: 4, .rid: 10, .repairedRID: 11, .audioLevel: 1, .sendTime: 2, .transportSequence: 3, .playoutDelay: 5,
    ])

    private static var all: ExtensionValues {
        var values = ExtensionValues()
        values.mid = Label("0")
        values.rid = Label("high")
        values.repairedRID = Label("abcdefghijklmnop")
        values.audioLevel = AudioLevel(level: 127, isVoice: true)
        values.sendTime = 0x12_3456
        values.transportSequence = 0xfffe
        values.playoutDelay = PlayoutDelay(least: 1, most: 4095)
        return values
    }

    @Test("each value is read from the one-byte form, with padding between and an unknown id")
    func oneByte() throws {
        // Audio level 5 with voice; padding; transport-wide 258; id 9 unknown; mid "a1"; id 15 ends it, so the rid behind is not read.
        let bytes = hex("90 60 0007 00000008 00000009 bede 0005 10 85 00 00 31 0102 92 aabbcc 41 6131 f0 a0 68 00 00 00")
        let read = try values(bytes, Self.ids)
        #expect(read.audioLevel == AudioLevel(level: 5, isVoice: true))
        #expect(read.transportSequence == 258)
        #expect(read.mid?.description == "a1")
        #expect(read.rid == nil)
    }

    @Test("each value is read from the two-byte form")
    func twoByte() throws {
        let bytes = hex("90 60 0007 00000008 00000009 1003 0004 01 01 7f 04 01 62 c8 00 03 02 0a0b 00 00 00 00")
        let read = try values(bytes, Self.ids)
        #expect(read.audioLevel == AudioLevel(level: 127, isVoice: false))
        #expect(read.mid?.description == "b")
        #expect(read.transportSequence == 0x0a0b)
    }

    @Test("extensions of another profile are passed over")
    func foreign() throws {
        let bytes = hex("90 60 0007 00000008 00000009 abcd 0001 41 61 62 63 ff")
        #expect(try header(bytes).extensionForm == .foreign(0xabcd))
        #expect(try values(bytes, Self.ids) == ExtensionValues())
        #expect(try header(bytes).payload == 20..<21)
    }

    @Test(
        "an element that goes past the end, or has a length its kind does not have, is refused",
        arguments: [
            "bede 0001 40 61 00 43", "bede 0001 30 01 00 00", "bede 0001 1101 0100", "1000 0001 03 03 0101", "1000 0001 00 00 00 03",
            "bede 0001 40 20 00 00",
        ])
    func malformed(_ block: String) {
        #expect(throws: RTPFault.extensionElement) { try values(hex("90 60 0007 00000008 00000009" + block), Self.ids) }
    }

    @Test("what is written is read again, in the form that the ids need", arguments: [4, 14, 16, 255])
    func roundTrip(_ id: Int) throws {
        var ids = Self.ids
        #expect(ids.set(.mid, id) == true)
        let bytes = try packet(Self.fields, Self.all, ids, payload: [1, 2, 3])
        let read = try header(bytes)
        #expect(read.extensionForm == (id > 14 ? .twoByte : .oneByte))
        #expect(read.extensionRange.count % 4 == 0)
        #expect(read.payload.count == 3)
        #expect(try values(bytes, ids) == Self.all)
    }

    @Test("values that were not negotiated are not written")
    func unknown() throws {
        #expect(try packet(Self.fields, Self.all).count == 12)
        let bytes = try packet(Self.fields, Self.all, map([.rid: 1]))
        #expect(bytes == hex("90 60 0007 00000008 00000009 bede 0002 13 68696768 000000"))
    }

    @Test("numbers, times and names are rewritten in place")
    func inPlace() throws {
        var bytes = try packet(Self.fields, Self.all, Self.ids)
        let parsed = try header(bytes)
        let number = try #require(try ExtensionValues.place(of: .transportSequence, in: bytes.span, parsed, Self.ids))
        let time = try #require(try ExtensionValues.place(of: .sendTime, in: bytes.span, parsed, Self.ids))
        let name = try #require(try ExtensionValues.place(of: .rid, in: bytes.span, parsed, Self.ids))
        #expect(try ExtensionValues.place(of: .rid, in: bytes.span, parsed, map([.rid: 9])) == nil)
        var span = bytes.mutableSpan
        ExtensionValues.rewrite(transportSequence: 77, at: number, in: &span)
        ExtensionValues.rewrite(sendTime: 0xff_0001, at: time, in: &span)
        let long = ExtensionValues.rewrite(label: try #require(Label("lows")), at: name, in: &span)
        let short = ExtensionValues.rewrite(label: try #require(Label("low")), at: name, in: &span)
        #expect(long && !short)
        var wanted = Self.all
        wanted.transportSequence = 77
        wanted.sendTime = 0xff_0001
        wanted.rid = Label("lows")
        #expect(try values(bytes, Self.ids) == wanted)
    }

    @Test("a map gives no id twice, and none that packets do not have")
    func ids() {
        var map = ExtensionMap()
        #expect(map.set(.mid, 1) == true)
        #expect(map.set(.rid, 1) == false)
        #expect(map.set(.mid, 1) == true)
        for id in [0, 15, 256, -1, 4096] { #expect(map.set(.rid, id) == false, "\(id)") }
        #expect(map[.rid] == nil)
        #expect(map.kind(1) == .mid)
        #expect(map.kind(0) == nil)
    }

    @Test("a label keeps its text, and refuses what is no token or too long")
    func labels() {
        for text in ["a", "12345678", "123456789", "abcdefghijklmnop", "~!#$%&'*+-.^_`"] {
            #expect(Label(text)?.description == text)
            #expect(Label(text)?.count == text.utf8.count)
        }
        for text in ["", "abcdefghijklmnopq", "a b", "a\0", "ä", "a:"] { #expect(Label(text) == nil) }
        #expect(Label("ab") != Label("b"))
    }

    @Test("names of extensions are those that their standards give", arguments: HeaderExtension.allCases)
    func names(_ kind: HeaderExtension) {
        #expect(HeaderExtension(uri: kind.uri) == kind)
        #expect(HeaderExtension(uri: kind.uri + "x") == nil)
    }
}
