import Testing

@testable import Reporting

@Suite("The stack of a page")
struct PageStackTests {
    private typealias Frame = ErrorEvent.Frame

    @Test("is read as browsers write it, the innermost last, without the server's name and what stands behind a path")
    func engines() {
        let expected = [
            Frame(function: nil, file: "/assets/Main-1.js", line: 4, column: 56),
            Frame(function: "a.b", file: "/assets/Main-1.js", line: 1, column: 23),
        ]
        let v8 = """
            TypeError: x is not a function
                at a.b (https://live.example.org:8443/assets/Main-1.js?x=1:1:23)
                at https://live.example.org/assets/Main-1.js:4:56
            """
        let gecko = "a.b@https://live.example.org/assets/Main-1.js:1:23\n@https://live.example.org/assets/Main-1.js#y:4:56\n"
        #expect(PageStack.frames(v8) == expected)
        #expect(PageStack.frames(gecko) == expected)
        #expect(
            PageStack.frames("    at async Promise.all (index 0)\n    at async f (<anonymous>:2:3)") == [
                Frame(function: "f", file: "<anonymous>", line: 2, column: 3)
            ])
    }

    @Test("is empty of what is none, and bounded")
    func hostile() {
        for text in [
            "", "\n\n", "at", "at ", "at ()", "at (:1:2)", "@", "a@b", "a@:1:2", "at f (https://host:1:2)", "at f (x:99999999999:1)",
            "at f (x:-1:1)",
            "at f (x:1:)", "alice@example.org", "at \u{301}", ":::::",
        ] { #expect(PageStack.frames(text).isEmpty, "\(text)") }
        let long = String(repeating: "at f (/x.js:1:2)\n", count: 500)
        #expect(PageStack.frames(long).count == 50)
        #expect(PageStack.frames("at f (/" + String(repeating: "x", count: 2000) + ":1:2)").isEmpty)
    }
}
