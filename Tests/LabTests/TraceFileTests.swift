import Foundation
import Testing

@testable import Lab

@Suite("A file of a link's times")
struct TraceFileTests {
    private let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()

    @Test("is a whole number of milliseconds a line, in order, several alike for several packets")
    func parses() throws {
        #expect(try TraceFile.parse("0\n3\n3\n20\n") == [0, 3, 3, 20])
        #expect(try TraceFile.parse("7") == [7])
    }

    @Test(
        "that is none is refused with its line",
        arguments: [
            ("5\n4\n", "line 2"), ("1\n\n2\n", "line 2"), ("-1\n", "line 1"), ("1.5\n", "line 1"), ("x\n", "line 1"), ("5\r\n", "line 1"),
            ("", "the period"), ("0\n0\n", "the period"),
        ])
    func refuses(_ text: String, _ named: String) {
        #expect { try TraceFile.parse(text) } throws: { "\($0)".contains(named) }
    }

    @Test("makes a link that lets one full packet leave at each of its times")
    func replayed() throws {
        let path = root.appendingPathComponent("Fixtures/traces/modem").path
        let times = try TraceFile.read(path)
        var link = EmulatedLink<Int>(try LinkProfile(traceFile: path, queueMs: 100_000), seed: 1)
        _ = link.arrivals(at: 0)
        for packet in 0..<times.count { #expect(link.enter(packet, bytes: 1500, at: 0) == nil) }
        var left: [Int] = []
        while let next = link.next { left += link.arrivals(at: next).map { Int($0.dueNs / 1_000_000) } }
        #expect(left == times)
    }

    @Test("is named in a shape by traceFile, alone")
    func named() throws {
        let path = root.appendingPathComponent("Fixtures/traces/modem").path
        func shape(_ json: String) throws -> LinkProfile { try JSONDecoder().decode(LinkProfile.self, from: Data(json.utf8)) }
        #expect(try shape(#"{"traceFile": "\#(path)", "delayMs": 5}"#) == LinkProfile(traceFile: path, delayMs: 5))
        for bad in [
            #"{"traceFile": "/nowhere"}"#, #"{"traceFile": "\#(path)", "rateKbit": 5}"#, #"{"traceFile": "\#(path)", "trace": [1]}"#,
        ] {
            #expect(throws: (any Error).self) { try shape(bad) }
        }
    }
}
