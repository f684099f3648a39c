import Testing
import XML

@testable import Sticks

@Suite struct FlatXMLTests {
    private func read(_ text: String) throws(FlatXML.Fault) -> FlatXML { try FlatXML(Array(text.utf8)) }

    @Test("values are read by name, without the blanks around them, and references as what they stand for")
    func values() throws {
        let text =
            "\u{FEFF}<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<response>\r\n<a> E3372h&#45;320 </a>\n<b></b><c/>"
            + "<rssi>&gt;=-51dBm</rssi><v>11.0&#40;H&#x29;</v><a>second</a></response >\n"
        let document = try read(text)
        #expect(document.root == "response" && document.text.isEmpty)
        #expect(document.values == ["a": "E3372h-320", "b": "", "c": "", "rssi": ">=-51dBm", "v": "11.0(H)"])
        #expect(try read("<response>OK</response>").text == "OK")
        #expect(try read("<response/>").values.isEmpty)
    }

    @Test(
        "whatever is not of that shape is refused",
        arguments: [
            "", "<a>", "</a>", "<a></b>", "<a/>x", "<a/><b/>", "<a b=\"c\"></a>", "<a><b><c>x</c></b></a>", "<a><b/>text</a>",
            "<a>text<b/></a>",
            "<!DOCTYPE a><a/>", "<a><!-- x --></a>", "<a><![CDATA[x]]></a>", "<a>&nbsp;</a>", "<a>&x</a>", "<a>&;</a>", "<a>&#;</a>",
            "<a>&#0;</a>", "<a>&#27;</a>", "<a>&#x9b;</a>", "<a>&#xd800;</a>", "<a>&#+65;</a>", "<a>&#99999999999999;</a>", "<1a/>",
            "<a>\u{1}</a>", "<a>\u{9B}</a>", "<?xml version=\"1.0\"", "<html><body><p>hello</p></body></html>", "<a\u{E9}/>",
        ])
    func refused(_ text: String) {
        #expect(throws: FlatXML.Fault.self) { try FlatXML(Array(text.utf8)) }
    }

    @Test("it is bounded in bytes, elements and texts, and is UTF-8")
    func bounds() throws {
        func document(_ count: Int) -> String { "<a>" + String(repeating: "<b/>", count: count) + "</a>" }
        #expect(throws: Never.self) { try FlatXML(Array(document(FlatXML.elementLimit).utf8)) }
        #expect(throws: FlatXML.Fault.self) { try FlatXML(Array(document(FlatXML.elementLimit + 1).utf8)) }
        let long = String(repeating: "x", count: XMLScanner.valueLimit + 1)
        #expect(throws: FlatXML.Fault.self) { try FlatXML(Array("<a><b>\(long)</b></a>".utf8)) }
        #expect(throws: FlatXML.Fault.self) { try FlatXML(Array("<\(long)/>".utf8)) }
        #expect(throws: FlatXML.Fault.self) { try FlatXML(Array("<a/>".utf8) + [UInt8](repeating: 0x20, count: FlatXML.byteLimit)) }
        #expect(throws: FlatXML.Fault.self) { try FlatXML([UInt8]("<a>".utf8) + [0xC3, 0x28] + "</a>".utf8) }
    }
}
