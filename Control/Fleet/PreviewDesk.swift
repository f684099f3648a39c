import Crypto
import Posix
package import Units
import Wire

/// The live previews that are watched: what a receiver's host sends of a stream goes on to whoever watches it, unread. Safe from any thread.
///
/// A host is asked for a preview when its first watcher comes, over a connection of its own with a ticket that counts for that host, once;
/// with the last one who leaves that connection ends. Nothing is kept but the beginning, for who comes later.
package final class PreviewDesk: Sendable {
    /// As many watch as may.
    package enum Refusal: Error, Sendable, Hashable {
        case user(limit: Int)
        case broadcast(limit: Int)
        case organization(limit: Int)
        case server(limit: Int)
    }

    /// Where the pictures of a broadcast are.
    package struct Place: Sendable, Hashable {
        package let broadcast: BroadcastID
        package let organization: OrganizationID
        package let host: DeviceID
        package let lease: LeaseID

        package init(broadcast: BroadcastID, organization: OrganizationID, host: DeviceID, lease: LeaseID) {
            self.broadcast = broadcast
            self.organization = organization
            self.host = host
            self.lease = lease
        }
    }

    /// Somebody who watches.
    package struct Watcher: Sendable {
        /// nil: those outside who play the broadcast, all of them together.
        let user: UserID?
        let give: @Sendable ([UInt8]) -> Bool
        let end: @Sendable (String) -> Void

        /// - Parameters:
        ///   - give: takes a message, on any thread and without waiting; whether there was room for it.
        ///   - end: told once why there is no more, not where it left itself.
        package init(user: UserID?, give: @escaping @Sendable ([UInt8]) -> Bool, end: @escaping @Sendable (String) -> Void) {
            self.user = user
            self.give = give
            self.end = end
        }
    }

    /// What somebody who watches leaves again.
    package struct Seat: Sendable {
        fileprivate let show: Show
        fileprivate let number: Int
    }

    static let userLimit = 4
    static let broadcastLimit = 8
    static let organizationLimit = 16
    static let serverLimit = 32

    private struct State {
        var shows: [LeaseID: Show] = [:]
        var next = 0
    }

    private let state = Guarded(State())

    package init() {}

    /// Watches from here on.
    ///
    /// - Parameter ask: asks the host for the preview, with a ticket; called where nobody watches it yet. What it answers is why there is
    ///   none: all who watch are told.
    package func enter(
        _ watcher: Watcher, at place: Place, ask: @escaping @Sendable (_ ticket: String) async -> String?
    ) throws(Refusal) -> Seat {
        let entered = state.withLock { state -> Result<(seat: Seat, isFirst: Bool), Refusal> in
            if let refusal = Self.refusal(of: watcher.user, at: place, state.shows.values) { return .failure(refusal) }
            let known = state.shows[place.lease]
            let show = known ?? Show(place, ticket: Base64URL.encode(randomBytes(16)))
            state.next += 1
            state.shows[place.lease] = show
            show.add(watcher, state.next)
            return .success((Seat(show: show, number: state.next), known == nil))
        }
        let (seat, isFirst) = try entered.get()
        if isFirst {
            seat.show.asks(
                Task {
                    guard let fault = await ask(seat.show.ticket) else { return }
                    self.end(seat.show, fault)
                })
        }
        return seat
    }

    package func leave(_ seat: Seat) {
        let isLast = state.withLock { state in
            guard seat.show.remove(seat.number) else { return false }
            if state.shows[seat.show.place.lease] === seat.show { state.shows[seat.show.place.lease] = nil }
            return true
        }
        if isLast { seat.show.close("nobody watches") }
    }

    /// The preview that a host's connection was asked for. A ticket counts once.
    ///
    /// - Parameter cut: ends that connection, on whichever thread.
    func claim(_ ticket: String, of host: DeviceID, cut: @escaping @Sendable (String) -> Void) -> Show? {
        let own = state.withLock { state in state.shows.values.filter { $0.place.host == host } }
        let asked = own.first { constantTimeEqual(Array($0.ticket.utf8), Array(ticket.utf8)) }
        return asked?.claim(cut) == true ? asked : nil
    }

    /// There is no more of it: who watches is told why.
    func end(_ show: Show, _ reason: String) {
        state.withLock { state in
            if state.shows[show.place.lease] === show { state.shows[show.place.lease] = nil }
        }
        show.close(reason)
    }

    /// The host was revoked.
    package func forget(_ host: DeviceID) {
        for show in state.withLock({ $0.shows.values.filter { $0.place.host == host } }) { end(show, "the receiver's host was revoked") }
    }

    /// How many watch, over all organisations.
    package var count: Int { state.withLock { $0.shows.values.reduce(0) { $0 + $1.users.count } } }

    private static func refusal(of user: UserID?, at place: Place, _ shows: some Collection<Show>) -> Refusal? {
        func count(_ counts: (Show) -> Bool) -> Int { shows.filter(counts).reduce(0) { $0 + $1.users.count } }
        if user != nil, shows.reduce(0, { $0 + $1.users.count { $0 == user } }) >= userLimit { return .user(limit: userLimit) }
        if count({ $0.place.broadcast == place.broadcast }) >= broadcastLimit { return .broadcast(limit: broadcastLimit) }
        if count({ $0.place.organization == place.organization }) >= organizationLimit { return .organization(limit: organizationLimit) }
        return count({ _ in true }) >= serverLimit ? .server(limit: serverLimit) : nil
    }
}

extension PreviewDesk {
    /// One stream's preview, and who watches it.
    final class Show: Sendable {
        private struct State {
            var watchers: [Int: (watcher: Watcher, gate: PreviewGate)] = [:]
            var beginning: PreviewChunk?
            var asking: Task<Void, Never>?
            /// Ends the host's connection, once it has come.
            var cut: (@Sendable (String) -> Void)?
            var isOver = false
        }

        let place: Place
        let ticket: String
        private let state = Guarded(State())

        init(_ place: Place, ticket: String) {
            self.place = place
            self.ticket = ticket
        }

        var users: [UserID?] { state.withLock { $0.watchers.values.map(\.watcher.user) } }
        /// Whether the host has come.
        var isClaimed: Bool { state.withLock { $0.cut != nil } }

        func asks(_ task: Task<Void, Never>) {
            let isOver = state.withLock { state in
                state.asking = task
                return state.isOver
            }
            if isOver { task.cancel() }
        }

        func add(_ watcher: Watcher, _ number: Int) {
            state.withLock { $0.watchers[number] = (watcher, PreviewGate(beginning: $0.beginning)) }
        }

        /// - Returns: whether it was the last.
        func remove(_ number: Int) -> Bool {
            state.withLock { $0.watchers.removeValue(forKey: number) != nil && $0.watchers.isEmpty }
        }

        func claim(_ cut: @escaping @Sendable (String) -> Void) -> Bool {
            state.withLock { state in
                guard state.cut == nil, !state.isOver else { return false }
                state.cut = cut
                return true
            }
        }

        /// Passes on what the host sent; nobody who watches is waited for.
        func pass(_ chunk: PreviewChunk) {
            state.withLock { state in
                if chunk.kind == .beginning { state.beginning = chunk }
                for number in state.watchers.keys {
                    guard let give = state.watchers[number]?.watcher.give else { continue }
                    state.watchers[number]?.gate.take(chunk) { give($0.bytes) }
                }
            }
        }

        func close(_ reason: String) {
            let before = state.withLock { state in
                defer { state = State(isOver: true) }
                return state
            }
            before.asking?.cancel()
            before.cut?(reason)
            for one in before.watchers.values { one.watcher.end(reason) }
        }
    }
}
