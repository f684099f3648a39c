import Portals
import Testing
import Wire

@testable import Session
@testable import Sticks

/// What the board is connected by, as control and the broadcast are told of it.
@Suite("What the board is connected by") struct SurroundingsTests {
    private func link(_ name: String, _ kind: Link.Kind, _ state: Link.State = .up) -> Link {
        Link(name: name, kind: kind, state: state, addresses: ["192.0.2.1"], mtu: 1500)
    }

    private func stick(_ link: String, id: String, sim: String?) -> Stick {
        let figures = ModemTelemetry(id: id, link: link, model: "E3372", state: .connected, sim: .ready)
        return Stick(link: link, index: 7, figures: figures, simNumber: sim)
    }

    @Test("links that are up are used in the order of what they cost, and last of all those that something is in the way of")
    func order() {
        var around = Surroundings(links: [
            link("wwan0", .cellular), link("wlan0", .wifi), link("eth1", .ethernet), link("eth0", .ethernet, .down), link("wg0", .virtual),
        ])
        #expect(around.upLinks == ["eth1", "wlan0", "wg0", "wwan0"])
        around.obstacles = ["eth1": .portal(host: "hotel.example")]
        #expect(around.upLinks == ["wlan0", "wg0", "wwan0", "eth1"])
        #expect(around.told.map { $0.reason != nil } == [false, false, true, false, false])
        #expect(around.obstructions["eth1"]?.contains("hotel.example") == true)
        #expect(around.links.allSatisfy { $0.reason == nil }, "as rtnetlink has them")
    }

    @Test("a stick is found by its id, and its card is what its link is booked to")
    func sticks() {
        let around = Surroundings(
            links: [link("eth1", .cellular), link("eth2", .cellular)],
            sticks: [stick("eth1", id: "A", sim: "8949020000000000012"), stick("eth2", id: "B", sim: nil)])
        #expect(around.simNumbers == ["eth1": "8949020000000000012"])
        #expect(around.device("B") == .stick(around.sticks[1]) && around.device("C") == nil)
        #expect(around.device("A")?.interfaces == ["eth1"])
        #expect(around.modemFigures.map(\.link) == ["eth1", "eth2"])
    }
}
