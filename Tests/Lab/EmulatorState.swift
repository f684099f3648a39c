import Glibc
import Posix

/// A packet on its way, with where it goes.
struct Transit {
    let bytes: [UInt8]
    let exit: CInt
    /// nil: the socket knows where to.
    let address: sockaddr_in?
}

struct ShapedLink {
    var up: EmulatedLink<Transit>
    var down: EmulatedLink<Transit>

    init(_ shape: LinkShape, seed: UInt64) {
        up = EmulatedLink(shape.up, seed: seed &* 2)
        down = EmulatedLink(shape.down, seed: seed &* 2 &+ 1)
    }
}

/// A socket that packets come in by.
struct Entrance {
    enum Kind {
        /// Ethernet frames, which leave by the other socket.
        case frames(exit: CInt)
        /// Datagrams of any number of clients.
        case listener(target: sockaddr_in)
        /// The answers to one client.
        case answers(listener: CInt, client: sockaddr_in)
    }

    let link: String
    let direction: Direction
    let kind: Kind
}

private struct Client: Hashable {
    let listener: CInt
    let address: UInt32
    let port: UInt16
}

/// What the emulator's thread works on, under the emulator's lock.
struct EmulatorState {
    /// Bytes before the IP header in a frame, and before the payload in a datagram.
    private static let ethernetHeader = 14
    private static let udpOverIPv4 = 28
    private static let clientLimit = 256
    private static let tapLimit = 20_000

    var links: [String: ShapedLink] = [:]
    var entrances: [CInt: Entrance] = [:]
    /// Closed by the thread, while it does not wait on them.
    var leaving: [CInt] = []
    /// Let go of by the thread, and still open.
    private var released: [CInt] = []
    var isStopping = false
    var lateness = Lateness()
    /// Packets that entered links upwards, as they were, where somebody listens.
    var taps: [String: [[UInt8]]] = [:]
    /// Of links that are sticks.
    var translations: [String: StickNAT] = [:]
    private var upstream: [Client: CInt] = [:]
    private var buffer = [UInt8](repeating: 0, count: 65_600)

    var next: Int64? {
        links.values.flatMap { [$0.up.next, $0.down.next] }.compactMap(\.self).min()
    }

    /// Takes what waits at a socket, up to a bound, so that no link starves another.
    mutating func receive(_ descriptor: CInt) {
        guard let entrance = entrances[descriptor] else { return }
        for _ in 0..<256 {
            var from = sockaddr_in()
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let size = buffer.withUnsafeMutableBytes { bytes in
                withUnsafeMutablePointer(to: &from) { from in
                    from.withMemoryRebound(to: sockaddr.self, capacity: 1) { from in
                        if case .listener = entrance.kind {
                            recvfrom(descriptor, bytes.baseAddress, bytes.count, CInt(MSG_DONTWAIT), from, &length)
                        } else {
                            recv(descriptor, bytes.baseAddress, bytes.count, CInt(MSG_DONTWAIT))
                        }
                    }
                }
            }
            // Anything but a packet: nothing waits, or the other side refused the last one, which is its own affair.
            guard size > 0 else { return }
            enter(Array(buffer[..<size]), from: from, by: descriptor, entrance)
        }
    }

    private mutating func enter(_ bytes: [UInt8], from: sockaddr_in, by descriptor: CInt, _ entrance: Entrance) {
        let now = Instant.now.nanoseconds
        let transit: Transit
        var size = bytes.count + Self.udpOverIPv4
        switch entrance.kind {
        case .frames(let exit):
            size = bytes.count - Self.ethernetHeader
            var frame = bytes
            translations[entrance.link]?.translate(&frame, entrance.direction)
            transit = Transit(bytes: frame, exit: exit, address: nil)
        case .listener(let target):
            guard let exit = way(of: from, to: target, listener: descriptor, link: entrance.link) else { return }
            transit = Transit(bytes: bytes, exit: exit, address: nil)
        case .answers(let listener, let client):
            transit = Transit(bytes: bytes, exit: listener, address: client)
        }
        if entrance.direction == .up {
            if let count = taps[entrance.link]?.count, count < Self.tapLimit { taps[entrance.link]?.append(bytes) }
            links[entrance.link]?.up.enter(transit, bytes: size, at: now)
        } else {
            links[entrance.link]?.down.enter(transit, bytes: size, at: now)
        }
    }

    /// The socket that stands for a client towards the target; made with its first datagram.
    private mutating func way(of client: sockaddr_in, to target: sockaddr_in, listener: CInt, link: String) -> CInt? {
        let key = Client(listener: listener, address: client.sin_addr.s_addr, port: client.sin_port)
        if let known = upstream[key] { return known }
        guard upstream.count < Self.clientLimit, let descriptor = try? udpSocket() else { return nil }
        var target = target
        guard withSockaddr(&target, { connect(descriptor, $0, $1) }) == 0 else {
            close(descriptor)
            return nil
        }
        upstream[key] = descriptor
        entrances[descriptor] = Entrance(link: link, direction: .down, kind: .answers(listener: listener, client: client))
        return descriptor
    }

    mutating func deliver() {
        for name in links.keys {
            let now = Instant.now.nanoseconds
            let arrived = (links[name]?.up.arrivals(at: now) ?? []) + (links[name]?.down.arrivals(at: now) ?? [])
            for arrival in arrived {
                send(arrival.payload)
                lateness.record(nanoseconds: Instant.now.nanoseconds - arrival.dueNs)
            }
        }
    }

    /// A packet that the machine itself does not take is lost like one on a real link.
    private func send(_ transit: Transit) {
        let flags = CInt(MSG_DONTWAIT)
        if var address = transit.address {
            _ = withSockaddr(&address) { sendto(transit.exit, transit.bytes, transit.bytes.count, flags, $0, $1) }
        } else {
            _ = Glibc.send(transit.exit, transit.bytes, transit.bytes.count, flags)
        }
    }

    mutating func releaseLeaving() {
        guard !leaving.isEmpty else { return }
        let gone = Set(leaving)
        upstream = upstream.filter { !gone.contains($0.value) }
        released += leaving
        leaving = []
    }

    /// What nobody waits on any more: the caller's to close.
    mutating func takeReleased() -> [CInt] {
        defer { released = [] }
        return released
    }

    mutating func closeAll() {
        leaving += entrances.keys
        entrances = [:]
        links = [:]
        releaseLeaving()
        for descriptor in takeReleased() { close(descriptor) }
    }
}

// MARK: Sockets

func udpSocket() throws -> CInt {
    let descriptor = socket(AF_INET, CInt(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw SystemError("socket") }
    var size: CInt = 4 << 20
    // As much as the machine allows.
    _ = setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<CInt>.size))
    return descriptor
}

func address(_ literal: String, _ port: Int) throws -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    guard inet_pton(AF_INET, literal, &address.sin_addr) == 1 else { throw SystemError("inet_pton", EINVAL, on: literal) }
    return address
}

func withSockaddr<Result>(_ address: inout sockaddr_in, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
    withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
}
