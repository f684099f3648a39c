import Foundation
import Posix
import Testing

@testable import Logging

@Suite("The log") struct LogTests {
    @Test(
        "whatever a field holds, an event is one line of JSON that gives it back",
        arguments: [
            "a\nb\r\n", "\u{0}\u{1b}[2J\u{7f}\u{9b}", "a\u{202e}b\u{2028}", "\"}\n{\"level\":\"error\"", "\\", "%s%n", "👩🏽‍🚀", "",
            String(repeating: "\u{301}", count: 2000),
        ])
    func line(text: String) throws {
        let lines = Guarded<[String]>([])
        let log = Log("test", threshold: .trace) { line in lines.withLock { $0.append(line) } }
        log.part(text).with(text, .text(text)).warning("happened", ["value": .text(text)])
        let line = try #require(lines.withLock { $0 }.first)
        #expect(
            !line.unicodeScalars.contains { $0.value < 0x20 || (0x7f...0x9f).contains($0.value) || (0x2028...0x202e).contains($0.value) })
        let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        #expect(object["value"] as? String == text)
        #expect(object["level"] as? String == "warning")
    }

    @Test("whoever listens hears of notices and what is worse, whatever is written, and of an error where it was logged")
    func heard() {
        let (lines, entries) = (Guarded<[String]>([]), Guarded<[Log.Entry]>([]))
        let silent = Log("test", threshold: .error) { line in lines.withLock { $0.append(line) } }
        let log = silent.heard { entry in entries.withLock { $0.append(entry) } }.part("part").with("always", 1)
        log.info("too little")
        log.notice("happened")
        log.error("failed", ["error": "why", "flag": true])
        silent.error("nobody hears")
        let heard = entries.withLock { $0 }
        #expect(heard.map(\.message) == ["happened", "failed"] && heard.map(\.level) == [.notice, .error])
        #expect(heard.last?.part == "test.part" && heard.last?.fields.map(\.name) == ["always", "error", "flag"])
        #expect(heard.last?.fields.map(\.value) == ["1", "why", "true"])
        #expect(heard.first?.place == nil && heard.last?.place?.file == "LoggingTests/LogTests.swift" && (heard.last?.place?.line ?? 0) > 1)
        #expect(lines.withLock { $0.count } == 2)
    }
}
