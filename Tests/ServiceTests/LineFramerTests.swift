import Testing

@testable import Service

@Suite("Line framer")
struct LineFramerTests {
    private func lines(_ chunks: [String], limit: Int = 100) throws -> [String] {
        var framer = LineFramer(limit: limit)
        var lines: [String] = []
        for chunk in chunks { try framer.feed(chunk.utf8) { lines.append(String(decoding: $0, as: UTF8.self)) } }
        return lines
    }

    @Test(
        "lines are the same however they arrive",
        arguments: [
            ["{a}\n{bc}\n"], ["{a", "}\n{bc}", "\n"], ["{", "a", "}", "\n", "{", "b", "c", "}", "\n"], ["\n\n{a}\n", "\n{bc}\n{un"],
        ])
    func partial(chunks: [String]) throws {
        #expect(try lines(chunks) == ["{a}", "{bc}"])
    }

    @Test("a line of exactly the limit passes, one byte more is an error")
    func bound() throws {
        #expect(try lines(["1234\n"], limit: 4) == ["1234"])
        #expect(throws: LineFramer.TooLong(limit: 4)) { try lines(["123", "45"], limit: 4) }
    }
}
