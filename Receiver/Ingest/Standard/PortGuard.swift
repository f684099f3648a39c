import Posix

/// The guard between a public UDP port and librist: judges each packet by its header and gives each source a socket of its
/// own on loopback, so that librist sees sources apart and answers reach the right one.
///
/// Everything runs on the loop's thread.
final class PortGuard {
    /// A source's way to librist.
    private struct Path {
        let socket: UDPSocket
        let watch: Watch
        /// Where its latest packet came in.
        var entrance: Doorway.Entrance
        var traffic = Traffic()
        var loss = PathLoss()
    }

    private let loop: Loop
    private let target: SocketAddress
    private let board: Board
    private var gate = SourceGate(at: .now)
    private var doorway: Doorway?
    private var paths: [Path?] = Array(repeating: nil, count: SourceGate.sourceLimit)
    private var dropped: [SourceGate.Reason: Int] = [:]
    private let answers = DatagramBatch(capacity: 16)
    private var timer: LoopTimer?
    /// When a packet that can carry media was last let through.
    private(set) var lastMedia: Instant?

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
        doorway = try Doorway(
            sockets, loop: loop, take: { [unowned self] packet, entrance, now in judge(packet, from: entrance, at: now) })
        publishLater()
    }

    /// Takes nothing more from outside.
    func closeDoors() {
        doorway?.close()
        doorway = nil
    }

    private func judge(_ packet: UnsafeRawBufferPointer, from entrance: Doorway.Entrance, at now: Instant) {
        let header: GREHeader
        do { header = try GREHeader(packet) } catch { return drop(SourceGate.Reason(error)) }
        switch gate.arrived(header, from: entrance.source, at: now) {
        case .drop(let reason): drop(reason)
        case .forward(let slot, let isNew):
            if isNew { open(slot, for: entrance) }
            paths[slot]?.entrance = entrance
            paths[slot]?.traffic.add(bytes: packet.count)
            paths[slot]?.loss.arrived(header.sequence, of: header.nonce)
            if packet.count >= Self.smallestMedia { lastMedia = now }
            // A full buffer or a librist that is just going: the packet is lost as on any link.
            _ = try? paths[slot]?.socket.send(packet)
        }
    }

    private func drop(_ reason: SourceGate.Reason) { dropped[reason, default: 0] += 1 }

    private func open(_ slot: Int, for entrance: Doorway.Entrance) {
        close(slot)
        do {
            guard let local = SocketAddress(Board.host(slot: slot), port: 0) else { return }
            let socket = try UDPSocket(binding: local, buffers: 1 << 20)
            try socket.connect(to: target)
            let watch = try loop.watch(socket.descriptor, .read) { [unowned self] _ in answer(slot) }
            paths[slot] = Path(socket: socket, watch: watch, entrance: entrance)
            board.opened(slot: slot, source: entrance.source)
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
            path.entrance.send(answers[index])
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
                slot: slot, source: path.entrance.source, packetsTotal: path.traffic.packetsTotal, bytesLastSecond: path.traffic.lastSecond,
                loss: path.loss.share)
        }
        board.publish(reports, dropped)
    }
}
