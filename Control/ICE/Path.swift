package import Posix

/// Where datagrams come from and go to: one of the worker's sockets and the address at the other end.
package struct Path: Hashable, Sendable, CustomStringConvertible {
    /// The worker's own number of the socket; each TCP connection has one of its own that is not given to another while the agent knows it.
    package let socket: UInt32
    package let remote: SocketAddress

    package init(socket: UInt32, remote: SocketAddress) {
        self.socket = socket
        self.remote = remote
    }

    package var description: String { "\(remote) on socket \(socket)" }
}

/// A session of an agent: no two ever have the same number.
package struct SessionNumber: Hashable, Sendable {
    /// 0 to the limit of sessions, and used again: an index for the worker's own tables.
    package let slot: Int
    /// Which session in the slot it is.
    package let turn: UInt32

    package init(slot: Int, turn: UInt32) {
        self.slot = slot
        self.turn = turn
    }
}
