import Testing
import Wire

struct PreviewChunkTests {
    private static let chunks = [
        PreviewChunk(.beginning, [4] + Array("avc1".utf8)), PreviewChunk(.key, [1, 2, 3]),
        PreviewChunk(.more, [UInt8](repeating: 7, count: 70_000)),
    ]

    @Test("chunks come out of a stream as they went in, however it is cut", arguments: [1, 3, 7, 4096, 1 << 20])
    func framing(_ size: Int) throws {
        let stream = Self.chunks.flatMap(\.framed)
        var framer = PreviewFramer()
        var out: [PreviewChunk] = []
        for at in stride(from: 0, to: stream.count, by: size) {
            try framer.feed(stream[at..<min(stream.count, at + size)]) { out.append($0) }
        }
        #expect(out == Self.chunks)
        for chunk in Self.chunks { #expect(PreviewChunk(message: chunk.bytes) == chunk) }
    }

    @Test("what is longer than a chunk may be, empty, or of no kind is none")
    func malformed() {
        let large = UInt32(WireLimits.previewBytes + 2)
        let lengths: [[UInt8]] = [
            [0, 0, 0, 0], [0, 0, 0, 1], (0..<4).map { UInt8(truncatingIfNeeded: large >> (24 - 8 * $0)) }, [255, 255, 255, 255],
        ]
        for head in lengths + [[0, 0, 0, 2, 9, 0], [0, 0, 0, 2, 0, 0]] {
            var framer = PreviewFramer()
            #expect(throws: PreviewFramer.Malformed.self) { try framer.feed(head) { _ in } }
        }
        #expect(PreviewChunk(message: []) == nil && PreviewChunk(message: [1]) == nil && PreviewChunk(message: [4, 0]) == nil)
        #expect(PreviewChunk(message: [2] + [UInt8](repeating: 0, count: WireLimits.previewBytes + 1)) == nil)
        #expect(PreviewChunk(message: [2] + [UInt8](repeating: 0, count: WireLimits.previewBytes)) != nil)
    }
}

struct PreviewGateTests {
    private let beginning = PreviewChunk(.beginning, [0, 1])
    private func key(_ number: UInt8) -> PreviewChunk { PreviewChunk(.key, [number]) }
    private func more(_ number: UInt8) -> PreviewChunk { PreviewChunk(.more, [number]) }

    /// What goes through where there is room for those that are not named.
    private func given(_ chunks: [PreviewChunk], gate: PreviewGate = PreviewGate(), full: Set<Int> = []) -> (
        given: [PreviewChunk], lost: Int
    ) {
        var gate = gate
        var given: [PreviewChunk] = []
        var offered = 0
        for chunk in chunks {
            gate.take(chunk) { chunk in
                defer { offered += 1 }
                if full.contains(offered) { return false }
                given.append(chunk)
                return true
            }
        }
        return (given, gate.lost)
    }

    @Test("who watches begins with the beginning and a key, whenever they come")
    func joining() {
        let all = [beginning, key(1), more(2), more(3), key(4)]
        #expect(given([more(0)] + all) == (all, 0))
        #expect(given([more(2), more(3), key(4), more(5)], gate: PreviewGate(beginning: beginning)) == ([beginning, key(4), more(5)], 0))
        // Nobody is given pictures whose beginning nobody knows.
        #expect(given([key(1), more(2), key(3)]) == ([], 0))
    }

    @Test("what has no room is lost, with all up to the next key")
    func losing() {
        let all = [beginning, key(1), more(2), more(3), key(4), more(5)]
        #expect(given(all, full: [2]) == ([beginning, key(1), key(4), more(5)], 2))
        // A key, and a beginning, which comes with the next one.
        #expect(given(all, full: [1]) == ([beginning, key(4), more(5)], 3))
        #expect(given(all, full: [0]) == ([beginning, key(4), more(5)], 1))
    }

    @Test("another beginning comes with the next key, and the newest of several")
    func changing() {
        let (other, newest) = (PreviewChunk(.beginning, [0, 2]), PreviewChunk(.beginning, [0, 3]))
        #expect(given([beginning, key(1), other, more(2), newest, key(3)]) == ([beginning, key(1), newest, key(3)], 1))
    }
}

private func == (left: (given: [PreviewChunk], lost: Int), right: ([PreviewChunk], Int)) -> Bool {
    left.given == right.0 && left.lost == right.1
}
