import Testing

@testable import XML

@Suite("A tree of XML")
struct XMLTreeTests {
    private let limits = XMLTree.Limits(bytes: 1024, elements: 10, depth: 3)

    private func read(_ text: String) throws(XMLFault) -> XMLTree { try XMLTree(Array(text.utf8), within: limits) }

    @Test("has elements with their texts in their order, references as what they stand for, and no attributes")
    func values() throws {
        let tree = try read(
            """
            \u{FEFF}<?xml version="1.0" encoding="UTF-8"?>
            <List xmlns="http://s3.amazonaws.com/doc/2006-03-01/" xmlns:xsi='x y'>
              <Name> a&amp;b </Name><Item><Tag>&quot;1&quot;</Tag></Item><Item><Tag/></Item><Empty a="1"/>
            </List>
            """)
        #expect(tree.name == "List" && tree.text.isEmpty && tree["Name"] == "a&b" && tree["Empty"] == "" && tree["Other"] == nil)
        #expect(tree.children.map(\.name) == ["Name", "Item", "Item", "Empty"])
        #expect(tree.children.filter { $0.name == "Item" }.map { $0["Tag"] } == ["\"1\"", ""])
    }

    @Test(
        "is not read of what is no such document",
        arguments: [
            "", "<a>", "<a></b>", "<a/><b/>", "<a>text<b/></a>", "<a><b/>text</a>", "<!DOCTYPE a><a/>", "<a><!-- x --></a>",
            "<a><![CDATA[x]]></a>", "<a>&own;</a>", "<a b></a>", "<a b=c></a>", "<a b=\"c></a>", "<a b=\"<\"></a>", "<a b=\"c\" =\"d\"/>",
            "<a b=\"1\" c=\"2\" d=\"3\" e=\"4\" f=\"5\" g=\"6\" h=\"7\" i=\"8\" j=\"9\"/>",
        ])
    func refused(_ text: String) {
        #expect(throws: XMLFault.self) { try XMLTree(Array(text.utf8), within: limits) }
    }

    @Test("is bounded in bytes, elements and depth")
    func bounds() throws {
        #expect(try read("<a><b><c/></b></a>").children.count == 1)
        #expect(throws: XMLFault.self) { try XMLTree(Array("<a><b><c><d/></c></b></a>".utf8), within: limits) }
        func wide(_ count: Int) -> [UInt8] { Array(("<a>" + String(repeating: "<b/>", count: count) + "</a>").utf8) }
        #expect(try XMLTree(wide(9), within: limits).children.count == 9)
        #expect(throws: XMLFault.self) { try XMLTree(wide(10), within: limits) }
        #expect(throws: XMLFault.self) { try XMLTree(Array("<a/>".utf8) + [UInt8](repeating: 0x20, count: 1024), within: limits) }
        let long = String(repeating: "x", count: XMLScanner.valueLimit + 1)
        #expect(throws: XMLFault.self) {
            try XMLTree(Array("<a>\(long)</a>".utf8), within: XMLTree.Limits(bytes: 4096, elements: 1, depth: 1))
        }
    }
}
