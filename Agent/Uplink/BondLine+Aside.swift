import Posix

// Where else the receiver is looked for while a line's own address says nothing.
extension BondLine {
    /// A socket for handshakes with another address of the receiver.
    struct Aside {
        var socket: UDPSocket
        var watch: Watch?
        var address: SocketAddress

        /// - Throws: where the device may just be going.
        init(_ address: SocketAddress, over device: String, _ watch: (UDPSocket) throws -> Watch) throws {
            let socket = try UDPSocket(binding: .any(address.family), device: device, buffers: 1 << 20)
            socket.forbidFragments()
            (self.socket, self.watch, self.address) = (socket, try watch(socket), address)
        }
    }

    /// Begins another round: the line's own address and the receiver's others take turns, of whichever family they are.
    /// - Returns: the address that is dialled aside; nil where it is the line's own turn.
    mutating func takeTurn() -> SocketAddress? {
        letGoAside()
        defer { redials += 1 }
        let others = choice.candidates.filter { $0 != address }
        return redials % 2 == 1 && !others.isEmpty ? others[redials / 2 % others.count] : nil
    }

    mutating func letGoAside() {
        aside?.watch?.cancel()
        aside = nil
    }

    /// The receiver has answered there: it is the line's address from here on.
    mutating func moveAside() {
        guard let aside else { return }
        watch?.cancel()
        watch = aside.watch
        socket = aside.socket
        address = aside.address
        choice.prefer(aside.address)
        self.aside = nil
    }
}
