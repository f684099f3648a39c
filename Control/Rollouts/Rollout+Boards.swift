// What boards say when they ask, and what they are told.

package import Units

/// How a board that asks stands to a rollout's release.
package enum BoardWord: Hashable, Sendable {
    /// Something else is installed, and nothing is under way.
    case without
    /// It fetches it.
    case preparing
    /// It was switched, and shows whether it works.
    case proving
    /// It is installed, and works.
    case with
    /// It was tried and did not work, or was not taken: with the reason.
    case failed(String)
    /// Another update is under way.
    case busy
}

/// What a board is told.
package enum BoardOrder: Hashable, Sendable {
    case nothing, install, withdraw, goBack
}

extension Rollout {
    /// Takes what a board says of itself, and says what it is to do. Asked twice it says the same: an answer may be lost.
    package mutating func answer(_ board: DeviceID, _ word: BoardWord, at now: Int64) -> BoardOrder {
        switch word {
        case .busy: return .nothing
        case .with:
            installed(board)
            return state == .rolledBack ? .goBack : .nothing
        case .proving:
            if fates[board] == nil || fates[board] == .returned { began(board, at: now) }
            switched(board, at: now)
            proves(board, at: now)
            return .nothing
        case .preparing:
            if state == .rolledBack { return .withdraw }
            // Boards that have begun go on; the answer has the rollout's urgency. One that was given up waiting for, since it is live for
            // days, holds up its step no second time: several of them would do so in turn.
            return .install
        case .failed(let reason):
            switch fates[board] {
            case .offered?, .switched?: failed(board, reason)
            // It went back as it was told to.
            case .installed? where state == .rolledBack: returned(board)
            // It was tried before this rollout: offered once more it says so itself.
            case nil: return without(board, at: now)
            case .installed?, .failed?, .returned?: break
            }
            return .nothing
        case .without: return without(board, at: now)
        }
    }

    private mutating func without(_ board: DeviceID, at now: Int64) -> BoardOrder {
        switch fates[board] {
        case nil: return offer(to: board, at: now) ? .install : .nothing
        case .offered? where state == .running: return .install
        case .offered?: notTaken(board)
        case .switched?: failed(board, "it went back, and does not say why")
        case .installed? where state == .rolledBack: returned(board)
        case .installed?, .failed?, .returned?: break
        }
        return .nothing
    }
}
