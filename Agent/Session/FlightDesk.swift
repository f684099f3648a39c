import Posix
import Units
import Uplink
import Wire

/// The flight recorders of the running broadcast and of those before it that control has not heard to their end.
///
/// Every method may be called on any thread, and none waits.
final class FlightDesk: Sendable {
    private struct State {
        /// The running or the last one is the last of them.
        var recorders: [FlightRecorder] = []
        var isConnected = false
        /// Handed out, and not answered yet.
        var isTelling = false

        /// The connection has ended.
        mutating func lost() {
            guard isConnected else { return }
            (isConnected, isTelling) = (false, false)
            for index in recorders.indices { recorders[index].lost(at: .now) }
        }
    }

    private let state = Guarded(State())
    /// There may be a part to tell; for one reader.
    let news: AsyncStream<Void>
    private let newsSink: AsyncStream<Void>.Continuation

    /// So many broadcasts are remembered: one that ends without a connection is told with the next one.
    private static let limit = 4

    init() { (news, newsSink) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1)) }

    /// What follows is of this broadcast.
    func begin(_ broadcast: BroadcastID) {
        change { state in
            guard state.recorders.last?.broadcast != broadcast else { return }
            state.recorders.append(FlightRecorder(broadcast, run: unixMilliseconds()))
            if state.recorders.count > Self.limit { state.recorders.removeFirst() }
        }
    }

    func note(_ report: SendingReport) { last { $0.note(report, atMs: unixMilliseconds()) } }
    func note(_ event: UplinkEvent) { last { $0.note(event, atMs: unixMilliseconds()) } }
    func note(_ usage: UsageTelemetry) { last { $0.note(usage, atMs: unixMilliseconds()) } }
    func note(_ sample: FlightSample) { last { $0.note(sample, atMs: unixMilliseconds()) } }

    private func last(_ change: (inout FlightRecorder) -> Void) {
        self.change { state in
            guard let index = state.recorders.indices.last else { return }
            change(&state.recorders[index])
        }
    }

    /// Wakes whoever tells it, where there is something to tell.
    private func change(_ body: (inout State) -> Void) {
        let isDue = state.withLock { state in
            body(&state)
            return state.isConnected && !state.isTelling && state.recorders.contains { $0.hasUntold }
        }
        if isDue { newsSink.yield() }
    }

    func connected() {
        change { state in
            state.lost()
            state.isConnected = true
        }
    }

    func disconnected() { change { $0.lost() } }

    /// The next part for control; nil while there is none, nobody to hear it, or one that `answered` was not called for.
    func next() -> FlightLog? {
        state.withLock { state in
            guard state.isConnected, !state.isTelling, let part = state.recorders.lazy.compactMap({ $0.untoldPart() }).first else {
                return nil
            }
            state.isTelling = true
            return part
        }
    }

    /// - Parameter isTaken: by the connection; it is told again otherwise.
    func answered(_ log: FlightLog, isTaken: Bool) {
        change { state in
            state.isTelling = false
            guard isTaken else { return }
            for index in state.recorders.indices { state.recorders[index].told(log, at: .now) }
        }
    }
}
