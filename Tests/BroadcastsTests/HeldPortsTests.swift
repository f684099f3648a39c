import FoundationEssentials
import Testing
import Units
import Wire

@testable import Broadcasts

private func id<Kind>(_ letter: String) -> ID<Kind> { ID("0000000000000000000000000" + letter)! }

private let ours: OrganizationID = id("A")
private let theirs: OrganizationID = id("Z")

private func listener(_ letter: String, _ name: String, _ port: Int, _ address: String = "0.0.0.0") -> PlannedOutput {
    PlannedOutput(id: id(letter), destination: id(letter), name: name, listener: ListenerPlace(address: address, port: port))
}

/// A broadcast that is live on port 20001 of its host.
private func live(_ letter: String, of organization: OrganizationID, port: Int = 20_001, _ outputs: PlannedOutput...) -> BroadcastMachine {
    var machine = BroadcastMachine(
        id: id(letter), organization: organization, sender: id(letter), lease: id(letter),
        media: MediaChoice(
            input: InputChoice(video: "test"), encoder: EncoderChoice(bitrate: .kilobits(2500)), bufferMs: 1000, links: nil),
        outputs: outputs, grace: .seconds(60))
    let events: [BroadcastMachine.Event] = [.resumed, .hostChosen(id("H")), .leased(port: port), .senderStarted(revision: 1)]
    for event in events { _ = machine.event(event, nowMs: 0) }
    return machine
}

@Suite("The ports of a pool host")
struct HeldPortsTests {
    private func refusal(_ place: ListenerPlace, of broadcast: BroadcastID = id("B")) -> String? {
        var held = HeldPorts(range: PortRange(first: 20_000, last: 20_999))
        held.add(live("B", of: ours, listener("1", "door", 7000), listener("2", "inside", 7001, "10.0.0.1")))
        held.add(live("C", of: theirs, port: 30_000, listener("3", "secret name", 7002)))
        return held.holder(of: place, for: id("N"), of: broadcast, in: ours)?.description
    }

    @Test("who holds a port is named where it is one's own, and never where it is another organisation's")
    func names() {
        func at(_ port: Int, _ address: String = "0.0.0.0") -> ListenerPlace { ListenerPlace(address: address, port: port) }
        #expect(refusal(at(7000)) == "port 7000 is held by the output 'door': choose another port")
        #expect(refusal(at(7000), of: id("D"))?.contains("the output 'door' of the broadcast 0000000000000000000000000B:") == true)
        #expect(refusal(at(7001, "10.0.0.2")) == nil && refusal(at(7001, "10.0.0.1")) != nil && refusal(at(7001, "::")) != nil)
        #expect(refusal(at(7002)) == "port 7002 is held by another stream on this host: choose another port")
        #expect(refusal(at(30_000)) == "port 30000 is held by another stream on this host: choose another port")
        #expect(refusal(at(20_001), of: id("B"))?.contains("the broadcast's own stream") == true)
        #expect(refusal(at(20_001), of: id("D"))?.contains("ports for streams, 20000-20999") == true)
        #expect(refusal(at(20_500))?.contains("ports for streams, 20000-20999") == true)
        #expect(refusal(at(7003)) == nil)
    }

    @Test("an output that moves is not in its own way, and keeps the port that it still listens on from others until it has moved")
    func moving() {
        let output = listener("1", "door", 7000)
        var machine = live("B", of: ours, output)
        func report(_ state: OutputReport.State) -> BroadcastMachine.Event {
            .report(
                StreamReport(
                    lease: id("B"), broadcast: id("B"), port: 20_001, pid: 1, uptimeSeconds: 1,
                    ingest: IngestReport(
                        state: .flowing, bitrate: .kilobits(1), keyFramesTotal: 1, lostPacketsTotal: 0, recoveredPacketsTotal: 0,
                        guardDroppedTotal: 0, video: .h264, width: 640, height: 360, paths: []),
                    outputs: [
                        OutputReport(
                            id: output.id, state: state, reason: nil, sentBytesTotal: 0, droppedUnitsTotal: 0, reconnectsTotal: 0)
                    ], restarts: 0))
        }
        func isHeld(_ port: Int, for asking: OutputID = id("N")) -> Bool {
            var held = HeldPorts(range: nil)
            held.add(machine)
            return held.holder(of: ListenerPlace(address: "::", port: port), for: asking, of: machine.id, in: ours) != nil
        }
        _ = machine.event(report(.connected), nowMs: 1)
        #expect(isHeld(7000) && !isHeld(7000, for: output.id) && !isHeld(7005))
        let moved = ListenerPlace(address: "0.0.0.0", port: 7005)
        _ = machine.event(.destinationChanged(output.destination, name: "door", isElsewhere: true, listener: moved), nowMs: 2)
        #expect(isHeld(7000) && isHeld(7005) && !isHeld(7005, for: output.id))
        let again = ListenerPlace(address: "0.0.0.0", port: 7006)
        _ = machine.event(.destinationChanged(output.destination, name: "door", isElsewhere: true, listener: again), nowMs: 3)
        #expect(isHeld(7000) && !isHeld(7005) && isHeld(7006))
        _ = machine.event(report(.connecting), nowMs: 4)
        #expect(!isHeld(7000) && isHeld(7006))
        // It is no listener any more.
        _ = machine.event(.destinationChanged(output.destination, name: "door", isElsewhere: true), nowMs: 5)
        #expect(!isHeld(7006))
    }

    @Test("what listeners ask for outlives a restart of control, and one that was stored before is read without it")
    func stored() throws {
        let machine = live("B", of: ours, listener("1", "door", 7000))
        let data = try JSONEncoder().encode(machine)
        #expect(try JSONDecoder().decode(BroadcastMachine.self, from: data).outputs == machine.outputs)
        let old = #"{"id":"00000000000000000000000001","destination":"00000000000000000000000001","name":"door"}"#
        #expect(try JSONDecoder().decode(PlannedOutput.self, from: Data(old.utf8)).heldPlaces.isEmpty)
    }

    @Test("a start is kept from hosts where its listener's port is held, and says so where there are no others")
    func avoided() {
        var machine = BroadcastMachine(
            id: id("B"), organization: ours, sender: id("S"), lease: id("B"), media: live("B", of: ours).media,
            outputs: [listener("1", "door", 7000)], grace: .seconds(60))
        machine.avoid([id("J")], reason: "the output 'door': port 7000 is held by another stream on this host: choose another port")
        #expect(machine.event(.resumed, nowMs: 0).contains(.chooseHost) && machine.observed.occupied == [id("J")])
        _ = machine.event(.noHost(reason: "every pool host is full: 2 of 2 streams are in use"), nowMs: 1)
        guard case .ended(.failed(.lease, _, let reason)) = machine.state else {
            Issue.record("it has not failed: \(machine.state)")
            return
        }
        #expect(reason.contains("'door': port 7000 is held"))
    }
}
