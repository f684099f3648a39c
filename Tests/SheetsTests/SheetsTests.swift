import Foundation
import Testing
import Units

@testable import Sheets

@Suite struct BoardListTests {
    private func read(_ text: String) throws -> [[String?]] {
        try BoardList(Array(text.utf8)).entries.map { [$0.name, $0.configuration] }
    }

    @Test(
        "lists of common spreadsheets are read",
        arguments: [
            "name,configuration\nVan 1,small.toml\nVan 2,\n", "\u{FEFF}Name;Configuration\r\nVan 1;small.toml\r\nVan 2;\r\n",
            "configuration , name\nsmall.toml , \"Van 1\"\n\n,Van 2", "name,configuration\n\"Van 1\",\"small.toml\"\n Van 2 ,\"\"\n",
        ])
    func dialects(text: String) throws { #expect(try read(text) == [["Van 1", "small.toml"], ["Van 2", nil]]) }

    @Test("quotes keep separators and quotes")
    func quoted() throws {
        #expect(try read("name\n\"Van, \"\"the red\"\" one\"\n") == [["Van, \"the red\" one", nil]])
    }

    @Test(
        "what cannot be understood is told with its line",
        arguments: [
            ("", "line 1: the columns' names are missing"), ("title\nx\n", "line 1: the columns are"),
            ("name,name\na,b\n", "line 1: the columns are"), ("name\na\na\n", "line 3: a second board"),
            ("name\na,b\n", "line 2: 2 fields"), ("name\n\"a\n", "line 2: a quote that is not closed"),
            ("name\n\"a\"b\n", "line 2: something behind"), ("name,configuration\na,../b\n", "line 2: the configuration"),
            ("name,configuration\na,/etc/passwd\n", "line 2: the configuration"), ("name\n\"a\nb\"\n", "line 2: a name of"),
        ])
    func faults(text: String, said: String) {
        let fault = #expect(throws: BoardList.Fault.self) { try read(text) }
        #expect(fault?.description.hasPrefix(said) == true, "\(fault?.description ?? "")")
    }
}

@Suite struct QRCodeTests {
    @Test("a code has the three finders of every QR code, and a size that fits its text")
    func finders() throws {
        let code = try QRCode("strata1.01ARZ3NDEKTSV4RRFFQ69G5FAV." + String(repeating: "A", count: 43) + ".system")
        #expect((code.width - 17) % 4 == 0)
        let finder = [true, true, true, true, true, true, true]
        for (row, column) in [(0, 0), (0, code.width - 7), (code.width - 7, 0)] {
            #expect((0..<7).map { code.isDark(row, column + $0) } == finder)
            #expect((0..<7).map { code.isDark(row + 1, column + $0) } == [true, false, false, false, false, false, true])
        }
        #expect(code.lines.count == (code.width + 9) / 2 && code.lines.allSatisfy { $0.count == code.width + 8 })
        #expect(code.svg.hasPrefix("<svg ") && code.svg.contains("viewBox=\"0 0 \(code.width + 8) \(code.width + 8)\""))
    }

    @Test("a text that no code holds, and none at all, are refused")
    func bounds() {
        #expect(throws: QRCode.Fault.self) { try QRCode(String(repeating: "a", count: 2332)) }
        #expect(throws: QRCode.Fault.self) { try QRCode("") }
    }
}

@Suite struct TokenSheetTests {
    @Test("a sheet has a box for each board, names nobody can use as markup, and nothing from elsewhere")
    func sheet() throws {
        let entries = ["Van <1>", "\"Van\" & 2"].map {
            TokenSheet.Entry(
                name: $0, organization: "Our Channel", server: "https://live.example.org", expiresAt: "2026-12-01",
                token: Secret("strata1.t"))
        }
        let html = try TokenSheet(entries).html().revealed
        #expect(html.components(separatedBy: "<section>").count == 3 && html.components(separatedBy: "<svg ").count == 3)
        #expect(html.contains("<h2>Van &lt;1&gt;</h2>") && html.contains("<h2>&quot;Van&quot; &amp; 2</h2>"))
        #expect(!html.contains("src=") && !html.contains("href=") && !html.contains("<script"))
    }
}
