import Testing
import Wire

@Suite("The place where a text stops being JSON")
struct JSONPlaceTests {
    private static let wrong: [(text: String, line: Int, column: Int)] = [
        ("", 1, 1), ("{", 1, 2), ("{\"a\":1,}", 1, 8), ("{'a':1}", 1, 2), ("{\n  \"a\": 1\n  \"b\": 2\n}", 3, 3), ("[1,]", 1, 4),
        ("{\"a\" 1}", 1, 6), ("[tru]", 1, 5), ("[01]", 1, 3), ("[1.]", 1, 4), ("[1e]", 1, 4), ("\"a", 1, 3), ("\"a\nb\"", 1, 3),
        ("\"\\x\"", 1, 3), ("{} x", 1, 4), ("[1}", 1, 3), (String(repeating: "[", count: 100_000), 1, 513),
    ]

    @Test("is the first byte that cannot be there, or the end where something is missing")
    func places() throws {
        for (text, line, column) in Self.wrong {
            let place = try #require(JSONPlace(ofFaultIn: Array(text.utf8)), "\(text.prefix(40))")
            #expect(place.line == line && place.column == column, "\(text.prefix(40)): \(place)")
        }
    }

    @Test(
        "is none of what is JSON",
        arguments: ["null", " [ ] ", "{ }", "-0.5e+10", "0", #"{"a":[1,2.5,true,false,null,"x\"\\é"],"b":{"c":{}}}"#, "\r\n\t1 "])
    func none(_ text: String) {
        #expect(JSONPlace(ofFaultIn: Array(text.utf8)) == nil)
    }
}
