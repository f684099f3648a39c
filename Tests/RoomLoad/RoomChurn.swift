import Posix

/// People who come into rooms, stay for a while and go, again and again: for what a server keeps of those who are gone.
struct RoomChurn: Sendable {
    let plan: RoomLoadPlan
    let door: any Door
    let field: LoadField

    /// How long they stay; publishers longer, because whoever gets theirs goes with them.
    private static let stays: (player: ClosedRange<Double>, publisher: ClosedRange<Double>) = (1...15, 20...60)
    /// Of a hundred players, those that are gone without a word: a laptop that was closed. A publisher that did so would be somebody to
    /// players for as long as the server waits for it.
    private static let vanishing = 20

    struct Figures: Codable, Sendable {
        var entries = 0
        /// Without a word.
        var vanished = 0
        /// Who was not let in, or not there in time; the last one's words.
        var faults = 0
        var lastFault: String?
    }

    func run(until end: Instant) async -> Figures {
        await withTaskGroup(of: Figures.self) { group in
            for room in plan.rooms {
                for _ in 0..<room.publishers { group.addTask { await live(.publish, in: room, until: end) } }
                for _ in 0..<room.players { group.addTask { await live(.play, in: room, until: end) } }
            }
            var sum = Figures()
            for await one in group {
                sum.entries += one.entries
                sum.vanished += one.vanished
                sum.faults += one.faults
                sum.lastFault = one.lastFault ?? sum.lastFault
            }
            return sum
        }
    }

    /// One person's visits, one after the other.
    private func live(_ use: PeerDescription.Use, in room: RoomLoadPlan.Room, until end: Instant) async -> Figures {
        var figures = Figures()
        while Instant.now < end {
            do {
                let peer = try LoadPeer(use, in: room.id, of: plan, field)
                try await visit(Guest(peer: peer, room: room, door: door, visit: try await door.prepare()), until: end, &figures)
            } catch {
                figures.faults += 1
                figures.lastFault = "\(use): \(error)"
                // try?: nobody cancels it. Whoever was refused does not come again at once.
                try? await field.loop.sleep(for: .seconds(1))
            }
        }
        return figures
    }

    private func visit(_ guest: Guest, until end: Instant, _ figures: inout Figures) async throws {
        let entered: Guest
        switch await guest.attempt() {
        case .there(let entry): entered = entry.guest
        case .failed(let reason): throw RoomLoadFault(description: reason)
        }
        figures.entries += 1
        let stay = guest.peer.use == .publish ? Self.stays.publisher : Self.stays.player
        let time = Duration.seconds(Double.random(in: stay))
        try await field.loop.sleep(for: min(time, max(.zero, end - Instant.now)))
        if guest.peer.use == .play, Int.random(in: 0..<100) < Self.vanishing {
            figures.vanished += 1
            entered.peer.leave()
        } else {
            try await entered.leave()
        }
    }
}
