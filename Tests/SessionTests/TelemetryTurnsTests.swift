import Posix
import Testing
import Wire

@testable import Session

@Suite struct TelemetryTurnsTests {
    private let modem = ModemTelemetry(id: "1", model: "stand-in", state: .connected, sim: .ready)

    @Test("counters come every 5 s, and a sample that is a little early counts")
    func counters() {
        var turns = TelemetryTurns()
        let begin = Instant.now
        let due = (0..<60).filter { turns.isCountersTurn(at: begin + .milliseconds($0 * 199)) }
        #expect(due == [0, 25, 50])
    }

    @Test("modems come when they change, once a second at most, else every 5 s; nothing where there never was one")
    func modems() {
        var turns = TelemetryTurns()
        let begin = Instant.now
        #expect(turns.modems([], at: begin) == nil)
        #expect(turns.modems([modem], at: begin) == [modem])
        var other = modem
        other.state = .searching
        #expect(turns.modems([other], at: begin + .milliseconds(400)) == nil)
        #expect(turns.modems([other], at: begin + .milliseconds(900)) == [other])
        #expect(turns.modems([other], at: begin + .milliseconds(5800)) == nil)
        #expect(turns.modems([other], at: begin + .milliseconds(5900)) == [other])
        // The last one is gone: that is told.
        #expect(turns.modems([], at: begin + .milliseconds(7000))?.isEmpty == true)
        turns.forgetModems()
        #expect(turns.modems([], at: begin + .milliseconds(7100)) == nil)
    }
}
