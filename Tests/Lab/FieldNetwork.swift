import CLab
import Glibc
package import Posix

/// A board's surroundings: a network namespace, "the field", with one interface for each modem, joined to this machine by
/// links that an emulator shapes.
///
/// ```
///  field namespace        wire namespace            this machine
///  modem0 10.S.0.2 ---- f0 [LinkEmulator] c0 ---- st<pid>l0 10.S.0.1
///  modem1 10.S.1.2 ---- f1 [            ] c1 ---- st<pid>l1 10.S.1.1      cloud address 10.S.255.1
/// ```
///
/// With IPv6 it has no other: fd53:7472:S:0::2 in place of 10.S.0.2, and so on.
///
/// With `sticks`, each modem is one that gives the board the address 192.168.8.100, whatever its own is, as sticks of one make do; the page of
/// each, port 80 of 192.168.8.1, is port 80 of this machine's address on its link.
///
/// Each modem has a default route of its own. Neighbours are known on both sides, so that a blackout is silent: no ARP
/// fails. Everything carries this process's number in its name and goes with `remove`, or with `NetworkNamespace.sweep`.
package final class FieldNetwork: Sendable {
    package let field: NetworkNamespace
    package let emulator: LinkEmulator
    private let wire: NetworkNamespace
    private let prefix: String
    private let family: SocketAddress.Family
    /// S
    private let network: Int
    private let areSticks: Bool
    private let isRemoved = Guarded(false)
    private let plugged = Guarded<Set<Int>>([])

    /// - Parameters:
    ///   - number: tells networks of one process apart.
    ///   - preferred: S of 10.S, taken where it is free.
    package init(
        links: [LinkShape], family: SocketAddress.Family = .ipv4, sticks: Bool = false, seed: UInt64 = 1, number: Int = 0,
        preferred: Int? = nil
    ) throws {
        precondition(!sticks || family == .ipv4, "sticks speak IPv4")
        self.family = family
        areSticks = sticks
        try NetworkNamespace.sweep()
        prefix = "st\(getpid())\(number == 0 ? "" : "n\(number)")"
        field = NetworkNamespace("st-\(getpid())-field\(number)")
        wire = NetworkNamespace("st-\(getpid())-wire\(number)")
        emulator = try LinkEmulator()
        // Between the choice of a network and its first address another one may choose: one at a time.
        let lock = open("/tmp/strata-lab.lock", O_CREAT | O_RDWR | O_CLOEXEC, 0o666)
        defer { close(lock) }
        flock(lock, LOCK_EX)
        network = try Self.freeNetwork(family, preferred)
        do {
            try runIP("netns add \(field.name)\nnetns add \(wire.name)\n")
            try silence()
            try addAnchor()
            for (index, shape) in links.enumerated() { try add(index, shape, seed: seed &+ UInt64(index)) }
        } catch {
            remove()
            throw error
        }
    }

    /// The address of this machine that the field reaches over each of its links.
    package var cloudAddress: String { address(255, 1) }

    package func interface(_ link: Int) -> String { "modem\(link)" }
    package func fieldAddress(_ link: Int) -> String { address(link, 2) }
    /// This machine's address on one link only.
    package func cloudAddress(_ link: Int) -> String { address(link, 1) }
    /// This machine's end of one link.
    package func cloudInterface(_ link: Int) -> String { "\(prefix)l\(link)" }
    private func name(_ link: Int) -> String { "modem\(link)" }

    /// The name servers of what is started in the field from now on: `ip netns exec` shows it this as /etc/resolv.conf.
    package func setResolvers(_ addresses: [String]) throws {
        mkdir(NetworkNamespace.files, 0o755)
        mkdir("\(NetworkNamespace.files)/\(field.name)", 0o755)
        let path = "\(NetworkNamespace.files)/\(field.name)/resolv.conf"
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw SystemError("open", on: path) }
        defer { close(descriptor) }
        let text = addresses.map { "nameserver \($0)\n" }.joined()
        guard write(descriptor, text, text.utf8.count) == text.utf8.count else { throw SystemError("write", on: path) }
    }

    // MARK: What can happen to links

    /// Plugs in a modem.
    package func add(_ link: Int, _ shape: LinkShape, seed: UInt64 = 1) throws {
        let cloud = cloudInterface(link)
        try runIP(
            """
            link add name f\(link) netns \(wire.name) type veth peer name \(interface(link)) netns \(field.name) address \(mac(link, 2))
            link add name c\(link) netns \(wire.name) type veth peer name \(cloud) address \(mac(link, 1))
            address add \(onWire(cloudAddress(link))) dev \(cloud)
            link set \(cloud) up
            neighbour replace \(fieldAddress(link)) lladdr \(mac(link, 2)) dev \(cloud) nud permanent

            """)
        plugged.withLock { _ = $0.insert(link) }
        try runIP("link set f\(link) up\nlink set c\(link) up\n", in: wire)
        let modem = interface(link)
        guard clab_offload_off(cloud) == 0 else { throw SystemError("SIOCETHTOOL", on: cloud) }
        try field.run { guard clab_offload_off(modem) == 0 else { throw SystemError("SIOCETHTOOL", on: modem) } }
        let sockets = try wire.run { [try packetSocket("f\(link)"), try packetSocket("c\(link)")] }
        emulator.join(name(link), field: sockets[0], cloud: sockets[1], shape: shape, translation: translation(link), seed: seed)
        try runIP("address add \(onWire(boardAddress(link))) dev \(modem)\nlink set \(modem) up\n" + routes(link), in: field)
    }

    /// Pulls a modem out: the interface is gone.
    package func remove(_ link: Int) throws {
        emulator.remove(name(link))
        plugged.withLock { _ = $0.remove(link) }
        try runIP("link delete \(cloudInterface(link))\n")
        try runIP("link delete \(interface(link))\n", in: field)
    }

    /// The modem loses its carrier, or has it back with its routes.
    package func setCarrier(_ link: Int, isUp: Bool) throws {
        try runIP("link set f\(link) \(isUp ? "up" : "down")\n", in: wire)
    }

    /// The modem's interface takes no larger packets any more, or again.
    package func setMTU(_ link: Int, _ mtu: Int) throws { try runIP("link set \(interface(link)) mtu \(mtu)\n", in: field) }

    /// This machine loses the address that the field reaches over each of its links; those on one link stay.
    package func loseCloudAddress() throws { try runIP("address flush dev \(prefix)a\n") }

    /// The network gives the modem another address, as mobile networks do.
    package func changeAddress(_ link: Int, host: Int) throws {
        let address = address(link, host)
        try runIP("neighbour replace \(address) lladdr \(mac(link, 2)) dev \(cloudInterface(link)) nud permanent\n")
        try runIP(
            "address flush dev \(interface(link))\naddress add \(onWire(address)) dev \(interface(link))\n" + routes(link), in: field)
    }

    /// Shapes a link anew; both directions where none is given.
    package func change(_ link: Int, _ direction: Direction? = nil, to profile: LinkProfile) {
        emulator.change(name(link), direction, to: profile)
    }

    /// Nothing passes any more, or again, and nobody is told.
    package func setBlackout(_ link: Int, isDark: Bool) {
        for direction in Direction.allCases {
            guard var profile = emulator.profile(name(link), direction) else { continue }
            profile.blackout = isDark
            emulator.change(name(link), direction, to: profile)
        }
    }

    /// A stick forgets its mappings, as after a while without traffic or a change of cell: the board is behind other ports.
    package func rebind(_ link: Int) { emulator.rebind(name(link)) }

    package func count(_ link: Int, _ direction: Direction) -> LinkCount { emulator.count(name(link), direction) }

    /// Listens to a link from now on, as somebody on the way could: Ethernet frames away from the field.
    package func tap(_ link: Int) { emulator.tap(name(link)) }

    package func tapped(_ link: Int) -> [[UInt8]] { emulator.tapped(name(link)) }

    package var lateness: Lateness { emulator.lateness }

    /// Takes everything down again; what still runs inside keeps its namespace until it ends, but no name and no link.
    package func remove() {
        let already = isRemoved.withLock { removed in
            defer { removed = true }
            return removed
        }
        guard !already else { return }
        emulator.stop()
        // The kernel takes a namespace's links away some time after it: those on this machine go now. Any of these may never
        // have been made.
        for link in plugged.withLock({ $0 }) { try? runIP("link delete \(cloudInterface(link))\n") }
        try? runIP("link delete \(prefix)a\n")
        try? runIP("netns delete \(wire.name)\n")
        try? runIP("netns delete \(field.name)\n")
        field.removeFiles()
    }

    deinit { remove() }

    // MARK: Set-up

    private func address(_ link: Int, _ host: Int) -> String {
        if family == .ipv4 { return "10.\(network).\(link).\(host)" }
        // The zeros of the first link are left out, as everybody else writes it (RFC 5952).
        let (network, link) = (String(network, radix: 16), link == 0 ? "" : ":" + String(link, radix: 16))
        return "fd53:7472:\(network)\(link)::\(host)"
    }

    /// With the length of its prefix; without the second in which an IPv6 address waits for others that claim it.
    private func onWire(_ address: String) -> String { family == .ipv4 ? "\(address)/24" : "\(address)/64 nodad" }

    private func mac(_ link: Int, _ host: Int) -> String { "02:53:54:00:0\(host):\(String(link + 16, radix: 16))" }

    /// What the board has, and whom it asks.
    private func boardAddress(_ link: Int) -> String { areSticks ? "192.168.8.100" : fieldAddress(link) }
    private func gateway(_ link: Int) -> String { areSticks ? "192.168.8.1" : cloudAddress(link) }

    private func translation(_ link: Int) -> StickNAT? {
        guard areSticks else { return nil }
        return StickNAT(
            inside: [192, 168, 8, 100], outside: [10, UInt8(network), UInt8(link), 2],
            page: (inside: [192, 168, 8, 1], outside: [10, UInt8(network), UInt8(link), 1]))
    }

    private func routes(_ link: Int) -> String {
        """
        route replace \(family == .ipv4 ? "0.0.0.0/0" : "::/0") via \(gateway(link)) dev \(interface(link)) metric \(100 + link)
        neighbour replace \(gateway(link)) lladdr \(mac(link, 1)) dev \(interface(link)) nud permanent

        """
    }

    /// The address of this machine that no link owns: on a wire of its own, so that it goes with the namespace.
    private func addAnchor() throws {
        try runIP(
            """
            link add name \(prefix)a type veth peer name anchor netns \(wire.name)
            address add \(cloudAddress)\(family == .ipv4 ? "/32" : "/128 nodad") dev \(prefix)a
            link set \(prefix)a up

            """)
        try runIP("link set lo up\n", in: field)
    }

    /// No neighbour discovery and no router solicitation on the wires, and replies by any of the field's links accepted.
    private func silence() throws {
        try wire.run { try writeSetting("net/ipv6/conf/default/disable_ipv6", "1") }
        try field.run {
            try writeSetting("net/ipv4/conf/all/rp_filter", "0")
            try writeSetting("net/ipv4/conf/default/rp_filter", "0")
        }
    }

    /// The first 10.S.0.0/16 or fd53:7472:S::/48 from this process's number on to which this machine has no route.
    private static func freeNetwork(_ family: SocketAddress.Family, _ preferred: Int?) throws -> Int {
        let routed = try family == .ipv4 ? routedIPv4() : routedIPv6()
        let candidates = (preferred.map { [$0] } ?? []) + (0..<128).map { 64 + (Int(getpid()) + $0) % 128 }
        guard let free = candidates.first(where: { !routed.contains($0) }) else {
            throw SystemError("freeNetwork", EADDRINUSE, on: "10.64.0.0/9")
        }
        return free
    }

    private static func routedIPv4() throws -> [Int] {
        try readLines("/proc/net/route").dropFirst().compactMap { line in
            let fields = line.split(separator: "\t")
            // The destination stands in the byte order of the machine: 10.S.x.x is xxxxSS0A.
            guard fields.count > 1, let destination = UInt32(fields[1], radix: 16), destination & 0xFF == 10 else { return nil }
            return Int(destination >> 8 & 0xFF)
        }
    }

    private static func routedIPv6() throws -> [Int] {
        try readLines("/proc/net/ipv6_route").compactMap { line in
            line.hasPrefix("fd537472") ? Int(line.dropFirst(8).prefix(4), radix: 16) : nil
        }
    }
}

private func packetSocket(_ interface: String) throws -> CInt {
    let descriptor = clab_packet_socket(interface)
    guard descriptor >= 0 else { throw SystemError("packet socket", on: interface) }
    return descriptor
}

private func writeSetting(_ name: String, _ value: String) throws {
    let descriptor = open("/proc/sys/\(name)", O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw SystemError("open", on: name) }
    defer { close(descriptor) }
    guard write(descriptor, value, value.utf8.count) == value.utf8.count else { throw SystemError("write", on: name) }
}

private func readLines(_ path: String) throws -> [Substring] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw SystemError("open", on: path) }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
        let size = read(descriptor, &buffer, buffer.count)
        guard size > 0 else { break }
        bytes += buffer[..<size]
    }
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n")
}
