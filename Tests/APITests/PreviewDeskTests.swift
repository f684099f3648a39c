import Posix
import Testing
import Units
import Wire

@testable import API
@testable import Fleet

@Suite("Live previews that are watched", .timeLimit(.minutes(1))) struct PreviewDeskTests {
    fileprivate static func id<Kind>(_ number: Int) -> ID<Kind> { ID("01ARZ3NDEKTSV4RRFFQ69G5\(String(1000 + number).suffix(3))")! }

    private func place(_ number: Int = 1, organization: Int = 1, broadcast: Int? = nil, host: Int = 1) -> PreviewDesk.Place {
        PreviewDesk.Place(
            broadcast: Self.id(broadcast ?? number), organization: Self.id(organization), host: Self.id(host), lease: Self.id(number))
    }

    /// Somebody who watches, and what was given and said.
    private final class Seen: Sendable {
        let given = Guarded<[[UInt8]]>([])
        let ended = Guarded<[String]>([])
        let room = Guarded(true)

        func watcher(_ user: Int) -> PreviewDesk.Watcher {
            PreviewDesk.Watcher(
                user: PreviewDeskTests.id(user),
                give: { [self] bytes in
                    guard room.withLock({ $0 }) else { return false }
                    given.withLock { $0.append(bytes) }
                    return true
                }, end: { [self] reason in ended.withLock { $0.append(reason) } })
        }

        var kinds: [UInt8] { given.withLock { $0.map { $0[0] } } }
    }

    private let beginning = PreviewChunk(.beginning, [0, 1])
    private let key = PreviewChunk(.key, [2])
    private let more = PreviewChunk(.more, [3])

    @Test("the host is asked once, comes with its ticket once, and goes with the last who leaves")
    func course() async throws {
        let desk = PreviewDesk()
        let (tickets, asked) = AsyncStream.makeStream(of: String.self)
        let (first, second) = (Seen(), Seen())
        let ask: @Sendable (String) async -> String? = { ticket in
            asked.yield(ticket)
            return nil
        }
        let seats = [try desk.enter(first.watcher(1), at: place(), ask: ask), try desk.enter(second.watcher(2), at: place(), ask: ask)]
        var iterator = tickets.makeAsyncIterator()
        let ticket = try #require(await iterator.next())
        asked.finish()
        #expect(await iterator.next() == nil)

        let cut = Guarded<[String]>([])
        func claims(_ ticket: String, of host: Int) -> PreviewDesk.Show? {
            desk.claim(ticket, of: Self.id(host)) { reason in cut.withLock { $0.append(reason) } }
        }
        #expect(claims(ticket, of: 2) == nil && claims("", of: 1) == nil && claims(ticket + "x", of: 1) == nil)
        let show = try #require(claims(ticket, of: 1))
        #expect(claims(ticket, of: 1) == nil)
        for chunk in [beginning, key, more] { show.pass(chunk) }
        #expect(first.kinds == [1, 2, 3] && second.kinds == [1, 2, 3])
        // One who is slow holds nobody up.
        second.room.withLock { $0 = false }
        for chunk in [more, key] { show.pass(chunk) }
        second.room.withLock { $0 = true }
        for chunk in [more, key, more] { show.pass(chunk) }
        #expect(first.kinds == [1, 2, 3, 3, 2, 3, 2, 3] && second.kinds == [1, 2, 3, 2, 3])
        // Who comes later begins with the next key.
        let third = Seen()
        let late = try desk.enter(third.watcher(3), at: place(), ask: ask)
        for chunk in [more, key, more] { show.pass(chunk) }
        #expect(third.kinds == [1, 2, 3] && desk.count == 3)
        desk.leave(seats[0])
        desk.leave(late)
        desk.leave(late)
        #expect(cut.withLock { $0 }.isEmpty)
        desk.leave(seats[1])
        #expect(cut.withLock { $0 } == ["nobody watches"] && desk.count == 0)
        #expect(first.ended.withLock { $0 }.isEmpty && claims(ticket, of: 1) == nil)
    }

    @Test("who watches is told why there is no more, once: no answer, a connection that ends, a host that is revoked")
    func endings() async throws {
        let desk = PreviewDesk()
        let (told, tell) = AsyncStream.makeStream(of: String.self)
        let refused = PreviewDesk.Watcher(user: Self.id(1), give: { _ in true }, end: { tell.yield($0) })
        let seat = try desk.enter(refused, at: place()) { _ in "the host makes none" }
        var iterator = told.makeAsyncIterator()
        #expect(await iterator.next() == "the host makes none")
        desk.leave(seat)
        #expect(desk.count == 0)

        let ticket = Guarded("")
        let (asked, ask) = AsyncStream.makeStream(of: Void.self)
        let seen = Seen()
        func watch(_ number: Int, host: Int) throws -> PreviewDesk.Seat {
            try desk.enter(seen.watcher(1), at: place(number, host: host)) { given in
                ticket.withLock { $0 = given }
                ask.yield()
                return nil
            }
        }
        var asking = asked.makeAsyncIterator()
        let broken = try watch(2, host: 1)
        await asking.next()
        let show = try #require(desk.claim(ticket.withLock { $0 }, of: Self.id(1)) { _ in })
        desk.end(show, "the connection broke")
        desk.end(show, "again")
        desk.leave(broken)
        let revoked = try watch(3, host: 2)
        let other = try watch(4, host: 1)
        for _ in 0..<2 { await asking.next() }
        desk.forget(Self.id(2))
        #expect(seen.ended.withLock { $0 } == ["the connection broke", "the receiver's host was revoked"])
        desk.leave(revoked)
        #expect(desk.count == 1)
        desk.leave(other)
    }

    @Test("four of a user, eight of a broadcast, sixteen of an organisation, thirty-two in all")
    func bounds() throws {
        let desk = PreviewDesk(), seen = Seen()
        func enter(_ user: Int, _ number: Int, organization: Int = 1) throws {
            _ = try desk.enter(seen.watcher(user), at: place(number, organization: organization)) { _ in nil }
        }
        for _ in 0..<4 { try enter(1, 1) }
        #expect(throws: PreviewDesk.Refusal.user(limit: 4)) { try enter(1, 2) }
        for _ in 0..<4 { try enter(2, 1) }
        #expect(throws: PreviewDesk.Refusal.broadcast(limit: 8)) { try enter(3, 1) }
        for user in 3...10 { try enter(user, 2) }
        #expect(throws: PreviewDesk.Refusal.organization(limit: 16)) { try enter(11, 3) }
        for user in 20..<36 { try enter(user, user < 28 ? 4 : 5, organization: 2) }
        #expect(throws: PreviewDesk.Refusal.server(limit: 32)) { try enter(40, 6, organization: 3) }
        #expect(desk.count == 32)
    }
}
