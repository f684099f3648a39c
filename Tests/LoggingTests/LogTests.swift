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
}
