import Posix

/// The guard between a public UDP port and librist: judges each packet by its header and gives each source a socket of its
/// own on loopback, so that librist sees sources apart and answers reach the right one.
///
/// Everything runs on the loop's thread.
final class PortGuard {
    /// One public socket.
    private final class Door {
        let socket: UDPSocket
        var watch: Watch?
        /// While it runs, nobody waits for the socket.
        var rest: LoopTimer?

        init(_ socket: UDPSocket) { self.socket = socket }
    }

    /// A source's way to librist.
    private struct Path {
        let socket: UDPSocket
        let watch: Watch
        let address: SocketAddress
        /// Where its latest packet came in, and the address it was sent to: answers leave from there.
        var door: UDPSocket
        var local: SocketAddress?
        var traffic = Traffic()
        var loss = PathLoss()
    }

    private let loop: Loop
    private let target: SocketAddress
    private let board: Board
    private var gate = SourceGate(at: .now)
    private var doors: [Door] = []
    private var paths: [Path?] = Array(repeating: nil, count: SourceGate.sourceLimit)
    private var dropped: [SourceGate.Reason: Int] = [:]
    private let incoming = DatagramBatch(capacity: 64)
    private let answers = DatagramBatch(capacity: 16)
    private var timer: LoopTimer?
    /// When a packet that can carry media was last let through.
    private(set) var lastMedia: Instant?

    /// Packets taken from one socket before the others get their turn.
    private static let batchesPerTurn = 4
    /// A wake-up, here and of librist's thread, costs more than a packet: with few of them they are collected this long.
    private static let rest: Duration = .milliseconds(4)
    /// More at a time than this, and there is no rest: what comes meanwhile must fit into the socket's buffer.
    private static let fewPackets = 16
    static let publishEvery = Duration.milliseconds(250)
    /// The smallest packet that holds a transport stream packet; what peers tell each other is smaller.
    private static let smallestMedia = 188

    /// - Parameters:
    ///   - target: librist's socket.
    ///   - board: where the figures go, and what is told about sources.
    init(loop: Loop, doors sockets: [UDPSocket], target: SocketAddress, board: Board) throws {
        self.loop = loop
        self.target = target
        self.board = board
        for socket in sockets {
            let door = Door(socket)
            door.watch = try loop.watch(socket.descriptor, .read) { [unowned self, unowned door] _ in serve(door) }
            doors.append(door)
        }
        publishLater()
    }

    /// Takes nothing more from outside.
    func closeDoors() {
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
        guard (1...Self.fewPackets).contains(count) else {
            door.watch?.interest = .read
            return
        }
        door.watch?.interest = []
        door.rest = loop.timer(after: Self.rest) { [unowned self, unowned door] in serve(door) }
    }

    /// - Returns: how many packets there were.
    private func receive(_ door: UDPSocket) -> Int {
        let now = Instant.now
        var total = 0
        for _ in 0..<Self.batchesPerTurn {
            // An error here is an earlier answer that found nobody: it is of no interest, and reading it clears it.
            guard let count = try? door.receive(incoming), count > 0 else { break }
            total += count
            for index in 0..<count {
                guard let source = incoming.source(index) else { continue }
                judge(incoming[index], from: source, to: incoming.destination(index), through: door, at: now)
            }
            if count < incoming.capacity { break }
        }
        return total
    }

    private func judge(
        _ packet: UnsafeRawBufferPointer, from source: SocketAddress, to local: SocketAddress?, through door: UDPSocket, at now: Instant
    ) {
        let header: GREHeader
        do { header = try GREHeader(packet) } catch { return drop(SourceGate.Reason(error)) }
        switch gate.arrived(header, from: source, at: now) {
        case .drop(let reason): drop(reason)
        case .forward(let slot, let isNew):
            if isNew { open(slot, for: source, through: door) }
            paths[slot]?.door = door
            paths[slot]?.local = local
            paths[slot]?.traffic.add(bytes: packet.count)
            paths[slot]?.loss.arrived(header.sequence, of: header.nonce)
            if packet.count >= Self.smallestMedia { lastMedia = now }
            // A full buffer or a librist that is just going: the packet is lost as on any link.
            _ = try? paths[slot]?.socket.send(packet)
        }
    }

    private func drop(_ reason: SourceGate.Reason) { dropped[reason, default: 0] += 1 }

    private func open(_ slot: Int, for source: SocketAddress, through door: UDPSocket) {
        close(slot)
        do {
            guard let local = SocketAddress(Board.host(slot: slot), port: 0) else { return }
            let socket = try UDPSocket(binding: local, buffers: 1 << 20)
            try socket.connect(to: target)
            let watch = try loop.watch(socket.descriptor, .read) { [unowned self] _ in answer(slot) }
            paths[slot] = Path(socket: socket, watch: watch, address: source, door: door)
            board.opened(slot: slot, source: source)
        } catch {
            // Out of descriptors: the source keeps its slot without a socket until it expires, counted here.
            drop(.full)
        }
    }

    private func close(_ slot: Int) {
        guard let path = paths[slot] else { return }
        path.watch.cancel()
        paths[slot] = nil
        board.closed(slot: slot)
    }

    /// librist's packets for a source go back the way its own came.
    private func answer(_ slot: Int) {
        guard let path = paths[slot], let count = try? path.socket.receive(answers) else { return }
        for index in 0..<count {
            gate.answered(slot: slot)
            // Lost as on any link where the kernel does not take it.
            if let local = path.local {
                _ = try? path.door.send(answers[index], to: path.address, from: local)
            } else {
                _ = try? path.door.send(answers[index], to: path.address)
            }
        }
    }

    private func publishLater() {
        timer = loop.timer(after: Self.publishEvery) { [unowned self] in
            for slot in gate.expire(at: .now) { close(slot) }
            publish()
            publishLater()
        }
    }

    private func publish() {
        let reports = paths.indices.compactMap { slot -> Board.Path? in
            guard let path = paths[slot] else { return nil }
            paths[slot]?.traffic.turn()
            paths[slot]?.loss.turn()
            return Board.Path(
                slot: slot, source: path.address, packetsTotal: path.traffic.packetsTotal, bytesLastSecond: path.traffic.lastSecond,
                loss: path.loss.share)
        }
        board.publish(reports, dropped)
    }
}
