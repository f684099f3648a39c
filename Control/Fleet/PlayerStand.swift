import Posix
import Units
import Wire

/// What players outside get of one broadcast: its window, and the seat by which the preview comes while somebody plays it. Safe from any
/// thread; calls nobody with its lock held.
final class PlayerStand: Sendable {
    /// What is to be done for a player that asks.
    enum Move: Sendable {
        case none
        /// To take a seat, and to leave the one that was taken elsewhere.
        case enter(round: Int, leaving: PreviewDesk.Seat?)
    }

    private struct Seating {
        let lease: LeaseID
        let seat: PreviewDesk.Seat
        let watch: Task<Void, Never>
    }

    private struct State {
        var window = HLSWindow()
        var players: [PlayerDesk.Player: Instant] = [:]
        /// Each time that a seat is taken is a round: what comes of one before is not listened to.
        var round = 0
        var isEntering = false
        var seating: Seating?
        /// Why there was no more, and until when it is not tried again.
        var fault: String?
        var restUntil: Instant?
        var heardAt = Instant.now
        var waiting: [Int: AsyncStream<Void>.Continuation] = [:]
        var nextWaiting = 0
    }

    /// A player that is silent for so long has gone, and with the last one the preview.
    static let patience = Duration.seconds(15)
    /// Between attempts to have a preview that there is none of.
    private static let rest = Duration.seconds(2)
    static let playerLimit = 10
    /// Players that wait for the first pictures, each of them with a request or two.
    private static let waitingLimit = 2 * playerLimit

    private let state = Guarded(State())

    var isSeated: Bool { state.withLock { $0.seating != nil || $0.isEntering } }
    var isOver: Bool { state.withLock { $0.window.isOver } }
    var isEmpty: Bool { state.withLock { $0.window.playlist == nil } }

    // MARK: Players

    /// - Returns: whether there is room for it.
    func hear(_ player: PlayerDesk.Player, at now: Instant) -> Bool {
        state.withLock { state in
            state.players = state.players.filter { now - $0.value < Self.patience }
            guard state.players[player] != nil || state.players.count < Self.playerLimit else { return false }
            state.players[player] = now
            state.heardAt = now
            return true
        }
    }

    func players(of link: PlayerLinkID, at now: Instant) -> Int {
        state.withLock { $0.players.count { $0.key.link == link && now - $0.value < Self.patience } }
    }

    func forget(_ link: PlayerLinkID) { state.withLock { $0.players = $0.players.filter { $0.key.link != link } } }

    func file(_ name: String) -> [UInt8]? { state.withLock { $0.window.file(name) } }

    /// The playlist, as soon as there is enough of it to begin with, or the time is over.
    ///
    /// - Throws: `.noPicture` where there is nothing to play.
    func playlist(within limit: Duration) async throws(PlayerDesk.Refusal) -> String {
        let (number, stream) = try state.withLock { state throws(PlayerDesk.Refusal) -> (Int, AsyncStream<Void>?) in
            let isComing = state.seating != nil || state.isEntering
            guard isComing, !state.window.isReady else { return (0, nil) }
            guard state.waiting.count < Self.waitingLimit else { throw .players(limit: Self.playerLimit) }
            let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
            state.nextWaiting += 1
            state.waiting[state.nextWaiting] = continuation
            return (state.nextWaiting, stream)
        }
        if let stream {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { for await _ in stream {} }
                // try?: it is cut short where there is nothing more to wait for.
                group.addTask { try? await Task.sleep(for: limit) }
                await group.next()
                group.cancelAll()
            }
        }
        let (text, fault) = state.withLock { state in
            state.waiting[number] = nil
            return (state.window.playlist, state.fault)
        }
        guard let text else { throw .noPicture(fault) }
        return text
    }

    // MARK: The preview

    func prepare(for lease: LeaseID, at now: Instant) -> Move {
        let (move, before) = state.withLock { state -> (Move, Seating?) in
            guard !state.window.isOver, !state.isEntering, state.seating?.lease != lease else { return (.none, nil) }
            if let rest = state.restUntil, now < rest { return (.none, nil) }
            let before = state.seating
            if before != nil { state.window.interrupt() }
            (state.seating, state.isEntering, state.fault) = (nil, true, nil)
            state.round += 1
            return (.enter(round: state.round, leaving: before?.seat), before)
        }
        before?.watch.cancel()
        return move
    }

    /// - Parameter watch: leaves the seat when nobody plays any more.
    /// - Returns: whether the seat is still wanted.
    func sit(_ seat: PreviewDesk.Seat, _ lease: LeaseID, round: Int, watch: Task<Void, Never>) -> Bool {
        let isWanted = state.withLock { state in
            guard state.round == round, state.isEntering else { return false }
            state.isEntering = false
            state.seating = Seating(lease: lease, seat: seat, watch: watch)
            return true
        }
        if !isWanted { watch.cancel() }
        return isWanted
    }

    func take(_ bytes: [UInt8], round: Int) {
        guard let chunk = PreviewChunk(message: bytes) else { return }
        let ready = state.withLock { state -> [AsyncStream<Void>.Continuation] in
            guard state.round == round else { return [] }
            state.window.take(chunk)
            return state.window.isReady ? Self.release(&state) : []
        }
        for one in ready { one.finish() }
    }

    /// The preview has ended by itself, or could not be had.
    func lose(_ reason: String?, round: Int, at now: Instant) {
        let (waiting, before) = state.withLock { state -> ([AsyncStream<Void>.Continuation], Seating?) in
            guard state.round == round else { return ([], nil) }
            defer { (state.seating, state.isEntering) = (nil, false) }
            // Whatever it still gives is of no round.
            state.round += 1
            state.window.interrupt()
            (state.fault, state.restUntil) = (reason, now + Self.rest)
            return (Self.release(&state), state.seating)
        }
        before?.watch.cancel()
        for one in waiting { one.finish() }
    }

    /// How long it takes at least until nobody has played for `patience`; nil where it has come to that.
    func idleWait(at now: Instant) -> Duration? {
        let wait = state.withLock { $0.heardAt + Self.patience } - now
        return wait > .zero ? wait : nil
    }

    /// - Returns: the seat to be left, where nobody plays.
    func rise(at now: Instant) -> PreviewDesk.Seat? {
        state.withLock { state in
            guard let seat = state.seating?.seat, now - state.heardAt >= Self.patience else { return nil }
            state.seating = nil
            state.round += 1
            state.window.forget()
            return seat
        }
    }

    /// There is no more of the broadcast, or nobody may have it any more.
    ///
    /// - Returns: the seat to be left.
    func end() -> PreviewDesk.Seat? {
        let (waiting, before) = state.withLock { state -> ([AsyncStream<Void>.Continuation], Seating?) in
            defer { (state.seating, state.isEntering) = (nil, false) }
            state.round += 1
            state.window.end()
            return (Self.release(&state), state.seating)
        }
        before?.watch.cancel()
        for one in waiting { one.finish() }
        return before?.seat
    }

    private static func release(_ state: inout State) -> [AsyncStream<Void>.Continuation] {
        defer { state.waiting.removeAll() }
        return Array(state.waiting.values)
    }
}
