import Testing
import Units
import Wire

/// Several texts in one, which has a bound of its own.
@Suite struct ListingTests {
    @Test("what fits is there whole, and one alone has all the room")
    func whole() {
        #expect([String]().listed() == "")
        #expect(["first: refused", "second: away"].listed() == "first: refused; second: away")
        #expect(["a", "b", "c"].listed(by: ", ", within: 7) == "a, b, c")
        #expect([String(repeating: "x", count: 1000)].listed().count == 1000)
    }

    @Test("what does not fit is counted, and the first does not hide the others")
    func counted() {
        let nine = (1...9).map { "output '\($0)\(String(repeating: "n", count: 99))' retrying: connection refused (111)" }
        let text = nine.listed()
        #expect(text.hasPrefix(nine.prefix(6).joined(separator: "; ")) && text.hasSuffix("; and 3 more"), "\(text)")
        let long = [String(repeating: "x", count: 5000), "the second"].listed()
        #expect(long.hasPrefix("xxx") && long.hasSuffix("x; the second"))
    }

    @Test("whatever the texts are, it is within its bound and plain", arguments: BoundsTests.texts)
    func bounded(_ text: String) {
        for number in [1, 2, 3, 4, 9, 300] {
            for count in [40, 300, 1000] {
                let listed = Array(repeating: text, count: number).listed(within: count)
                #expect(listed.unicodeScalars.count <= count && listed.isPlain)
                #expect(number < 5 || text.isEmpty || text == "\r\n" || listed.hasSuffix("more"), "\(number) within \(count)")
            }
        }
    }
}
