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

    @Test("what our own carrier knows comes every 2 s, of the links and of all together, and control keeps it between")
    func bond() {
        var turns = TelemetryTurns()
        let begin = Instant.now
        var link = LinkTelemetry(name: "modem0", state: .live, sent: .kilobits(100), rttMs: 50, loss: 0, weight: 1, retransmittedPackets: 0)
        let plain = link
        link.bond = .init(offeredPackets: 1, deliveredPackets: 1, lostPackets: 0, doubledPackets: 0, queueMs: 0, capacity: .kilobits(1000))
        let bond = BondTelemetry(
            available: .kilobits(1000), capacity: .kilobits(1000), queueMs: 0, offeredPackets: 1, deliveredPackets: 1, lostPackets: 0,
            retransmittedPackets: 0, doubledPackets: 0, latencyMs: 1000)
        let told = (0..<11).map { turns.bond([link], bond, at: begin + .milliseconds($0 * 200)) }
        #expect(told.enumerated().allSatisfy { $1.links == [[0, 10].contains($0) ? link : plain] })
        #expect(told.enumerated().allSatisfy { $1.bond == ([0, 10].contains($0) ? bond : nil) })
        // Stock RIST knows nothing besides.
        let other = turns.bond([plain], nil, at: begin)
        #expect(other.links == [plain] && other.bond == nil)

        func sample(_ index: Int) -> AgentTelemetry {
            AgentTelemetry(atMs: 0, links: told[index].links, pipeline: nil, bond: told[index].bond)
        }
        var second = sample(1)
        second.takeBond(of: sample(0))
        #expect(second == sample(0))
        second.links[0].name = "modem1"
        second.links[0].bond = nil
        second.takeBond(of: sample(0))
        #expect(second.links[0].bond == nil)
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
