import Testing
import Wire

@Suite("A list of people to invite")
struct InvitationListTests {
    private func read(_ text: String) -> [String] {
        let list = InvitationList(text)
        return list.entries.map { "\($0.line) \($0.email) \($0.role?.rawValue ?? "-")" }
            + list.faults.map { "\($0.line) not \($0.expected)" }
    }

    @Test("is read as spreadsheets write it: headings, quotes, other separators, either end of a line, cells that are empty")
    func forms() {
        #expect(read("a@x\nb@x,host") == ["1 a@x -", "2 b@x host"])
        #expect(read("\u{FEFF}Email;Role\r\na@x;Admin\r\n") == ["2 a@x admin"])
        #expect(read("email\t\t\na@x\tmember\t\t\n\n \r\n,,\n b@x , host ") == ["2 a@x member", "6 b@x host"])
        #expect(read("\"a@x\",\"host\"\n\"b\"\"c@x\" ,member\n\"d,e@x\"") == ["1 a@x host", "2 b\"c@x member", "3 d,e@x -"])
        #expect(read("") == [] && read("email,role") == [])
        // A heading is the first line alone, and the address is not looked at.
        #expect(read("a@x\nemail") == ["1 a@x -", "2 email -"])
    }

    @Test("names each line that it cannot read, by its number")
    func faults() {
        let role = "one of the roles admin, host, member", quotes = "a cell in quotes that ends on its line, with nothing behind it"
        let cells = "a mail address, and a role where it is another one"
        #expect(read("a@x,owner\nb@x,king\nc@x,host") == ["3 c@x host", "1 not \(role)", "2 not \(role)"])
        #expect(read("\"a@x\nb@x\"c,host\n\"d@x\"e") == ["2 b@x\"c host", "1 not \(quotes)", "3 not \(quotes)"])
        #expect(read("a@x,host,Berlin") == ["1 not \(cells)"])
        #expect(read(String(repeating: "x", count: 255)) == ["1 not \(cells)"])
    }

    @Test("is read to 200 people and no further")
    func bounds() {
        let lines = (1...300).map { "\($0)@x" }
        #expect(InvitationList(lines.prefix(200).joined(separator: "\n")).faults.isEmpty)
        let told = read(lines.joined(separator: "\n"))
        #expect(told.suffix(1) == ["201 not at most 200 people; what follows was not read"] && told.count == 202)
        #expect(InvitationList(String(repeating: "x,host,y\n", count: 5000)).faults.count == 202)
    }
}
