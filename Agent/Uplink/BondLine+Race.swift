import BondWire
import Posix

// How a line finds the receiver: at first, and again while its own address says nothing.
extension BondLine {
    /// A socket for handshakes with addresses of one family; the line's own from the one on that is completed.
    struct Aside {
        var socket: UDPSocket
        var watch: Watch?

        /// - Throws: where the device may just be going.
        init(_ family: SocketAddress.Family, over device: String, _ watch: (UDPSocket) throws -> Watch) throws {
            let socket = try UDPSocket(binding: .any(family), device: device, buffers: 1 << 20)
            socket.forbidFragments()
            (self.socket, self.watch) = (socket, try watch(socket))
        }
    }

    /// Begins handshakes with these addresses, with `greet` the first of them; keys stay meanwhile, as they may work again.
    /// - Returns: why there is no socket; nil where there is one.
    mutating func beginRace(_ addresses: [SocketAddress], by dialer: Dialer, _ watch: (UDPSocket) throws -> Watch) -> (any Error)? {
        letGoAsides()
        var fault: (any Error)?
        for family in Set(addresses.map(\.family)) {
            do {
                asides[family] = try Aside(family, over: link.name, watch)
            } catch {
                fault = error
            }
        }
        race = AddressRace(addresses, by: dialer, at: Microseconds(.now))
        return asides.isEmpty ? fault : nil
    }

    /// Sends what is due of the handshakes.
    mutating func greet(at now: Instant) {
        for (message, address) in race?.tick(at: Microseconds(now)) ?? [] { greet(message, address) }
    }

    mutating func greet(_ message: [UInt8], _ address: SocketAddress) {
        do {
            _ = try asides[address.family]?.socket.send(message, to: address)
            race?.note(nil, at: address)
        } catch {
            // No way to this one; the others have their turns, and it is asked again.
            race?.note(error as? SystemError, at: address)
        }
    }

    /// More addresses of the receiver are known: they join those that are asked.
    mutating func joinRace(_ addresses: [SocketAddress]) {
        race?.add(addresses.filter { asides[$0.family] != nil }, at: Microseconds(.now))
    }

    /// Whom the next round of a line that hears nothing asks: its own address, and the receiver's others by threes.
    mutating func takeTurn() -> [SocketAddress] {
        defer { redials += 1 }
        let others = choice.candidates.filter { $0 != address }
        let first = others.isEmpty ? 0 : redials * Self.asked % others.count
        let turn = (others[first...] + others[..<first]).prefix(Self.asked)
        return (address.map { [$0] } ?? []) + turn
    }

    /// Others at the same time: a link that is silent for long is to send little in vain.
    private static let asked = 3

    func holds(_ socket: UDPSocket) -> Bool { self.socket === socket || asides.values.contains { $0.socket === socket } }

    mutating func letGoAsides() {
        for aside in asides.values { aside.watch?.cancel() }
        asides = [:]
        race = nil
    }

    /// A handshake is complete: its address and its socket are the line's from here on.
    mutating func settle(at address: SocketAddress) {
        guard let aside = asides.removeValue(forKey: address.family) else { return }
        watch?.cancel()
        watch = aside.watch
        socket = aside.socket
        self.address = address
        choice.answered(address)
        letGoAsides()
    }
}
