import Testing

@testable import HTTP

private func decode(_ text: String, step: Int = .max) throws -> (body: String, consumed: Int, finished: Bool) {
    let bytes = Array(text.utf8)
    var decoder = ChunkedDecoder()
    var output: [UInt8] = []
    var index = 0
    while index < bytes.count, !decoder.isFinished {
        index += try decoder.decode(bytes, index..<min(bytes.count, index + min(step, bytes.count)), into: &output)
    }
    return (String(decoding: output, as: UTF8.self), index, decoder.isFinished)
}

@Suite struct ChunkedTests {
    @Test("chunks come apart the same however they arrive", arguments: [1, 2, 3, 7, 1000])
    func splits(step: Int) throws {
        let text = "3\r\nabc\r\n0A ;x=\"y z\";q\r\n0123456789\r\n0\r\nTrailer: value\r\nB:\r\n\r\nGET /"
        let result = try decode(text, step: step)
        #expect(result.body == "abc0123456789")
        #expect(result.finished)
        #expect(result.consumed == text.utf8.count - 5)
    }

    @Test("what the writer writes comes back")
    func roundTrip() throws {
        let chunk = [UInt8](repeating: 7, count: 300)
        let bytes = HeadWriter.chunkStart(300) + chunk + HeadWriter.chunkEnd + HeadWriter.lastChunk
        var decoder = ChunkedDecoder()
        var output: [UInt8] = []
        #expect(try decoder.decode(bytes, into: &output) == bytes.count)
        #expect(output == chunk)
        #expect(decoder.isFinished)
    }

    @Test(
        "a chunk that another parser could read in a second way is refused",
        arguments: [
            "3\nabc\n0\n\n", "3\r\nabcd\r\n0\r\n\r\n", "3\r\nabc\n0\r\n\r\n", "0x3\r\nabc\r\n", "+3\r\nabc\r\n", "\r\nabc", " 3\r\nabc\r\n",
            "g\r\n",
            "3 \r\nabc\r\n", "3 x\r\nabc\r\n", "3;\nabc\r\n", "3;\u{0}\r\nabc\r\n", "10000000000000000\r\n", "0000000000000003\r\nabc\r\n",
            "0\r\n X: y\r\n\r\n", "0\r\nX : y\r\n\r\n", "0\r\nX: y\n\r\n", "0\r\n\n", "0\r\nX\r\n\r\n", "3\r\r\nabc",
        ])
    func refused(_ text: String) {
        #expect(throws: HTTPFault.self) { try decode(text) }
    }

    @Test("extensions and trailers are bounded over the whole body")
    func bounded() {
        let many = String(repeating: "1;\(String(repeating: "x", count: 100))\r\na\r\n", count: 50)
        #expect { try decode(many) } throws: { ($0 as? HTTPFault)?.status == .headersTooLarge }
        let trailers = "0\r\n" + String(repeating: "X: \(String(repeating: "x", count: 100))\r\n", count: 50)
        #expect { try decode(trailers) } throws: { ($0 as? HTTPFault)?.status == .headersTooLarge }
    }
}
