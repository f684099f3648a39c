import Posix
import RTP
import TLS

/// Where all peers of the load are: one loop with its thread, one certificate, one beat.
final class LoadField: @unchecked Sendable {
    // Sendable: what changes is touched by the loop's thread only; the buffers as well.
    let loop: Loop
    let context: DTLSContext
    /// Of whichever peer reads.
    let batch = DatagramBatch(capacity: 16)
    /// For a packet that is opened, and for one that is made.
    let taken = UnsafeMutableRawBufferPointer.allocate(byteCount: LoadField.room, alignment: 16)
    let made = UnsafeMutableRawBufferPointer.allocate(byteCount: LoadField.room, alignment: 16)
    let numbers: ExtensionMap
    var tally = RoomTally()

    private var publishers: [LoadPeer] = []
    private var players: [LoadPeer] = []
    /// Of each room those that get something.
    private var audience: [String: Int] = [:]
    private var ticked = Instant.now

    private static let room = 2048 + 64
    /// As fine as the loop's timers.
    private static let beat = Duration.milliseconds(1)
    private static let tick = Duration.milliseconds(20)

    init() throws {
        loop = try Loop(name: "media")
        context = try DTLSContext(at: unixMilliseconds() / 1000)
        var numbers = ExtensionMap()
        _ = numbers.set(.transportSequence, RoomLoadPlan.numberExtension)
        self.numbers = numbers
        taken.initializeMemory(as: UInt8.self, repeating: 0)
        made.initializeMemory(as: UInt8.self, repeating: 7)
    }

    deinit {
        taken.deallocate()
        made.deallocate()
    }

    /// Runs for as long as the process does.
    func begin() {
        loop.submit { self.arm() }
    }

    private func arm() {
        loop.timer(after: Self.beat) { [self] in
            turn()
            arm()
        }
    }

    /// Loop thread.
    private func turn() {
        for peer in publishers { peer.publish(to: audience[peer.place, default: 0]) }
        let now = Instant.now
        guard now - ticked >= Self.tick else { return }
        ticked = now
        for peer in publishers + players { peer.tick() }
    }

    // MARK: Peers, on the loop's thread

    func add(_ peer: LoadPeer) {
        if peer.use == .publish { publishers.append(peer) } else { players.append(peer) }
    }

    func remove(_ peer: LoadPeer) {
        publishers.removeAll { $0 === peer }
        players.removeAll { $0 === peer }
        if peer.hasArrived, peer.use == .play { audience[peer.place, default: 1] -= 1 }
    }

    /// A player has its first picture, and is to get all that follows.
    func arrived(_ peer: LoadPeer) {
        if peer.use == .play { audience[peer.place, default: 0] += 1 }
    }

    // MARK: Figures

    func restart() async {
        await onLoop { field in
            field.tally.restart()
            for peer in field.players { peer.restart() }
        }
    }

    func figures() async -> RoomFigures {
        await onLoop { field in
            let (tally, counts) = (field.tally, field.players.compactMap(\.count))
            return RoomFigures(
                sent: tally.sent, skipped: tally.skipped, expected: tally.expected, came: counts.reduce(0) { $0 + $1.came },
                lost: counts.reduce(0) { $0 + $1.lost }, refused: tally.refused, delayMs: Spread(tally.delays), opened: tally.delays.count,
                lateMs: Spread(tally.lateness), keyFrameRequests: tally.keyFrameRequests,
                protection: field.players.lazy.compactMap(\.protection).first, ended: tally.ended, lastReason: tally.lastReason)
        }
    }

    private func onLoop<Result: Sendable>(_ body: @escaping @Sendable (LoadField) -> Result) async -> Result {
        await withCheckedContinuation { continuation in
            loop.run { continuation.resume(returning: body(self)) }
        }
    }
}
