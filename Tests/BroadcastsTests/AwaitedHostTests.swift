import Posix
import Testing
import Units
import Wire

@testable import Broadcasts

/// A start that finds no pool host connected, while one is on its way.
@Suite("A start without a pool host")
struct AwaitedHostTests {
    private static func id<Kind>(_ letter: String) -> ID<Kind> { ID("0000000000000000000000000" + letter)! }

    private let host: DeviceID = Self.id("H")
    private let reason = "no pool host is connected"

    private func starting() -> BroadcastMachine {
        var broadcast = BroadcastMachine(
            id: Self.id("B"), organization: Self.id("A"), sender: Self.id("S"), lease: Self.id("K"),
            media: MediaChoice(
                input: InputChoice(video: "test"), encoder: EncoderChoice(bitrate: .kilobits(2500)), bufferMs: 1000, links: nil),
            outputs: [PlannedOutput(id: Self.id("1"), destination: Self.id("D"), name: "platform")], grace: .seconds(60))
        _ = broadcast.event(.resumed, nowMs: 0)
        return broadcast
    }

    private func notes(_ broadcast: BroadcastMachine) -> [String]? { BroadcastView.of(broadcast, createdAtMs: 0, endedAtMs: nil).notes }

    @Test("waits for one that is expected, says so, and goes on with it")
    func comes() {
        var broadcast = starting()
        #expect(broadcast.event(.noHost(reason: reason, waitMs: 8000), nowMs: 1) == [.set(.step, afterMs: 8000)])
        #expect(broadcast.state == .starting(.lease) && notes(broadcast) == ["no pool host is connected yet: one is waited for"])
        #expect(broadcast.event(.hostConnected(host, nil), nowMs: 3000) == [.set(.step, afterMs: 12_000), .chooseHost])
        #expect(broadcast.event(.hostChosen(host), nowMs: 3001).contains(.order(.lease)))
        #expect(broadcast.event(.leased(port: 5000, by: host), nowMs: 3002).contains(.order(.start)) && notes(broadcast) == nil)
    }

    @Test("chooses again where one came while the choice was being made")
    func cameMeanwhile() {
        var broadcast = starting()
        #expect(broadcast.event(.hostConnected(host, nil), nowMs: 1) == [])
        #expect(broadcast.event(.noHost(reason: reason, waitMs: 8000), nowMs: 2).contains(.chooseHost))
        #expect(broadcast.event(.hostChosen(host), nowMs: 3).contains(.order(.lease)))
    }

    @Test("ends with that reason after the wait, which hosts that come and go do not make longer")
    func bounded() {
        var broadcast = starting()
        _ = broadcast.event(.noHost(reason: reason, waitMs: 8000), nowMs: 0)
        for second: Int64 in 1...7 {
            _ = broadcast.event(.hostConnected(host, nil), nowMs: second * 1000)
            let actions = broadcast.event(.noHost(reason: reason, waitMs: 10_000), nowMs: second * 1000)
            #expect(actions == [.set(.step, afterMs: 8000 - second * 1000)])
        }
        _ = broadcast.event(.timer(.step), nowMs: 8000)
        #expect(broadcast.state == .ended(.failed(step: .lease, detail: nil, reason: reason)))
        var late = starting()
        _ = late.event(.noHost(reason: reason, waitMs: 8000), nowMs: 0)
        _ = late.event(.hostConnected(host, nil), nowMs: 8000)
        _ = late.event(.noHost(reason: reason, waitMs: 10_000), nowMs: 8001)
        #expect(late.state == .ended(.failed(step: .lease, detail: nil, reason: reason)))
    }

    @Test("ends at once where nobody is expected, where a host has refused already, and by a stop")
    func atOnce() {
        var nobody = starting()
        _ = nobody.event(.noHost(reason: reason), nowMs: 1)
        #expect(nobody.state == .ended(.failed(step: .lease, detail: nil, reason: reason)))
        var refused = starting()
        for event: BroadcastMachine.Event in [
            .hostChosen(host), .leaseRefused(reason: "busy", by: host), .noHost(reason: reason, waitMs: 9),
        ] {
            _ = refused.event(event, nowMs: 1)
        }
        #expect(refused.state == .ended(.failed(step: .lease, detail: nil, reason: "busy")))
        var stopped = starting()
        _ = stopped.event(.noHost(reason: reason, waitMs: 8000), nowMs: 1)
        let actions = stopped.event(.stopRequested(.stopped), nowMs: 2)
        #expect(stopped.state == .ended(.stopped) && actions.contains(.cancel(.step)))
        #expect(stopped.event(.hostConnected(host, nil), nowMs: 3) == [] && stopped.event(.hostChosen(host), nowMs: 4) == [])
    }

    @Test("expects one for ten seconds after control's own start, and after the loss of one")
    func patience() {
        let start = Instant(nanoseconds: 5_000_000_000)
        var patience = HostPatience(began: start)
        #expect(patience.leftMs(at: start) == 10_000 && patience.leftMs(at: start + .seconds(4)) == 6000)
        #expect(patience.leftMs(at: start + .seconds(10)) == 0 && patience.leftMs(at: start + .seconds(100)) == 0)
        patience.lost(at: start + .seconds(100))
        #expect(patience.leftMs(at: start + .seconds(103)) == 7000 && patience.leftMs(at: start + .seconds(111)) == 0)
    }
}
