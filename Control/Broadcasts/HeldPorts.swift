import Units
import Wire

/// What keeps an SRT listener from a port of one pool host, as far as control knows it.
///
/// Two that ask at the same moment may both be let by: the host has the last word.
package struct HeldPorts: Sendable {
    /// Whoever has the port, in the words of the organisation that asks.
    package struct Holder: Sendable, Hashable, CustomStringConvertible {
        package let port: Int
        let who: String
        package var description: String { "port \(port) \(who): choose another port" }
    }

    private struct Listener {
        let organization: OrganizationID
        let broadcast: BroadcastID
        let output: OutputID
        let name: String
        let place: ListenerPlace
    }

    /// The host's ports for streams; nil where it is not connected.
    private let range: PortRange?
    private var streams: [Int: BroadcastID] = [:]
    private var listeners: [Listener] = []

    init(range: PortRange?) { self.range = range }

    /// What a broadcast on the host has there, or is about to have.
    mutating func add(_ machine: BroadcastMachine) {
        if let port = machine.port { streams[port] = machine.id }
        for output in machine.outputs { add(output, of: machine.id, in: machine.organization) }
    }

    mutating func add(_ output: PlannedOutput, of broadcast: BroadcastID, in organization: OrganizationID) {
        listeners += output.heldPlaces.map { place in
            Listener(organization: organization, broadcast: broadcast, output: output.id, name: output.name, place: place)
        }
    }

    /// - Returns: nil where an output of a broadcast may listen there. What is another organisation's is not named.
    func holder(of place: ListenerPlace, for output: OutputID, of broadcast: BroadcastID, in organization: OrganizationID) -> Holder? {
        func held(_ who: String) -> Holder { Holder(port: place.port, who: who) }
        // Whatever address a stream is bound to: the receiver refuses a listener the same.
        if streams[place.port] == broadcast { return held("is the one that the broadcast's own stream arrives on") }
        if let range, range.contains(place.port) {
            return held("is one of the pool host's ports for streams, \(range.first)-\(range.last)")
        }
        if streams[place.port] != nil { return held("is held by another stream on this host") }
        guard let other = listeners.first(where: { $0.output != output && $0.place.excludes(place) }) else { return nil }
        guard other.organization == organization else { return held("is held by another stream on this host") }
        return held("is held by the output '\(other.name)'" + (other.broadcast == broadcast ? "" : " of the broadcast \(other.broadcast)"))
    }
}

// MARK: Asking for it

extension BroadcastDirector {
    func heldPorts(on host: DeviceID) async -> HeldPorts {
        var held = HeldPorts(range: await parts.fleet.offer(of: host)?.portRange)
        for one in live.values.sorted(by: { $0.id < $1.id }) {
            let machine = await one.machine
            if machine.host == host { held.add(machine) }
        }
        return held
    }

    /// - Throws: `.held` where the receiver's host cannot give a new output its port.
    func admitListener(_ output: PlannedOutput, to one: LiveBroadcast) async throws {
        // Before it has a host the start has it checked.
        guard let place = output.listener, let host = await one.machine.host else { return }
        if let holder = await heldPorts(on: host).holder(of: place, for: output.id, of: one.id, in: one.organization) {
            throw Failure.held(field: "destination", name: output.name, holder)
        }
    }

    /// Keeps a start from hosts on which others have the ports of its listeners.
    ///
    /// - Throws: `.held` where that is every host.
    func admitListeners(of machine: inout BroadcastMachine) async throws {
        guard machine.outputs.contains(where: { $0.listener != nil }) else { return }
        var occupied: Set<DeviceID> = []
        var first: Failure?
        let hosts = await parts.fleet.onlineHosts.keys.sorted()
        for host in hosts {
            guard let failure = fault(of: machine, beside: await heldPorts(on: host)) else { continue }
            occupied.insert(host)
            first = first ?? failure
        }
        guard let first, case .held(_, let name, let holder) = first else { return }
        guard occupied.count < hosts.count else { throw first }
        machine.avoid(occupied, reason: "the output '\(name)': \(holder)")
    }

    private func fault(of machine: BroadcastMachine, beside held: HeldPorts) -> Failure? {
        var held = held
        for (index, output) in machine.outputs.enumerated() {
            if let place = output.listener,
                let holder = held.holder(of: place, for: output.id, of: machine.id, in: machine.organization)
            {
                return .held(field: "destinations[\(index)]", name: output.name, holder)
            }
            held.add(output, of: machine.id, in: machine.organization)
        }
        return nil
    }
}
