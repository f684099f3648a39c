package import Netlink
package import Wire

/// The links of this board, from what rtnetlink says. Holds no socket; reads sysfs through the closure it is given.
package struct LinkTable {
    private struct Entry {
        var interface: NetworkInterface
        var clues: LinkClues
        var isSeen: Bool
    }

    private struct Place: Hashable {
        var address: InterfaceAddress
        var isSeen: Bool
    }

    private let policy: LinkPolicy
    private let clues: (String) -> LinkClues
    private var entries: [Int: Entry] = [:]
    private var addresses: [Place] = []

    package init(policy: LinkPolicy, clues: @escaping (String) -> LinkClues) {
        self.policy = policy
        self.clues = clues
    }

    /// A dump begins: what it does not mention is gone when it ends.
    package mutating func beginDump() {
        for index in entries.keys { entries[index]?.isSeen = false }
        for index in addresses.indices { addresses[index].isSeen = false }
    }

    /// Both dumps, links and addresses, are complete.
    package mutating func endDump() {
        entries = entries.filter { $0.value.isSeen }
        addresses = addresses.filter { $0.isSeen && entries[$0.address.index] != nil }
    }

    package mutating func apply(_ message: RouteMessage) {
        switch message {
        case .link(let interface):
            // An interface that was renamed or made again under the same index is looked at again.
            let known = entries[interface.index]
            let isSame = known?.interface.name == interface.name && known?.interface.kind == interface.kind
            let clues = isSame ? known?.clues : nil
            entries[interface.index] = Entry(interface: interface, clues: clues ?? self.clues(interface.name), isSeen: true)
        case .linkGone(let index):
            entries[index] = nil
            addresses.removeAll { $0.address.index == index }
        case .address(let address):
            forget(address)
            addresses.append(Place(address: address, isSeen: true))
        case .addressGone(let address): forget(address)
        case .done, .failed, .route, .routeGone, .rule, .ruleGone: break
        }
    }

    private mutating func forget(_ address: InterfaceAddress) {
        addresses.removeAll {
            $0.address.index == address.index && $0.address.address == address.address
                && $0.address.prefixLength == address.prefixLength
        }
    }

    /// The links that may carry media, by name.
    package var links: [Link] { admitted.map(link).sorted { $0.name < $1.name } }

    /// The index of each of them; a device that was made again has another one under its name, and is the later of two while the end of
    /// the first was not heard. Names that are not UTF-8 may read alike.
    var indices: [String: Int] { Dictionary(admitted.map { ($0.interface.name, $0.interface.index) }, uniquingKeysWith: { max($0, $1) }) }

    /// What the kernel has counted on each of them, by name.
    var counters: [InterfaceTelemetry] {
        admitted.compactMap { entry in
            guard let counters = entry.interface.counters else { return nil }
            return InterfaceTelemetry(
                name: entry.interface.name, receivedBytes: Int(clamping: counters.receivedBytes),
                sentBytes: Int(clamping: counters.sentBytes),
                receiveErrors: Int(clamping: counters.receiveErrors), sendErrors: Int(clamping: counters.sendErrors),
                receiveDropped: Int(clamping: counters.receiveDropped), sendDropped: Int(clamping: counters.sendDropped))
        }.sorted { $0.name < $1.name }
    }

    private var admitted: [Entry] {
        entries.values.filter { entry in
            policy.admits(
                name: entry.interface.name, kind: entry.interface.kind, isLoopback: entry.interface.isLoopback,
                hasMaster: entry.interface.master != nil)
        }
    }

    private func link(_ entry: Entry) -> Link {
        let interface = entry.interface
        // Loopback's own have no wider scope than the machine.
        let usable = addresses.filter {
            $0.address.index == interface.index && ($0.address.isGlobal || interface.isLoopback) && !$0.address.isTentative
        }
        // IPv4 first, then by text: the same addresses make the same list.
        let v4: [String] = usable.filter { $0.address.address.family == .ipv4 }.map { $0.address.address.host }
        let v6: [String] = usable.filter { $0.address.address.family == .ipv6 }.map { $0.address.address.host }
        let isCarrying = interface.isUp && interface.hasCarrier
        return Link(
            name: interface.name, kind: entry.clues.kind(hardwareType: interface.hardwareType, kind: interface.kind),
            state: !isCarrying ? .down : usable.isEmpty ? .unaddressed : .up, addresses: v4.sorted() + v6.sorted(),
            mtu: interface.mtu)
    }
}
