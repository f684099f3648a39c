import Foundation
import Testing
import Wire

@testable import Fleet

@Suite("A message that cannot be read")
struct MalformedMessageTests {
    private static let wrong: [(text: String, type: String?, field: String)] = [
        ("{", nil, ""), ("[]", nil, ""), (#"{"type":7}"#, nil, "type"), (#"{"type":"telemetry"}"#, "telemetry", "body"),
        (#"{"type":"telemetry","body":7}"#, "telemetry", "body"),
        (#"{"type":"configured","body":{"version":"x"}}"#, "configured", "body.version"),
        (#"{"type":"inventory","body":{"links":[7],"inputs":[],"encoders":[]}}"#, "inventory", "body.links[0]"),
    ]

    @Test("is told with the type that it says it has, and with the field at fault")
    func places() throws {
        for (text, type, field) in Self.wrong {
            do {
                _ = try JSONDecoder().decode(AgentMessage.self, from: Data(text.utf8))
                Issue.record("\(text) was read")
            } catch let error as DecodingError {
                let fault = MalformedMessage(text, error)
                #expect(fault.type == type && fault.field == field, "\(text): \(fault)")
            }
        }
    }

    @Test("is told within bounds, whatever it says")
    func bounds() {
        let long = String(repeating: "x\u{1b}", count: 5000)
        let text = #"{"type":"\#(String(repeating: "x", count: 5000))","body":7}"#
        let fault = MalformedMessage(text, .dataCorrupted(.init(codingPath: [], debugDescription: long)))
        #expect("\(fault)".count < 400 && !"\(fault)".contains("\u{1b}"))
    }
}
