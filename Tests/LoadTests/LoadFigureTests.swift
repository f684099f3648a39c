import Foundation
@testable import Load
import Posix
import Testing
import Wire

/// The load of the bench: a bench that reads it wrongly shows nothing.
@Suite("The load")
struct LoadFigureTests {
    @Test("a board's texts are samples that control reads, with the time of their sending, and all that a board tells comes now and then")
    func samples() throws {
        let texts = try SampleTexts()
        var told: Set<String> = []
        for second in 0..<30 {
            let at = Instant(nanoseconds: Int64(second + 1) * 1_234_567_891_011)
            let text = texts.text(of: 7, second: second, at: at)
            guard case .telemetry(let sample) = try JSONDecoder().decode(AgentMessage.self, from: Data(text)) else {
                Issue.record("no telemetry: \(String(decoding: text, as: UTF8.self))")
                continue
            }
            #expect(sample.atMs == at.nanoseconds / 1000)
            #expect(sample.links.map(\.name) == SampleTexts.links && sample.pipeline != nil)
            // Nothing in it is cut or corrected.
            #expect(sample.bounded() == sample)
            if sample.bond != nil { told.insert("bond") }
            if sample.interfaces != nil { told.insert("interfaces") }
            if sample.modems != nil { told.insert("modems") }
            if sample.usage != nil { told.insert("usage") }
        }
        #expect(told == ["bond", "interfaces", "modems", "usage"])
    }

    @Test(
        "a page's messages are told apart",
        arguments: [
            (#"{"seq":12,"topic":"telemetry/01ARZ3NDEKTSV4RRFFQ69G5FAV","body":{"atMs":12345678901,"links":[]}}"#, .sample(12_345_678_901)),
            (#"{"seq":4503599627370495,"topic":"telemetry/01ARZ3NDEKTSV4RRFFQ69G5FAV","body":{"atMs":7}}"#, .sample(7)),
            (#"{"seq":null,"topic":"telemetry/01ARZ3NDEKTSV4RRFFQ69G5FAV","body":{"atMs":7}}"#, .other),
            (#"{"seq":null,"topic":"all","body":null}"#, .picture), (#"{"seq":null,"topic":"alive","body":null}"#, .other),
            (#"{"seq":3,"topic":"sender/01ARZ3NDEKTSV4RRFFQ69G5FAV","body":{"agentVersion":"0.1.0"}}"#, .other), ("", .other),
            (#"{"seq":"#, .other),
        ] as [(String, PageMessage)])
    func messages(_ text: String, _ message: PageMessage) {
        #expect(PageMessage(text) == message)
    }

    @Test("what was sent within the window counts, and what never came is as old as the wait for it")
    func tally() {
        let tally = Tally()
        tally.lost("before")
        tally.begin(1000..<2000)
        for time: Int64 in [999, 1000, 1999, 2000] {
            tally.sent(at: Instant(nanoseconds: time * 1000), late: time - 999, to: 50, isTaken: time != 1999)
            for _ in 0..<49 { tally.came(.sample(time), at: Instant(nanoseconds: (time + 3000) * 1000)) }
        }
        tally.came(.picture, at: .now)
        let figures = tally.figures(waited: .seconds(2))
        #expect(figures.sent == 2 && figures.dropped == 1 && figures.expected == 100 && figures.came == 98)
        #expect(figures.lost == 1 && figures.pictures == 1 && figures.lastReason == "before")
        #expect(figures.ageMs.p50 == 3 && figures.ageMs.p99 == 2000 && figures.ageMs.max == 2000)
        #expect(figures.lateMs.p50 == 0.001 && figures.lateMs.max == 1)
    }

    @Test("nothing at all has figures too")
    func empty() {
        let figures = Tally().figures(waited: .seconds(1))
        #expect(figures.sent == 0 && figures.ageMs.max == 0)
    }
}
