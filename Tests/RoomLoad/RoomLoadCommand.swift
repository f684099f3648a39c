import FoundationEssentials
import Posix
import Web

/// The program `RoomLoadMain`: what it is told line by line, and what it answers, each one line of JSON.
///
///     open FILE         {"publishers": 1, "firstPictureMs": {…}, …}     lets all of a plan in; they go on by themselves
///     measure SECONDS   {"sent": …, "came": …, "delayMs": {…}, …}       `RoomFigures` of that time
///     leave COUNT       {"left": 20}                                    the newest players go; 0: everybody
///     churn FILE        {"entries": …, "vanished": …, "faults": …}      as many as a plan has come and go, for as long as it says
///
/// One loop has all media, another one all signalling.
package final class RoomLoadCommand: Sendable {
    private let field: LoadField
    private let client: Client
    private let inside = Guarded(Inside())

    /// Who is in, in the order of their coming.
    private struct Inside {
        var door: (any Door)?
        var publishers: [Guest] = []
        var players: [Guest] = []
    }

    /// Handshakes of signalling that are prepared or ended at the same time.
    private static let atOnce = 16
    /// In which somebody has to be there.
    static let patience = Duration.seconds(20)

    package init() throws {
        field = try LoadField()
        client = Client(loop: try Loop(name: "signalling"))
        field.begin()
    }

    /// - Throws: what went wrong, which ends the program.
    package func obey(_ line: String) async throws -> String {
        let words = line.split(separator: " ").map(String.init)
        switch (words.first, words.dropFirst().first) {
        case ("open", let file?): return try await open(RoomLoadPlan(file: file))
        case ("measure", let seconds?): return try await measure(.seconds(Int(seconds) ?? 1))
        case ("leave", let count?): return try await leave(Int(count) ?? 0)
        case ("churn", let file?): return try await churn(RoomLoadPlan(file: file))
        default: throw RoomLoadFault(description: "open FILE, measure SECONDS, leave COUNT or churn FILE, not '\(line)'")
        }
    }

    // MARK: Coming and going

    /// Publishers first: without one there is nothing to play.
    private func open(_ plan: RoomLoadPlan) async throws -> String {
        let door = door(of: plan)
        let publishers = try await enter(.publish, plan.each(\.publishers), plan, door)
        if let fault = publishers.faults.first { throw RoomLoadFault(description: "a publisher: \(fault)") }
        await field.restart()
        let players = try await enter(.play, plan.each(\.players), plan, door)
        inside.withLock { inside in
            inside.publishers += publishers.entries.map(\.guest)
            inside.players += players.entries.map(\.guest)
        }
        let figures = await field.figures()
        return try json(
            EntryFigures(
                publishers: publishers.entries.count, players: players.entries.count,
                firstPictureMs: Spread(players.entries.map(\.arrived)), signallingMs: Spread(players.entries.map(\.signalled)),
                keyFrameRequests: figures.keyFrameRequests, faults: players.faults.count, lastFault: players.faults.last))
    }

    /// The same for as long as the server is: players of Janus name publishers that came before.
    private func door(of plan: RoomLoadPlan) -> any Door {
        inside.withLock { inside -> any Door in
            if let door = inside.door { return door }
            let door: any Door =
                switch plan.server {
                case .strata: StrataDoor(client: client, origin: plan.url)
                case .janus: JanusDoor(client: client, url: plan.url)
                }
            inside.door = door
            return door
        }
    }

    private func enter(
        _ use: PeerDescription.Use, _ rooms: [RoomLoadPlan.Room], _ plan: RoomLoadPlan, _ door: any Door
    ) async throws -> (entries: [Entry], faults: [String]) {
        let field = field
        let guests = try await each(of: rooms.count, atOnce: Self.atOnce) { number in
            let peer = try LoadPeer(use, in: rooms[number].id, of: plan, field)
            return Guest(peer: peer, room: rooms[number], door: door, visit: try await door.prepare())
        }
        let attempts = try await each(of: guests.count, atOnce: max(1, plan.atOnce)) { number in await guests[number].attempt() }
        var (entries, faults): ([Entry], [String]) = ([], [])
        for attempt in attempts {
            switch attempt {
            case .there(let entry): entries.append(entry)
            case .failed(let reason): faults.append(reason)
            }
        }
        return (entries, faults)
    }

    private func leave(_ count: Int) async throws -> String {
        let guests = inside.withLock { inside -> [Guest] in
            if count == 0 {
                defer { (inside.players, inside.publishers) = ([], []) }
                return inside.players + inside.publishers
            }
            defer { inside.players.removeLast(min(count, inside.players.count)) }
            return Array(inside.players.suffix(count))
        }
        _ = try await each(of: guests.count, atOnce: Self.atOnce) { number in
            try await guests[number].leave()
            return true
        }
        return #"{"left":\#(guests.count)}"#
    }

    // MARK: Measuring

    private func measure(_ time: Duration) async throws -> String {
        await field.restart()
        try await field.loop.sleep(for: time)
        return try json(await field.figures())
    }

    /// Each stays for a while and goes, at a pace of their own, until the time is over.
    private func churn(_ plan: RoomLoadPlan) async throws -> String {
        let churn = RoomChurn(plan: plan, door: door(of: plan), field: field)
        return try json(await churn.run(until: Instant.now + .seconds(plan.seconds ?? 1)))
    }

    private func json(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}

/// Somebody of the load, on the way in or in a room.
struct Guest: Sendable {
    let peer: LoadPeer
    let room: RoomLoadPlan.Room
    let door: any Door
    var visit: Visit

    /// Comes in, and waits until they are there.
    func enter() async throws -> Entry {
        var entered = self
        let began = Instant.now
        let description = peer.description
        let remote = try await door.enter(description.use, room, &entered.visit) { remote in
            remote.map { description.answer(to: $0) } ?? description.offer()
        }
        let signalled = Instant.now
        let arrived = try await peer.enter(remote, within: RoomLoadCommand.patience)
        return Entry(guest: entered, signalled: (signalled - began).microseconds, arrived: (arrived - began).microseconds)
    }

    /// What came of somebody's coming.
    enum Attempt: Sendable {
        case there(Entry)
        case failed(String)
    }

    /// As `enter`. Where it fails its socket is closed; of what the server has made for it, the server learns by itself.
    func attempt() async -> Attempt {
        do {
            return .there(try await enter())
        } catch {
            peer.leave()
            return .failed("\(error)")
        }
    }

    func leave() async throws {
        peer.leave()
        try await door.leave(visit)
    }
}

/// Somebody has come, and how long it took, in microseconds.
struct Entry: Sendable {
    let guest: Guest
    let signalled: Int64
    let arrived: Int64
}

extension Duration {
    var microseconds: Int64 { components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000 }
}

/// Runs `body` with each number below `count`, some at a time; the results are in the order of the numbers.
func each<Result: Sendable>(
    of count: Int, atOnce: Int, _ body: @escaping @Sendable (Int) async throws -> Result
) async throws -> [Result] {
    try await withThrowingTaskGroup(of: (Int, Result).self) { group in
        var results: [(Int, Result)] = []
        for number in 0..<count {
            if number >= atOnce, let result = try await group.next() { results.append(result) }
            group.addTask { (number, try await body(number)) }
        }
        for try await result in group { results.append(result) }
        return results.sorted { $0.0 < $1.0 }.map { $0.1 }
    }
}
