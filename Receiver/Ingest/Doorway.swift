import Posix

/// Takes the datagrams of public sockets, a batch at a time; on a loop.
final class Doorway {
    /// One public socket.
    private final class Door {
        let socket: UDPSocket
        var watch: Watch?
        /// While it runs, nobody waits for the socket.
        var rest: LoopTimer?

        init(_ socket: UDPSocket) { self.socket = socket }
    }

    /// Where a datagram came in: answers leave from there.
    struct Entrance {
        var socket: UDPSocket
        var source: SocketAddress
        /// The address it was sent to.
        var local: SocketAddress?
    }

    private let loop: Loop
    private let take: (UnsafeRawBufferPointer, Entrance, Instant) -> Void
    private let turned: () -> Void
    private var doors: [Door] = []
    private let incoming = DatagramBatch(capacity: 64)

    /// Batches taken from one socket before the others get their turn.
    private static let batchesPerTurn = 4
    /// A wake-up costs more than a packet: with few of them they are collected this long.
    private static let rest: Duration = .milliseconds(4)
    /// More at a time than this, and there is no rest: what comes meanwhile must fit into the socket's buffer.
    private static let fewPackets = 16

    /// - Parameters:
    ///   - take: each datagram, valid during the call, and when it arrived.
    ///   - turned: after all that waited at a socket.
    init(
        _ sockets: [UDPSocket], loop: Loop, take: @escaping (UnsafeRawBufferPointer, Entrance, Instant) -> Void,
        turned: @escaping () -> Void = {}
    ) throws {
        self.loop = loop
        self.take = take
        self.turned = turned
        for socket in sockets {
            let door = Door(socket)
            door.watch = try loop.watch(socket.descriptor, .read) { [unowned self, unowned door] _ in serve(door) }
            doors.append(door)
        }
    }

    /// Takes nothing more from outside.
    func close() {
        for door in doors {
            door.watch?.cancel()
            door.rest?.cancel()
        }
        doors = []
    }

    /// Takes what waits; as long as that is a little each time, looks again after a rest and has nobody wait meanwhile.
    private func serve(_ door: Door) {
        door.rest?.cancel()
        let count = receive(door.socket)
        turned()
        guard (1...Self.fewPackets).contains(count) else {
            door.watch?.interest = .read
            return
        }
        door.watch?.interest = []
        door.rest = loop.timer(after: Self.rest) { [unowned self, unowned door] in serve(door) }
    }

    /// - Returns: how many datagrams there were.
    private func receive(_ socket: UDPSocket) -> Int {
        var total = 0
        for _ in 0..<Self.batchesPerTurn {
            // An error here is an earlier answer that found nobody: it is of no interest, and reading it clears it.
            guard let count = try? socket.receive(incoming), count > 0 else { break }
            total += count
            for index in 0..<count {
                guard let source = incoming.source(index) else { continue }
                let entrance = Entrance(socket: socket, source: source, local: incoming.destination(index))
                take(incoming[index], entrance, incoming.arrival(index))
            }
            if count < incoming.capacity { break }
        }
        return total
    }
}

extension Doorway.Entrance {
    /// Answers; lost as on any link where the kernel does not take it.
    func send(_ bytes: UnsafeRawBufferPointer) {
        if let local {
            _ = try? socket.send(bytes, to: source, from: local)
        } else {
            _ = try? socket.send(bytes, to: source)
        }
    }
}
